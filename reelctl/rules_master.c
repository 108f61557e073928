/* Apple's authoring specification, sections 9 and 13: the variants, keys */

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/rescale.h"
#include "reelctl/rules.h"


/* is codec in the list?  Of the type alone when it has no dot */
bool
reel_rule_codecs_name(reel_str_t list, const char *codec)
{
    reel_str_t  one, type;
    reel_str_t  rest = list, none;

    while (rest.p != NULL && rest.len != 0) {
        one = reel_str_cut(rest, ',', &rest);

        while (one.len != 0 && one.p[0] == ' ') {
            one.p++;
            one.len--;
        }

        type = reel_str_cut(one, '.', &none);

        if (reel_str_eqz(one, codec)
            || (strchr(codec, '.') == NULL && reel_str_eqz(type, codec)))
        {
            return true;
        }

        /* case is not told apart in fLaC and Opus */
        if (one.len == strlen(codec)
            && strncasecmp(one.p, codec, one.len) == 0)
        {
            return true;
        }
    }

    return false;
}


/* a track's codec must stand in the tag's CODECS */
static void
codec_told(reel_check_t *k, const reel_m3u8_entry_t *e,
    const reel_check_track_t *t)
{
    const reel_check_init_t  *i = reel_check_head_of(t);
    reel_str_t                codecs = reel_m3u8_get(e, "CODECS");
    char                      type[5];

    if (!i->read || i->codec[0] == '\0') {
        return;
    }

    /* of what a TS does not tell the type must do */
    if (t->form == REEL_CHECK_TS && strncmp(i->codec, "avc1", 4) != 0) {
        (void) reel_check_fourcc(i->entry, type);
        reel_check_that(k, reel_rule_codecs_name(codecs, type), "line %u: "
                        "CODECS=\"%.*s\", %s has %s", e->line,
                        (int) codecs.len, codecs.p, t->name, type);
        return;
    }

    reel_check_that(k, reel_rule_codecs_name(codecs, i->codec), "line %u: "
                    "CODECS=\"%.*s\", %s has %s", e->line, (int) codecs.len,
                    codecs.p, t->name, i->codec);
}


/* 9.1: the variant's own, and of each rendition that may play with it */
void
reel_rule_codecs(reel_check_t *k)
{
    unsigned                   n, m;
    reel_str_t                 group;
    const reel_check_use_t    *u, *o;
    const reel_check_track_t  *t;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {

        if (reel_m3u8_get(u->e, "CODECS").len == 0) {
            reel_check_that(k, false, "line %u: no CODECS", u->e->line);
            continue;
        }

        group = reel_m3u8_get(u->e, "AUDIO");
        t = reel_use_track(k, u);
        reel_check_seen(k);

        if (t != NULL) {
            codec_told(k, u->e, t);
        }

        REEL_EACH_USE(k, o, m, REEL_M3U8_MEDIA) {
            t = reel_use_track(k, o);

            if (t != NULL && group.p != NULL
                && reel_str_eqz(reel_m3u8_get(o->e, "TYPE"), "AUDIO")
                && reel_str_eq(reel_m3u8_get(o->e, "GROUP-ID"), group))
            {
                codec_told(k, u->e, t);
            }
        }
    }
}


/* 9.3 */
void
reel_rule_iframe_codecs(reel_check_t *k)
{
    unsigned                   n;
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;

    REEL_EACH_USE(k, u, n, REEL_M3U8_ISTREAM) {
        t = reel_use_track(k, u);
        reel_check_that(k, reel_m3u8_get(u->e, "CODECS").len != 0,
                        "line %u: no CODECS", u->e->line);

        if (t != NULL && reel_m3u8_get(u->e, "CODECS").len != 0) {
            codec_told(k, u->e, t);
        }
    }
}


/* 9.2 and 9.4: there, and what the header says */
static void
resolution(reel_check_t *k, reel_m3u8_tag_t tag)
{
    unsigned                   n;
    uint64_t                   w, h;
    const reel_check_use_t    *u;
    const reel_check_init_t   *i;
    const reel_check_track_t  *t;

    REEL_EACH_USE(k, u, n, tag) {
        t = reel_use_track(k, u);

        if (t == NULL || t->kind == REEL_CHECK_AUDIO) {
            continue;
        }

        if (!reel_rule_size(u->e, &w, &h)) {
            reel_check_that(k, false, "line %u: no RESOLUTION", u->e->line);
            continue;
        }

        i = reel_check_head_of(t);
        reel_check_that(k, i->width == 0 || (i->width == w && i->height == h),
                        "line %u: RESOLUTION=%" PRIu64 "x%" PRIu64 ", the "
                        "pictures have %" PRIu32 "x%" PRIu32, u->e->line, w,
                        h, i->width, i->height);
    }
}


void
reel_rule_resolution(reel_check_t *k)
{
    resolution(k, REEL_M3U8_STREAM);
}


void
reel_rule_iframe_resolution(reel_check_t *k)
{
    resolution(k, REEL_M3U8_ISTREAM);
}


/* 9.5 */
void
reel_rule_separate(reel_check_t *k)
{
    unsigned                   n, m;
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;
    const reel_check_segment_t *s;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        t = reel_use_track(k, u);

        if (t == NULL || !reel_check_is_video(t)) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            if (s->m.read) {
                reel_check_that(k, s->m.tracks <= 1, "%s: pictures and sound "
                                "in one segment", s->url);
                break;
            }
        }
    }
}


static unsigned
count_video(const reel_check_t *k, uint64_t *most)
{
    unsigned                 n, count = 0;
    uint64_t                 w, h;
    const reel_check_use_t  *u;

    *most = 0;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        if (reel_rule_size(u->e, &w, &h)) {
            count++;
            *most = w * h > *most ? w * h : *most;
        }
    }

    return count;
}


/* 9.9 */
void
reel_rule_many(reel_check_t *k)
{
    uint64_t  most;
    unsigned  n = count_video(k, &most);

    if (n != 0) {
        reel_check_that(k, n >= 3, "%u variant%s of video", n,
                        n == 1 ? "" : "s");
    }
}


/* 9.10 */
void
reel_rule_top(reel_check_t *k)
{
    unsigned                 n, top = 0;
    uint64_t                 w, h, most;
    const reel_check_use_t  *u;

    if (count_video(k, &most) == 0) {
        return;
    }

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        top += reel_rule_size(u->e, &w, &h) && w * h == most;
    }

    reel_check_that(k, top >= 2, "one variant of the top resolution");
}


/* 9.11 */
void
reel_rule_independent(reel_check_t *k)
{
    reel_check_that(k, k->list.independent, "%s: no "
                    "EXT-X-INDEPENDENT-SEGMENTS", k->master->url);
}


/* 9.14 */
void
reel_rule_has_average(reel_check_t *k)
{
    unsigned                 n;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        reel_check_that(k, reel_m3u8_number(u->e, "AVERAGE-BANDWIDTH") != 0,
                        "line %u: no AVERAGE-BANDWIDTH", u->e->line);
    }
}


static bool
was_read(const reel_check_segment_t *s)
{
    return s->m.read && s->m.fault[0] == '\0' && s->m.samples > 0;
}


/*
 * The rate of what was read, in thousandths: from picture to picture as they
 * are shown.  How long the last one stands does not count: it is held as long
 * as the sound goes on.
 */
static int64_t
real_rate(const reel_check_track_t *t)
{
    bool                         on;
    unsigned                     n;
    int64_t                      us = 0, pictures = 0, end;
    const reel_check_segment_t  *s, *next;

    REEL_EACH_SEGMENT(t, s, n) {
        if (!was_read(s)) {
            continue;
        }

        next = n + 1 < t->nsegments ? s + 1 : NULL;
        on = next != NULL && was_read(next) && next->m.pts > s->m.latest
             && next->m.timescale == s->m.timescale
             && next->discontinuity == s->discontinuity;
        end = on ? next->m.pts : s->m.latest;

        pictures += s->m.samples - !on;
        us = reel_check_add(us, reel_check_us(end - s->m.pts,
                                              s->m.timescale));
    }

    return us <= 0 ? 0 : reel_rescale(pictures, 1000 * REEL_SECOND,
                                      (uint64_t) us, REEL_ROUND_DOWN);
}


/* 9.15 */
void
reel_rule_frame_rate(reel_check_t *k)
{
    int64_t                    micro, real;
    unsigned                   n;
    reel_str_t                 s;
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        t = reel_use_track(k, u);
        s = reel_m3u8_get(u->e, "FRAME-RATE");

        if (t == NULL || !reel_check_is_video(t)) {
            continue;
        }

        if (s.p == NULL || !reel_m3u8_decimal(s, &micro)) {
            reel_check_that(k, false, "line %u: no FRAME-RATE", u->e->line);
            continue;
        }

        real = real_rate(t);
        reel_check_that(k, real == 0 || llabs(micro / 1000 - real)
                        <= real / 100, "line %u: FRAME-RATE=%.*s, measured "
                        "%" PRId64 ".%03" PRId64, u->e->line, (int) s.len, s.p,
                        real / 1000, real % 1000);
    }
}


/* 9.16 */
void
reel_rule_video_range(reel_check_t *k)
{
    bool                       hdr = false;
    unsigned                   n, round;
    const char                *range;
    reel_str_t                 told;
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;

    for (round = 0; round < 2; round++) {
        for (n = 0; n < k->nuses; n++) {
            u = &k->uses[n];
            t = reel_use_track(k, u);

            if (u->e->tag == REEL_M3U8_MEDIA || t == NULL
                || t->kind == REEL_CHECK_AUDIO || !reel_check_head_of(t)->read)
            {
                continue;
            }

            range = reel_rule_range(reel_check_head_of(t));
            hdr |= strcmp(range, "SDR") != 0;

            if (round == 0) {
                continue;
            }

            told = reel_m3u8_get(u->e, "VIDEO-RANGE");
            reel_check_that(k, told.p != NULL ? reel_str_eqz(told, range)
                            : !hdr, "line %u: VIDEO-RANGE is %.*s, the header "
                            "says %s", u->e->line,
                            told.p != NULL ? (int) told.len : 6,
                            told.p != NULL ? told.p : "absent", range);
        }
    }
}


/* 9.19 */
void
reel_rule_score(reel_check_t *k)
{
    unsigned                 n, with = 0, without = 0;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        with += reel_m3u8_get(u->e, "SCORE").p != NULL;
        without += reel_m3u8_get(u->e, "SCORE").p == NULL;
    }

    if (with != 0) {
        reel_check_that(k, without == 0, "%u variants have a SCORE, %u have "
                        "none", with, without);
    }
}


/* tvOS */
void
reel_rule_no_audio_only(reel_check_t *k)
{
    bool                       video = false;
    unsigned                   n, round;
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;

    for (round = 0; round < 2; round++) {
        REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
            t = reel_use_track(k, u);
            video |= t != NULL && reel_check_is_video(t);

            if (round == 1 && video && t != NULL) {
                reel_check_that(k, t->kind != REEL_CHECK_AUDIO, "line %u: a "
                                "variant of sound alone", u->e->line);
            }
        }
    }
}


/* each key tag of the playlists */
static void
each_key(reel_check_t *k, void (*judge)(reel_check_t *k, const char *where,
    const reel_m3u8_entry_t *e))
{
    unsigned             n, m;
    reel_check_track_t  *t;

    for (m = 0; m < k->list.nentries; m++) {
        if (k->list.entries[m].tag == REEL_M3U8_SESSION_KEY) {
            judge(k, k->url, &k->list.entries[m]);
        }
    }

    REEL_EACH_TRACK(k, t, n) {
        for (m = 0; !t->dash && m < t->list.nentries; m++) {
            if (t->list.entries[m].tag == REEL_M3U8_KEY) {
                judge(k, t->name, &t->list.entries[m]);
            }
        }
    }
}


static void
judge_fairplay(reel_check_t *k, const char *where, const reel_m3u8_entry_t *e)
{
    if (reel_str_eqz(reel_m3u8_get(e, "KEYFORMAT"),
                     "com.apple.streamingkeydelivery"))
    {
        reel_check_that(k, reel_str_eqz(reel_m3u8_get(e, "METHOD"),
                                        "SAMPLE-AES"),
                        "%s line %u: FairPlay with another METHOD", where,
                        e->line);
    }
}


/* 13.2 */
void
reel_rule_fairplay(reel_check_t *k)
{
    each_key(k, judge_fairplay);
}


static void
judge_ctr(reel_check_t *k, const char *where, const reel_m3u8_entry_t *e)
{
    reel_check_that(k, !reel_str_eqz(reel_m3u8_get(e, "METHOD"),
                                     "SAMPLE-AES-CTR"),
                    "%s line %u: METHOD=SAMPLE-AES-CTR", where, e->line);
}


/* 13.11 */
void
reel_rule_no_ctr(reel_check_t *k)
{
    each_key(k, judge_ctr);
}


/* 13.5 and 13.6: where FairPlay guards it */
void
reel_rule_hdcp(reel_check_t *k)
{
    bool                     fairplay = false;
    unsigned                 n;
    uint64_t                 w, h;
    reel_str_t               level;
    const reel_check_use_t  *u;

    for (n = 0; n < k->list.nentries; n++) {
        fairplay |= k->list.entries[n].tag == REEL_M3U8_SESSION_KEY
                    && reel_str_eqz(reel_m3u8_get(&k->list.entries[n],
                                                  "KEYFORMAT"),
                                    "com.apple.streamingkeydelivery");
    }

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {

        if (!fairplay || !reel_rule_size(u->e, &w, &h) || h < 720) {
            continue;
        }

        level = reel_m3u8_get(u->e, "HDCP-LEVEL");
        reel_check_that(k, h > 1080 ? reel_str_eqz(level, "TYPE-1")
                        : level.len != 0, "line %u: %" PRIu64 " lines of "
                        "pictures with HDCP-LEVEL %.*s", u->e->line, h,
                        level.len != 0 ? (int) level.len : 6,
                        level.len != 0 ? level.p : "absent");
    }
}


/* 13.7 */
void
reel_rule_pattern(reel_check_t *k)
{
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = reel_check_head_of(t);

        if (!t->dash && reel_check_is_video(t)
            && i->scheme == REEL_CC("cbcs"))
        {
            reel_check_that(k, i->crypt == 1 && i->skip == 9, "%s: pattern "
                            "%u:%u", t->name, i->crypt, i->skip);
        }
    }
}


/* AirPlay: televisions need what says where the encrypted bytes are */
void
reel_rule_airplay(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (t->dash || t->form != REEL_CHECK_MP4
            || !reel_check_head_of(t)->encrypted
            || t->kind == REEL_CHECK_AUDIO)
        {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            if (s->m.read) {
                reel_check_that(k, s->m.protected, "%s: neither senc nor saiz "
                                "with saio", s->url);
            }
        }
    }
}

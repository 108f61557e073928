/* Apple's authoring specification, sections 2, 4 and 5: sound and text */

#include <inttypes.h>
#include <stdlib.h>

#include "reelctl/rules.h"


static const reel_check_init_t *
audio_head(const reel_check_track_t *t)
{
    const reel_check_init_t  *i = reel_check_head_of(t);

    return !t->dash && t->kind == REEL_CHECK_AUDIO && i->read ? i : NULL;
}


/* 2.3 */
void
reel_rule_stereo(reel_check_t *k)
{
    bool                       any = false, holds = false;
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = audio_head(t);

        if (i != NULL) {
            any = true;
            holds |= reel_check_stereo_aac(i);
        }
    }

    if (any) {
        reel_check_that(k, holds, "no rendition of sound is stereo AAC");
    }
}


/* 2.4 */
void
reel_rule_he_aac(reel_check_t *k)
{
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = audio_head(t);

        if (i != NULL && t->average != 0
            && (strcmp(i->codec, "mp4a.40.5") == 0
                || strcmp(i->codec, "mp4a.40.29") == 0))
        {
            reel_check_that(k, t->average <= 70400, "%s: HE-AAC of %" PRIu64
                            " b/s", t->name, t->average);
        }
    }
}


/* 2.9; a tenth above is let pass */
void
reel_rule_audio_rates(reel_check_t *k)
{
    size_t                     c;
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    static const struct {
        const char  *codec;
        uint32_t     from, to;          /* channels */
        uint64_t     least, most;       /* kb/s */
    } rates[] = {
        { "mp4a.40.", 1, 2, 32, 160 }, { "mp4a.40.", 3, 6, 32, 320 },
        { "ac-3", 1, 8, 32, 384 }, { "ec-3", 1, 8, 32, 192 }
    };

    REEL_EACH_TRACK(k, t, n) {
        i = audio_head(t);

        for (c = 0; i != NULL && t->average != 0 && c < 4; c++) {

            if (strncmp(i->codec, rates[c].codec, strlen(rates[c].codec)) != 0
                || i->channels < rates[c].from || i->channels > rates[c].to)
            {
                continue;
            }

            reel_check_that(k, t->average >= rates[c].least * 900
                            && t->average <= rates[c].most * 1100,
                            "%s: %s, %u channels, %" PRIu64 " b/s", t->name,
                            i->codec, i->channels, t->average);
        }
    }
}


/* 2.11 */
void
reel_rule_layout(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s, *before;

    REEL_EACH_TRACK(k, t, n) {

        if (audio_head(t) == NULL || t->form != REEL_CHECK_MP4) {
            continue;
        }

        reel_check_seen(k);

        REEL_EACH_SEGMENT(t, s, m) {
            before = m != 0 ? s - 1 : s;

            if (s->init >= 0 && before->init >= 0 && s->init != before->init
                && t->inits[s->init].channels
                   != t->inits[before->init].channels
                && s->discontinuity == before->discontinuity)
            {
                reel_check_fault(k, "%s line %u: channels change without "
                                 "EXT-X-DISCONTINUITY", t->name, s->line);
            }
        }
    }
}


static bool
has_word(reel_str_t list, const char *word)
{
    return list.p != NULL
           && memmem(list.p, list.len, word, strlen(word)) != NULL;
}


/* the film's length: the longest of the variants */
static int64_t
film_us(const reel_check_t *k)
{
    int64_t                    us = 0;
    unsigned                   n;
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;

    REEL_EACH_USE(k, u, n, REEL_M3U8_STREAM) {
        t = reel_use_track(k, u);

        if (t != NULL && t->duration_us > us) {
            us = t->duration_us;
        }
    }

    return us;
}


/* 2.12 to 2.15 */
void
reel_rule_described(reel_check_t *k)
{
    unsigned                   n;
    const reel_check_use_t    *u;
    const reel_check_track_t  *t;

    REEL_EACH_USE(k, u, n, REEL_M3U8_MEDIA) {

        if (!has_word(reel_m3u8_get(u->e, "CHARACTERISTICS"),
                      "public.accessibility.describes-video"))
        {
            continue;
        }

        t = reel_use_track(k, u);
        reel_check_that(k, reel_str_eqz(reel_m3u8_get(u->e, "TYPE"), "AUDIO"),
                        "line %u: a description that is no AUDIO",
                        u->e->line);
        reel_check_that(k, reel_str_eqz(reel_m3u8_get(u->e, "AUTOSELECT"),
                                        "YES"),
                        "line %u: AUTOSELECT=YES is missing", u->e->line);
        reel_check_that(k, t == NULL || t->duration_us + 2 * REEL_SECOND
                        >= film_us(k), "line %u: it ends before the film",
                        u->e->line);
    }
}


/* 2.17 */
void
reel_rule_one_audio(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (t->dash || t->kind == REEL_CHECK_TEXT) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            if (s->m.read) {
                reel_check_that(k, s->m.audio_tracks <= 1, "%s: %u streams of "
                                "sound", s->url, s->m.audio_tracks);
            }
        }
    }
}


/* 2.18 to 2.23 */
void
reel_rule_loudness(reel_check_t *k)
{
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = audio_head(t);

        if (i != NULL && t->form == REEL_CHECK_MP4
            && strncmp(i->codec, "mp4a", 4) == 0)
        {
            reel_check_that(k, i->loudness, "%s: no ludt box", t->name);
        }
    }
}


static bool
is_text(const reel_m3u8_entry_t *e)
{
    reel_str_t  type = reel_m3u8_get(e, "TYPE");

    return reel_str_eqz(type, "SUBTITLES")
           || reel_str_eqz(type, "CLOSED-CAPTIONS");
}


/* 4.4 */
void
reel_rule_text_language(reel_check_t *k)
{
    unsigned                 n;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_MEDIA) {
        if (is_text(u->e)) {
            reel_check_that(k, reel_m3u8_get(u->e, "LANGUAGE").len != 0,
                            "line %u: no LANGUAGE", u->e->line);
        }
    }
}


/* 4.5: what calls itself so must be marked so */
void
reel_rule_hard_of_hearing(reel_check_t *k)
{
    unsigned                 n;
    reel_str_t               name;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_MEDIA) {
        name = reel_m3u8_get(u->e, "NAME");

        if (reel_str_eqz(reel_m3u8_get(u->e, "TYPE"), "SUBTITLES")
            && (has_word(name, "SDH") || has_word(name, "CC")))
        {
            reel_check_that(k, has_word(
                reel_m3u8_get(u->e, "CHARACTERISTICS"),
                "public.accessibility.transcribes-spoken-dialog"),
                "line %u: \"%.*s\" without CHARACTERISTICS", u->e->line,
                (int) name.len, name.p);
        }
    }
}


/* 5.2 */
void
reel_rule_text_format(reel_check_t *k)
{
    unsigned             n, m;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {

        if (t->dash || t->kind != REEL_CHECK_TEXT) {
            continue;
        }

        reel_check_that(k, t->form == REEL_CHECK_VTT
                        || (t->form == REEL_CHECK_MP4
                            && strncmp(reel_check_head_of(t)->codec, "stpp",
                                       4) == 0),
                        "%s: neither WebVTT nor IMSC1 in MP4", t->name);

        for (m = 0; m < t->nsegments; m++) {
            if (t->segments[m].m.fault[0] != '\0') {
                reel_check_fault(k, "%s: %s", t->segments[m].url,
                                 t->segments[m].m.fault);
            }
        }
    }
}


/* 5.3 */
void
reel_rule_timestamp_map(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (t->dash || t->form != REEL_CHECK_VTT) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            if (s->m.read) {
                reel_check_that(k, s->m.timestamp_map, "%s: no "
                                "X-TIMESTAMP-MAP", s->url);
            }
        }
    }
}


/* 5.5; the last segment may end with the last cue */
void
reel_rule_text_length(reel_check_t *k)
{
    unsigned             n;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {
        if (!t->dash && t->kind == REEL_CHECK_TEXT) {
            reel_check_that(k, t->duration_us + REEL_SECOND / 2 >= film_us(k),
                            "%s: %" PRId64 " s of %" PRId64, t->name,
                            t->duration_us / REEL_SECOND,
                            film_us(k) / REEL_SECOND);
        }
    }
}


/* 5.8 */
void
reel_rule_forced(reel_check_t *k)
{
    bool                     regular;
    unsigned                 n, m;
    const reel_check_use_t  *u, *o;

    REEL_EACH_USE(k, u, n, REEL_M3U8_MEDIA) {

        if (!reel_str_eqz(reel_m3u8_get(u->e, "FORCED"), "YES")) {
            continue;
        }

        regular = false;

        REEL_EACH_USE(k, o, m, REEL_M3U8_MEDIA) {
            regular |= is_text(o->e)
                       && !reel_str_eqz(reel_m3u8_get(o->e, "FORCED"), "YES")
                       && reel_str_eq(reel_m3u8_get(o->e, "LANGUAGE"),
                                      reel_m3u8_get(u->e, "LANGUAGE"));
        }

        reel_check_that(k, regular, "line %u: forced subtitles of a language "
                        "without regular ones", u->e->line);
    }
}

/* Apple's authoring specification, sections 7 and 8: segments, playlists */

#include <inttypes.h>
#include <stdlib.h>

#include "reelctl/rules.h"


/* playlists of media that plays: not I-frames */
static bool
plays(const reel_check_track_t *t)
{
    return !t->dash && t->kind != REEL_CHECK_IFRAMES;
}


static bool
has_media(const reel_check_segment_t *s)
{
    return s->m.read && s->m.fault[0] == '\0' && s->m.samples != 0;
}


/* 7.3 and 8.1: where a segment lies, against the sum of those before it */
static void
continuous(reel_check_t *k, reel_check_form_t form)
{
    int64_t                off, us, first = 0;
    unsigned               n, m;
    bool                   begun;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (!plays(t) || t->form != form || t->kind == REEL_CHECK_TEXT) {
            continue;
        }

        begun = false;

        REEL_EACH_SEGMENT(t, s, m) {

            if (!has_media(s) || s->discontinuity != 0) {
                continue;
            }

            us = reel_check_us(s->m.pts, s->m.timescale);

            if (!begun) {
                first = us - s->start_us;
                begun = true;
            }

            off = us - first - s->start_us;
            reel_check_that(k, llabs(off) <= reel_rule_frame_us(t),
                            "%s: begins %" PRId64 " us from where the "
                            "playlist has it", s->url, off);
        }
    }
}


void
reel_rule_tfdt(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    continuous(k, REEL_CHECK_MP4);

    /* within a segment too */
    REEL_EACH_TRACK(k, t, n) {
        REEL_EACH_SEGMENT(t, s, m) {
            if (!t->dash && t->form == REEL_CHECK_MP4
                && s->m.fault[0] != '\0')
            {
                reel_check_that(k, false, "%s: %s", s->url, s->m.fault);
            }
        }
    }
}


void
reel_rule_ts_times(reel_check_t *k)
{
    continuous(k, REEL_CHECK_TS);
}


/* 7.4 */
void
reel_rule_starts_with_idr(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (!plays(t) || !reel_check_is_video(t)) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            if (has_media(s)) {
                reel_check_that(k, s->m.keyframe, "%s: its first picture is "
                                "no IDR", s->url);
            }
        }
    }
}


/* 7.5 */
void
reel_rule_target_six(reel_check_t *k)
{
    unsigned             n;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {
        if (plays(t) && t->kind != REEL_CHECK_TEXT && t->list.has_target) {
            reel_check_that(k, t->list.target_s == 6, "%s: "
                            "EXT-X-TARGETDURATION:%" PRIu64, t->name,
                            t->list.target_s);
        }
    }
}


/* 7.6: most of them */
void
reel_rule_nominal_six(reel_check_t *k)
{
    unsigned               n, m, right;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (!plays(t) || t->kind == REEL_CHECK_TEXT || t->nsegments < 2) {
            continue;
        }

        right = 0;

        REEL_EACH_SEGMENT(t, s, m) {
            right += m + 1 < t->nsegments
                     && llabs(s->duration_us - 6 * REEL_SECOND)
                        <= REEL_SECOND / 10;
        }

        reel_check_that(k, right * 2 >= t->nsegments - 1, "%s: %u of %u "
                        "segments last 6 s", t->name, right,
                        t->nsegments - 1);
    }
}


/* 7.7 */
void
reel_rule_half_second(reel_check_t *k)
{
    int64_t                most;
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (!plays(t) || !t->list.has_target) {
            continue;
        }

        most = (int64_t) t->list.target_s * REEL_SECOND + REEL_SECOND / 2;

        REEL_EACH_SEGMENT(t, s, m) {
            int64_t  real = reel_check_us(s->m.duration, s->m.timescale);

            reel_check_that(k, s->duration_us <= most
                            && (!s->m.read || real <= most), "%s line %u: "
                            "%" PRId64 " ms (EXTINF) and %" PRId64 " ms (real)"
                            " under a target of %" PRIu64 " s", t->name,
                            s->line, s->duration_us / 1000, real / 1000,
                            t->list.target_s);
        }
    }
}


/* 8.1: each one's EXTINF, and their sum where all were read */
void
reel_rule_extinf(reel_check_t *k)
{
    int64_t                real, sum, frame;
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (!plays(t) || t->kind == REEL_CHECK_TEXT) {
            continue;
        }

        sum = 0;
        frame = reel_rule_frame_us(t);

        REEL_EACH_SEGMENT(t, s, m) {
            real = reel_rule_length_us(&s->m, s->duration_us);
            sum = reel_check_add(sum, real);

            if (has_media(s) && real != 0) {
                reel_check_that(k, llabs(real - s->duration_us) <= frame,
                                "%s line %u: EXTINF %" PRId64 " us, the "
                                "samples last %" PRId64, t->name, s->line,
                                s->duration_us, real);
            }
        }

        if (t->whole && t->form == REEL_CHECK_MP4) {
            reel_check_that(k, llabs(sum - t->duration_us) <= frame,
                            "%s: EXTINF sum up to %" PRId64 " us, the samples "
                            "to %" PRId64, t->name, t->duration_us, sum);
        }
    }
}


/* 8.2 */
void
reel_rule_same_target(reel_check_t *k)
{
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_track_t  *first = NULL;

    REEL_EACH_TRACK(k, t, n) {

        if (!plays(t) || t->kind == REEL_CHECK_TEXT) {
            continue;
        }

        first = first != NULL ? first : t;
        reel_check_that(k, t->list.target_s == first->list.target_s, "%s: "
                        "EXT-X-TARGETDURATION:%" PRIu64 ", %" PRIu64 " in %s",
                        t->name, t->list.target_s, first->list.target_s,
                        first->name);
    }
}


/* 8.3; a frame of either */
void
reel_rule_same_length(reel_check_t *k)
{
    int64_t                    off;
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_track_t  *first = NULL;

    REEL_EACH_TRACK(k, t, n) {

        if (!plays(t) || t->kind == REEL_CHECK_TEXT) {
            continue;
        }

        first = first != NULL ? first : t;
        off = llabs(t->duration_us - first->duration_us);
        reel_check_that(k, off <= reel_rule_frame_us(t)
                        + reel_rule_frame_us(first), "%s: %" PRId64 " us, "
                        "%" PRId64 " in %s", t->name, t->duration_us,
                        first->duration_us, first->name);
    }
}


/* 8.6 */
void
reel_rule_vod(reel_check_t *k)
{
    unsigned             n;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {
        if (!t->dash && t->list.ended) {
            reel_check_that(k, t->list.type == REEL_M3U8_VOD, "%s: has "
                            "EXT-X-ENDLIST, but is not of type VOD", t->name);
        }
    }
}


/* 8.10 */
void
reel_rule_language(reel_check_t *k)
{
    unsigned                 n;
    const reel_check_use_t  *u;

    REEL_EACH_USE(k, u, n, REEL_M3U8_MEDIA) {
        if (!reel_str_eqz(reel_m3u8_get(u->e, "TYPE"), "VIDEO")) {
            reel_check_that(k, reel_m3u8_get(u->e, "LANGUAGE").len != 0,
                            "line %u: EXT-X-MEDIA without LANGUAGE",
                            u->e->line);
        }
    }
}


/* the discontinuities of t lie where those of o do, within a frame */
static bool
same_breaks(const reel_check_track_t *t, const reel_check_track_t *o)
{
    unsigned  n = 0, m = 0, at;

    for (at = 1; ; at++) {

        while (n < t->nsegments && t->segments[n].discontinuity < at) {
            n++;
        }

        while (m < o->nsegments && o->segments[m].discontinuity < at) {
            m++;
        }

        if (n == t->nsegments || m == o->nsegments) {
            return (n == t->nsegments) == (m == o->nsegments);
        }

        if (llabs(t->segments[n].start_us - o->segments[m].start_us)
            > reel_rule_frame_us(t) + reel_rule_frame_us(o))
        {
            return false;
        }
    }
}


/* 8.15 */
void
reel_rule_discontinuities(reel_check_t *k)
{
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_track_t  *first = NULL;

    REEL_EACH_TRACK(k, t, n) {
        if (plays(t) && t->kind != REEL_CHECK_TEXT) {
            first = first != NULL ? first : t;
            reel_check_that(k, same_breaks(t, first), "%s: EXT-X-DISCONTINUITY"
                            " is not where %s has it", t->name, first->name);
        }
    }
}


/* 8.20 */
void
reel_rule_map(reel_check_t *k)
{
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (t->dash) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {
            size_t       len = strcspn(s->url, "?#");
            const char  *end = s->url + (len > 4 ? len - 4 : 0);

            if (strncmp(end, ".m4s", 4) == 0 || strncmp(end, ".mp4", 4) == 0) {
                reel_check_that(k, s->init >= 0, "%s line %u: fragmented MP4 "
                                "without EXT-X-MAP", t->name, s->line);
            }
        }
    }
}


/* 8.22: segment n of each picture begins at one time, by playlist and real */
void
reel_rule_aligned(reel_check_t *k)
{
    int64_t                       off;
    unsigned                      n, m;
    reel_check_track_t           *t;
    const reel_check_segment_t   *a, *b;
    const reel_check_track_t     *first = NULL;

    REEL_EACH_TRACK(k, t, n) {

        if (!plays(t) || !reel_check_is_video(t)) {
            continue;
        }

        first = first != NULL ? first : t;
        reel_check_that(k, t->nsegments == first->nsegments, "%s: %u segments,"
                        " %u in %s", t->name, t->nsegments, first->nsegments,
                        first->name);

        for (m = 0; m < t->nsegments && m < first->nsegments; m++) {
            a = &t->segments[m];
            b = &first->segments[m];
            off = a->start_us - b->start_us;

            if (llabs(off) <= reel_rule_frame_us(t)
                && has_media(a) && has_media(b) && t->form == first->form)
            {
                off = reel_check_us(a->m.pts, a->m.timescale)
                      - reel_check_us(b->m.pts, b->m.timescale);
            }

            reel_check_that(k, llabs(off) <= reel_rule_frame_us(t), "%s line "
                            "%u: segment %u begins %" PRId64 " us from that "
                            "of %s", t->name, a->line, m, off, first->name);
        }
    }
}


/* 9.12 */
void
reel_rule_independent_media(reel_check_t *k)
{
    unsigned             n;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {
        if (plays(t) && reel_check_is_video(t)) {
            reel_check_that(k, t->list.independent || k->list.independent,
                            "%s: no EXT-X-INDEPENDENT-SEGMENTS, here or in "
                            "the multivariant playlist", t->name);
        }
    }
}

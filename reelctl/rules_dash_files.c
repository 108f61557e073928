/* DASH: what an MPD says of its files, and what lies in them */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "reelctl/rules_dash.h"


static int64_t
track_period_us(const reel_check_t *k, const reel_check_track_t *t)
{
    return mpd_us(k, k->mpd.nodes[t->set].parent, "duration");
}


/* D.10: from the Period's start to its end, which another's frame may be */
void
reel_rule_covers(reel_check_t *k)
{
    int64_t              end, frame, longest = 0;
    unsigned             n;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {
        frame = t->dash ? reel_rule_frame_us(t) : 0;
        longest = frame > longest ? frame : longest;
    }

    REEL_EACH_TRACK(k, t, n) {

        if (!t->dash || t->nsegments == 0
            || (end = track_period_us(k, t)) <= 0)
        {
            continue;
        }

        frame = reel_rule_frame_us(t);
        reel_check_that(k, t->segments[0].start_us <= frame
                        && t->duration_us + longest >= end, "%s: segments from "
                        "%" PRId64 " to %" PRId64 " us in a Period of %" PRId64,
                        t->name, t->segments[0].start_us, t->duration_us, end);
    }
}


/* how a track's segments are addressed */
static unsigned
mode_of_track(const reel_check_t *k, const reel_check_track_t *t)
{
    return reel_dash_mode(k, t->node) | reel_dash_mode(k, t->set)
           | reel_dash_mode(k, k->mpd.nodes[t->set].parent);
}


/* is it of fragmented MP4, and timed in that way? */
static bool
is_timed(const reel_check_t *k, const reel_check_track_t *t, unsigned mode)
{
    return t->dash && t->form == REEL_CHECK_MP4
           && (mode_of_track(k, t) & mode) != 0;
}


/* where the samples of a segment begin in its period */
static int64_t
start_us(const reel_check_track_t *t, const reel_check_segment_t *s)
{
    return reel_check_us(s->m.pts, s->m.timescale)
           - reel_check_us(t->offset_ts, t->timescale);
}


/* D.11: what the timeline says, and what lies in the files */
void
reel_rule_timeline_real(reel_check_t *k)
{
    int64_t                start, length, off;
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (!is_timed(k, t, 2)) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {

            if (!s->m.read || s->m.samples == 0) {
                continue;
            }

            start = start_us(t, s);
            length = reel_rule_length_us(&s->m, s->duration_us);
            off = llabs(start - s->start_us) + llabs(length - s->duration_us);
            reel_check_that(k, off <= reel_rule_frame_us(t) / 2, "%s: %" PRId64
                            " us of %" PRId64 " us, the timeline has %" PRId64
                            " of %" PRId64, s->url, start, length,
                            s->start_us, s->duration_us);
        }
    }
}


/* D.12: with @duration, either edge may lie half of it off */
void
reel_rule_half_off(reel_check_t *k)
{
    int64_t                start, length;
    unsigned               n, m;
    reel_check_track_t    *t;
    reel_check_segment_t  *s;

    REEL_EACH_TRACK(k, t, n) {

        if (!is_timed(k, t, 4)) {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {

            if (!s->m.read || s->m.samples == 0) {
                continue;
            }

            start = start_us(t, s);
            length = reel_check_us(s->m.duration, s->m.timescale);
            reel_check_that(k, llabs(start - s->start_us)
                            <= t->segments[0].duration_us / 2
                            && length <= 2 * t->segments[0].duration_us,
                            "%s: %" PRId64 " us of %" PRId64 " us, @duration "
                            "puts it at %" PRId64, s->url, start, length,
                            s->start_us);
        }
    }
}


/* D.14 */
void
reel_rule_dash_codecs(reel_check_t *k)
{
    unsigned                   n;
    reel_str_t                 told;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = reel_check_head_of(t);

        if (t->dash && i->read && i->codec[0] != '\0'
            && t->kind != REEL_CHECK_TEXT)
        {
            told = mpd_common(k, t->node, "codecs");
            reel_check_that(k, told.p != NULL
                            && reel_rule_codecs_name(told, i->codec), "line "
                            "%u: codecs=\"%.*s\", the header says %s",
                            mpd_line(k, t->node), (int) told.len, told.p,
                            i->codec);
        }
    }
}


/* D.15: size, rate, sampling rate and channels are those of the header */
void
reel_rule_dash_geometry(reel_check_t *k)
{
    uint64_t                   v;
    unsigned                   n;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = reel_check_head_of(t);

        if (!t->dash || !i->read) {
            continue;
        }

        if (i->width != 0 && reel_mpd_number(&k->mpd, t->node, "width", &v)) {
            reel_check_that(k, v == i->width,
                            "line %u: width=%" PRIu64
                            ", the header says %" PRIu32,
                            mpd_line(k, t->node), v, i->width);
        }

        if (i->height != 0 && reel_mpd_number(&k->mpd, t->node, "height", &v)) {
            reel_check_that(k, v == i->height,
                            "line %u: height=%" PRIu64
                            ", the header says %" PRIu32,
                            mpd_line(k, t->node), v, i->height);
        }

        if (i->sample_rate != 0 && strncmp(i->codec, "mp4a.40.2", 10) == 0
            && reel_mpd_number(&k->mpd, t->node, "audioSamplingRate", &v))
        {
            reel_check_that(k, v == i->sample_rate,
                            "line %u: "
                            "audioSamplingRate=%" PRIu64 ", the header says "
                            "%" PRIu32,
                            mpd_line(k, t->node), v, i->sample_rate);
        }
    }
}


/* D.16: segment n of each Representation of a set lies alike */
void
reel_rule_dash_aligned(reel_check_t *k)
{
    int64_t                      off;
    unsigned                     n, m, i;
    reel_check_track_t          *t, *o;
    const reel_check_segment_t  *a, *b;

    REEL_EACH_TRACK(k, t, n) {

        for (i = 0, o = NULL; i < n && o == NULL; i++) {
            o = k->tracks[i]->dash && k->tracks[i]->set == t->set
                ? k->tracks[i] : NULL;
        }

        if (!t->dash || o == NULL || t->form != REEL_CHECK_MP4) {
            continue;
        }

        reel_check_that(k, t->nsegments == o->nsegments, "%s: %u segments, "
                        "%u in %s", t->name, t->nsegments, o->nsegments,
                        o->name);

        for (m = 0; m < t->nsegments && m < o->nsegments; m++) {
            a = &t->segments[m];
            b = &o->segments[m];

            if (!a->m.read || !b->m.read) {
                continue;
            }

            off = reel_check_us(a->m.pts, a->m.timescale)
                  - reel_check_us(b->m.pts, b->m.timescale);
            reel_check_that(k, llabs(off) <= 1000, "%s: begins %" PRId64
                            " us from that of %s", a->url, off, o->name);
        }
    }
}


/*
 * D.18: at @bandwidth, minBufferTime after the first byte, nothing stalls,
 * from whichever segment one begins (5.3.5.2); a hundredth for rounding.
 */
void
reel_rule_dash_bandwidth(reel_check_t *k)
{
    int64_t              buffer = mpd_us(k, 0, "minBufferTime");
    unsigned             n, i, j;
    uint64_t             bits, may;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {

        /* pictures for scrubbing are not played against the clock */
        if (!t->dash || t->average == 0 || t->bandwidth == 0 || buffer <= 0
            || t->kind == REEL_CHECK_IMAGES)
        {
            continue;
        }

        reel_check_seen(k);

        for (i = 0; i < t->nsegments; i++) {
            for (j = i, bits = 0; j < t->nsegments && j < i + 64; j++) {
                bits += t->segments[j].size * 8;
                may = (uint64_t) (t->segments[j].start_us
                                  - t->segments[i].start_us + buffer)
                      / 1000 * t->bandwidth / 1000;

                if (bits > may + may / 100) {
                    break;
                }
            }

            if (j < t->nsegments && j < i + 64) {
                reel_check_fault(k, "%s: at %" PRIu64 " b/s segment %u comes "
                                 "too late for who begins with %u", t->name,
                                 t->bandwidth, j, i);
                break;
            }
        }
    }
}


/* D.22: KID of the MPD and of the file, one a set, and the scheme's name */
void
reel_rule_protection(reel_check_t *k)
{
    int                        c;
    char                       kid[37], hex[33], name[5];
    unsigned                   n, d;
    reel_str_t                 told;
    reel_check_track_t        *t;
    const reel_check_init_t   *i;

    REEL_EACH_TRACK(k, t, n) {
        i = reel_check_head_of(t);

        if (!t->dash || !i->read || !i->encrypted) {
            continue;
        }

        c = -1;

        while ((c = reel_mpd_child(&k->mpd, t->set, "ContentProtection", c))
               >= 0
               && !reel_str_eqz(mpd_get(k, c, "schemeIdUri"),
                                "urn:mpeg:dash:mp4protection:2011"))
        { /* void */ }

        if (c < 0) {
            reel_check_that(k, false,
                            "line %u: no ContentProtection of "
                            "mp4protection for encrypted %s",
                            mpd_line(k, t->set), t->name);
            continue;
        }

        (void) snprintf(hex, sizeof(hex), "%s", "");

        for (d = 0; d < 16; d++) {
            (void) snprintf(hex + 2 * d, 3, "%02x", i->kid[d]);
        }

        (void) snprintf(kid, sizeof(kid), "%.8s-%.4s-%.4s-%.4s-%.12s", hex,
                        hex + 8, hex + 12, hex + 16, hex + 20);
        told = mpd_get(k, c, "cenc:default_KID");
        reel_check_that(k, told.len == 36
                        && strncasecmp(told.p, kid, 36) == 0, "line %u: "
                        "default_KID %.*s, tenc of %s has %s", mpd_line(k, c),
                        (int) told.len, told.p, t->name, kid);
        told = mpd_get(k, c, "value");
        (void) reel_check_fourcc(i->scheme, name);
        reel_check_that(k, reel_str_eqz(told, name),
                        "line %u: value=\"%.*s\","
                        " %s is encrypted by %s",
                        mpd_line(k, c), (int) told.len, told.p, t->name, name);
    }
}

/* DASH: ISO 23009-1, and the restricted timing model of DASH-IF's IOP */

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "reelctl/rules.h"


#define EXACT (1ull << 53)

#define EACH_NODE(k, i) for ((i) = 0; (i) < (k)->mpd.n; (i)++)


static bool
named(const reel_check_t *k, int i, const char *name)
{
    return reel_str_eqz(k->mpd.nodes[i].name, name);
}


static reel_str_t
get(const reel_check_t *k, int i, const char *name)
{
    return reel_mpd_get(&k->mpd, i, name);
}


/* of the Representation or its AdaptationSet */
static reel_str_t
get_common(const reel_check_t *k, int rep, const char *name)
{
    reel_str_t  s = get(k, rep, name);

    return s.p != NULL ? s : get(k, k->mpd.nodes[rep].parent, name);
}


static unsigned
line(const reel_check_t *k, int i)
{
    return k->mpd.nodes[i].line;
}


static bool
is_static(const reel_check_t *k)
{
    reel_str_t  s = get(k, 0, "type");

    return s.p == NULL || reel_str_eqz(s, "static");
}


/* D.1 */
void
reel_rule_mpd(reel_check_t *k)
{
    reel_check_that(k, k->mpd.fault[0] == '\0', "%s", k->mpd.fault);

    if (k->mpd.fault[0] != '\0') {
        return;
    }

    reel_check_that(k, named(k, 0, "MPD"), "the root element is no MPD");
    reel_check_that(k, reel_str_eqz(get(k, 0, "xmlns"),
                                    "urn:mpeg:dash:schema:mpd:2011"),
                    "line %u: not in the namespace of MPDs", line(k, 0));
    reel_check_that(k, reel_mpd_child(&k->mpd, 0, "Period", -1) >= 0,
                    "no Period");
}


static void
must_have(reel_check_t *k, int i, const char *name)
{
    reel_check_that(k, get(k, i, name).len != 0, "line %u: %.*s without @%s",
                    line(k, i), (int) k->mpd.nodes[i].name.len,
                    k->mpd.nodes[i].name.p, name);
}


static void
common_must_have(reel_check_t *k, int rep, const char *name)
{
    reel_check_that(k, get_common(k, rep, name).len != 0, "line %u: a "
                    "Representation without @%s", line(k, rep), name);
}


/* D.2 */
void
reel_rule_mpd_attrs(reel_check_t *k)
{
    int         i;
    reel_str_t  mime;

    must_have(k, 0, "profiles");
    must_have(k, 0, "minBufferTime");

    if (!is_static(k)) {
        must_have(k, 0, "availabilityStartTime");
        must_have(k, 0, "publishTime");
    }

    EACH_NODE(k, i) {

        if (named(k, i, "AdaptationSet")) {
            must_have(k, i, "contentType");

        } else if (named(k, i, "Representation")) {
            must_have(k, i, "id");
            must_have(k, i, "bandwidth");
            common_must_have(k, i, "mimeType");
            mime = get_common(k, i, "mimeType");

            if (reel_str_prefix(mime, "video/")) {
                common_must_have(k, i, "codecs");
                common_must_have(k, i, "width");
                common_must_have(k, i, "height");
                common_must_have(k, i, "frameRate");

            } else if (reel_str_prefix(mime, "audio/")) {
                common_must_have(k, i, "codecs");
                common_must_have(k, i, "audioSamplingRate");
                reel_check_that(k, reel_mpd_child(&k->mpd, i,
                                "AudioChannelConfiguration", -1) >= 0
                                || reel_mpd_child(&k->mpd,
                                k->mpd.nodes[i].parent,
                                "AudioChannelConfiguration", -1) >= 0,
                                "line %u: no AudioChannelConfiguration",
                                line(k, i));
            }

        } else if (named(k, i, "ContentProtection")) {
            must_have(k, i, "schemeIdUri");
        }
    }
}


static int64_t
duration(const reel_check_t *k, int i, const char *name)
{
    int64_t  us;

    return reel_mpd_duration(get(k, i, name), &us) ? us : -1;
}


static int
last_period(const reel_check_t *k)
{
    int  i = -1, last = -1;

    while ((i = reel_mpd_child(&k->mpd, 0, "Period", i)) >= 0) {
        last = i;
    }

    return last;
}


/* D.3 */
void
reel_rule_period_start(reel_check_t *k)
{
    int  i = reel_mpd_child(&k->mpd, 0, "Period", -1);

    if (is_static(k) && i >= 0) {
        reel_check_that(k, get(k, i, "start").p == NULL
                        || duration(k, i, "start") == 0, "line %u: the first "
                        "Period does not start at 0", line(k, i));
    }
}


/* D.4 */
void
reel_rule_period_duration(reel_check_t *k)
{
    int  i = last_period(k);

    if (is_static(k) && i >= 0) {
        reel_check_that(k, duration(k, i, "duration") > 0, "line %u: the last "
                        "Period has no @duration", line(k, i));
    }
}


/* D.5 */
void
reel_rule_presentation(reel_check_t *k)
{
    int      i = -1;
    int64_t  sum = 0, at, d, whole = duration(k, 0,
                                              "mediaPresentationDuration");

    if (!is_static(k) || whole < 0) {
        return;
    }

    while ((i = reel_mpd_child(&k->mpd, 0, "Period", i)) >= 0) {
        at = duration(k, i, "start");
        d = duration(k, i, "duration");
        sum = (at >= 0 ? at : sum) + (d >= 0 ? d : 0);
    }

    reel_check_that(k, sum == whole, "mediaPresentationDuration is %" PRId64
                    " us, the Periods end at %" PRId64, whole, sum);
}


/* D.6 */
void
reel_rule_period_empty(reel_check_t *k)
{
    int  i = -1;

    while ((i = reel_mpd_child(&k->mpd, 0, "Period", i)) >= 0) {
        reel_check_that(k, duration(k, i, "duration") != 0
                        && reel_mpd_child(&k->mpd, i, "AdaptationSet", -1)
                           >= 0,
                        "line %u: a Period of no length, or without "
                        "AdaptationSet", line(k, i));
    }
}


/* 0: none; the addressing modes are bits */
static unsigned
mode_of(const reel_check_t *k, int i)
{
    int       t = reel_mpd_child(&k->mpd, i, "SegmentTemplate", -1);
    unsigned  mode = 0;

    mode |= reel_mpd_child(&k->mpd, i, "SegmentBase", -1) >= 0 ? 1 : 0;
    mode |= reel_mpd_child(&k->mpd, i, "SegmentList", -1) >= 0 ? 8 : 0;

    if (t >= 0) {
        mode |= reel_mpd_child(&k->mpd, t, "SegmentTimeline", -1) >= 0 ? 2 : 0;
        mode |= get(k, t, "duration").p != NULL ? 4 : 0;
    }

    return mode;
}


/* D.7 */
void
reel_rule_addressing(reel_check_t *k)
{
    int       i, r;
    unsigned  mode;

    EACH_NODE(k, i) {

        if (!named(k, i, "AdaptationSet")) {
            continue;
        }

        mode = mode_of(k, i) | mode_of(k, k->mpd.nodes[i].parent);
        r = -1;

        while ((r = reel_mpd_child(&k->mpd, i, "Representation", r)) >= 0) {
            mode |= mode_of(k, r);
        }

        reel_check_that(k, (mode & (mode - 1)) == 0 && mode != 8,
                        "line %u: more than one way of addressing, or "
                        "SegmentList", line(k, i));
    }
}


/* D.8 */
void
reel_rule_banned(reel_check_t *k)
{
    int  i;

    EACH_NODE(k, i) {
        if (named(k, i, "S")) {
            reel_check_that(k, get(k, i, "n").p == NULL
                            && get(k, i, "k").p == NULL, "line %u: S with @n "
                            "or @k", line(k, i));
        } else if (named(k, i, "SegmentTemplate")) {
            reel_check_that(k, get(k, i, "eptDelta").p == NULL
                            && get(k, i, "pdDelta").p == NULL, "line %u: "
                            "@eptDelta or @pdDelta", line(k, i));
        }
    }
}


/* D.9: S@t is where the one before ends */
void
reel_rule_timeline(reel_check_t *k)
{
    int       i;
    bool      begun = false;
    uint64_t  t, d, r, next = 0;

    EACH_NODE(k, i) {

        if (named(k, i, "SegmentTimeline")) {
            begun = false;
            reel_check_that(k, reel_mpd_child(&k->mpd, i, "S", -1) >= 0,
                            "line %u: an empty SegmentTimeline", line(k, i));
        }

        if (!named(k, i, "S")) {
            continue;
        }

        if (!reel_mpd_number(&k->mpd, i, "d", &d) || d == 0) {
            reel_check_that(k, false, "line %u: S without @d", line(k, i));
            continue;
        }

        if (reel_mpd_number(&k->mpd, i, "t", &t)) {
            reel_check_that(k, !begun || t == next, "line %u: S@t=%" PRIu64
                            ", the one before ends at %" PRIu64, line(k, i),
                            t, next);
        } else {
            t = next;
        }

        if (!reel_mpd_number(&k->mpd, i, "r", &r)) {
            r = 0;
        }

        next = t + d * (r + 1);
        begun = true;
    }
}


static int64_t
track_period_us(const reel_check_t *k, const reel_check_track_t *t)
{
    return duration(k, k->mpd.nodes[t->set].parent, "duration");
}


/* D.10: from the Period's start to its end */
void
reel_rule_covers(reel_check_t *k)
{
    int64_t              end, frame;
    unsigned             n;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {

        if (!t->dash || t->nsegments == 0
            || (end = track_period_us(k, t)) <= 0)
        {
            continue;
        }

        frame = reel_rule_frame_us(t);
        reel_check_that(k, t->segments[0].start_us <= frame
                        && t->duration_us + frame >= end, "%s: segments from "
                        "%" PRId64 " to %" PRId64 " us in a Period of %" PRId64,
                        t->name, t->segments[0].start_us, t->duration_us, end);
    }
}


/* how a track's segments are addressed */
static unsigned
mode_of_track(const reel_check_t *k, const reel_check_track_t *t)
{
    return mode_of(k, t->node) | mode_of(k, t->set)
           | mode_of(k, k->mpd.nodes[t->set].parent);
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

        if (!t->dash || t->form != REEL_CHECK_MP4
            || !(mode_of_track(k, t) & 2))
        {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {

            if (!s->m.read || s->m.samples == 0) {
                continue;
            }

            start = reel_check_us(s->m.pts, s->m.timescale)
                    - reel_check_us(t->offset_ts, t->timescale);
            length = reel_check_us(s->m.duration, s->m.timescale);
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

        if (!t->dash || t->form != REEL_CHECK_MP4
            || !(mode_of_track(k, t) & 4))
        {
            continue;
        }

        REEL_EACH_SEGMENT(t, s, m) {

            if (!s->m.read || s->m.samples == 0) {
                continue;
            }

            start = reel_check_us(s->m.pts, s->m.timescale)
                    - reel_check_us(t->offset_ts, t->timescale);
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


/* D.13 */
void
reel_rule_ids(reel_check_t *k)
{
    int         i, j;
    reel_str_t  id;

    EACH_NODE(k, i) {

        id = get(k, i, "id");

        if (id.p == NULL || (!named(k, i, "Representation")
                             && !named(k, i, "AdaptationSet")
                             && !named(k, i, "Period")))
        {
            continue;
        }

        reel_check_seen(k);

        for (j = 0; j < i; j++) {
            if (reel_str_eq(k->mpd.nodes[j].name, k->mpd.nodes[i].name)
                && reel_str_eq(get(k, j, "id"), id)
                && (k->mpd.nodes[j].parent == k->mpd.nodes[i].parent
                    || named(k, i, "Representation")))
            {
                reel_check_fault(k, "line %u: id \"%.*s\" stands in line %u "
                                 "too", line(k, i), (int) id.len, id.p,
                                 line(k, j));
            }
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
            told = get_common(k, t->node, "codecs");
            reel_check_that(k, told.p != NULL
                            && reel_rule_codecs_name(told, i->codec), "line "
                            "%u: codecs=\"%.*s\", the header says %s",
                            line(k, t->node), (int) told.len, told.p,
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
            reel_check_that(k, v == i->width, "line %u: width=%" PRIu64
                            ", the header says %" PRIu32, line(k, t->node), v,
                            i->width);
        }

        if (i->height != 0 && reel_mpd_number(&k->mpd, t->node, "height", &v))
        {
            reel_check_that(k, v == i->height, "line %u: height=%" PRIu64
                            ", the header says %" PRIu32, line(k, t->node), v,
                            i->height);
        }

        if (i->sample_rate != 0 && strncmp(i->codec, "mp4a.40.2", 10) == 0
            && reel_mpd_number(&k->mpd, t->node, "audioSamplingRate", &v))
        {
            reel_check_that(k, v == i->sample_rate, "line %u: "
                            "audioSamplingRate=%" PRIu64 ", the header says "
                            "%" PRIu32, line(k, t->node), v, i->sample_rate);
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
    int64_t              buffer = duration(k, 0, "minBufferTime");
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


/* D.19 */
void
reel_rule_dynamic(reel_check_t *k)
{
    if (is_static(k)) {
        return;
    }

    reel_check_that(k, reel_mpd_child(&k->mpd, 0, "UTCTiming", -1) >= 0,
                    "a dynamic MPD without UTCTiming");
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
               && !reel_str_eqz(get(k, c, "schemeIdUri"),
                                "urn:mpeg:dash:mp4protection:2011"))
        { /* void */ }

        if (c < 0) {
            reel_check_that(k, false, "line %u: no ContentProtection of "
                            "mp4protection for encrypted %s", line(k, t->set),
                            t->name);
            continue;
        }

        (void) snprintf(hex, sizeof(hex), "%s", "");

        for (d = 0; d < 16; d++) {
            (void) snprintf(hex + 2 * d, 3, "%02x", i->kid[d]);
        }

        (void) snprintf(kid, sizeof(kid), "%.8s-%.4s-%.4s-%.4s-%.12s", hex,
                        hex + 8, hex + 12, hex + 16, hex + 20);
        told = get(k, c, "cenc:default_KID");
        reel_check_that(k, told.len == 36
                        && strncasecmp(told.p, kid, 36) == 0, "line %u: "
                        "default_KID %.*s, tenc of %s has %s", line(k, c),
                        (int) told.len, told.p, t->name, kid);
        told = get(k, c, "value");
        (void) reel_check_fourcc(i->scheme, name);
        reel_check_that(k, reel_str_eqz(told, name), "line %u: value=\"%.*s\","
                        " %s is encrypted by %s", line(k, c), (int) told.len,
                        told.p, t->name, name);
    }
}


/* D.23: JavaScript's numbers are exact up to there */
void
reel_rule_timecodes(reel_check_t *k)
{
    int       i;
    uint64_t  t, d, r, next = 0;

    EACH_NODE(k, i) {

        if (named(k, i, "SegmentTimeline")) {
            next = 0;

        } else if (named(k, i, "S") && reel_mpd_number(&k->mpd, i, "d", &d)) {
            t = reel_mpd_number(&k->mpd, i, "t", &t) ? t : next;
            r = reel_mpd_number(&k->mpd, i, "r", &r) ? r : 0;
            next = t < EXACT && d < EXACT && r < UINT16_MAX
                   ? t + d * (r + 1) : EXACT;
            reel_check_that(k, next < EXACT, "line %u: times of 2^53 and more",
                            line(k, i));
        }
    }
}


/* D.24 */
void
reel_rule_seconds(reel_check_t *k)
{
    int         i;
    size_t      a;
    int64_t     us;
    reel_str_t  s;

    static const char  *names[] = {
        "mediaPresentationDuration", "minBufferTime", "minimumUpdatePeriod",
        "timeShiftBufferDepth", "maxSegmentDuration", "start", "duration"
    };

    EACH_NODE(k, i) {
        for (a = 0; a < 7; a++) {
            s = get(k, i, names[a]);

            if (s.p == NULL || !(named(k, i, "MPD") || named(k, i, "Period")))
            {
                continue;
            }

            reel_check_that(k, reel_mpd_duration(s, &us)
                            && memchr(s.p, 'D', s.len) == NULL, "line %u: "
                            "@%s=\"%.*s\"", line(k, i), names[a], (int) s.len,
                            s.p);
        }
    }
}


/* D.25 */
void
reel_rule_sidecar(reel_check_t *k)
{
    unsigned             n;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {
        if (t->dash && t->form == REEL_CHECK_VTT) {
            reel_check_that(k, t->offset_ts == 0, "%s: text of its own with "
                            "@presentationTimeOffset", t->name);
        }
    }
}


/* D.26: DASH-IF IOP part 5, tiles */
void
reel_rule_tiles(reel_check_t *k)
{
    int                  p;
    unsigned             n;
    reel_check_track_t  *t;

    REEL_EACH_TRACK(k, t, n) {

        if (!t->dash || t->kind != REEL_CHECK_IMAGES) {
            continue;
        }

        p = reel_mpd_child(&k->mpd, t->node, "EssentialProperty", -1);
        p = p >= 0 ? p : reel_mpd_child(&k->mpd, t->set, "EssentialProperty",
                                        -1);

        reel_check_that(k, p >= 0
                        && (reel_str_eqz(get(k, p, "schemeIdUri"),
                                    "http://dashif.org/thumbnail_tile")
                            || reel_str_eqz(get(k, p, "schemeIdUri"),
                                "http://dashif.org/guidelines/thumbnail_tile"))
                        && get(k, p, "value").len >= 3,
                        "%s: no EssentialProperty thumbnail_tile", t->name);
    }
}


/* D.21 */
void
reel_rule_language_set(reel_check_t *k)
{
    int  i;

    EACH_NODE(k, i) {
        if (named(k, i, "AdaptationSet")
            && (reel_str_eqz(get(k, i, "contentType"), "audio")
                || reel_str_eqz(get(k, i, "contentType"), "text")))
        {
            reel_check_that(k, get(k, i, "lang").len != 0, "line %u: %.*s "
                            "without @lang", line(k, i),
                            (int) get(k, i, "contentType").len,
                            get(k, i, "contentType").p);
        }
    }
}

/* DASH: ISO 23009-1, and the restricted timing model of DASH-IF's IOP */

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "reelctl/rules_dash.h"


#define EXACT (1ull << 53)

#define EACH_NODE(k, i) for ((i) = 0; (i) < (k)->mpd.n; (i)++)


static bool
named(const reel_check_t *k, int i, const char *name)
{
    return reel_str_eqz(k->mpd.nodes[i].name, name);
}


static bool
is_static(const reel_check_t *k)
{
    reel_str_t  s = mpd_get(k, 0, "type");

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
    reel_check_that(k, reel_str_eqz(mpd_get(k, 0, "xmlns"),
                                    "urn:mpeg:dash:schema:mpd:2011"),
                    "line %u: not in the namespace of MPDs", mpd_line(k, 0));
    reel_check_that(k, reel_mpd_child(&k->mpd, 0, "Period", -1) >= 0,
                    "no Period");
}


static void
must_have(reel_check_t *k, int i, const char *name)
{
    reel_check_that(k, mpd_get(k, i, name).len != 0,
                    "line %u: %.*s without @%s", mpd_line(k, i),
                    (int) k->mpd.nodes[i].name.len, k->mpd.nodes[i].name.p,
                    name);
}

static void
common_must_have(reel_check_t *k, int rep, const char *name)
{
    reel_check_that(k, mpd_common(k, rep, name).len != 0, "line %u: a "
                    "Representation without @%s", mpd_line(k, rep), name);
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
            mime = mpd_common(k, i, "mimeType");

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
                                mpd_line(k, i));
            }

        } else if (named(k, i, "ContentProtection")) {
            must_have(k, i, "schemeIdUri");
        }
    }
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
        reel_check_that(k, mpd_get(k, i, "start").p == NULL
                        || mpd_us(k, i, "start") == 0, "line %u: the first "
                        "Period does not start at 0", mpd_line(k, i));
    }
}


/* D.4 */
void
reel_rule_period_duration(reel_check_t *k)
{
    int  i = last_period(k);

    if (is_static(k) && i >= 0) {
        reel_check_that(k, mpd_us(k, i, "duration") > 0, "line %u: the last "
                        "Period has no @duration", mpd_line(k, i));
    }
}


/* D.5 */
void
reel_rule_presentation(reel_check_t *k)
{
    int      i = -1;
    int64_t  sum = 0, at, d, whole = mpd_us(k, 0,
                                              "mediaPresentationDuration");

    if (!is_static(k) || whole < 0) {
        return;
    }

    while ((i = reel_mpd_child(&k->mpd, 0, "Period", i)) >= 0) {
        at = mpd_us(k, i, "start");
        d = mpd_us(k, i, "duration");
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
        reel_check_that(k, mpd_us(k, i, "duration") != 0
                        && reel_mpd_child(&k->mpd, i, "AdaptationSet", -1)
                           >= 0,
                        "line %u: a Period of no length, or without "
                        "AdaptationSet", mpd_line(k, i));
    }
}


unsigned
reel_dash_mode(const reel_check_t *k, int i)
{
    int       t = reel_mpd_child(&k->mpd, i, "SegmentTemplate", -1);
    unsigned  mode = 0;

    mode |= reel_mpd_child(&k->mpd, i, "SegmentBase", -1) >= 0 ? 1 : 0;
    mode |= reel_mpd_child(&k->mpd, i, "SegmentList", -1) >= 0 ? 8 : 0;

    if (t >= 0) {
        mode |= reel_mpd_child(&k->mpd, t, "SegmentTimeline", -1) >= 0 ? 2 : 0;
        mode |= mpd_get(k, t, "duration").p != NULL ? 4 : 0;
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

        mode = reel_dash_mode(k, i) | reel_dash_mode(k, k->mpd.nodes[i].parent);
        r = -1;

        while ((r = reel_mpd_child(&k->mpd, i, "Representation", r)) >= 0) {
            mode |= reel_dash_mode(k, r);
        }

        reel_check_that(k, (mode & (mode - 1)) == 0 && mode != 8,
                        "line %u: more than one way of addressing, or "
                        "SegmentList", mpd_line(k, i));
    }
}


/* D.8 */
void
reel_rule_banned(reel_check_t *k)
{
    int  i;

    EACH_NODE(k, i) {
        if (named(k, i, "S")) {
            reel_check_that(k, mpd_get(k, i, "n").p == NULL
                            && mpd_get(k, i, "k").p == NULL,
                            "line %u: S with @n or @k", mpd_line(k, i));
        } else if (named(k, i, "SegmentTemplate")) {
            reel_check_that(k, mpd_get(k, i, "eptDelta").p == NULL
                            && mpd_get(k, i, "pdDelta").p == NULL, "line %u: "
                            "@eptDelta or @pdDelta", mpd_line(k, i));
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
                            "line %u: an empty SegmentTimeline",
                            mpd_line(k, i));
        }

        if (!named(k, i, "S")) {
            continue;
        }

        if (!reel_mpd_number(&k->mpd, i, "d", &d) || d == 0) {
            reel_check_that(k, false, "line %u: S without @d", mpd_line(k, i));
            continue;
        }

        if (reel_mpd_number(&k->mpd, i, "t", &t)) {
            reel_check_that(k, !begun || t == next, "line %u: S@t=%" PRIu64
                            ", the one before ends at %" PRIu64, mpd_line(k, i),
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


/* D.13 */
void
reel_rule_ids(reel_check_t *k)
{
    int         i, j;
    reel_str_t  id;

    EACH_NODE(k, i) {

        id = mpd_get(k, i, "id");

        if (id.p == NULL || (!named(k, i, "Representation")
                             && !named(k, i, "AdaptationSet")
                             && !named(k, i, "Period")))
        {
            continue;
        }

        reel_check_seen(k);

        for (j = 0; j < i; j++) {
            if (reel_str_eq(k->mpd.nodes[j].name, k->mpd.nodes[i].name)
                && reel_str_eq(mpd_get(k, j, "id"), id)
                && (k->mpd.nodes[j].parent == k->mpd.nodes[i].parent
                    || named(k, i, "Representation")))
            {
                reel_check_fault(k, "line %u: id \"%.*s\" stands in line %u "
                                 "too", mpd_line(k, i), (int) id.len, id.p,
                                 mpd_line(k, j));
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
                            mpd_line(k, i));
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
            s = mpd_get(k, i, names[a]);

            if (s.p == NULL || !(named(k, i, "MPD") || named(k, i, "Period")))
            {
                continue;
            }

            reel_check_that(
                k, reel_mpd_duration(s, &us) && memchr(s.p, 'D', s.len) == NULL,
                "line %u: @%s=\"%.*s\"",
                mpd_line(k, i), names[a], (int) s.len, s.p);
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
                        && (reel_str_eqz(mpd_get(k, p, "schemeIdUri"),
                                    "http://dashif.org/thumbnail_tile")
                            || reel_str_eqz(mpd_get(k, p, "schemeIdUri"),
                                "http://dashif.org/guidelines/thumbnail_tile"))
                        && mpd_get(k, p, "value").len >= 3,
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
            && (reel_str_eqz(mpd_get(k, i, "contentType"), "audio")
                || reel_str_eqz(mpd_get(k, i, "contentType"), "text")))
        {
            reel_check_that(k, mpd_get(k, i, "lang").len != 0, "line %u: %.*s "
                            "without @lang", mpd_line(k, i),
                            (int) mpd_get(k, i, "contentType").len,
                            mpd_get(k, i, "contentType").p);
        }
    }
}

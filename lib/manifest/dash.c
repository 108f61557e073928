#include <inttypes.h>

#include "lib/base/rescale.h"
#include "lib/manifest/dash.h"
#include "lib/manifest/dash_attr.h"


#define US 1000000              /* a second */
#define MS 1000
#define FRAME_US 150000         /* no frame of sound is longer */


/* a Representation has one Initialization: its objects need one header */
static bool
one_header(const reel_listed_t *x, unsigned n)
{
    unsigned     i;
    reel_runs_t  headers;

    for (i = 0; i < n; i++) {
        headers = reel_runs(x[i].r->header_bytes);

        if (reel_runs_load(&headers) && headers.left < x[i].r->objects) {
            return false;
        }
    }

    return true;
}


/* where the last segment of x ends; end_us, if that is further than a frame */
static int64_t
end_of(const reel_dash_t *d, const reel_listed_t *x, int64_t end_us)
{
    int64_t      us;
    uint32_t     last = x->first + x->count, per = d->o->per;
    uint64_t     n = (uint64_t) last * per;
    reel_runs_t  durations = reel_runs(x->r->duration_bytes);

    n = n < x->ix->fragments ? n : x->ix->fragments;
    us = reel_rescale((int64_t) reel_runs_sum(&durations, n), US,
                      x->r->timescale, REEL_ROUND_NEAR);

    return us - end_us <= FRAME_US ? us : end_us;
}


static int64_t
last_end(const reel_dash_t *d, const reel_listed_t *x, unsigned n,
    int64_t so_far)
{
    unsigned  i;
    int64_t   us, last = so_far;

    for (i = 0; i < n; i++) {
        us = end_of(d, &x[i], d->l->span.end_us);
        last = us > last ? us : last;
    }

    return last;
}


/*
 * The last Period ends with the frame that ends last, mostly one of sound
 * that reaches behind the last picture.  dash.js 5.2 looks five times a
 * second whether the Period is over, and if the browser has not said yet
 * that the film has ended, goes back half a second and stops: hence up to
 * the next ms.  A clip ends with its last segment, as in HLS.  Where the
 * number of segments follows from the length it is the grid's.
 */
static int64_t
length_of(const reel_dash_t *d, bool last)
{
    int64_t                us, end_us = d->l->span.end_us;
    const reel_listing_t  *l = d->l;

    if (last && l->span.whole && !d->by_duration) {
        us = last_end(d, l->video, l->nvideo, end_us);
        us = last_end(d, l->audio, l->naudio, us);
        end_us = us == end_us ? end_us : (us + MS - 1) / MS * MS;
    }

    return end_us - d->o->shape.start_us;
}


/* ISO 23009-1, 5.3.1.2; a segment at its bandwidth takes its length to come */
static void
add_head(reel_buf_t *b, const reel_dash_t *d, int64_t length_us,
    int64_t segment_us)
{
    const reel_index_t  *ix = d->ix;

    reel_buf_addz(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
                  "profiles=\"urn:mpeg:dash:profile:isoff-live:2011\"");

    if (d->o->protection != NULL) {
        reel_buf_addz(b, " xmlns:cenc=\"urn:mpeg:cenc:2013\" xmlns:mspr=\""
                      "urn:microsoft:playready\" xmlns:dashif=\""
                      "https://dashif.org/CPS\"");
    }

    if (!d->l->span.whole) {
        reel_buf_addz(b, " type=\"dynamic\"");
        reel_dash_time(b, "availabilityStartTime", ix->created_ms);
        reel_dash_time(b, "publishTime", ix->created_ms);
        reel_dash_duration(b, "minimumUpdatePeriod", ix->gop_ts,
                           ix->timescale);
    } else {
        reel_buf_addz(b, " type=\"static\"");
        reel_dash_duration(b, "mediaPresentationDuration", length_us, US);
    }

    reel_dash_duration(b, "minBufferTime", segment_us, US);
    reel_buf_addz(b, ">\n");
}


static void
add_period(reel_buf_t *b, reel_dash_t *d, unsigned number, int64_t start_us)
{
    reel_buf_printf(b, "<Period id=\"%u\"", number);

    if (number == 0) {
        reel_buf_addz(b, " start=\"PT0S\"");
    } else {
        reel_dash_duration(b, "start", start_us, US);
    }

    if (d->l->span.whole) {
        reel_dash_duration(b, "duration", d->length_us, US);
    }

    reel_buf_addz(b, ">\n");
    reel_dash_video(b, d);
    reel_dash_audio(b, d);
    reel_dash_text_sets(b, d);
    reel_dash_thumbnails(b, d);
    reel_buf_addz(b, "</Period>\n");
}


static reel_err_t
init_part(reel_dash_t *d, reel_listing_t *l, reel_manifest_opts_t *cmaf,
    const reel_part_t *part, bool last)
{
    reel_err_t  err;

    *cmaf = *part->o;
    cmaf->container = REEL_CONTAINER_CMAF;

    err = reel_listing(l, part->ix, cmaf);
    if (err != REEL_OK) {
        return err;
    }

    /* a SegmentTimeline cannot be empty */
    if (l->span.count == 0) {
        return REEL_NOTFOUND;
    }

    if (!one_header(l->video, l->nvideo) || !one_header(l->audio, l->naudio))
    {
        return REEL_UNSUPPORTED;
    }

    *d = (reel_dash_t) { .ix = part->ix, .o = cmaf, .l = l };
    d->by_duration = cmaf->by_duration && cmaf->origins == NULL
                     && reel_dash_is_even(d);
    d->length_us = length_of(d, last);

    /* DASH has nothing for whole segments */
    return reel_protection_scheme(cmaf->protection) == REEL_SCHEME_AES128
           ? REEL_UNSUPPORTED : REEL_OK;
}


reel_err_t
reel_dash_mpd(reel_buf_t *b, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    reel_part_t  part = { .ix = ix, .o = o };

    return reel_dash_mpd_parts(b, &part, 1);
}


/* of all parts */
static reel_err_t
measure(reel_dash_t *d, reel_listing_t *l, reel_manifest_opts_t *cmaf,
    const reel_part_t *parts, unsigned n, int64_t *length_us,
    int64_t *segment_us)
{
    int64_t     us;
    unsigned    i;
    reel_err_t  err;

    *length_us = 0;
    *segment_us = 0;

    for (i = n; i-- != 0; /* void */) {
        err = init_part(d, l, cmaf, &parts[i], i == n - 1);
        if (err != REEL_OK) {
            return err;
        }

        *length_us += d->length_us;
        us = reel_rescale((int64_t) d->ix->gop_ts * d->o->per, US,
                          d->ix->timescale, REEL_ROUND_NEAR);
        *segment_us = us > *segment_us ? us : *segment_us;
    }

    return REEL_OK;
}


reel_err_t
reel_dash_mpd_parts(reel_buf_t *b, const reel_part_t *parts, unsigned n)
{
    bool                  whole;
    int64_t               at_us = 0, length_us, segment_us;
    unsigned              i;
    reel_err_t            err;
    reel_dash_t           d = { .ix = parts[0].ix };
    reel_listing_t        l;
    reel_manifest_opts_t  cmaf;

    err = measure(&d, &l, &cmaf, parts, n, &length_us, &segment_us);
    if (err != REEL_OK) {
        return err;
    }

    whole = l.span.whole;
    add_head(b, &d, length_us, segment_us);
    add_period(b, &d, 0, 0);

    for (i = 1; i < n; i++) {
        at_us += d.length_us;

        err = init_part(&d, &l, &cmaf, &parts[i], i == n - 1);
        if (err != REEL_OK) {
            return err;
        }

        add_period(b, &d, i, at_us);
    }

    /* the Date of any answer of ours will do */
    if (!whole) {
        reel_buf_printf(b, "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:"
                        "http-head:2014\" value=\"manifest.mpd%s%s\"/>\n",
                        reel_dash_mark(&d), l.token);
    }

    reel_buf_addz(b, "</MPD>\n");

    return reel_buf_err(b);
}

#include <inttypes.h>

#include "lib/manifest/dash.h"
#include "lib/manifest/dash_attr.h"


#define US 1000000              /* a second */


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


/*
 * A clip ends with its last segment, as in HLS: dash.js stops before an end
 * that lies within one, and waits.
 */
static void
add_length(reel_buf_t *b, const char *name, const reel_dash_t *d)
{
    if (!reel_shape_is_clip(&d->o->shape)) {
        reel_dash_duration(b, name, d->ix->end_ts, d->ix->timescale);
        return;
    }

    reel_dash_duration(b, name, d->l->span.end_us - d->o->shape.start_us, US);
}


/* ISO 23009-1, 5.3.1.2 */
static void
add_head(reel_buf_t *b, const reel_dash_t *d)
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
        add_length(b, "mediaPresentationDuration", d);
    }

    /* a segment at its bandwidth takes its own length to come */
    reel_dash_duration(b, "minBufferTime",
                       (int64_t) ix->gop_ts * d->o->per, ix->timescale);

    reel_buf_addz(b, ">\n<Period id=\"0\" start=\"PT0S\"");

    if (d->l->span.whole) {
        add_length(b, "duration", d);
    }

    reel_buf_addz(b, ">\n");
}


/* the keys that are told: those of the first segment */
static reel_err_t
find_keys(reel_dash_t *d)
{
    uint32_t              period;
    reel_err_t            err = REEL_OK;
    const reel_listing_t *l = d->l;

    if (d->o->protection == NULL) {
        return REEL_OK;
    }

    /* DASH has nothing for whole segments */
    if (d->o->protection->keys.scheme == REEL_SCHEME_AES128) {
        return REEL_UNSUPPORTED;
    }

    period = reel_protection_period(d->o->protection,
                                    l->span.first * d->o->per);

    if (l->nvideo != 0) {
        err = reel_protection_key(&d->video, d->o, l->video[0].r,
                                  REEL_FORM_SEGMENTS, period);
    }

    if (l->naudio != 0 && err == REEL_OK) {
        err = reel_protection_key(&d->audio, d->o, l->audio[0].r,
                                  REEL_FORM_SEGMENTS, period);
    }

    return err;
}


reel_err_t
reel_dash_mpd(reel_buf_t *b, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    reel_err_t            err;
    reel_dash_t           d = { .ix = ix };
    reel_listing_t        l;
    reel_manifest_opts_t  cmaf = *o;

    cmaf.container = REEL_CONTAINER_CMAF;

    err = reel_listing(&l, ix, &cmaf);
    if (err != REEL_OK) {
        return err;
    }

    /* a SegmentTimeline cannot be empty */
    if (l.span.count == 0) {
        return REEL_NOTFOUND;
    }

    if (!one_header(l.video, l.nvideo) || !one_header(l.audio, l.naudio)) {
        return REEL_UNSUPPORTED;
    }

    d.o = &cmaf;
    d.l = &l;
    d.by_duration = o->by_duration && reel_dash_is_even(&d);

    err = find_keys(&d);
    if (err != REEL_OK) {
        return err;
    }

    add_head(b, &d);
    reel_dash_video(b, &d);
    reel_dash_audio(b, &d);
    reel_dash_text_sets(b, &d);
    reel_dash_thumbnails(b, &d);
    reel_buf_addz(b, "</Period>\n");

    /* the Date of any answer of ours will do */
    if (!l.span.whole) {
        reel_buf_printf(b, "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:"
                        "http-head:2014\" value=\"manifest.mpd%s%s\"/>\n",
                        reel_dash_mark(&d), l.token);
    }

    reel_buf_addz(b, "</MPD>\n");

    return reel_buf_err(b);
}

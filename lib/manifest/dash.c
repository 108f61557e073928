#include <inttypes.h>

#include "lib/manifest/dash_attr.h"
#include "lib/manifest/listing.h"
#include "lib/manifest/print.h"


static uint64_t
gcd(uint64_t a, uint64_t b)
{
    uint64_t  t;

    while (b != 0) {
        t = a % b;
        a = b;
        b = t;
    }

    return a;
}


static void
add_frame_rate(reel_buf_t *b, const char *name, const reel_rendition_t *r)
{
    uint64_t  d = gcd(r->rate_num, r->rate_den);

    reel_buf_printf(b, " %s=\"%" PRIu64, name, r->rate_num / d);

    if (r->rate_den != d) {
        reel_buf_printf(b, "/%" PRIu64, r->rate_den / d);
    }

    reel_buf_addz(b, "\"");
}


/* S@r repeats; S@t stands once: there are no gaps (5.3.9.6) */
static void
add_timeline(reel_buf_t *b, const reel_index_t *ix, const reel_rendition_t *r,
    uint32_t per, uint32_t segments)
{
    char         line[64 + 2 * REEL_PRINT_U64], *p;
    uint32_t     i, left = ix->fragments;
    uint64_t     d, run = 0, again = 0;
    reel_runs_t  durations = reel_runs(r->duration_bytes);

    reel_buf_addz(b, "<SegmentTimeline>\n");

    for (i = 0; i <= segments; i++) {

        d = i < segments
            ? reel_runs_sum(&durations, left < per ? left : per) : 0;
        left -= left < per ? left : per;

        if (d == run) {
            again++;
            continue;
        }

        if (run != 0) {
            p = reel_print_z(line, i == again + 1 ? "<S t=\"0\" d=\""
                                                  : "<S d=\"");
            p = reel_print_u64(p, run);

            if (again != 0) {
                p = reel_print_z(p, "\" r=\"");
                p = reel_print_u64(p, again);
            }

            p = reel_print_z(p, "\"/>\n");
            reel_buf_add(b, line, (size_t) (p - line));
        }

        run = d;
        again = 0;
    }

    reel_buf_addz(b, "</SegmentTimeline>\n");
}


static void
add_template(reel_buf_t *b, const reel_index_t *ix, const reel_listing_t *l,
    const reel_rendition_t *r, uint32_t per)
{
    reel_buf_printf(b, "<SegmentTemplate timescale=\"%" PRIu32 "\" "
                    "startNumber=\"0\" "
                    "initialization=\"$RepresentationID$~%s/init.mp4\" "
                    "media=\"$RepresentationID$~%s/$Number$.m4s\"",
                    r->timescale, l->hash, l->hash);

    /* what is listed exists: nobody needs to wait for the clock */
    if (ix->growing) {
        reel_buf_addz(b, " availabilityTimeOffset=\"INF\"");
    }

    reel_buf_addz(b, ">\n");
    add_timeline(b, ix, r, per, l->segments);
    reel_buf_addz(b, "</SegmentTemplate>\n");
}


static void
add_representation(reel_buf_t *b, const reel_listed_t *x)
{
    const reel_rendition_t  *r = x->r;

    reel_buf_printf(b, "<Representation id=\"%.*s\" bandwidth=\"%" PRIu64
                    "\" codecs=\"%.*s\"", (int) r->name.len, r->name.p,
                    x->rate.peak, (int) r->codec.len, r->codec.p);

    if (r->kind == REEL_VIDEO) {
        reel_buf_printf(b, " width=\"%" PRIu32 "\" height=\"%" PRIu32 "\"",
                        r->width, r->height);
        add_frame_rate(b, "frameRate", r);
        reel_buf_addz(b, " sar=\"1:1\"");
        return;
    }

    reel_buf_printf(b, " audioSamplingRate=\"%" PRIu32 "\"", r->sample_rate);
}


/* ISO 23091-3, ChannelConfiguration: up to six it is the count itself */
static void
add_channels(reel_buf_t *b, const reel_rendition_t *r)
{
    uint32_t  configuration = r->channels;

    if (r->channels == 7) {
        configuration = 11;
    } else if (r->channels == 8) {
        configuration = 7;
    } else if (r->channels > 8) {
        return;
    }

    reel_buf_printf(b, "<AudioChannelConfiguration schemeIdUri=\""
                    "urn:mpeg:dash:23003:3:audio_channel_configuration:2011\""
                    " value=\"%" PRIu32 "\"/>\n", configuration);
}


/* the Representations x[0] to x[n - 1], which may be switched */
static void
add_representations(reel_buf_t *b, const reel_index_t *ix,
    const reel_listing_t *l, const reel_listed_t *const *x, unsigned n,
    uint32_t per)
{
    bool      same = true;
    unsigned  i;

    for (i = 1; i < n; i++) {
        same &= x[i]->r->timescale == x[0]->r->timescale
                && reel_str_eq(x[i]->r->duration_bytes,
                               x[0]->r->duration_bytes);
    }

    if (same) {
        add_template(b, ix, l, x[0]->r, per);
    }

    for (i = 0; i < n; i++) {
        add_representation(b, x[i]);

        if (same && x[i]->r->kind == REEL_VIDEO) {
            reel_buf_addz(b, "/>\n");
            continue;
        }

        reel_buf_addz(b, ">\n");

        if (x[i]->r->kind == REEL_AUDIO) {
            add_channels(b, x[i]->r);
        }

        if (!same) {
            add_template(b, ix, l, x[i]->r, per);
        }

        reel_buf_addz(b, "</Representation>\n");
    }
}


static void
add_video(reel_buf_t *b, const reel_index_t *ix, const reel_listing_t *l,
    uint32_t per)
{
    uint64_t                 d;
    unsigned                 i;
    uint32_t                 w = 0, h = 0;
    const reel_listed_t     *x[REEL_INDEX_MAX_RENDITIONS];
    const reel_rendition_t  *r, *fastest = NULL, *largest = NULL;

    for (i = 0; i < l->nvideo; i++) {
        x[i] = &l->video[i];
        r = x[i]->r;

        if (fastest == NULL
            || (uint64_t) r->rate_num * fastest->rate_den
               > (uint64_t) fastest->rate_num * r->rate_den)
        {
            fastest = r;
        }

        if (largest == NULL || r->width > largest->width) {
            largest = r;
        }

        w = r->width > w ? r->width : w;
        h = r->height > h ? r->height : h;
    }

    if (l->nvideo == 0) {
        return;
    }

    d = gcd(largest->width, largest->height);

    reel_buf_printf(b, "<AdaptationSet id=\"1\" contentType=\"video\" "
                    "mimeType=\"video/mp4\" segmentAlignment=\"true\" "
                    "startWithSAP=\"1\" maxWidth=\"%" PRIu32 "\" "
                    "maxHeight=\"%" PRIu32 "\"", w, h);
    add_frame_rate(b, "maxFrameRate", fastest);
    reel_buf_printf(b, " par=\"%" PRIu64 ":%" PRIu64 "\">\n",
                    largest->width / d, largest->height / d);
    reel_buf_addz(b, "<Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
                  "value=\"main\"/>\n");

    add_representations(b, ix, l, x, l->nvideo, per);
    reel_buf_addz(b, "</AdaptationSet>\n");
}


/* the first track of a language is the main one */
static bool
is_main(const reel_listing_t *l, unsigned track)
{
    unsigned    i;
    reel_str_t  language;

    language = reel_listing_language(reel_listing_audio(l, track, 0)->r);

    for (i = 0; i < track; i++) {
        if (reel_str_eq(language, reel_listing_language(
                                      reel_listing_audio(l, i, 0)->r)))
        {
            return false;
        }
    }

    return true;
}


static void
add_audio(reel_buf_t *b, const reel_index_t *ix, const reel_listing_t *l,
    unsigned track, uint32_t per)
{
    unsigned              i, n = 0;
    reel_str_t            language, label;
    const reel_listed_t  *x[REEL_INDEX_MAX_RENDITIONS];

    for (i = 0; i < l->naudio; i++) {
        if (l->audio[i].track == track) {
            x[n++] = &l->audio[i];
        }
    }

    language = reel_listing_language(x[0]->r);
    label = x[0]->r->label;

    reel_buf_printf(b, "<AdaptationSet id=\"%u\" contentType=\"audio\" "
                    "mimeType=\"audio/mp4\"", track + 2);

    if (language.len != 0) {
        reel_buf_printf(b, " lang=\"%.*s\"", (int) language.len, language.p);
    }

    reel_buf_addz(b, " segmentAlignment=\"true\" startWithSAP=\"1\">\n");

    if (label.len != 0) {
        reel_buf_addz(b, "<Label>");
        reel_dash_text(b, label);
        reel_buf_addz(b, "</Label>\n");
    }

    reel_buf_printf(b, "<Role schemeIdUri=\"urn:mpeg:dash:role:2011\" "
                    "value=\"%s\"/>\n",
                    is_main(l, track) ? "main" : "alternate");

    add_representations(b, ix, l, x, n, per);
    reel_buf_addz(b, "</AdaptationSet>\n");
}


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


/* ISO 23009-1, 5.3.1.2 */
static void
add_head(reel_buf_t *b, const reel_index_t *ix, uint32_t per)
{
    reel_buf_addz(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
                  "profiles=\"urn:mpeg:dash:profile:isoff-live:2011\"");

    if (ix->growing) {
        reel_buf_addz(b, " type=\"dynamic\"");
        reel_dash_time(b, "availabilityStartTime", ix->created_ms);
        reel_dash_time(b, "publishTime", ix->created_ms);
        reel_dash_duration(b, "minimumUpdatePeriod", ix->gop_ts,
                           ix->timescale);
    } else {
        reel_buf_addz(b, " type=\"static\"");
        reel_dash_duration(b, "mediaPresentationDuration", ix->end_ts,
                           ix->timescale);
    }

    /* a segment at its bandwidth takes its own length to come */
    reel_dash_duration(b, "minBufferTime", (int64_t) ix->gop_ts * per,
                       ix->timescale);

    reel_buf_addz(b, ">\n<Period id=\"0\" start=\"PT0S\"");

    if (!ix->growing) {
        reel_dash_duration(b, "duration", ix->end_ts, ix->timescale);
    }

    reel_buf_addz(b, ">\n");
}


reel_err_t
reel_dash_mpd(reel_buf_t *b, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    unsigned        i;
    reel_err_t      err;
    reel_listing_t  l;

    err = reel_listing(&l, ix, o);
    if (err != REEL_OK) {
        return err;
    }

    /* a SegmentTimeline cannot be empty */
    if (l.segments == 0) {
        return REEL_NOTFOUND;
    }

    if (!one_header(l.video, l.nvideo) || !one_header(l.audio, l.naudio)) {
        return REEL_UNSUPPORTED;
    }

    add_head(b, ix, o->per);
    add_video(b, ix, &l, o->per);

    for (i = 0; i < l.ntracks; i++) {
        add_audio(b, ix, &l, i, o->per);
    }

    reel_buf_addz(b, "</Period>\n");

    /* the Date of any answer of ours will do */
    if (ix->growing) {
        reel_buf_addz(b, "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:"
                      "http-head:2014\" value=\"manifest.mpd\"/>\n");
    }

    reel_buf_addz(b, "</MPD>\n");

    return reel_buf_err(b);
}

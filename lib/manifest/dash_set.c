/* AdaptationSets of pictures and sound (ISO 23009-1, 5.3.3) */

#include <inttypes.h>

#include "lib/base/rescale.h"
#include "lib/manifest/dash.h"
#include "lib/manifest/dash_attr.h"


static void
add_frame_rate(reel_buf_t *b, const char *name, const reel_rendition_t *r)
{
    uint64_t  d = reel_gcd(r->rate_num, r->rate_den);

    reel_buf_printf(b, " %s=\"%" PRIu64, name, r->rate_num / d);

    if (r->rate_den != d) {
        reel_buf_printf(b, "/%" PRIu64, r->rate_den / d);
    }

    reel_buf_addz(b, "\"");
}


static void
add_representation(reel_buf_t *b, const reel_listed_t *x)
{
    reel_str_t               name;
    const reel_rendition_t  *r = x->r;

    name = x->named != NULL ? reel_str(x->named) : r->name;

    reel_buf_printf(b, "<Representation id=\"%.*s\" bandwidth=\"%" PRIu64
                    "\" codecs=\"%.*s\"", (int) name.len, name.p,
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
add_representations(reel_buf_t *b, const reel_dash_t *d,
    const reel_listed_t *const *x, unsigned n)
{
    bool      same = true;
    unsigned  i;

    for (i = 1; i < n; i++) {
        same &= strcmp(x[i]->hash, x[0]->hash) == 0
                && x[i]->r->timescale == x[0]->r->timescale
                && reel_str_eq(x[i]->r->duration_bytes,
                               x[0]->r->duration_bytes);
    }

    if (same) {
        reel_dash_template(b, d, x[0]);
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
            reel_dash_template(b, d, x[i]);
        }

        reel_buf_addz(b, "</Representation>\n");
    }
}


/*
 * Colours of high dynamic range (ISO 23091-2).  A player that does not know
 * them must leave the set alone, if there is another one for it.
 */
static void
add_range(reel_buf_t *b, const reel_listing_t *l, const reel_rendition_t *r)
{
    unsigned     i;
    const char  *element = "Supplemental";

    if (r->video_range == REEL_RANGE_SDR) {
        return;
    }

    for (i = 0; i < l->nvideo; i++) {
        if (l->video[i].r->video_range == REEL_RANGE_SDR) {
            element = "Essential";
        }
    }

    reel_buf_printf(b, "<%sProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:"
                    "ColourPrimaries\" value=\"9\"/>\n", element);
    reel_buf_printf(b, "<%sProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:"
                    "TransferCharacteristics\" value=\"%u\"/>\n", element,
                    r->video_range == REEL_RANGE_PQ ? 16 : 18);
    reel_buf_printf(b, "<%sProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:"
                    "MatrixCoefficients\" value=\"9\"/>\n", element);
}


static bool
may_switch(const reel_listed_t *a, const reel_listed_t *b)
{
    return a->track == b->track && a->edges == b->edges
           && a->r->video_range == b->r->video_range
           && a->r->channels == b->r->channels
           && reel_str_eq(reel_listing_family(a->r),
                          reel_listing_family(b->r));
}


/* players ask for the keys of a set: what has others is another one */
static bool
is_of_set(const reel_listed_t *a, const reel_listed_t *b)
{
    return may_switch(a, b) && a->protection == b->protection;
}


static bool
begins_set(const reel_listed_t *x, unsigned i)
{
    unsigned  k;

    for (k = 0; k < i; k++) {
        if (is_of_set(&x[k], &x[i])) {
            return false;
        }
    }

    return true;
}


/*
 * ISO 23009-1, 5.3.3.5: the other sets among which players may switch, of the
 * n renditions of a kind.  Those of a track are printed in their order; that
 * of x is being printed.
 */
static void
add_switching(reel_buf_t *b, const reel_dash_t *d, const reel_listed_t *x,
    const reel_listed_t *all, unsigned n)
{
    bool      any = false;
    unsigned  i, id = d->sets;

    for (i = 0; &all[i] != x; i++) {
        id -= all[i].track == x->track && begins_set(all, i);
    }

    for (i = 0; i < n; i++) {
        if (all[i].track != x->track || !begins_set(all, i)) {
            continue;
        }

        if (id != d->sets && may_switch(&all[i], x)) {
            reel_buf_printf(b, "%s%u", any ? ","
                            : "<SupplementalProperty schemeIdUri=\"urn:mpeg:"
                              "dash:adaptation-set-switching:2016\" value=\"",
                            id);
            any = true;
        }

        id++;
    }

    if (any) {
        reel_buf_addz(b, "\"/>\n");
    }
}


static void
add_video_set(reel_buf_t *b, reel_dash_t *d, const reel_listed_t *const *x,
    unsigned n)
{
    uint64_t                 g;
    unsigned                 i;
    uint32_t                 w = 0, h = 0;
    const reel_rendition_t  *r, *fastest = x[0]->r, *largest = x[0]->r;

    for (i = 0; i < n; i++) {
        r = x[i]->r;

        if ((uint64_t) r->rate_num * fastest->rate_den
            > (uint64_t) fastest->rate_num * r->rate_den)
        {
            fastest = r;
        }

        largest = r->width > largest->width ? r : largest;
        w = r->width > w ? r->width : w;
        h = r->height > h ? r->height : h;
    }

    g = reel_gcd(largest->width, largest->height);

    reel_buf_printf(b, "<AdaptationSet id=\"%u\" contentType=\"video\" "
                    "mimeType=\"video/mp4\" segmentAlignment=\"true\" "
                    "startWithSAP=\"1\" maxWidth=\"%" PRIu32 "\" "
                    "maxHeight=\"%" PRIu32 "\"", ++d->sets, w, h);
    add_frame_rate(b, "maxFrameRate", fastest);
    reel_buf_printf(b, " par=\"%" PRIu64 ":%" PRIu64 "\">\n",
                    largest->width / g, largest->height / g);
    reel_dash_protection(b, d->o, x[0]);
    add_range(b, d->l, x[0]->r);
    add_switching(b, d, x[0], d->l->video, d->l->nvideo);
    reel_dash_role(b, "main");
    add_representations(b, d, x, n);
    reel_buf_addz(b, "</AdaptationSet>\n");
}


/* collects the set that x[k] begins; 0: it is in one that came before */
static unsigned
collect(const reel_listed_t **set, const reel_listed_t *x, unsigned n,
    unsigned k)
{
    unsigned  i, found = 0;

    for (i = 0; i < n; i++) {
        if (!is_of_set(&x[i], &x[k])) {
            continue;
        }

        if (i < k) {
            return 0;
        }

        set[found++] = &x[i];
    }

    return found;
}


void
reel_dash_video(reel_buf_t *b, reel_dash_t *d)
{
    unsigned              i, n;
    const reel_listed_t  *set[REEL_INDEX_MAX_RENDITIONS];

    for (i = 0; i < d->l->nvideo; i++) {
        n = collect(set, d->l->video, d->l->nvideo, i);

        if (n != 0) {
            add_video_set(b, d, set, n);
        }
    }
}


/* the first track of a language is the main one, or the one to begin with */
static bool
is_main(const reel_listing_t *l, const reel_rendition_t *r, unsigned track)
{
    unsigned                 i;
    const reel_rendition_t  *other;

    if (track == reel_listing_default(l)) {
        return true;
    }

    for (i = 0; i < l->ntracks; i++) {
        other = reel_listing_audio(l, i, 0)->r;

        if (reel_str_eq(reel_listing_language(r),
                        reel_listing_language(other))
            && (i < track || (other->roles & REEL_ROLE_DEFAULT)))
        {
            return i == track;
        }
    }

    return true;
}


static void
add_audio_roles(reel_buf_t *b, const reel_listing_t *l,
    const reel_rendition_t *r, unsigned track)
{
    if (r->roles & REEL_ROLE_COMMENTARY) {
        reel_dash_role(b, "commentary");
    } else if (r->roles & REEL_ROLE_DESCRIPTION) {
        reel_dash_role(b, "alternate");
    } else {
        reel_dash_role(b, is_main(l, r, track) ? "main" : "alternate");
    }

    if (r->roles & REEL_ROLE_DUB) {
        reel_dash_role(b, "dub");
    }
}


/* is it there with fewer (more) channels too, in whatever codec? */
static bool
has_channels(const reel_listing_t *l, const reel_listed_t *x, bool fewer)
{
    unsigned                 i;
    const reel_rendition_t  *r;

    for (i = 0; i < l->naudio; i++) {
        r = l->audio[i].r;

        if (l->audio[i].track == x->track
            && (fewer ? r->channels < x->r->channels
                      : r->channels > x->r->channels))
        {
            return true;
        }
    }

    return false;
}


/* what a player begins with: the default track, as all can play it */
static bool
is_preferred(const reel_listing_t *l, const reel_listed_t *x)
{
    return x->track == reel_listing_default(l) && !has_channels(l, x, true)
           && (l->ntracks > 1 || has_channels(l, x, false));
}


static void
add_audio_set(reel_buf_t *b, reel_dash_t *d, const reel_listed_t *const *x,
    unsigned n)
{
    reel_buf_printf(b, "<AdaptationSet id=\"%u\" contentType=\"audio\" "
                    "mimeType=\"audio/mp4\"", ++d->sets);
    reel_dash_language(b, x[0]->r);
    reel_buf_addz(b, " segmentAlignment=\"true\" startWithSAP=\"1\"");

    if (is_preferred(d->l, x[0])) {
        reel_buf_addz(b, " selectionPriority=\"2\"");
    }

    reel_buf_addz(b, ">\n");
    reel_dash_protection(b, d->o, x[0]);
    add_switching(b, d, x[0], d->l->audio, d->l->naudio);
    reel_dash_label(b, x[0]->r);
    reel_dash_accessibility(b, x[0]->r);
    add_audio_roles(b, d->l, x[0]->r, x[0]->track);
    add_representations(b, d, x, n);
    reel_buf_addz(b, "</AdaptationSet>\n");
}


void
reel_dash_audio(reel_buf_t *b, reel_dash_t *d)
{
    unsigned              i, n, track;
    const reel_listed_t  *set[REEL_INDEX_MAX_RENDITIONS];
    const reel_listing_t *l = d->l;

    for (track = 0; track < l->ntracks; track++) {
        for (i = 0; i < l->naudio; i++) {
            if (l->audio[i].track != track) {
                continue;
            }

            n = collect(set, l->audio, l->naudio, i);

            if (n != 0) {
                add_audio_set(b, d, set, n);
            }
        }
    }
}

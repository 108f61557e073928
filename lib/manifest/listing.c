#include "lib/base/rescale.h"
#include "lib/manifest/protection.h"
#include "lib/manifest/rates.h"


#define US      1000000         /* a second */
#define EDGE_US 40000           /* a picture */

reel_str_t
reel_listing_language(const reel_rendition_t *r)
{
    if (reel_str_eqz(r->language, "und")) {
        return REEL_STR("");
    }

    return r->language;
}


reel_str_t
reel_listing_family(const reel_rendition_t *r)
{
    reel_str_t  rest;

    return reel_str_cut(r->codec, '.', &rest);
}


static bool
same_family(const reel_rendition_t *a, const reel_rendition_t *b)
{
    return reel_str_eq(reel_listing_family(a), reel_listing_family(b));
}


bool
reel_ts_carries(const reel_rendition_t *r)
{
    return r->kind == REEL_TEXT
           || reel_str_eqz(reel_listing_family(r), "avc1")
           || reel_str_eqz(r->codec, "mp4a.40.2")
           || reel_str_eqz(r->codec, "mp4a.40.5");
}


/*
 * Video of the set, and beside it other codecs and ranges whose segments
 * have the same boundaries: players choose among them by what they can show.
 */
static bool
alternative(const reel_rendition_t *r, const reel_rendition_t *grid,
    uint8_t set)
{
    if (r->switching_set == set) {
        return true;
    }

    return grid->kind == REEL_VIDEO && grid->switching_set == set
           && (!same_family(r, grid) || r->video_range != grid->video_range)
           && r->timescale == grid->timescale
           && reel_str_eq(r->duration_bytes, grid->duration_bytes);
}


static bool
has_height(const reel_rendition_t *r, const reel_shape_t *s)
{
    return r->height >= s->min_height
           && (s->max_height == 0 || r->height <= s->max_height);
}


static bool
same_track(const reel_rendition_t *a, const reel_rendition_t *b)
{
    return reel_str_eq(reel_listing_language(a), reel_listing_language(b))
           && ((a->roles ^ b->roles) & ~REEL_ROLE_DEFAULT) == 0
           && (a->switching_set == b->switching_set || !same_family(a, b));
}


/* the number of quality q among those of r's codec: of any track, or new */
static unsigned
rank_of(const reel_listing_t *l, const reel_rendition_t *r, unsigned q)
{
    unsigned  i, k, n, rank;

    for (rank = 0; rank < l->nranks; rank++) {
        for (i = 0; i < l->naudio; i++) {
            if (l->audio[i].rank != rank || !same_family(l->audio[i].r, r)) {
                continue;
            }

            for (n = 0, k = 0; k < i; k++) {
                n += l->audio[k].track == l->audio[i].track
                     && same_family(l->audio[k].r, r);
            }

            if (n == q) {
                return rank;
            }
        }
    }

    return l->nranks;
}


static void
add_audio(reel_listing_t *l, reel_listed_t x)
{
    unsigned  i, q = 0;

    x.track = l->ntracks;

    for (i = 0; i < l->naudio; i++) {
        if (same_track(l->audio[i].r, x.r)) {
            x.track = l->audio[i].track;
            break;
        }
    }

    for (i = 0; i < l->naudio; i++) {
        q += l->audio[i].track == x.track
             && same_family(l->audio[i].r, x.r);
    }

    x.rank = rank_of(l, x.r, q);
    l->ntracks += x.track == l->ntracks;
    l->nranks += x.rank == l->nranks;
    l->audio[l->naudio++] = x;
}


/* begin their segments at the same instants, as far as a viewer can tell? */
static bool
same_edges(const reel_listed_t *a, const reel_listed_t *b,
    const reel_manifest_opts_t *o)
{
    int64_t      at = 0, bt = 0, off;
    uint32_t     i;
    reel_runs_t  ad = reel_runs(a->r->duration_bytes);
    reel_runs_t  bd = reel_runs(b->r->duration_bytes);

    if (a->ix->fragments != b->ix->fragments) {
        return false;
    }

    for (i = o->per; i < a->ix->fragments; i += o->per) {
        at += (int64_t) reel_runs_sum(&ad, o->per);
        bt += (int64_t) reel_runs_sum(&bd, o->per);
        off = reel_rescale(at, US, a->r->timescale, REEL_ROUND_NEAR)
              - reel_rescale(bt, US, b->r->timescale, REEL_ROUND_NEAR);

        if (off > EDGE_US || off < -EDGE_US) {
            return false;
        }
    }

    return true;
}


/* what was listed of its kind before it knows all edges there are */
static unsigned
edges_of(const reel_listed_t *x, const reel_listed_t *before, unsigned n,
    const reel_manifest_opts_t *o)
{
    unsigned  i, edges = 0;

    for (i = 0; i < n; i++) {
        if (before[i].ix == x->ix || same_edges(&before[i], x, o)) {
            return before[i].edges;
        }

        edges = before[i].edges >= edges ? before[i].edges + 1 : edges;
    }

    return edges;
}


reel_manifest_opts_t
reel_listing_opts(const reel_listed_t *x, const reel_manifest_opts_t *o)
{
    reel_manifest_opts_t  own = *o;

    own.protection = x->protection;

    return own;
}


/* what of it is listed; false: nothing, it ends before the clip */
static bool
place(reel_listed_t *x, const reel_listing_t *l, unsigned i,
    const reel_manifest_opts_t *o)
{
    reel_span_t           span;
    reel_manifest_opts_t  own;

    if (o->origins == NULL) {
        x->own = x->r;
        x->protection = o->protection;
        x->first = l->span.first;
        x->count = l->span.count;
        memcpy(x->hash, l->hash, sizeof(x->hash));
        return true;
    }

    x->ix = o->origins[i].ix;
    x->own = o->origins[i].r;
    x->protection = o->origins[i].protection;

    if (reel_span_of(&span, x->ix, x->r, o) != REEL_OK) {
        return false;
    }

    x->first = span.first;
    x->count = span.count;
    own = reel_listing_opts(x, o);
    reel_version_hash(x->hash, x->ix, &own);

    return true;
}


/* the sums for clips are made here: they are of few segments */
static bool
listed(reel_listed_t *x, const reel_listing_t *l, const reel_index_t *ix,
    unsigned i, const reel_manifest_opts_t *o)
{
    *x = (reel_listed_t) {
        .r = &ix->renditions[i], .ix = ix,
        .named = o->tracks != NULL ? o->tracks[i] : NULL
    };

    if (!place(x, l, i, o)) {
        return false;
    }

    if (o->rates != NULL && !reel_shape_is_clip(&o->shape)) {
        x->rate = o->rates->segments[i];
        x->iframes = o->rates->iframes[i];
        return true;
    }

    x->rate = reel_rates_of(x->ix, x->r, o, x->first, x->count);

    if (x->r->kind == REEL_VIDEO) {
        x->iframes = reel_rates_iframes(x->ix, x->r, o, x->first, x->count);
    }

    return true;
}


static void
add_all(reel_listing_t *l, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    unsigned                 i;
    reel_listed_t            x;
    const reel_rendition_t  *r;

    for (i = 0; i < ix->nrenditions; i++) {
        r = &ix->renditions[i];

        if ((o->container == REEL_CONTAINER_TS && !reel_ts_carries(r))
            || !reel_protection_fits(o->protection, r)
            || (o->tracks != NULL && o->tracks[i][0] == '\0')
            || (r->kind == REEL_VIDEO
                && (!alternative(r, l->span.grid, o->switching_set)
                    || !has_height(r, &o->shape)))
            || !listed(&x, l, ix, i, o))
        {
            continue;
        }

        switch (r->kind) {
        case REEL_VIDEO:
            x.edges = edges_of(&x, l->video, l->nvideo, o);
            l->video[l->nvideo++] = x;
            l->hdr |= r->video_range != REEL_RANGE_SDR;
            break;
        case REEL_AUDIO:
            x.edges = edges_of(&x, l->audio, l->naudio, o);
            add_audio(l, x);
            break;
        default:
            l->text[l->ntext++] = x;
        }
    }
}


static bool
has_video(const reel_index_t *ix)
{
    unsigned  i;

    for (i = 0; i < ix->nrenditions; i++) {
        if (ix->renditions[i].kind == REEL_VIDEO) {
            return true;
        }
    }

    return false;
}


reel_err_t
reel_listing(reel_listing_t *l, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    reel_err_t  err;

    err = reel_span(&l->span, ix, o);
    if (err != REEL_OK) {
        return err;
    }

    l->nvideo = 0;
    l->naudio = 0;
    l->ntext = 0;
    l->ntracks = 0;
    l->nranks = 0;
    l->hdr = false;
    l->clip[0] = '?';

    if (reel_shape_print(l->clip + 1,
                         o->told != NULL ? o->told : &o->shape, true) == 0)
    {
        l->clip[0] = '\0';
    }

    l->token = o->token != NULL ? o->token : "";
    l->join = o->token == NULL ? "" : l->clip[0] != '\0' ? "&" : "?";

    reel_version_hash(l->hash, ix, o);

    if (l->hash[0] == '\0') {
        return REEL_NOMEM;
    }

    add_all(l, ix, o);

    if (l->nvideo == 0 && (l->naudio == 0 || has_video(ix))) {
        return REEL_NOTFOUND;
    }

    return REEL_OK;
}


const reel_listed_t *
reel_listing_audio(const reel_listing_t *l, unsigned track, unsigned rank)
{
    unsigned              i;
    const reel_listed_t  *first = NULL, *best = NULL;

    for (i = 0; i < l->naudio; i++) {
        if (l->audio[i].track != track) {
            continue;
        }

        first = first == NULL ? &l->audio[i] : first;

        if (l->audio[i].rank <= rank
            && (best == NULL || l->audio[i].rank > best->rank))
        {
            best = &l->audio[i];
        }
    }

    return best != NULL ? best : first;
}


/* the one marked so, else the first that is no comment on the film */
unsigned
reel_listing_default(const reel_listing_t *l)
{
    unsigned  i, best = l->ntracks;

    for (i = 0; i < l->naudio; i++) {
        if (l->audio[i].r->roles & REEL_ROLE_DEFAULT) {
            return l->audio[i].track;
        }

        if (l->audio[i].track < best
            && !(l->audio[i].r->roles & (REEL_ROLE_DESCRIPTION
                                         | REEL_ROLE_COMMENTARY)))
        {
            best = l->audio[i].track;
        }
    }

    return best < l->ntracks ? best : 0;
}


void
reel_listing_uri(reel_buf_t *b, const reel_listing_t *l,
    const reel_listed_t *x, const char *what, const char *hash)
{
    if (x->named == NULL) {
        reel_buf_printf(b, "%.*s~%s/%s.m3u8", (int) x->r->name.len,
                        x->r->name.p, hash, what);
    } else {
        reel_buf_printf(b, "%s-%s.m3u8",
                        strcmp(what, "media") == 0 ? "index" : what,
                        x->named);
    }

    reel_buf_printf(b, "%s%s%s", l->clip, l->join, l->token);
}

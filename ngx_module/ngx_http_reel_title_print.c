/* what is printed of a title: all of it, or a rendition through its parts */

#include "ngx_module/ngx_http_reel_title.h"
#include "ngx_module/ngx_http_reel_zone.h"


/* the parts' opts but for their clips are those of the request */
static void
set_opts(ngx_http_reel_title_t *t, const reel_manifest_opts_t *o)
{
    ngx_uint_t    i;
    reel_shape_t  shape;

    for (i = 0; i < t->nparts; i++) {
        shape = t->opts[i].shape;
        t->opts[i] = *o;
        t->opts[i].shape = shape;
        t->parts[i].o = &t->opts[i];
    }
}


/* the sums that are kept are of clear segments */
static void
measure(const reel_composed_t *c, unsigned i, const reel_manifest_opts_t *o,
    ngx_http_reel_loaded_t *loaded, reel_bitrate_t *rate)
{
    reel_manifest_opts_t   own = *o;
    const reel_origin_t   *from = &c->origins[i];

    if (from->protection == NULL) {
        *rate = ngx_http_reel_manifest_rates(loaded->entry, o->container)
                ->segments[c->number[i]];
        return;
    }

    own.protection = from->protection;
    *rate = reel_rates_of(from->ix, from->r, &own, 0,
                          reel_index_segments(from->ix, own.per));
}


/*
 * Transport streams have more bytes, and what is encrypted; what the mapping
 * told stays.  rates are of what c, of a part, goes on with.
 */
static void
raise_rates(reel_rates_t *rates, ngx_http_reel_title_t *t, ngx_uint_t part,
    const reel_composed_t *first, const reel_composed_t *c,
    const reel_manifest_opts_t *o)
{
    unsigned        i, k;
    ngx_uint_t      file;
    reel_bitrate_t  rate;

    if (o->container == REEL_CONTAINER_CMAF && o->protection == NULL) {
        return;
    }

    for (i = 0; i < first->ix.nrenditions; i++) {
        k = reel_composed_match(first, i, c);
        file = t->title.parts[part].first + c->source[k];

        if (t->title.files[file].bitrate == 0) {
            measure(c, k, o, &t->loaded[file], &rate);
            reel_bitrate_raise(&rates->segments[i], rate);
        }
    }
}


reel_err_t
ngx_http_reel_title_master(reel_buf_t *b, ngx_http_reel_title_t *t)
{
    ngx_uint_t            i;
    reel_rates_t          rates = *t->rates;
    reel_manifest_opts_t  o = t->play->opts;

    for (i = 0; i < t->title.nparts; i++) {
        raise_rates(&rates, t, i, t->first, t->all[i], &o);
    }

    o.rates = &rates;

    if (!t->row) {
        return reel_hls_master(b, &t->first->ix, &o);
    }

    o.told = &t->play->opts.shape;
    o.shape.start_us = 0;
    o.shape.end_us = 0;

    return reel_hls_master(b, &t->first->ix, &o);
}


reel_err_t
ngx_http_reel_title_mpd(reel_buf_t *b, ngx_http_reel_title_t *t)
{
    ngx_uint_t        i;
    reel_composed_t  *c;

    set_opts(t, &t->play->opts);

    for (i = 0; i < t->nparts; i++) {
        c = t->composed[i];
        raise_rates(&c->rates, t, t->numbers[i], c, c, &t->opts[i]);

        t->opts[i].origins = c->origins;
        t->opts[i].rates = &c->rates;
        t->parts[i].ix = &c->ix;
    }

    return reel_dash_mpd_parts(b, t->parts, t->nparts);
}


/* in each part the rendition that goes on with the first one's */
static reel_err_t
set_renditions(ngx_http_reel_title_t *t, reel_container_t container)
{
    char              hash[REEL_VERSION_HASH + 1];
    unsigned          k;
    ngx_uint_t        i;
    reel_composed_t  *c;

    set_opts(t, &t->play->opts);

    for (i = 0; i < t->nparts; i++) {
        c = t->composed[i];
        k = reel_composed_match(t->first, t->rendition, c);

        if (k == REEL_INDEX_MAX_RENDITIONS) {
            return REEL_NOTFOUND;
        }

        t->opts[i].origins = NULL;
        t->opts[i].rates = NULL;
        t->opts[i].container = container;
        t->opts[i].protection = c->origins[k].protection;
        reel_version_hash(hash, c->origins[k].ix, &t->opts[i]);

        *ngx_snprintf(t->prefixes[i], sizeof(t->prefixes[i]) - 1,
                      "../%s~%s/", c->names[k], hash) = '\0';

        t->parts[i].ix = c->origins[k].ix;
        t->parts[i].r = c->origins[k].r;
        t->parts[i].prefix = (char *) t->prefixes[i];
    }

    return REEL_OK;
}


reel_err_t
ngx_http_reel_title_media(reel_buf_t *b, ngx_http_reel_title_t *t)
{
    reel_err_t  err;

    err = set_renditions(t, t->play->opts.container);

    return err == REEL_OK ? reel_hls_media_parts(b, t->parts, t->nparts)
                          : err;
}


reel_err_t
ngx_http_reel_title_iframes(reel_buf_t *b, ngx_http_reel_title_t *t)
{
    reel_err_t  err;

    err = set_renditions(t, REEL_CONTAINER_CMAF);

    return err == REEL_OK ? reel_hls_iframes_parts(b, t->parts, t->nparts)
                          : err;
}

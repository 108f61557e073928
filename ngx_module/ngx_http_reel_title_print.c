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


/* transport streams have more bytes; what the mapping told stays */
static void
set_ts_rates(reel_rates_t *rates, ngx_http_reel_title_t *t)
{
    unsigned             i, k;
    ngx_uint_t           part, file;
    const reel_rates_t  *own;
    reel_composed_t     *c;

    *rates = *t->rates;

    for (part = 0; part < t->title.nparts; part++) {
        c = t->all[part];

        for (i = 0; i < t->first->ix.nrenditions; i++) {
            k = reel_composed_match(t->first, i, c);
            file = t->title.parts[part].first + c->source[k];

            if (t->title.files[file].bitrate == 0) {
                own = ngx_http_reel_manifest_rates(t->loaded[file].entry,
                                                   REEL_CONTAINER_TS);
                reel_bitrate_raise(&rates->segments[i],
                                   own->segments[c->number[k]]);
            }
        }
    }
}


reel_err_t
ngx_http_reel_title_master(reel_buf_t *b, ngx_http_reel_title_t *t)
{
    reel_rates_t          rates;
    reel_manifest_opts_t  o = t->play->opts;

    if (o.container == REEL_CONTAINER_TS) {
        set_ts_rates(&rates, t);
        o.rates = &rates;
    }

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
    ngx_uint_t  i;

    set_opts(t, &t->play->opts);

    for (i = 0; i < t->nparts; i++) {
        t->opts[i].origins = t->composed[i]->origins;
        t->opts[i].rates = &t->composed[i]->rates;
        t->parts[i].ix = &t->composed[i]->ix;
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
        reel_version_hash(hash, c->origins[k], &t->opts[i]);

        *ngx_snprintf(t->prefixes[i], sizeof(t->prefixes[i]) - 1,
                      "../%s~%s/", c->names[k], hash) = '\0';

        t->parts[i].ix = c->origins[k];
        t->parts[i].r = &c->ix.renditions[k];
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

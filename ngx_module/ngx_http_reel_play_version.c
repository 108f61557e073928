/* playback: which form of an index a path names, or gets */

#include "ngx_module/ngx_http_reel_title.h"
#include "ngx_module/ngx_http_reel_zone.h"

/* a file of fragments that was written so many seconds ago may grow */
#define GROWS  60


static ngx_uint_t named(ngx_http_reel_play_t *p, ngx_http_reel_hash_t *hashes,
    ngx_uint_t may_grow);
static ngx_uint_t names_may_stay(ngx_http_reel_play_t *p);
static ngx_uint_t grows(ngx_http_reel_play_t *p);
static ngx_uint_t configured(ngx_http_reel_play_t *p, ngx_uint_t container);


/*
 * While the index grows a segment is one fragment, so that none is ever
 * seen half, as of a movie; complete ones have REEL_SEGMENT_FRAGMENTS.  Who
 * began with the growing form goes on with it: both stay valid for a
 * publication.
 */
ngx_int_t
ngx_http_reel_play_version(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_http_reel_hash_t *hashes)
{
    ngx_uint_t                 i, may_grow;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    may_grow = names_may_stay(p);

    if (p->hash.len == 0) {
        i = ngx_http_reel_version(p->route->container
                                  == NGX_HTTP_REEL_IN_CONFIGURED
                                  ? configured(p, conf->hls_segments)
                                  : (ngx_uint_t) p->route->container,
                                  p->index->growing
                                  || (p->index->nsamples
                                      && !(may_grow && grows(p))));

    } else {
        i = named(p, hashes, may_grow);

        if (i == NGX_HTTP_REEL_VERSIONS) {
            return NGX_DECLINED;
        }
    }

    p->opts.per = ngx_http_reel_version_per(i);
    p->opts.container = ngx_http_reel_version_container(i);
    p->version = hashes[i];
    p->opts.salt = NULL;
    p->exact = NULL;

    if (may_grow && p->opts.per != 1) {
        p->opts.per = 1;
        p->opts.salt = p->entry->grows.salt;
        p->exact = hashes[ngx_http_reel_version(p->opts.container, 1)];
    }

    /* a playlist through several files changes with any of them */
    if (p->title && p->title->first && p->track.len == 0 && p->name.len) {
        p->version = p->title->hashes[i];
    }

    if (p->route->container != NGX_HTTP_REEL_IN_CONFIGURED
        && (ngx_uint_t) p->route->container != (ngx_uint_t) p->opts.container)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* by the hash of its path; NGX_HTTP_REEL_VERSIONS: none that is served */
static ngx_uint_t
named(ngx_http_reel_play_t *p, ngx_http_reel_hash_t *hashes,
    ngx_uint_t may_grow)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_REEL_VERSIONS; i++) {
        if (ngx_memcmp(p->hash.data, hashes[i], p->hash.len) == 0) {
            break;
        }
    }

    if (i == NGX_HTTP_REEL_VERSIONS || ngx_http_reel_version_per(i) == 1) {
        return i;
    }

    /* another node saw the completion first; its segments may stand */
    if (p->index->growing && p->route->manifest) {
        return NGX_HTTP_REEL_VERSIONS;
    }

    return p->index->nsamples && !may_grow ? NGX_HTTP_REEL_VERSIONS : i;
}


/*
 * Of a file of fragments alone.  Not encrypted: one that takes the place of
 * another and begins like it would have its keys.
 */
static ngx_uint_t
names_may_stay(ngx_http_reel_play_t *p)
{
    return p->index->nsamples && p->entry->grows.may
           && p->opts.protection == NULL
           && (p->title == NULL || p->title->first == NULL);
}


static ngx_uint_t
grows(ngx_http_reel_play_t *p)
{
    return ngx_time() - p->entry->st.mtime_ns / 1000000000 < GROWS;
}


/*
 * What no transport stream can carry comes as CMAF all the same: a movie
 * whose first video is such, an asset all of whose videos are, and either
 * without video when its sound is.
 */
static ngx_uint_t
configured(ngx_http_reel_play_t *p, ngx_uint_t container)
{
    unsigned                 i;
    ngx_uint_t               seen, fits, carried;
    const reel_rendition_t  *q;

    if (container != REEL_CONTAINER_TS) {
        return container;
    }

    seen = 0;
    fits = 0;

    for (i = 0; i < p->index->nrenditions; i++) {
        q = &p->index->renditions[i];
        carried = reel_ts_carries(q);

        if (q->kind == REEL_VIDEO) {
            if (carried || p->index->nsamples) {
                return carried ? container : REEL_CONTAINER_CMAF;
            }

            seen = 1;
        }

        fits |= q->kind == REEL_AUDIO && carried;
    }

    return fits && !seen ? container : REEL_CONTAINER_CMAF;
}

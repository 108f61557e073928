/*
 * Keys of titles: each file has those that it has by itself, of its own salt
 * and id, so none comes twice, and its segments are the same in all titles.
 */

#include "ngx_module/ngx_http_reel_title.h"

static ngx_int_t allocate(ngx_http_request_t *r, ngx_http_reel_title_t *t);
static void wipe_masters(void *data);
static ngx_int_t take_key(ngx_http_request_t *r, ngx_http_reel_title_t *t,
    const u_char *master);
static void keyed(ngx_http_request_t *r, ngx_int_t status, void *data);


ngx_int_t
ngx_http_reel_title_keys(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_int_t                  rc;
    ngx_str_t                  uri;
    const u_char              *master;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (conf->protect->scheme == REEL_SCHEME_CLEAR) {
        return NGX_DECLINED;
    }

    if (t->protects == NULL && allocate(r, t) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    while (t->nkeyed < t->title.nfiles) {

        if (ngx_http_reel_title_uri(r, t, t->nkeyed, &uri) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_http_reel_protect_master(r, t->loaded[t->nkeyed].index, &uri,
                                          t->masters[t->nkeyed], &master,
                                          keyed, t);
        if (rc != NGX_DECLINED) {
            return rc;
        }

        if (take_key(r, t, master) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
allocate(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    t->protects = ngx_pcalloc(r->pool, t->title.nfiles
                                       * sizeof(ngx_http_reel_protect_t));
    t->protect = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_protect_t));
    t->masters = ngx_pcalloc(r->pool, t->title.nfiles * sizeof(*t->masters));

    if (cln == NULL || t->protects == NULL || t->protect == NULL
        || t->masters == NULL)
    {
        return NGX_ERROR;
    }

    cln->handler = wipe_masters;
    cln->data = t;

    return NGX_OK;
}


static void
wipe_masters(void *data)
{
    ngx_http_reel_title_t *t = data;

    ngx_explicit_memzero(t->masters, t->title.nfiles * sizeof(*t->masters));
}


/* of file t->nkeyed */
static ngx_int_t
take_key(ngx_http_request_t *r, ngx_http_reel_title_t *t,
    const u_char *master)
{
    ngx_uint_t  i;

    i = t->nkeyed++;

    return ngx_http_reel_protect_make(r, &t->protects[i], t->loaded[i].index,
                                      &t->places[i].id, master);
}


static void
keyed(ngx_http_request_t *r, ngx_int_t status, void *data)
{
    ngx_http_reel_title_t *t = data;

    if (status != NGX_OK) {
        ngx_http_finalize_request(r, ngx_http_reel_protect_no_key(r));
        return;
    }

    ngx_http_finalize_request(r, take_key(r, t, t->masters[t->nkeyed])
                                 == NGX_OK
                                 ? ngx_http_reel_title_compose(r, t)
                                 : NGX_HTTP_INTERNAL_SERVER_ERROR);
}


/*
 * What is composed has no segments, but versions of its manifests.  Of a
 * playlist the hash in its URI is that of its first part's file.
 */
ngx_int_t
ngx_http_reel_title_protect(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_http_reel_play_t  *p;

    p = t->play;

    if (ngx_http_reel_protect_make(r, t->protect, &t->first->ix,
                                   &t->places[0].id,
                                   t->protects[0].protection.keys.master)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(t->hashes, t->protect->hashes, sizeof(t->hashes));

    p->opts.protection = &t->protect->protection;
    p->hashes = t->protect->hashes;

    if (p->name.len) {
        p->hashes = t->protects[t->title.parts[0].first
                                + t->first->source[t->rendition]].hashes;
    }

    return NGX_DECLINED;
}

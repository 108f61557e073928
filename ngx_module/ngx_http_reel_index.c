/*
 * Looks up an asset's index for a request.  In the event loop only the zone
 * is asked; files are looked at in the thread pool, in one task a check.
 * States without an index are never cached: they change soon.
 */

#include "ngx_module/ngx_http_reel_look.h"
#include "ngx_module/ngx_http_reel_zone.h"

typedef struct {
    ngx_shm_zone_t          *zone;
    ngx_http_reel_entry_t   *entry;
} ngx_http_reel_cleanup_t;

typedef struct {
    ngx_http_reel_look_t     look;      /* first: what the thread gets */
    ngx_http_reel_loaded_pt  handler;
    ngx_http_reel_place_t    place;
    ngx_msec_t               started;
    ngx_http_reel_cleanup_t *cleanup;
} ngx_http_reel_lookup_t;

static void found(ngx_http_request_t *r, ngx_http_reel_entry_t *e,
    ngx_http_reel_loaded_pt handler);
static ngx_int_t post(ngx_http_request_t *r, ngx_http_reel_place_t *place,
    ngx_http_reel_loaded_pt handler, ngx_http_reel_cleanup_t *cl);
static ngx_http_reel_cleanup_t *add_cleanup(ngx_http_request_t *r);
static void cleanup_entry(void *data);
static void looked(ngx_http_request_t *r, void *data);
static ngx_http_reel_entry_t *keep(ngx_http_request_t *r,
    ngx_http_reel_lookup_t *l);


ngx_int_t
ngx_http_reel_index_get(ngx_http_request_t *r,
    ngx_http_reel_place_t *place, ngx_http_reel_loaded_pt handler)
{
    ngx_uint_t                  check;
    ngx_shm_zone_t             *zone;
    ngx_http_reel_ctx_t        *ctx;
    ngx_http_reel_cleanup_t    *cl;
    ngx_http_reel_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);
    zone = mcf->zone;

    ctx = ngx_http_reel_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (zone == NULL || place->id.len != REEL_ULID_LEN) {
        ngx_str_set(&ctx->cache_status, "MISS");
        return post(r, place, handler, NULL);
    }

    /* first of all, so that no reference is lost */
    cl = add_cleanup(r);
    if (cl == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cl->zone = zone;
    cl->entry = ngx_http_reel_zone_get(zone, &place->root, &place->id,
                                       &check);

    if (cl->entry == NULL) {
        ngx_str_set(&ctx->cache_status, "MISS");
        return post(r, place, handler, cl);
    }

    if (check) {
        ngx_str_set(&ctx->cache_status, "REVALIDATED");
        return post(r, place, handler, cl);
    }

    ngx_str_set(&ctx->cache_status, "HIT");

    r->main->count++;
    found(r, cl->entry, handler);

    return NGX_DONE;
}


ngx_http_reel_place_t
ngx_http_reel_place_asset(ngx_http_request_t *r, ngx_str_t *asset)
{
    ngx_http_reel_place_t      place;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    place.id = *asset;
    place.root = conf->root;
    place.look = ngx_http_reel_look;

    return place;
}


void
ngx_http_reel_index_drop(ngx_http_request_t *r, ngx_http_reel_place_t *place)
{
    ngx_http_reel_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);

    if (mcf->zone && place->id.len == REEL_ULID_LEN) {
        ngx_http_reel_zone_drop(mcf->zone, &place->root, &place->id);
    }
}


static void
found(ngx_http_request_t *r, ngx_http_reel_entry_t *e,
    ngx_http_reel_loaded_pt handler)
{
    ngx_http_reel_loaded_t  loaded;

    loaded.state = NGX_HTTP_REEL_ASSET_PLAYABLE;
    loaded.index = &e->index;
    loaded.entry = e;
    loaded.hashes = e->hashes;
    loaded.mtime = (time_t) (e->st.mtime_ns / 1000000000);

    handler(r, &loaded);
}


static ngx_int_t
post(ngx_http_request_t *r, ngx_http_reel_place_t *place,
    ngx_http_reel_loaded_pt handler, ngx_http_reel_cleanup_t *cl)
{
    ngx_int_t                  rc;
    ngx_http_reel_lookup_t    *l;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    l = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_lookup_t));
    if (l == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    l->place = *place;
    l->place.id.data = ngx_pstrdup(r->pool, &place->id);
    if (l->place.id.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    l->look.asset.p = (char *) l->place.id.data;
    l->look.asset.len = place->id.len;
    l->look.store = conf->store;
    l->look.path = (char *) place->root.data;
    l->handler = handler;
    l->cleanup = cl;
    l->started = ngx_current_msec;

    if (cl && cl->entry) {
        l->look.known = 1;
        l->look.st = cl->entry->st;
    }

    r->main->count++;

    rc = ngx_http_reel_task_post(r, place->look, looked, l);
    if (rc != NGX_OK) {
        r->main->count--;
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DONE;
}


static ngx_http_reel_cleanup_t *
add_cleanup(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_cleanup_t));
    if (cln == NULL) {
        return NULL;
    }

    ngx_memzero(cln->data, sizeof(ngx_http_reel_cleanup_t));
    cln->handler = cleanup_entry;

    return cln->data;
}


static void
cleanup_entry(void *data)
{
    ngx_http_reel_cleanup_t *cl = data;

    if (cl->entry) {
        ngx_http_reel_zone_release(cl->zone, cl->entry);
    }
}


/* back in the event loop */
static void
looked(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_lookup_t *l = data;

    ngx_http_reel_entry_t   *e;
    ngx_http_reel_loaded_t   loaded;

    if (l->look.state == NGX_HTTP_REEL_ASSET_PLAYABLE) {

        if (l->look.unchanged) {
            e = l->cleanup->entry;
            ngx_http_reel_zone_checked(l->cleanup->zone, e, l->started);

        } else {
            e = keep(r, l);
        }

        if (e) {
            ngx_free(l->look.data);
            found(r, e, l->handler);
            return;
        }

        l->look.state = NGX_HTTP_REEL_ASSET_FAILED;
    }

    ngx_free(l->look.data);

    if (l->look.state != NGX_HTTP_REEL_ASSET_FAILED) {
        ngx_http_reel_index_drop(r, &l->place);
    }

    ngx_memzero(&loaded, sizeof(ngx_http_reel_loaded_t));
    loaded.state = l->look.state;

    l->handler(r, &loaded);
}


/* makes an entry of what was loaded: in the zone, else in r's pool */
static ngx_http_reel_entry_t *
keep(ngx_http_request_t *r, ngx_http_reel_lookup_t *l)
{
    size_t                     len;
    reel_err_t                 err;
    ngx_http_reel_entry_t     *e;
    ngx_http_reel_cleanup_t   *cl;
    ngx_http_reel_place_t     *place;

    place = &l->place;
    cl = l->cleanup;
    len = l->look.len;
    e = NULL;

    if (cl) {
        e = ngx_http_reel_zone_alloc(cl->zone, &place->root, &place->id, len);
    }

    if (e) {
        /* what is borrowed from now on is the new one */
        if (cl->entry) {
            ngx_http_reel_zone_release(cl->zone, cl->entry);
        }

        cl->entry = e;

    } else {
        cl = NULL;
        ngx_http_reel_index_drop(r, &l->place);

        e = ngx_palloc(r->pool, ngx_http_reel_entry_size(&place->root, len));
        if (e == NULL) {
            return NULL;
        }

        ngx_http_reel_entry_init(e, &place->root, &place->id, len);
    }

    ngx_memcpy(e->data, l->look.data, len);
    ngx_memcpy(e->hashes, l->look.hashes, sizeof(ngx_http_reel_hashes_t));
    e->st = l->look.st;
    e->checked = l->started;

    err = reel_index_reparse(&e->index, e->data, len);
    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "reel: an index that was good is bad now");
        return NULL;
    }

    if (cl) {
        ngx_http_reel_zone_link(cl->zone, e);
    }

    return e;
}

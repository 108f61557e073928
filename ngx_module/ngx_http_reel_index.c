/*
 * Looks up an asset's index for a request.  In the event loop only the zone
 * is asked; files are looked at in the thread pool, in one task a check:
 * tombstone, then index, and only when there is none what else stands.
 * States without an index are never cached: they change soon.
 */

#include "ngx_module/ngx_http_reel_zone.h"

#include "lib/job/record.h"

typedef struct {
    ngx_shm_zone_t          *zone;
    ngx_http_reel_entry_t   *entry;
} ngx_http_reel_cleanup_t;

/* one check; the work reads the first part and writes the second */
typedef struct {
    reel_store_t            *store;
    reel_str_t               asset;
    ngx_uint_t               known;     /* st is of the entry at hand */
    reel_store_stat_t        st;

    ngx_http_reel_asset_e    state;
    ngx_uint_t               unchanged;
    u_char                  *data;      /* malloced */
    size_t                   len;
    char                     hash[REEL_VERSION_HASH + 1];
    char                     hash_one[REEL_VERSION_HASH + 1];

    ngx_http_reel_loaded_pt  handler;
    ngx_str_t                id;
    ngx_msec_t               started;
    ngx_http_reel_cleanup_t *cleanup;
} ngx_http_reel_lookup_t;

static void found(ngx_http_request_t *r, ngx_http_reel_entry_t *e,
    ngx_http_reel_loaded_pt handler);
static ngx_int_t post(ngx_http_request_t *r, ngx_str_t *asset,
    ngx_http_reel_loaded_pt handler, ngx_http_reel_cleanup_t *cl);
static ngx_http_reel_cleanup_t *add_cleanup(ngx_http_request_t *r);
static void cleanup_entry(void *data);
static void look(void *data, ngx_log_t *log);
static ngx_http_reel_asset_e look_asset(ngx_http_reel_lookup_t *l,
    ngx_log_t *log);
static ngx_http_reel_asset_e look_index(ngx_http_reel_lookup_t *l,
    const char *key, reel_object_t *o, ngx_log_t *log);
static ngx_http_reel_asset_e look_result(ngx_http_reel_lookup_t *l,
    ngx_log_t *log);
static reel_err_t look_pending(ngx_http_reel_lookup_t *l, reel_key_t key,
    uint32_t *pending, reel_error_t *e);
static ngx_http_reel_asset_e failed(ngx_log_t *log, const char *key,
    reel_err_t err);
static void looked(ngx_http_request_t *r, void *data);
static ngx_http_reel_entry_t *keep(ngx_http_request_t *r,
    ngx_http_reel_lookup_t *l);


ngx_int_t
ngx_http_reel_index_get(ngx_http_request_t *r, ngx_str_t *asset,
    ngx_http_reel_loaded_pt handler)
{
    ngx_uint_t                  check;
    ngx_shm_zone_t             *zone;
    ngx_http_reel_ctx_t        *ctx;
    ngx_http_reel_cleanup_t    *cl;
    ngx_http_reel_loc_conf_t   *conf;
    ngx_http_reel_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);
    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    zone = mcf->zone;

    ctx = ngx_http_reel_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (zone == NULL || asset->len != REEL_ULID_LEN) {
        ngx_str_set(&ctx->cache_status, "MISS");
        return post(r, asset, handler, NULL);
    }

    /* first of all, so that no reference is lost */
    cl = add_cleanup(r);
    if (cl == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cl->zone = zone;
    cl->entry = ngx_http_reel_zone_get(zone, &conf->root, asset, &check);

    if (cl->entry == NULL) {
        ngx_str_set(&ctx->cache_status, "MISS");
        return post(r, asset, handler, cl);
    }

    if (check) {
        ngx_str_set(&ctx->cache_status, "REVALIDATED");
        return post(r, asset, handler, cl);
    }

    ngx_str_set(&ctx->cache_status, "HIT");

    r->main->count++;
    found(r, cl->entry, handler);

    return NGX_DONE;
}


void
ngx_http_reel_index_drop(ngx_http_request_t *r, ngx_str_t *asset)
{
    ngx_http_reel_loc_conf_t   *conf;
    ngx_http_reel_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);
    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (mcf->zone && asset->len == REEL_ULID_LEN) {
        ngx_http_reel_zone_drop(mcf->zone, &conf->root, asset);
    }
}


static void
found(ngx_http_request_t *r, ngx_http_reel_entry_t *e,
    ngx_http_reel_loaded_pt handler)
{
    ngx_http_reel_loaded_t  loaded;

    loaded.state = NGX_HTTP_REEL_ASSET_PLAYABLE;
    loaded.index = &e->index;
    loaded.hash = e->hash;
    loaded.hash_one = e->hash_one;
    loaded.mtime = (time_t) (e->st.mtime_ns / 1000000000);

    handler(r, &loaded);
}


static ngx_int_t
post(ngx_http_request_t *r, ngx_str_t *asset, ngx_http_reel_loaded_pt handler,
    ngx_http_reel_cleanup_t *cl)
{
    ngx_int_t                  rc;
    ngx_http_reel_lookup_t    *l;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    l = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_lookup_t));
    if (l == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    l->id.data = ngx_pstrdup(r->pool, asset);
    if (l->id.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    l->id.len = asset->len;
    l->asset.p = (char *) l->id.data;
    l->asset.len = asset->len;
    l->store = conf->store;
    l->handler = handler;
    l->cleanup = cl;
    l->started = ngx_current_msec;

    if (cl && cl->entry) {
        l->known = 1;
        l->st = cl->entry->st;
    }

    r->main->count++;

    rc = ngx_http_reel_task_post(r, look, looked, l);
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


/* in a thread */
static void
look(void *data, ngx_log_t *log)
{
    ngx_http_reel_lookup_t *l = data;

    l->state = look_asset(l, log);
}


static ngx_http_reel_asset_e
look_asset(ngx_http_reel_lookup_t *l, ngx_log_t *log)
{
    reel_key_t              key;
    reel_err_t              err;
    reel_object_t          *o;
    reel_store_stat_t       st;
    ngx_http_reel_asset_e   state;

    err = reel_key_asset_part(key, l->asset, REEL_PART_TOMBSTONE);
    if (err != REEL_OK) {
        return NGX_HTTP_REEL_ASSET_ABSENT;
    }

    err = reel_store_stat(l->store, key, &st);
    if (err != REEL_NOTFOUND) {
        return err == REEL_OK ? NGX_HTTP_REEL_ASSET_DELETED
                              : failed(log, key, err);
    }

    err = reel_key_asset_part(key, l->asset, REEL_PART_INDEX);
    if (err != REEL_OK) {
        return failed(log, key, err);
    }

    if (l->known) {
        err = reel_store_stat(l->store, key, &st);

        if (err == REEL_OK && st.version == l->st.version
            && st.size == l->st.size && st.mtime_ns == l->st.mtime_ns)
        {
            l->unchanged = 1;
            return NGX_HTTP_REEL_ASSET_PLAYABLE;
        }
    }

    err = reel_store_open(l->store, key, &o);

    if (err == REEL_NOTFOUND) {
        return look_result(l, log);
    }

    if (err != REEL_OK) {
        return failed(log, key, err);
    }

    state = look_index(l, key, o, log);
    reel_object_close(o);

    return state;
}


static ngx_http_reel_asset_e
look_index(ngx_http_reel_lookup_t *l, const char *key, reel_object_t *o,
    ngx_log_t *log)
{
    size_t                n;
    reel_err_t            err;
    reel_index_t          ix;
    reel_error_t          e;
    reel_manifest_opts_t  opts;

    l->st = o->st;

    if (o->st.size > REEL_INDEX_MAX_BYTES) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: \"%s\" has %uL bytes, an index has at most %ud",
                      key, o->st.size, REEL_INDEX_MAX_BYTES);
        return NGX_HTTP_REEL_ASSET_BROKEN;
    }

    l->data = ngx_alloc((size_t) o->st.size + 1, log);
    if (l->data == NULL) {
        return NGX_HTTP_REEL_ASSET_FAILED;
    }

    while (l->len < o->st.size) {
        err = reel_object_read(o, l->len, l->data + l->len,
                               (size_t) o->st.size - l->len, &n);
        if (err != REEL_OK) {
            return failed(log, key, err);
        }

        if (n == 0) {
            break;
        }

        l->len += n;
    }

    e.text[0] = '\0';

    err = reel_index_parse(&ix, l->data, l->len, &e);
    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: bad index \"%s\": %s, %s",
                      key, reel_err_name(err), e.text);
        return NGX_HTTP_REEL_ASSET_BROKEN;
    }

    ngx_memzero(&opts, sizeof(reel_manifest_opts_t));

    opts.per = REEL_SEGMENT_FRAGMENTS;
    reel_version_hash(l->hash, &ix, &opts);

    opts.per = 1;
    reel_version_hash(l->hash_one, &ix, &opts);

    return NGX_HTTP_REEL_ASSET_PLAYABLE;
}


/* there is no index: which state is it?  docs/store.md has the table */
static ngx_http_reel_asset_e
look_result(ngx_http_reel_lookup_t *l, ngx_log_t *log)
{
    uint32_t            pending;
    reel_buf_t          b;
    reel_key_t          key;
    reel_err_t          err;
    reel_error_t        e;
    reel_result_t       result;
    reel_store_stat_t   st;
    reel_asset_state_t  state;

    err = reel_key_asset_part(key, l->asset, REEL_PART_REQUEST);
    if (err == REEL_OK) {
        err = reel_store_stat(l->store, key, &st);
    }

    if (err == REEL_NOTFOUND) {
        return NGX_HTTP_REEL_ASSET_ABSENT;
    }

    if (err == REEL_OK) {
        err = reel_key_asset_part(key, l->asset, REEL_PART_RESULT);
    }

    if (err == REEL_OK) {
        err = reel_store_get(l->store, key, REEL_RECORD_MAX, &b);
    }

    if (err == REEL_NOTFOUND) {
        return NGX_HTTP_REEL_ASSET_PREPARING;
    }

    if (err != REEL_OK) {
        return failed(log, key, err);
    }

    ngx_memzero(&result, sizeof(reel_result_t));

    e.text[0] = '\0';

    err = reel_result_parse(&result, (char *) b.data, b.len, &e);
    reel_buf_release(&b);

    if (err == REEL_OK) {
        err = look_pending(l, key, &pending, &e);
    }

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: reading \"%s\" failed: "
                      "%s, %s", key, reel_err_name(err), e.text);
        reel_result_release(&result);
        return NGX_HTTP_REEL_ASSET_FAILED;
    }

    state = reel_asset_state(true, false, &result, pending);
    reel_result_release(&result);

    /* ready without an index: one is being put back */
    return state == REEL_ASSET_ERRORED ? NGX_HTTP_REEL_ASSET_ERRORED
                                       : NGX_HTTP_REEL_ASSET_PREPARING;
}


/* the publication that a retry is making, 0 when none is on its way */
static reel_err_t
look_pending(ngx_http_reel_lookup_t *l, reel_key_t key, uint32_t *pending,
    reel_error_t *e)
{
    reel_err_t  err;
    reel_buf_t  b;

    *pending = 0;

    err = reel_key_pending(key, l->asset);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_get(l->store, key, REEL_RECORD_MAX, &b);
    if (err == REEL_NOTFOUND) {
        return REEL_OK;
    }

    if (err == REEL_OK) {
        err = reel_pending_parse(pending, (char *) b.data, b.len, e);
        reel_buf_release(&b);
    }

    return err;
}


static ngx_http_reel_asset_e
failed(ngx_log_t *log, const char *key, reel_err_t err)
{
    ngx_log_error(NGX_LOG_ERR, log, 0, "reel: reading \"%s\" failed: %s",
                  key, reel_err_name(err));

    return NGX_HTTP_REEL_ASSET_FAILED;
}


/* back in the event loop */
static void
looked(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_lookup_t *l = data;

    ngx_http_reel_entry_t   *e;
    ngx_http_reel_loaded_t   loaded;

    if (l->state == NGX_HTTP_REEL_ASSET_PLAYABLE) {

        if (l->unchanged) {
            e = l->cleanup->entry;
            ngx_http_reel_zone_checked(l->cleanup->zone, e, l->started);

        } else {
            e = keep(r, l);
        }

        if (e) {
            ngx_free(l->data);
            found(r, e, l->handler);
            return;
        }

        l->state = NGX_HTTP_REEL_ASSET_FAILED;
    }

    ngx_free(l->data);

    if (l->state != NGX_HTTP_REEL_ASSET_FAILED) {
        ngx_http_reel_index_drop(r, &l->id);
    }

    ngx_memzero(&loaded, sizeof(ngx_http_reel_loaded_t));
    loaded.state = l->state;

    l->handler(r, &loaded);
}


/* makes an entry of what was loaded: in the zone, else in r's pool */
static ngx_http_reel_entry_t *
keep(ngx_http_request_t *r, ngx_http_reel_lookup_t *l)
{
    reel_err_t                 err;
    ngx_http_reel_entry_t     *e;
    ngx_http_reel_cleanup_t   *cl;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    cl = l->cleanup;
    e = NULL;

    if (cl) {
        e = ngx_http_reel_zone_alloc(cl->zone, &conf->root, &l->id, l->len);
    }

    if (e) {
        /* what is borrowed from now on is the new one */
        if (cl->entry) {
            ngx_http_reel_zone_release(cl->zone, cl->entry);
        }

        cl->entry = e;

    } else {
        cl = NULL;
        ngx_http_reel_index_drop(r, &l->id);

        e = ngx_palloc(r->pool, ngx_http_reel_entry_size(&conf->root, l->len));
        if (e == NULL) {
            return NULL;
        }

        ngx_http_reel_entry_init(e, &conf->root, &l->id, l->len);
    }

    ngx_memcpy(e->data, l->data, l->len);
    ngx_memcpy(e->hash, l->hash, sizeof(l->hash));
    ngx_memcpy(e->hash_one, l->hash_one, sizeof(l->hash_one));
    e->st = l->st;
    e->checked = l->started;

    err = reel_index_reparse(&e->index, e->data, l->len);
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

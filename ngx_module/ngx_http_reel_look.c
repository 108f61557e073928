/*
 * Looks at an asset's files: tombstone, then index, and only when there is
 * none what else stands, the source first of all.  It runs in a thread: it
 * touches no request.
 */

#include "ngx_module/ngx_http_reel_look.h"

#include "ngx_module/ngx_http_reel_asset.h"

static ngx_http_reel_asset_e look_asset(ngx_http_reel_look_t *l,
    ngx_log_t *log);
static ngx_http_reel_asset_e look_index(ngx_http_reel_look_t *l,
    const char *key, reel_object_t *o, ngx_log_t *log);
static ngx_http_reel_asset_e look_result(ngx_http_reel_look_t *l,
    ngx_log_t *log);
static ngx_http_reel_asset_e look_source(ngx_http_reel_look_t *l,
    ngx_log_t *log);
static ngx_http_reel_asset_e failed(ngx_log_t *log, const char *key,
    reel_err_t err);


void
ngx_http_reel_look(void *data, ngx_log_t *log)
{
    ngx_http_reel_look_t *l = data;

    l->state = look_asset(l, log);
}


static ngx_http_reel_asset_e
look_asset(ngx_http_reel_look_t *l, ngx_log_t *log)
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
look_index(ngx_http_reel_look_t *l, const char *key, reel_object_t *o,
    ngx_log_t *log)
{
    size_t      n;
    reel_err_t  err;

    l->st = o->st;

    if (o->st.size > REEL_INDEX_MAX_BYTES) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: \"%s\" has %uL bytes, an index has at most %ud",
                      key, o->st.size, REEL_INDEX_MAX_BYTES);
        return NGX_HTTP_REEL_ASSET_BROKEN;
    }

    l->data = l->room ? l->room(l, (size_t) o->st.size, log)
                      : ngx_alloc((size_t) o->st.size + 1, log);
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

    return ngx_http_reel_look_parsed(l, key, log);
}


ngx_http_reel_asset_e
ngx_http_reel_look_parsed(ngx_http_reel_look_t *l, const char *key,
    ngx_log_t *log)
{
    ngx_uint_t            i;
    reel_err_t            err;
    reel_index_t          ix;
    reel_error_t          e;
    reel_manifest_opts_t  opts;

    e.text[0] = '\0';

    err = reel_index_parse(&ix, l->data, l->len, &e);
    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: bad index \"%s\": %s, %s",
                      key, reel_err_name(err), e.text);
        return NGX_HTTP_REEL_ASSET_BROKEN;
    }

    ngx_memzero(&opts, sizeof(reel_manifest_opts_t));

    for (i = 0; i < NGX_HTTP_REEL_VERSIONS; i++) {
        opts.per = ngx_http_reel_version_per(i);
        opts.container = ngx_http_reel_version_container(i);
        opts.salt = NULL;

        if (l->grows.may && opts.per != 1) {
            opts.per = 1;
            opts.salt = l->grows.salt;
        }

        reel_version_hash(l->hashes[i], &ix, &opts);
    }

    return NGX_HTTP_REEL_ASSET_PLAYABLE;
}


/* there is no index: which state is it?  docs/store.md has the table */
static ngx_http_reel_asset_e
look_result(ngx_http_reel_look_t *l, ngx_log_t *log)
{
    bool                retry;
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
        return look_source(l, log);
    }

    if (err != REEL_OK) {
        return failed(log, key, err);
    }

    ngx_memzero(&result, sizeof(reel_result_t));

    e.text[0] = '\0';

    err = reel_result_parse(&result, (char *) b.data, b.len, &e);
    reel_buf_release(&b);

    if (err == REEL_OK) {
        err = ngx_http_reel_asset_retry(l->store, l->asset, &result, &retry);
        if (err != REEL_OK) {
            (void) reel_fail(&e, err, "looking for its retry in pending/");
        }
    }

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: reading \"%s\" failed: "
                      "%s, %s", key, reel_err_name(err), e.text);
        reel_result_release(&result);
        return NGX_HTTP_REEL_ASSET_FAILED;
    }

    state = reel_asset_state(true, false, &result, retry);
    reel_result_release(&result);

    /* ready without an index: one is being put back */
    return state == REEL_ASSET_ERRORED ? NGX_HTTP_REEL_ASSET_ERRORED
                                       : look_source(l, log);
}


/* what is being prepared may have a source that is fit to be played */
static ngx_http_reel_asset_e
look_source(ngx_http_reel_look_t *l, ngx_log_t *log)
{
    ngx_http_reel_asset_e  state;

    state = l->sources ? ngx_http_reel_source_look_at(l, log)
                       : NGX_HTTP_REEL_ASSET_BAD_FILE;

    return state == NGX_HTTP_REEL_ASSET_PLAYABLE
           || state == NGX_HTTP_REEL_ASSET_FAILED
           ? state : NGX_HTTP_REEL_ASSET_PREPARING;
}


static ngx_http_reel_asset_e
failed(ngx_log_t *log, const char *key, reel_err_t err)
{
    ngx_log_error(NGX_LOG_ERR, log, 0, "reel: reading \"%s\" failed: %s",
                  key, reel_err_name(err));

    return NGX_HTTP_REEL_ASSET_FAILED;
}

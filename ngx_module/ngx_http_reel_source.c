/*
 * The source of an asset as a movie: what plays while there is no index yet,
 * and for those who began with it.  It never changes, so that whether it is
 * fit for that is found out once a process.  All but the place runs in
 * threads.
 */

#include "ngx_module/ngx_http_reel_look.h"

#include "ngx_module/ngx_http_reel_asset.h"

#include "lib/mp4/direct.h"

#include <pthread.h>

/* assets whose source was looked at; a later one takes another's place */
#define VERDICTS  512

typedef enum {
    UNKNOWN,
    FIT,
    UNFIT
} verdict_e;

static verdict_e verdict(const reel_store_t *store, reel_str_t asset,
    verdict_e v);
static ngx_http_reel_asset_e look_open(ngx_http_reel_look_t *l,
    const char *key, reel_object_t *o, ngx_log_t *log);
static ngx_http_reel_asset_e check_length(ngx_http_reel_look_t *l,
    ngx_log_t *log);
static reel_err_t max_duration(ngx_http_reel_look_t *l, uint64_t *s);


ngx_int_t
ngx_http_reel_place_source(ngx_http_request_t *r, ngx_str_t *asset,
    ngx_http_reel_place_t *place)
{
    size_t                     len;
    reel_key_t                 key;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (reel_key_asset_part(key, (reel_str_t) { (char *) asset->data,
                                                asset->len },
                            REEL_PART_SOURCE)
        != REEL_OK)
    {
        return NGX_ERROR;
    }

    len = conf->root.len + 1 + ngx_strlen(key);

    ngx_memzero(place, sizeof(ngx_http_reel_place_t));
    place->id = *asset;
    place->look = ngx_http_reel_source_look;
    place->root.len = len;
    place->root.data = ngx_pnalloc(r->pool, len + 1);

    if (place->root.data == NULL) {
        return NGX_ERROR;
    }

    *ngx_snprintf(place->root.data, len, "%V/%s", &conf->root, key) = '\0';

    return NGX_OK;
}


void
ngx_http_reel_source_look(void *data, ngx_log_t *log)
{
    ngx_http_reel_look_t *l = data;

    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    err = reel_key_asset_part(key, l->asset, REEL_PART_TOMBSTONE);
    if (err == REEL_OK) {
        err = reel_store_stat(l->store, key, &st);
    }

    l->state = err == REEL_OK ? NGX_HTTP_REEL_ASSET_DELETED
               : err == REEL_NOTFOUND ? ngx_http_reel_source_look_at(l, log)
                                      : NGX_HTTP_REEL_ASSET_FAILED;
}


ngx_http_reel_asset_e
ngx_http_reel_source_look_at(ngx_http_reel_look_t *l, ngx_log_t *log)
{
    reel_key_t              key;
    reel_err_t              err;
    reel_object_t          *o;
    ngx_http_reel_asset_e   state;

    if (verdict(l->store, l->asset, UNKNOWN) == UNFIT) {
        return NGX_HTTP_REEL_ASSET_BAD_FILE;
    }

    err = reel_key_asset_part(key, l->asset, REEL_PART_SOURCE);
    if (err == REEL_OK) {
        err = reel_store_open(l->store, key, &o);
    }

    if (err != REEL_OK) {
        if (err == REEL_NOTFOUND) {
            return NGX_HTTP_REEL_ASSET_ABSENT;
        }

        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: reading \"%s\" failed: %s",
                      key, reel_err_name(err));
        return NGX_HTTP_REEL_ASSET_FAILED;
    }

    state = look_open(l, key, o, log);
    reel_object_close(o);

    if (state == NGX_HTTP_REEL_ASSET_BAD_FILE) {
        (void) verdict(l->store, l->asset, UNFIT);

    } else if (state == NGX_HTTP_REEL_ASSET_PLAYABLE) {
        (void) verdict(l->store, l->asset, FIT);
    }

    return state;
}


static ngx_http_reel_asset_e
look_open(ngx_http_reel_look_t *l, const char *key, reel_object_t *o,
    ngx_log_t *log)
{
    const char             *root;
    ngx_http_reel_asset_e   state;

    if (o->fd == -1) {
        return NGX_HTTP_REEL_ASSET_BAD_FILE;
    }

    root = l->path;
    l->path = key;
    l->source = 1;

    state = ngx_http_reel_movie_look_at(l, o->fd, log);

    if (state == NGX_HTTP_REEL_ASSET_PLAYABLE && !l->unchanged) {
        state = check_length(l, log);
    }

    l->path = root;

    return state;
}


/* of the film, for which a limit may be signed, and of its segments */
static ngx_http_reel_asset_e
check_length(ngx_http_reel_look_t *l, ngx_log_t *log)
{
    uint64_t      max;
    reel_err_t    err;
    reel_index_t  ix;
    const char   *why;

    err = reel_index_reparse(&ix, l->data, l->len);
    if (err == REEL_OK) {
        err = max_duration(l, &max);
    }

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: reading the request of "
                      "\"%s\" failed: %s", l->path, reel_err_name(err));
        return NGX_HTTP_REEL_ASSET_FAILED;
    }

    if (ix.gop_ts > (uint64_t) REEL_DIRECT_SEGMENT_S * ix.timescale) {
        why = "its key frames are too far apart";

    } else if (max != 0 && (uint64_t) ix.end_ts / ix.timescale >= max
               && (uint64_t) ix.end_ts > max * ix.timescale)
    {
        why = "it is longer than was signed for";

    } else {
        return NGX_HTTP_REEL_ASSET_PLAYABLE;
    }

    ngx_log_error(NGX_LOG_INFO, log, 0, "reel: \"%s\" cannot be played: %s",
                  l->path, why);

    return NGX_HTTP_REEL_ASSET_BAD_FILE;
}


static reel_err_t
max_duration(ngx_http_reel_look_t *l, uint64_t *s)
{
    reel_buf_t      b;
    reel_key_t      key;
    reel_err_t      err;
    reel_request_t  request;

    err = reel_key_asset_part(key, l->asset, REEL_PART_REQUEST);
    if (err == REEL_OK) {
        err = reel_store_get(l->store, key, REEL_RECORD_MAX, &b);
    }

    if (err != REEL_OK) {
        return err;
    }

    ngx_memzero(&request, sizeof(reel_request_t));

    err = reel_request_parse(&request, (char *) b.data, b.len, NULL);
    *s = request.max_duration_s;

    reel_request_release(&request);
    reel_buf_release(&b);

    return err;
}


ngx_uint_t
ngx_http_reel_source_plays(reel_store_t *store, reel_str_t asset)
{
    verdict_e              v;
    ngx_http_reel_look_t   l;
    ngx_http_reel_asset_e  state;

    v = verdict(store, asset, UNKNOWN);
    if (v != UNKNOWN) {
        return v == FIT;
    }

    ngx_memzero(&l, sizeof(ngx_http_reel_look_t));
    l.store = store;
    l.asset = asset;

    state = ngx_http_reel_source_look_at(&l, ngx_cycle->log);
    ngx_free(l.data);

    return state == NGX_HTTP_REEL_ASSET_PLAYABLE;
}


/* what is known; v: from now on */
static verdict_e
verdict(const reel_store_t *store, reel_str_t asset, verdict_e v)
{
    uint32_t  hash;

    static pthread_mutex_t  mutex = PTHREAD_MUTEX_INITIALIZER;

    static struct {
        const reel_store_t  *store;
        u_char               asset[REEL_ULID_LEN];
        verdict_e            v;
    } all[VERDICTS], *one;

    hash = ngx_murmur_hash2((u_char *) asset.p, asset.len);

    (void) pthread_mutex_lock(&mutex);

    one = &all[hash % VERDICTS];

    if (v != UNKNOWN) {
        one->store = store;
        ngx_memcpy(one->asset, asset.p, REEL_ULID_LEN);
        one->v = v;

    } else if (one->store == store
               && ngx_memcmp(one->asset, asset.p, REEL_ULID_LEN) == 0)
    {
        v = one->v;
    }

    (void) pthread_mutex_unlock(&mutex);

    return v;
}

/*
 * An asset as the API shows it: facts of the store, loaded in the thread
 * pool, and progress from Redis.
 */

#ifndef NGX_HTTP_REEL_ASSET_H
#define NGX_HTTP_REEL_ASSET_H

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/base/json.h"
#include "lib/base/ulid.h"
#include "lib/job/keys.h"
#include "lib/job/record.h"

#define NGX_HTTP_REEL_PROGRESS_MAX  64      /* renditions shown */

typedef struct {
    char                 id[REEL_ULID_LEN + 1];
    reel_asset_state_t   state;
    reel_request_t       request;
    reel_result_t        result;
    reel_meta_t          meta;
    uint32_t             publication;       /* that a retry makes, else the
                                               result's, else 1 */
    ngx_uint_t           listed;            /* beside others: no files, of
                                               which there may be thousands,
                                               and no log */
    ngx_uint_t           has_result;
    ngx_uint_t           streamable;        /* an index stands, or the
                                               source plays */
} ngx_http_reel_asset_t;

/*
 * Fills a (zeroed but for id) from the store; blocking.  REEL_OK also when
 * it is absent or deleted (see state); release it in any case.  sources: they
 * play where there is no index (reel_play_source).
 */
reel_err_t ngx_http_reel_asset_load(ngx_http_reel_asset_t *a,
    reel_store_t *store, ngx_uint_t sources);

/*
 * The same for a call that needs no more than whose it is: state (deleted or
 * not), project, and the publication as far as the result can be read.
 * REEL_BADDATA: what stands does not say whose it is.
 */
reel_err_t ngx_http_reel_asset_load_owner(ngx_http_reel_asset_t *a,
    reel_store_t *store);

void ngx_http_reel_asset_release(ngx_http_reel_asset_t *a);

/*
 * Is the asset's source fit to be played as it is?  ngx_http_reel_source.c;
 * blocking: it reads the source's moov, once a process.
 */
ngx_uint_t ngx_http_reel_source_plays(reel_store_t *store, reel_str_t asset);

/* pending/ has the publication behind the result's: a retry is on its way */
reel_err_t ngx_http_reel_asset_retry(reel_store_t *store, reel_str_t asset,
    const reel_result_t *result, bool *retry);

/* the key K:progress:<job> whose HGETALL is `progress` below; shard: its own */
reel_err_t ngx_http_reel_asset_progress_key(const ngx_http_reel_asset_t *a,
    ngx_uint_t shard, reel_redis_key_t key);

/* prints the asset; progress may be NULL or failed: "unknown" then */
void ngx_http_reel_asset_print(reel_json_t *j,
    const ngx_http_reel_asset_t *a, const ngx_http_reel_reply_t *progress,
    ngx_str_t *play_path);

/* a member of Unix milliseconds, as RFC 3339 */
void ngx_http_reel_asset_time(reel_json_t *j, const char *key, int64_t ms);

#endif

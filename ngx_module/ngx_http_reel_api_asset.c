/*
 * Calls on one asset: its record is loaded in the thread pool, the caller's
 * right to it checked, its progress asked of Redis, and it is shown.
 */

#include "ngx_module/ngx_http_reel_api.h"
#include "ngx_module/ngx_http_reel_redis.h"


static ngx_int_t ngx_http_reel_api_failed(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);
static void ngx_http_reel_api_shown(void *data, ngx_http_reel_reply_t *reply);


void
ngx_http_reel_api_load(void *data, ngx_log_t *log)
{
    ngx_http_reel_api_t  *api = data;

    api->err = ngx_http_reel_asset_load(&api->asset, api->store,
                                        api->sources);

    if (api->err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: asset %s: %s",
                      api->asset.id, reel_err_name(api->err));

        /* a broken record is our fault, not the request's */
        api->err = REEL_IO;
    }
}


ngx_uint_t
ngx_http_reel_api_mine(ngx_http_reel_api_t *api)
{
    return api->asset.request.project
           && ngx_strcmp(api->asset.request.project, api->auth.key->project)
              == 0;
}


ngx_int_t
ngx_http_reel_api_check(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    if (api->err != REEL_OK) {
        return ngx_http_reel_api_failed(r, api);
    }

    if (!ngx_http_reel_api_mine(api)) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_NOT_FOUND, "NOT_FOUND",
                                   "no such asset", 0);
    }

    if (api->asset.state == REEL_ASSET_DELETED) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, 410, "DELETED",
                                   "the asset was deleted", 0);
    }

    return NGX_DECLINED;
}


/* what pool work came to: the request's fault, or ours */
static ngx_int_t
ngx_http_reel_api_failed(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    const char  *detail;

    switch (api->err) {

    case REEL_INVAL:
    case REEL_BADDATA:
        detail = api->e.text[0] ? api->e.text : "the body is not valid";
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_BAD_REQUEST,
                                   api->err == REEL_INVAL ? "INVALID_FIELD"
                                                          : "INVALID_JSON",
                                   detail, 0);

    case REEL_LIMIT:
        detail = api->e.text[0] ? api->e.text : "meta may have 16 KiB";
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                   "TOO_LARGE", detail, 0);

    case REEL_NOSPACE:
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_INSUFFICIENT_STORAGE,
                                   "InsufficientStorage",
                                   "the server's disk is full", 1);

    default:
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_INTERNAL_SERVER_ERROR,
                                   "STORE_FAILED", "the store failed; see "
                                   "the server's error log", 1);
    }
}


ngx_int_t
ngx_http_reel_api_check_any(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    if (api->err == REEL_OK && api->asset.state == REEL_ASSET_DELETED
        && ngx_http_reel_api_mine(api))
    {
        return NGX_DECLINED;
    }

    return ngx_http_reel_api_check(r, api);
}


ngx_int_t
ngx_http_reel_api_progress(ngx_http_request_t *r, ngx_http_reel_api_t *api,
    ngx_http_reel_reply_pt handler, ngx_http_reel_call_t **call)
{
    ngx_str_t                  argv[2];
    reel_redis_key_t           key;
    ngx_http_reel_redis_t     *redis;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    redis = ngx_http_reel_redis_of(rlcf->redis, api->asset.id);

    if (redis == NULL
        || ngx_http_reel_asset_progress_key(&api->asset, redis->shard, key)
           != REEL_OK)
    {
        return NGX_DECLINED;
    }

    ngx_str_set(&argv[0], "HGETALL");
    argv[1].data = (u_char *) key;
    argv[1].len = ngx_strlen(key);

    *call = ngx_http_reel_redis_call(redis, 2, argv,
                                     rlcf->redis_timeout, handler, api);

    return *call ? NGX_OK : NGX_DECLINED;
}


void
ngx_http_reel_api_show(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_api_t  *api = data;

    ngx_int_t  rc;

    rc = ngx_http_reel_api_check(r, api);
    if (rc != NGX_DECLINED) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    if (ngx_http_reel_api_progress(r, api, ngx_http_reel_api_shown,
                                   &api->call)
        != NGX_OK)
    {
        ngx_http_reel_api_shown(api, NULL);
    }
}


static void
ngx_http_reel_api_shown(void *data, ngx_http_reel_reply_t *reply)
{
    ngx_http_reel_api_t  *api = data;

    ngx_int_t                  rc;
    reel_buf_t                 b;
    reel_json_t                j;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_reel_loc_conf_t  *rlcf;

    api->call = NULL;

    r = api->request;
    c = r->connection;
    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    reel_buf_init(&b, REEL_RECORD_MAX);
    reel_json_init(&j, &b);
    ngx_http_reel_asset_print(&j, &api->asset, reply, &rlcf->api_play_path);

    rc = ngx_http_reel_api_send(r, api->status, &b);
    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


void
ngx_http_reel_api_events(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_api_t  *api = data;

    ngx_int_t  rc;

    rc = ngx_http_reel_api_check(r, api);
    if (rc != NGX_DECLINED) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    ngx_http_reel_events_start(r, api);
}

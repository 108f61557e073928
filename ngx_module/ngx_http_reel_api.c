/*
 * The API (docs/http-api.md): its routes.  Each call runs body -> auth ->
 * store work in the thread pool -> progress from Redis -> answer.
 */

#include "ngx_module/ngx_http_reel_api.h"
#include "ngx_module/ngx_http_reel_redis.h"


typedef enum {
    NGX_HTTP_REEL_API_ALL,
    NGX_HTTP_REEL_API_ASSET,
    NGX_HTTP_REEL_API_FILE,             /* an asset's, with two names */
    NGX_HTTP_REEL_API_UPLOAD
} ngx_http_reel_api_id_e;


typedef struct {
    ngx_uint_t               method;
    ngx_str_t                noun;      /* first part of the path */
    ngx_http_reel_api_id_e   id;        /* whose id follows */
    ngx_str_t                verb;      /* and this, or nothing */
    ngx_http_reel_work_pt    work;
    ngx_http_reel_done_pt    done;
    ngx_int_t              (*handler)(ngx_http_request_t *r,
                                      ngx_http_reel_api_t *api);
} ngx_http_reel_api_route_t;


static ngx_http_reel_api_t *ngx_http_reel_api_new(ngx_http_request_t *r);
static void ngx_http_reel_api_cleanup(void *data);
static const ngx_http_reel_api_route_t *ngx_http_reel_api_route(
    ngx_http_request_t *r, ngx_http_reel_api_t *api, ngx_uint_t *methods);
static ngx_uint_t ngx_http_reel_api_match(
    const ngx_http_reel_api_route_t *route, ngx_str_t *path,
    ngx_http_reel_api_t *api);
static ngx_int_t ngx_http_reel_api_begin(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);
static ngx_int_t ngx_http_reel_api_not_allowed(ngx_http_request_t *r,
    ngx_uint_t methods);
static void ngx_http_reel_api_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_reel_api_copy_body(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);


static const ngx_http_reel_api_route_t  ngx_http_reel_routes[] = {

    { NGX_HTTP_GET, ngx_string("pipelines"), NGX_HTTP_REEL_API_ALL,
      ngx_null_string, NULL, NULL, ngx_http_reel_api_pipelines },

    { NGX_HTTP_POST, ngx_string("uploads"), NGX_HTTP_REEL_API_ALL,
      ngx_null_string, NULL, NULL, ngx_http_reel_create_upload },

    { NGX_HTTP_GET, ngx_string("uploads"), NGX_HTTP_REEL_API_ALL,
      ngx_null_string, NULL, NULL, ngx_http_reel_api_uploads },

    { NGX_HTTP_GET, ngx_string("uploads"), NGX_HTTP_REEL_API_UPLOAD,
      ngx_null_string, NULL, NULL, ngx_http_reel_api_upload },

    { NGX_HTTP_DELETE, ngx_string("uploads"), NGX_HTTP_REEL_API_UPLOAD,
      ngx_null_string, NULL, NULL, ngx_http_reel_api_abort },

    { NGX_HTTP_GET, ngx_string("assets"), NGX_HTTP_REEL_API_ALL,
      ngx_null_string, NULL, NULL, ngx_http_reel_list },

    { NGX_HTTP_GET, ngx_string("assets"), NGX_HTTP_REEL_API_ASSET,
      ngx_null_string, ngx_http_reel_api_load, ngx_http_reel_api_show, NULL },

    { NGX_HTTP_PATCH, ngx_string("assets"), NGX_HTTP_REEL_API_ASSET,
      ngx_null_string, ngx_http_reel_change_patch, ngx_http_reel_api_show,
      NULL },

    { NGX_HTTP_DELETE, ngx_string("assets"), NGX_HTTP_REEL_API_ASSET,
      ngx_null_string, ngx_http_reel_change_delete,
      ngx_http_reel_change_deleted, NULL },

    { NGX_HTTP_POST, ngx_string("assets"), NGX_HTTP_REEL_API_ASSET,
      ngx_string("retry"), ngx_http_reel_change_retry,
      ngx_http_reel_change_retried, NULL },

    { NGX_HTTP_POST, ngx_string("assets"), NGX_HTTP_REEL_API_ASSET,
      ngx_string("cancel"), ngx_http_reel_change_cancel,
      ngx_http_reel_change_cancelled, NULL },

    { NGX_HTTP_POST, ngx_string("assets"), NGX_HTTP_REEL_API_ASSET,
      ngx_string("webhook"), ngx_http_reel_announce, ngx_http_reel_announced,
      NULL },

    { NGX_HTTP_GET, ngx_string("assets"), NGX_HTTP_REEL_API_FILE,
      ngx_string("files"), ngx_http_reel_file_open, ngx_http_reel_file_send,
      NULL },

    { NGX_HTTP_GET, ngx_string("assets"), NGX_HTTP_REEL_API_ASSET,
      ngx_string("events"), ngx_http_reel_api_load, ngx_http_reel_api_events,
      NULL }
};


ngx_int_t
ngx_http_reel_api_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_http_reel_api_t  *api;

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_reel_preflight(r, "GET, HEAD, POST, PATCH, DELETE, "
                                       "OPTIONS");
    }

    api = ngx_http_reel_api_new(r);
    if (api == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!(r->method & (NGX_HTTP_POST|NGX_HTTP_PATCH))) {
        return ngx_http_reel_api_begin(r, api);
    }

    if (r->headers_in.content_length_n > NGX_HTTP_REEL_API_BODY_MAX
        || r->headers_in.chunked)
    {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                   "TOO_LARGE",
                                   "a body may have 65536 bytes and needs a "
                                   "Content-Length", 0);
    }

    /* the body first: a signature in the header is over it as well */
    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_reel_api_body);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


/* the request's, and cleaned up with it */
static ngx_http_reel_api_t *
ngx_http_reel_api_new(ngx_http_request_t *r)
{
    ngx_time_t                *tp;
    ngx_pool_cleanup_t        *cln;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_api_t       *api;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    ctx = ngx_http_reel_get_ctx(r);
    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_api_t));
    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    api = cln->data;
    ngx_memzero(api, sizeof(ngx_http_reel_api_t));
    cln->handler = ngx_http_reel_api_cleanup;
    ctx->data = api;

    tp = ngx_timeofday();

    api->request = r;
    api->store = rlcf->store;
    api->sources = rlcf->play_source;
    api->now_ms = (int64_t) tp->sec * 1000 + tp->msec;
    api->status = NGX_HTTP_OK;
    ngx_str_set(&api->body, "");

    return api;
}


static void
ngx_http_reel_api_cleanup(void *data)
{
    ngx_http_reel_api_t  *api = data;

    if (api->call) {
        ngx_http_reel_redis_forget(api->call);
    }

    reel_object_close(api->object);
    ngx_http_reel_asset_release(&api->asset);
}


static const ngx_http_reel_api_route_t *
ngx_http_reel_api_route(ngx_http_request_t *r, ngx_http_reel_api_t *api,
    ngx_uint_t *methods)
{
    ngx_str_t                         rest;
    ngx_uint_t                        i, method;
    const ngx_http_reel_api_route_t  *route;

    *methods = 0;

    if (ngx_http_reel_below_location(r, &rest) != NGX_OK) {
        return NULL;
    }

    method = r->method == NGX_HTTP_HEAD ? NGX_HTTP_GET : r->method;

    for (i = 0; i < sizeof(ngx_http_reel_routes)
                    / sizeof(ngx_http_reel_routes[0]); i++)
    {
        route = &ngx_http_reel_routes[i];

        if (ngx_http_reel_api_match(route, &rest, api)) {
            *methods |= route->method;

            if (route->method == method) {
                return route;
            }
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_reel_api_match(const ngx_http_reel_api_route_t *route,
    ngx_str_t *path, ngx_http_reel_api_t *api)
{
    reel_str_t  s, noun, id, verb, task, file;

    s.p = (char *) path->data;
    s.len = path->len;

    noun = reel_str_cut(s, '/', &s);

    if (!reel_str_eqz(noun, (char *) route->noun.data)) {
        return 0;
    }

    if (route->id == NGX_HTTP_REEL_API_ALL) {
        return s.p == NULL || s.len == 0;
    }

    if (s.p == NULL) {
        return 0;
    }

    id = reel_str_cut(s, '/', &verb);
    if (verb.p == NULL) {
        verb.len = 0;
    }

    if (route->id == NGX_HTTP_REEL_API_FILE) {
        verb = reel_str_cut(verb, '/', &task);
        task = reel_str_cut(task, '/', &file);

        if (file.p == NULL) {
            return 0;
        }

        api->task = task;
        api->file = file;
    }

    if (verb.len != route->verb.len
        || (verb.len && ngx_strncmp(verb.p, route->verb.data, verb.len) != 0))
    {
        return 0;
    }

    if (route->id == NGX_HTTP_REEL_API_UPLOAD) {
        return reel_upload_id_valid(id)
               && reel_str_copy(api->upload, sizeof(api->upload), id)
                  == REEL_OK;
    }

    return reel_ulid_valid(id)
           && reel_str_copy(api->asset.id, sizeof(api->asset.id), id)
              == REEL_OK;
}


/* who asks comes before what: strangers do not learn what exists */
static ngx_int_t
ngx_http_reel_api_begin(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    ngx_int_t                         rc;
    ngx_uint_t                        methods;
    ngx_http_reel_ctx_t              *ctx;
    const ngx_http_reel_api_route_t  *route;

    rc = ngx_http_reel_auth(r, NGX_HTTP_REEL_PROBLEM, 1, &api->body,
                            &api->auth);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    route = ngx_http_reel_api_route(r, api, &methods);

    if (route == NULL && methods) {
        return ngx_http_reel_api_not_allowed(r, methods);
    }

    if (route == NULL) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_NOT_FOUND, "NOT_FOUND",
                                   "no such call", 0);
    }

    if (api->asset.id[0]) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
        ctx->asset.data = (u_char *) api->asset.id;
        ctx->asset.len = REEL_ULID_LEN;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (route->handler) {
        return route->handler(r, api);
    }

    if (ngx_http_reel_task_post(r, route->work, route->done, api) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_reel_api_not_allowed(ngx_http_request_t *r, ngx_uint_t methods)
{
    u_char     *p;
    ngx_str_t   allow;

    allow.data = ngx_pnalloc(r->pool, 64);
    if (allow.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_snprintf(allow.data, 64, "%s%s%s%sOPTIONS",
                     methods & NGX_HTTP_GET ? "GET, HEAD, " : "",
                     methods & NGX_HTTP_POST ? "POST, " : "",
                     methods & NGX_HTTP_PATCH ? "PATCH, " : "",
                     methods & NGX_HTTP_DELETE ? "DELETE, " : "");
    allow.len = p - allow.data;

    if (ngx_http_reel_add_header(r, "Allow", &allow) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, NGX_HTTP_NOT_ALLOWED,
                               "METHOD_NOT_ALLOWED",
                               "this path has no such method", 0);
}


static void
ngx_http_reel_api_body(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_http_reel_ctx_t  *ctx;
    ngx_http_reel_api_t  *api;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    api = ctx->data;

    rc = ngx_http_reel_api_copy_body(r, api);

    if (rc == NGX_OK) {
        rc = ngx_http_reel_api_begin(r, api);

    } else {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
ngx_http_reel_api_copy_body(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    u_char       *p;
    size_t        n;
    ngx_chain_t  *cl, *bufs;

    bufs = r->request_body ? r->request_body->bufs : NULL;
    n = 0;

    for (cl = bufs; cl; cl = cl->next) {
        if (cl->buf->in_file) {
            return NGX_ERROR;
        }

        n += cl->buf->last - cl->buf->pos;
    }

    p = ngx_pnalloc(r->pool, n + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    api->body.data = p;
    api->body.len = n;

    for (cl = bufs; cl; cl = cl->next) {
        /* one that is only the end has no bytes, and no place of them */
        if (cl->buf->pos) {
            p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
        }
    }

    *p = '\0';

    return NGX_OK;
}


ngx_int_t
ngx_http_reel_api_send(ngx_http_request_t *r, ngx_uint_t status,
    reel_buf_t *b)
{
    ngx_str_t  body, cache = ngx_string("no-store");

    reel_buf_addz(b, "\n");

    if (reel_buf_err(b) == REEL_LIMIT) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "reel: the answer "
                      "to %V has more than %uz bytes", &r->method_name,
                      b->max);
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_INTERNAL_SERVER_ERROR,
                                   "TOO_LARGE", "the answer would be too "
                                   "large; ask for fewer with ?limit=", 0);
    }

    if (reel_buf_err(b) != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reel: an answer: %s", reel_err_name(reel_buf_err(b)));
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_reel_to_pool(r, b, &body) != REEL_OK
        || ngx_http_reel_cors(r) != NGX_OK
        || ngx_http_reel_add_header(r, "Cache-Control", &cache) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_send(r, status, "application/json", &body);
}

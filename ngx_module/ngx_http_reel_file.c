/*
 * GET of a file that a program of the pipeline made (docs/pipelines.md,
 * exec).  Which object of the store that is says the asset's result.json
 * alone: the names of the request are compared with those in it, and are part
 * of no path.
 */

#include "ngx_module/ngx_http_reel_api.h"
#include "ngx_module/ngx_http_reel_play.h"


static ngx_int_t ngx_http_reel_file_refuse(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);
static ngx_buf_t *ngx_http_reel_file_buf(ngx_http_request_t *r,
    reel_object_t *object);
static ngx_int_t ngx_http_reel_file_headers(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);
static ngx_int_t ngx_http_reel_file_entity(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);
static ngx_int_t ngx_http_reel_file_name(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);
static const ngx_str_t *ngx_http_reel_file_type(reel_str_t name);


/* what no browser runs; other files are bytes to it */
static const struct {
    const char  *suffix;
    ngx_str_t    type;
} ngx_http_reel_file_types[] = {
    { ".vtt", ngx_string("text/vtt") },
    { ".json", ngx_string("application/json") },
    { ".txt", ngx_string("text/plain") },
    { ".jpg", ngx_string("image/jpeg") },
    { ".png", ngx_string("image/png") },
    { ".webp", ngx_string("image/webp") }
};


void
ngx_http_reel_file_open(void *data, ngx_log_t *log)
{
    ngx_http_reel_api_t  *api = data;

    reel_key_t  key;

    ngx_http_reel_api_load(api, log);

    if (api->err != REEL_OK || !ngx_http_reel_api_mine(api)
        || api->asset.state == REEL_ASSET_DELETED)
    {
        return;
    }

    api->made = reel_result_file(&api->asset.result, api->task, api->file);
    if (api->made == NULL) {
        return;
    }

    api->err = reel_key_object(key, reel_str(api->asset.id),
                               REEL_STR(REEL_FOLDER_FILE),
                               reel_str(api->made->object));

    if (api->err == REEL_OK) {
        api->err = reel_store_open(api->store, key, &api->object);
    }

    if (api->err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: file \"%s\" of task \"%s\" "
                      "of asset %s: %s", api->made->name, api->made->task,
                      api->asset.id, reel_err_name(api->err));
        api->err = REEL_IO;
    }
}


void
ngx_http_reel_file_send(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_api_t  *api = data;

    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_chain_t   out;

    rc = ngx_http_reel_file_refuse(r, api);

    if (rc != NGX_DECLINED) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    b = ngx_http_reel_file_buf(r, api->object);

    if (b == NULL || ngx_http_reel_file_headers(r, api) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    rc = ngx_http_reel_play_send_header(r);
    if (rc != NGX_DECLINED) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    out.buf = b;
    out.next = NULL;

    ngx_http_finalize_request(r, ngx_http_output_filter(r, &out));
}


/* NGX_DECLINED: there is a file, and it is what result.json says */
static ngx_int_t
ngx_http_reel_file_refuse(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_api_check(r, api);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (api->made == NULL) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_NOT_FOUND, "NOT_FOUND",
                                   "the asset has no such file", 0);
    }

    if (api->object->st.size != api->made->bytes) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reel: file \"%s\" of task \"%s\" of asset %s has %uL "
                      "bytes, result.json says %uL", api->made->name,
                      api->made->task, api->asset.id, api->object->st.size,
                      api->made->bytes);
        return ngx_http_reel_object_refuse(r, NGX_ABORT);
    }

    return NGX_DECLINED;
}


/* all of the object, which stays open as long as the request */
static ngx_buf_t *
ngx_http_reel_file_buf(ngx_http_request_t *r, reel_object_t *object)
{
    ngx_buf_t  *b;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NULL;
    }

    b->file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (b->file == NULL) {
        return NULL;
    }

    b->file->fd = object->fd;
    b->file->log = r->connection->log;
    ngx_str_set(&b->file->name, "a program's file");

    b->in_file = object->st.size ? 1 : 0;
    b->file_last = (off_t) object->st.size;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    return b;
}


static ngx_int_t
ngx_http_reel_file_headers(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    ngx_str_t             name;
    ngx_http_reel_ctx_t  *ctx;

    static ngx_str_t  cache = ngx_string("private, no-cache");
    static ngx_str_t  nosniff = ngx_string("nosniff");

    ctx = ngx_http_reel_get_ctx(r);

    if (ctx == NULL || ngx_http_reel_file_entity(r, api) != NGX_OK
        || ngx_http_reel_file_name(r, api->made->name, &name) != NGX_OK
        || ngx_http_reel_cors(r) != NGX_OK
        || ngx_http_reel_add_header(r, "Content-Disposition", &name) != NGX_OK
        || ngx_http_reel_add_header(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK
        || ngx_http_reel_add_header(r, "Cache-Control", &cache) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&ctx->status, "OK");

    return NGX_OK;
}


/* what the file is: size, time, type, tag */
static ngx_int_t
ngx_http_reel_file_entity(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    u_char     *p;
    ngx_str_t   etag;

    p = ngx_pnalloc(r->pool, sizeof(api->made->object) + sizeof("\"\""));
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* no other try of the task has this object */
    etag.data = p;
    etag.len = ngx_sprintf(p, "\"%s\"", api->made->object) - p;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t) api->made->bytes;
    r->headers_out.last_modified_time = api->asset.result.completed_ms / 1000;
    r->headers_out.content_type = *ngx_http_reel_file_type(
                                       reel_str(api->made->name));
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.etag = ngx_http_reel_push_header(r, "ETag", &etag);

    r->allow_ranges = 1;
    r->single_range = 1;

    return r->headers_out.etag ? NGX_OK : NGX_ERROR;
}


/* a result's names have no character that would end the quotes */
static ngx_int_t
ngx_http_reel_file_name(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, sizeof("attachment; filename=\"\"")
                             + ngx_strlen(name));
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    value->len = ngx_sprintf(p, "attachment; filename=\"%s\"", name) - p;

    return NGX_OK;
}


static const ngx_str_t *
ngx_http_reel_file_type(reel_str_t name)
{
    size_t      n;
    ngx_uint_t  i;

    static const ngx_str_t  bytes = ngx_string("application/octet-stream");

    for (i = 0; i < sizeof(ngx_http_reel_file_types)
                    / sizeof(ngx_http_reel_file_types[0]); i++)
    {
        n = ngx_strlen(ngx_http_reel_file_types[i].suffix);

        if (name.len > n
            && ngx_strncmp(name.p + name.len - n,
                           ngx_http_reel_file_types[i].suffix, n) == 0)
        {
            return &ngx_http_reel_file_types[i].type;
        }
    }

    return &bytes;
}

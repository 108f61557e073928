/* S3 HeadObject, and what the operations of its door share */

#include "ngx_module/ngx_http_reel_s3.h"

#include <time.h>

#include "lib/auth/query.h"


typedef struct {
    char      content_type[256];
    int64_t   mtime_ms;
} ngx_http_reel_s3_head_t;


static void ngx_http_reel_s3_release(void *data);
static void ngx_http_reel_s3_head_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static reel_err_t ngx_http_reel_s3_head_named(ngx_http_reel_door_t *door);
static reel_err_t ngx_http_reel_s3_head_asset(ngx_http_reel_door_t *door);
static void ngx_http_reel_s3_head_done(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_s3_head_send(ngx_http_reel_door_t *door);


/* ---- parameters ---- */

char *
ngx_http_reel_s3_arg(ngx_http_reel_door_t *door, const char *name)
{
    char        *value;
    reel_err_t   err;
    reel_str_t   query;

    value = ngx_pnalloc(door->request->pool, NGX_HTTP_REEL_NAME_MAX + 1);
    if (value == NULL) {
        return NULL;
    }

    query = (reel_str_t) { (char *) door->request->args.data,
                           door->request->args.len };

    err = reel_query_get_decoded(query, name, value,
                                 NGX_HTTP_REEL_NAME_MAX + 1);

    return err == REEL_OK || err == REEL_NOTFOUND ? value : NULL;
}


ngx_int_t
ngx_http_reel_s3_upload_id(ngx_http_reel_door_t *door)
{
    char  *id;

    id = ngx_http_reel_s3_arg(door, "uploadId");

    if (id == NULL || !reel_upload_id_valid(reel_str(id))) {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_FOUND,
                                           "NoSuchUpload", "there is no such "
                                           "upload: uploadId is none that "
                                           "was given here");
    }

    door->id.data = (u_char *) id;
    door->id.len = REEL_UPLOAD_ID_LEN;

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_reel_s3_number(ngx_http_reel_door_t *door, const char *name,
    uint64_t def, uint64_t min, uint64_t max, uint64_t *v)
{
    char    *value;
    u_char   detail[96];

    value = ngx_http_reel_s3_arg(door, name);

    if (value && value[0] == '\0') {
        *v = def;
        return NGX_DECLINED;
    }

    if (value && reel_str_u64(reel_str(value), max, v) == REEL_OK
        && *v >= min)
    {
        return NGX_DECLINED;
    }

    (void) ngx_snprintf(detail, sizeof(detail), "%s is not a number from %uL "
                        "to %uL%Z", name, min, max);

    return ngx_http_reel_params_bad(door, (char *) detail);
}


reel_buf_t *
ngx_http_reel_s3_buf(ngx_http_request_t *r, size_t max)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(reel_buf_t));
    if (cln == NULL) {
        return NULL;
    }

    reel_buf_init(cln->data, max);
    cln->handler = ngx_http_reel_s3_release;

    return cln->data;
}


static void
ngx_http_reel_s3_release(void *data)
{
    reel_buf_release(data);
}


void
ngx_http_reel_s3_time(reel_buf_t *b, int64_t ms)
{
    time_t     s;
    struct tm  tm;

    s = (time_t) (ms / 1000);

    if (gmtime_r(&s, &tm) == NULL) {
        return;
    }

    reel_buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                    tm.tm_min, tm.tm_sec, (int) (ms % 1000));
}


/* ---- answers ---- */

ngx_int_t
ngx_http_reel_s3_header(ngx_http_request_t *r, const char *name,
    const char *value)
{
    ngx_str_t  text;

    text.data = (u_char *) value;
    text.len = ngx_strlen(value);

    return ngx_http_reel_add_header(r, name, &text);
}


ngx_int_t
ngx_http_reel_s3_headers(ngx_http_reel_door_t *door, const char *asset)
{
    ngx_http_request_t   *r;
    ngx_http_reel_ctx_t  *ctx;

    r = door->request;

    if (ngx_http_reel_cors(r) != NGX_OK
        || ngx_http_reel_request_id(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (asset == NULL) {
        return NGX_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    ctx->asset.data = (u_char *) asset;
    ctx->asset.len = ngx_strlen(asset);

    return ngx_http_reel_add_header(r, "reel-asset", &ctx->asset);
}


ngx_int_t
ngx_http_reel_s3_send(ngx_http_reel_door_t *door, reel_buf_t *b)
{
    ngx_str_t  body;

    if (reel_buf_err(b) != REEL_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = b->data;
    body.len = b->len;

    return ngx_http_reel_send(door->request, NGX_HTTP_OK, "application/xml",
                              &body);
}


void
ngx_http_reel_s3_broken(ngx_http_reel_door_t *door, ngx_int_t rc)
{
    if (door->err != REEL_OK) {
        ngx_http_reel_payload_failed(door);
        return;
    }

    if (rc == NGX_ABORT) {
        ngx_http_reel_door_drop(door);
        return;
    }

    if (rc == NGX_HTTP_BAD_REQUEST && !door->request->connection->error) {
        ngx_http_reel_door_refuse(door, rc, "InvalidRequest",
                                  "the body is not framed as its headers "
                                  "say", 0);
        return;
    }

    ngx_http_reel_door_close(door, rc);
}


/* ---- HeadObject ---- */

ngx_int_t
ngx_http_reel_s3_head_object(ngx_http_reel_door_t *door)
{
    door->op = ngx_pcalloc(door->request->pool,
                           sizeof(ngx_http_reel_s3_head_t));

    return door->op
           && ngx_http_reel_door_post(door, ngx_http_reel_s3_head_work,
                                      ngx_http_reel_s3_head_done)
              == NGX_OK ? NGX_DONE : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_http_reel_s3_head_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = ngx_http_reel_s3_head_named(door);

    if (door->err == REEL_OK) {
        door->err = ngx_http_reel_s3_head_asset(door);
    }

    if (door->err != REEL_OK && door->err != REEL_NOTFOUND) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: the newest asset of a key cannot be found: %s",
                      reel_err_name(door->err));
    }
}


static reel_err_t
ngx_http_reel_s3_head_named(ngx_http_reel_door_t *door)
{
    char                      hash[2 * REEL_SHA256_LEN + 1];
    reel_buf_t                b;
    reel_err_t                err;
    reel_key_t                key;
    reel_store_stat_t         st;
    ngx_http_reel_s3_head_t  *head;

    head = door->op;

    err = reel_upload_key_hash(hash, door->auth.key->project,
                               (char *) door->bucket.data,
                               (char *) door->key.data);

    if (err == REEL_OK) {
        err = reel_key_name(key, reel_str(hash));
    }

    if (err == REEL_OK) {
        err = reel_store_stat(door->store, key, &st);
    }

    if (err != REEL_OK) {
        return err;
    }

    head->mtime_ms = st.mtime_ns / 1000000;

    err = reel_store_get(door->store, key, REEL_RECORD_MAX, &b);

    if (err == REEL_OK) {
        err = reel_named_parse(&door->named, (char *) b.data, b.len, NULL);
    }

    reel_buf_release(&b);

    return err;
}


/* it may have been deleted since */
static reel_err_t
ngx_http_reel_s3_head_asset(ngx_http_reel_door_t *door)
{
    reel_buf_t                b;
    reel_err_t                err;
    reel_key_t                key;
    reel_str_t                asset;
    reel_request_t            rq;
    reel_store_stat_t         st;
    ngx_http_reel_s3_head_t  *head;

    head = door->op;
    asset = reel_str(door->named.asset);

    err = reel_key_asset_part(key, asset, REEL_PART_TOMBSTONE);

    if (err == REEL_OK) {
        err = reel_store_stat(door->store, key, &st);
        err = err == REEL_OK ? REEL_NOTFOUND
                             : err == REEL_NOTFOUND ? REEL_OK : err;
    }

    if (err == REEL_OK) {
        err = reel_key_asset_part(key, asset, REEL_PART_REQUEST);
    }

    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_get(door->store, key, REEL_RECORD_MAX, &b);

    if (err == REEL_OK) {
        ngx_memzero(&rq, sizeof(reel_request_t));
        err = reel_request_parse(&rq, (char *) b.data, b.len, NULL);

        if (err == REEL_OK && rq.content_type) {
            (void) ngx_cpystrn((u_char *) head->content_type,
                               (u_char *) rq.content_type,
                               sizeof(head->content_type));
        }

        reel_request_release(&rq);
    }

    reel_buf_release(&b);

    return err;
}


static void
ngx_http_reel_s3_head_done(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_NOTFOUND) {
        ngx_http_reel_door_refuse(door, NGX_HTTP_NOT_FOUND, "NoSuchKey",
                                  "nothing was uploaded by this key", 0);
        return;
    }

    if (door->err != REEL_OK) {
        ngx_http_reel_door_failed(door);
        return;
    }

    ngx_http_reel_door_answer(door, ngx_http_reel_s3_head_send);
}


static ngx_int_t
ngx_http_reel_s3_head_send(ngx_http_reel_door_t *door)
{
    ngx_str_t                *type;
    ngx_http_request_t       *r;
    ngx_http_reel_s3_head_t  *head;

    r = door->request;
    head = door->op;

    if (ngx_http_reel_s3_headers(door, door->named.asset) != NGX_OK
        || ngx_http_reel_s3_header(r, "ETag", door->named.etag) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = door->named.size;
    r->headers_out.last_modified_time = head->mtime_ms / 1000;

    type = &r->headers_out.content_type;
    type->data = (u_char *) (head->content_type[0]
                             ? head->content_type
                             : "application/octet-stream");
    type->len = ngx_strlen(type->data);
    r->headers_out.content_type_len = type->len;

    return ngx_http_send_header(r);
}


ngx_int_t
ngx_http_reel_s3_object(ngx_http_reel_door_t *door)
{
    return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_ALLOWED,
                                       "MethodNotAllowed",
                                       door->request->method == NGX_HTTP_GET
                                       ? "sources are not handed out; an "
                                         "asset is played or asked for by "
                                         "the API"
                                       : "an object is not deleted here; the "
                                         "API deletes its asset");
}

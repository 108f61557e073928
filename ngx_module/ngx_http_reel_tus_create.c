/*
 * tus: creation, with or without the first bytes.  Either the client hears
 * of the upload, or nothing of it stays.
 */

#include "ngx_module/ngx_http_reel_tus.h"

#include "lib/base/hex.h"


static ngx_int_t ngx_http_reel_tus_create_kind(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_tus_create_length(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_tus_create_metadata(
    ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_tus_create_text(ngx_http_reel_door_t *door,
    const char *key, size_t max, char **text);
static ngx_int_t ngx_http_reel_tus_create_body(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_tus_create_payload(
    ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_tus_create_limits(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_create_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_tus_create_done(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_create_settled(ngx_http_reel_door_t *door,
    ngx_int_t rc);
static void ngx_http_reel_tus_create_undone(ngx_http_reel_door_t *door);


ngx_int_t
ngx_http_reel_tus_create(ngx_http_reel_door_t *door)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_tus_create_kind(door);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_tus_create_length(door);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_tus_create_metadata(door);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_tus_create_body(door);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_door_params(door);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_tus_create_limits(door);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (door->facts.concat) {
        return ngx_http_reel_tus_concat(door);
    }

    return ngx_http_reel_door_post(door, ngx_http_reel_tus_create_work,
                                   ngx_http_reel_tus_create_done)
           == NGX_OK ? NGX_DONE : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* ---- what the headers say ---- */

static ngx_int_t
ngx_http_reel_tus_create_kind(ngx_http_reel_door_t *door)
{
    size_t                i;
    ngx_str_t            *h;
    reel_str_t            v;
    ngx_http_reel_tus_t  *tus;

    h = ngx_http_reel_door_header(door->request, "upload-concat");
    if (h == NULL) {
        return NGX_DECLINED;
    }

    v.p = (char *) h->data;
    v.len = h->len;

    for (i = 0; i < v.len; i++) {
        if (v.p[i] < 0x20 || v.p[i] == 0x7f || i == REEL_UPLOAD_CONCAT_MAX) {
            return ngx_http_reel_params_bad(door, "Upload-Concat is too long "
                                            "or not ASCII");
        }
    }

    if (reel_str_eqz(v, "partial")) {
        door->facts.partial = 1;
        return NGX_DECLINED;
    }

    tus = door->op;

    if (reel_str_prefix(v, "final;")) {
        tus->urls.p = v.p + sizeof("final;") - 1;
        tus->urls.len = v.len - (sizeof("final;") - 1);

        /* nginx terminates the values of headers */
        door->facts.concat = (char *) h->data;
        return NGX_DECLINED;
    }

    return ngx_http_reel_params_bad(door, "Upload-Concat is neither partial "
                                    "nor final;<URLs>");
}


static ngx_int_t
ngx_http_reel_tus_create_length(ngx_http_reel_door_t *door)
{
    ngx_int_t   rc;
    ngx_str_t  *defer, *length;

    door->length = REEL_UPLOAD_UNKNOWN;

    length = ngx_http_reel_door_header(door->request, "upload-length");
    defer = ngx_http_reel_door_header(door->request, "upload-defer-length");

    if (door->facts.concat) {
        return length == NULL && defer == NULL ? NGX_DECLINED
               : ngx_http_reel_params_bad(door, "a final upload's length is "
                                          "that of its parts: send none");
    }

    rc = ngx_http_reel_tus_number(door, "upload-length", &door->length);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (defer && (defer->len != 1 || defer->data[0] != '1')) {
        return ngx_http_reel_params_bad(door, "Upload-Defer-Length can only "
                                        "be 1");
    }

    if ((length == NULL) == (defer == NULL)) {
        return ngx_http_reel_params_bad(door, "send either Upload-Length or "
                                        "Upload-Defer-Length");
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_tus_create_metadata(ngx_http_reel_door_t *door)
{
    ngx_int_t        rc;
    ngx_str_t       *h;
    reel_error_t     e;
    reel_request_t  *rq;

    rq = &door->facts.request;

    /* Content-Type is that of the protocol, never the film's */
    rq->content_type = "";

    h = ngx_http_reel_door_header(door->request, "upload-metadata");
    if (h == NULL || h->len == 0) {
        return NGX_DECLINED;
    }

    e.text[0] = '\0';

    if (reel_tus_metadata_check((reel_str_t) { (char *) h->data, h->len }, &e)
        != REEL_OK)
    {
        return ngx_http_reel_params_bad(door, e.text);
    }

    door->facts.metadata = (char *) h->data;

    rc = ngx_http_reel_tus_create_text(door, "filename",
                                       NGX_HTTP_REEL_NAME_MAX, &rq->name);

    return rc == NGX_DECLINED
           ? ngx_http_reel_tus_create_text(door, "filetype", 255,
                                           &rq->content_type)
           : rc;
}


/* leaves *text alone when the metadata has none */
static ngx_int_t
ngx_http_reel_tus_create_text(ngx_http_reel_door_t *door, const char *key,
    size_t max, char **text)
{
    char        *p;
    u_char      *detail;
    reel_err_t   err;

    p = ngx_pnalloc(door->request->pool, max + 1);
    detail = ngx_pnalloc(door->request->pool, 96);

    if (p == NULL || detail == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    err = reel_tus_metadata_get(reel_str(door->facts.metadata), key, p,
                                max + 1);

    if (err == REEL_NOTFOUND || (err == REEL_OK && p[0] == '\0')) {
        return NGX_DECLINED;
    }

    if (err == REEL_OK) {
        *text = p;
        return NGX_DECLINED;
    }

    (void) ngx_snprintf(detail, 96, "Upload-Metadata: %s is %s%Z", key,
                        err == REEL_LIMIT ? "too long" : "not a line of text");

    return ngx_http_reel_params_bad(door, (char *) detail);
}


/* a body of another type is none: it is read and dropped */
static ngx_int_t
ngx_http_reel_tus_create_body(ngx_http_reel_door_t *door)
{
    ngx_int_t             rc;
    ngx_http_request_t   *r;
    ngx_http_reel_tus_t  *tus;

    r = door->request;
    tus = door->op;

    tus->body = ngx_http_reel_tus_typed(r)
                && (r->headers_in.chunked
                    || r->headers_in.content_length_n > 0);

    if (!tus->body) {
        return NGX_DECLINED;
    }

    if (door->facts.concat) {
        return ngx_http_reel_params_bad(door, "a final upload takes no "
                                        "bytes");
    }

    rc = ngx_http_reel_tus_checksum(door);

    return rc == NGX_DECLINED ? ngx_http_reel_tus_create_payload(door) : rc;
}


/* who signs in the header may sign what it is to bring */
static ngx_int_t
ngx_http_reel_tus_create_payload(ngx_http_reel_door_t *door)
{
    uint8_t               sum[REEL_SHA256_LEN];
    reel_str_t            hash;
    ngx_http_reel_tus_t  *tus;

    hash = reel_str(door->auth.payload_hash);

    if (reel_str_prefix(hash, "STREAMING-")) {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_IMPLEMENTED,
                                           "NotImplemented", "aws-chunked "
                                           "bodies are S3's alone");
    }

    if (hash.len != 2 * REEL_SHA256_LEN
        || reel_unhex(sum, sizeof(sum), hash) != REEL_OK)
    {
        return NGX_DECLINED;
    }

    if (ngx_http_reel_door_check(door, REEL_SUM_SHA256, sum) != REEL_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tus = door->op;
    tus->signed_body = door->nchecks;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_tus_create_limits(ngx_http_reel_door_t *door)
{
    uint64_t              body;
    ngx_http_reel_tus_t  *tus;

    tus = door->op;
    body = tus->body && door->request->headers_in.content_length_n > 0
           ? (uint64_t) door->request->headers_in.content_length_n : 0;

    if (door->facts.request.content_type[0] == '\0') {
        door->facts.request.content_type = NULL;
    }

    if (door->max
        && (body > door->max || (door->length != REEL_UPLOAD_UNKNOWN
                                 && door->length > door->max)))
    {
        return ngx_http_reel_params_refuse(door,
                                           NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                           "EntityTooLarge",
                                           ngx_http_reel_door_too_large(door));
    }

    if (body > door->length) {
        return ngx_http_reel_params_refuse(door,
                                           NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                           "EntityTooLarge", "the body is "
                                           "larger than Upload-Length");
    }

    return NGX_DECLINED;
}


/* ---- the upload ---- */

static void
ngx_http_reel_tus_create_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = ngx_http_reel_tus_free(door);

    if (door->err == REEL_OK) {
        door->err = ngx_http_reel_door_create(door, log);
        return;
    }

    if (door->err != REEL_EXISTS) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: upload %s: cannot begin: %s",
                      door->facts.id, reel_err_name(door->err));
    }
}


/* completion would find the same, but after all the bytes have come */
reel_err_t
ngx_http_reel_tus_free(ngx_http_reel_door_t *door)
{
    reel_err_t         err;
    reel_key_t         key;
    reel_store_stat_t  st;

    if (!door->fixed || door->facts.partial) {
        return REEL_OK;
    }

    err = reel_key_asset_part(key, reel_str(door->asset), REEL_PART_REQUEST);

    if (err == REEL_OK) {
        err = reel_store_stat(door->store, key, &st);
    }

    return err == REEL_OK ? REEL_EXISTS
                          : err == REEL_NOTFOUND ? REEL_OK : err;
}


static void
ngx_http_reel_tus_create_done(ngx_http_reel_door_t *door)
{
    ngx_http_reel_tus_t  *tus;

    if (door->err != REEL_OK) {
        ngx_http_reel_tus_failed(door);
        return;
    }

    ngx_http_reel_door_hold(door);

    tus = door->op;

    if (tus->body) {
        ngx_http_reel_door_append(door, ngx_http_reel_tus_create_settled);
        return;
    }

    ngx_http_reel_tus_create_settled(door, NGX_OK);
}


static void
ngx_http_reel_tus_create_settled(ngx_http_reel_door_t *door, ngx_int_t rc)
{
    if (rc == NGX_OK && door->err == REEL_OK) {

        if (ngx_http_reel_tus_whole(door->upload)) {
            ngx_http_reel_door_complete(door, ngx_http_reel_tus_created);
            return;
        }

        ngx_http_reel_tus_created(door);
        return;
    }

    door->rc = rc;

    if (ngx_http_reel_door_post(door, ngx_http_reel_door_undo,
                                ngx_http_reel_tus_create_undone)
        != NGX_OK)
    {
        ngx_http_reel_tus_create_undone(door);
    }
}


void
ngx_http_reel_tus_created(ngx_http_reel_door_t *door)
{
    ngx_str_t  url;

    if (door->err != REEL_OK) {
        ngx_http_reel_tus_failed(door);
        return;
    }

    if (ngx_http_reel_door_url(door, door->upload->facts.id, &url) != NGX_OK
        || ngx_http_reel_add_header(door->request, "Location", &url)
           != NGX_OK
        || ngx_http_reel_tus_stand(door) != NGX_OK)
    {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_reel_tus_answer(door, NGX_HTTP_CREATED);
}


static void
ngx_http_reel_tus_create_undone(ngx_http_reel_door_t *door)
{
    ngx_http_reel_tus_broken(door, door->rc);
}

/*
 * S3 CompleteMultipartUpload: the list of parts is read, laid beside what
 * was uploaded, and the parts become the source.  The same request has the
 * same answer for as long as the upload's record stands.
 */

#include "ngx_module/ngx_http_reel_s3.h"

#include "lib/upload/complete_check.h"


typedef struct {
    reel_buf_t              *body;
    reel_complete_t          list;
    reel_complete_whole_t    whole;     /* that the request names */
    reel_complete_whole_t    told;      /* in the answer */
    uint64_t                 size;      /* x-amz-mp-object-size */
    ngx_uint_t               status;    /* of a refusal found in the pool */
    const char              *code;      /* … NULL: none */
} ngx_http_reel_complete_t;


static void ngx_http_reel_complete_cleanup(void *data);
static ngx_int_t ngx_http_reel_complete_headers(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_complete_sum(ngx_http_reel_door_t *door,
    ngx_str_t *name, ngx_str_t *value);
static void ngx_http_reel_complete_write(void *data, ngx_log_t *log);
static reel_err_t ngx_http_reel_complete_sink(ngx_http_reel_door_t *door,
    const void *p, size_t n);
static void ngx_http_reel_complete_finish(void *data, ngx_log_t *log);
static ngx_int_t ngx_http_reel_complete_written(void *data);
static void ngx_http_reel_complete_finished(ngx_http_request_t *r,
    void *data);
static void ngx_http_reel_complete_broken(ngx_http_request_t *r, void *data,
    ngx_int_t rc);
static void ngx_http_reel_complete_claimed(ngx_http_reel_door_t *door);
static void ngx_http_reel_complete_join(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static reel_err_t ngx_http_reel_complete_fits(ngx_http_reel_door_t *door);
static reel_err_t ngx_http_reel_complete_same(ngx_http_reel_door_t *door);
static reel_err_t ngx_http_reel_complete_wrong(ngx_http_reel_door_t *door,
    const char *code, reel_error_t *e);
static void ngx_http_reel_complete_joined(ngx_http_reel_door_t *door);
static void ngx_http_reel_complete_failed(ngx_http_reel_door_t *door,
    ngx_int_t rc);
static void ngx_http_reel_complete_done(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_complete_send(ngx_http_reel_door_t *door);
static void ngx_http_reel_complete_print(ngx_http_reel_door_t *door,
    reel_buf_t *b);
static void ngx_http_reel_complete_location(ngx_http_request_t *r,
    reel_buf_t *b);


ngx_int_t
ngx_http_reel_multipart_complete(ngx_http_reel_door_t *door)
{
    ngx_int_t                  rc;
    ngx_pool_cleanup_t        *cln;
    ngx_http_reel_body_t      *body;
    ngx_http_reel_complete_t  *op;

    cln = ngx_pool_cleanup_add(door->request->pool,
                               sizeof(ngx_http_reel_complete_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    op = cln->data;
    ngx_memzero(op, sizeof(ngx_http_reel_complete_t));
    cln->handler = ngx_http_reel_complete_cleanup;
    door->op = op;

    op->body = ngx_http_reel_s3_buf(door->request, REEL_COMPLETE_MAX);
    if (op->body == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_s3_upload_id(door);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_payload_open(door, NGX_HTTP_REEL_PAYLOAD_MESSAGE);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_complete_headers(door);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    /* the pump, though it is small: the pool checks and reads it then */
    body = &door->body;
    body->data = door;
    body->write = ngx_http_reel_complete_write;
    body->finish = ngx_http_reel_complete_finish;
    body->written = ngx_http_reel_complete_written;
    body->finished = ngx_http_reel_complete_finished;
    body->broken = ngx_http_reel_complete_broken;
    body->max = NGX_MAX_OFF_T_VALUE;

    ngx_http_reel_body_read(door->request, body);

    return NGX_DONE;
}


static void
ngx_http_reel_complete_cleanup(void *data)
{
    ngx_http_reel_complete_t  *op = data;

    reel_complete_release(&op->list);
}


/* ---- the request ---- */

/* here they are about the whole, not about this body */
static ngx_int_t
ngx_http_reel_complete_headers(ngx_http_reel_door_t *door)
{
    ngx_int_t                  rc;
    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_list_part_t           *part;
    ngx_table_elt_t           *h;
    ngx_http_reel_complete_t  *op;

    op = door->op;
    op->size = REEL_UPLOAD_UNKNOWN;

    value = ngx_http_reel_door_header(door->request, "x-amz-mp-object-size");

    if (value
        && reel_str_u64((reel_str_t) { (char *) value->data, value->len },
                        INT64_MAX, &op->size)
           != REEL_OK)
    {
        return ngx_http_reel_params_bad(door, "x-amz-mp-object-size is not a "
                                        "number of bytes");
    }

    for (part = &door->request->headers_in.headers.part;
         part;
         part = part->next)
    {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            rc = ngx_http_reel_complete_sum(door, &h[i].key, &h[i].value);

            if (rc != NGX_DECLINED) {
                return rc;
            }
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_reel_complete_sum(ngx_http_reel_door_t *door, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_int_t                  rc;
    reel_str_t                 text;
    reel_sum_kind_t            kind;
    ngx_http_reel_complete_t  *op;

    op = door->op;

    text = (reel_str_t) { (char *) name->data, name->len };
    rc = ngx_http_reel_payload_kind(door, text, &kind);

    if (rc != NGX_DECLINED || kind == REEL_SUM_NONE) {
        return rc;
    }

    text = (reel_str_t) { (char *) value->data, value->len };

    return reel_complete_whole_parse(&op->whole, kind, text)
           == REEL_OK ? NGX_DECLINED
           : ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                         "InvalidRequest", "the value of the "
                                         "x-amz-checksum- header is no "
                                         "checksum of its kind");
}


/* ---- the body ---- */

static void
ngx_http_reel_complete_write(void *data, ngx_log_t *log)
{
    ngx_http_reel_door_t  *door = data;

    door->err = ngx_http_reel_payload_take(door, ngx_http_reel_complete_sink);
}


static reel_err_t
ngx_http_reel_complete_sink(ngx_http_reel_door_t *door, const void *p,
    size_t n)
{
    reel_err_t                 err;
    reel_error_t               e;
    ngx_http_reel_complete_t  *op;

    op = door->op;

    reel_buf_add(op->body, p, n);
    err = reel_buf_err(op->body);

    if (err != REEL_LIMIT) {
        return err;
    }

    (void) reel_fail(&e, err, "a list of parts may have %u bytes at most",
                     REEL_COMPLETE_MAX);
    (void) ngx_http_reel_complete_wrong(door, "EntityTooLarge", &e);
    op->status = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;

    return REEL_BADDATA;
}


static void
ngx_http_reel_complete_finish(void *data, ngx_log_t *log)
{
    ngx_http_reel_door_t  *door = data;

    reel_error_t               e;
    ngx_http_reel_complete_t  *op;

    op = door->op;

    ngx_http_reel_complete_write(data, log);

    if (door->err == REEL_OK) {
        door->err = ngx_http_reel_payload_verify(door);
    }

    if (door->err != REEL_OK) {
        return;
    }

    e.text[0] = '\0';
    door->err = reel_complete_parse(&op->list, reel_buf_cstr(op->body),
                                    op->body->len, &e);

    if (door->err == REEL_BADDATA || door->err == REEL_LIMIT) {
        door->err = ngx_http_reel_complete_wrong(door, "MalformedXML", &e);
        return;
    }

    if (door->err == REEL_OK) {
        op->told = op->whole;

        if (op->told.kind == REEL_SUM_NONE) {
            door->err = reel_complete_composite(&op->told, &op->list);
        }
    }
}


static ngx_int_t
ngx_http_reel_complete_written(void *data)
{
    ngx_http_reel_door_t  *door = data;

    return door->err == REEL_OK ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_reel_complete_finished(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_door_t  *door = data;

    if (door->err == REEL_OK) {
        ngx_http_reel_door_claim(door, 0, ngx_http_reel_complete_claimed);
        return;
    }

    ngx_http_reel_complete_failed(door, NGX_OK);
}


static void
ngx_http_reel_complete_broken(ngx_http_request_t *r, void *data,
    ngx_int_t rc)
{
    ngx_http_reel_complete_failed(data, rc);
}


/* ---- the end of the upload ---- */

static void
ngx_http_reel_complete_claimed(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK
        || ngx_http_reel_door_post(door, ngx_http_reel_complete_join,
                                   ngx_http_reel_complete_joined)
           != NGX_OK)
    {
        ngx_http_reel_complete_failed(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


static void
ngx_http_reel_complete_join(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    size_t                     bad;
    ngx_http_reel_complete_t  *op;

    op = door->op;

    switch (door->upload->state.phase) {

    case REEL_UPLOAD_OPEN:
        door->err = ngx_http_reel_complete_fits(door);

        if (door->err == REEL_OK) {
            door->err = reel_upload_join(door->upload, op->list.numbers,
                                         op->list.tags, op->list.n, &bad);
        }

        break;

    case REEL_UPLOAD_COMPLETING:
    case REEL_UPLOAD_COMPLETE:
        door->err = ngx_http_reel_complete_same(door);
        break;

    default:
        door->err = REEL_NOTFOUND;
    }

    switch (door->err) {

    case REEL_OK:
    case REEL_NOTFOUND:
    case REEL_BADDATA:
    case REEL_LIMIT:
    case REEL_DENIED:
        break;

    default:
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: the parts of upload %s cannot be joined: %s",
                      door->upload->facts.id, reel_err_name(door->err));
    }
}


static reel_err_t
ngx_http_reel_complete_fits(ngx_http_reel_door_t *door)
{
    size_t                     n;
    reel_err_t                 err;
    reel_error_t               e;
    reel_upload_part_t        *parts;
    reel_complete_fit_t        fit;
    ngx_http_reel_complete_t  *op;

    static const char *const  codes[] = {
        [REEL_COMPLETE_ORDER] = "InvalidPartOrder",
        [REEL_COMPLETE_PART] = "InvalidPart",
        [REEL_COMPLETE_SMALL] = "EntityTooSmall",
        [REEL_COMPLETE_SIZE] = "InvalidRequest",
        [REEL_COMPLETE_DIGEST] = "BadDigest",
        [REEL_COMPLETE_UNKNOWN] = "InvalidRequest"
    };

    op = door->op;

    err = reel_upload_parts(door->upload, &parts, &n);
    if (err != REEL_OK) {
        return err;
    }

    e.text[0] = '\0';
    fit = reel_complete_check(&op->list, parts, n, op->size, &op->whole, &e);

    ngx_free(parts);

    if (fit == REEL_COMPLETE_FITS) {
        return REEL_OK;
    }

    return fit == REEL_COMPLETE_NOMEM
           ? REEL_NOMEM
           : ngx_http_reel_complete_wrong(door, codes[fit], &e);
}


/* what of the list is known still once the parts are gone */
static reel_err_t
ngx_http_reel_complete_same(ngx_http_reel_door_t *door)
{
    reel_error_t               e;
    ngx_http_reel_complete_t  *op;

    op = door->op;

    if (op->list.n == door->upload->state.nparts
        && (op->size == REEL_UPLOAD_UNKNOWN
            || op->size == door->upload->state.length))
    {
        return REEL_OK;
    }

    (void) reel_fail(&e, REEL_BADDATA, "the upload was completed with "
                     "another list of parts");

    return ngx_http_reel_complete_wrong(door, "InvalidPart", &e);
}


static reel_err_t
ngx_http_reel_complete_wrong(ngx_http_reel_door_t *door, const char *code,
    reel_error_t *e)
{
    ngx_http_reel_complete_t  *op;

    op = door->op;

    op->status = NGX_HTTP_BAD_REQUEST;
    op->code = code;

    (void) ngx_cpystrn((u_char *) door->why, (u_char *) e->text,
                       sizeof(door->why));

    return REEL_BADDATA;
}


static void
ngx_http_reel_complete_joined(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK) {
        ngx_http_reel_door_complete(door, ngx_http_reel_complete_done);
        return;
    }

    ngx_http_reel_complete_failed(door, NGX_OK);
}


static void
ngx_http_reel_complete_failed(ngx_http_reel_door_t *door, ngx_int_t rc)
{
    ngx_http_reel_complete_t  *op;

    op = door->op;

    if (door->err == REEL_BADDATA && op->code) {
        ngx_http_reel_door_refuse(door, op->status, op->code,
                                  door->why[0] ? door->why
                                               : "the list of parts is not "
                                                 "right", 0);
        return;
    }

    ngx_http_reel_s3_broken(door, rc);
}


static void
ngx_http_reel_complete_done(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK) {
        ngx_http_reel_door_answer(door, ngx_http_reel_complete_send);
        return;
    }

    ngx_http_reel_door_failed(door);
}


/* ---- the answer ---- */

static ngx_int_t
ngx_http_reel_complete_send(ngx_http_reel_door_t *door)
{
    reel_buf_t  *b;

    b = ngx_http_reel_s3_buf(door->request, 64 * 1024);

    if (b == NULL
        || ngx_http_reel_s3_headers(door, door->named.asset) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_reel_complete_print(door, b);

    return ngx_http_reel_s3_send(door, b);
}


static void
ngx_http_reel_complete_print(ngx_http_reel_door_t *door, reel_buf_t *b)
{
    char                       name[32], sum[REEL_COMPLETE_SUM_TEXT];
    ngx_http_reel_complete_t  *op;

    op = door->op;

    reel_buf_addz(b, NGX_HTTP_REEL_S3_XML "<CompleteMultipartUploadResult "
                  NGX_HTTP_REEL_S3_XMLNS ">");
    ngx_http_reel_complete_location(door->request, b);
    reel_xml_elementz(b, "Bucket", (char *) door->bucket.data);
    reel_xml_elementz(b, "Key", (char *) door->key.data);
    reel_xml_elementz(b, "ETag", door->named.etag);

    if (op->told.kind != REEL_SUM_NONE) {
        (void) ngx_snprintf((u_char *) name, sizeof(name), "Checksum%s%Z",
                            reel_sum_s3(op->told.kind));
        reel_complete_whole_print(sum, &op->told);
        reel_xml_elementz(b, name, sum);
        reel_xml_elementz(b, "ChecksumType", op->told.composite
                                             ? "COMPOSITE" : "FULL_OBJECT");
    }

    reel_buf_addz(b, "</CompleteMultipartUploadResult>\n");
}


/* as the client asked for it; without a Host, the path alone */
static void
ngx_http_reel_complete_location(ngx_http_request_t *r, reel_buf_t *b)
{
    reel_str_t   uri, rest;
    ngx_str_t   *host;

    uri = (reel_str_t) { (char *) r->unparsed_uri.data, r->unparsed_uri.len };

    reel_buf_addz(b, "<Location>");

    if (r->headers_in.host) {
        host = &r->headers_in.host->value;
#if (NGX_HTTP_SSL)
        reel_buf_addz(b, r->connection->ssl ? "https://" : "http://");
#else
        reel_buf_addz(b, "http://");
#endif
        reel_xml_text(b, (reel_str_t) { (char *) host->data, host->len });
    }

    reel_xml_text(b, reel_str_cut(uri, '?', &rest));
    reel_buf_addz(b, "</Location>");
}

/*
 * S3 UploadPart: the body goes to its place among the parts (lib/upload
 * knows which), is checked on the way, and counts once it is durable: only
 * then is there an ETag.  A newer request for the same part takes it over.
 */

#include "ngx_module/ngx_http_reel_s3.h"

#include "lib/upload/complete_xml.h"


#define NGX_HTTP_REEL_PART_MAX  ((uint64_t) 5 * 1024 * 1024 * 1024)


typedef struct {
    reel_upload_part_t  part;
    uint64_t            at;         /* bytes of it written */
    uint64_t            number;
} ngx_http_reel_part_t;


static ngx_int_t ngx_http_reel_part_length(ngx_http_reel_door_t *door);
static void ngx_http_reel_part_claimed(ngx_http_reel_door_t *door);
static void ngx_http_reel_part_begin(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static reel_err_t ngx_http_reel_part_room(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_part_begun(ngx_http_reel_door_t *door);
static void ngx_http_reel_part_write(void *data, ngx_log_t *log);
static reel_err_t ngx_http_reel_part_sink(ngx_http_reel_door_t *door,
    const void *p, size_t n);
static void ngx_http_reel_part_finish(void *data, ngx_log_t *log);
static ngx_uint_t ngx_http_reel_part_more(void *data);
static ngx_int_t ngx_http_reel_part_written(void *data);
static void ngx_http_reel_part_finished(ngx_http_request_t *r, void *data);
static void ngx_http_reel_part_broken(ngx_http_request_t *r, void *data,
    ngx_int_t rc);
static ngx_int_t ngx_http_reel_part_send(ngx_http_reel_door_t *door);


ngx_int_t
ngx_http_reel_part_put(ngx_http_reel_door_t *door)
{
    ngx_int_t                  rc;
    ngx_http_reel_part_t      *op;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(door->request, ngx_http_reel_module);

    door->min_free = rlcf->upload_min_free;
    door->root = (char *) rlcf->root.data;

    op = ngx_pcalloc(door->request->pool, sizeof(ngx_http_reel_part_t));
    if (op == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    door->op = op;

    rc = ngx_http_reel_s3_number(door, "partNumber", 0, 1,
                                 REEL_UPLOAD_PARTS_MAX, &op->number);

    if (rc == NGX_DECLINED && op->number == 0) {
        rc = ngx_http_reel_params_bad(door, "uploadId without partNumber");
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_s3_upload_id(door);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_payload_open(door, NGX_HTTP_REEL_PAYLOAD_PART);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_part_length(door);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_http_reel_door_claim(door, op->number, ngx_http_reel_part_claimed);

    return NGX_DONE;
}


/* its place is chosen by it */
static ngx_int_t
ngx_http_reel_part_length(ngx_http_reel_door_t *door)
{
    if (door->length == REEL_UPLOAD_UNKNOWN) {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_LENGTH_REQUIRED,
                                           "MissingContentLength", "send the "
                                           "length of the part by "
                                           "Content-Length or "
                                           "x-amz-decoded-content-length");
    }

    if (door->length > NGX_HTTP_REEL_PART_MAX) {
        return ngx_http_reel_params_refuse(door,
                                           NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                           "EntityTooLarge", "a part may "
                                           "have 5368709120 bytes at most; "
                                           "send more parts");
    }

    return NGX_DECLINED;
}


static void
ngx_http_reel_part_claimed(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK
        || ngx_http_reel_door_post(door, ngx_http_reel_part_begin,
                                   ngx_http_reel_part_begun)
           != NGX_OK)
    {
        ngx_http_reel_s3_broken(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


static void
ngx_http_reel_part_begin(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    ngx_http_reel_part_t  *op;

    op = door->op;

    door->err = door->upload->state.phase == REEL_UPLOAD_OPEN
                ? ngx_http_reel_part_room(door, log) : REEL_NOTFOUND;

    if (door->err == REEL_OK) {
        door->err = reel_upload_part_begin(door->upload, door->length,
                                           door->now_ms, &op->part);
    }

    switch (door->err) {

    case REEL_OK:
    case REEL_NOTFOUND:
    case REEL_LIMIT:
    case REEL_NOSPACE:
    case REEL_DENIED:
        break;

    default:
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s: part %uL cannot begin: %s",
                      door->upload->facts.id, op->number,
                      reel_err_name(door->err));
    }
}


/* nothing was set aside for it when the upload was created */
static reel_err_t
ngx_http_reel_part_room(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_err_t  err;

    err = ngx_http_reel_door_space(door, log);

    if (err == REEL_NOSPACE) {
        (void) ngx_cpystrn((u_char *) door->why,
                           (u_char *) "the server's disk is nearly full "
                           "(reel_upload_min_free): no part is taken now, "
                           "those that are here stay", sizeof(door->why));
    }

    return err;
}


static void
ngx_http_reel_part_begun(ngx_http_reel_door_t *door)
{
    ngx_http_reel_body_t  *body;

    if (door->err != REEL_OK) {
        ngx_http_reel_s3_broken(door, NGX_OK);
        return;
    }

    body = &door->body;
    body->data = door;
    body->write = ngx_http_reel_part_write;
    body->more = ngx_http_reel_part_more;
    body->finish = ngx_http_reel_part_finish;
    body->written = ngx_http_reel_part_written;
    body->finished = ngx_http_reel_part_finished;
    body->broken = ngx_http_reel_part_broken;
    body->max = NGX_MAX_OFF_T_VALUE;
    body->offset = ((ngx_http_reel_part_t *) door->op)->part.offset;

    /* no flush on the way: its end waits for the disk, and gains nothing */

    ngx_http_reel_body_read(door->request, body);
}


static void
ngx_http_reel_part_write(void *data, ngx_log_t *log)
{
    ngx_http_reel_door_t  *door = data;

    door->err = ngx_http_reel_payload_take(door, ngx_http_reel_part_sink);

    if (door->err != REEL_OK && door->err != REEL_DENIED
        && door->err != REEL_BADDATA)
    {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s: part %ui cannot be written: %s",
                      door->upload->facts.id, door->turn,
                      reel_err_name(door->err));
    }
}


static reel_err_t
ngx_http_reel_part_sink(ngx_http_reel_door_t *door, const void *p, size_t n)
{
    reel_err_t             err;
    ngx_http_reel_part_t  *op;

    op = door->op;

    err = reel_upload_part_write(door->upload, &op->part, op->at, p, n);
    op->at += n;

    return err;
}


static void
ngx_http_reel_part_finish(void *data, ngx_log_t *log)
{
    ngx_http_reel_door_t  *door = data;

    ngx_http_reel_part_t     *op;
    ngx_http_reel_payload_t  *payload;

    op = door->op;
    payload = door->payload;

    ngx_http_reel_part_write(data, log);

    if (door->err == REEL_OK) {
        door->err = ngx_http_reel_payload_verify(door);
    }

    if (door->err != REEL_OK) {
        return;
    }

    op->part.sum_kind = payload->kind;
    ngx_memcpy(op->part.sum, payload->sum, REEL_SUM_MAX);

    door->err = reel_upload_part_finish(door->upload, &op->part,
                                        ngx_http_reel_door_now());

    if (door->err != REEL_OK && door->err != REEL_DENIED) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s: part %ui cannot be finished: %s",
                      door->upload->facts.id, door->turn,
                      reel_err_name(door->err));
    }
}


static ngx_uint_t
ngx_http_reel_part_more(void *data)
{
    ngx_http_reel_door_t  *door = data;

    return door->err == REEL_OK;
}


static ngx_int_t
ngx_http_reel_part_written(void *data)
{
    ngx_http_reel_door_t  *door = data;

    return door->err == REEL_OK ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_reel_part_finished(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_door_t  *door = data;

    if (door->err == REEL_OK) {
        ngx_http_reel_door_answer(door, ngx_http_reel_part_send);
        return;
    }

    ngx_http_reel_s3_broken(door, NGX_OK);
}


/* what came of it is of no use: it is not on record */
static void
ngx_http_reel_part_broken(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    ngx_http_reel_s3_broken(data, rc);
}


static ngx_int_t
ngx_http_reel_part_send(ngx_http_reel_door_t *door)
{
    char                  *etag;
    ngx_str_t              empty;
    ngx_http_request_t    *r;
    ngx_http_reel_part_t  *op;

    r = door->request;
    op = door->op;

    etag = ngx_pnalloc(r->pool, REEL_PART_ETAG_LEN + 1);
    if (etag == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    reel_part_etag(etag, op->part.tag);

    if (ngx_http_reel_s3_headers(door, NULL) != NGX_OK
        || ngx_http_reel_s3_header(r, "ETag", etag) != NGX_OK
        || ngx_http_reel_payload_echo(door) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&empty);

    return ngx_http_reel_send(r, NGX_HTTP_OK, "text/plain", &empty);
}

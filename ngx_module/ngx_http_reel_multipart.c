/*
 * S3 CreateMultipartUpload and AbortMultipartUpload; the parts in between
 * are ngx_http_reel_part.c, the end is ngx_http_reel_complete.c.
 */

#include "ngx_module/ngx_http_reel_s3.h"


static ngx_int_t ngx_http_reel_multipart_sums(ngx_http_reel_door_t *door);
static void ngx_http_reel_multipart_create_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static reel_err_t ngx_http_reel_multipart_free(ngx_http_reel_door_t *door);
static void ngx_http_reel_multipart_created(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_multipart_send(ngx_http_reel_door_t *door);
static void ngx_http_reel_multipart_claimed(ngx_http_reel_door_t *door);
static void ngx_http_reel_multipart_abort_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_multipart_aborted(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_multipart_gone(ngx_http_reel_door_t *door);


/* ---- create ---- */

ngx_int_t
ngx_http_reel_multipart_create(ngx_http_reel_door_t *door)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_door_params(door);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_multipart_sums(door);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_discard_request_body(door->request);
    if (rc != NGX_OK) {
        return rc;
    }

    door->facts.door = REEL_UPLOAD_MULTIPART;
    door->length = REEL_UPLOAD_UNKNOWN;

    return ngx_http_reel_door_post(door, ngx_http_reel_multipart_create_work,
                                   ngx_http_reel_multipart_created)
           == NGX_OK ? NGX_DONE : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* parts say themselves which checksum they have; what none has is refused */
static ngx_int_t
ngx_http_reel_multipart_sums(ngx_http_reel_door_t *door)
{
    ngx_str_t   *value;
    reel_str_t   name;

    value = ngx_http_reel_door_header(door->request,
                                      "x-amz-checksum-algorithm");
    if (value == NULL) {
        return NGX_DECLINED;
    }

    name = (reel_str_t) { (char *) value->data, value->len };

    if (reel_sum_by_s3(name) != REEL_SUM_NONE) {
        return NGX_DECLINED;
    }

    return ngx_http_reel_params_refuse(door, NGX_HTTP_NOT_IMPLEMENTED,
                                       "NotImplemented", "checksums are "
                                       "CRC32, CRC32C, CRC64NVME, SHA1 and "
                                       "SHA256 here");
}


static void
ngx_http_reel_multipart_create_work(ngx_http_reel_door_t *door,
    ngx_log_t *log)
{
    door->err = door->fixed ? ngx_http_reel_multipart_free(door) : REEL_OK;

    if (door->err == REEL_OK) {
        door->err = ngx_http_reel_door_create(door, log);
        return;
    }

    if (door->err != REEL_EXISTS) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s cannot be created: %s",
                      door->facts.id, reel_err_name(door->err));
    }
}


/* told now rather than after all parts: the completion looks again */
static reel_err_t
ngx_http_reel_multipart_free(ngx_http_reel_door_t *door)
{
    reel_err_t         err;
    reel_key_t         key;
    reel_store_stat_t  st;

    err = reel_key_asset_part(key, reel_str(door->asset), REEL_PART_REQUEST);

    if (err == REEL_OK) {
        err = reel_store_stat(door->store, key, &st);
    }

    return err == REEL_OK ? REEL_EXISTS : err == REEL_NOTFOUND ? REEL_OK : err;
}


static void
ngx_http_reel_multipart_created(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK) {
        ngx_http_reel_door_answer(door, ngx_http_reel_multipart_send);
        return;
    }

    ngx_http_reel_door_failed(door);
}


static ngx_int_t
ngx_http_reel_multipart_send(ngx_http_reel_door_t *door)
{
    ngx_str_t           *value;
    reel_buf_t          *b;
    ngx_uint_t           i;
    ngx_http_request_t  *r;

    static const char *const  echoed[] = {
        "x-amz-checksum-algorithm", "x-amz-checksum-type"
    };

    r = door->request;

    b = ngx_http_reel_s3_buf(r, 16 * 1024);

    if (b == NULL || ngx_http_reel_s3_headers(door, door->asset) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (i = 0; i < sizeof(echoed) / sizeof(echoed[0]); i++) {
        value = ngx_http_reel_door_header(r, echoed[i]);

        if (value
            && ngx_http_reel_add_header(r, echoed[i], value) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    reel_buf_addz(b, NGX_HTTP_REEL_S3_XML "<InitiateMultipartUploadResult "
                  NGX_HTTP_REEL_S3_XMLNS ">");
    reel_xml_elementz(b, "Bucket", (char *) door->bucket.data);
    reel_xml_elementz(b, "Key", (char *) door->key.data);
    reel_xml_elementz(b, "UploadId", door->facts.id);
    reel_buf_addz(b, "</InitiateMultipartUploadResult>\n");

    return ngx_http_reel_s3_send(door, b);
}


/* ---- abort ---- */

ngx_int_t
ngx_http_reel_multipart_abort(ngx_http_reel_door_t *door)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_s3_upload_id(door);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_discard_request_body(door->request);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_reel_door_claim(door, 0, ngx_http_reel_multipart_claimed);

    return NGX_DONE;
}


static void
ngx_http_reel_multipart_claimed(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK
        || ngx_http_reel_door_post(door, ngx_http_reel_multipart_abort_work,
                                   ngx_http_reel_multipart_aborted)
           != NGX_OK)
    {
        ngx_http_reel_s3_broken(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


/* again while the record stands is no error; what is complete stays */
static void
ngx_http_reel_multipart_abort_work(ngx_http_reel_door_t *door,
    ngx_log_t *log)
{
    switch (door->upload->state.phase) {

    case REEL_UPLOAD_OPEN:
    case REEL_UPLOAD_ABORTED:
        ngx_http_reel_door_abort(door, log);
        break;

    default:
        door->err = REEL_NOTFOUND;
    }
}


static void
ngx_http_reel_multipart_aborted(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK) {
        ngx_http_reel_door_answer(door, ngx_http_reel_multipart_gone);
        return;
    }

    ngx_http_reel_door_failed(door);
}


static ngx_int_t
ngx_http_reel_multipart_gone(ngx_http_reel_door_t *door)
{
    ngx_http_request_t  *r;

    r = door->request;

    if (ngx_http_reel_s3_headers(door, NULL) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}

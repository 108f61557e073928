/* tus: PATCH, the bytes of an upload */

#include "ngx_module/ngx_http_reel_tus.h"


static void ngx_http_reel_tus_patch_claimed(ngx_http_reel_door_t *door);
static ngx_uint_t ngx_http_reel_tus_patch_refused(ngx_http_reel_door_t *door);
static ngx_uint_t ngx_http_reel_tus_patch_over(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_length_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_tus_length_done(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_patch_append(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_patch_settled(ngx_http_reel_door_t *door,
    ngx_int_t rc);
static void ngx_http_reel_tus_patch_answer(ngx_http_reel_door_t *door);


ngx_int_t
ngx_http_reel_tus_patch(ngx_http_reel_door_t *door)
{
    ngx_int_t             rc;
    ngx_http_reel_tus_t  *tus;

    tus = door->op;

    if (!ngx_http_reel_tus_typed(door->request)) {
        return ngx_http_reel_params_refuse(door,
                                           NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                           "UnsupportedMediaType",
                                           "Content-Type must be application/"
                                           "offset+octet-stream");
    }

    tus->offset = REEL_UPLOAD_UNKNOWN;
    rc = ngx_http_reel_tus_number(door, "upload-offset", &tus->offset);

    if (rc == NGX_DECLINED && tus->offset == REEL_UPLOAD_UNKNOWN) {
        rc = ngx_http_reel_params_bad(door, "Upload-Offset is missing");
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_tus_number(door, "upload-length", &tus->length);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_tus_checksum(door);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_http_reel_door_claim(door, 0, ngx_http_reel_tus_patch_claimed);

    return NGX_DONE;
}


static void
ngx_http_reel_tus_patch_claimed(ngx_http_reel_door_t *door)
{
    ngx_http_reel_tus_t  *tus;

    if (!ngx_http_reel_tus_ours(door) || ngx_http_reel_tus_gone(door)
        || ngx_http_reel_tus_patch_refused(door))
    {
        return;
    }

    if (door->upload->state.phase != REEL_UPLOAD_OPEN) {
        /* said again: there is nothing to add */
        ngx_http_reel_tus_patch_settled(door, NGX_OK);
        return;
    }

    tus = door->op;

    if (tus->length == REEL_UPLOAD_UNKNOWN
        || door->upload->state.length != REEL_UPLOAD_UNKNOWN)
    {
        ngx_http_reel_tus_patch_append(door);
        return;
    }

    if (ngx_http_reel_door_post(door, ngx_http_reel_tus_length_work,
                                ngx_http_reel_tus_length_done)
        != NGX_OK)
    {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


/* nothing has changed when it was; the right offset is told in any case */
static ngx_uint_t
ngx_http_reel_tus_patch_refused(ngx_http_reel_door_t *door)
{
    uint64_t                    offset;
    ngx_http_reel_tus_t        *tus;
    const reel_upload_state_t  *st;

    tus = door->op;
    st = &door->upload->state;
    offset = st->phase == REEL_UPLOAD_OPEN ? st->offset : st->length;

    if (door->upload->facts.concat) {
        ngx_http_reel_door_refuse(door, NGX_HTTP_FORBIDDEN, "UploadFinal",
                                  "a final upload takes no bytes", 0);
        return 1;
    }

    if (tus->offset != offset) {
        if (ngx_http_reel_tus_stand(door) != NGX_OK) {
            ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return 1;
        }

        ngx_http_reel_door_refuse(door, NGX_HTTP_CONFLICT, "OffsetMismatch",
                                  "Upload-Offset is not where the upload "
                                  "stands; the answer's Upload-Offset is", 1);
        return 1;
    }

    if (tus->length == REEL_UPLOAD_UNKNOWN || tus->length == st->length) {
        return ngx_http_reel_tus_patch_over(door);
    }

    if (st->length != REEL_UPLOAD_UNKNOWN || tus->length < offset) {
        ngx_http_reel_door_refuse(door, NGX_HTTP_BAD_REQUEST,
                                  "InvalidArgument", st->length
                                                     == REEL_UPLOAD_UNKNOWN
                                  ? "Upload-Length is less than what is here"
                                  : "Upload-Length is another one than the "
                                    "upload's", 0);
        return 1;
    }

    return ngx_http_reel_tus_patch_over(door);
}


/* a body that is too long is refused before it comes, where it can be told */
static ngx_uint_t
ngx_http_reel_tus_patch_over(ngx_http_reel_door_t *door)
{
    off_t                 body;
    uint64_t              max, offset;
    reel_upload_t        *u;
    ngx_http_reel_tus_t  *tus;

    u = door->upload;
    tus = door->op;

    offset = u->state.phase == REEL_UPLOAD_OPEN ? u->state.offset
                                                : u->state.length;
    max = u->facts.max_bytes ? u->facts.max_bytes : INT64_MAX;

    if (tus->length != REEL_UPLOAD_UNKNOWN && tus->length > max) {
        door->err = REEL_LIMIT;
        ngx_http_reel_tus_failed(door);
        return 1;
    }

    if (u->state.length != REEL_UPLOAD_UNKNOWN) {
        max = u->state.length;

    } else if (tus->length != REEL_UPLOAD_UNKNOWN) {
        max = tus->length;
    }

    body = door->request->headers_in.content_length_n;

    if (body <= 0 || (offset <= max && (uint64_t) body <= max - offset)) {
        return 0;
    }

    if (ngx_http_reel_tus_stand(door) != NGX_OK) {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return 1;
    }

    door->err = REEL_LIMIT;
    ngx_http_reel_tus_failed(door);

    return 1;
}


static void
ngx_http_reel_tus_length_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    ngx_http_reel_tus_t  *tus = door->op;

    door->err = reel_upload_set_length(door->upload, tus->length,
                                       door->now_ms);

    if (door->err != REEL_OK && door->err != REEL_DENIED) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s cannot have its length: %s",
                      door->upload->facts.id, reel_err_name(door->err));
    }
}


static void
ngx_http_reel_tus_length_done(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK) {
        ngx_http_reel_tus_failed(door);
        return;
    }

    ngx_http_reel_tus_patch_append(door);
}


static void
ngx_http_reel_tus_patch_append(ngx_http_reel_door_t *door)
{
    /* at the worker's end it is told how far it came */
    door->body.leave = door->nchecks == 0;

    ngx_http_reel_door_append(door, ngx_http_reel_tus_patch_settled);
}


static void
ngx_http_reel_tus_patch_settled(ngx_http_reel_door_t *door, ngx_int_t rc)
{
    if (door->err != REEL_OK || (rc != NGX_OK && rc != NGX_DECLINED)) {

        if (ngx_http_reel_tus_stand(door) != NGX_OK) {
            ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        ngx_http_reel_tus_broken(door, rc);
        return;
    }

    if (ngx_http_reel_tus_whole(door->upload)) {
        ngx_http_reel_door_complete(door, ngx_http_reel_tus_patch_answer);
        return;
    }

    ngx_http_reel_tus_patch_answer(door);
}


static void
ngx_http_reel_tus_patch_answer(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK) {
        ngx_http_reel_tus_failed(door);
        return;
    }

    if (ngx_http_reel_tus_stand(door) != NGX_OK) {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_reel_tus_answer(door, NGX_HTTP_NO_CONTENT);
}

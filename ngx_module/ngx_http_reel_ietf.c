/*
 * What is asked of an upload by its own URL: where it stands (HEAD), more
 * bytes (PATCH), its end (DELETE).  Each takes the turn from whoever has it:
 * the client allows no two requests at once, so the other one is dead.
 */

#include "ngx_module/ngx_http_reel_ietf.h"


static ngx_int_t ngx_http_reel_ietf_bodiless(ngx_http_reel_door_t *door);
static ngx_uint_t ngx_http_reel_ietf_claimed(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_stand(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_stood(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_ietf_acceptable(ngx_http_reel_door_t *door);
static ngx_uint_t ngx_http_reel_ietf_typed(ngx_http_request_t *r);
static void ngx_http_reel_ietf_begin(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_again(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_set_length(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_ietf_length_set(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_end(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_aborted(ngx_http_reel_door_t *door);


/* ---- HEAD and GET ---- */

ngx_int_t
ngx_http_reel_ietf_head(ngx_http_reel_door_t *door)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_ietf_bodiless(door);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_http_reel_door_claim(door, 0, ngx_http_reel_ietf_stand);

    return NGX_DONE;
}


/* NGX_DECLINED: go on; a refusal that was sent is NGX_OK */
static ngx_int_t
ngx_http_reel_ietf_bodiless(ngx_http_reel_door_t *door)
{
    ngx_int_t              rc;
    ngx_http_request_t    *r;
    ngx_http_reel_ietf_t  *ietf;

    r = door->request;

    ietf = ngx_http_reel_ietf_read(door);
    if (ietf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ietf->version < NGX_HTTP_REEL_IETF_STRICT
        && (ietf->flagged || ietf->offset != REEL_UPLOAD_UNKNOWN))
    {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                           "InvalidRequest", "this request "
                                           "must not have Upload-Offset, "
                                           "Upload-Complete or "
                                           "Upload-Incomplete");
    }

    rc = ngx_http_discard_request_body(r);

    return rc == NGX_OK ? NGX_DECLINED : rc;
}


/* there is an upload of this door, and it was not given up; else answers */
static ngx_uint_t
ngx_http_reel_ietf_claimed(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK && door->upload->facts.door != REEL_UPLOAD_IETF)
    {
        door->err = REEL_NOTFOUND;
    }

    if (door->err != REEL_OK) {
        ngx_http_reel_ietf_failed(door, 0);
        return 0;
    }

    return 1;
}


static void
ngx_http_reel_ietf_stand(ngx_http_reel_door_t *door)
{
    reel_upload_phase_t  phase;

    if (!ngx_http_reel_ietf_claimed(door)) {
        return;
    }

    phase = door->upload->state.phase;

    if (phase == REEL_UPLOAD_ABORTED || phase == REEL_UPLOAD_EXPIRED) {
        door->err = REEL_NOTFOUND;
        ngx_http_reel_ietf_failed(door, 0);
        return;
    }

    if (phase == REEL_UPLOAD_COMPLETING || ngx_http_reel_ietf_all(door)) {
        ngx_http_reel_door_complete(door, ngx_http_reel_ietf_stood);
        return;
    }

    ngx_http_reel_ietf_stood(door);
}


static void
ngx_http_reel_ietf_stood(ngx_http_reel_door_t *door)
{
    ngx_str_t                   asset;
    ngx_uint_t                  complete;
    const reel_upload_facts_t  *facts;

    if (door->err != REEL_OK) {
        ngx_http_reel_ietf_failed(door, door->err == REEL_BADDATA
                                        || door->err == REEL_EXISTS);
        return;
    }

    facts = &door->upload->facts;
    complete = door->upload->state.phase == REEL_UPLOAD_COMPLETE;

    if (complete && facts->origin == NULL) {
        /* of an equal PUT the first one's counts: its answer tells */
        ngx_memcpy(door->asset, facts->request.asset, REEL_ULID_LEN);
        asset.data = (u_char *) door->asset;
        asset.len = REEL_ULID_LEN;

        if (ngx_http_reel_add_header(door->request, "reel-asset", &asset)
            != NGX_OK)
        {
            ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }
    }

    ngx_http_reel_ietf_answer(door, NGX_HTTP_NO_CONTENT, complete,
                              NGX_HTTP_REEL_IETF_OFFSET
                              |NGX_HTTP_REEL_IETF_LENGTH
                              |NGX_HTTP_REEL_IETF_LIMITS);
}


/* ---- PATCH ---- */

ngx_int_t
ngx_http_reel_ietf_append(ngx_http_reel_door_t *door)
{
    ngx_int_t  rc;

    if (ngx_http_reel_ietf_read(door) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_ietf_acceptable(door);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_ietf_digests(door);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_http_reel_door_claim(door, 0, ngx_http_reel_ietf_begin);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_reel_ietf_acceptable(ngx_http_reel_door_t *door)
{
    static ngx_str_t  partial = ngx_string("application/partial-upload");

    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;

    if (ietf->version >= NGX_HTTP_REEL_IETF_PARTIAL
        && !ngx_http_reel_ietf_typed(door->request))
    {
        if (ngx_http_reel_add_header(door->request, "Accept-Patch", &partial)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_reel_params_refuse(door,
                                           NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                           "UnsupportedMediaType",
                                           "Content-Type is not "
                                           "application/partial-upload");
    }

    if (ietf->offset == REEL_UPLOAD_UNKNOWN) {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                           "InvalidRequest", "Upload-Offset "
                                           "is missing, or no number");
    }

    if (!ietf->flagged) {
        if (ietf->version >= NGX_HTTP_REEL_IETF_STRICT) {
            return ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                               "InvalidRequest",
                                               "Upload-Complete is missing, "
                                               "or neither ?1 nor ?0");
        }

        ietf->complete = 1;
    }

    return NGX_DECLINED;
}


/* parameters of the media type mean nothing */
static ngx_uint_t
ngx_http_reel_ietf_typed(ngx_http_request_t *r)
{
    size_t      len;
    ngx_str_t  *type;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = &r->headers_in.content_type->value;
    len = sizeof("application/partial-upload") - 1;

    return type->len >= len
           && ngx_strncasecmp(type->data,
                              (u_char *) "application/partial-upload", len)
              == 0
           && (type->len == len || type->data[len] == ';'
               || type->data[len] == ' ');
}


static void
ngx_http_reel_ietf_begin(ngx_http_reel_door_t *door)
{
    uint64_t               length;
    reel_upload_state_t   *st;
    ngx_http_reel_ietf_t  *ietf;

    if (!ngx_http_reel_ietf_claimed(door)) {
        return;
    }

    ietf = door->op;
    st = &door->upload->state;

    if (st->phase != REEL_UPLOAD_OPEN) {
        ngx_http_reel_ietf_again(door);
        return;
    }

    if (ietf->offset != st->offset) {
        ngx_http_reel_ietf_mismatching(door);
        return;
    }

    length = st->length;

    if (ngx_http_reel_ietf_length(door, st->offset, &length) != NGX_OK) {
        ngx_http_reel_ietf_inconsistent(door, "the length by Upload-Length, "
                                        "or by the end of this request, is "
                                        "not the one known before");
        return;
    }

    if (length == st->length) {
        ngx_http_reel_ietf_receive(door);
        return;
    }

    door->length = length;

    if (ngx_http_reel_door_post(door, ngx_http_reel_ietf_set_length,
                                ngx_http_reel_ietf_length_set)
        != NGX_OK)
    {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


/*
 * The upload is complete, or as good as: who repeats the last request, or
 * ends what has ended, hears the same again.
 */
static void
ngx_http_reel_ietf_again(ngx_http_reel_door_t *door)
{
    ngx_int_t              rc;
    uint64_t               length;
    reel_upload_state_t   *st;
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;
    st = &door->upload->state;

    if (st->phase == REEL_UPLOAD_ABORTED || st->phase == REEL_UPLOAD_EXPIRED)
    {
        door->err = REEL_NOTFOUND;
        ngx_http_reel_ietf_failed(door, 0);
        return;
    }

    length = st->length;

    if (ietf->complete
        && (ietf->offset == st->offset
            || (ietf->offset < st->offset
                && door->request->headers_in.content_length_n > 0))
        && ngx_http_reel_ietf_length(door, ietf->offset, &length) == NGX_OK)
    {
        rc = ngx_http_reel_ietf_discard(door);

        if (rc == NGX_OK) {
            ngx_http_reel_ietf_finish(door);
        } else {
            ngx_http_reel_door_close(door, rc);
        }

        return;
    }

    if (ietf->offset != st->offset) {
        ngx_http_reel_ietf_mismatching(door);
        return;
    }

    ngx_http_reel_ietf_completed(door);
}


static void
ngx_http_reel_ietf_set_length(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = reel_upload_set_length(door->upload, door->length,
                                       door->now_ms);

    if (door->err != REEL_OK && door->err != REEL_LIMIT) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s: its length cannot be set: %s",
                      door->upload->facts.id, reel_err_name(door->err));
    }
}


static void
ngx_http_reel_ietf_length_set(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK) {
        ngx_http_reel_ietf_failed(door, 0);
        return;
    }

    ngx_http_reel_ietf_receive(door);
}


/* ---- DELETE ---- */

ngx_int_t
ngx_http_reel_ietf_cancel(ngx_http_reel_door_t *door)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_ietf_bodiless(door);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_http_reel_door_claim(door, 0, ngx_http_reel_ietf_end);

    return NGX_DONE;
}


static void
ngx_http_reel_ietf_end(ngx_http_reel_door_t *door)
{
    if (!ngx_http_reel_ietf_claimed(door)) {
        return;
    }

    switch (door->upload->state.phase) {

    case REEL_UPLOAD_COMPLETING:
    case REEL_UPLOAD_COMPLETE:
        ngx_http_reel_ietf_completed(door);
        return;

    case REEL_UPLOAD_EXPIRED:
        door->err = REEL_NOTFOUND;
        ngx_http_reel_ietf_failed(door, 0);
        return;

    default:
        break;
    }

    /* once more when it was aborted before: its bytes may still be there */
    if (ngx_http_reel_door_post(door, ngx_http_reel_door_abort,
                                ngx_http_reel_ietf_aborted)
        != NGX_OK)
    {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


static void
ngx_http_reel_ietf_aborted(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK) {
        ngx_http_reel_ietf_failed(door, 0);
        return;
    }

    ngx_http_reel_ietf_answer(door, NGX_HTTP_NO_CONTENT, 0, 0);
}

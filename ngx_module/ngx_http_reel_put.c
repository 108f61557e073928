/*
 * S3 PutObject: an upload that is made, filled and completed by one request.
 * Nothing of it resumes; a repeated request finds its name in the store and
 * hears the first answer again.
 */

#include "ngx_module/ngx_http_reel_s3.h"


static ngx_int_t ngx_http_reel_put_length(ngx_http_reel_door_t *door);
static void ngx_http_reel_put_begin(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_put_begun(ngx_http_reel_door_t *door);
static void ngx_http_reel_put_appended(ngx_http_reel_door_t *door,
    ngx_int_t rc);
static void ngx_http_reel_put_completed(ngx_http_reel_door_t *door);
static void ngx_http_reel_put_forget(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_put_forgotten(ngx_http_reel_door_t *door);
static void ngx_http_reel_put_abort(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_put_aborted(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_put_send(ngx_http_reel_door_t *door);


ngx_int_t
ngx_http_reel_put_object(ngx_http_reel_door_t *door)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_payload_open(door, NGX_HTTP_REEL_PAYLOAD_WHOLE);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_door_params(door);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_put_length(door);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    door->facts.door = REEL_UPLOAD_PUT;
    ngx_http_reel_door_once(door);

    return ngx_http_reel_door_post(door, ngx_http_reel_put_begin,
                                   ngx_http_reel_put_begun)
           == NGX_OK ? NGX_DONE : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_reel_put_length(ngx_http_reel_door_t *door)
{
    if (door->length == REEL_UPLOAD_UNKNOWN
        && !door->request->headers_in.chunked)
    {
        return ngx_http_reel_params_refuse(door, NGX_HTTP_LENGTH_REQUIRED,
                                           "MissingContentLength",
                                           "send Content-Length or use "
                                           "chunked transfer coding");
    }

    if (door->max && door->length != REEL_UPLOAD_UNKNOWN
        && door->length > door->max)
    {
        return ngx_http_reel_params_refuse(door,
                                           NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                           "EntityTooLarge",
                                           ngx_http_reel_door_too_large(door));
    }

    return NGX_DECLINED;
}


/* a replay leaves door->upload NULL and sets named */
static void
ngx_http_reel_put_begin(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = ngx_http_reel_door_replay(door);

    if (door->err == REEL_NOTFOUND) {
        door->err = ngx_http_reel_door_create(door, log);
        return;
    }

    if (door->err != REEL_OK && door->err != REEL_EXISTS) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: upload %s: cannot begin: %s",
                      door->facts.id, reel_err_name(door->err));
    }
}


static void
ngx_http_reel_put_begun(ngx_http_reel_door_t *door)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = door->request;

    if (door->err != REEL_OK) {
        ngx_http_reel_door_failed(door);
        return;
    }

    if (door->upload) {
        ngx_http_reel_door_hold(door);
        ngx_http_reel_door_append(door, ngx_http_reel_put_appended);
        return;
    }

    if (r->headers_in.expect) {
        /* the answer is here already; the body is not wanted */
        r->expect_tested = 1;
        r->keepalive = 0;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    ngx_http_reel_door_answer(door, ngx_http_reel_put_send);
}


static void
ngx_http_reel_put_appended(ngx_http_reel_door_t *door, ngx_int_t rc)
{
    if (rc == NGX_OK && door->err == REEL_OK) {
        ngx_http_reel_door_complete(door, ngx_http_reel_put_completed);
        return;
    }

    if (rc == NGX_ABORT || door->err == REEL_DENIED) {
        /* who came for it ends it */
        ngx_http_reel_door_drop(door);
        return;
    }

    /* what is here is of no use to anybody */
    door->rc = rc;

    if (ngx_http_reel_door_post(door, ngx_http_reel_put_abort,
                                ngx_http_reel_put_aborted)
        != NGX_OK)
    {
        ngx_http_reel_put_aborted(door);
    }
}


static void
ngx_http_reel_put_completed(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK) {
        ngx_http_reel_put_appended(door, NGX_OK);
        return;
    }

    /* an equal request may have been first */
    door->err = ngx_http_reel_door_answered(door, door->upload->state.length);

    if (ngx_http_reel_door_post(door, ngx_http_reel_put_forget,
                                ngx_http_reel_put_forgotten)
        != NGX_OK)
    {
        ngx_http_reel_put_forgotten(door);
    }
}


/* its name replays the answer: nobody asks for the upload again */
static void
ngx_http_reel_put_forget(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_err_t  err;

    err = reel_upload_remove(door->upload);

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "reel: upload %s is left to the sweep: %s",
                      door->facts.id, reel_err_name(err));
    }
}


static void
ngx_http_reel_put_forgotten(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK) {
        ngx_http_reel_door_failed(door);
        return;
    }

    ngx_http_reel_door_answer(door, ngx_http_reel_put_send);
}


static void
ngx_http_reel_put_abort(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_err_t  err;

    err = reel_upload_remove(door->upload);

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s is left to the sweep: %s",
                      door->facts.id, reel_err_name(err));
    }
}


void
ngx_http_reel_put_forsake(ngx_http_reel_door_t *door)
{
    ngx_http_reel_put_abort(door, door->request->connection->log);
}


static void
ngx_http_reel_put_aborted(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK) {
        ngx_http_reel_payload_failed(door);
        return;
    }

    if (door->rc == NGX_HTTP_BAD_REQUEST
        && !door->request->connection->error)
    {
        ngx_http_reel_door_refuse(door, door->rc, "InvalidRequest",
                                  "the body is not framed as its headers "
                                  "say", 0);
        return;
    }

    ngx_http_reel_door_close(door, door->rc);
}


static ngx_int_t
ngx_http_reel_put_send(ngx_http_reel_door_t *door)
{
    ngx_str_t            empty;
    ngx_http_request_t  *r;

    r = door->request;

    if (ngx_http_reel_s3_headers(door, door->named.asset) != NGX_OK
        || ngx_http_reel_s3_header(r, "ETag", door->named.etag) != NGX_OK
        || ngx_http_reel_payload_echo(door) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&empty);

    return ngx_http_reel_send(r, NGX_HTTP_OK, "text/plain", &empty);
}

/* a body of the IETF door, and what becomes of it */

#include "ngx_module/ngx_http_reel_ietf.h"


static void ngx_http_reel_ietf_progress(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_settled(ngx_http_reel_door_t *door,
    ngx_int_t rc);
static void ngx_http_reel_ietf_overrun(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_broken(ngx_http_reel_door_t *door,
    ngx_int_t rc);
static void ngx_http_reel_ietf_whole(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_give_up(ngx_http_reel_door_t *door,
    void (*done)(ngx_http_reel_door_t *door));
static void ngx_http_reel_ietf_drop(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_ietf_overrun_done(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_broken_done(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_finished(ngx_http_reel_door_t *door);


void
ngx_http_reel_ietf_receive(ngx_http_reel_door_t *door)
{
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;

    if (ietf->named && door->nchecks == 0) {
        ngx_http_reel_door_watch(door, ngx_http_reel_ietf_progress);
    }

    /* at the worker's end it need not wait for the client, which can go on */
    door->body.leave = door->nchecks == 0 && (!ietf->creates || ietf->told);

    ngx_http_reel_door_append(door, ngx_http_reel_ietf_settled);
}


static void
ngx_http_reel_ietf_progress(ngx_http_reel_door_t *door)
{
    ngx_http_reel_interim_offset(door, door->durable);
}


static void
ngx_http_reel_ietf_settled(ngx_http_reel_door_t *door, ngx_int_t rc)
{
    if (rc == NGX_ABORT || door->err == REEL_DENIED) {
        ngx_http_reel_door_drop(door);
        return;
    }

    if (door->err == REEL_LIMIT
        && door->upload->state.length != REEL_UPLOAD_UNKNOWN)
    {
        ngx_http_reel_ietf_overrun(door);
        return;
    }

    if (door->err != REEL_OK) {
        ngx_http_reel_ietf_failed(door, 0);
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_reel_ietf_broken(door, rc);
        return;
    }

    ngx_http_reel_ietf_whole(door);
}


/*
 * Clients of the older versions take an offset that equals the length for
 * the end, whatever was said: tus-js-client says ?0 of the last chunk.
 */
ngx_uint_t
ngx_http_reel_ietf_all(ngx_http_reel_door_t *door)
{
    reel_upload_state_t   *st;
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;
    st = &door->upload->state;

    return ietf->version < NGX_HTTP_REEL_IETF_STRICT
           && st->phase == REEL_UPLOAD_OPEN && st->offset == st->length;
}


/* all of the body is in the upload */
static void
ngx_http_reel_ietf_whole(ngx_http_reel_door_t *door)
{
    ngx_uint_t             status, what;
    reel_upload_state_t   *st;
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;
    st = &door->upload->state;

    if (ietf->complete) {
        if (st->length != REEL_UPLOAD_UNKNOWN && st->offset != st->length) {
            ngx_http_reel_ietf_inconsistent(door, "the body ends before the "
                                            "length that was told");
            return;
        }

        ngx_http_reel_ietf_finish(door);
        return;
    }

    if (ngx_http_reel_ietf_all(door)) {
        ngx_http_reel_ietf_finish(door);
        return;
    }

    status = NGX_HTTP_CREATED;
    what = NGX_HTTP_REEL_IETF_OFFSET|NGX_HTTP_REEL_IETF_LIMITS
           |NGX_HTTP_REEL_IETF_LOCATION;

    if (!ietf->creates && ietf->version >= NGX_HTTP_REEL_IETF_STRICT) {
        status = NGX_HTTP_NO_CONTENT;
    }

    ngx_http_reel_ietf_answer(door, status, 0, what);
}


/* ---- the whole ---- */

void
ngx_http_reel_ietf_finish(ngx_http_reel_door_t *door)
{
    ngx_http_reel_door_complete(door, ngx_http_reel_ietf_finished);
}


static void
ngx_http_reel_ietf_finished(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK) {
        ngx_http_reel_ietf_final(door);
        return;
    }

    /* these befell the whole: to go on with the upload would not help */
    ngx_http_reel_ietf_failed(door, door->err == REEL_BADDATA
                                    || door->err == REEL_EXISTS);
}


/* ---- other ends ---- */

/* more came than the client said: nobody knows what is right */
static void
ngx_http_reel_ietf_overrun(ngx_http_reel_door_t *door)
{
    ngx_http_reel_ietf_give_up(door, ngx_http_reel_ietf_overrun_done);
}


static void
ngx_http_reel_ietf_overrun_done(ngx_http_reel_door_t *door)
{
    ngx_http_reel_ietf_inconsistent(door, "the body is longer than the "
                                    "length that was told; the upload is "
                                    "given up");
}


static void
ngx_http_reel_ietf_broken(ngx_http_reel_door_t *door, ngx_int_t rc)
{
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;
    door->rc = rc;

    if (rc == NGX_DECLINED && !ietf->complete) {
        /* less than all, and that is what is told */
        ngx_http_reel_ietf_whole(door);
        return;
    }

    if (rc == NGX_DECLINED) {
        ngx_http_reel_ietf_refuse(door, NGX_HTTP_SERVICE_UNAVAILABLE,
                                  "ServiceUnavailable", "this server process "
                                  "ends; go on from Upload-Offset");
        return;
    }

    if (ietf->creates && !ietf->told) {
        ngx_http_reel_ietf_give_up(door, ngx_http_reel_ietf_broken_done);
        return;
    }

    ngx_http_reel_ietf_broken_done(door);
}


static void
ngx_http_reel_ietf_broken_done(ngx_http_reel_door_t *door)
{
    if (door->rc == NGX_HTTP_BAD_REQUEST
        && !door->request->connection->error)
    {
        ngx_http_reel_ietf_refuse(door, door->rc, "InvalidRequest",
                                  "the body is not framed as its headers "
                                  "say");
        return;
    }

    ngx_http_reel_door_close(door, door->rc);
}


static void
ngx_http_reel_ietf_give_up(ngx_http_reel_door_t *door,
    void (*done)(ngx_http_reel_door_t *door))
{
    if (ngx_http_reel_door_post(door, ngx_http_reel_ietf_drop, done)
        != NGX_OK)
    {
        done(door);
    }
}


static void
ngx_http_reel_ietf_drop(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_err_t             err;
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;

    if (ietf->creates && !ietf->told) {
        ngx_http_reel_door_undo(door, log);
        return;
    }

    err = reel_upload_abort(door->upload, REEL_UPLOAD_ABORTED, door->now_ms);

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s is left to the sweep: %s",
                      door->upload->facts.id, reel_err_name(err));
    }
}

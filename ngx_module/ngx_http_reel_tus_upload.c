/* tus: HEAD and DELETE of an upload, authorised by its URL alone */

#include "ngx_module/ngx_http_reel_tus.h"


#define NGX_HTTP_REEL_TUS_HEAD_MAX  60000   /* ms, for another's completion */


static void ngx_http_reel_tus_head_claimed(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_head_held(ngx_http_reel_door_t *door);
static ngx_uint_t ngx_http_reel_tus_undecided(const reel_upload_t *u);
static void ngx_http_reel_tus_head_reopen(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_tus_head_reopened(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_head_answer(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_tus_echo(ngx_http_reel_door_t *door,
    const char *name, const char *value);
static void ngx_http_reel_tus_delete_claimed(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_delete_done(ngx_http_reel_door_t *door);


ngx_uint_t
ngx_http_reel_tus_whole(const reel_upload_t *u)
{
    if (u->state.phase == REEL_UPLOAD_COMPLETING) {
        /* who began that did not bring it to its end */
        return 1;
    }

    return u->state.phase == REEL_UPLOAD_OPEN && !u->facts.partial
           && u->state.offset == u->state.length;
}


/* ---- HEAD ---- */

ngx_int_t
ngx_http_reel_tus_head(ngx_http_reel_door_t *door)
{
    ngx_http_reel_tus_t  *tus = door->op;

    tus->since = ngx_current_msec;

    ngx_http_reel_door_claim(door, 0, ngx_http_reel_tus_head_claimed);

    return NGX_DONE;
}


static void
ngx_http_reel_tus_head_claimed(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_AGAIN && door->upload) {
        ngx_http_reel_tus_head_held(door);
        return;
    }

    if (!ngx_http_reel_tus_ours(door) || ngx_http_reel_tus_gone(door)) {
        return;
    }

    if (ngx_http_reel_tus_whole(door->upload)) {
        /* the offset alone would tell a client that all is done */
        ngx_http_reel_door_complete(door, ngx_http_reel_tus_head_answer);
        return;
    }

    ngx_http_reel_tus_head_answer(door);
}


/*
 * An error would have clients begin anew from the first byte; what is durable
 * holds, whoever writes just now.  But to a client the last byte is success,
 * which is not known before the upload is complete.
 */
static void
ngx_http_reel_tus_head_held(ngx_http_reel_door_t *door)
{
    ngx_http_reel_tus_t  *tus = door->op;

    if (!ngx_http_reel_tus_undecided(door->upload)) {
        door->err = REEL_OK;
        ngx_http_reel_tus_head_answer(door);
        return;
    }

    if (door->request->connection->error) {
        ngx_http_reel_door_close(door, NGX_ERROR);
        return;
    }

    if (ngx_current_msec - tus->since >= NGX_HTTP_REEL_TUS_HEAD_MAX) {
        ngx_http_reel_door_refuse(door, 423, "Locked", "the upload is being "
                                  "completed; try again", 1);
        return;
    }

    if (ngx_http_reel_door_post(door, ngx_http_reel_tus_head_reopen,
                                ngx_http_reel_tus_head_reopened)
        != NGX_OK)
    {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


static ngx_uint_t
ngx_http_reel_tus_undecided(const reel_upload_t *u)
{
    if (u->state.phase == REEL_UPLOAD_COMPLETING) {
        return 1;
    }

    return u->state.phase == REEL_UPLOAD_OPEN && !u->facts.partial
           && u->facts.concat == NULL
           && u->safe == u->state.length;
}


/* the claim opens it again, as it is by then */
static void
ngx_http_reel_tus_head_reopen(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_upload_close(door->upload);
    door->upload = NULL;
}


static void
ngx_http_reel_tus_head_reopened(ngx_http_reel_door_t *door)
{
    ngx_http_reel_door_claim(door, 0, ngx_http_reel_tus_head_claimed);
}


static void
ngx_http_reel_tus_head_answer(ngx_http_reel_door_t *door)
{
    ngx_int_t             rc;
    ngx_http_request_t   *r;
    reel_upload_facts_t  *f;

    if (door->err != REEL_OK) {
        ngx_http_reel_tus_failed(door);
        return;
    }

    r = door->request;
    f = &door->upload->facts;

    rc = door->upload->state.length == REEL_UPLOAD_UNKNOWN
         ? ngx_http_reel_tus_header(r, "Upload-Defer-Length", 1)
         : ngx_http_reel_tus_header(r, "Upload-Length",
                                    door->upload->state.length);

    if (rc != NGX_OK
        || ngx_http_reel_tus_stand(door) != NGX_OK
        || ngx_http_reel_tus_echo(door, "Upload-Metadata", f->metadata)
           != NGX_OK
        || ngx_http_reel_tus_echo(door, "Upload-Concat",
                                  f->partial ? "partial" : f->concat)
           != NGX_OK
        || ngx_http_reel_tus_echo(door, "Cache-Control", "no-store")
           != NGX_OK)
    {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_reel_tus_answer(door, NGX_HTTP_OK);
}


/* a copy: the upload is closed before the answer goes */
static ngx_int_t
ngx_http_reel_tus_echo(ngx_http_reel_door_t *door, const char *name,
    const char *value)
{
    ngx_str_t  v, s;

    if (value == NULL) {
        return NGX_OK;
    }

    s.data = (u_char *) value;
    s.len = ngx_strlen(value);

    v.len = s.len;
    v.data = ngx_pstrdup(door->request->pool, &s);

    return v.data ? ngx_http_reel_add_header(door->request, name, &v)
                  : NGX_ERROR;
}


/* ---- DELETE ---- */

ngx_int_t
ngx_http_reel_tus_delete(ngx_http_reel_door_t *door)
{
    ngx_http_reel_door_claim(door, 0, ngx_http_reel_tus_delete_claimed);

    return NGX_DONE;
}


static void
ngx_http_reel_tus_delete_claimed(ngx_http_reel_door_t *door)
{
    if (!ngx_http_reel_tus_ours(door)) {
        return;
    }

    switch (door->upload->state.phase) {

    case REEL_UPLOAD_ABORTED:
        /* said again */
        ngx_http_reel_tus_answer(door, NGX_HTTP_NO_CONTENT);
        return;

    case REEL_UPLOAD_COMPLETING:
    case REEL_UPLOAD_COMPLETE:
        ngx_http_reel_door_refuse(door, NGX_HTTP_BAD_REQUEST,
                                  "UploadComplete", "the upload is an asset "
                                  "now; delete that", 0);
        return;

    default:
        break;
    }

    if (ngx_http_reel_tus_gone(door)) {
        return;
    }

    if (ngx_http_reel_door_post(door, ngx_http_reel_door_abort,
                                ngx_http_reel_tus_delete_done)
        != NGX_OK)
    {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


static void
ngx_http_reel_tus_delete_done(ngx_http_reel_door_t *door)
{
    if (door->err != REEL_OK) {
        ngx_http_reel_tus_failed(door);
        return;
    }

    ngx_http_reel_tus_answer(door, NGX_HTTP_NO_CONTENT);
}


/* ---- what is not, or no more ---- */

ngx_uint_t
ngx_http_reel_tus_ours(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK
        && door->upload->facts.door != REEL_UPLOAD_TUS)
    {
        door->err = REEL_NOTFOUND;
    }

    if (door->err != REEL_OK) {
        ngx_http_reel_tus_failed(door);
        return 0;
    }

    return 1;
}


ngx_uint_t
ngx_http_reel_tus_gone(ngx_http_reel_door_t *door)
{
    switch (door->upload->state.phase) {

    case REEL_UPLOAD_ABORTED:
        ngx_http_reel_door_refuse(door, 410, "UploadAborted",
                                  "the upload was aborted", 0);
        return 1;

    case REEL_UPLOAD_EXPIRED:
        ngx_http_reel_door_refuse(door, 410, "UploadExpired",
                                  "the upload has expired", 0);
        return 1;

    default:
        return 0;
    }
}

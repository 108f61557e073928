/*
 * tus: a final upload, joined of partial ones.  Its id follows from what was
 * asked for, so that a repeated request, when the answer to the first did not
 * come in time, finds what that one made: one upload, one asset.
 */

#include "ngx_module/ngx_http_reel_tus.h"

#include "lib/base/hex.h"


#define NGX_HTTP_REEL_TUS_WAIT_MAX   60000
#define NGX_HTTP_REEL_TUS_WAIT_STEP  250


static ngx_int_t ngx_http_reel_tus_concat_id(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_concat_post(ngx_http_reel_door_t *door,
    void (*work)(ngx_http_reel_door_t *door, ngx_log_t *log),
    void (*done)(ngx_http_reel_door_t *door));
static void ngx_http_reel_tus_look_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_tus_look_done(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_look_wait(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_look_again(ngx_event_t *ev);
static void ngx_http_reel_tus_concat_claimed(ngx_http_reel_door_t *door);
static void ngx_http_reel_tus_concat_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_tus_concat_done(ngx_http_reel_door_t *door);
static reel_err_t ngx_http_reel_tus_concat_join(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_tus_concat_cover(ngx_http_reel_door_t *door,
    reel_upload_t **from, size_t n);
static reel_err_t ngx_http_reel_tus_concat_clear(ngx_http_reel_door_t *door);
static reel_err_t ngx_http_reel_tus_concat_open(ngx_http_reel_door_t *door,
    reel_upload_t **from, size_t *n);
static const char *ngx_http_reel_tus_concat_fault(ngx_http_reel_door_t *door,
    const reel_upload_t *part);
static reel_err_t ngx_http_reel_tus_concat_why(ngx_http_reel_door_t *door,
    size_t n, const char *what);


ngx_int_t
ngx_http_reel_tus_concat(ngx_http_reel_door_t *door)
{
    if (ngx_http_reel_tus_concat_id(door) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    door->since = ngx_current_msec;

    return ngx_http_reel_door_post(door, ngx_http_reel_tus_look_work,
                                   ngx_http_reel_tus_look_done)
           == NGX_OK ? NGX_DONE : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/*
 * The partial uploads' own ids, which nobody can guess, are in it.  origin
 * stands for who asked where, with which signed URL.
 */
static ngx_int_t
ngx_http_reel_tus_concat_id(ngx_http_reel_door_t *door)
{
    uint8_t      sum[REEL_SHA256_LEN];
    reel_buf_t   b;
    reel_err_t   err;

    reel_buf_init(&b, REEL_UPLOAD_CONCAT_MAX + REEL_UPLOAD_METADATA_MAX
                      + 2 * REEL_SHA256_LEN + 2);

    reel_buf_addz(&b, door->origin);
    reel_buf_addz(&b, "\n");
    reel_buf_addz(&b, door->facts.concat);
    reel_buf_addz(&b, "\n");
    reel_buf_addz(&b, door->facts.metadata ? door->facts.metadata : "");

    err = reel_buf_err(&b);

    if (err == REEL_OK) {
        err = reel_sha256(sum, b.data, b.len);
    }

    reel_buf_release(&b);

    if (err != REEL_OK) {
        return NGX_ERROR;
    }

    reel_hex(door->facts.id, sum, REEL_UPLOAD_ID_LEN / 2);

    return NGX_OK;
}


static void
ngx_http_reel_tus_concat_post(ngx_http_reel_door_t *door,
    void (*work)(ngx_http_reel_door_t *door, ngx_log_t *log),
    void (*done)(ngx_http_reel_door_t *door))
{
    if (ngx_http_reel_door_post(door, work, done) != NGX_OK) {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


/* ---- was it asked for before? ---- */

/* who joins just now is let alone: to begin anew would never end */
static void
ngx_http_reel_tus_look_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_upload_close(door->upload);

    door->err = reel_upload_open(door->store, reel_str(door->facts.id),
                                 &door->upload);

    if (door->err == REEL_OK
        && (door->upload->state.phase == REEL_UPLOAD_OPEN
            || door->upload->state.phase == REEL_UPLOAD_COMPLETING)
        && reel_upload_owner(door->upload, 0, door->holder) == REEL_OK)
    {
        door->err = REEL_AGAIN;
    }
}


static void
ngx_http_reel_tus_look_done(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_AGAIN
        && ngx_current_msec - door->since < NGX_HTTP_REEL_TUS_WAIT_MAX)
    {
        ngx_http_reel_tus_look_wait(door);
        return;
    }

    if (door->err == REEL_NOTFOUND) {
        ngx_http_reel_tus_concat_post(door, ngx_http_reel_tus_concat_work,
                                      ngx_http_reel_tus_concat_done);
        return;
    }

    if (door->err != REEL_OK) {
        ngx_http_reel_tus_failed(door);
        return;
    }

    if (door->upload->state.phase == REEL_UPLOAD_COMPLETE) {
        ngx_http_reel_tus_created(door);
        return;
    }

    ngx_http_reel_door_claim(door, 0, ngx_http_reel_tus_concat_claimed);
}


static void
ngx_http_reel_tus_look_wait(ngx_http_reel_door_t *door)
{
    door->timer.handler = ngx_http_reel_tus_look_again;
    door->timer.data = door;
    door->timer.log = door->request->connection->log;

    /* as in ngx_http_reel_door_claim */
    door->request->main->blocked++;
    ngx_add_timer(&door->timer, NGX_HTTP_REEL_TUS_WAIT_STEP);
}


static void
ngx_http_reel_tus_look_again(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_http_reel_door_t  *door;

    door = ev->data;
    c = door->request->connection;

    door->request->main->blocked--;

    if (c->error) {
        ngx_http_reel_door_close(door, NGX_ERROR);

    } else {
        ngx_http_reel_tus_concat_post(door, ngx_http_reel_tus_look_work,
                                      ngx_http_reel_tus_look_done);
    }

    ngx_http_run_posted_requests(c);
}


/* ---- joining ---- */

/* who began it did not bring it to its end */
static void
ngx_http_reel_tus_concat_claimed(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK
        && door->upload->state.phase == REEL_UPLOAD_COMPLETE)
    {
        ngx_http_reel_tus_created(door);
        return;
    }

    if (door->err == REEL_OK && ngx_http_reel_tus_whole(door->upload)) {
        ngx_http_reel_door_complete(door, ngx_http_reel_tus_created);
        return;
    }

    if (door->err != REEL_OK && door->err != REEL_NOTFOUND) {
        ngx_http_reel_tus_failed(door);
        return;
    }

    /* its handle goes, and the id with it */
    ngx_http_reel_wake_unwatch(&door->wake);

    ngx_http_reel_tus_concat_post(door, ngx_http_reel_tus_concat_work,
                                  ngx_http_reel_tus_concat_done);
}


static void
ngx_http_reel_tus_concat_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = ngx_http_reel_tus_concat_clear(door);

    if (door->err == REEL_OK) {
        door->err = ngx_http_reel_tus_concat_join(door, log);
    }

    if (door->err == REEL_OK || door->err == REEL_EXISTS
        || door->err == REEL_LIMIT || door->why[0])
    {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, log, 0, "reel: upload %s cannot be joined: %s",
                  door->facts.id, reel_err_name(door->err));
}


static void
ngx_http_reel_tus_concat_done(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK) {
        ngx_http_reel_door_hold(door);
        ngx_http_reel_door_complete(door, ngx_http_reel_tus_created);
        return;
    }

    if (door->err == REEL_EXISTS) {
        /* an equal request was faster */
        ngx_http_reel_tus_look_wait(door);
        return;
    }

    if (door->err == REEL_INVAL && door->why[0]) {
        ngx_http_reel_door_refuse(door, NGX_HTTP_BAD_REQUEST,
                                  "InvalidRequest", door->why, 0);
        return;
    }

    ngx_http_reel_tus_failed(door);
}


/* the whole needs its space before a byte is copied: the parts stay besides */
static reel_err_t
ngx_http_reel_tus_concat_join(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    size_t          i, n;
    reel_err_t      err;
    reel_upload_t  *from[REEL_TUS_CONCAT_MAX];

    n = 0;
    err = ngx_http_reel_tus_concat_open(door, from, &n);

    if (err == REEL_OK && ngx_http_reel_tus_free(door) == REEL_EXISTS) {
        (void) ngx_cpystrn((u_char *) door->why,
                           (u_char *) "the asset of reel-asset exists already",
                           sizeof(door->why));
        err = REEL_INVAL;
    }

    if (err == REEL_OK) {
        ngx_http_reel_tus_concat_cover(door, from, n);
        err = ngx_http_reel_door_create(door, log);
    }

    if (err == REEL_OK) {
        err = reel_upload_concat(door->upload, from, n, door->now_ms);

        if (err != REEL_OK) {
            (void) ngx_http_reel_tus_concat_clear(door);
        }
    }

    for (i = 0; i < n; i++) {
        reel_upload_close(from[i]);
    }

    return err;
}


/* the bytes of the key's parts count as open already, each once */
static void
ngx_http_reel_tus_concat_cover(ngx_http_reel_door_t *door,
    reel_upload_t **from, size_t n)
{
    size_t  i, k;

    door->covered = 0;

    for (i = 0; i < n; i++) {

        for (k = 0; k < i; k++) {
            if (ngx_strcmp(from[k]->facts.id, from[i]->facts.id) == 0) {
                break;
            }
        }

        if (k == i && ngx_strcmp(from[i]->facts.access_key,
                                 door->facts.access_key)
                      == 0)
        {
            door->covered += from[i]->state.length;
        }
    }
}


/* what an earlier try left */
static reel_err_t
ngx_http_reel_tus_concat_clear(ngx_http_reel_door_t *door)
{
    reel_err_t  err;

    if (door->upload == NULL) {
        return REEL_OK;
    }

    err = reel_upload_abort(door->upload, REEL_UPLOAD_ABORTED, door->now_ms);

    if (err == REEL_OK) {
        err = reel_upload_remove(door->upload);
    }

    reel_upload_close(door->upload);
    door->upload = NULL;

    return err;
}


static reel_err_t
ngx_http_reel_tus_concat_open(ngx_http_reel_door_t *door,
    reel_upload_t **from, size_t *n)
{
    uint64_t              max;
    reel_err_t            err;
    reel_str_t            urls, id;
    const char           *fault;
    ngx_http_reel_tus_t  *tus;

    tus = door->op;
    urls = tus->urls;
    max = door->max ? door->max : INT64_MAX;
    door->length = 0;

    while ((err = reel_tus_concat_next(&urls, &id)) == REEL_OK) {

        if (*n == REEL_TUS_CONCAT_MAX) {
            return ngx_http_reel_tus_concat_why(door, *n, "is one too many");
        }

        err = reel_upload_open(door->store, id, &from[*n]);

        if (err == REEL_NOTFOUND || err == REEL_INVAL) {
            return ngx_http_reel_tus_concat_why(door, *n, "is no upload here");
        }

        if (err != REEL_OK) {
            return err;
        }

        fault = ngx_http_reel_tus_concat_fault(door, from[(*n)++]);

        if (fault) {
            return ngx_http_reel_tus_concat_why(door, *n - 1, fault);
        }

        if (from[*n - 1]->state.length > max - door->length) {
            return REEL_LIMIT;
        }

        door->length += from[*n - 1]->state.length;
    }

    if (err == REEL_NOTFOUND && *n) {
        return REEL_OK;
    }

    return ngx_http_reel_tus_concat_why(door, *n, "is not an upload's URL");
}


static const char *
ngx_http_reel_tus_concat_fault(ngx_http_reel_door_t *door,
    const reel_upload_t *part)
{
    if (part->facts.door != REEL_UPLOAD_TUS
        || ngx_strcmp(part->facts.request.project,
                      door->facts.request.project)
           != 0
        || (part->state.phase != REEL_UPLOAD_OPEN
            && part->state.phase != REEL_UPLOAD_COMPLETE))
    {
        return "is no upload here";
    }

    if (!part->facts.partial) {
        return "is not a partial one";
    }

    return part->state.durable == part->state.length ? NULL
           : "is not complete";
}


static reel_err_t
ngx_http_reel_tus_concat_why(ngx_http_reel_door_t *door, size_t n,
    const char *what)
{
    (void) ngx_snprintf((u_char *) door->why, sizeof(door->why),
                        "Upload-Concat: upload %uz %s%Z", n + 1, what);

    return REEL_INVAL;
}

/*
 * DELETE /api/uploads/<id>: what a door's own DELETE does, for whoever has
 * the project's key.  Who is sending bytes is asked to leave first, but only
 * once it is known that the upload is the caller's.
 */

#include "ngx_module/ngx_http_reel_api.h"
#include "ngx_module/ngx_http_reel_door.h"


static void ngx_http_reel_api_abort_cleanup(void *data);
static void ngx_http_reel_api_abort_open(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_api_abort_opened(ngx_http_reel_door_t *door);
static ngx_uint_t ngx_http_reel_api_abort_ended(ngx_http_reel_door_t *door);
static void ngx_http_reel_api_abort_claimed(ngx_http_reel_door_t *door);
static void ngx_http_reel_api_abort_done(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_api_abort_send(ngx_http_reel_door_t *door);


ngx_int_t
ngx_http_reel_api_abort(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_reel_door_t  *door;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_door_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    door = cln->data;
    ngx_memzero(door, sizeof(ngx_http_reel_door_t));
    cln->handler = ngx_http_reel_api_abort_cleanup;

    door->request = r;
    door->store = api->store;
    door->op = api;

    if (ngx_http_reel_door_post(door, ngx_http_reel_api_abort_open,
                                ngx_http_reel_api_abort_opened)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_reel_api_abort_cleanup(void *data)
{
    ngx_http_reel_door_t  *door = data;

    ngx_http_reel_wake_unwatch(&door->wake);
    reel_upload_close(door->upload);
    door->upload = NULL;
}


static void
ngx_http_reel_api_abort_open(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = ngx_http_reel_api_upload_open(door->op, &door->upload, log);
}


static void
ngx_http_reel_api_abort_opened(ngx_http_reel_door_t *door)
{
    if (!ngx_http_reel_api_abort_ended(door)) {
        ngx_http_reel_door_claim(door, 0, ngx_http_reel_api_abort_claimed);
    }
}


/* nothing is left to be done, or can be */
static ngx_uint_t
ngx_http_reel_api_abort_ended(ngx_http_reel_door_t *door)
{
    if (door->err == REEL_OK) {

        switch (door->upload->state.phase) {

        case REEL_UPLOAD_OPEN:
            return 0;

        case REEL_UPLOAD_COMPLETING:
        case REEL_UPLOAD_COMPLETE:
            door->err = REEL_INVAL;
            break;

        default:
            break;
        }
    }

    ngx_http_reel_door_answer(door, ngx_http_reel_api_abort_send);

    return 1;
}


static void
ngx_http_reel_api_abort_claimed(ngx_http_reel_door_t *door)
{
    if (ngx_http_reel_api_abort_ended(door)) {
        return;
    }

    if (ngx_http_reel_door_post(door, ngx_http_reel_door_abort,
                                ngx_http_reel_api_abort_done)
        != NGX_OK)
    {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


static void
ngx_http_reel_api_abort_done(ngx_http_reel_door_t *door)
{
    ngx_http_reel_door_answer(door, ngx_http_reel_api_abort_send);
}


static ngx_int_t
ngx_http_reel_api_abort_send(ngx_http_reel_door_t *door)
{
    ngx_http_request_t  *r;

    r = door->request;

    if (door->err != REEL_OK) {
        return ngx_http_reel_api_upload_failed(r, door->err);
    }

    if (ngx_http_reel_cors(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}

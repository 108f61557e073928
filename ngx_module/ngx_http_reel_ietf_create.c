/*
 * Creation of a resumable upload: any request that brings content and says
 * Upload-Complete.  With ?1 and no cut it is a plain upload in one request.
 */

#include "ngx_module/ngx_http_reel_ietf.h"

#include "lib/base/disposition.h"


static ngx_int_t ngx_http_reel_ietf_name(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_ietf_plan(ngx_http_reel_door_t *door);
static void ngx_http_reel_ietf_make(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_ietf_made(ngx_http_reel_door_t *door);


ngx_int_t
ngx_http_reel_ietf_create(ngx_http_reel_door_t *door)
{
    ngx_int_t              rc;
    ngx_http_reel_ietf_t  *ietf;

    ietf = ngx_http_reel_ietf_read(door);
    if (ietf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_ietf_digests(door);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_ietf_name(door);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_door_params(door);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_reel_ietf_plan(door);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    door->facts.door = REEL_UPLOAD_IETF;

    if (ietf->complete && door->request->method == NGX_HTTP_PUT
        && door->place == NGX_HTTP_REEL_AT_KEY)
    {
        /* what a client without resumption would repeat as a whole */
        ngx_http_reel_door_once(door);
    }

    return ngx_http_reel_door_post(door, ngx_http_reel_ietf_make,
                                   ngx_http_reel_ietf_made)
           == NGX_OK ? NGX_DONE : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* Content-Disposition tells what the client calls it */
static ngx_int_t
ngx_http_reel_ietf_name(ngx_http_reel_door_t *door)
{
    char        *name;
    reel_str_t   field;

    field = ngx_http_reel_ietf_field(door->request, "content-disposition");

    if (field.p == NULL) {
        return NGX_DECLINED;
    }

    name = ngx_pnalloc(door->request->pool, NGX_HTTP_REEL_NAME_MAX + 1);
    if (name == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (reel_disposition_filename(field, name, NGX_HTTP_REEL_NAME_MAX + 1)
        == REEL_OK)
    {
        door->facts.request.name = name;
    }

    return NGX_DECLINED;
}


/* is it possible at all?  door->length: of the whole */
static ngx_int_t
ngx_http_reel_ietf_plan(ngx_http_reel_door_t *door)
{
    uint64_t               least;
    ngx_str_t              limit;
    ngx_http_request_t    *r;
    ngx_http_reel_ietf_t  *ietf;

    r = door->request;
    ietf = door->op;

    if (ietf->offset != REEL_UPLOAD_UNKNOWN && ietf->offset != 0) {
        /* more likely an append that lost its way */
        return ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                           "InvalidRequest", "an upload "
                                           "begins at offset 0; appends go to "
                                           "its own URL");
    }

    door->length = REEL_UPLOAD_UNKNOWN;

    if (ngx_http_reel_ietf_length(door, 0, &door->length) != NGX_OK) {
        (void) ngx_http_reel_ietf_problem(door, NGX_HTTP_REEL_IETF_PROBLEM
                                          "inconsistent-upload-length",
                                          "Inconsistent Upload Length Values");

        return ngx_http_reel_params_refuse(door, NGX_HTTP_BAD_REQUEST,
                                           "InvalidRequest", "Upload-Length "
                                           "is not the length of the body");
    }

    least = door->length;

    if (least == REEL_UPLOAD_UNKNOWN) {
        least = ngx_max(r->headers_in.content_length_n, 0);
    }

    if (door->max == 0 || least <= door->max) {
        return NGX_DECLINED;
    }

    if (ngx_http_reel_ietf_limit(r->pool, ietf->version, door->max, -1,
                                 &limit)
        != NGX_OK
        || ngx_http_reel_add_header(r, "Upload-Limit", &limit) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_params_refuse(door,
                                       NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                       "EntityTooLarge",
                                       ngx_http_reel_door_too_large(door));
}


/* an earlier one's answer leaves door->upload NULL and sets named */
static void
ngx_http_reel_ietf_make(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = ngx_http_reel_door_replay(door);

    if (door->err == REEL_NOTFOUND) {
        door->err = ngx_http_reel_door_create(door, log);
        return;
    }

    if (door->err != REEL_OK && door->err != REEL_EXISTS) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s: cannot be created: %s",
                      door->facts.id, reel_err_name(door->err));
    }
}


static void
ngx_http_reel_ietf_made(ngx_http_reel_door_t *door)
{
    ngx_int_t              rc;
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;

    if (door->err != REEL_OK) {
        ngx_http_reel_ietf_failed(door, 0);
        return;
    }

    if (door->upload == NULL) {
        rc = ngx_http_reel_ietf_discard(door);

        if (rc == NGX_OK) {
            ngx_http_reel_ietf_final(door);
        } else {
            ngx_http_reel_door_close(door, rc);
        }

        return;
    }

    if (ngx_http_reel_door_url(door, door->facts.id, &ietf->url) != NGX_OK) {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_reel_door_hold(door);
    ngx_http_reel_interim_created(door);
    ngx_http_reel_ietf_receive(door);
}

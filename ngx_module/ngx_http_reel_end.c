/* the ways to end, of a request and of an upload, for every door */

#include "ngx_module/ngx_http_reel_door.h"


#define NGX_HTTP_REEL_DETAIL_MAX  200


static void ngx_http_reel_end_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_end_done(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_end_refusal(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_end_rc(ngx_http_reel_door_t *door);


/* ---- of the upload ---- */

void
ngx_http_reel_door_abort(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = reel_upload_abort(door->upload, REEL_UPLOAD_ABORTED,
                                  door->now_ms);

    if (door->err != REEL_OK && door->err != REEL_DENIED) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s cannot be aborted: %s",
                      door->upload->facts.id, reel_err_name(door->err));
    }
}


void
ngx_http_reel_door_undo(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_err_t  err;

    err = reel_upload_abort(door->upload, REEL_UPLOAD_ABORTED, door->now_ms);

    if (err == REEL_OK) {
        err = reel_upload_remove(door->upload);
    }

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s is left to the sweep: %s",
                      door->upload->facts.id, reel_err_name(err));
    }
}


/* ---- of the request ---- */

void
ngx_http_reel_door_answer(ngx_http_reel_door_t *door,
    ngx_int_t (*send)(ngx_http_reel_door_t *door))
{
    door->send = send;

    ngx_http_reel_wake_unwatch(&door->wake);

    if (door->upload == NULL
        || ngx_http_reel_door_post(door, ngx_http_reel_end_work,
                                   ngx_http_reel_end_done)
           != NGX_OK)
    {
        /* the pool's cleanup closes it */
        ngx_http_reel_end_done(door);
    }
}


static void
ngx_http_reel_end_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_upload_close(door->upload);
    door->upload = NULL;
}


static void
ngx_http_reel_end_done(ngx_http_reel_door_t *door)
{
    ngx_int_t  rc;

    rc = door->send(door);

    ngx_http_finalize_request(door->request, rc);
}


void
ngx_http_reel_door_refuse(ngx_http_reel_door_t *door, ngx_uint_t status,
    const char *code, const char *detail, ngx_uint_t retryable)
{
    door->status = status;
    door->code = code;
    door->detail = detail;
    door->retryable = retryable;

    ngx_http_reel_door_answer(door, ngx_http_reel_end_refusal);
}


static ngx_int_t
ngx_http_reel_end_refusal(ngx_http_reel_door_t *door)
{
    return ngx_http_reel_error(door->request, door->form, door->status,
                               door->code, door->detail, door->retryable);
}


void
ngx_http_reel_door_failed(ngx_http_reel_door_t *door)
{
    static const struct {
        reel_err_t   err;
        ngx_uint_t   status;
        const char  *code;
        const char  *detail;
        ngx_uint_t   retryable;
    } map[] = {
        { REEL_NOTFOUND, NGX_HTTP_NOT_FOUND, "NoSuchUpload",
          "there is no such upload: it never was, was aborted or expired", 0 },
        { REEL_AGAIN, NGX_HTTP_SERVICE_UNAVAILABLE, "SlowDown",
          "another request does not let go of this upload; try again", 1 },
        { REEL_NOSPACE, NGX_HTTP_INSUFFICIENT_STORAGE, "InsufficientStorage",
          "the server's disk is full; what was acknowledged is kept", 1 },
        { REEL_EXISTS, NGX_HTTP_CONFLICT, "OperationAborted",
          "the asset of reel-asset exists already", 0 },
        { REEL_INVAL, NGX_HTTP_CONFLICT, "InvalidRequest",
          "the upload is not open any more", 0 },
        { REEL_BADDATA, NGX_HTTP_BAD_REQUEST, "XAmzContentSHA256Mismatch",
          "the body's SHA-256 is not the signed one", 0 }
    };

    ngx_uint_t   i;
    const char  *detail;

    if (door->err == REEL_DENIED) {
        ngx_http_reel_door_drop(door);
        return;
    }

    if (door->err == REEL_LIMIT) {
        detail = ngx_http_reel_door_too_large(door);
        ngx_http_reel_door_refuse(door, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                  "EntityTooLarge", detail, 0);
        return;
    }

    for (i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
        if (map[i].err == door->err) {
            detail = door->why[0] ? door->why : map[i].detail;
            ngx_http_reel_door_refuse(door, map[i].status, map[i].code,
                                      detail, map[i].retryable);
            return;
        }
    }

    ngx_http_reel_door_refuse(door, NGX_HTTP_INTERNAL_SERVER_ERROR,
                              "InternalError", "the store failed; what was "
                              "acknowledged is kept, try again", 1);
}


const char *
ngx_http_reel_door_too_large(ngx_http_reel_door_t *door)
{
    u_char                     *p, *last;
    uint64_t                    max;
    const char                 *name, *what;
    ngx_http_reel_loc_conf_t   *rlcf;
    const reel_upload_state_t  *st;

    max = door->max;
    name = door->max_name;

    if (door->upload) {
        /* what was told at creation binds, whoever appends now */
        st = &door->upload->state;

        if (st->length != REEL_UPLOAD_UNKNOWN) {
            max = st->length;
            name = "the upload's own length";

        } else if (door->upload->facts.max_bytes) {
            rlcf = ngx_http_get_module_loc_conf(door->request,
                                                ngx_http_reel_module);

            max = door->upload->facts.max_bytes;
            name = max == (uint64_t) rlcf->upload_max_size
                   ? "reel_upload_max_size" : "reel-max-bytes";
        }
    }

    what = "the body is";

    if (door->upload
        && door->upload->facts.door == REEL_UPLOAD_MULTIPART)
    {
        what = "the parts together are";
    }

    p = ngx_pnalloc(door->request->pool, NGX_HTTP_REEL_DETAIL_MAX);
    if (p == NULL) {
        return "the body is too large";
    }

    last = ngx_snprintf(p, NGX_HTTP_REEL_DETAIL_MAX, "%s larger than %s "
                        "allows: at most %uL bytes", what, name, max);

    if (door->upload && door->upload->facts.door != REEL_UPLOAD_MULTIPART
        && door->upload->state.offset <= max)
    {
        last = ngx_slprintf(last, p + NGX_HTTP_REEL_DETAIL_MAX,
                            ", %uL more than are here",
                            max - door->upload->state.offset);
    }

    *ngx_min(last, p + NGX_HTTP_REEL_DETAIL_MAX - 1) = '\0';

    return (char *) p;
}


void
ngx_http_reel_door_close(ngx_http_reel_door_t *door, ngx_int_t rc)
{
    door->rc = rc;

    ngx_http_reel_door_answer(door, ngx_http_reel_end_rc);
}


static ngx_int_t
ngx_http_reel_end_rc(ngx_http_reel_door_t *door)
{
    return door->rc;
}


void
ngx_http_reel_door_drop(ngx_http_reel_door_t *door)
{
    door->request->connection->error = 1;

    ngx_http_reel_door_close(door, NGX_ERROR);
}


ngx_int_t
ngx_http_reel_door_url(ngx_http_reel_door_t *door, const char *id,
    ngx_str_t *url)
{
    u_char                    *p;
    size_t                     len;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = door->request;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* a bucket's name has nothing to be escaped, a location's may */
    len = clcf->name.len
          + 2 * ngx_escape_uri(NULL, clcf->name.data, clcf->name.len,
                               NGX_ESCAPE_URI)
          + 1 + door->bucket.len + sizeof("/.uploads/") - 1
          + REEL_UPLOAD_ID_LEN;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    url->data = p;

    p = (u_char *) ngx_escape_uri(p, clcf->name.data, clcf->name.len,
                                  NGX_ESCAPE_URI);
    if (p == url->data || p[-1] != '/') {
        *p++ = '/';
    }

    p = ngx_cpymem(p, door->bucket.data, door->bucket.len);
    p = ngx_cpymem(p, "/.uploads/", sizeof("/.uploads/") - 1);
    p = ngx_cpymem(p, id, REEL_UPLOAD_ID_LEN);

    url->len = p - url->data;

    return NGX_OK;
}

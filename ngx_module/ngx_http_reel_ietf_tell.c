/* fields of the IETF door's responses, its answers and problems */

#include "ngx_module/ngx_http_reel_ietf.h"

#include "lib/base/hex.h"


/* ms; what max-age rounds down to seconds must not be negative */
#define NGX_HTTP_REEL_IETF_SECOND  1000


static ngx_int_t ngx_http_reel_ietf_add(ngx_http_request_t *r,
    const char *name, uint64_t v);
static ngx_int_t ngx_http_reel_ietf_limits(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_ietf_send(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_ietf_digest_of(ngx_http_reel_door_t *door);
static ngx_int_t ngx_http_reel_ietf_send_final(ngx_http_reel_door_t *door);


ngx_int_t
ngx_http_reel_ietf_limit(ngx_pool_t *pool, ngx_uint_t version, uint64_t max,
    int64_t age, ngx_str_t *value)
{
    u_char  *p;

    p = ngx_pnalloc(pool, sizeof("min-size=0, max-size=, max-age=") - 1
                          + 2 * NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;

    /* an empty one would not do (4.1.4) */
    p = ngx_cpymem(p, "min-size=0", sizeof("min-size=0") - 1);

    if (max) {
        p = ngx_sprintf(p, ", max-size=%uL", max);
    }

    if (age >= 0) {
        p = ngx_sprintf(p, version < NGX_HTTP_REEL_IETF_STRICT
                           ? ", expires=%L" : ", max-age=%L",
                        age / NGX_HTTP_REEL_IETF_SECOND);
    }

    value->len = p - value->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_reel_ietf_discover(ngx_http_request_t *r)
{
    ngx_str_t                  value;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (ngx_http_reel_ietf_limit(r->pool, NGX_HTTP_REEL_IETF_NEWEST,
                                 rlcf->upload_max_size,
                                 (int64_t) rlcf->upload_expires
                                 * NGX_HTTP_REEL_IETF_SECOND, &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_reel_add_header(r, "Upload-Limit", &value);
}


/* ---- fields ---- */

static ngx_int_t
ngx_http_reel_ietf_add(ngx_http_request_t *r, const char *name, uint64_t v)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%uL", v) - value.data;

    return ngx_http_reel_add_header(r, name, &value);
}


static ngx_int_t
ngx_http_reel_ietf_limits(ngx_http_reel_door_t *door)
{
    int64_t                age;
    uint64_t               max;
    ngx_str_t              value;
    ngx_time_t            *tp;
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;

    if (ietf->version < NGX_HTTP_REEL_IETF_LIMIT) {
        return NGX_OK;
    }

    max = door->max;
    age = -1;

    if (door->upload) {
        max = door->upload->facts.max_bytes;

        if (door->upload->state.phase == REEL_UPLOAD_OPEN) {
            tp = ngx_timeofday();
            age = reel_upload_expires(door->upload)
                  - ((int64_t) tp->sec * 1000 + tp->msec);
            age = ngx_max(age, 0);
        }
    }

    if (ngx_http_reel_ietf_limit(door->request->pool, ietf->version, max,
                                 age, &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_reel_add_header(door->request, "Upload-Limit", &value);
}


ngx_int_t
ngx_http_reel_ietf_tell(ngx_http_reel_door_t *door, ngx_uint_t complete,
    ngx_uint_t what)
{
    static ngx_str_t  yes = ngx_string("?1"), no = ngx_string("?0"),
                      store = ngx_string("no-store");

    ngx_int_t                   rc;
    ngx_http_request_t         *r;
    ngx_http_reel_ietf_t       *ietf;
    const reel_upload_state_t  *st;

    r = door->request;
    ietf = door->op;
    st = door->upload ? &door->upload->state : NULL;

    if (ietf->version < NGX_HTTP_REEL_IETF_COMPLETE) {
        rc = ngx_http_reel_add_header(r, "Upload-Incomplete",
                                      complete ? &no : &yes);
    } else {
        rc = ngx_http_reel_add_header(r, "Upload-Complete",
                                      complete ? &yes : &no);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_reel_add_header(r, "Cache-Control", &store);
    }

    if (rc == NGX_OK && st && (what & NGX_HTTP_REEL_IETF_OFFSET)) {
        rc = ngx_http_reel_ietf_add(r, "Upload-Offset", door->upload->safe);
    }

    if (rc == NGX_OK && st && (what & NGX_HTTP_REEL_IETF_LENGTH)
        && st->length != REEL_UPLOAD_UNKNOWN)
    {
        rc = ngx_http_reel_ietf_add(r, "Upload-Length", st->length);
    }

    if (rc == NGX_OK && (what & NGX_HTTP_REEL_IETF_LIMITS)) {
        rc = ngx_http_reel_ietf_limits(door);
    }

    if (rc == NGX_OK && (what & NGX_HTTP_REEL_IETF_LOCATION)
        && ietf->url.len)
    {
        rc = ngx_http_reel_add_header(r, "Location", &ietf->url);
    }

    return rc;
}


/* ---- answers ---- */

void
ngx_http_reel_ietf_answer(ngx_http_reel_door_t *door, ngx_uint_t status,
    ngx_uint_t complete, ngx_uint_t what)
{
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;
    ietf->status = status;

    if (ngx_http_reel_ietf_tell(door, complete, what) != NGX_OK) {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_reel_door_answer(door, ngx_http_reel_ietf_send);
}


static ngx_int_t
ngx_http_reel_ietf_send(ngx_http_reel_door_t *door)
{
    ngx_str_t              empty;
    ngx_http_request_t    *r;
    ngx_http_reel_ietf_t  *ietf;

    r = door->request;
    ietf = door->op;

    if (ngx_http_reel_cors(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ietf->status != NGX_HTTP_NO_CONTENT) {
        ngx_str_null(&empty);
        return ngx_http_reel_send(r, ietf->status, "text/plain", &empty);
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


void
ngx_http_reel_ietf_final(ngx_http_reel_door_t *door)
{
    if (ngx_http_reel_ietf_tell(door, 1, NGX_HTTP_REEL_IETF_OFFSET
                                         |NGX_HTTP_REEL_IETF_LOCATION)
        != NGX_OK
        || ngx_http_reel_ietf_digest_of(door) != NGX_OK)
    {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_reel_door_answer(door, ngx_http_reel_ietf_send_final);
}


/* what was checked is told; nothing is read for its sake */
static ngx_int_t
ngx_http_reel_ietf_digest_of(ngx_http_reel_door_t *door)
{
    char        text[REEL_SUM_TEXT];
    uint8_t     sum[REEL_SUM_MAX];
    ngx_str_t   value;
    reel_str_t  hex;

    if (door->upload == NULL || door->upload->facts.expect[0] == '\0') {
        return NGX_OK;
    }

    hex = reel_str(door->upload->facts.expect);

    if (reel_unhex(sum, REEL_SHA256_LEN, hex) != REEL_OK) {
        return NGX_ERROR;
    }

    reel_sum_encode(text, REEL_SUM_SHA256, sum);

    value.data = ngx_pnalloc(door->request->pool,
                             sizeof("sha-256=::") + sizeof(text));
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "sha-256=:%s:", text) - value.data;

    return ngx_http_reel_add_header(door->request, "Repr-Digest", &value);
}


/* as PutObject */
static ngx_int_t
ngx_http_reel_ietf_send_final(ngx_http_reel_door_t *door)
{
    ngx_str_t             etag, asset, empty;
    ngx_http_request_t   *r;
    ngx_http_reel_ctx_t  *ctx;

    r = door->request;
    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);

    asset.data = (u_char *) door->named.asset;
    asset.len = REEL_ULID_LEN;
    ctx->asset = asset;

    etag.data = (u_char *) door->named.etag;
    etag.len = ngx_strlen(door->named.etag);

    if (ngx_http_reel_cors(r) != NGX_OK
        || ngx_http_reel_add_header(r, "ETag", &etag) != NGX_OK
        || ngx_http_reel_add_header(r, "reel-asset", &asset) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&empty);

    return ngx_http_reel_send(r, NGX_HTTP_OK, "text/plain", &empty);
}


ngx_int_t
ngx_http_reel_ietf_discard(ngx_http_reel_door_t *door)
{
    ngx_http_request_t  *r;

    r = door->request;

    if (r->headers_in.expect) {
        /* the answer is here already */
        r->expect_tested = 1;
        r->keepalive = 0;
    }

    return ngx_http_discard_request_body(r);
}


/* ---- refusals ---- */

ngx_http_reel_problem_t *
ngx_http_reel_ietf_problem(ngx_http_reel_door_t *door, const char *type,
    const char *title)
{
    ngx_http_reel_ctx_t   *ctx;
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;
    ietf->problem.type = type;
    ietf->problem.title = title;

    ctx = ngx_http_get_module_ctx(door->request, ngx_http_reel_module);
    ctx->problem = &ietf->problem;

    return &ietf->problem;
}


void
ngx_http_reel_ietf_refuse(ngx_http_reel_door_t *door, ngx_uint_t status,
    const char *code, const char *detail)
{
    if (ngx_http_reel_ietf_tell(door, 0, NGX_HTTP_REEL_IETF_OFFSET)
        != NGX_OK)
    {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_reel_door_refuse(door, status, code, detail, 0);
}


void
ngx_http_reel_ietf_inconsistent(ngx_http_reel_door_t *door,
    const char *detail)
{
    (void) ngx_http_reel_ietf_problem(door, NGX_HTTP_REEL_IETF_PROBLEM
                                      "inconsistent-upload-length",
                                      "Inconsistent Upload Length Values");

    ngx_http_reel_ietf_refuse(door, NGX_HTTP_BAD_REQUEST, "InvalidRequest",
                              detail);
}


void
ngx_http_reel_ietf_mismatching(ngx_http_reel_door_t *door)
{
    ngx_http_reel_ietf_t     *ietf;
    ngx_http_reel_problem_t  *p;

    ietf = door->op;

    p = ngx_http_reel_ietf_problem(door, NGX_HTTP_REEL_IETF_PROBLEM
                                   "mismatching-upload-offset",
                                   "Mismatching Upload Offset");

    p->names[0] = "expected-offset";
    p->values[0] = door->upload->safe;
    p->names[1] = "provided-offset";
    p->values[1] = ietf->offset;

    ngx_http_reel_ietf_refuse(door, NGX_HTTP_CONFLICT, "OffsetMismatch",
                              "Upload-Offset is not where the upload stands");
}


void
ngx_http_reel_ietf_completed(ngx_http_reel_door_t *door)
{
    (void) ngx_http_reel_ietf_problem(door, NGX_HTTP_REEL_IETF_PROBLEM
                                      "completed-upload",
                                      "Upload Is Completed");

    ngx_http_reel_ietf_refuse(door, NGX_HTTP_BAD_REQUEST, "UploadComplete",
                              "the upload is complete: nothing of it changes "
                              "any more");
}


void
ngx_http_reel_ietf_failed(ngx_http_reel_door_t *door, ngx_uint_t complete)
{
    ngx_uint_t  what;

    what = NGX_HTTP_REEL_IETF_OFFSET;

    if (door->err == REEL_DENIED) {
        ngx_http_reel_door_drop(door);
        return;
    }

    if (door->err == REEL_NOTFOUND || door->err == REEL_AGAIN
        || door->err == REEL_IO)
    {
        /* somebody else is ahead of what we know, or the medium lies */
        what = 0;
    }

    if (door->err == REEL_LIMIT) {
        what |= NGX_HTTP_REEL_IETF_LIMITS;
    }

    if (door->err == REEL_BADDATA) {
        (void) ngx_http_reel_ietf_problem(door, NGX_HTTP_REEL_IETF_PROBLEM
                                          "digest-mismatched-values",
                                          "Mismatched Digest Values");
    }

    if (ngx_http_reel_ietf_tell(door, complete, what) != NGX_OK) {
        ngx_http_reel_door_close(door, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (door->err == REEL_BADDATA) {
        ngx_http_reel_door_refuse(door, NGX_HTTP_BAD_REQUEST, "BadDigest",
                                  complete
                                  ? "the whole has not the SHA-256 that it "
                                    "was announced with; nothing is kept"
                                  : "the body has not the digest that was "
                                    "sent with it; nothing of it is kept",
                                  0);
        return;
    }

    ngx_http_reel_door_failed(door);
}

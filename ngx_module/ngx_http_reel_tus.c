/* tus 1.0.0: its version, its headers, its answers */

#include "ngx_module/ngx_http_reel_tus.h"


#define NGX_HTTP_REEL_TUS_VERSION  "1.0.0"
#define NGX_HTTP_REEL_TUS_TYPE     "application/offset+octet-stream"

#define NGX_HTTP_REEL_TUS_EXTENSIONS                                          \
    "creation,creation-with-upload,creation-defer-length,expiration,"         \
    "checksum,termination,concatenation"


static ngx_int_t ngx_http_reel_tus_send(ngx_http_reel_door_t *door);


/* ---- routing ---- */

ngx_uint_t
ngx_http_reel_tus_speaks(ngx_http_reel_door_t *door)
{
    ngx_http_request_t  *r;

    r = door->request;

    if (ngx_http_reel_door_header(r, "tus-resumable")) {
        return 1;
    }

    if (door->place == NGX_HTTP_REEL_AT_UPLOAD) {
        return ngx_http_reel_tus_typed(r);
    }

    /* Upload-Length is the IETF's too, but never without Upload-Complete */
    return r->method == NGX_HTTP_POST
           && (ngx_http_reel_tus_typed(r)
               || ngx_http_reel_door_header(r, "upload-metadata")
               || ngx_http_reel_door_header(r, "upload-defer-length")
               || ngx_http_reel_door_header(r, "upload-concat"));
}


ngx_int_t
ngx_http_reel_tus_begin(ngx_http_reel_door_t *door)
{
    static ngx_str_t  version = ngx_string(NGX_HTTP_REEL_TUS_VERSION);

    ngx_str_t            *value;
    ngx_http_request_t   *r;
    ngx_http_reel_tus_t  *tus;

    r = door->request;

    tus = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_tus_t));
    if (tus == NULL
        || ngx_http_reel_add_header(r, "Tus-Resumable", &version) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tus->length = REEL_UPLOAD_UNKNOWN;
    door->op = tus;
    door->form = NGX_HTTP_REEL_PROBLEM;

    value = ngx_http_reel_door_header(r, "tus-resumable");

    if (value && value->len == version.len
        && ngx_strncmp(value->data, version.data, version.len) == 0)
    {
        return NGX_DECLINED;
    }

    if (ngx_http_reel_add_header(r, "Tus-Version", &version) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_params_refuse(door, NGX_HTTP_PRECONDITION_FAILED,
                                       "UnsupportedVersion", "Tus-Resumable "
                                       "must be " NGX_HTTP_REEL_TUS_VERSION);
}


ngx_uint_t
ngx_http_reel_tus_method(ngx_http_request_t *r)
{
    static const struct {
        const char  *name;
        ngx_uint_t   method;
    } methods[] = {
        { "PATCH", NGX_HTTP_PATCH },
        { "DELETE", NGX_HTTP_DELETE },
        { "HEAD", NGX_HTTP_HEAD },
        { "POST", NGX_HTTP_POST }
    };

    ngx_str_t   *value;
    ngx_uint_t   i;

    value = ngx_http_reel_door_header(r, "x-http-method-override");

    if (value == NULL || r->method != NGX_HTTP_POST) {
        return r->method;
    }

    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (value->len == ngx_strlen(methods[i].name)
            && ngx_strncmp(value->data, methods[i].name, value->len) == 0)
        {
            return methods[i].method;
        }
    }

    return NGX_HTTP_UNKNOWN;
}


ngx_int_t
ngx_http_reel_tus_discover(ngx_http_request_t *r)
{
    static ngx_str_t  version = ngx_string(NGX_HTTP_REEL_TUS_VERSION);
    static ngx_str_t  extensions = ngx_string(NGX_HTTP_REEL_TUS_EXTENSIONS);
    static ngx_str_t  sums = ngx_string("sha1,sha256,crc32c,md5");

    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (ngx_http_reel_add_header(r, "Tus-Resumable", &version) != NGX_OK
        || ngx_http_reel_add_header(r, "Tus-Version", &version) != NGX_OK
        || ngx_http_reel_add_header(r, "Tus-Extension", &extensions)
           != NGX_OK
        || ngx_http_reel_add_header(r, "Tus-Checksum-Algorithm", &sums)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return rlcf->upload_max_size
           ? ngx_http_reel_tus_header(r, "Tus-Max-Size",
                                      rlcf->upload_max_size)
           : NGX_OK;
}


/* ---- headers of requests ---- */

ngx_int_t
ngx_http_reel_tus_number(ngx_http_reel_door_t *door, const char *name,
    uint64_t *value)
{
    u_char     *detail;
    ngx_str_t  *h;

    h = ngx_http_reel_door_header(door->request, name);

    if (h == NULL
        || reel_str_u64((reel_str_t) { (char *) h->data, h->len }, INT64_MAX,
                        value)
           == REEL_OK)
    {
        return NGX_DECLINED;
    }

    detail = ngx_pnalloc(door->request->pool, 64);
    if (detail == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_snprintf(detail, 64, "%s is not a number of bytes%Z", name);

    return ngx_http_reel_params_bad(door, (char *) detail);
}


ngx_int_t
ngx_http_reel_tus_checksum(ngx_http_reel_door_t *door)
{
    uint8_t           want[REEL_SUM_MAX];
    ngx_str_t        *h;
    reel_err_t        err;
    reel_error_t      e;
    reel_sum_kind_t   kind;

    h = ngx_http_reel_door_header(door->request, "upload-checksum");
    if (h == NULL) {
        return NGX_DECLINED;
    }

    e.text[0] = '\0';
    err = reel_sum_parse_tus((reel_str_t) { (char *) h->data, h->len }, &kind,
                             want, &e);

    if (err == REEL_OK) {
        err = ngx_http_reel_door_check(door, kind, want);
    }

    if (err == REEL_OK) {
        return NGX_DECLINED;
    }

    if (err == REEL_NOMEM) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_reel_params_bad(door, e.text[0] ? e.text
                                    : "Upload-Checksum has no algorithm of "
                                      "Tus-Checksum-Algorithm");
}


ngx_uint_t
ngx_http_reel_tus_typed(ngx_http_request_t *r)
{
    size_t            len;
    ngx_table_elt_t  *h;

    h = r->headers_in.content_type;
    len = sizeof(NGX_HTTP_REEL_TUS_TYPE) - 1;

    return h && h->value.len >= len
           && ngx_strncasecmp(h->value.data, (u_char *) NGX_HTTP_REEL_TUS_TYPE,
                              len)
              == 0
           && (h->value.len == len || h->value.data[len] == ';'
               || h->value.data[len] == ' ');
}


/* ---- answers ---- */

ngx_int_t
ngx_http_reel_tus_header(ngx_http_request_t *r, const char *name,
    uint64_t value)
{
    ngx_str_t  v;

    v.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (v.data == NULL) {
        return NGX_ERROR;
    }

    v.len = ngx_sprintf(v.data, "%uL", value) - v.data;

    return ngx_http_reel_add_header(r, name, &v);
}


ngx_int_t
ngx_http_reel_tus_stand(ngx_http_reel_door_t *door)
{
    uint64_t                    offset;
    ngx_str_t                   v;
    const reel_upload_t        *u;
    ngx_http_request_t         *r;
    const reel_upload_state_t  *st;

    u = door->upload;
    st = &u->state;
    r = door->request;

    /* of a final upload there is none before it is complete */
    if (u->facts.concat == NULL || st->phase == REEL_UPLOAD_COMPLETE) {
        offset = st->phase == REEL_UPLOAD_COMPLETE ? st->length : u->safe;

        if (ngx_http_reel_tus_header(r, "Upload-Offset", offset) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    v.data = ngx_pnalloc(r->pool, sizeof("Mon, 28 Sep 1970 06:00:00 GMT"));
    if (v.data == NULL) {
        return NGX_ERROR;
    }

    if (st->phase == REEL_UPLOAD_OPEN) {
        v.len = ngx_http_time(v.data, reel_upload_expires(u) / 1000)
                - v.data;

        return ngx_http_reel_add_header(r, "Upload-Expires", &v);
    }

    if (st->phase != REEL_UPLOAD_COMPLETE) {
        return NGX_OK;
    }

    v.len = REEL_ULID_LEN;
    ngx_memcpy(v.data, door->named.asset[0] ? door->named.asset
                                            : u->facts.request.asset, v.len);

    return ngx_http_reel_add_header(r, "reel-asset", &v);
}


void
ngx_http_reel_tus_answer(ngx_http_reel_door_t *door, ngx_uint_t status)
{
    ngx_http_reel_tus_t  *tus = door->op;

    tus->status = status;

    ngx_http_reel_door_answer(door, ngx_http_reel_tus_send);
}


static ngx_int_t
ngx_http_reel_tus_send(ngx_http_reel_door_t *door)
{
    ngx_str_t             empty;
    ngx_http_request_t   *r;
    ngx_http_reel_tus_t  *tus;

    r = door->request;
    tus = door->op;

    if (r->request_body == NULL && r->headers_in.expect) {
        /* the answer is here already; the body is not wanted */
        r->expect_tested = 1;
        r->keepalive = 0;
    }

    if (r->reading_body || ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    if (ngx_http_reel_cors(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&empty);

    return ngx_http_reel_send(r, tus->status, "text/plain", &empty);
}


void
ngx_http_reel_tus_broken(ngx_http_reel_door_t *door, ngx_int_t rc)
{
    ngx_http_request_t   *r;
    ngx_http_reel_tus_t  *tus;

    r = door->request;
    tus = door->op;

    if (door->err == REEL_DENIED || rc == NGX_ABORT) {
        ngx_http_reel_door_drop(door);
        return;
    }

    if (door->mismatch && door->mismatch == tus->signed_body) {
        ngx_http_reel_door_failed(door);
        return;
    }

    if (door->mismatch) {
        ngx_str_set(&r->headers_out.status_line, "460 Checksum Mismatch");
        ngx_http_reel_door_refuse(door, NGX_HTTP_REEL_TUS_CHECKSUM,
                                  "ChecksumMismatch", "the body's checksum "
                                  "is not that of Upload-Checksum; it was "
                                  "discarded", 1);
        return;
    }

    if (door->err != REEL_OK) {
        ngx_http_reel_tus_failed(door);
        return;
    }

    if (rc == NGX_HTTP_BAD_REQUEST && !r->connection->error) {
        ngx_http_reel_door_refuse(door, rc, "InvalidRequest", "the body is "
                                  "not framed as its headers say", 0);
        return;
    }

    ngx_http_reel_door_close(door, rc);
}


void
ngx_http_reel_tus_failed(ngx_http_reel_door_t *door)
{
    /* not 409: its clients take that for a wrong offset, and try again */
    if (door->err == REEL_EXISTS) {
        ngx_http_reel_door_refuse(door, NGX_HTTP_BAD_REQUEST,
                                  "OperationAborted", "the asset of "
                                  "reel-asset exists already", 0);
        return;
    }

    ngx_http_reel_door_failed(door);
}

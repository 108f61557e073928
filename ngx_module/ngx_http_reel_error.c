/*
 * Errors with a body: RFC 9457 problem documents and S3's XML, the one
 * mapping of reel_err_t to HTTP, and small responses.
 */

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/base/buf.h"
#include "lib/base/json.h"
#include "lib/base/xml.h"


#define NGX_HTTP_REEL_BODY_MAX  (64 * 1024)


static ngx_int_t ngx_http_reel_forget(ngx_http_request_t *r,
    ngx_uint_t status);
static void ngx_http_reel_drop_body(ngx_http_request_t *r);
static ngx_uint_t ngx_http_reel_wants_problem(ngx_http_request_t *r);
static void ngx_http_reel_problem_body(reel_buf_t *b, ngx_http_request_t *r,
    ngx_uint_t status, const char *code, const char *detail,
    ngx_uint_t retryable);
static void ngx_http_reel_s3_body(reel_buf_t *b, ngx_http_request_t *r,
    const char *code, const char *detail);
static const char *ngx_http_reel_title(ngx_uint_t status);


ngx_int_t
ngx_http_reel_error(ngx_http_request_t *r, ngx_http_reel_error_form_e form,
    ngx_uint_t status, const char *code, const char *detail,
    ngx_uint_t retryable)
{
    ngx_str_t             body;
    reel_buf_t            b;
    const char           *type;
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_reel_get_ctx(r);
    if (ctx == NULL || ngx_http_reel_forget(r, status) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->status.data = (u_char *) code;
    ctx->status.len = ngx_strlen(code);

    /* "not yet" is no fault, and players ask again and again */
    if (status >= 500 && status != NGX_HTTP_SERVICE_UNAVAILABLE) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reel: %ui %s: %s", status, code, detail);
    }

    reel_buf_init(&b, NGX_HTTP_REEL_BODY_MAX);

    if (form == NGX_HTTP_REEL_S3 && !ngx_http_reel_wants_problem(r)) {
        type = "application/xml";
        ngx_http_reel_s3_body(&b, r, code, detail);

    } else {
        type = "application/problem+json";
        ngx_http_reel_problem_body(&b, r, status, code, detail, retryable);
    }

    if (ngx_http_reel_to_pool(r, &b, &body) != REEL_OK
        || (form == NGX_HTTP_REEL_S3 && ngx_http_reel_request_id(r) != NGX_OK)
        || ngx_http_reel_cors(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_reel_drop_body(r);

    return ngx_http_reel_send(r, status, type, &body);
}


/*
 * Who waits for 100 Continue gets the error instead; what is left of a body
 * is read and dropped, so that the client sees the answer.
 */
static void
ngx_http_reel_drop_body(ngx_http_request_t *r)
{
    if (r->headers_in.expect && !r->expect_tested) {
        r->expect_tested = 1;
        r->keepalive = 0;
    }

    if (r->reading_body || ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }
}


/*
 * In an error nothing of the success's headers may stay, and caches must not
 * keep it: 404, 405 and 410 they would of themselves (RFC 9110, 15.1).  What
 * playback has not yet may be kept for a second, so that an edge asks once
 * however many players wait for it.
 */
static ngx_int_t
ngx_http_reel_forget(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                 i, soon;
    ngx_table_elt_t           *h;
    ngx_http_reel_loc_conf_t  *rlcf;

    static ngx_str_t    never = ngx_string("no-store");
    static ngx_str_t    second = ngx_string("max-age=1");
    static const char  *gone[] = { "Cache-Control", "Content-Encoding",
                                   "Content-Disposition" };

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_etag(r);
    ngx_http_clear_last_modified(r);
    r->allow_ranges = 0;
    r->headers_out.content_encoding = NULL;

    for (i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        h = ngx_http_reel_find_header(r, gone[i]);
        if (h) {
            h->hash = 0;
        }
    }

    soon = ngx_http_reel_plays(rlcf) && (status == NGX_HTTP_NOT_FOUND
                          || status == NGX_HTTP_SERVICE_UNAVAILABLE);

    return ngx_http_reel_add_header(r, "Cache-Control",
                                    soon ? &second : &never);
}


/* an S3 client sends no such Accept; people and our own tools do */
static ngx_uint_t
ngx_http_reel_wants_problem(ngx_http_request_t *r)
{
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;
    ngx_uint_t        i;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == sizeof("accept") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "accept", 6) == 0
            && ngx_strlcasestrn(h[i].value.data,
                                h[i].value.data + h[i].value.len,
                                (u_char *) "application/problem+json",
                                sizeof("application/problem+json") - 2)
               != NULL)
        {
            return 1;
        }
    }
}


static void
ngx_http_reel_problem_body(reel_buf_t *b, ngx_http_request_t *r,
    ngx_uint_t status, const char *code, const char *detail,
    ngx_uint_t retryable)
{
    ngx_uint_t                i;
    reel_json_t               j;
    ngx_http_reel_ctx_t      *ctx;
    ngx_http_reel_problem_t  *p;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    p = ctx->problem;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "type", p ? p->type : "about:blank");
    reel_json_kstr(&j, "title", p ? p->title : ngx_http_reel_title(status));
    reel_json_kuint(&j, "status", status);
    reel_json_kstr(&j, "detail", detail);
    reel_json_key(&j, "instance");
    reel_json_str(&j, (reel_str_t) { (char *) r->uri.data, r->uri.len });
    reel_json_kstr(&j, "code", code);
    reel_json_kbool(&j, "retryable", retryable);

    for (i = 0; p && i < 2 && p->names[i]; i++) {
        reel_json_kuint(&j, p->names[i], p->values[i]);
    }

    if (ctx->asset.len) {
        reel_json_key(&j, "asset");
        reel_json_str(&j, (reel_str_t) { (char *) ctx->asset.data,
                                         ctx->asset.len });
    }

    reel_json_end(&j, '}');
    reel_buf_addz(b, "\n");
}


static void
ngx_http_reel_s3_body(reel_buf_t *b, ngx_http_request_t *r, const char *code,
    const char *detail)
{
    reel_buf_addz(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    reel_xml_elementz(b, "Code", code);
    reel_xml_elementz(b, "Message", detail);
    reel_xml_element(b, "Resource", (reel_str_t) { (char *) r->uri.data,
                                                   r->uri.len });
    reel_buf_printf(b, "<RequestId>%016llx</RequestId></Error>\n",
                    (unsigned long long) r->connection->number);
}


static const char *
ngx_http_reel_title(ngx_uint_t status)
{
    static const struct {
        ngx_uint_t   status;
        const char  *title;
    } titles[] = {
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 460, "Checksum Mismatch" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 507, "Insufficient Storage" }
    };

    ngx_uint_t  i;

    for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (titles[i].status == status) {
            return titles[i].title;
        }
    }

    return "Error";
}


ngx_uint_t
ngx_http_reel_err_status(reel_err_t err, const char **code)
{
    static const struct {
        reel_err_t   err;
        ngx_uint_t   status;
        const char  *code;
    } map[] = {
        { REEL_INVAL,       400, "InvalidArgument" },
        { REEL_BADDATA,     400, "InvalidArgument" },
        { REEL_UNSUPPORTED, 501, "NotImplemented" },
        { REEL_LIMIT,       413, "EntityTooLarge" },
        { REEL_NOTFOUND,    404, "NOT_FOUND" },
        { REEL_EXISTS,      409, "OperationAborted" },
        { REEL_DENIED,      403, "AccessDenied" },
        { REEL_NOSPACE,     507, "InsufficientStorage" }
    };

    ngx_uint_t  i;

    for (i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
        if (map[i].err == err) {
            *code = map[i].code;
            return map[i].status;
        }
    }

    *code = "InternalError";
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


ngx_int_t
ngx_http_reel_request_id(ngx_http_request_t *r)
{
    ngx_str_t  id;

    id.len = 16;
    id.data = ngx_pnalloc(r->pool, id.len);
    if (id.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(id.data, "%016xL", (int64_t) r->connection->number);

    return ngx_http_reel_add_header(r, "x-amz-request-id", &id);
}


ngx_int_t
ngx_http_reel_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    return ngx_http_reel_push_header(r, name, value) ? NGX_OK : NGX_ERROR;
}


ngx_table_elt_t *
ngx_http_reel_push_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return h;
}


ngx_table_elt_t *
ngx_http_reel_find_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash && h[i].key.len == len
                && ngx_strncmp(h[i].key.data, name, len) == 0)
            {
                return &h[i];
            }
        }
    }

    return NULL;
}


reel_err_t
ngx_http_reel_to_pool(ngx_http_request_t *r, reel_buf_t *b, ngx_str_t *s)
{
    reel_err_t  err;

    ngx_str_null(s);

    err = reel_buf_err(b);

    if (err == REEL_OK) {
        s->data = ngx_pnalloc(r->pool, b->len);

        if (s->data == NULL) {
            err = REEL_NOMEM;

        } else {
            ngx_memcpy(s->data, b->data, b->len);
            s->len = b->len;
        }
    }

    reel_buf_release(b);

    return err;
}


ngx_int_t
ngx_http_reel_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, ngx_str_t *body)
{
    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_chain_t   out;

    r->headers_out.status = status;
    r->headers_out.content_length_n = body->len;
    r->headers_out.content_type.data = (u_char *) content_type;
    r->headers_out.content_type.len = ngx_strlen(content_type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = body->len ? 1 : 0;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;
    b->sync = (b->memory || b->last_buf) ? 0 : 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}

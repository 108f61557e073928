/*
 * Playback tokens: takes the token out of path, query or cookie.  Of path
 * and query nothing of it stays, in $uri and $args as in $request: they are
 * written anew, in memory of their own.
 */

#include "ngx_module/ngx_http_reel_token.h"

static ngx_http_reel_token_t *create(ngx_http_request_t *r);
static void mark(void *data);
static ngx_int_t find(ngx_http_request_t *r, ngx_http_reel_token_t *t,
    ngx_http_reel_carrier_t *c);
static ngx_int_t from_path(ngx_http_request_t *r, ngx_str_t *value);
static ngx_int_t from_query(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);
static void from_cookie(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);
static ngx_int_t redact(ngx_http_request_t *r, ngx_uint_t taken);
static ngx_int_t rebuild(ngx_http_request_t *r, ngx_str_t *uri);


typedef struct {
    ngx_str_t               *name;
    ngx_str_t               *value;     /* the first one's */
} named_t;


ngx_int_t
ngx_http_reel_token_carry(ngx_http_request_t *r)
{
    ngx_str_t                  uri, args;
    ngx_uint_t                 i, taken;
    ngx_http_reel_token_t     *t;
    ngx_http_reel_carrier_t   *c;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (conf->token == NGX_HTTP_REEL_TOKEN_OFF || r != r->main) {
        return NGX_DECLINED;
    }

    t = ngx_http_reel_token_get(r);
    if (t && t->value.len) {
        /* taken before an internal redirect */
        return NGX_DECLINED;
    }

    if (t == NULL) {
        t = create(r);
        if (t == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    uri = r->uri;
    args = r->args;
    c = conf->token_from->elts;

    for (i = 0; i < conf->token_from->nelts; i++) {
        if (find(r, t, &c[i]) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    taken = uri.data != r->uri.data || args.data != r->args.data;

    return redact(r, taken) == NGX_OK ? NGX_DECLINED
                                      : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* kept by a cleanup of its own: an internal redirect drops r's contexts */
static ngx_http_reel_token_t *
create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t   *cln;
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_reel_get_ctx(r);
    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_token_t));

    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    ngx_memzero(cln->data, sizeof(ngx_http_reel_token_t));
    cln->handler = mark;
    ctx->token = cln->data;

    return cln->data;
}


static void
mark(void *data)
{
}


ngx_http_reel_token_t *
ngx_http_reel_token_get(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t   *cln;
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);

    if (ctx && ctx->token) {
        return ctx->token;
    }

    if (!r->internal && r == r->main) {
        return NULL;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == mark) {
            if (ctx) {
                ctx->token = cln->data;
            }

            return cln->data;
        }
    }

    return NULL;
}


/* all carriers are emptied; the first that has a token counts */
static ngx_int_t
find(ngx_http_request_t *r, ngx_http_reel_token_t *t,
    ngx_http_reel_carrier_t *c)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    ngx_str_null(&value);
    rc = NGX_OK;

    switch (c->from) {

    case NGX_HTTP_REEL_FROM_PATH:
        rc = from_path(r, &value);
        break;

    case NGX_HTTP_REEL_FROM_QUERY:
        rc = from_query(r, &c->name, &value);
        break;

    case NGX_HTTP_REEL_FROM_COOKIE:
        from_cookie(r, &c->name, &value);
        break;
    }

    if (value.len && t->value.len == 0) {
        t->value = value;
        t->from = c->from;
        t->name = c->name;
    }

    return rc;
}


ngx_int_t
ngx_http_reel_token_below(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_str_t                 *name;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    name = &conf->token_below;

    if (name->len == 0) {
        return ngx_http_reel_below_location(r, rest);
    }

    if (r->uri.len < name->len
        || ngx_memcmp(r->uri.data, name->data, name->len) != 0)
    {
        return NGX_DECLINED;
    }

    rest->data = r->uri.data + name->len;
    rest->len = r->uri.len - name->len;

    return NGX_OK;
}


ngx_int_t
ngx_http_reel_token_replace(ngx_http_request_t *r, ngx_str_t *rest,
    ngx_str_t *by)
{
    size_t   head;
    u_char  *p;

    head = rest->data - r->uri.data;

    p = ngx_pnalloc(r->pool, head + by->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, r->uri.data, head);
    ngx_memcpy(p + head, by->data, by->len);
    p[head + by->len] = '\0';

    r->uri.data = p;
    r->uri.len = head + by->len;

    /* what is sent upstream is made of it, not of what came */
    r->valid_unparsed_uri = 0;
    r->quoted_uri = 1;
    ngx_http_set_exten(r);

    return NGX_OK;
}


/* the first part below the location, if it has the form of a token */
static ngx_int_t
from_path(ngx_http_request_t *r, ngx_str_t *value)
{
    u_char     *slash;
    ngx_str_t   rest, by;

    if (ngx_http_reel_token_below(r, &rest) != NGX_OK) {
        return NGX_OK;
    }

    slash = ngx_strlchr(rest.data, rest.data + rest.len, '/');

    value->data = rest.data;
    value->len = (slash ? slash : rest.data + rest.len) - rest.data;

    if (!reel_token_looks((reel_str_t) { (char *) value->data, value->len }))
    {
        ngx_str_null(value);
        return NGX_OK;
    }

    by.data = slash ? slash + 1 : rest.data + rest.len;
    by.len = rest.data + rest.len - by.data;

    return ngx_http_reel_token_replace(r, &rest, &by);
}


static ngx_uint_t
is_named(ngx_str_t *name, ngx_str_t *value, void *data)
{
    named_t  *n = data;

    if (name->len != n->name->len
        || ngx_memcmp(name->data, n->name->data, name->len) != 0)
    {
        return 0;
    }

    if (n->value->len == 0) {
        *n->value = *value;
    }

    return 1;
}


static ngx_int_t
from_query(ngx_http_request_t *r, ngx_str_t *name, ngx_str_t *value)
{
    named_t  n;

    n.name = name;
    n.value = value;

    return ngx_http_reel_token_drop_args(r, is_named, &n);
}


ngx_int_t
ngx_http_reel_token_drop_args(ngx_http_request_t *r,
    ngx_http_reel_drop_pt drop, void *data)
{
    u_char     *p, *last, *next, *eq, *copy, *end;
    ngx_str_t   name, value;

    if (r->args.len == 0) {
        return NGX_OK;
    }

    copy = ngx_pnalloc(r->pool, r->args.len);
    if (copy == NULL) {
        return NGX_ERROR;
    }

    last = copy;
    end = r->args.data + r->args.len;

    for (p = r->args.data; p < end; p = next + 1) {
        next = ngx_strlchr(p, end, '&');
        next = next ? next : end;
        eq = ngx_strlchr(p, next, '=');

        name.data = p;
        name.len = (eq ? eq : next) - p;
        value.data = eq ? eq + 1 : next;
        value.len = next - value.data;

        if (drop(&name, &value, data)) {
            continue;
        }

        if (last != copy) {
            *last++ = '&';
        }

        last = ngx_cpymem(last, p, next - p);
    }

    if ((size_t) (last - copy) != r->args.len) {
        r->args.data = copy;
        r->args.len = last - copy;
        r->valid_unparsed_uri = 0;
    }

    return NGX_OK;
}


static void
from_cookie(ngx_http_request_t *r, ngx_str_t *name, ngx_str_t *value)
{
#if (nginx_version >= 1023000)

    if (ngx_http_parse_multi_header_lines(r, r->headers_in.cookie, name,
                                          value)
        == NULL)
    {
        ngx_str_null(value);
    }

#else

    if (ngx_http_parse_multi_header_lines(&r->headers_in.cookies, name, value)
        == NGX_DECLINED)
    {
        ngx_str_null(value);
    }

#endif
}


/*
 * $request, which error lines have too, without any token, one included that
 * came where none is looked for; $request_uri without the one that was taken.
 */
static ngx_int_t
redact(ngx_http_request_t *r, ngx_uint_t taken)
{
    u_char     *p;
    ngx_str_t   uri;

    if (taken && rebuild(r, &r->unparsed_uri) != NGX_OK) {
        return NGX_ERROR;
    }

    uri = r->unparsed_uri;

    if (!taken && ngx_strlcasestrn(uri.data, uri.data + uri.len,
                                   (u_char *) "ey", 1)
                  == NULL)
    {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, r->method_name.len + 1 + uri.len + 1
                             + r->http_protocol.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    r->request_line.data = p;
    p = ngx_cpymem(p, r->method_name.data, r->method_name.len);
    *p++ = ' ';
    p = ngx_http_reel_token_mask(p, &uri);

    if (r->http_protocol.len) {
        *p++ = ' ';
        p = ngx_cpymem(p, r->http_protocol.data, r->http_protocol.len);
    }

    r->request_line.len = p - r->request_line.data;

    return NGX_OK;
}


/* as if the request had come so */
static ngx_int_t
rebuild(ngx_http_request_t *r, ngx_str_t *uri)
{
    u_char  *p;
    size_t   escape;

    escape = 2 * ngx_escape_uri(NULL, r->uri.data, r->uri.len,
                                NGX_ESCAPE_URI);

    p = ngx_pnalloc(r->pool, r->uri.len + escape + 1 + r->args.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    uri->data = p;
    p = (u_char *) ngx_escape_uri(p, r->uri.data, r->uri.len, NGX_ESCAPE_URI);

    if (r->args.len) {
        *p++ = '?';
        p = ngx_cpymem(p, r->args.data, r->args.len);
    }

    uri->len = p - uri->data;

    return NGX_OK;
}


u_char *
ngx_http_reel_token_mask(u_char *dst, ngx_str_t *uri)
{
    u_char  *p, *q, *end;

    end = uri->data + uri->len;

    for (p = uri->data; p < end; p = q) {

        for (q = p; q < end && !ngx_strchr("/?&=;,", *q); q++) { /* void */ }

        if (reel_token_looks((reel_str_t) { (char *) p, q - p })) {
            *dst++ = '-';

        } else {
            dst = ngx_cpymem(dst, p, q - p);
        }

        if (q < end) {
            *dst++ = *q++;
        }
    }

    return dst;
}

/* playback: the headers of what is played, and its bytes */

#include "ngx_module/ngx_http_reel_look.h"
#include "ngx_module/ngx_http_reel_play.h"


static ngx_uint_t stands_in(ngx_http_reel_play_t *p);
static ngx_str_t *cache_control(ngx_http_reel_play_t *p);


static ngx_str_t  immutable =
    ngx_string("public, max-age=31536000, immutable");
static ngx_str_t  current = ngx_string("max-age=5");
/* a shared cache asks again soon, for its players' sake: that is a 304 */
static ngx_str_t  complete = ngx_string("max-age=60, s-maxage=5, "
                                        "stale-while-revalidate=5, "
                                        "stale-if-error=86400");


/* with a token in it, which is one viewer's */
static ngx_str_t  own = ngx_string("private, max-age=5");


ngx_int_t
ngx_http_reel_play_headers(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    off_t len, ngx_str_t *etag)
{
    ngx_uint_t            kind;
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_reel_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    kind = p->rendition ? p->rendition->kind - 1 : 0;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = len;
    r->headers_out.last_modified_time = p->mtime;
    r->headers_out.content_type = p->route->type[kind];
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    /* several ranges at once get the whole */
    r->allow_ranges = 1;
    r->single_range = 1;

    r->headers_out.etag = ngx_http_reel_push_header(r, "ETag", etag);

    if (r->headers_out.etag == NULL
        || ngx_http_reel_add_header(r, "Cache-Control", cache_control(p))
           != NGX_OK
        || ngx_http_reel_cors(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&ctx->status, "OK");

    return NGX_OK;
}


/* the source, until the ladder comes: a film below a location has no id */
static ngx_uint_t
stands_in(ngx_http_reel_play_t *p)
{
    return p->index->nsamples && p->route->of == NGX_HTTP_REEL_OF_ASSET
           && p->place.look == ngx_http_reel_look;
}


static ngx_str_t *
cache_control(ngx_http_reel_play_t *p)
{
    if (p->opts.token) {
        return &own;
    }

    /* its last segment is not all of it yet */
    if (p->exact) {
        return &current;
    }

    if (p->route->manifest) {
        if (p->index->growing || stands_in(p)
            || (p->route->of != NGX_HTTP_REEL_OF_ASSET && p->hash.len == 0))
        {
            return &current;
        }

        return &complete;
    }

    return p->hash.len ? &immutable : &current;
}


ngx_int_t
ngx_http_reel_play_etag(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    ngx_str_t *what, ngx_uint_t weak, ngx_str_t *etag)
{
    u_char  *b;

    etag->data = ngx_pnalloc(r->pool, REEL_VERSION_HASH + p->name.len
                                      + what->len + sizeof("W/\"+--\"") - 1);
    if (etag->data == NULL) {
        return NGX_ERROR;
    }

    b = etag->data;

    if (weak) {
        *b++ = 'W';
        *b++ = '/';
    }

    *b++ = '"';
    b = ngx_cpymem(b, p->exact ? p->exact : p->version, REEL_VERSION_HASH);

    /* manifests of the same file name segments otherwise later */
    if (p->exact) {
        *b++ = '+';
    }

    *b++ = '-';

    if (p->name.len) {
        b = ngx_cpymem(b, p->name.data, p->name.len);
        *b++ = '-';
    }

    b = ngx_cpymem(b, what->data, what->len);
    *b++ = '"';

    etag->len = b - etag->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_reel_play_send_header(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_send_header(r);

    if (rc == NGX_HTTP_RANGE_NOT_SATISFIABLE) {
        /* Content-Range is set, nothing was sent yet */
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, rc,
                                   "RANGE_NOT_SATISFIABLE",
                                   "the range begins behind the end", 0);
    }

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_reel_play_output(ngx_http_request_t *r, ngx_chain_t *out)
{
    ngx_int_t  rc;

    rc = ngx_http_reel_play_send_header(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}


ngx_int_t
ngx_http_reel_play_bytes(ngx_http_request_t *r, u_char *data, size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = data;
    b->last = data + len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_reel_play_output(r, &out);
}

/*
 * A mapping from an internal location: a subrequest whose body stays in
 * memory.  How much that may be, how long it may take and whether it is
 * cached is for the location's own directives to say.
 */

#include "ngx_module/ngx_http_reel_title.h"

static ngx_int_t set_uri(ngx_http_request_t *r, ngx_http_reel_title_t *t,
    ngx_str_t *uri);
static ngx_int_t strip_headers(ngx_http_request_t *sr);
static ngx_int_t asked(ngx_http_request_t *sr, void *data, ngx_int_t rc);
static void answered(ngx_http_request_t *r);
static ngx_int_t read_answer(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);
static ngx_int_t refuse(ngx_http_request_t *r, ngx_http_reel_title_t *t);
static ngx_int_t take_body(ngx_http_request_t *r, ngx_http_reel_title_t *t,
    ngx_str_t *body);


ngx_int_t
ngx_http_reel_title_ask(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_str_t                    uri;
    ngx_http_request_t          *sr;
    ngx_http_post_subrequest_t  *ps;

    /* a location that maps to itself would ask for ever */
    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reel: a mapping cannot come from a location that is "
                      "mapped itself");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));

    if (ps == NULL || set_uri(r, t, &uri) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ps->handler = asked;
    ps->data = t;

    if (ngx_http_subrequest(r, &uri, NULL, &sr, ps,
                            NGX_HTTP_SUBREQUEST_IN_MEMORY
                            |NGX_HTTP_SUBREQUEST_WAITED)
        != NGX_OK
        || strip_headers(sr) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    t->asked = sr;
    r->main->count++;

    return NGX_DONE;
}


/* the location's prefix, then the title's path below its own location */
static ngx_int_t
set_uri(ngx_http_request_t *r, ngx_http_reel_title_t *t, ngx_str_t *uri)
{
    u_char                    *b;
    ngx_str_t                 *asset;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    asset = &t->play->asset;

    uri->len = conf->files_map.len + asset->len - t->top.len;
    uri->data = ngx_pnalloc(r->pool, uri->len + 1);
    if (uri->data == NULL) {
        return NGX_ERROR;
    }

    b = ngx_cpymem(uri->data, conf->files_map.data, conf->files_map.len);
    ngx_memcpy(b, asset->data + t->top.len, asset->len - t->top.len);

    return NGX_OK;
}


/* a range or a condition of the player's is not one of the mapping */
static ngx_int_t
strip_headers(ngx_http_request_t *sr)
{
    ngx_uint_t        i, k;
    ngx_list_t        old;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *n;

    static const char *const  names[] = {
        "range", "if-range", "if-modified-since", "if-unmodified-since",
        "if-match", "if-none-match", "accept-encoding", NULL
    };

    old = sr->headers_in.headers;

    if (ngx_list_init(&sr->headers_in.headers, sr->pool, 20,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (part = &old.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            for (k = 0; names[k]; k++) {
                if (h[i].key.len == ngx_strlen(names[k])
                    && ngx_strncasecmp(h[i].key.data, (u_char *) names[k],
                                       h[i].key.len) == 0)
                {
                    break;
                }
            }

            if (names[k]) {
                continue;
            }

            n = ngx_list_push(&sr->headers_in.headers);
            if (n == NULL) {
                return NGX_ERROR;
            }

            *n = h[i];
        }
    }

    sr->headers_in.range = NULL;
    sr->headers_in.if_range = NULL;
    sr->headers_in.if_modified_since = NULL;
    sr->headers_in.if_unmodified_since = NULL;
    sr->headers_in.if_match = NULL;
    sr->headers_in.if_none_match = NULL;
#if (NGX_HTTP_GZIP)
    sr->headers_in.accept_encoding = NULL;
#endif

    return NGX_OK;
}


/* the location's own error page would not be a mapping either */
static ngx_int_t
asked(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_reel_title_t *t = data;

    t->status = rc >= NGX_HTTP_SPECIAL_RESPONSE ? (ngx_uint_t) rc
                : rc == NGX_ERROR ? NGX_HTTP_BAD_GATEWAY
                : sr->headers_out.status;

    sr->parent->write_event_handler = answered;

    return NGX_OK;
}


static void
answered(ngx_http_request_t *r)
{
    ngx_http_reel_ctx_t   *ctx;
    ngx_http_reel_play_t  *p;

    r->write_event_handler = ngx_http_request_empty_handler;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);

    if (ctx == NULL || ctx->data == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    p = ctx->data;

    ngx_http_finalize_request(r, read_answer(r, p->title));
}


static ngx_int_t
read_answer(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_str_t  body;

    if (t->status != NGX_HTTP_OK) {
        return refuse(r, t);
    }

    if (take_body(r, t, &body) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (t->asked->headers_out.content_length_n > (off_t) body.len) {
        t->status = NGX_HTTP_BAD_GATEWAY;
        return refuse(r, t);
    }

    t->err = reel_title_map(&t->title, (char *) body.data, body.len, &t->e);

    if (t->err == REEL_OK
        && reel_sha256(t->digest, body.data, body.len) != REEL_OK)
    {
        t->err = REEL_NOMEM;
    }

    return ngx_http_reel_title_got(r, t);
}


/* who asked is told what the mapping's server said */
static ngx_int_t
refuse(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_uint_t  retry;

    if (t->status < NGX_HTTP_BAD_REQUEST || t->status > 599) {
        t->status = NGX_HTTP_BAD_GATEWAY;
    }

    if (t->status == NGX_HTTP_NOT_FOUND) {
        return ngx_http_reel_play_absent(r, "there is no such title");
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "reel: the mapping of title \"%V\" was answered %ui",
                  &t->play->asset, t->status);

    retry = t->status >= NGX_HTTP_INTERNAL_SERVER_ERROR;

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, t->status,
                               "MAPPING_FAILED", "the title's mapping could "
                               "not be had", retry);
}


static ngx_int_t
take_body(ngx_http_request_t *r, ngx_http_reel_title_t *t, ngx_str_t *body)
{
    u_char       *b;
    ngx_chain_t  *cl;

    body->len = 0;

    for (cl = t->asked->out; cl; cl = cl->next) {
        body->len += cl->buf->last - cl->buf->pos;
    }

    body->data = ngx_pnalloc(r->pool, body->len + 1);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    b = body->data;

    for (cl = t->asked->out; cl; cl = cl->next) {
        b = ngx_cpymem(b, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    return NGX_OK;
}

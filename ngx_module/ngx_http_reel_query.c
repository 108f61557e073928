/*
 * Playback: parameters of the query that shape manifests, and the key under
 * which caches should keep an answer.  What is not ours (tokens, players'
 * own) is passed over.
 */

#include "ngx_module/ngx_http_reel_play.h"

#include "lib/auth/query.h"

#define VALUE_MAX  256

static ngx_uint_t is_shaped(const ngx_http_reel_route_t *route);
static ngx_int_t take(ngx_http_reel_play_t *p, ngx_uint_t shaped,
    reel_str_t name, reel_str_t value, reel_error_t *e);
static ngx_int_t set(reel_shape_t *s, reel_str_t name, reel_str_t value,
    reel_error_t *e);
static void add_clip(ngx_http_reel_play_t *p);
static ngx_int_t set_shape(ngx_http_request_t *r, ngx_http_reel_play_t *p);


ngx_int_t
ngx_http_reel_query_parse(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    reel_error_t *e)
{
    ngx_int_t    rc;
    reel_str_t   query, name, value;
    ngx_uint_t   shaped;

    e->text[0] = '\0';

    if (r->args.len == 0 && !reel_shape_is_clip(&p->clip)) {
        return NGX_OK;
    }

    query.p = (char *) r->args.data;
    query.len = r->args.len;
    shaped = is_shaped(p->route);

    while (reel_query_next(&query, &name, &value)) {
        rc = take(p, shaped, name, value, e);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (shaped) {
        add_clip(p);
    }

    if (reel_shape_check(&p->opts.shape, e) != REEL_OK
        || reel_shape_check(&p->limits, e) != REEL_OK)
    {
        return NGX_DECLINED;
    }

    if (!shaped) {
        return NGX_OK;
    }

    p->outside = !reel_shape_limit(&p->opts.shape, &p->limits);

    return set_shape(r, p);
}


static ngx_uint_t
is_shaped(const ngx_http_reel_route_t *route)
{
    return route->manifest || route->answer == ngx_http_reel_text_whole
           || route->answer == ngx_http_reel_download;
}


/*
 * Names count as nginx's own $arg_… takes them, in any case and never
 * decoded: an edge that has them in its key must mean the same by them.
 */
static ngx_int_t
take(ngx_http_reel_play_t *p, ngx_uint_t shaped, reel_str_t name,
    reel_str_t value, reel_error_t *e)
{
    u_char  lower[sizeof(REEL_SHAPE_LIMIT "max_height")];

    if (name.len >= sizeof(lower)) {
        return NGX_OK;
    }

    ngx_strlow(lower, (u_char *) name.p, name.len);
    name.p = (char *) lower;

    if (reel_str_prefix(name, REEL_SHAPE_LIMIT)) {
        name.p += sizeof(REEL_SHAPE_LIMIT) - 1;
        name.len -= sizeof(REEL_SHAPE_LIMIT) - 1;

        return set(&p->limits, name, value, e);
    }

    return shaped ? set(&p->opts.shape, name, value, e) : NGX_OK;
}


static ngx_int_t
set(reel_shape_t *s, reel_str_t name, reel_str_t value, reel_error_t *e)
{
    ngx_int_t   rc;
    reel_buf_t  b;

    rc = NGX_OK;
    reel_buf_init(&b, VALUE_MAX);

    if (value.len > VALUE_MAX || reel_uri_decode(&b, value) != REEL_OK) {
        /* no number has such a form, or so many digits */
        reel_buf_clear(&b);
        reel_buf_u8(&b, '%');
    }

    if (reel_buf_err(&b) != REEL_OK) {
        rc = NGX_ERROR;

    } else if (reel_shape_set(s, name, (reel_str_t) { (char *) b.data,
                                                      b.len }, e)
               != REEL_OK)
    {
        rc = NGX_DECLINED;
    }

    reel_buf_release(&b);

    return rc;
}


/* the path's, as far as the query says nothing else */
static void
add_clip(ngx_http_reel_play_t *p)
{
    reel_shape_t *s = &p->opts.shape;

    p->told = *s;

    if (s->start_us == 0) {
        s->start_us = p->clip.start_us;
    }

    if (s->end_us == 0) {
        s->end_us = p->clip.end_us;
    }
}


/* of a rendition's playlists heights are no matter */
static ngx_int_t
set_shape(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    char  text[REEL_SHAPE_MAX];

    p->shape.len = reel_shape_print(text, &p->opts.shape,
                                    p->route->of != NGX_HTTP_REEL_OF_ASSET);

    if (p->shape.len == 0) {
        return NGX_OK;
    }

    p->shape.data = ngx_pnalloc(r->pool, p->shape.len);
    if (p->shape.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p->shape.data, text, p->shape.len);

    return NGX_OK;
}


/*
 * <id>/<publication>/<path>[?<parameters>]: one for equal answers.  Of what
 * was not found in an index there is none.
 */
ngx_int_t
ngx_http_reel_query_cache_key(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                    *last;
    ngx_str_t                  path;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_play_t      *p;
    ngx_http_reel_loc_conf_t  *conf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    p = ctx && ngx_http_reel_plays(conf) ? ctx->data : NULL;

    if (p == NULL || p->index == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    path.data = p->asset.data + p->asset.len + 1;
    path.len = r->uri.data + r->uri.len - path.data;

    v->data = ngx_pnalloc(r->pool, p->asset.len + path.len + p->shape.len
                                   + NGX_INT32_LEN + sizeof("+//?") - 1);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    /* of files there is no other number of what they hold */
    last = p->index->nsamples
           ? ngx_sprintf(v->data, "%V/%s%s/%V", &p->asset,
                         p->exact ? p->exact : p->version,
                         p->exact ? "+" : "", &path)
           : ngx_sprintf(v->data, "%V/%uD/%V", &p->asset,
                         p->index->publication, &path);

    if (p->shape.len) {
        last = ngx_sprintf(last, "?%V", &p->shape);
    }

    v->len = last - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}

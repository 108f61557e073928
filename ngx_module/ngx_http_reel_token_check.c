/*
 * Playback tokens: the access phase.  Signatures are checked once a token,
 * all else for each request.  What of a film a token permits goes on with
 * the request, as parameters that whoever answers keeps to.
 */

#include "ngx_module/ngx_http_reel_kept.h"
#include "ngx_module/ngx_http_reel_token.h"

#include "lib/base/ulid.h"
#include "lib/crypt/digest.h"
#include "lib/title/vod_name.h"

static ngx_int_t verify(ngx_http_request_t *r, ngx_http_reel_token_t *t,
    reel_play_token_t *claims, reel_token_status_t *st);
static ngx_int_t digest(const reel_jwks_t *keys, ngx_str_t *token,
    u_char *key);
static reel_token_status_t permits(ngx_http_request_t *r,
    ngx_http_reel_token_t *t, reel_play_token_t *claims);
static reel_token_status_t check_asset(ngx_http_request_t *r,
    ngx_http_reel_token_t *t, reel_play_token_t *claims);
static reel_token_status_t check_client(ngx_http_request_t *r,
    reel_play_token_t *claims);
static ngx_uint_t may_stand(ngx_str_t *rest);
static ngx_int_t insert(ngx_http_request_t *r, reel_str_t sub,
    ngx_str_t *rest);
static ngx_uint_t has_grace(ngx_http_request_t *r);
static ngx_uint_t is_of_track(u_char *name, u_char *end);
static ngx_int_t limit(ngx_http_request_t *r, reel_play_token_t *claims);
static ngx_int_t grant(ngx_http_request_t *r, ngx_http_reel_token_t *t,
    reel_play_token_t *claims);
static ngx_int_t deny(ngx_http_request_t *r, reel_token_status_t st);


ngx_int_t
ngx_http_reel_token_access(ngx_http_request_t *r)
{
    reel_play_token_t          claims;
    reel_token_status_t        st;
    ngx_http_reel_token_t     *t;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (conf->token == NGX_HTTP_REEL_TOKEN_OFF || r != r->main) {
        return NGX_DECLINED;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        /* preflights come without cookies, and tell nothing */
        return NGX_OK;
    }

    t = ngx_http_reel_token_get(r);

    if (t == NULL || t->value.len == 0) {
        return conf->token == NGX_HTTP_REEL_TOKEN_OPTIONAL
               ? NGX_DECLINED : deny(r, REEL_TOKEN_MISSING);
    }

    t->claims = NULL;

    if (verify(r, t, &claims, &st) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (st == REEL_TOKEN_OK) {
        st = permits(r, t, &claims);
    }

    if (st == REEL_TOKEN_NOMEM) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return st == REEL_TOKEN_OK ? grant(r, t, &claims) : deny(r, st);
}


/* its signature, here or before; what was once right stays so with the keys */
static ngx_int_t
verify(ngx_http_request_t *r, ngx_http_reel_token_t *t,
    reel_play_token_t *claims, reel_token_status_t *st)
{
    u_char                      key[NGX_HTTP_REEL_KEPT_KEY];
    ngx_http_reel_loc_conf_t   *conf;
    ngx_http_reel_main_conf_t  *mcf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);

    if (conf->token_keys == NULL) {
        *st = REEL_TOKEN_KEY;
        return NGX_OK;
    }

    if (mcf->zone && t->value.len <= REEL_PLAY_TOKEN_MAX) {
        if (digest(conf->token_keys, &t->value, key) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_http_reel_kept_get(mcf->zone, key, claims,
                                   sizeof(reel_play_token_t))
            == NGX_OK)
        {
            ngx_str_set(&t->cache_status, "HIT");
            *st = REEL_TOKEN_OK;
            return NGX_OK;
        }
    }

    ngx_str_set(&t->cache_status, "MISS");

    *st = reel_token_verify(claims, (reel_str_t) { (char *) t->value.data,
                                                   t->value.len },
                            conf->token_keys);

    if (*st == REEL_TOKEN_NOMEM) {
        return NGX_ERROR;
    }

    if (*st == REEL_TOKEN_OK && mcf->zone) {
        ngx_http_reel_kept_put(mcf->zone, key, claims,
                               reel_play_token_size(claims),
                               claims->exp + REEL_PLAY_TOKEN_LEEWAY_S
                               + conf->token_grace);
    }

    return NGX_OK;
}


/* with other keys every token is another one, so that a reload revokes */
static ngx_int_t
digest(const reel_jwks_t *keys, ngx_str_t *token, u_char *key)
{
    u_char  in[sizeof(keys->digest) + REEL_PLAY_TOKEN_MAX];

    ngx_memcpy(in, keys->digest, sizeof(keys->digest));
    ngx_memcpy(in + sizeof(keys->digest), token->data, token->len);

    return reel_sha256(key, in, sizeof(keys->digest) + token->len) == REEL_OK
           ? NGX_OK : NGX_ERROR;
}


static reel_token_status_t
permits(ngx_http_request_t *r, ngx_http_reel_token_t *t,
    reel_play_token_t *claims)
{
    ngx_str_t                 *names;
    ngx_uint_t                 i;
    reel_token_status_t        st;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    t->late = 0;
    st = reel_token_time(claims, ngx_time(), 0);

    if (st == REEL_TOKEN_EXPIRED && has_grace(r)) {
        st = reel_token_time(claims, ngx_time(), conf->token_grace);
        t->late = 1;
    }

    if (st != REEL_TOKEN_OK) {
        return st;
    }

    if (conf->token_audience == NULL) {
        if (!reel_token_audience(claims, NULL)) {
            return REEL_TOKEN_AUDIENCE;
        }

    } else {
        names = conf->token_audience->elts;

        for (i = 0; i < conf->token_audience->nelts; i++) {
            if (reel_token_audience(claims, (char *) names[i].data)) {
                break;
            }
        }

        if (i == conf->token_audience->nelts) {
            return REEL_TOKEN_AUDIENCE;
        }
    }

    st = check_client(r, claims);

    return st == REEL_TOKEN_OK ? check_asset(r, t, claims) : st;
}


static reel_token_status_t
check_client(ngx_http_request_t *r, reel_play_token_t *claims)
{
    size_t                     len;
    u_char                    *addr;
    ngx_str_t                  country, referer;
    struct sockaddr           *sa;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    sa = r->connection->sockaddr;
    addr = NULL;
    len = 0;

    if (sa->sa_family == AF_INET) {
        addr = (u_char *) &((struct sockaddr_in *) sa)->sin_addr;
        len = 4;
    }

#if (NGX_HAVE_INET6)
    if (sa->sa_family == AF_INET6) {
        addr = ((struct sockaddr_in6 *) sa)->sin6_addr.s6_addr;
        len = 16;
    }
#endif

    if (!reel_token_network(claims, addr, len)) {
        return REEL_TOKEN_NETWORK;
    }

    ngx_str_set(&country, "");

    if (conf->token_country
        && ngx_http_complex_value(r, conf->token_country, &country) != NGX_OK)
    {
        return REEL_TOKEN_NOMEM;
    }

    if (!reel_token_country(claims, (reel_str_t) { (char *) country.data,
                                                   country.len }))
    {
        return REEL_TOKEN_COUNTRY;
    }

    ngx_str_set(&referer, "");

    if (r->headers_in.referer) {
        referer = r->headers_in.referer->value;
    }

    if (!reel_token_referrer(claims, (reel_str_t) { (char *) referer.data,
                                                    referer.len }))
    {
        return REEL_TOKEN_REFERRER;
    }

    return REEL_TOKEN_OK;
}


/* of a path that has a token in place of the asset, sub is the asset */
static reel_token_status_t
check_asset(ngx_http_request_t *r, ngx_http_reel_token_t *t,
    reel_play_token_t *claims)
{
    ngx_str_t  rest;

    if (ngx_http_reel_token_below(r, &rest) != NGX_OK) {
        return REEL_TOKEN_ASSET;
    }

    if (reel_token_covers(claims, (reel_str_t) { (char *) rest.data,
                                                 rest.len }))
    {
        return REEL_TOKEN_OK;
    }

    if (t->from != NGX_HTTP_REEL_FROM_PATH || !reel_token_names_one(claims)
        || !may_stand(&rest))
    {
        return REEL_TOKEN_ASSET;
    }

    return insert(r, reel_token_subject(claims), &rest) == NGX_OK
           ? REEL_TOKEN_OK : REEL_TOKEN_NOMEM;
}


/* <name>, or <rendition>[~<hash>]/<name>: what stands behind an asset */
static ngx_uint_t
may_stand(ngx_str_t *rest)
{
    reel_str_t  first, name, second;

    first = reel_str_cut((reel_str_t) { (char *) rest->data, rest->len }, '/',
                         &second);

    if (second.p == NULL) {
        return first.len != 0;
    }

    name = reel_str_cut(first, '~', &first);

    return second.len != 0 && memchr(second.p, '/', second.len) == NULL
           && reel_name_valid(name) && !reel_ulid_valid(name);
}


static ngx_int_t
insert(ngx_http_request_t *r, reel_str_t sub, ngx_str_t *rest)
{
    ngx_str_t  by;

    by.len = sub.len + 1 + rest->len;
    by.data = ngx_pnalloc(r->pool, by.len);
    if (by.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(by.data, sub.p, sub.len);
    by.data[sub.len] = '/';
    ngx_memcpy(by.data + sub.len + 1, rest->data, rest->len);

    return ngx_http_reel_token_replace(r, rest, &by);
}


/*
 * What a player goes on to ask for in the course of a film: segments, and
 * the playlists of other qualities; not what a film is begun with.
 */
static ngx_uint_t
has_grace(ngx_http_request_t *r)
{
    u_char                    *p, *end;
    ngx_str_t                  name;
    ngx_uint_t                 i;
    ngx_http_reel_loc_conf_t  *conf;

    static ngx_str_t  ends[] = {
        ngx_string(".m4s"), ngx_string(".ts"), ngx_string(".vtt"),
        ngx_string(".key"), ngx_string("media.m3u8"),
        ngx_string("iframes.m3u8"), ngx_string("/init.mp4"),
        ngx_string("/license")
    };
    static ngx_str_t  begins = ngx_string("/init-");
    static ngx_str_t  first = ngx_string("/storyboard.vtt");

    end = r->uri.data + r->uri.len;

    for (p = end; p > r->uri.data && p[-1] != '/'; p--) { /* void */ }

    if (p == r->uri.data) {
        return 0;
    }

    name.data = p - 1;
    name.len = end - name.data;

    if (name.len == first.len
        && ngx_memcmp(name.data, first.data, first.len) == 0)
    {
        return 0;
    }

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (name.len >= ends[i].len
            && ngx_memcmp(end - ends[i].len, ends[i].data, ends[i].len) == 0)
        {
            return 1;
        }
    }

    if (name.len > begins.len
        && ngx_memcmp(name.data, begins.data, begins.len) == 0)
    {
        return 1;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    return conf->vod_compat && is_of_track(p, end);
}


/* "index-v1.m3u8" is one quality's; with "index.m3u8" a film is begun */
static ngx_uint_t
is_of_track(u_char *name, u_char *end)
{
    unsigned         track;
    reel_kind_t      kind;
    reel_vod_name_t  v;

    return reel_vod_name(&v, (reel_str_t) { (char *) name, end - name })
           && (v.kind == REEL_VOD_IFRAMES
               || (v.kind == REEL_VOD_INDEX
                   && reel_vod_track(&v, &kind, &track) == REEL_OK));
}


static ngx_int_t
grant(ngx_http_request_t *r, ngx_http_reel_token_t *t,
    reel_play_token_t *claims)
{
    size_t      size;
    reel_str_t  sub;

    size = reel_play_token_size(claims);

    t->claims = ngx_palloc(r->pool, size);
    if (t->claims == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(t->claims, claims, size);

    sub = reel_token_subject(t->claims);
    t->subject.data = (u_char *) sub.p;
    t->subject.len = sub.len;

    if ((claims->max_height || claims->start_us || claims->end_us)
        && limit(r, claims) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
is_limit(ngx_str_t *name, ngx_str_t *value, void *data)
{
    static ngx_str_t  prefix = ngx_string("limit_");

    return name->len > prefix.len
           && ngx_strncasecmp(name->data, prefix.data, prefix.len) == 0;
}


/* the request says them itself, also to an upstream; those it came with go */
static ngx_int_t
limit(ngx_http_request_t *r, reel_play_token_t *claims)
{
    char          text[REEL_SHAPE_MAX];
    size_t        len;
    u_char       *args, *p;
    reel_shape_t  s;

    if (ngx_http_reel_token_drop_args(r, is_limit, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&s, sizeof(reel_shape_t));
    s.start_us = claims->start_us;
    s.end_us = claims->end_us;
    s.max_height = claims->max_height;

    len = reel_shape_print_limits(text, &s);

    args = ngx_pnalloc(r->pool, r->args.len + 1 + len);
    if (args == NULL) {
        return NGX_ERROR;
    }

    p = args;

    if (r->args.len) {
        p = ngx_cpymem(p, r->args.data, r->args.len);
        *p++ = '&';
    }

    p = ngx_cpymem(p, text, len);

    r->args.data = args;
    r->args.len = p - args;
    r->valid_unparsed_uri = 0;

    return NGX_OK;
}


/* where another module may still permit it, nginx itself answers */
static ngx_int_t
deny(ngx_http_request_t *r, reel_token_status_t st)
{
    const char                *text;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
        ctx = ngx_http_reel_get_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->status.data = (u_char *) reel_token_code(st, &text);
        ctx->status.len = ngx_strlen(ctx->status.data);

        return NGX_HTTP_FORBIDDEN;
    }

    ngx_http_finalize_request(r, ngx_http_reel_token_refuse(r, st));

    return NGX_DONE;
}


ngx_int_t
ngx_http_reel_token_refuse(ngx_http_request_t *r, reel_token_status_t st)
{
    const char  *code, *text;

    code = reel_token_code(st, &text);

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, NGX_HTTP_FORBIDDEN,
                               code, text, 0);
}


ngx_uint_t
ngx_http_reel_token_other(ngx_http_request_t *r, ngx_str_t *asset)
{
    ngx_http_reel_token_t  *t;

    t = ngx_http_reel_token_get(r);

    return t && t->claims
           && !reel_token_covers(t->claims,
                                 (reel_str_t) { (char *) asset->data,
                                                asset->len });
}


ngx_uint_t
ngx_http_reel_token_late(ngx_http_request_t *r, int64_t dur_s)
{
    ngx_http_reel_token_t  *t;

    t = ngx_http_reel_token_get(r);

    return t && t->claims && t->late
           && reel_token_time(t->claims, ngx_time(), dur_s) != REEL_TOKEN_OK;
}

#include "ngx_module/ngx_http_reel_kept.h"
#include "ngx_module/ngx_http_reel_key_server.h"

#include "lib/auth/key_answer.h"
#include "lib/crypt/digest.h"

/* what is kept of an answer */
typedef struct {
    u_char                       key[NGX_HTTP_REEL_MASTER_KEY];
    time_t                       told;      /* when; 0: never */
    time_t                       asked;
} answer_t;

typedef struct {
    ngx_http_request_t          *r;         /* NULL: nobody waits */
    ngx_http_reel_key_server_t  *server;
    ngx_shm_zone_t              *zone;
    u_char                       digest[NGX_HTTP_REEL_KEPT_KEY];
    answer_t                     answer;
    u_char                      *key;
    ngx_http_reel_key_server_pt  handler;
    void                        *data;
    ngx_int_t                    status;
    ngx_uint_t                   done;
} call_t;

static call_t *create(ngx_http_request_t *r,
    ngx_http_reel_key_server_t *server, ngx_http_reel_key_of_t *of);
static ngx_int_t name_of(ngx_http_reel_key_server_t *server,
    ngx_http_reel_key_of_t *of, u_char *digest);
static void keep(call_t *c);
static ngx_int_t ask(ngx_http_request_t *r, call_t *c,
    ngx_http_reel_key_of_t *of);
static ngx_int_t args_of(ngx_http_request_t *r, ngx_http_reel_key_of_t *of,
    ngx_str_t *args);
static ngx_int_t answered(ngx_http_request_t *r, void *data, ngx_int_t rc);
static ngx_int_t read_answer(ngx_http_request_t *r, call_t *c);
static void wake(ngx_http_request_t *r);


ngx_int_t
ngx_http_reel_key_server_get(ngx_http_request_t *r,
    ngx_http_reel_key_server_t *server, ngx_http_reel_key_of_t *of,
    u_char key[NGX_HTTP_REEL_MASTER_KEY],
    ngx_http_reel_key_server_pt handler, void *data)
{
    call_t               *c;
    time_t                now;
    ngx_http_reel_ctx_t  *ctx;

    c = create(r, server, of);
    if (c == NULL) {
        return NGX_ERROR;
    }

    now = ngx_time();

    if (c->answer.told && now - c->answer.told < server->valid) {
        ngx_memcpy(key, c->answer.key, NGX_HTTP_REEL_MASTER_KEY);

        if (now - c->answer.told < server->fresh
            || now - c->answer.asked < NGX_HTTP_REEL_KEY_AGAIN)
        {
            return NGX_OK;
        }

        /* nobody waits for a newer one; one request asks */
        c->answer.asked = now;
        keep(c);

        return ask(r, c, of) == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    if (c->answer.asked && now - c->answer.asked < 1) {
        /* it just failed: who comes then must not wait in a row */
        return NGX_DECLINED;
    }

    ctx = ngx_http_reel_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->call = c;
    c->r = r;
    c->key = key;
    c->handler = handler;
    c->data = data;

    if (ask(r, c, of) != NGX_OK) {
        return NGX_ERROR;
    }

    r->main->count++;
    r->write_event_handler = wake;

    return NGX_DONE;
}


/* with what is kept of an earlier call */
static call_t *
create(ngx_http_request_t *r, ngx_http_reel_key_server_t *server,
    ngx_http_reel_key_of_t *of)
{
    call_t                     *c;
    ngx_http_reel_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);

    c = ngx_pcalloc(r->pool, sizeof(call_t));

    if (c == NULL || name_of(server, of, c->digest) != NGX_OK) {
        return NULL;
    }

    c->server = server;
    c->zone = mcf->zone;

    (void) ngx_http_reel_kept_get(c->zone, c->digest, &c->answer,
                                  sizeof(answer_t));

    return c;
}


static ngx_int_t
name_of(ngx_http_reel_key_server_t *server, ngx_http_reel_key_of_t *of,
    u_char *digest)
{
    reel_err_t      err;
    reel_sha256_t  *h;

    static u_char  what[] = "reel key server";

    h = reel_sha256_new();
    if (h == NULL) {
        return NGX_ERROR;
    }

    err = reel_sha256_update(h, what, sizeof(what));

    if (err == REEL_OK) {
        err = reel_sha256_update(h, server->uri.data, server->uri.len + 1);
    }

    if (err == REEL_OK) {
        err = reel_sha256_update(h, &of->key_id, sizeof(of->key_id));
    }

    if (err == REEL_OK) {
        err = reel_sha256_update(h, &of->publication,
                                 sizeof(of->publication));
    }

    if (err == REEL_OK) {
        err = reel_sha256_update(h, of->asset.data, of->asset.len);
    }

    if (err != REEL_OK) {
        reel_sha256_free(h);
        return NGX_ERROR;
    }

    return reel_sha256_final(h, digest) == REEL_OK ? NGX_OK : NGX_ERROR;
}


static void
keep(call_t *c)
{
    time_t  until;

    until = c->answer.told ? c->answer.told + c->server->valid
                           : c->answer.asked + 1 + NGX_HTTP_REEL_KEY_AGAIN;

    ngx_http_reel_kept_put(c->zone, c->digest, &c->answer, sizeof(answer_t),
                           until);
}


static ngx_int_t
ask(ngx_http_request_t *r, call_t *c, ngx_http_reel_key_of_t *of)
{
    ngx_str_t                    args;
    ngx_uint_t                   flags;
    ngx_http_request_t          *sr;
    ngx_http_post_subrequest_t  *ps;

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));

    if (ps == NULL || args_of(r, of, &args) != NGX_OK) {
        return NGX_ERROR;
    }

    ps->handler = answered;
    ps->data = c;

    flags = NGX_HTTP_SUBREQUEST_IN_MEMORY
            | (c->r ? NGX_HTTP_SUBREQUEST_WAITED
                    : NGX_HTTP_SUBREQUEST_BACKGROUND);

    return ngx_http_subrequest(r, &c->server->uri, &args, &sr, ps, flags);
}


/* asset=<id or path>&key=<number>&publication=<number> */
static ngx_int_t
args_of(ngx_http_request_t *r, ngx_http_reel_key_of_t *of, ngx_str_t *args)
{
    u_char  *p;
    size_t   escape;

    escape = 2 * ngx_escape_uri(NULL, of->asset.data, of->asset.len,
                                NGX_ESCAPE_URI_COMPONENT);

    args->data = ngx_pnalloc(r->pool, sizeof("asset=&key=&publication=")
                                      + of->asset.len + escape
                                      + 2 * NGX_INT32_LEN);
    if (args->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(args->data, "asset=", sizeof("asset=") - 1);
    p = (u_char *) ngx_escape_uri(p, of->asset.data, of->asset.len,
                                  NGX_ESCAPE_URI_COMPONENT);
    p = ngx_sprintf(p, "&key=%uD&publication=%uD", of->key_id,
                    of->publication);
    args->len = p - args->data;

    return NGX_OK;
}


/* r: the subrequest, which must not end the request with an error of its own */
static ngx_int_t
answered(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    call_t  *c = data;

    if (c->done || r->connection->error) {
        return rc;
    }

    c->done = 1;
    c->answer.asked = ngx_time();
    c->status = rc == NGX_ERROR ? NGX_ERROR : read_answer(r, c);

    if (c->status == NGX_OK) {
        c->answer.told = c->answer.asked;
    }

    keep(c);

    return NGX_OK;
}


static ngx_int_t
read_answer(ngx_http_request_t *r, call_t *c)
{
    ngx_buf_t     *b;
    reel_err_t     err;
    reel_error_t   e;

    b = r->out ? r->out->buf : NULL;

    if (r->headers_out.status != NGX_HTTP_OK || b == NULL) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reel: the key server answers %ui to \"%V?%V\"",
                      r->headers_out.status, &r->uri, &r->args);
        return NGX_ERROR;
    }

    e.text[0] = '\0';
    err = reel_key_answer_parse(c->answer.key, (char *) b->pos,
                                b->last - b->pos, &e);
    ngx_explicit_memzero(b->pos, b->last - b->pos);

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reel: the key server's answer to \"%V?%V\": %s",
                      &r->uri, &r->args, e.text);
        return NGX_ERROR;
    }

    if (c->key) {
        ngx_memcpy(c->key, c->answer.key, NGX_HTTP_REEL_MASTER_KEY);
    }

    return NGX_OK;
}


/* of the request that waits; also when its client's socket takes bytes */
static void
wake(ngx_http_request_t *r)
{
    call_t               *c;
    ngx_http_reel_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    c = ctx->call;

    if (!c->done) {
        return;
    }

    ctx->call = NULL;
    r->write_event_handler = ngx_http_request_empty_handler;

    c->handler(r, c->status, c->data);
}


char *
ngx_http_reel_key_server_conf(ngx_conf_t *cf,
    ngx_http_reel_key_server_t **to)
{
    time_t                      *t;
    ngx_str_t                   *value, s;
    ngx_uint_t                   i;
    ngx_http_reel_key_server_t  *server;

    if (*to != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        *to = NULL;
        return cf->args->nelts == 2 ? NGX_CONF_OK : "takes nothing with off";
    }

    server = ngx_palloc(cf->pool, sizeof(ngx_http_reel_key_server_t));
    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    server->uri = value[1];
    server->fresh = 300;
    server->valid = 86400;

    if (server->uri.data[0] != '/') {
        return "needs the URI of a location";
    }

    for (i = 2; i < cf->args->nelts; i++) {
        s = value[i];
        t = NULL;

        if (ngx_strncmp(s.data, "fresh=", 6) == 0) {
            t = &server->fresh;
        } else if (ngx_strncmp(s.data, "valid=", 6) == 0) {
            t = &server->valid;
        }

        s.data += 6;
        s.len -= t ? 6 : 0;

        if (t) {
            *t = ngx_parse_time(&s, 1);
        }

        if (t == NULL || *t == (time_t) NGX_ERROR || *t == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "reel_key_server: \"%V\" must be fresh=time "
                               "or valid=time", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (server->valid < server->fresh) {
        return "is valid for less time than it is fresh";
    }

    *to = server;

    return NGX_CONF_OK;
}

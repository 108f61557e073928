#include "ngx_module/ngx_http_reel_kept.h"
#include "ngx_module/ngx_http_reel_key_server.h"

#include "lib/auth/key_answer.h"

/* ms: how often who waits for another request's call looks for its answer */
#define LOOK_AGAIN  20

/* what is kept of an answer */
typedef struct {
    u_char                       key[NGX_HTTP_REEL_MASTER_KEY];
    time_t                       told;      /* when; 0: never */
    time_t                       asked;
    ngx_uint_t                   asking;    /* no answer has come yet */
} answer_t;

typedef struct {
    ngx_http_request_t          *r;         /* NULL: nobody waits */
    ngx_http_reel_key_server_t  *server;
    ngx_shm_zone_t              *zone;
    u_char                       digest[NGX_HTTP_REEL_KEPT_KEY];
    ngx_http_reel_key_of_t       of;
    answer_t                     answer;
    ngx_event_t                  timer;     /* waits for another's call */
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
static ngx_uint_t is_valid(call_t *c, time_t now);
static ngx_uint_t others_ask(call_t *c, time_t now);
static void keep(call_t *c);
static void await(call_t *c);
static void release(void *data);
static void look_again(ngx_event_t *ev);
static ngx_int_t ask(ngx_http_request_t *r, call_t *c);
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

    if (is_valid(c, now)) {
        ngx_memcpy(key, c->answer.key, NGX_HTTP_REEL_MASTER_KEY);

        if (now - c->answer.told < server->fresh
            || now - c->answer.asked < NGX_HTTP_REEL_KEY_AGAIN)
        {
            return NGX_OK;
        }

        /* nobody waits for a newer one; one request asks */
        return ask(r, c) == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    if (!c->answer.asking && c->answer.asked && now - c->answer.asked < 1) {
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

    if (others_ask(c, now)) {
        await(c);

    } else if (ask(r, c) != NGX_OK) {
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
    ngx_pool_cleanup_t         *cln;
    ngx_http_reel_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_reel_module);

    cln = ngx_pool_cleanup_add(r->pool, sizeof(call_t));
    if (cln == NULL) {
        return NULL;
    }

    c = cln->data;
    ngx_memzero(c, sizeof(call_t));
    cln->handler = release;

    if (name_of(server, of, c->digest) != NGX_OK) {
        return NULL;
    }

    c->server = server;
    c->of = *of;
    c->zone = mcf->zone;

    (void) ngx_http_reel_kept_get(c->zone, c->digest, &c->answer,
                                  sizeof(answer_t));

    return c;
}


static ngx_int_t
name_of(ngx_http_reel_key_server_t *server, ngx_http_reel_key_of_t *of,
    u_char *digest)
{
    static const char  what[] = "reel key server";

    const reel_str_t  parts[] = {
        { what, sizeof(what) },
        { (char *) of->site, REEL_SHA256_LEN },
        { (char *) server->uri.data, server->uri.len + 1 },
        { (char *) &of->key_id, sizeof(of->key_id) },
        { (char *) &of->publication, sizeof(of->publication) },
        { (char *) of->asset.data, of->asset.len }
    };

    return reel_sha256_parts(digest, parts, sizeof(parts) / sizeof(parts[0]))
           == REEL_OK ? NGX_OK : NGX_ERROR;
}


static ngx_uint_t
is_valid(call_t *c, time_t now)
{
    return c->answer.told && now - c->answer.told < c->server->valid;
}


/* a call that never ends, as its request went away, is one no longer */
static ngx_uint_t
others_ask(call_t *c, time_t now)
{
    return c->answer.asking && now - c->answer.asked
                               < NGX_HTTP_REEL_KEY_AGAIN;
}


static void
keep(call_t *c)
{
    time_t  until;

    until = c->answer.asked + 1 + NGX_HTTP_REEL_KEY_AGAIN;

    if (c->answer.told) {
        until = ngx_max(until, c->answer.told + c->server->valid);
    }

    ngx_http_reel_kept_put(c->zone, c->digest, &c->answer, sizeof(answer_t),
                           until);
}


/* one call is enough for all that come meanwhile, to whichever worker */
static void
await(call_t *c)
{
    c->timer.handler = look_again;
    c->timer.data = c;
    c->timer.log = c->r->connection->log;

    ngx_add_timer(&c->timer, LOOK_AGAIN);
}


static void
release(void *data)
{
    call_t  *c = data;

    if (c->timer.timer_set) {
        ngx_del_timer(&c->timer);
    }

    ngx_explicit_memzero(&c->answer, sizeof(answer_t));
}


static void
look_again(ngx_event_t *ev)
{
    call_t *c = ev->data;

    time_t             now;
    ngx_connection_t  *connection;

    now = ngx_time();
    connection = c->r->connection;
    ngx_http_set_log_request(connection->log, c->r);

    ngx_memzero(&c->answer, sizeof(answer_t));
    (void) ngx_http_reel_kept_get(c->zone, c->digest, &c->answer,
                                  sizeof(answer_t));

    if (!is_valid(c, now) && others_ask(c, now)) {
        ngx_add_timer(&c->timer, LOOK_AGAIN);
        return;
    }

    if (is_valid(c, now)) {
        ngx_memcpy(c->key, c->answer.key, NGX_HTTP_REEL_MASTER_KEY);
        c->status = NGX_OK;
        c->done = 1;

    } else if (!c->answer.asking || ask(c->r, c) != NGX_OK) {
        c->status = NGX_ERROR;
        c->done = 1;
    }

    wake(c->r);
    ngx_http_run_posted_requests(connection);
}


static ngx_int_t
ask(ngx_http_request_t *r, call_t *c)
{
    ngx_str_t                    args;
    ngx_uint_t                   flags;
    ngx_http_request_t          *sr;
    ngx_http_post_subrequest_t  *ps;

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));

    if (ps == NULL || args_of(r, &c->of, &args) != NGX_OK) {
        return NGX_ERROR;
    }

    c->answer.asked = ngx_time();
    c->answer.asking = 1;
    keep(c);

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
    c->answer.asking = 0;
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

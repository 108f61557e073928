/*
 * Redis on nginx's own connection: one a worker and target, made at the
 * first call, pipelined.  The calls stay when one is left for another.
 */

#include "ngx_module/ngx_http_reel_redis_conn.h"


#define NGX_HTTP_REEL_REDIS_OUT_MAX   (16 * 1024 * 1024)
#define NGX_HTTP_REEL_REDIS_BACKOFF   1000


static ngx_int_t ngx_http_reel_redis_begin(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_disconnect(ngx_http_reel_redis_t *redis);
static ngx_int_t ngx_http_reel_redis_connect(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_write_handler(ngx_event_t *ev);
static void ngx_http_reel_redis_lost(ngx_http_reel_redis_t *redis,
    ngx_uint_t strange);
static void ngx_http_reel_redis_read_handler(ngx_event_t *ev);


void
ngx_http_reel_redis_out_init(ngx_http_reel_redis_t *redis)
{
    reel_buf_init(&redis->out, NGX_HTTP_REEL_REDIS_OUT_MAX);
}


ngx_int_t
ngx_http_reel_redis_open(ngx_http_reel_redis_t *redis)
{
    if (redis->peer.connection || redis->asking) {
        return NGX_OK;
    }

    if (redis->failed && (ngx_msec_int_t) (redis->retry - ngx_current_msec)
                         > 0)
    {
        return NGX_DECLINED;
    }

    if (redis->sentinel && !redis->known) {
        if (ngx_http_reel_redis_ask(redis) == NGX_OK) {
            return NGX_OK;
        }

    } else if (ngx_http_reel_redis_begin(redis) == NGX_OK) {
        return NGX_OK;
    }

    ngx_http_reel_redis_back_off(redis);

    return NGX_ERROR;
}


void
ngx_http_reel_redis_back_off(ngx_http_reel_redis_t *redis)
{
    redis->failed = 1;
    redis->retry = ngx_current_msec + NGX_HTTP_REEL_REDIS_BACKOFF;
}


/* connects, and greets before what waits already */
static ngx_int_t
ngx_http_reel_redis_begin(ngx_http_reel_redis_t *redis)
{
    ngx_int_t    rc;
    reel_buf_t   waiting;
    ngx_queue_t  calls;

    waiting = redis->out;
    ngx_http_reel_redis_out_init(redis);

    ngx_queue_init(&calls);

    if (!ngx_queue_empty(&redis->calls)) {
        ngx_queue_add(&calls, &redis->calls);
        ngx_queue_init(&redis->calls);
    }

    rc = ngx_http_reel_redis_connect(redis);

    if (rc == NGX_OK) {
        rc = ngx_http_reel_redis_handshake(redis);
    }

    reel_buf_add(&redis->out, waiting.data, waiting.len);
    reel_buf_release(&waiting);

    if (!ngx_queue_empty(&calls)) {
        ngx_queue_add(&redis->calls, &calls);
    }

    return rc == NGX_OK && reel_buf_err(&redis->out) == REEL_OK ? NGX_OK
                                                                : NGX_ERROR;
}


void
ngx_http_reel_redis_asked(ngx_http_reel_redis_t *redis, ngx_int_t rc)
{
    if (rc == NGX_OK && ngx_queue_empty(&redis->calls)) {
        return;                                 /* nobody waits any more */
    }

    if (rc != NGX_OK || ngx_http_reel_redis_begin(redis) != NGX_OK
        || ngx_http_reel_redis_send(redis) != NGX_OK)
    {
        ngx_http_reel_redis_back_off(redis);
        ngx_http_reel_redis_close(redis);
    }
}


void
ngx_http_reel_redis_leave(ngx_http_reel_redis_t *redis)
{
    reel_buf_t  rest;

    reel_buf_init(&rest, NGX_HTTP_REEL_REDIS_OUT_MAX);
    reel_buf_add(&rest, redis->out.data + redis->hello,
                 redis->out.len - redis->hello);

    ngx_http_reel_redis_disconnect(redis);
    redis->out = rest;

    if (reel_buf_err(&rest) != REEL_OK
        || ngx_http_reel_redis_begin(redis) != NGX_OK
        || ngx_http_reel_redis_send(redis) != NGX_OK)
    {
        ngx_http_reel_redis_back_off(redis);
        ngx_http_reel_redis_close(redis);
    }
}


static ngx_int_t
ngx_http_reel_redis_connect(ngx_http_reel_redis_t *redis)
{
    ngx_int_t          rc;
    ngx_addr_t        *addr;
    ngx_connection_t  *c;

    addr = ngx_http_reel_redis_where(redis);

    ngx_memzero(&redis->peer, sizeof(ngx_peer_connection_t));
    redis->peer.sockaddr = addr->sockaddr;
    redis->peer.socklen = addr->socklen;
    redis->peer.name = &addr->name;
    redis->peer.get = ngx_event_get_peer;
    redis->peer.log = ngx_cycle->log;
    redis->peer.log_error = NGX_ERROR_ERR;

    rc = ngx_event_connect_peer(&redis->peer);

    if (rc == NGX_ERROR || rc == NGX_BUSY || rc == NGX_DECLINED) {
        ngx_http_reel_redis_elsewhere(redis);
        return NGX_ERROR;
    }

    c = redis->peer.connection;
    c->data = redis;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_http_reel_redis_read_handler;
    c->write->handler = ngx_http_reel_redis_write_handler;

    return ngx_http_reel_redis_reader(redis);
}


/*
 * One that was idle may be opened again at once: Redis was restarted, or
 * ended what it took for dead.
 */
void
ngx_http_reel_redis_close(ngx_http_reel_redis_t *redis)
{
    if (redis->peer.connection) {
        ngx_http_reel_redis_elsewhere(redis);

        if (!ngx_queue_empty(&redis->calls)) {
            ngx_http_reel_redis_back_off(redis);
        }
    }

    ngx_http_reel_redis_disconnect(redis);

    ngx_http_reel_redis_fail(redis);
}


static void
ngx_http_reel_redis_disconnect(ngx_http_reel_redis_t *redis)
{
    if (redis->peer.connection) {
        ngx_close_connection(redis->peer.connection);
        redis->peer.connection = NULL;
    }

    ngx_http_reel_redis_reader_free(redis);

    reel_buf_release(&redis->out);
    ngx_http_reel_redis_out_init(redis);
    redis->sent = 0;
    redis->hello = 0;
    redis->greetings = 0;
}


ngx_int_t
ngx_http_reel_redis_send(ngx_http_reel_redis_t *redis)
{
    size_t             end;
    ssize_t            n;
    ngx_connection_t  *c;

    c = redis->peer.connection;
    end = redis->greetings ? redis->hello : redis->out.len;

    while (redis->sent < end) {

        if (!c->write->ready) {
            break;
        }

        n = c->send(c, redis->out.data + redis->sent, end - redis->sent);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == NGX_AGAIN) {
            break;
        }

        redis->sent += n;
    }

    if (redis->sent == redis->out.len) {
        reel_buf_clear(&redis->out);
        redis->sent = 0;
        redis->hello = 0;
    }

    return ngx_handle_write_event(c->write, 0);
}


static void
ngx_http_reel_redis_write_handler(ngx_event_t *ev)
{
    ngx_connection_t       *c;
    ngx_http_reel_redis_t  *redis;

    c = ev->data;
    redis = c->data;

    if (ngx_http_reel_redis_send(redis) != NGX_OK) {
        ngx_http_reel_redis_close(redis);
    }
}


/* nginx's own line of it says neither whose nor where */
static void
ngx_http_reel_redis_lost(ngx_http_reel_redis_t *redis, ngx_uint_t strange)
{
    if (!ngx_queue_empty(&redis->calls)) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "reel: redis \"%V\" %s",
                      &ngx_http_reel_redis_where(redis)->name,
                      strange ? "answers what is none of Redis'"
                              : "ended the connection and left calls "
                                "unanswered");
    }

    ngx_http_reel_redis_close(redis);
}


static void
ngx_http_reel_redis_read_handler(ngx_event_t *ev)
{
    u_char                  buf[16384];
    ssize_t                 n;
    ngx_connection_t       *c;
    ngx_http_reel_redis_t  *redis;

    c = ev->data;
    redis = c->data;

    if (c->close) {
        /* an exiting worker closes what is idle */
        ngx_http_reel_redis_close(redis);
        return;
    }

    for ( ;; ) {
        n = c->recv(c, buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0 || ngx_http_reel_redis_feed(redis, buf, n) != NGX_OK)
        {
            ngx_http_reel_redis_lost(redis, n > 0);
            return;
        }

        /* a handler may have closed it */
        if (redis->peer.connection != c) {
            return;
        }
    }

    if (ngx_queue_empty(&redis->calls)) {

        if (ngx_exiting) {
            ngx_http_reel_redis_close(redis);
            return;
        }

        c->idle = 1;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_reel_redis_close(redis);
    }
}

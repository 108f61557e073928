/*
 * Redis on nginx's own connection: one a worker and target, made at the
 * first call, pipelined.  hiredis serves as codec only and does not leak out
 * of this file.  A call that is not answered in time closes the connection
 * and fails every call behind it: their answers would be late too, and the
 * callers go on without Redis.
 */

#include "ngx_module/ngx_http_reel_redis.h"

#include <hiredis/hiredis.h>

#include "lib/job/keys.h"


#define NGX_HTTP_REEL_REDIS_OUT_MAX   (16 * 1024 * 1024)
#define NGX_HTTP_REEL_REDIS_BACKOFF   1000


struct ngx_http_reel_call_s {
    ngx_queue_t              queue;
    ngx_event_t              event;     /* timer; posted to tell a failure */
    ngx_http_reel_redis_t   *redis;
    ngx_http_reel_reply_pt   handler;   /* NULL: nobody asks any more */
    void                    *data;
    unsigned                 greeting:1;    /* AUTH or SELECT */
};


static ngx_int_t ngx_http_reel_redis_open(ngx_http_reel_redis_t *redis);
static ngx_int_t ngx_http_reel_redis_begin(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_back_off(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_leave(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_disconnect(ngx_http_reel_redis_t *redis);
static ngx_int_t ngx_http_reel_redis_connect(ngx_http_reel_redis_t *redis);
static ngx_int_t ngx_http_reel_redis_hello(ngx_http_reel_redis_t *redis);
static ngx_int_t ngx_http_reel_redis_greet(ngx_http_reel_redis_t *redis,
    ngx_uint_t argc, const ngx_str_t *argv);
static void ngx_http_reel_redis_greeted(ngx_http_reel_redis_t *redis,
    redisReply *r);
static ngx_int_t ngx_http_reel_redis_shards(ngx_http_reel_redis_t *redis,
    redisReply *r);
static ngx_http_reel_call_t *ngx_http_reel_redis_queue(
    ngx_http_reel_redis_t *redis, ngx_uint_t argc, const ngx_str_t *argv);
static ngx_int_t ngx_http_reel_redis_send(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_write_handler(ngx_event_t *ev);
static void ngx_http_reel_redis_read_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_reel_redis_replies(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_deliver(ngx_http_reel_redis_t *redis,
    redisReply *r);
static void ngx_http_reel_redis_answer(ngx_http_reel_call_t *call,
    redisReply *r);
static ngx_int_t ngx_http_reel_redis_flatten(ngx_pool_t *pool, redisReply *r,
    ngx_array_t *a);
static void ngx_http_reel_redis_timeout(ngx_event_t *ev);
static void ngx_http_reel_redis_free_call(ngx_http_reel_call_t *call);


ngx_http_reel_call_t *
ngx_http_reel_redis_call(ngx_http_reel_redis_t *redis, ngx_uint_t argc,
    const ngx_str_t *argv, ngx_msec_t timeout, ngx_http_reel_reply_pt handler,
    void *data)
{
    ngx_http_reel_call_t  *call;

    if (redis == NULL) {
        return NULL;
    }

    if (!redis->ready) {
        ngx_queue_init(&redis->calls);
        reel_buf_init(&redis->out, NGX_HTTP_REEL_REDIS_OUT_MAX);
        redis->ready = 1;
    }

    if (ngx_http_reel_redis_open(redis) != NGX_OK) {
        /* told from the event loop: never from within this call */
        call = ngx_http_reel_redis_queue(redis, argc, argv);
        if (call) {
            call->handler = handler;
            call->data = data;
            ngx_http_reel_redis_close(redis);
        }

        return call;
    }

    call = ngx_http_reel_redis_queue(redis, argc, argv);
    if (call == NULL) {
        return NULL;
    }

    call->handler = handler;
    call->data = data;
    ngx_add_timer(&call->event, timeout);

    if (redis->peer.connection == NULL) {
        return call;                            /* the sentinels are asked */
    }

    redis->peer.connection->idle = 0;

    if (ngx_http_reel_redis_send(redis) != NGX_OK) {
        ngx_http_reel_redis_close(redis);
    }

    return call;
}


void
ngx_http_reel_redis_forget(ngx_http_reel_call_t *call)
{
    call->handler = NULL;
}


static ngx_int_t
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


/* it is not tried again at once */
static void
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
    reel_buf_init(&redis->out, NGX_HTTP_REEL_REDIS_OUT_MAX);

    ngx_queue_init(&calls);

    if (!ngx_queue_empty(&redis->calls)) {
        ngx_queue_add(&calls, &redis->calls);
        ngx_queue_init(&redis->calls);
    }

    rc = ngx_http_reel_redis_connect(redis);

    if (rc == NGX_OK) {
        rc = ngx_http_reel_redis_hello(redis);
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


/* for what target says now; what waits goes there too */
static void
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

    redis->reader = redisReaderCreate();
    if (redis->reader == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * AUTH and SELECT go first, and nothing else before Redis took them: what is
 * called meanwhile would be done in another database.  Last the question how
 * many shards there are, which a Cluster's node answers with MOVED if our slot
 * is another's.
 */
static ngx_int_t
ngx_http_reel_redis_hello(ngx_http_reel_redis_t *redis)
{
    ngx_str_t         argv[3];
    ngx_uint_t        n;
    reel_redis_key_t  key;

    if (redis->password.len) {
        n = 1;
        ngx_str_set(&argv[0], "AUTH");

        if (redis->user.len) {
            argv[n++] = redis->user;
        }

        argv[n++] = redis->password;

        if (ngx_http_reel_redis_greet(redis, n, argv) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (redis->db.len) {
        ngx_str_set(&argv[0], "SELECT");
        argv[1] = redis->db;

        if (ngx_http_reel_redis_greet(redis, 2, argv) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (!redis->plain) {
        if (reel_redis_key(key, redis->shard, "shards", reel_str(""))
            != REEL_OK)
        {
            return NGX_ERROR;
        }

        ngx_str_set(&argv[0], "GET");
        argv[1].data = (u_char *) key;
        argv[1].len = ngx_strlen(key);

        if (ngx_http_reel_redis_greet(redis, 2, argv) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    redis->hello = redis->out.len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_redis_greet(ngx_http_reel_redis_t *redis, ngx_uint_t argc,
    const ngx_str_t *argv)
{
    ngx_http_reel_call_t  *call;

    call = ngx_http_reel_redis_queue(redis, argc, argv);
    if (call == NULL) {
        return NGX_ERROR;
    }

    call->greeting = 1;
    redis->greetings++;

    return NGX_OK;
}


static void
ngx_http_reel_redis_greeted(ngx_http_reel_redis_t *redis, redisReply *r)
{
    ngx_str_t  s;

    if (r->type == REDIS_REPLY_ERROR) {
        s.data = (u_char *) r->str;
        s.len = r->len;

        if (redis->greetings == 1
            && ngx_http_reel_redis_moved(redis, &s) == NGX_OK)
        {
            ngx_http_reel_redis_leave(redis);
            return;
        }

        ngx_http_reel_redis_back_off(redis);
        ngx_http_reel_redis_close(redis);
        return;
    }

    if (--redis->greetings > 0) {
        return;
    }

    if (!redis->plain && ngx_http_reel_redis_shards(redis, r) != NGX_OK) {
        ngx_http_reel_redis_back_off(redis);
        ngx_http_reel_redis_close(redis);
        return;
    }

    redis->hops = 0;

    if (ngx_http_reel_redis_send(redis) != NGX_OK)
    {
        ngx_http_reel_redis_close(redis);
    }
}


/* one shard needs no number: workers of before wrote none */
static ngx_int_t
ngx_http_reel_redis_shards(ngx_http_reel_redis_t *redis, redisReply *r)
{
    uint64_t    held;
    reel_str_t  s;

    held = 1;

    if (r->type == REDIS_REPLY_STRING) {
        s.p = r->str;
        s.len = r->len;

        if (reel_str_u64(s, REEL_SHARDS_MAX, &held) != REEL_OK) {
            held = 0;
        }
    }

    if (held == redis->nshards) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "reel: redis \"%V\" has %uL shards, reel_redis says %ui: "
                  "workerd submits the jobs",
                  &ngx_http_reel_redis_where(redis)->name, held,
                  redis->nshards);

    return NGX_ERROR;
}


ngx_http_reel_redis_t *
ngx_http_reel_redis_of(ngx_http_reel_redis_t *redis, const char *id)
{
    return redis ? redis->shards[reel_shard_of(reel_str(id), redis->nshards)]
                 : NULL;
}


/*
 * One that was idle may be opened again at once: Redis was restarted, or
 * ended what it took for dead.
 */
void
ngx_http_reel_redis_close(ngx_http_reel_redis_t *redis)
{
    ngx_queue_t           *q;
    ngx_http_reel_call_t  *call;

    if (redis->peer.connection) {
        ngx_http_reel_redis_elsewhere(redis);

        if (!ngx_queue_empty(&redis->calls)) {
            ngx_http_reel_redis_back_off(redis);
        }
    }

    ngx_http_reel_redis_disconnect(redis);

    while (!ngx_queue_empty(&redis->calls)) {
        q = ngx_queue_head(&redis->calls);
        ngx_queue_remove(q);

        call = ngx_queue_data(q, ngx_http_reel_call_t, queue);

        if (call->event.timer_set) {
            ngx_del_timer(&call->event);
        }

        call->redis = NULL;
        ngx_post_event(&call->event, &ngx_posted_events);
    }
}


/* the calls stay */
static void
ngx_http_reel_redis_disconnect(ngx_http_reel_redis_t *redis)
{
    if (redis->peer.connection) {
        ngx_close_connection(redis->peer.connection);
        redis->peer.connection = NULL;
    }

    if (redis->reader) {
        redisReaderFree(redis->reader);
        redis->reader = NULL;
    }

    reel_buf_release(&redis->out);
    reel_buf_init(&redis->out, NGX_HTTP_REEL_REDIS_OUT_MAX);
    redis->sent = 0;
    redis->hello = 0;
    redis->greetings = 0;
}


static ngx_http_reel_call_t *
ngx_http_reel_redis_queue(ngx_http_reel_redis_t *redis, ngx_uint_t argc,
    const ngx_str_t *argv)
{
    int                    len;
    char                  *cmd;
    size_t                 lens[16];
    ngx_uint_t             i;
    const char            *args[16];
    ngx_http_reel_call_t  *call;

    if (argc > 16) {
        return NULL;
    }

    for (i = 0; i < argc; i++) {
        args[i] = (const char *) argv[i].data;
        lens[i] = argv[i].len;
    }

    call = ngx_calloc(sizeof(ngx_http_reel_call_t), ngx_cycle->log);
    if (call == NULL) {
        return NULL;
    }

    len = redisFormatCommandArgv(&cmd, argc, args, lens);
    if (len < 0) {
        ngx_free(call);
        return NULL;
    }

    reel_buf_add(&redis->out, cmd, len);
    redisFreeCommand(cmd);

    if (reel_buf_err(&redis->out) != REEL_OK) {
        /* what was to be sent is gone, in the middle of a command maybe */
        ngx_free(call);
        ngx_http_reel_redis_close(redis);
        return NULL;
    }

    call->redis = redis;
    call->event.handler = ngx_http_reel_redis_timeout;
    call->event.data = call;
    call->event.log = ngx_cycle->log;

    ngx_queue_insert_tail(&redis->calls, &call->queue);

    return call;
}


static ngx_int_t
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

        if (n <= 0
            || redisReaderFeed(redis->reader, (char *) buf, n) != REDIS_OK
            || ngx_http_reel_redis_replies(redis) != NGX_OK)
        {
            ngx_http_reel_redis_close(redis);
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


static ngx_int_t
ngx_http_reel_redis_replies(ngx_http_reel_redis_t *redis)
{
    void         *reply;
    redisReader  *reader;

    for ( ;; ) {
        reader = redis->reader;

        if (reader == NULL) {
            return NGX_OK;
        }

        if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "reel: redis: broken reply");
            return NGX_ERROR;
        }

        if (reply == NULL) {
            return NGX_OK;
        }

        if (ngx_queue_empty(&redis->calls)) {
            freeReplyObject(reply);
            return NGX_ERROR;
        }

        redis->failed = 0;
        ngx_http_reel_redis_deliver(redis, reply);
        freeReplyObject(reply);
    }
}


static void
ngx_http_reel_redis_deliver(ngx_http_reel_redis_t *redis, redisReply *r)
{
    ngx_queue_t           *q;
    ngx_http_reel_call_t  *call;

    q = ngx_queue_head(&redis->calls);
    ngx_queue_remove(q);
    call = ngx_queue_data(q, ngx_http_reel_call_t, queue);

    if (r->type == REDIS_REPLY_ERROR) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "reel: redis: %*s",
                      (size_t) r->len, r->str);
    }

    if (call->greeting) {
        ngx_http_reel_redis_free_call(call);
        ngx_http_reel_redis_greeted(redis, r);
        return;
    }

    if (call->handler) {
        ngx_http_reel_redis_answer(call, r);
    }

    ngx_http_reel_redis_free_call(call);

    /* a replica now, or another node's: the next call finds out whose */
    if (r->type == REDIS_REPLY_ERROR
        && (ngx_strncmp(r->str, "READONLY ", 9) == 0
            || ngx_strncmp(r->str, "MOVED ", 6) == 0))
    {
        ngx_http_reel_redis_close(redis);
    }
}


static void
ngx_http_reel_redis_answer(ngx_http_reel_call_t *call, redisReply *r)
{
    ngx_pool_t             *pool;
    ngx_array_t             a;
    ngx_http_reel_reply_t   reply;

    ngx_memzero(&reply, sizeof(ngx_http_reel_reply_t));

    pool = ngx_create_pool(4096, ngx_cycle->log);

    if (pool == NULL || ngx_array_init(&a, pool, 16, sizeof(ngx_str_t))
                        != NGX_OK
        || ngx_http_reel_redis_flatten(pool, r, &a) != NGX_OK)
    {
        reply.status = NGX_ERROR;

    } else {
        reply.status = r->type == REDIS_REPLY_ERROR ? NGX_ERROR
                       : r->type == REDIS_REPLY_NIL ? NGX_DECLINED : NGX_OK;
        reply.elts = a.elts;
        reply.nelts = r->type == REDIS_REPLY_ARRAY ? a.nelts : 0;

        if (r->type != REDIS_REPLY_ARRAY && a.nelts) {
            reply.str = reply.elts[0];
        }
    }

    call->handler(call->data, &reply);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


/* borrows strings from r */
static ngx_int_t
ngx_http_reel_redis_flatten(ngx_pool_t *pool, redisReply *r, ngx_array_t *a)
{
    size_t      i;
    ngx_str_t  *s;

    if (r->type == REDIS_REPLY_ARRAY) {
        for (i = 0; i < r->elements; i++) {
            if (ngx_http_reel_redis_flatten(pool, r->element[i], a)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    s = ngx_array_push(a);
    if (s == NULL) {
        return NGX_ERROR;
    }

    ngx_str_null(s);

    if (r->type == REDIS_REPLY_INTEGER) {
        s->data = ngx_pnalloc(pool, NGX_INT64_LEN);
        if (s->data == NULL) {
            return NGX_ERROR;
        }

        s->len = ngx_sprintf(s->data, "%L", (int64_t) r->integer) - s->data;

    } else if (r->str) {
        s->data = (u_char *) r->str;
        s->len = r->len;
    }

    return NGX_OK;
}


/* the time is over, or the connection is gone (call->redis is NULL) */
static void
ngx_http_reel_redis_timeout(ngx_event_t *ev)
{
    ngx_http_reel_call_t   *call;
    ngx_http_reel_reply_t   reply;

    call = ev->data;

    if (call->redis) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, NGX_ETIMEDOUT,
                      "reel: redis \"%V\" did not answer in time",
                      &ngx_http_reel_redis_where(call->redis)->name);
        ngx_http_reel_redis_close(call->redis);
        return;
    }

    if (call->handler) {
        ngx_memzero(&reply, sizeof(ngx_http_reel_reply_t));
        reply.status = NGX_ERROR;
        call->handler(call->data, &reply);
    }

    ngx_http_reel_redis_free_call(call);
}


static void
ngx_http_reel_redis_free_call(ngx_http_reel_call_t *call)
{
    if (call->event.timer_set) {
        ngx_del_timer(&call->event);
    }

    if (call->event.posted) {
        ngx_delete_posted_event(&call->event);
    }

    ngx_free(call);
}

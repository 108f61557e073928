/*
 * Calls of Redis, in the order of their replies.  One that is not answered in
 * time closes the connection and fails every call behind it: their answers
 * would be late too, and the callers go on without Redis.
 */

#include "ngx_module/ngx_http_reel_redis_conn.h"

#include "lib/job/keys.h"


struct ngx_http_reel_call_s {
    ngx_queue_t              queue;
    ngx_event_t              event;     /* timer; posted to tell a failure */
    ngx_http_reel_redis_t   *redis;
    ngx_http_reel_reply_pt   handler;   /* NULL: nobody asks any more */
    void                    *data;
    unsigned                 greeting:1;    /* AUTH or SELECT */
};


static ngx_http_reel_call_t *ngx_http_reel_redis_queue(
    ngx_http_reel_redis_t *redis, ngx_uint_t argc, const ngx_str_t *argv);
static void ngx_http_reel_redis_timeout(ngx_event_t *ev);
static void ngx_http_reel_redis_free_call(ngx_http_reel_call_t *call);


ngx_http_reel_redis_t *
ngx_http_reel_redis_of(ngx_http_reel_redis_t *redis, const char *id)
{
    return redis ? redis->shards[reel_shard_of(reel_str(id), redis->nshards)]
                 : NULL;
}


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
        ngx_http_reel_redis_out_init(redis);
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


static ngx_http_reel_call_t *
ngx_http_reel_redis_queue(ngx_http_reel_redis_t *redis, ngx_uint_t argc,
    const ngx_str_t *argv)
{
    ngx_http_reel_call_t  *call;

    call = ngx_calloc(sizeof(ngx_http_reel_call_t), ngx_cycle->log);
    if (call == NULL) {
        return NULL;
    }

    if (ngx_http_reel_redis_command(&redis->out, argc, argv) != NGX_OK) {
        ngx_free(call);

        if (reel_buf_err(&redis->out) != REEL_OK) {
            /* what was to be sent is gone, in the middle of a command maybe */
            ngx_http_reel_redis_close(redis);
        }

        return NULL;
    }

    call->redis = redis;
    call->event.handler = ngx_http_reel_redis_timeout;
    call->event.data = call;
    call->event.log = ngx_cycle->log;

    ngx_queue_insert_tail(&redis->calls, &call->queue);

    return call;
}


ngx_int_t
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


void
ngx_http_reel_redis_deliver(ngx_http_reel_redis_t *redis,
    ngx_http_reel_reply_t *reply)
{
    ngx_queue_t           *q;
    ngx_http_reel_call_t  *call;

    q = ngx_queue_head(&redis->calls);
    ngx_queue_remove(q);
    call = ngx_queue_data(q, ngx_http_reel_call_t, queue);

    if (call->greeting) {
        ngx_http_reel_redis_free_call(call);
        ngx_http_reel_redis_greeted(redis, reply);
        return;
    }

    if (call->handler) {
        call->handler(call->data, reply);
    }

    ngx_http_reel_redis_free_call(call);

    /* a replica now, or another node's: the next call finds out whose */
    if (reply->status == NGX_ERROR && reply->str.len
        && (ngx_strncmp(reply->str.data, "READONLY ", 9) == 0
            || ngx_strncmp(reply->str.data, "MOVED ", 6) == 0))
    {
        ngx_http_reel_redis_close(redis);
    }
}


void
ngx_http_reel_redis_fail(ngx_http_reel_redis_t *redis)
{
    ngx_queue_t           *q;
    ngx_http_reel_call_t  *call;

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

/* Redis' protocol by hiredis, which does not leak out of this file */

#include "ngx_module/ngx_http_reel_redis_conn.h"

#include <hiredis/hiredis.h>

#include "lib/job/redis_error.h"


#define NGX_HTTP_REEL_REDIS_ARGS  16


static ngx_int_t ngx_http_reel_redis_replies(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_reply(ngx_http_reel_redis_t *redis,
    redisReply *r);
static ngx_int_t ngx_http_reel_redis_flatten(ngx_pool_t *pool, redisReply *r,
    ngx_array_t *a);


ngx_int_t
ngx_http_reel_redis_command(reel_buf_t *out, ngx_uint_t argc,
    const ngx_str_t *argv)
{
    int          len;
    char        *cmd;
    size_t       lens[NGX_HTTP_REEL_REDIS_ARGS];
    ngx_uint_t   i;
    const char  *args[NGX_HTTP_REEL_REDIS_ARGS];

    if (argc > NGX_HTTP_REEL_REDIS_ARGS) {
        return NGX_ERROR;
    }

    for (i = 0; i < argc; i++) {
        args[i] = (const char *) argv[i].data;
        lens[i] = argv[i].len;
    }

    len = redisFormatCommandArgv(&cmd, argc, args, lens);
    if (len < 0) {
        return NGX_ERROR;
    }

    reel_buf_add(out, cmd, len);
    redisFreeCommand(cmd);

    return reel_buf_err(out) == REEL_OK ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_reel_redis_reader(ngx_http_reel_redis_t *redis)
{
    redis->reader = redisReaderCreate();

    return redis->reader ? NGX_OK : NGX_ERROR;
}


void
ngx_http_reel_redis_reader_free(ngx_http_reel_redis_t *redis)
{
    if (redis->reader) {
        redisReaderFree(redis->reader);
        redis->reader = NULL;
    }
}


ngx_int_t
ngx_http_reel_redis_feed(ngx_http_reel_redis_t *redis, u_char *data,
    size_t len)
{
    if (redisReaderFeed(redis->reader, (char *) data, len) != REDIS_OK) {
        return NGX_ERROR;
    }

    return ngx_http_reel_redis_replies(redis);
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
        ngx_http_reel_redis_reply(redis, reply);
        freeReplyObject(reply);
    }
}


static void
ngx_http_reel_redis_reply(ngx_http_reel_redis_t *redis, redisReply *r)
{
    ngx_pool_t             *pool;
    reel_str_t              told;
    ngx_uint_t              level;
    ngx_array_t             a;
    ngx_http_reel_reply_t   reply;

    if (r->type == REDIS_REPLY_ERROR) {
        /* a Cluster's way to say whereto */
        level = ngx_strncmp(r->str, "MOVED ", 6) == 0 ? NGX_LOG_INFO
                                                      : NGX_LOG_ERR;
        told = reel_redis_error((reel_str_t) { r->str, r->len });
        ngx_log_error(level, ngx_cycle->log, 0, "reel: redis: %*s", told.len,
                      told.p);
    }

    ngx_memzero(&reply, sizeof(ngx_http_reel_reply_t));

    pool = ngx_create_pool(4096, ngx_cycle->log);

    if (pool == NULL || ngx_array_init(&a, pool, 16, sizeof(ngx_str_t))
                        != NGX_OK
        || ngx_http_reel_redis_flatten(pool, r, &a) != NGX_OK)
    {
        /* callers take it for an error that Redis told */
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "reel: redis: no memory for a reply");
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

    ngx_http_reel_redis_deliver(redis, &reply);

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

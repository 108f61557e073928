/* AUTH, SELECT and the number of shards: what a connection begins with */

#include "ngx_module/ngx_http_reel_redis_conn.h"

#include "lib/job/keys.h"


static ngx_int_t ngx_http_reel_redis_shards(ngx_http_reel_redis_t *redis,
    ngx_http_reel_reply_t *reply);


ngx_int_t
ngx_http_reel_redis_handshake(ngx_http_reel_redis_t *redis)
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


void
ngx_http_reel_redis_greeted(ngx_http_reel_redis_t *redis,
    ngx_http_reel_reply_t *reply)
{
    if (reply->status == NGX_ERROR) {

        if (redis->greetings == 1
            && ngx_http_reel_redis_moved(redis, &reply->str) == NGX_OK)
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

    if (!redis->plain && ngx_http_reel_redis_shards(redis, reply) != NGX_OK) {
        ngx_http_reel_redis_back_off(redis);
        ngx_http_reel_redis_close(redis);
        return;
    }

    redis->hops = 0;

    if (ngx_http_reel_redis_send(redis) != NGX_OK) {
        ngx_http_reel_redis_close(redis);
    }
}


/* one shard needs no number: workers of before wrote none */
static ngx_int_t
ngx_http_reel_redis_shards(ngx_http_reel_redis_t *redis,
    ngx_http_reel_reply_t *reply)
{
    uint64_t    held;
    reel_str_t  s;

    held = 1;

    if (reply->status == NGX_OK) {
        s.p = (char *) reply->str.data;
        s.len = reply->str.len;

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

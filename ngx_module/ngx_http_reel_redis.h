/*
 * One shard of the Redis that a reel_redis directive names, and the connection
 * to it.  A shard that holds another number of shards than ours is left alone.
 * Its addresses are tried in turn.  With a master's name they are sentinels,
 * which a connection of its own asks; meanwhile calls wait.  A node of a
 * Cluster that says MOVED is left for the one it names.
 */

#ifndef NGX_HTTP_REEL_REDIS_H
#define NGX_HTTP_REEL_REDIS_H

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/base/buf.h"

#define NGX_HTTP_REEL_REDIS_ADDRS  8

struct ngx_http_reel_redis_s {
    ngx_addr_t               addrs[NGX_HTTP_REEL_REDIS_ADDRS];
    ngx_uint_t               naddrs;
    ngx_http_reel_redis_t   *sentinel;  /* NULL: none is asked */
    ngx_str_t                master;    /* among the sentinels */
    ngx_str_t                sentinel_user;
    ngx_str_t                sentinel_password;
    ngx_str_t                user;
    ngx_str_t                password;
    ngx_str_t                db;
    ngx_uint_t               shard;
    ngx_uint_t               nshards;
    ngx_http_reel_redis_t  **shards;    /* all of them */

    /* of this worker */
    ngx_uint_t               turn;      /* of the addresses */
    ngx_uint_t               hops;      /* since it was last answered */
    ngx_addr_t               target;    /* what a sentinel or MOVED said */
    ngx_sockaddr_t           sockaddr;  /* of target */
    u_char                   name[NGX_SOCKADDR_STRLEN];
    ngx_peer_connection_t    peer;
    struct redisReader      *reader;
    reel_buf_t               out;
    size_t                   sent;
    size_t                   hello;     /* bytes of out, AUTH and SELECT */
    ngx_uint_t               greetings; /* of them unanswered; others wait */
    ngx_queue_t              calls;     /* in the order of their replies */
    ngx_msec_t               retry;     /* not before */
    unsigned                 ready:1;   /* calls is initialised */
    unsigned                 failed:1;  /* the last attempt */
    unsigned                 known:1;   /* target is */
    unsigned                 plain:1;   /* a sentinel: it has no keys */
    unsigned                 asking:1;  /* the sentinels */
};

/* ngx_http_reel_redis.c */

/* the shard of an asset or a job; NULL when redis is */
ngx_http_reel_redis_t *ngx_http_reel_redis_of(ngx_http_reel_redis_t *redis,
    const char *id);

#endif

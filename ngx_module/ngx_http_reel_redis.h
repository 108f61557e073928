/* one Redis that a reel_redis directive names, and the connection to it */

#ifndef NGX_HTTP_REEL_REDIS_H
#define NGX_HTTP_REEL_REDIS_H

#include "ngx_module/ngx_http_reel_module.h"

#include "lib/base/buf.h"

struct ngx_http_reel_redis_s {
    ngx_addr_t               addr;
    ngx_str_t                password;
    ngx_str_t                db;

    /* of this worker */
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
};

#endif

/* where Redis is: by the directive, by sentinels, by a Cluster's MOVED */

#include "ngx_module/ngx_http_reel_redis_conn.h"

#include "lib/job/moved.h"


#define NGX_HTTP_REEL_REDIS_ASK  2000


static void ngx_http_reel_redis_told(void *data,
    ngx_http_reel_reply_t *reply);
static ngx_int_t ngx_http_reel_redis_aim(ngx_http_reel_redis_t *redis,
    ngx_str_t *host, ngx_int_t port);


ngx_addr_t *
ngx_http_reel_redis_where(ngx_http_reel_redis_t *redis)
{
    return redis->known ? &redis->target
                        : &redis->addrs[redis->turn % redis->naddrs];
}


void
ngx_http_reel_redis_elsewhere(ngx_http_reel_redis_t *redis)
{
    redis->known = 0;
    redis->hops = 0;
    redis->turn++;

    if (redis->sentinel) {
        /* the one that told may be of old: the next question is another's */
        ngx_http_reel_redis_close(redis->sentinel);
    }
}


ngx_int_t
ngx_http_reel_redis_ask(ngx_http_reel_redis_t *redis)
{
    ngx_str_t  argv[3];

    ngx_str_set(&argv[0], "SENTINEL");
    ngx_str_set(&argv[1], "get-master-addr-by-name");
    argv[2] = redis->master;

    redis->asking = 1;

    if (ngx_http_reel_redis_call(redis->sentinel, 3, argv,
                                 NGX_HTTP_REEL_REDIS_ASK,
                                 ngx_http_reel_redis_told, redis)
        == NULL)
    {
        redis->asking = 0;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* [host, port]; one that is away or does not know is followed by the next */
static void
ngx_http_reel_redis_told(void *data, ngx_http_reel_reply_t *reply)
{
    ngx_http_reel_redis_t  *redis = data;

    redis->asking = 0;

    if (reply->status == NGX_OK && reply->nelts == 2
        && ngx_http_reel_redis_aim(redis, &reply->elts[0],
                                   ngx_atoi(reply->elts[1].data,
                                            reply->elts[1].len))
           == NGX_OK)
    {
        redis->hops = 0;
        ngx_http_reel_redis_asked(redis, NGX_OK);
        return;
    }

    /* its connection would take the next question as well */
    ngx_http_reel_redis_close(redis->sentinel);

    if (++redis->hops < redis->sentinel->naddrs) {
        /* the others are not to wait for the dead one's time to be over */
        redis->sentinel->failed = 0;

        if (ngx_http_reel_redis_ask(redis) == NGX_OK) {
            return;
        }
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "reel: no sentinel of redis \"%V\" says where it is",
                  &redis->master);

    redis->hops = 0;
    ngx_http_reel_redis_asked(redis, NGX_ERROR);
}


ngx_int_t
ngx_http_reel_redis_moved(ngx_http_reel_redis_t *redis, ngx_str_t *error)
{
    uint16_t    port;
    ngx_str_t   host;
    reel_str_t  s, to;

    s.p = (char *) error->data;
    s.len = error->len;

    if (reel_redis_moved(s, &to, &port) != REEL_OK
        || ++redis->hops > REEL_REDIS_HOPS)
    {
        return NGX_DECLINED;
    }

    host.data = (u_char *) to.p;
    host.len = to.len;

    return ngx_http_reel_redis_aim(redis, &host, port);
}


static ngx_int_t
ngx_http_reel_redis_aim(ngx_http_reel_redis_t *redis, ngx_str_t *host,
    ngx_int_t port)
{
    in_addr_t             in;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    if (port < 1 || port > 65535) {
        return NGX_DECLINED;
    }

    ngx_memzero(&redis->sockaddr, sizeof(ngx_sockaddr_t));
    redis->target.sockaddr = &redis->sockaddr.sockaddr;

    in = ngx_inet_addr(host->data, host->len);

    if (in != INADDR_NONE) {
        sin = &redis->sockaddr.sockaddr_in;
        sin->sin_family = AF_INET;
        sin->sin_addr.s_addr = in;
        redis->target.socklen = sizeof(struct sockaddr_in);

#if (NGX_HAVE_INET6)
    } else if (sin6 = &redis->sockaddr.sockaddr_in6,
               ngx_inet6_addr(host->data, host->len, sin6->sin6_addr.s6_addr)
               == NGX_OK)
    {
        sin6->sin6_family = AF_INET6;
        redis->target.socklen = sizeof(struct sockaddr_in6);
#endif

    } else {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "reel: redis is said to be at \"%V\", which is not an "
                      "address", host);
        return NGX_DECLINED;
    }

    ngx_inet_set_port(redis->target.sockaddr, (in_port_t) port);

    redis->target.name.data = redis->name;
    redis->target.name.len = ngx_sock_ntop(redis->target.sockaddr,
                                           redis->target.socklen, redis->name,
                                           NGX_SOCKADDR_STRLEN, 1);
    redis->known = 1;

    return NGX_OK;
}

/*
 * How the files ngx_http_reel_redis*.c work together: calls wait in a queue
 * (ngx_http_reel_redis.c), a connection carries them (…_conn.c) and greets
 * first (…_handshake.c), hiredis makes bytes of them and replies of bytes
 * (…_reply.c), and where to connect is …_where.c's.  Only they see this.
 */

#ifndef NGX_HTTP_REEL_REDIS_CONN_H
#define NGX_HTTP_REEL_REDIS_CONN_H

#include "ngx_module/ngx_http_reel_redis.h"


/* ngx_http_reel_redis.c */

/* a call that the connection is to be greeted with, before all others */
ngx_int_t ngx_http_reel_redis_greet(ngx_http_reel_redis_t *redis,
    ngx_uint_t argc, const ngx_str_t *argv);
/* to the first of the calls, of which there is one; it may close redis */
void ngx_http_reel_redis_deliver(ngx_http_reel_redis_t *redis,
    ngx_http_reel_reply_t *reply);
/* every call learns in this turn of the loop that there is no answer */
void ngx_http_reel_redis_fail(ngx_http_reel_redis_t *redis);


/* ngx_http_reel_redis_conn.c */

void ngx_http_reel_redis_out_init(ngx_http_reel_redis_t *redis);
/* connects, or asks whereto, if need be; NGX_DECLINED: not so soon again */
ngx_int_t ngx_http_reel_redis_open(ngx_http_reel_redis_t *redis);
/* as much of out as the connection takes now */
ngx_int_t ngx_http_reel_redis_send(ngx_http_reel_redis_t *redis);
/* it is not tried again at once */
void ngx_http_reel_redis_back_off(ngx_http_reel_redis_t *redis);
/* for what target says now; what waits goes there too */
void ngx_http_reel_redis_leave(ngx_http_reel_redis_t *redis);

/*
 * Closes the connection, if there is one: the next one is to the next
 * address.  Every call learns of it in this turn of the loop.  A handler may
 * do it, and call again.
 */
void ngx_http_reel_redis_close(ngx_http_reel_redis_t *redis);

/* rc: NGX_OK, target is known; else nobody knows */
void ngx_http_reel_redis_asked(ngx_http_reel_redis_t *redis, ngx_int_t rc);


/* ngx_http_reel_redis_handshake.c */

/*
 * AUTH and SELECT go first, and nothing else before Redis took them: what is
 * called meanwhile would be done in another database.  Last the question how
 * many shards there are, which a Cluster's node answers with MOVED if our slot
 * is another's.
 */
ngx_int_t ngx_http_reel_redis_handshake(ngx_http_reel_redis_t *redis);
/* one of them is answered */
void ngx_http_reel_redis_greeted(ngx_http_reel_redis_t *redis,
    ngx_http_reel_reply_t *reply);


/* ngx_http_reel_redis_reply.c: hiredis does not leak out of it */

/* appends a command; NGX_ERROR: too many arguments, or out is in error */
ngx_int_t ngx_http_reel_redis_command(reel_buf_t *out, ngx_uint_t argc,
    const ngx_str_t *argv);
ngx_int_t ngx_http_reel_redis_reader(ngx_http_reel_redis_t *redis);
void ngx_http_reel_redis_reader_free(ngx_http_reel_redis_t *redis);
/* delivers what is complete; NGX_ERROR: it is not Redis', or unasked for */
ngx_int_t ngx_http_reel_redis_feed(ngx_http_reel_redis_t *redis, u_char *data,
    size_t len);


/* ngx_http_reel_redis_where.c */

/* where to connect now */
ngx_addr_t *ngx_http_reel_redis_where(ngx_http_reel_redis_t *redis);
/* not there any more: the next address, and nothing is believed of before */
void ngx_http_reel_redis_elsewhere(ngx_http_reel_redis_t *redis);
/* asks the sentinels; ngx_http_reel_redis_asked follows */
ngx_int_t ngx_http_reel_redis_ask(ngx_http_reel_redis_t *redis);
/* "MOVED <slot> <host>:<port>"; NGX_DECLINED: another error, or not numeric */
ngx_int_t ngx_http_reel_redis_moved(ngx_http_reel_redis_t *redis,
    ngx_str_t *error);

#endif

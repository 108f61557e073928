/*
 * One connection of workerd's Redis client: found, set up (AUTH, SELECT, the
 * scripts; or SUBSCRIBE) and set up again when it is lost.  redis.c sends
 * commands over it.  Only the files workerd/redis*.c see this.
 */

#ifndef REEL_WORKERD_REDIS_CONN_H
#define REEL_WORKERD_REDIS_CONN_H

#include <hiredis/async.h>

#include "workerd/redis.h"
#include "workerd/resolve.h"

#define REEL_REDIS_SHA1_HEX 40

typedef struct {
    reel_redis_t       *redis;
    redisAsyncContext  *ac;         /* NULL: not even trying, or … */
    reel_resolve_t     *resolve;    /* … the address is being asked for */
    reel_redis_addr_t   at;         /* where it goes, … */
    bool                known;      /* … as a sentinel or MOVED said */
    bool                leaves;     /* for what at says now */
    unsigned            hops;       /* such leaves since it was up */
    unsigned            turn;       /* of the addresses */
    short               events;
    unsigned            failures;   /* in a row */
    unsigned            handshake;  /* replies that it still needs */
    bool                up;
    bool                listens;
    int64_t             since_ms;   /* connect began, or last sign of life */
    uint64_t            inflight;
    reel_timer_t        reconnect;
} reel_redis_conn_t;

struct reel_redis_s {
    reel_loop_t          *loop;
    reel_redis_conf_t     conf;
    unsigned              shard;
    reel_redis_key_t      prefix;   /* of its keys */
    reel_redis_key_t      number;   /* of shards */
    bool                  agreed;   /* it is known: set it when absent */
    char                  name[24]; /* for the log */
    reel_redis_key_t      wakes;    /* the channel */
    const reel_redis_ops_t *ops;
    void                 *arg;
    reel_redis_conn_t     main;
    reel_redis_conn_t     wake;
    reel_timer_t          tick;
    bool                  closing;
    int64_t               full_ms;  /* when it was said last, 0: never */
    char                  sha[REEL_LUA_SCRIPTS][REEL_REDIS_SHA1_HEX + 1];
};

/* arg: a reel_redis_conn_t with its redis set; a timer's function, too */
void reel_redis_conn_open(void *arg);

/* it is opened again, later; why: for the log */
void reel_redis_conn_drop(reel_redis_conn_t *c, const char *why);

/*
 * What an error reply says of the connection.  True: it is of no use any more
 * (MOVED, READONLY, LOADING, …), has been dropped, and who waited is to ask
 * again.
 */
bool reel_redis_conn_error(reel_redis_conn_t *c, reel_str_t error);

/* sends what a new connection begins with; it is up when all is answered */
reel_err_t reel_redis_handshake(reel_redis_conn_t *c) REEL_WARN_UNUSED;
void reel_redis_conn_up(reel_redis_conn_t *c);

/* ends this one, and opens one to what at says */
void reel_redis_conn_leave(reel_redis_conn_t *c);

/* for good: redis->closing is set */
void reel_redis_conn_close(reel_redis_conn_t *c);

#endif

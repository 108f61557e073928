/*
 * One shard of Redis for the daemon: one pipelined connection for all slots,
 * and a second one that listens to K:wake.  The only user of hiredis.
 *
 * Guarantees: a callback runs exactly once for each accepted call, never
 * from within the call.  When the connection is lost, what was under way
 * gets REEL_AGAIN: whether Redis ran it is not known, so send it again (the
 * scripts are idempotent).  It reconnects by itself, 100 ms … 5 s apart.
 * Nobody waits for an answer longer than REEL_REDIS_TIMEOUT_MS.
 *
 * The addresses are tried in turn.  Those of sentinels are asked where the
 * master is, and what is found there must say it is one.  A node of a Cluster
 * that says MOVED is left for the one it names.
 *
 * A host name is resolved at each connect, by a child (resolve.h): the loop
 * goes on meanwhile, and its other connection too.
 */

#ifndef REEL_WORKERD_REDIS_H
#define REEL_WORKERD_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/job/keys.h"
#include "lib/job/redis_addr.h"
#include "workerd/loop.h"

#define REEL_REDIS_TIMEOUT_MS 10000

typedef struct reel_redis_s reel_redis_t;
typedef struct redisReply   reel_reply_t;       /* opaque outside redis*.c */

typedef struct {
    reel_redis_addr_t addr[REEL_REDIS_ADDRS];   /* tried in turn */
    size_t   naddr;
    char     sentinel[64];      /* addr are sentinels, this the master's
                                   name among them; "" = they are Redis */
    char     sentinel_user[128];        /* of the sentinels' own ACL; … */
    char     sentinel_password_file[512];       /* … as the two below */
    unsigned db;
    unsigned shards;            /* 1 … REEL_SHARDS_MAX */
    char     user[128];         /* of an ACL; "" = the default one */
    char     password_file[512];        /* "" = none; read at each connect */
    bool     tls;               /* asked for, which no hiredis of ours has */
} reel_redis_conf_t;

/* err: REEL_OK; REEL_AGAIN lost or not ready; REEL_IO: r is an error */
typedef void (*reel_redis_fn)(void *arg, reel_err_t err,
    const reel_reply_t *r);

/* what a connection tells its owner: arg of reel_redis_new */
typedef struct {
    void (*state)(void *arg, reel_redis_t *r, bool up);
    /* it holds another number of shards, and is not up */
    void (*refused)(void *arg, unsigned held);
    /* each message of K:wake */
    void (*wake)(void *arg, reel_redis_t *r, reel_str_t message);
} reel_redis_ops_t;

/* the arguments of one command; errors are sticky until it is sent */
typedef struct {
    reel_buf_t data;
    size_t    *ends;            /* owned */
    size_t     n, cap;
    reel_err_t err;
} reel_args_t;

void reel_args_init(reel_args_t *a);
void reel_args_add(reel_args_t *a, reel_str_t s);
void reel_args_addz(reel_args_t *a, const char *z);
void reel_args_uint(reel_args_t *a, uint64_t v);
/* K:<kind><id> of r's shard */
void reel_args_key(reel_args_t *a, const reel_redis_t *r, const char *kind,
    const char *id);
void reel_args_copy(reel_args_t *dst, const reel_args_t *src);
void reel_args_release(reel_args_t *a);

/* for the keys of one shard.  NULL: no memory */
reel_redis_t *reel_redis_new(reel_loop_t *l, const reel_redis_conf_t *conf,
    unsigned shard, const reel_redis_ops_t *ops, void *arg);

/* begins to connect both (reel_children_init was called) */
void reel_redis_start(reel_redis_t *r);

/* how many shards there are is known: one that holds no number gets ours */
void reel_redis_agreed(reel_redis_t *r);

/* callbacks of what is under way are called with REEL_AGAIN, and of it stays
   what tells that it is not up */
void reel_redis_close(reel_redis_t *r);         /* NULL is fine */

/* closed first */
void reel_redis_free(reel_redis_t *r);          /* NULL is fine */
bool reel_redis_up(const reel_redis_t *r);
unsigned reel_redis_shard(const reel_redis_t *r);

/* a is released.  REEL_AGAIN when not connected: fn is not called then */
reel_err_t reel_redis_command(reel_redis_t *r, reel_args_t *a,
    reel_redis_fn fn, void *arg) REEL_WARN_UNUSED;

/*
 * Runs a script with KEYS[1] = K:<kind><id> and ARGV = the prefix, then a.
 * Loaded again when Redis forgot it.  Else as reel_redis_command.
 */
reel_err_t reel_redis_script(reel_redis_t *r, reel_lua_t script,
    const char *kind, const char *id, reel_args_t *a, reel_redis_fn fn,
    void *arg) REEL_WARN_UNUSED;

/* a reply: an array's elements, a string's bytes ("" for others) */
size_t reel_reply_len(const reel_reply_t *r);
const reel_reply_t *reel_reply_at(const reel_reply_t *r, size_t i);
reel_str_t reel_reply_str(const reel_reply_t *r);
bool reel_reply_nil(const reel_reply_t *r);     /* nil, or NULL */
/* Redis has no memory left, which the log was told */
bool reel_reply_full(const reel_reply_t *r);
/* an integer, or a string of digits; 0 otherwise */
uint64_t reel_reply_uint(const reel_reply_t *r);

#endif

/*
 * One connection of reelctl's Redis client: found and logged in.  Only
 * redis.c sees this.
 */

#ifndef REEL_CTL_REDIS_CONN_H
#define REEL_CTL_REDIS_CONN_H

#include <hiredis/hiredis.h>

#include "lib/job/redis_addr.h"
#include "reelctl/ctl.h"

/* as the options have it; the texts are theirs */
typedef struct {
    reel_redis_addr_t  addr[REEL_REDIS_ADDRS];  /* tried in turn */
    size_t             naddr;
    const char        *sentinel;        /* addr are sentinels, this is the
                                           master's name; NULL: they are not */
    const char        *user, *password_file, *db;       /* or NULL */
    const char        *sentinel_user, *sentinel_password_file;
} reel_ctl_redis_where_t;

typedef struct {
    redisContext      *ctx;             /* NULL: there is none */
    reel_redis_addr_t  at;
} reel_ctl_redis_conn_t;

/* addresses: with commas between them.  REEL_INVAL: e says what is wrong */
reel_err_t reel_ctl_redis_where(reel_ctl_redis_where_t *w,
    const reel_ctl_t *c, const char *addresses, reel_error_t *e)
    REEL_WARN_UNUSED;

/*
 * To the first address that answers; or to what a sentinel says is the master,
 * which must say so itself.  While what they name is none (any more), or is
 * away, they are asked again for some seconds.  c has no connection yet.
 * REEL_IO, REEL_AGAIN (no master), REEL_DENIED, REEL_INVAL: no connection, and
 * e says why.
 */
reel_err_t reel_ctl_redis_dial(const reel_ctl_redis_where_t *w,
    reel_ctl_redis_conn_t *c, reel_error_t *e) REEL_WARN_UNUSED;

/* to that one, whatever it is: a node of a Cluster */
reel_err_t reel_ctl_redis_dial_at(const reel_ctl_redis_where_t *w,
    const reel_redis_addr_t *at, reel_ctl_redis_conn_t *c, reel_error_t *e)
    REEL_WARN_UNUSED;

void reel_ctl_redis_hang_up(reel_ctl_redis_conn_t *c);

#endif

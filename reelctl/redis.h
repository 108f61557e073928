/* Redis by hiredis, which stays in redis.c and redis_conn.c */

#ifndef REEL_CTL_REDIS_H
#define REEL_CTL_REDIS_H

#include "lib/job/keys.h"
#include "lib/job/redis_addr.h"
#include "reelctl/ctl.h"

typedef struct reel_ctl_redis_s reel_ctl_redis_t;

typedef struct {
    char  **v;                  /* nil is "" */
    size_t  n;
} reel_ctl_strings_t;

/*
 * Connects to address (unix:PATH or HOST:PORT, or several with commas between
 * them, which are tried in turn) and logs in when a password file is among the
 * options; with a master's name they are its sentinels.  The reason of a
 * failure is in e: REEL_INVAL (address or password file), REEL_IO (out of
 * reach), REEL_AGAIN (no master), REEL_DENIED.  A Cluster's node may send to
 * another.
 */
reel_err_t reel_ctl_redis_open(const reel_ctl_t *c, const char *address,
    reel_ctl_redis_t **r, reel_error_t *e) REEL_WARN_UNUSED;
void reel_ctl_redis_close(reel_ctl_redis_t *r);         /* NULL is fine */

/*
 * The shards that Redis says it has (docs/redis-keys.md).  Calls go to the one
 * that was chosen last: by its number, or as that of an asset or a job; to the
 * first at first.
 */
unsigned reel_ctl_redis_shards(const reel_ctl_redis_t *r);
unsigned reel_ctl_redis_shard(const reel_ctl_redis_t *r);
/* which Redis that is, once it was called */
const char *reel_ctl_redis_address(const reel_ctl_redis_t *r,
    reel_redis_addr_text_t dst);
void reel_ctl_redis_at(reel_ctl_redis_t *r, unsigned shard);
void reel_ctl_redis_of(reel_ctl_redis_t *r, const char *id);

/* how many shards there are, as the chosen one holds it; 0: it does not */
reel_err_t reel_ctl_redis_number(reel_ctl_redis_t *r, unsigned *n,
    reel_error_t *e) REEL_WARN_UNUSED;

/* of the shard that is chosen */
reel_err_t reel_ctl_redis_key(const reel_ctl_redis_t *r,
    reel_redis_key_t key, const char *kind, const char *id) REEL_WARN_UNUSED;

/*
 * One command; its reply as strings, in order (a single one for a scalar,
 * arrays within it one behind the other).
 * REEL_IO lost, REEL_DENIED an error reply.  Release out.
 */
reel_err_t reel_ctl_redis_call(reel_ctl_redis_t *r, reel_ctl_strings_t *out,
    reel_error_t *e, int argc, const char **argv) REEL_WARN_UNUSED;
void reel_ctl_strings_release(reel_ctl_strings_t *s);

/* the value after name in a list of name, value, …; "" when absent */
const char *reel_ctl_strings_get(const reel_ctl_strings_t *s,
    const char *name);

#endif

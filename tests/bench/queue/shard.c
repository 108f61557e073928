/*
 * queue.c for the shard that the environment names in BENCH_SHARD: it is
 * linked with --wrap=reel_redis_key, and asks for the first one's keys.
 */

#include "lib/job/keys.h"

#include <stdlib.h>

reel_err_t __real_reel_redis_key(reel_redis_key_t out, unsigned shard,
    const char *kind, reel_str_t id);
reel_err_t __wrap_reel_redis_key(reel_redis_key_t out, unsigned shard,
    const char *kind, reel_str_t id);


reel_err_t
__wrap_reel_redis_key(reel_redis_key_t out, unsigned shard, const char *kind,
    reel_str_t id)
{
    const char  *own = getenv("BENCH_SHARD");

    return __real_reel_redis_key(
        out, own != NULL ? (unsigned) strtoul(own, NULL, 10) : shard, kind,
        id);
}

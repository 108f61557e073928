/*
 * Names of the Redis keys and the Lua transitions (docs/redis-keys.md).
 * The scripts' text is generated from lib/job/lua/<name>.lua at build time;
 * their SHA-1 (for EVALSHA) is computed by who sends them.
 */

#ifndef REEL_JOB_KEYS_H
#define REEL_JOB_KEYS_H

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_JOB_SCHEMA   "3"               /* of K:job:; common_record.lua's */
#define REEL_SHARDS_MAX   64                /* as in shards.lua */
#define REEL_EVENTS_MAX   "10000"           /* of K:events; as in common.lua */
#define REEL_STEP_MAX     16                /* tasks of a step; as in step.lua */
#define REEL_JOB_ID_MAX   48                /* <asset>.<publication> */

typedef char reel_redis_key_t[128];

/*
 * In which of so many shards everything of an asset lies: CRC-32C of its id,
 * modulo their number.  id: an asset's or a job's.
 */
unsigned reel_shard_of(reel_str_t id, unsigned shards);

/*
 * The shard's prefix, kind and id: reel_redis_key(k, shard, "job:", job).
 * The prefix itself has neither.
 */
reel_err_t reel_redis_key(reel_redis_key_t dst, unsigned shard,
    const char *kind, reel_str_t id) REEL_WARN_UNUSED;

/* "<asset>.<publication>"; dst has REEL_JOB_ID_MAX bytes */
reel_err_t reel_job_id(char *dst, reel_str_t asset, uint32_t publication)
    REEL_WARN_UNUSED;
reel_err_t reel_job_id_parse(reel_str_t job, reel_str_t *asset,
    uint32_t *publication) REEL_WARN_UNUSED;

typedef enum {
    REEL_LUA_SUBMIT,
    REEL_LUA_STEP,
    REEL_LUA_RENEW,
    REEL_LUA_FAIL,
    REEL_LUA_EXPAND,
    REEL_LUA_CANCEL,
    REEL_LUA_SWEEP,
    REEL_LUA_HOOK,
    REEL_LUA_HOOKED,
    REEL_LUA_DEPTH,
    REEL_LUA_UNMET,
    REEL_LUA_STRAGGLER,
    REEL_LUA_SHARDS,
    REEL_LUA_SCRIPTS
} reel_lua_t;

/* the script's source, terminated, and its file's name; static */
const char *reel_lua_text(reel_lua_t s);
const char *reel_lua_name(reel_lua_t s);

#endif

#include <stdio.h>

#include "lib/base/crc32c.h"
#include "lib/base/ulid.h"
#include "lib/job/keys.h"
#include "lua_scripts.h"

static const struct {
    const char *name;
    const char *text;
} scripts[REEL_LUA_SCRIPTS] = {
    [REEL_LUA_SUBMIT] = { "submit", lua_submit },
    [REEL_LUA_STEP] = { "step", lua_step },
    [REEL_LUA_RENEW] = { "renew", lua_renew },
    [REEL_LUA_FAIL] = { "fail", lua_fail },
    [REEL_LUA_EXPAND] = { "expand", lua_expand },
    [REEL_LUA_CANCEL] = { "cancel", lua_cancel },
    [REEL_LUA_SWEEP] = { "sweep", lua_sweep },
    [REEL_LUA_HOOK] = { "hook", lua_hook },
    [REEL_LUA_HOOKED] = { "hooked", lua_hooked },
    [REEL_LUA_DEPTH] = { "depth", lua_depth },
    [REEL_LUA_UNMET] = { "unmet", lua_unmet },
    [REEL_LUA_STRAGGLER] = { "straggler", lua_straggler },
    [REEL_LUA_SHARDS] = { "shards", lua_shards },
};


unsigned
reel_shard_of(reel_str_t id, unsigned shards)
{
    reel_str_t  rest;
    reel_str_t  asset = reel_str_cut(id, '.', &rest);

    return shards <= 1 ? 0 : reel_crc32c(0, asset.p, asset.len) % shards;
}


reel_err_t
reel_redis_key(reel_redis_key_t dst, unsigned shard, const char *kind,
    reel_str_t id)
{
    int n;

    dst[0] = '\0';

    if (shard >= REEL_SHARDS_MAX || id.len >= sizeof(reel_redis_key_t)) {
        return REEL_LIMIT;
    }

    n = snprintf(dst, sizeof(reel_redis_key_t), "reel1:{r%u}:%s%.*s", shard,
                 kind, (int) id.len, id.p == NULL ? "" : id.p);

    if (n < 0 || (size_t) n >= sizeof(reel_redis_key_t)) {
        dst[0] = '\0';
        return REEL_LIMIT;
    }

    return REEL_OK;
}


reel_err_t
reel_job_id(char *dst, reel_str_t asset, uint32_t publication)
{
    dst[0] = '\0';

    if (!reel_ulid_valid(asset) || publication == 0) {
        return REEL_INVAL;
    }

    (void) snprintf(dst, REEL_JOB_ID_MAX, "%.*s.%u", (int) asset.len,
                    asset.p, publication);

    return REEL_OK;
}


reel_err_t
reel_job_id_parse(reel_str_t job, reel_str_t *asset, uint32_t *publication)
{
    uint64_t   v;
    reel_str_t head, rest;

    head = reel_str_cut(job, '.', &rest);

    if (rest.p == NULL || !reel_ulid_valid(head)
        || reel_str_u64(rest, UINT32_MAX, &v) != REEL_OK || v == 0
        || rest.p[0] == '0')
    {
        return REEL_INVAL;
    }

    *asset = head;
    *publication = (uint32_t) v;

    return REEL_OK;
}


const char *
reel_lua_text(reel_lua_t s)
{
    return scripts[s].text;
}


const char *
reel_lua_name(reel_lua_t s)
{
    return scripts[s].name;
}

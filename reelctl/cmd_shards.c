/* the shards of Redis, and another number of them (docs/redis-keys.md) */

#include <stdlib.h>
#include <string.h>

#include "reelctl/queue.h"

/* workers tell that they live every 10 s */
#define HEARD_MS 30000


/* the first number of a reply; -1 and e: none came */
static int64_t
ask(reel_ctl_redis_t *r, reel_error_t *e, int argc, const char **argv)
{
    int64_t              n = -1;
    reel_ctl_strings_t   out;

    if (reel_ctl_redis_call(r, &out, e, argc, argv) == REEL_OK) {
        n = out.n > 0 ? reel_ctl_number(out.v[0]) : 0;
    }
    reel_ctl_strings_release(&out);

    return n;
}


/* how many elements the shard's key has, by ZCARD, XLEN or STRLEN */
static int64_t
size_of(reel_ctl_redis_t *r, const char *command, const char *kind,
    reel_error_t *e)
{
    reel_redis_key_t  key;
    const char       *argv[2] = { command, key };

    return reel_ctl_redis_key(r, key, kind, "") == REEL_OK
           ? ask(r, e, 2, argv) : -1;
}


/* workers heard of lately */
static int64_t
live_workers(reel_ctl_redis_t *r, reel_error_t *e)
{
    char              since[24];
    reel_redis_key_t  key;
    const char       *argv[4] = { "ZCOUNT", key, since, "+inf" };

    (void) snprintf(since, sizeof(since), "%lld",
                    (long long) (reel_ctl_queue_now(r) - HEARD_MS));

    return reel_ctl_redis_key(r, key, "workers", "") == REEL_OK
           ? ask(r, e, 4, argv) : -1;
}


/* the shard's number becomes n if it is from; what it is then, -1: unknown */
static int64_t
set_number(reel_ctl_redis_t *r, unsigned n, unsigned from, reel_error_t *e)
{
    char              to[16], was[16];
    reel_redis_key_t  key, prefix;
    const char       *argv[7] = {
        "EVAL", reel_lua_text(REEL_LUA_SHARDS), "1", key, prefix, to, was
    };

    (void) snprintf(to, sizeof(to), "%u", n);
    (void) snprintf(was, sizeof(was), "%u", from);

    return reel_ctl_redis_key(r, key, "shards", "") == REEL_OK
           && reel_ctl_redis_key(r, prefix, "", "") == REEL_OK
           ? ask(r, e, 7, argv) : -1;
}


/* what stands in the way; an exit code, and it was told why */
static int
check_drained(reel_ctl_redis_t *r, unsigned n, unsigned all, reel_error_t *e)
{
    int64_t  jobs, poison = 0, live = live_workers(r, e);

    if (live > 0) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "%lld workers were heard within "
                             "%d s: stop them first", (long long) live,
                             HEARD_MS / 1000);
    }

    for (unsigned k = 0; live == 0 && k < all; k++) {
        reel_ctl_redis_at(r, k);

        jobs = size_of(r, "ZCARD", "jobs", e);
        if (k >= n) {
            poison = size_of(r, "XLEN", "quarantine", e);
        }

        if (jobs > 0) {
            return reel_ctl_fail(REEL_EXIT_FAILED, "shard %u has %lld "
                                 "unfinished jobs: let them end first", k,
                                 (long long) jobs);
        }
        if (poison > 0) {
            return reel_ctl_fail(REEL_EXIT_FAILED, "shard %u, which will be no "
                                 "more, has tasks in quarantine: retry or "
                                 "drop them first", k);
        }
        if (jobs < 0 || poison < 0) {
            live = -1;
        }
    }

    return live == 0 ? REEL_EXIT_OK
           : reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "%s", e->text);
}


/*
 * From the last one to the first, which workers believe: whoever submits a
 * job meanwhile is refused by those that were changed.
 */
static int
set_numbers(reel_ctl_redis_t *r, unsigned n, unsigned from, unsigned all,
    reel_error_t *e)
{
    int64_t  held = n;

    for (unsigned k = all; k > 0 && held == n; k--) {
        reel_ctl_redis_at(r, k - 1);
        held = set_number(r, n, from, e);
    }

    if (held == n) {
        return REEL_EXIT_OK;
    }

    for (unsigned k = 0; k < all; k++) {
        reel_ctl_redis_at(r, k);
        (void) set_number(r, from, n, &(reel_error_t) { "" });
    }

    return held >= 0 ? reel_ctl_fail(REEL_EXIT_FAILED, "a job was submitted "
                                     "meanwhile: try again")
                     : reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "%s", e->text);
}


/* of a catalogue, the ids of other shards than this one */
static reel_err_t
move_ids(reel_ctl_redis_t *r, unsigned n, const char *name, reel_error_t *e)
{
    unsigned             to, from = reel_ctl_redis_shard(r);
    reel_err_t           err;
    reel_redis_key_t     key, other;
    const char          *list[5] = { "ZRANGE", key, "0", "-1", "WITHSCORES" };
    const char          *add[5] = { "ZADD", other, "NX" };
    const char          *rem[3] = { "ZREM", key };
    reel_ctl_strings_t   ids = { 0 }, done;

    err = reel_ctl_redis_key(r, key, "catalog:", name);
    if (err == REEL_OK) {
        err = reel_ctl_redis_call(r, &ids, e, 5, list);
    }

    for (size_t i = 0; err == REEL_OK && i + 1 < ids.n; i += 2) {
        to = reel_shard_of(reel_str(ids.v[i]), n);
        if (to == from) {
            continue;
        }

        add[3] = ids.v[i + 1];
        add[4] = rem[2] = ids.v[i];

        reel_ctl_redis_at(r, to);
        err = reel_ctl_redis_key(r, other, "catalog:", name);
        if (err == REEL_OK) {
            err = reel_ctl_redis_call(r, &done, e, 5, add);
            reel_ctl_strings_release(&done);
        }

        reel_ctl_redis_at(r, from);
        if (err == REEL_OK) {
            err = reel_ctl_redis_call(r, &done, e, 3, rem);
            reel_ctl_strings_release(&done);
        }
    }

    reel_ctl_strings_release(&ids);

    return err;
}


/* the catalogues of a shard's projects */
static reel_err_t
move_catalogs(reel_ctl_redis_t *r, unsigned n, reel_error_t *e)
{
    char                 cursor[24] = "0";
    reel_err_t           err;
    reel_redis_key_t     key, pattern;
    const char          *scan[6] = { "SCAN", cursor, "MATCH", pattern,
                                     "COUNT", "1000" };
    reel_ctl_strings_t   found = { 0 };

    err = reel_ctl_redis_key(r, key, "catalog:", "");
    if (err == REEL_OK) {
        err = reel_ctl_redis_key(r, pattern, "catalog:*", "");
    }

    while (err == REEL_OK) {
        err = reel_ctl_redis_call(r, &found, e, 6, scan);

        for (size_t i = 1; err == REEL_OK && i < found.n; i++) {
            err = move_ids(r, n, found.v[i] + strlen(key), e);
        }

        if (err == REEL_OK) {
            err = reel_str_copy(cursor, sizeof(cursor), reel_str(found.v[0]));
        }
        reel_ctl_strings_release(&found);

        if (strcmp(cursor, "0") == 0) {
            break;
        }
    }

    return err;
}


/* it is, or was, one of them */
static bool
is_shard(reel_ctl_redis_t *r, reel_error_t *e)
{
    return size_of(r, "STRLEN", "shards", e) != 0;
}


/* also when the number stands: a call of before may have been cut off */
static int
change(reel_ctl_redis_t *r, unsigned n, reel_error_t *e)
{
    int         code = REEL_EXIT_OK;
    unsigned    from = reel_ctl_redis_shards(r), all = n > from ? n : from;
    reel_err_t  err = REEL_OK;

    if (n != from) {
        code = check_drained(r, n, all, e);
    }
    if (code == REEL_EXIT_OK && n != from) {
        code = set_numbers(r, n, from, all, e);
    }

    for (unsigned k = 0; code == REEL_EXIT_OK && err == REEL_OK
         && k < REEL_SHARDS_MAX; k++)
    {
        reel_ctl_redis_at(r, k);
        if (k == 0 || is_shard(r, e)) {
            err = move_catalogs(r, n, e);
        }
    }

    return err == REEL_OK ? code
           : reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "the catalogue is not "
                           "whole, run it again: %s", e->text);
}


static int
show(const reel_ctl_t *c, reel_ctl_redis_t *r, unsigned n, reel_error_t *e)
{
    int64_t  jobs;
    json_t  *all = json_array();

    for (unsigned k = 0; k < n; k++) {
        reel_ctl_redis_at(r, k);
        jobs = size_of(r, "ZCARD", "jobs", e);

        if (jobs < 0) {
            json_decref(all);
            return reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "shard %u: %s", k,
                                 e->text);
        }

        json_array_append_new(all, json_pack("{s:I, s:I}", "shard",
            (json_int_t) k, "jobs", (json_int_t) jobs));
    }

    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:o}", "shards", all));
    }

    (void) printf("%-5s  %s\n", "SHARD", "UNFINISHED JOBS");
    for (unsigned k = 0; k < n; k++) {
        (void) printf("%5u  %lld\n", k, (long long) reel_ctl_integer(
                      json_array_get(all, k), "jobs"));
    }
    json_decref(all);

    return reel_ctl_done();
}


int
reel_ctl_cmd_shards(reel_ctl_t *c)
{
    int                code;
    uint64_t           n = 0;
    reel_error_t       e = { "" };
    reel_ctl_redis_t  *r;

    if (c->argc != 0 && (reel_str_u64(reel_str(c->argv[0]), REEL_SHARDS_MAX,
                                      &n) != REEL_OK || n == 0))
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "shards: 1 … %d",
                             REEL_SHARDS_MAX);
    }

    code = reel_ctl_queue_open(c, &r);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (n > 0) {
        code = change(r, (unsigned) n, &e);
    }
    if (code == REEL_EXIT_OK) {
        code = show(c, r, n > 0 ? (unsigned) n : reel_ctl_redis_shards(r),
                    &e);
    }
    reel_ctl_redis_close(r);

    return code;
}

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


/* what each of all shards holds; 0: nothing */
static reel_err_t
read_numbers(reel_ctl_redis_t *r, unsigned held[REEL_SHARDS_MAX],
    reel_error_t *e)
{
    reel_err_t  err = REEL_OK;

    for (unsigned k = 0; err == REEL_OK && k < REEL_SHARDS_MAX; k++) {
        reel_ctl_redis_at(r, k);
        err = reel_ctl_redis_number(r, &held[k], e);
    }

    return err;
}


/* it is one of n, or was one of others */
static bool
is_shard(const unsigned *held, unsigned k, unsigned n)
{
    return k < n || held[k] != 0;
}


static bool
differs(const unsigned *held, unsigned k, unsigned n)
{
    return is_shard(held, k, n) && held[k] != n;
}


static bool
all_hold(const unsigned *held, unsigned n)
{
    for (unsigned k = 0; k < REEL_SHARDS_MAX; k++) {
        if (differs(held, k, n)) {
            return false;
        }
    }

    return true;
}


/* one that holds none is as the first says */
static unsigned
was(const reel_ctl_redis_t *r, const unsigned *held)
{
    unsigned  n = held[reel_ctl_redis_shard(r)];

    return n != 0 ? n : reel_ctl_redis_shards(r);
}


/* what stands in the way in a shard; an exit code, and it was told why */
static int
check_drained(reel_ctl_redis_t *r, unsigned n, const unsigned *held,
    reel_error_t *e)
{
    int64_t   live, jobs, poison = 0;
    unsigned  k = reel_ctl_redis_shard(r);

    live = live_workers(r, e);
    jobs = held[k] != n ? size_of(r, "ZCARD", "jobs", e) : 0;
    if (k >= n) {
        poison = size_of(r, "XLEN", "quarantine", e);
    }

    if (live < 0 || jobs < 0 || poison < 0) {
        return reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "shard %u: %s", k,
                             e->text);
    }
    if (live > 0) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "%lld workers were heard within "
                             "%d s: stop them first", (long long) live,
                             HEARD_MS / 1000);
    }
    if (jobs > 0) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "shard %u of %u has %lld "
                             "unfinished jobs: let them end first", k,
                             was(r, held), (long long) jobs);
    }
    if (poison > 0) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "shard %u, which will be no "
                             "more, has tasks in quarantine: retry or "
                             "drop them first", k);
    }

    return REEL_EXIT_OK;
}


/*
 * From the last one to the first, which workers believe: whoever submits a
 * job meanwhile is refused by those that were changed.
 */
static int
set_numbers(reel_ctl_redis_t *r, unsigned n, const unsigned *held,
    reel_error_t *e)
{
    int64_t   holds = n;
    unsigned  k;

    for (k = REEL_SHARDS_MAX; k > 0 && holds == n; k--) {
        if (differs(held, k - 1, n)) {
            reel_ctl_redis_at(r, k - 1);
            holds = set_number(r, n, was(r, held), e);
        }
    }

    if (holds == n) {
        return REEL_EXIT_OK;
    }

    for (unsigned i = k; i < REEL_SHARDS_MAX; i++) {
        if (differs(held, i, n)) {
            reel_ctl_redis_at(r, i);
            (void) set_number(r, was(r, held), n, &(reel_error_t) { "" });
        }
    }

    return holds >= 0
           ? reel_ctl_fail(REEL_EXIT_FAILED, "shard %u of %lld: a "
                           "job was submitted meanwhile: try again", k,
                           (long long) holds)
           : reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "shard %u: %s", k, e->text);
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


/* also when the number stands: a call of before may have been cut off */
static int
change(reel_ctl_redis_t *r, unsigned n, reel_error_t *e)
{
    int         code = REEL_EXIT_OK;
    bool        same;
    unsigned    held[REEL_SHARDS_MAX];
    reel_err_t  err = read_numbers(r, held, e);

    if (err != REEL_OK) {
        return reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "shard %u: %s",
                             reel_ctl_redis_shard(r), e->text);
    }

    same = all_hold(held, n);

    for (unsigned k = 0; code == REEL_EXIT_OK && !same
         && k < REEL_SHARDS_MAX; k++)
    {
        if (is_shard(held, k, n)) {
            reel_ctl_redis_at(r, k);
            code = check_drained(r, n, held, e);
        }
    }

    if (code == REEL_EXIT_OK) {
        code = set_numbers(r, n, held, e);
    }

    for (unsigned k = 0; code == REEL_EXIT_OK && err == REEL_OK
         && k < REEL_SHARDS_MAX; k++)
    {
        if (is_shard(held, k, n)) {
            reel_ctl_redis_at(r, k);
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

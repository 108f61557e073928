/*
 * usage: queue produce SOCKET JOBS [PROJECTS]
 *        queue work SOCKET JOBS CHILDREN
 *        queue fill SOCKET JOBS CHILDREN
 *        queue claims SOCKET N HOLD
 *
 * Drives the queue by the scripts that workerd sends, over one pipelined
 * connection as workerd does, and runs no task.  work: 50 slots that claim,
 * plan (CHILDREN tasks and one that waits for all) and complete until JOBS
 * jobs are done.  fill: jobs are submitted and planned, nothing is run.
 * claims: HOLD that are kept, then N that are given back, one at a time; prints the median and
 * the 99th percentile of a claim in microseconds.
 */

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/job/keys.h"

#define SLOTS     50
#define ARGS_MAX  2048
#define TEXT_MAX  64

typedef struct {
    const char *v[ARGS_MAX];
    size_t      len[ARGS_MAX];
    char        text[ARGS_MAX][TEXT_MAX];
    int         n;
} args_t;

static redisContext *redis;
static char          sha[REEL_LUA_SCRIPTS][41];
static args_t        args;
static char          payload[200];


static void
die(const char *what, const char *why)
{
    (void) fprintf(stderr, "queue: %s: %s\n", what, why);
    exit(1);
}


static void
add(const char *z)
{
    args.v[args.n] = z;
    args.len[args.n++] = strlen(z);
}


static void
add_copy(const char *z, size_t len)
{
    if (len >= TEXT_MAX) {
        die("argument", "too long");
    }

    memcpy(args.text[args.n], z, len);
    args.v[args.n] = args.text[args.n];
    args.len[args.n] = len;
    args.n++;
}


static void
begin(reel_lua_t script, const char *kind, const char *id)
{
    reel_redis_key_t  key, prefix;

    if (reel_redis_key(key, 0, kind, reel_str(id)) != REEL_OK
        || reel_redis_key(prefix, 0, "", reel_str("")) != REEL_OK)
    {
        die("key", id);
    }

    args.n = 0;
    add("EVALSHA");
    add(sha[script]);
    add("1");
    add_copy(key, strlen(key));
    add_copy(prefix, strlen(prefix));
}


static void
send_args(void)
{
    if (redisAppendCommandArgv(redis, args.n, args.v, args.len) != REDIS_OK) {
        die("send", redis->errstr);
    }
}


static redisReply *
receive(void)
{
    redisReply  *r;

    if (redisGetReply(redis, (void **) &r) != REDIS_OK) {
        die("receive", redis->errstr);
    }
    if (r->type == REDIS_REPLY_ERROR) {
        die("redis", r->str);
    }

    return r;
}


static void
connect_to(const char *path)
{
    redisReply  *r;

    redis = redisConnectUnix(path);
    if (redis == NULL || redis->err != 0) {
        die(path, redis != NULL ? redis->errstr : "no memory");
    }

    for (int i = 0; i < REEL_LUA_SCRIPTS; i++) {
        const char *load[] = { "SCRIPT", "LOAD",
                               reel_lua_text((reel_lua_t) i) };

        r = redisCommandArgv(redis, 3, load, NULL);
        if (r == NULL || r->type != REDIS_REPLY_STRING) {
            die("SCRIPT LOAD", reel_lua_name((reel_lua_t) i));
        }
        (void) snprintf(sha[i], sizeof(sha[i]), "%s", r->str);
        freeReplyObject(r);
    }

    memset(payload, 'x', sizeof(payload) - 1);
}


/* the answer is read by the caller */
static void
submit(unsigned n, unsigned projects)
{
    char  asset[32], job[40], project[16];

    (void) snprintf(asset, sizeof(asset), "01j%023u", n);
    (void) snprintf(job, sizeof(job), "%s.1", asset);
    (void) snprintf(project, sizeof(project), "p%u", n % projects);

    begin(REEL_LUA_SUBMIT, "job:", job);
    add(job);
    add(asset);
    add("1");
    add(project);
    add("default");
    add("1");
    add("{}");
    add("3");
    add("600");
    send_args();
}


static void
step(const redisReply *done, unsigned cores)
{
    static uint64_t  nonce;
    char             hex[17], room[48];

    (void) snprintf(hex, sizeof(hex), "%016llx",
                    (unsigned long long) ++nonce);
    begin(REEL_LUA_STEP, "lease", "");
    add("bench");
    add(hex);
    add("30000");

    for (size_t i = 1; i <= 4; i++) {
        if (i != 3) {                           /* job, task, token */
            add(done != NULL ? done->element[i]->str : "");
        }
    }

    (void) snprintf(room, sizeof(room), "%u 65536 %u 65536 2", cores, cores);
    add_copy(room, strlen(room));
    add("");
    send_args();
}


/* children, and the parent that waits for them */
static void
expand(const redisReply *plan, unsigned children)
{
    char          deps[ARGS_MAX];
    size_t        n = 0;
    unsigned      i;

    begin(REEL_LUA_EXPAND, "job:", plan->element[1]->str);
    add(plan->element[1]->str);
    add(plan->element[2]->str);
    add(plan->element[4]->str);

    for (i = 0; i <= children; i++) {
        char  name[16];

        (void) snprintf(name, sizeof(name), "v%u", i);
        add_copy(name, strlen(name));
        add(i < children ? "encode_video" : "publish");
        add(i < children ? "1" : "0");
        add(i < children ? "384" : "0");
        add("");
        add("4");
        add(payload);
        add("1000");
        add("3");
        add("600");
        add("");
        add("0");
        add(i < children ? "" : deps);

        n += (size_t) snprintf(deps + n, sizeof(deps) - n, "%s ", name);
    }

    send_args();
}


static void
produce(unsigned jobs, unsigned projects)
{
    unsigned  sent = 0, got = 0;

    while (got < jobs) {
        while (sent < jobs && sent - got < 64) {
            submit(sent++, projects);
        }
        freeReplyObject(receive());
        got++;
    }
}


/* 50 slots: each has one call under way, or nothing to do */
static void
work(unsigned jobs, unsigned children)
{
    bool         expands[SLOTS * 2] = { false };
    unsigned     head = 0, tail = 0, idle = 0, done = 0;
    redisReply  *r;

    for (unsigned i = 0; i < SLOTS; i++) {
        step(NULL, SLOTS);
        expands[tail++ % (SLOTS * 2)] = false;
    }

    while (done < jobs) {
        bool  expanded;

        if (head == tail) {                     /* all wait: poll */
            nanosleep(&(struct timespec) { 0, 200000 }, NULL);
            step(NULL, SLOTS);
            expands[tail++ % (SLOTS * 2)] = false;
            idle--;
        }

        expanded = expands[head++ % (SLOTS * 2)];
        r = receive();

        if (expanded) {
            step(NULL, SLOTS);
            expands[tail++ % (SLOTS * 2)] = false;

        } else if (r->elements > 2
                   && strcmp(r->element[3]->str, "plan") == 0)
        {
            expand(r, children);
            expands[tail++ % (SLOTS * 2)] = true;

        } else if (r->elements > 2) {
            done += strcmp(r->element[3]->str, "publish") == 0;
            step(r, SLOTS);
            expands[tail++ % (SLOTS * 2)] = false;

        } else {
            idle++;
        }

        /* while there is work the others look too, one after the other */
        if (idle > 0 && r->elements > 2) {
            step(NULL, SLOTS);
            expands[tail++ % (SLOTS * 2)] = false;
            idle--;
        }

        freeReplyObject(r);
    }

    while (head++ != tail) {                    /* the last completions */
        freeReplyObject(receive());
    }
}


/* one after the other: nothing else may be claimed meanwhile */
static void
fill(unsigned jobs, unsigned children)
{
    redisReply  *inspect, *plan;

    for (unsigned i = 0; i < jobs; i++) {
        submit(i, 10);
        step(NULL, 0);
        freeReplyObject(receive());
        inspect = receive();
        step(inspect, 0);
        freeReplyObject(inspect);
        plan = receive();
        expand(plan, children);
        freeReplyObject(plan);
        freeReplyObject(receive());
    }
}


static int
compare(const void *a, const void *b)
{
    double  x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}


static double
now_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec * 1e6 + (double) ts.tv_nsec / 1e3;
}


/* it is ready again as soon as the next step looks */
static void
give_back(const redisReply *r)
{
    begin(REEL_LUA_FAIL, "job:", r->element[1]->str);
    add(r->element[1]->str);
    add(r->element[2]->str);
    add(r->element[4]->str);
    add("release");
    add("SHUTDOWN");
    add("bench");
    add("");
    add("");
    add("0");
    send_args();
    freeReplyObject(receive());
}


static void
claims(unsigned n, unsigned hold)
{
    double      *us = calloc(n, sizeof(*us)), began;
    redisReply  *r;

    if (us == NULL) {
        die("claims", "no memory");
    }

    for (unsigned i = 0; i < hold; i++) {
        step(NULL, SLOTS);
        freeReplyObject(receive());
    }

    for (unsigned i = 0; i < n; i++) {
        began = now_us();
        step(NULL, SLOTS);
        r = receive();
        us[i] = now_us() - began;
        if (r->elements <= 2) {
            die("claims", "nothing is ready");
        }
        give_back(r);
        freeReplyObject(r);
    }

    qsort(us, n, sizeof(*us), compare);
    printf("%.1f %.1f\n", us[n / 2], us[(size_t) n * 99 / 100]);
    free(us);
}


int
main(int argc, char **argv)
{
    unsigned  n, m;

    if (argc < 4) {
        die("usage", "queue produce|work|fill|claims SOCKET N [M]");
    }

    n = (unsigned) strtoul(argv[3], NULL, 10);
    m = argc > 4 ? (unsigned) strtoul(argv[4], NULL, 10) : 1;
    connect_to(argv[2]);

    if (n == 0 || m == 0 || (m > 100 && strcmp(argv[1], "claims") != 0)) {
        die("usage", "N is 1 or more, M 1 to 100");
    }

    if (strcmp(argv[1], "produce") == 0) {
        produce(n, m);
    } else if (strcmp(argv[1], "work") == 0) {
        (void) puts("ready");
        (void) fflush(stdout);
        work(n, m);
    } else if (strcmp(argv[1], "fill") == 0) {
        fill(n, m);
    } else if (strcmp(argv[1], "claims") == 0) {
        claims(n, m);
    } else {
        die("usage", argv[1]);
    }

    redisFree(redis);

    return 0;
}

/*
 * usage: queue produce SOCKET JOBS [PROJECTS]
 *        queue work SOCKET JOBS CHILDREN [MOST]
 *        queue fill SOCKET JOBS CHILDREN
 *        queue claims SOCKET N HOLD
 *
 * Drives the queue by the scripts that workerd sends, over one pipelined
 * connection as workerd does, and runs no task.  work: 50 slots that claim,
 * plan (CHILDREN tasks and one that waits for all) and complete until JOBS
 * jobs are done; one step is under way at a time, and what ends meanwhile goes
 * with the next (workerd/step.c), MOST of them.  fill: jobs are submitted and planned, nothing is run.
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
#define LIGHTS    51              /* as room.h has them for so many cores */
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
static unsigned      most = REEL_STEP_MAX;      /* tasks of a step */


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


/* of a claimed task in a step's reply */
enum { JOB, TASK, TYPE, TOKEN, FIELDS = 11 };

typedef struct {
    char job[REEL_JOB_ID_MAX];
    char task[16];
    char token[TEXT_MAX];
} done_t;


/* completes n tasks, and claims so many */
static void
steps(const done_t *done, unsigned n, unsigned claims, unsigned cores)
{
    static uint64_t  nonce;
    char             hex[17], room[TEXT_MAX];

    (void) snprintf(hex, sizeof(hex), "%016llx",
                    (unsigned long long) ++nonce);
    (void) snprintf(room, sizeof(room), "%u %u 65536 %u %u 65536 %u", claims,
                    cores, LIGHTS, cores, LIGHTS);
    begin(REEL_LUA_STEP, "lease", "");
    add("bench");
    add(hex);
    add("30000");
    add(room);
    add("");

    for (unsigned i = 0; i < n; i++) {
        add(done[i].job);
        add(done[i].task);
        add(done[i].token);
    }

    send_args();
}


/* the claimed task in a reply to a step that had n to complete */
static redisReply **
claimed(const redisReply *r, unsigned n, unsigned i)
{
    return r->element + n + (size_t) i * FIELDS;
}


static void
keep(done_t *d, redisReply *const *task)
{
    (void) snprintf(d->job, sizeof(d->job), "%s", task[JOB]->str);
    (void) snprintf(d->task, sizeof(d->task), "%s", task[TASK]->str);
    (void) snprintf(d->token, sizeof(d->token), "%s", task[TOKEN]->str);
}


/* children, and the parent that waits for them */
static void
expand(redisReply *const *plan, unsigned children)
{
    char          deps[ARGS_MAX];
    size_t        n = 0;
    unsigned      i;

    begin(REEL_LUA_EXPAND, "job:", plan[JOB]->str);
    add(plan[JOB]->str);
    add(plan[TASK]->str);
    add(plan[TOKEN]->str);

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


typedef struct {
    done_t   waits[SLOTS];      /* to be told by the next step */
    unsigned n;
    unsigned idle;              /* slots */
    bool     quiet;             /* there was no more to claim */
    bool     under_way;         /* a step is, … */
    unsigned told, claims;      /* … with so many */
    unsigned expands;           /* under way */
    unsigned published;
} worker_t;


/* as reel_slots_step() */
static void
send_step(worker_t *w)
{
    bool  looks = w->idle > 0 && !w->quiet;

    if (w->under_way || (w->n == 0 && !looks)) {
        return;
    }

    w->told = w->n < most ? w->n : most;
    looks = looks && w->told < most;
    w->claims = w->told + looks;
    w->idle -= looks;
    w->under_way = true;

    steps(w->waits, w->told, w->claims, SLOTS);

    w->n -= w->told;
    memmove(w->waits, w->waits + w->told, w->n * sizeof(w->waits[0]));
}


static void
on_step(worker_t *w, const redisReply *r, unsigned children)
{
    unsigned     tasks = (unsigned) (r->elements - w->told) / FIELDS;
    redisReply **task;

    w->under_way = false;
    w->quiet = tasks < w->claims;
    w->idle += w->claims - tasks;

    for (unsigned i = 0; i < tasks; i++) {
        task = claimed(r, w->told, i);

        if (strcmp(task[TYPE]->str, "plan") == 0) {
            expand(task, children);
            w->expands++;
        } else {
            w->published += strcmp(task[TYPE]->str, "publish") == 0;
            keep(&w->waits[w->n++], task);
        }
    }
}


static void
work(unsigned jobs, unsigned children)
{
    worker_t     w = { .idle = SLOTS };
    redisReply  *r;

    while (w.published < jobs || w.n > 0 || w.under_way) {
        send_step(&w);

        if (!w.under_way && w.expands == 0) {   /* all wait: poll */
            nanosleep(&(struct timespec) { 0, 200000 }, NULL);
            w.quiet = false;
            continue;
        }

        r = receive();

        /* plans are sent when a step is answered, before the next one */
        if (w.expands > 0) {
            w.expands--;
            w.idle++;
            w.quiet = false;
        } else {
            on_step(&w, r, children);
        }

        freeReplyObject(r);
    }
}


/* one after the other: nothing else may be claimed meanwhile */
static void
fill(unsigned jobs, unsigned children)
{
    done_t       inspect;
    redisReply  *r;

    for (unsigned i = 0; i < jobs; i++) {
        submit(i, 10);
        steps(NULL, 0, 1, 0);
        freeReplyObject(receive());
        r = receive();
        keep(&inspect, claimed(r, 0, 0));
        freeReplyObject(r);
        steps(&inspect, 1, 1, 0);
        r = receive();
        expand(claimed(r, 1, 0), children);
        freeReplyObject(r);
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
give_back(redisReply *const *task)
{
    begin(REEL_LUA_FAIL, "job:", task[JOB]->str);
    add(task[JOB]->str);
    add(task[TASK]->str);
    add(task[TOKEN]->str);
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
        steps(NULL, 0, 1, SLOTS);
        freeReplyObject(receive());
    }

    for (unsigned i = 0; i < n; i++) {
        began = now_us();
        steps(NULL, 0, 1, SLOTS);
        r = receive();
        us[i] = now_us() - began;
        if (r->elements < FIELDS) {
            die("claims", "nothing is ready");
        }
        give_back(claimed(r, 0, 0));
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
        die("usage", "queue produce|work|fill|claims SOCKET N [M [MOST]]");
    }

    n = (unsigned) strtoul(argv[3], NULL, 10);
    m = argc > 4 ? (unsigned) strtoul(argv[4], NULL, 10) : 1;
    most = argc > 5 ? (unsigned) strtoul(argv[5], NULL, 10) : most;
    connect_to(argv[2]);

    if (most == 0 || most > REEL_STEP_MAX) {
        die("usage", "MOST is 1 to 16");
    }
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

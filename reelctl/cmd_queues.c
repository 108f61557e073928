/* the worker queue, the running queue, and all three at a glance */

#include <string.h>
#include <unistd.h>

#include "reelctl/progress.h"
#include "reelctl/queue.h"

#define TOP_MS    2000
#define TOP_TASKS 20


/* what comes from Redis is shown without control characters, padded */
static void
cell(const char *z, int width)
{
    int  n = (int) strlen(z);

    reel_ctl_put_safe(stdout, z);
    (void) printf("%*s  ", n < width ? width - n : 0, "");
}


static void
print_workers(const json_t *workers, int64_t now)
{
    char     clock[24];
    size_t   i;
    json_t  *w;

    (void) printf("%-32s  %-9s  %-15s  %-8s  %s\n", "WORKER", "CORES",
                  "MEMORY MIB", "HEARD", "LABELS");

    json_array_foreach(workers, i, w) {
        cell(reel_ctl_text(w, "worker"), 32);

        if (!json_is_true(json_object_get(w, "alive"))) {
            (void) printf("gone, heard %s ago\n",
                          reel_ctl_age(clock, now,
                                       reel_ctl_integer(w, "heard_ms")));
            continue;
        }

        (void) printf("%3lld / %-3lld  %6lld / %-6lld  %-8s  ",
            (long long) (reel_ctl_integer(w, "cores")
                         - reel_ctl_integer(w, "cores_free")),
            (long long) reel_ctl_integer(w, "cores"),
            (long long) (reel_ctl_integer(w, "memory_mib")
                         - reel_ctl_integer(w, "memory_free_mib")),
            (long long) reel_ctl_integer(w, "memory_mib"),
            reel_ctl_age(clock, now, reel_ctl_integer(w, "heard_ms")));
        if (json_is_true(json_object_get(w, "draining"))) {
            (void) fputs("DRAINING  ", stdout);
        }
        cell(reel_ctl_text(w, "labels"), 0);
        (void) fputc('\n', stdout);
    }
}


void
reel_ctl_put_workers(const json_t *task)
{
    const char  *second = json_string_value(json_object_get(task, "second"));

    reel_ctl_put_safe(stdout, reel_ctl_text(task, "worker"));

    if (second != NULL) {
        (void) fputs(" and ", stdout);
        reel_ctl_put_safe(stdout, second);
    }
}


static void
print_running(const json_t *tasks, int64_t now, size_t most)
{
    char     clock[24];
    size_t   i;
    json_t  *t;

    (void) printf("%-30s  %-10s  %-17s  %-3s  %-8s  %s\n", "JOB", "TASK",
                  "TYPE", "TRY", "FOR", "WORKER");

    json_array_foreach(tasks, i, t) {
        if (i == most) {
            (void) printf("… and %zu more\n", json_array_size(tasks) - i);
            break;
        }

        cell(reel_ctl_text(t, "job"), 30);
        cell(reel_ctl_text(t, "task"), 10);
        cell(reel_ctl_text(t, "type"), 17);
        (void) printf("%-3lld  %-8s  ",
                      (long long) reel_ctl_integer(t, "attempt"),
                      reel_ctl_age(clock, now,
                                   reel_ctl_integer(t, "since_ms")));
        reel_ctl_put_workers(t);
        (void) fputc('\n', stdout);
    }
}


static void
print_ready(const json_t *queues)
{
    size_t   i;
    json_t  *q;

    (void) printf("%-32s  %8s  %8s\n", "SLOTS:MEMORY:LABELS", "READY",
                  "PROJECTS");

    json_array_foreach(queues, i, q) {
        cell(reel_ctl_text(q, "queue"), 32);
        (void) printf("%8lld  %8lld",
                      (long long) reel_ctl_integer(q, "ready"),
                      (long long) reel_ctl_integer(q, "projects"));
        reel_ctl_put_lacks(q);
        (void) fputc('\n', stdout);
    }
}


static void
print_lacking(const json_t *tasks)
{
    size_t   i;
    json_t  *t;

    json_array_foreach(tasks, i, t) {
        (void) fputs("waits: ", stdout);
        cell(reel_ctl_text(t, "task"), 0);
        (void) fputs("WORKER ", stdout);
        reel_ctl_put_safe(stdout, reel_ctl_text(t, "worker"));
        (void) fputs(" LACKS IT: ", stdout);
        reel_ctl_put_safe(stdout, reel_ctl_text(t, "lacks"));
        (void) fputc('\n', stdout);
    }
}


static int
unreadable(const reel_error_t *e)
{
    return reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "%s", e->text);
}


void
reel_ctl_put_lacks(const json_t *j)
{
    const char  *labels = json_string_value(json_object_get(j, "lacks"));

    if (labels != NULL) {
        (void) fputs("  NO WORKER HAS ", stdout);
        reel_ctl_put_safe(stdout, labels);
    }
}


typedef json_t *(*queue_fn)(reel_ctl_redis_t *r, reel_error_t *e);

/* one of them, and when it was so; else an exit code, and it was told why */
static int
read_queue(reel_ctl_t *c, queue_fn fn, json_t **list, int64_t *now)
{
    int                code;
    reel_error_t       e = { "" };
    reel_ctl_redis_t  *r;

    code = reel_ctl_queue_open(c, &r);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    *now = reel_ctl_queue_now(r);
    *list = fn(r, &e);
    reel_ctl_redis_close(r);

    return *list != NULL ? REEL_EXIT_OK : unreadable(&e);
}


int
reel_ctl_cmd_workers(reel_ctl_t *c)
{
    int      code;
    json_t  *workers;
    int64_t  now;

    code = read_queue(c, reel_ctl_queue_workers, &workers, &now);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:o}", "workers", workers));
    }

    print_workers(workers, now);
    json_decref(workers);

    return reel_ctl_done();
}


int
reel_ctl_cmd_tasks(reel_ctl_t *c)
{
    int      code;
    bool     poison = c->opt[REEL_OPT_QUARANTINED] != NULL;
    json_t  *tasks, *lacking = NULL;
    int64_t  now;

    code = read_queue(c, poison ? reel_ctl_queue_quarantine
                                : reel_ctl_queue_running, &tasks, &now);
    if (code == REEL_EXIT_OK && !poison) {
        code = read_queue(c, reel_ctl_queue_lacking, &lacking, &now);
        if (code != REEL_EXIT_OK) {
            json_decref(tasks);
        }
    }
    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (c->json) {
        return reel_ctl_put_json(poison
            ? json_pack("{s:o}", "quarantined", tasks)
            : json_pack("{s:o, s:o}", "running", tasks, "lacking", lacking));
    }

    if (poison) {
        reel_ctl_put_quarantine(tasks, now);
    } else {
        print_running(tasks, now, SIZE_MAX);
        print_lacking(lacking);
    }
    json_decref(tasks);
    json_decref(lacking);

    return reel_ctl_done();
}


/* once; the exit code */
static int
show_top(const reel_ctl_t *c, reel_ctl_redis_t *r)
{
    int64_t        now = reel_ctl_queue_now(r);
    json_t        *ready, *workers = NULL, *running = NULL;
    reel_error_t   e = { "" };

    ready = reel_ctl_queue_ready(r, &e);
    if (ready != NULL) {
        workers = reel_ctl_queue_workers(r, &e);
    }
    if (workers != NULL) {
        running = reel_ctl_queue_running(r, &e);
    }

    if (running == NULL) {
        json_decref(ready);
        json_decref(workers);
        return unreadable(&e);
    }

    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:o, s:o, s:o}", "ready", ready,
                                           "workers", workers, "running",
                                           running));
    }

    print_ready(ready);
    (void) fputc('\n', stdout);
    print_workers(workers, now);
    (void) fputc('\n', stdout);
    print_running(running, now, isatty(STDOUT_FILENO) ? TOP_TASKS
                                                      : SIZE_MAX);
    json_decref(ready);
    json_decref(workers);
    json_decref(running);

    return reel_ctl_done();
}


int
reel_ctl_cmd_top(reel_ctl_t *c)
{
    int                code;
    reel_ctl_redis_t  *r;

    code = reel_ctl_queue_open(c, &r);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (c->json || !isatty(STDOUT_FILENO)) {
        code = show_top(c, r);
    } else {
        do {
            (void) fputs("\033[H\033[2J", stdout);
            code = show_top(c, r);
            reel_ctl_sleep_ms(TOP_MS);
        } while (code == REEL_EXIT_OK);
    }

    reel_ctl_redis_close(r);

    return code;
}

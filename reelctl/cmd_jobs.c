/* the unfinished jobs, and the tasks of one (docs/redis-keys.md) */

#include <stdlib.h>
#include <string.h>

#include "lib/job/keys.h"
#include "reelctl/merge.h"


/* the length of the task's name, when that field says how a task is; or 0 */
static size_t
task_name(const char *field)
{
    size_t  n = strlen(field);

    return n > 2 && strcmp(field + n - 2, ":s") == 0 ? n - 2 : 0;
}


/* how many tasks of a job are in that state */
static int64_t
count_state(const reel_ctl_strings_t *job, const char *state)
{
    char     word[REEL_CTL_WORD];
    size_t   i;
    int64_t  count = 0;

    for (i = 0; i + 1 < job->n; i += 2) {
        count += task_name(job->v[i]) != 0
                 && strcmp(reel_ctl_queue_word(word, job->v[i + 1],
                                               REEL_CTL_TASK_STATE),
                           state) == 0;
    }

    return count;
}


static json_int_t
number(const reel_ctl_strings_t *hash, const char *name)
{
    return (json_int_t) reel_ctl_number(reel_ctl_strings_get(hash, name));
}


static json_t *
job_json(const char *id, const reel_ctl_strings_t *job,
    const reel_ctl_strings_t *progress)
{
    char         state[REEL_CTL_WORD], project[REEL_CTL_WORD];
    char         pipeline[REEL_CTL_WORD];
    size_t       i;
    json_t      *j;
    const char  *v = reel_ctl_strings_get(job, "v");

    static const char  *states[] = { "waiting", "ready", "running",
                                     "delayed", "done", "failed" };

    j = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}",
                  "job", id,
                  "version", (json_int_t)
                      reel_ctl_queue_number(v, REEL_CTL_JOB_VERSION),
                  "asset", reel_ctl_strings_get(job, "asset"),
                  "project",
                  reel_ctl_queue_word(project, v, REEL_CTL_JOB_PROJECT),
                  "pipeline",
                  reel_ctl_queue_word(pipeline, v, REEL_CTL_JOB_PIPELINE),
                  "state", reel_ctl_queue_word(state, v, REEL_CTL_JOB_STATE),
                  "percent", number(progress, "percent"),
                  "tasks", number(job, "tasks"),
                  "left", (json_int_t)
                      reel_ctl_queue_number(v, REEL_CTL_JOB_LEFT),
                  "submitted_ms", number(job, "submitted_ms"));

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        json_object_set_new(j, states[i],
                            json_integer(count_state(job, states[i])));
    }

    return j;
}


static int
integer(const json_t *o, const char *name)
{
    return (int) reel_ctl_integer(o, name);
}


static void
print_job(const json_t *j, int64_t now)
{
    char  clock[24];

    reel_ctl_put_safe(stdout, reel_ctl_text(j, "job"));
    (void) printf("  %-9.16s  %3d %%  %d of %d tasks done, %d running, %d "
                  "ready, %d delayed  for %s", reel_ctl_text(j, "state"),
                  integer(j, "percent"),
                  integer(j, "tasks") - integer(j, "left"),
                  integer(j, "tasks"), integer(j, "running"),
                  integer(j, "ready"), integer(j, "delayed"),
                  reel_ctl_age(clock, now,
                               reel_ctl_integer(j, "submitted_ms")));

    if (reel_ctl_integer(j, "version") != reel_ctl_number(REEL_JOB_SCHEMA)) {
        (void) printf("  OF VERSION %d", integer(j, "version"));
    }
    (void) fputc('\n', stdout);
}


static json_t *
jobs_of(reel_ctl_redis_t *r, reel_error_t *e)
{
    size_t               i;
    json_t              *all = json_array();
    reel_err_t           err;
    reel_redis_key_t     key;
    const char          *argv[4] = { "ZRANGE", key, "0", "-1" };
    reel_ctl_strings_t   ids = { 0 }, job = { 0 }, progress = { 0 };

    err = reel_ctl_redis_key(r, key, "jobs", "");

    if (err == REEL_OK) {
        err = reel_ctl_redis_call(r, &ids, e, 4, argv);
    }

    for (i = 0; err == REEL_OK && i < ids.n; i++) {
        err = reel_ctl_queue_hash(r, "job:", ids.v[i], &job, e);

        if (err == REEL_OK) {
            err = reel_ctl_queue_hash(r, "progress:", ids.v[i], &progress, e);
        }

        if (err == REEL_OK) {
            json_array_append_new(all, job_json(ids.v[i], &job, &progress));
        }

        reel_ctl_strings_release(&progress);
        reel_ctl_strings_release(&job);
    }

    reel_ctl_strings_release(&ids);

    if (err != REEL_OK) {
        json_decref(all);
        return NULL;
    }

    return all;
}


static int
list_jobs(const reel_ctl_t *c, reel_ctl_redis_t *r, reel_error_t *e)
{
    size_t    i;
    json_t   *all, *j;
    int64_t   now = reel_ctl_queue_now(r);

    all = reel_ctl_merge(r, jobs_of, e);
    if (all == NULL) {
        return reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "%s", e->text);
    }

    reel_ctl_merge_sort(all, "submitted_ms", false);

    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:o}", "jobs", all));
    }

    json_array_foreach(all, i, j) {
        print_job(j, now);
    }

    if (json_array_size(all) == 0) {
        (void) printf("no unfinished job\n");
    }

    json_decref(all);

    return reel_ctl_done();
}


static const char *
task_field(const reel_ctl_strings_t *job, const char *task, const char *field)
{
    char  name[160];

    (void) snprintf(name, sizeof(name), "%s:%s", task, field);

    return reel_ctl_strings_get(job, name);
}


static json_t *
task_json(const reel_ctl_strings_t *job, const reel_ctl_strings_t *unmet,
    const char *task)
{
    char         state[REEL_CTL_WORD], type[REEL_CTL_WORD];
    char         queue[REEL_CTL_WORD], worker[REEL_CTL_WORD];
    char         second[REEL_CTL_WORD];
    bool         ready;
    json_t      *error;
    const char  *t = task_field(job, task, "s");

    error = json_loads(task_field(job, task, "err"), 0, NULL);

    (void) reel_ctl_queue_word(queue, t, REEL_CTL_TASK_QUEUE);
    (void) reel_ctl_queue_word(state, t, REEL_CTL_TASK_STATE);
    ready = strcmp(state, "ready") == 0;

    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s*, s:I, s:o*, s:s*}",
                     "task", task,
                     "type", reel_ctl_queue_word(type, t, REEL_CTL_TASK_TYPE),
                     "queue", queue,
                     "state", state,
                     "attempts", (json_int_t)
                         reel_ctl_queue_number(t, REEL_CTL_TASK_ATTEMPTS),
                     "worker",
                     reel_ctl_queue_word(worker, t, REEL_CTL_TASK_WORKER),
                     "second", reel_ctl_queue_second(second, t),
                     "since_ms", (json_int_t)
                         reel_ctl_queue_number(t, REEL_CTL_TASK_SINCE),
                     "error", error,
                     "lacks", ready ? reel_ctl_queue_lacks(unmet, queue)
                                    : NULL);
}


static void
print_task(const json_t *t, int64_t now)
{
    char           clock[24];
    const json_t  *error = json_object_get(t, "error");

    (void) printf("%-12.40s %-14.40s %-9.16s for %-8s attempt %d  ",
                  reel_ctl_text(t, "task"), reel_ctl_text(t, "type"),
                  reel_ctl_text(t, "state"),
                  reel_ctl_age(clock, now, reel_ctl_integer(t, "since_ms")),
                  integer(t, "attempts"));
    reel_ctl_put_workers(t);

    if (error != NULL) {
        (void) fputs("  last error: ", stdout);
        reel_ctl_put_safe(stdout, reel_ctl_text(error, "code"));
        (void) fputc(' ', stdout);
        reel_ctl_put_safe(stdout, reel_ctl_text(error, "detail"));
    }
    reel_ctl_put_lacks(t);

    (void) fputc('\n', stdout);
}


static int
show_job(const reel_ctl_t *c, reel_ctl_redis_t *r, reel_error_t *e)
{
    char                 task[128], state[REEL_CTL_WORD];
    size_t               i, n;
    json_t              *tasks, *t;
    int64_t              now = reel_ctl_queue_now(r);
    reel_err_t           err;
    reel_ctl_strings_t   job, unmet = { 0 };

    reel_ctl_redis_of(r, c->argv[0]);
    err = reel_ctl_queue_hash(r, "job:", c->argv[0], &job, e);
    if (err == REEL_OK) {
        err = reel_ctl_queue_hash(r, "unmet", "", &unmet, e);
    }

    if (err != REEL_OK) {
        reel_ctl_strings_release(&job);
        return reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "%s", e->text);
    }

    if (job.n == 0) {
        reel_ctl_strings_release(&job);
        reel_ctl_strings_release(&unmet);
        return reel_ctl_fail(REEL_EXIT_NOTFOUND, "Redis has no job %s: it "
                             "ended long ago, or was never submitted",
                             c->argv[0]);
    }

    tasks = json_array();

    for (i = 0; i + 1 < job.n; i += 2) {
        n = task_name(job.v[i]);

        if (n > 0 && n < sizeof(task)) {
            (void) snprintf(task, sizeof(task), "%.*s", (int) n, job.v[i]);
            t = task_json(&job, &unmet, task);

            if (!c->json) {
                print_task(t, now);
            }

            json_array_append_new(tasks, t);
        }
    }

    t = c->json ? json_pack("{s:s, s:s, s:O}", "job", c->argv[0], "state",
                            reel_ctl_queue_word(state,
                                reel_ctl_strings_get(&job, "v"),
                                REEL_CTL_JOB_STATE), "tasks", tasks)
                : NULL;
    json_decref(tasks);
    reel_ctl_strings_release(&job);
    reel_ctl_strings_release(&unmet);

    return c->json ? reel_ctl_put_json(t) : reel_ctl_done();
}


int
reel_ctl_cmd_jobs(reel_ctl_t *c)
{
    int                code;
    uint32_t           publication;
    reel_str_t         asset;
    reel_error_t       e = { "" };
    reel_ctl_redis_t  *r;

    if (c->argc != 0
        && reel_job_id_parse(reel_str(c->argv[0]), &asset, &publication)
           != REEL_OK)
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "\"%s\" is not a job: those "
                             "are <asset>.<publication>", c->argv[0]);
    }

    code = reel_ctl_queue_open(c, &r);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    code = c->argc != 0 ? show_job(c, r, &e) : list_jobs(c, r, &e);
    reel_ctl_redis_close(r);

    return code;
}

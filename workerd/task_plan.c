/*
 * plan: pipeline + facts -> tasks, or the task that finds what the facts
 * lack and a second plan, "ladder", behind it.  The child (lib/job's planner
 * over the standing records; unfiltered, it reads the store itself) prints a
 * line a task, the parent hands them to Redis by `expand`, which completes
 * the task in the same call.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/job/plan.h"
#include "lib/job/record.h"
#include "workerd/answer.h"
#include "workerd/attempt.h"
#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/mark.h"

#define TASKS_MAX 100000

/* the members of a task's line, in the order of expand's arguments */
static const char *const members[] = {
    "name", "type", "slots", "memory_mib", "labels", "priority", "payload",
    "cost", "attempts", "timeout_s", "renditions", "work_ms", "deps"
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))


static reel_err_t
prepare(reel_attempt_t *a, reel_child_t *io)
{
    reel_error_t            e = { "" };
    const reel_pipeline_t  *pl = reel_worker_pipeline(a->w, a->pipeline);

    (void) io;

    if (pl == NULL) {
        return reel_attempt_lacks(a, "no pipeline \"%s\" in %.100s",
                                  a->pipeline, a->w->conf.pipelines);
    }
    if (pl->mark.image[0] != '\0'
        && reel_mark_look(&pl->mark, a->w->conf.pipelines, &e) != REEL_OK)
    {
        return reel_attempt_lacks(a, "pipeline \"%s\": %s", a->pipeline,
                                  e.text);
    }

    reel_args_release(&a->tasks);
    reel_args_init(&a->tasks);
    reel_args_addz(&a->tasks, a->job);
    reel_args_addz(&a->tasks, a->task);
    reel_args_addz(&a->tasks, a->token);

    return REEL_OK;
}


static reel_err_t
print_task(reel_child_t *c, const reel_plan_t *p, size_t i)
{
    reel_buf_t             b, deps;
    reel_err_t             err;
    reel_json_t            j;
    const reel_planned_t  *t = &p->tasks[i];

    reel_buf_init(&deps, 1u << 20);
    for (size_t d = 0; d < t->ndeps; d++) {
        reel_buf_printf(&deps, "%s%s", d > 0 ? " " : "",
                        p->tasks[t->deps[d]].name);
    }

    reel_buf_init(&b, REEL_CHILD_LINE_MAX);
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_json_key(&j, "task");
    reel_json_object(&j);
    reel_json_kstr(&j, "name", t->name);
    reel_json_kstr(&j, "type", reel_task_type_name(t->type));
    reel_json_kuint(&j, "slots", t->needs.slots);
    reel_json_kuint(&j, "memory_mib", t->needs.memory_mib);
    reel_json_kstr(&j, "labels", t->needs.labels);
    reel_json_kuint(&j, "priority", t->needs.priority);
    reel_json_kstr(&j, "payload", t->payload);
    reel_json_kuint(&j, "cost", t->cost);
    reel_json_kuint(&j, "attempts", t->attempts);
    reel_json_kuint(&j, "timeout_s", t->timeout_s);
    reel_json_kstr(&j, "renditions", t->renditions);
    reel_json_kuint(&j, "work_ms", t->work_ms);
    reel_json_kstr(&j, "deps", reel_buf_cstr(&deps));
    reel_json_end(&j, '}');
    reel_json_end(&j, '}');

    err = reel_buf_err(&deps);
    reel_buf_release(&deps);

    if (err != REEL_OK) {
        reel_buf_release(&b);
        return err;
    }

    return reel_child_line(c, &b);
}


/* for the log, where it belongs to the job; nothing of nothing */
static reel_err_t
print_said(reel_child_t *c, const char *key, const char *what)
{
    reel_buf_t   b;
    reel_json_t  j;

    if (what[0] == '\0') {
        return REEL_OK;
    }

    reel_buf_init(&b, REEL_CHILD_LINE_MAX);
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_json_kstr(&j, key, what);
    reel_json_end(&j, '}');

    return reel_child_line(c, &b);
}


static int
fail_store(reel_child_t *c, const char *what, reel_err_t err,
    const reel_error_t *e)
{
    return reel_child_fail(c, true, reel_outcome_code(err), "store",
                           "%s: %s", what, e->text[0] != '\0' ? e->text
                           : reel_err_name(err));
}


static int
print_plan(reel_child_t *c, const reel_pipeline_t *pl,
    const reel_source_t *src, uint64_t max_duration_s, bool measured)
{
    int           rc = 0;
    reel_err_t    err;
    reel_plan_t   plan = { 0 };
    reel_error_t  e = { "" };

    err = (measured ? reel_plan : reel_plan_begin)(&plan, pl, src,
                                                   max_duration_s, &e);

    switch (err) {
    case REEL_OK:
        break;
    case REEL_LIMIT:
        rc = reel_child_fail(c, false, "LIMIT_DURATION", "plan", "%s",
                             e.text);
        break;
    case REEL_UNSUPPORTED:
        rc = reel_child_fail(c, false, "NOT_A_VIDEO", "plan", "%s", e.text);
        break;
    case REEL_INVAL:
        rc = reel_child_fail(c, false, "BAD_PIPELINE", "plan", "%s", e.text);
        break;
    default:
        rc = reel_child_fail(c, true, reel_outcome_code(err), "plan", "%s",
                             e.text[0] != '\0' ? e.text
                                               : reel_err_name(err));
    }

    if (rc == 0) {
        err = print_said(c, "pictures", plan.pictures);
        if (err == REEL_OK) {
            err = print_said(c, "sound", plan.sound);
        }
        if (err == REEL_OK) {
            err = print_said(c, "ladder", plan.ladder);
        }
        if (err != REEL_OK) {
            rc = reel_child_fail(c, true, reel_outcome_code(err), "plan",
                                 "%s", reel_err_name(err));
        }
    }

    for (size_t i = 0; rc == 0 && i < plan.ntasks; i++) {
        err = print_task(c, &plan, i);
        if (err != REEL_OK) {
            rc = reel_child_fail(c, true, reel_outcome_code(err), "plan",
                                 "task %s: %s", plan.tasks[i].name,
                                 reel_err_name(err));
        }
    }

    reel_plan_release(&plan);

    return rc;
}


/* after complexity, whose answer may say nothing */
static bool
is_second(const reel_attempt_t *a)
{
    return strcmp(a->task, REEL_TASK_LADDER) == 0;
}


static int
read_trials(reel_child_t *c, reel_store_t *s, const reel_attempt_t *a,
    reel_trials_t *t)
{
    reel_err_t     err;
    reel_error_t   e = { "" };
    reel_answer_t  answer;

    err = reel_answer_read(s, a->job, "complexity.json", &answer, &e);
    if (err != REEL_OK) {
        return fail_store(c, "complexity.json", err, &e);
    }

    *t = answer.trials;
    reel_answer_release(&answer);

    return 0;
}


/* the records that the plan follows from */
static int
read_facts(reel_child_t *c, const reel_attempt_t *a, reel_source_t *src,
    uint64_t *max_duration_s)
{
    int              rc = 0;
    reel_buf_t       b = { 0 };
    reel_key_t       key;
    reel_err_t       err;
    reel_error_t     e = { "" };
    reel_store_t    *s = NULL;
    reel_request_t   rq = { 0 };

    /* the parent's handle lost its descriptors at the fork */
    err = reel_store_fs_open(a->w->conf.store, &s, &e);
    if (err != REEL_OK) {
        return fail_store(c, "store", err, &e);
    }

    err = reel_key_scratch(key, reel_str(a->job), "inspect.json");
    if (err == REEL_OK) {
        err = reel_store_get(s, key, REEL_ANSWER_MAX, &b);
    }
    if (err == REEL_OK) {
        err = reel_source_parse(src, reel_buf_cstr(&b), b.len, &e);
    }
    if (err != REEL_OK) {
        rc = fail_store(c, "inspect.json", err, &e);
        goto done;
    }

    err = reel_final_request(s, reel_str(a->asset), &rq, &e);
    if (err != REEL_OK) {
        rc = fail_store(c, "request.json", err, &e);
        goto done;
    }

    *max_duration_s = rq.max_duration_s;

    if (is_second(a)) {
        rc = read_trials(c, s, a, &src->trials);
    }

done:

    reel_request_release(&rq);
    reel_buf_release(&b);
    reel_store_close(s);

    return rc;
}


/* the job keeps the image that it is planned with */
static int
keep_mark(reel_child_t *c, const reel_attempt_t *a, reel_mark_t *m)
{
    reel_err_t     err;
    reel_error_t   e = { "" };
    reel_store_t  *s = NULL;

    err = reel_store_fs_open(a->w->conf.store, &s, &e);
    if (err != REEL_OK) {
        return fail_store(c, "store", err, &e);
    }

    err = reel_mark_keep(m, a->w->conf.pipelines, s, a->job, &e);
    reel_store_close(s);

    return err == REEL_NOTFOUND
           ? reel_child_fail(c, true, "BAD_PIPELINE", "plan", "%s", e.text)
           : err != REEL_OK ? fail_store(c, "watermark", err, &e) : 0;
}


static int
plan(reel_child_t *c, const reel_attempt_t *a, const reel_pipeline_t *pl,
    const reel_source_t *src, uint64_t max_duration_s)
{
    int               rc = 0;
    reel_pipeline_t  *own = malloc(sizeof(*own));

    if (own == NULL) {
        return reel_child_fail(c, true, "NO_MEMORY", "plan", "pipeline");
    }

    memcpy(own, pl, sizeof(*own));

    if (own->mark.image[0] != '\0') {
        rc = keep_mark(c, a, &own->mark);
    }
    if (rc == 0) {
        rc = print_plan(c, own, src, max_duration_s, is_second(a));
    }

    free(own);

    return rc;
}


static int
run(reel_child_t *c, void *attempt)
{
    int                     rc;
    uint64_t                max_duration_s = 0;
    reel_source_t           src = { 0 };
    reel_attempt_t         *a = attempt;
    const reel_pipeline_t  *pl = reel_worker_pipeline(a->w, a->pipeline);

    rc = read_facts(c, a, &src, &max_duration_s);
    if (rc == 0) {
        rc = plan(c, a, pl, &src, max_duration_s);
    }

    reel_source_release(&src);

    return rc;
}


static reel_err_t
line(reel_attempt_t *a, const char *key, const json_t *value,
    const json_t *whole)
{
    size_t         limit = 3 + (size_t) TASKS_MAX * MEMBERS;
    const json_t  *m;

    (void) whole;

    if (strcmp(key, "pictures") == 0 && json_is_string(value)) {
        reel_log_task(REEL_LOG_INFO, a->job, a->task, "pictures are %.128s",
                      json_string_value(value));
        return REEL_OK;
    }

    if (strcmp(key, "sound") == 0 && json_is_string(value)) {
        reel_log_task(REEL_LOG_INFO, a->job, a->task, "the sound is %.160s",
                      json_string_value(value));
        return REEL_OK;
    }

    if (strcmp(key, "ladder") == 0 && json_is_string(value)) {
        reel_log_task(REEL_LOG_INFO, a->job, a->task, "the ladder: %.1023s",
                      json_string_value(value));
        return REEL_OK;
    }

    if (strcmp(key, "task") != 0 || a->tasks.n >= limit) {
        return REEL_BADDATA;
    }

    for (size_t i = 0; i < MEMBERS; i++) {
        m = json_object_get(value, members[i]);

        if (json_is_string(m)) {
            reel_args_add(&a->tasks,
                          (reel_str_t) { json_string_value(m),
                                         json_string_length(m) });

        } else if (json_is_integer(m) && json_integer_value(m) >= 0) {
            reel_args_uint(&a->tasks, (uint64_t) json_integer_value(m));

        } else {
            return REEL_BADDATA;
        }
    }

    return a->tasks.err;
}


static reel_err_t
finish(reel_attempt_t *a)
{
    if (a->tasks.n <= 3) {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "the plan has no tasks");
    }

    return REEL_OK;
}


const reel_task_ops_t reel_task_plan = {
    .type = REEL_TASK_PLAN,
    .prepare = prepare,
    .run = run,
    .line = line,
    .finish = finish
};

/*
 * How an attempt ended is told to Redis: by `step` (step.c, which claims the
 * next task too), `expand` or `fail`.  Told again after a lost connection or an
 * error, until Redis answers: all three are idempotent by the token.
 */

#include <stdlib.h>
#include <string.h>

#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/outbox.h"
#include "workerd/reuse.h"
#include "workerd/room.h"
#include "workerd/slot.h"
#include "workerd/verdict.h"

#define RETRY_MS 1000

/* how long a medium without room is left alone */
#define NO_SPACE_MS 30000

/* and what this worker lacks the means for, at least; less a random half */
#define LACKS_MS 10000

/* how an error begins that our scripts return (redis.error_reply) */
#define REFUSED "ERR reel:"

static void send_report(void *arg);


static void
later(reel_slot_t *s)
{
    s->sent = false;
    s->leaves = false;
    s->offered = (reel_room_t) { 0 };
    reel_timer_start(s->slots->w->loop, &s->retry, RETRY_MS, send_report, s);
}


void
reel_slot_untold(reel_slot_t *s, reel_err_t err, const reel_reply_t *reply)
{
    if (err == REEL_IO) {
        s->refused = true;
        reel_log_task(REEL_LOG_ERROR, s->attempt->job, s->attempt->task,
                      "redis refused the report: %.200s",
                      reel_reply_str(reply).p);
    }

    later(s);
}


/* false: the call will be made again */
static bool
answered(reel_slot_t *s, reel_err_t err, const reel_reply_t *reply)
{
    s->sent = false;

    if (err != REEL_OK) {
        reel_slot_untold(s, err, reply);
    }

    return err == REEL_OK;
}


void
reel_slot_count(const reel_slot_t *s, reel_ending_t how)
{
    const reel_attempt_t  *a = s->attempt;

    reel_metrics_ended(&s->slots->w->metrics,
                       a->ops != NULL ? a->ops->type : REEL_TASK_TYPES, how,
                       a->outcome.failed ? a->outcome.code : NULL);
    if (s->second) {
        reel_metrics_second(&s->slots->w->metrics, how);
    }
}


void
reel_slot_told(reel_slot_t *s, reel_str_t said)
{
    reel_attempt_t  *a = s->attempt;

    if (!reel_str_eqz(said, "ok")) {
        reel_slot_count(s, REEL_ENDED_LOST);
        reel_log_task(REEL_LOG_WARN, a->job, a->task,
                      "done, but the lease was lost: the answer stands");
        return;
    }

    reel_slot_count(s, a->reused ? REEL_ENDED_REUSED
                       : a->stood ? REEL_ENDED_STOOD
                       : a->forgiven ? REEL_ENDED_WITHOUT : REEL_ENDED_DONE);

    reel_log_task(REEL_LOG_INFO, a->job, a->task, "done in %lld ms, "
                  "CPU %llu ms", (long long) (reel_loop_now() - s->started_ms),
                  (unsigned long long) s->cpu_ms);

    if (a->ops->done != NULL) {
        a->ops->done(a);
    }
}


static void
on_expand(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    reel_slot_t  *s = arg;

    if (err == REEL_IO && reel_str_prefix(reel_reply_str(reply), REFUSED)) {
        /* a plan that the script will not have: the same each time.  Other
           errors are Redis's own (LOADING, OOM, READONLY, …) and pass */
        s->sent = false;
        (void) reel_attempt_fail(s->attempt, REEL_BADDATA, "INTERNAL",
                                 "expand", "%.200s",
                                 reel_reply_str(reply).p);
        reel_slot_report(s);
        return;
    }

    if (!answered(s, err, reply)) {
        return;
    }

    reel_slot_told(s, reel_reply_str(reel_reply_at(reply, 0)));
    reel_slots_heard(s->slots, reel_redis_shard(s->redis));
    reel_slot_idle(s);
    reel_slots_wake(s->slots);
}


/* a job that ended here: the store learns it at once */
static void
finalise(reel_slot_t *s)
{
    reel_err_t       err;
    reel_attempt_t  *a = s->attempt;
    reel_failure_t   f = {
        .code = a->outcome.code,
        .stage = a->task,
        .detail = a->outcome.detail,
        .log = s->log != NULL ? s->log : ""
    };

    err = reel_final_failed(s->slots->w->store, a->job, &f);
    if (err == REEL_AGAIN) {
        reel_outbox_again(s->slots->w->outbox, a->job);

    } else if (err != REEL_OK) {
        reel_log_task(REEL_LOG_ERROR, a->job, NULL, "the failure cannot be "
                      "written (the outbox will try again): %s",
                      reel_err_name(err));
    }
}


/* this try among those that the task has */
static bool
counts(const reel_outcome_t *o)
{
    return reel_code_find(o->code)->counted && !o->lacks;
}


static void
log_end(reel_slot_t *s, reel_str_t said)
{
    reel_log_level_t       level = REEL_LOG_WARN;
    const reel_attempt_t  *a = s->attempt;
    const reel_outcome_t  *o = &a->outcome;

    if (o->lacks && reel_str_eqz(said, "delayed")) {
        s->slots->lacked_ms = reel_loop_now();
        if (reel_lacks_news(&a->w->lacks, o->detail, reel_loop_now())) {
            reel_log_task(REEL_LOG_WARN, a->job, a->task, "THIS WORKER LACKS "
                          "WHAT A TASK NEEDS: %s.  It is left to others for "
                          "an hour, then fails; said once a minute",
                          o->detail);
        }
        return;
    }

    /* nothing is amiss, and a film's tasks may wait a thousand times */
    if (strcmp(o->code, REEL_TWIN) == 0 && reel_str_eqz(said, "delayed")) {
        level = REEL_LOG_DEBUG;
    }

    reel_log_task(level, a->job, a->task, "%s in %s: %s; the task is %.*s",
                  o->code, o->stage, o->detail, (int) said.len, said.p);
}


static void
on_fail(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    reel_str_t    said;
    reel_slot_t  *s = arg;

    if (!answered(s, err, reply)) {
        return;
    }

    said = reel_reply_str(reel_reply_at(reply, 0));
    log_end(s, said);

    if (reel_str_eqz(said, "failed")) {
        reel_slot_count(s, REEL_ENDED_FAIL);
        finalise(s);

    } else if (reel_str_eqz(said, "delayed")
               || reel_str_eqz(said, "running"))
    {
        reel_slot_count(s, counts(&s->attempt->outcome) ? REEL_ENDED_RETRY
                                                        : REEL_ENDED_RELEASE);
    } else {
        reel_slot_count(s, REEL_ENDED_LOST);
    }

    reel_slot_idle(s);
    reel_slots_wake(s->slots);
}


static unsigned
backoff(const reel_attempt_t *a)
{
    uint32_t  random;

    if (strcmp(a->outcome.code, "SHUTDOWN") == 0) {
        return 0;
    }
    if (strcmp(a->outcome.code, "NO_SPACE") == 0) {
        return NO_SPACE_MS;
    }
    if (strcmp(a->outcome.code, REEL_TWIN) == 0) {
        return a->again_ms;
    }

    reel_random(&random, sizeof(random));

    if (a->outcome.lacks) {
        return LACKS_MS / 2 + random % (LACKS_MS / 2);
    }

    return reel_backoff_ms(a->number, random);
}


static reel_err_t
send_fail(reel_slot_t *s)
{
    const char            *class;
    reel_args_t            args;
    const reel_attempt_t  *a = s->attempt;
    const reel_outcome_t  *o = &a->outcome;

    class = !o->retry ? "fail"
            : o->lacks ? "lacks"
            : counts(o) ? "retry" : "release";

    reel_args_init(&args);
    reel_args_addz(&args, a->job);
    reel_args_addz(&args, a->task);
    reel_args_addz(&args, a->token);
    reel_args_addz(&args, class);
    reel_args_addz(&args, o->code);
    reel_args_addz(&args, o->stage);
    reel_args_addz(&args, o->detail);
    reel_args_addz(&args, s->log != NULL ? s->log : "");
    reel_args_uint(&args, backoff(a));

    return reel_redis_script(s->redis, REEL_LUA_FAIL, "job:",
                             a->job, &args, on_fail, s);
}


static void
send_report(void *arg)
{
    reel_err_t         err;
    reel_slot_t       *s = arg;
    reel_args_t        args;
    reel_attempt_t    *a = s->attempt;

    if (s->sent || !reel_redis_up(s->redis)) {
        return;                         /* reel_slots_up comes back to it */
    }

    if (!a->outcome.failed && a->tasks.n == 0) {
        s->waits = true;
        reel_slots_step(s->slots, s->redis);
        return;
    }

    if (a->outcome.failed) {
        err = send_fail(s);

    } else {
        reel_args_copy(&args, &a->tasks);
        err = reel_redis_script(s->redis, REEL_LUA_EXPAND, "job:", a->job,
                                &args, on_expand, s);
    }

    if (err == REEL_OK) {
        s->sent = true;
    } else {
        later(s);
    }
}


void
reel_slot_report(reel_slot_t *s)
{
    const reel_outcome_t  *o = &s->attempt->outcome;

    s->state = REEL_SLOT_REPORTING;
    reel_verdict_forgive(s->attempt);
    reel_reuse_end(s->attempt);

    if (o->failed && strcmp(o->code, "NO_SPACE") == 0) {
        reel_room_spend(s->slots);
    }

    send_report(s);
}


void
reel_slots_up(reel_slots_t *s, reel_redis_t *r)
{
    reel_slots_renew_of(s, reel_redis_shard(r));

    for (unsigned i = 0; i < s->n; i++) {
        if (s->slot[i].state == REEL_SLOT_REPORTING
            && s->slot[i].redis == r)
        {
            reel_timer_stop(&s->slot[i].retry);
            send_report(&s->slot[i]);
        }
    }

    reel_slots_heard(s, reel_redis_shard(r));
    reel_slots_wake(s);
}

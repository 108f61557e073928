#include "workerd/slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/utf8.h"
#include "workerd/allowance.h"
#include "workerd/log.h"
#include "workerd/room.h"
#include "workerd/shards.h"
#include "workerd/verdict.h"

#define SWEEP_MS 5000

/* of a failed program's output, in the daemon's log */
#define WORDS_MAX 800

/* what a worker lacked comes again meanwhile (docs/pipelines.md) */
#define LACKED_MS 60000

static void on_line(void *arg, const char *text, size_t len);
static void on_exit_of(void *arg, reel_exit_t how, int detail,
    const char *tail, size_t tail_len);

static const reel_child_ops_t child_ops = { on_line, on_exit_of };


/*
 * When it looks again: never at the same distance from the others, or one
 * of them would get all that was delayed.  One that lacked something of late
 * leaves that to them: it looks half as often.
 */
static int64_t
poll_after(const reel_slots_t *s)
{
    int64_t   ms = s->w->conf.poll_ms;
    uint32_t  random;

    reel_random(&random, sizeof(random));
    ms = ms / 2 + random % ms;

    return s->lacked_ms != 0 && reel_loop_now() - s->lacked_ms < LACKED_MS
           ? 2 * ms : ms;
}


static void
on_poll(void *arg)
{
    reel_slots_t  *s = arg;

    reel_slots_heard_all(s);
    reel_slots_wake(s);
    reel_timer_start(s->w->loop, &s->poll, poll_after(s), on_poll, s);
}


static void
on_renew(void *arg)
{
    reel_slots_t  *s = arg;

    reel_slots_renew(s);
    reel_slots_straggle(s);
    reel_timer_start(s->w->loop, &s->renew,
                     (int64_t) s->w->conf.lease_s * 1000 / 3, on_renew, s);
}


static void
on_sweep(void *arg)
{
    reel_slots_t  *s = arg;

    reel_slots_sweep(s);
    reel_timer_start(s->w->loop, &s->sweep, SWEEP_MS, on_sweep, s);
}


reel_slots_t *
reel_slots_new(reel_worker_t *w, unsigned n)
{
    uint32_t       random;
    reel_slots_t  *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return NULL;
    }

    s->n = n + REEL_ROOM_LIGHTS(n);
    s->slot = calloc(s->n, sizeof(*s->slot));
    s->shard = calloc(reel_shards_count(w->shards), sizeof(*s->shard));
    if (s->slot == NULL || s->shard == NULL) {
        free(s->slot);
        free(s->shard);
        free(s);
        return NULL;
    }

    /* workers that start together shall not ask the same one */
    reel_random(&random, sizeof(random));
    s->turn[0] = s->turn[1] = random % reel_shards_count(w->shards);
    s->w = w;

    for (unsigned i = 0; i < s->n; i++) {
        s->slot[i].slots = s;
        s->slot[i].number = i;
    }

    on_poll(s);
    on_renew(s);
    reel_slots_watch_ended(s);
    reel_timer_start(w->loop, &s->sweep, SWEEP_MS, on_sweep, s);

    return s;
}


void
reel_slots_free(reel_slots_t *s)
{
    if (s == NULL) {
        return;
    }

    for (unsigned i = 0; i < s->n; i++) {
        reel_attempt_free(s->slot[i].attempt);
        reel_timer_stop(&s->slot[i].retry);
        free(s->slot[i].log);
    }

    reel_timer_stop(&s->poll);
    reel_timer_stop(&s->renew);
    reel_timer_stop(&s->sweep);
    reel_timer_stop(&s->ended);
    free(s->slot);
    free(s->shard);
    free(s);
}


bool
reel_slot_busy(const reel_slot_t *s)
{
    return s->state == REEL_SLOT_RUNNING || s->state == REEL_SLOT_REPORTING;
}


unsigned
reel_slots_busy(const reel_slots_t *s)
{
    unsigned  n = 0;

    for (unsigned i = 0; i < s->n; i++) {
        n += reel_slot_busy(&s->slot[i]);
    }

    return n;
}


unsigned
reel_slots_count(const reel_slots_t *s)
{
    return s->n;
}


void
reel_slot_idle(reel_slot_t *s)
{
    reel_attempt_free(s->attempt);
    s->attempt = NULL;
    free(s->log);
    s->log = NULL;
    s->lost = false;
    s->shutdown = false;
    s->second = false;
    s->progress = 0;
    s->waits = false;
    s->refused = false;
    s->sent = false;
    s->leaves = false;
    s->offered = (reel_room_t) { 0 };
    s->late = false;
    s->redis = NULL;
    s->state = REEL_SLOT_IDLE;
}


/* a second run waited for nobody, and behind a twin the task waits yet */
static void
count_wait(const reel_slot_t *s)
{
    const reel_attempt_t  *a = s->attempt;

    if (!s->second && strcmp(a->outcome.code, REEL_TWIN) != 0) {
        reel_metrics_claimed(&a->w->metrics, a->ops->type, a->wait_ms);
    }
}


static void
start(reel_slot_t *s)
{
    reel_err_t          err;
    reel_child_spec_t   spec = { .io = { .source_fd = -1, .ctl_fd = -1 } };
    reel_attempt_t     *a = s->attempt;

    s->started_ms = reel_loop_now();
    s->cpu_ms = 0;
    spec.io.payload = (reel_str_t) { a->payload, a->payload_len };

    err = reel_attempt_prepare(a, &spec.io);
    if (err == REEL_OK && a->ops->source) {
        err = reel_attempt_source(a, &spec.io);
    }
    if (err == REEL_OK && reel_verdict_hopeless(a)) {
        err = reel_attempt_fail(a, REEL_IO, "WORKER_LOST", a->task,
                                "its workers went away");
    }

    count_wait(s);

    if (err == REEL_EXISTS) {
        a->stood = true;
    }
    if (a->stood && !a->reused) {
        reel_log_task(REEL_LOG_INFO, a->job, a->task, "was done before");
    }
    if (err != REEL_OK && err != REEL_EXISTS && reel_slot_unwanted(s)) {
        reel_slot_idle(s);              /* cancel takes the lease away */
        return;
    }
    if (err != REEL_OK) {
        if (err != REEL_EXISTS && !a->outcome.failed) {
            (void) reel_attempt_store_fail(a, err, "prepare");
        }
        reel_slot_report(s);
        return;
    }

    spec.main = a->ops->run;
    spec.arg = a;
    spec.line_max = reel_allowance_line(a);
    spec.timeout_s = a->timeout_s;
    spec.confined = a->ops->confined;
    spec.best_effort = !a->w->conf.sandbox_required;
    spec.limits = reel_allowance_limits(a, s->slots->n);

    err = reel_child_start(s->slots->w->loop, &spec, &child_ops, s,
                           &s->proc);
    if (err != REEL_OK) {
        (void) reel_attempt_fail(a, err, reel_outcome_code(err), "fork",
                                 "a child cannot be started");
        reel_slot_report(s);
        return;
    }

    s->state = REEL_SLOT_RUNNING;
    reel_log_task(REEL_LOG_INFO, a->job, a->task,
                  "begins: try %u%s, slot %u, child %d", a->number,
                  s->second ? ", beside another" : "", s->number,
                  reel_child_pid(s->proc));
}


static bool
has_room(reel_slot_t *s)
{
    reel_room_t  room;

    s->leaves = true;
    room = reel_room_free(s->slots);
    s->leaves = false;

    return s->attempt->slots <= room.slots
           && s->attempt->memory_mib <= room.memory_mib;
}


/* what was claimed, but cannot begin any more */
static bool
gives_back(reel_slot_t *s)
{
    reel_attempt_t  *a = s->attempt;

    if (s->slots->w->draining) {
        /* asked for before the end was near */
        (void) reel_attempt_fail(a, REEL_AGAIN, "SHUTDOWN", "claim",
                                 "the daemon was stopped");

    } else if (reel_room_spent(s->slots)) {
        (void) reel_attempt_fail(a, REEL_NOSPACE, "NO_SPACE", "claim",
                                 "another has just found no room");

    } else if (s->late && !has_room(s)) {
        (void) reel_attempt_fail(a, REEL_AGAIN, "SHUTDOWN", "claim",
                                 "it came late, and its room is taken");
    }

    return a->outcome.failed;
}


void
reel_slot_take(reel_slot_t *s, const reel_reply_t *reply, size_t at)
{
    reel_err_t  err;

    if (reel_reply_len(reply) <= at) {
        return;
    }

    err = reel_attempt_new(s->slots->w, reply, at, &s->attempt);

    if (err == REEL_OK && gives_back(s)) {
        reel_slot_report(s);
        return;
    }

    if (err == REEL_OK) {
        start(s);
        return;
    }

    reel_log_task(REEL_LOG_ERROR,
                  s->attempt != NULL ? s->attempt->job : NULL,
                  s->attempt != NULL ? s->attempt->task : NULL,
                  "a claimed task cannot be read: %s", reel_err_name(err));

    if (s->attempt == NULL || s->attempt->token[0] == '\0') {
        reel_slot_idle(s);              /* the lease will end */
        return;
    }

    (void) reel_attempt_fail(s->attempt, err, "INTERNAL", "claim",
                             err == REEL_UNSUPPORTED
                             ? "this worker does not know the task's type"
                             : "the task's fields are not of their form");
    reel_slot_report(s);
}


/* it says of itself what is amiss, but not who it is */
static void
take_warning(reel_attempt_t *a, const json_t *value)
{
    char            *text = json_dumps(value, JSON_COMPACT);
    reel_err_t       err = REEL_NOMEM;
    reel_error_t     e = { "" };
    reel_warnings_t *w = &a->answer.warnings;

    if (text != NULL) {
        err = reel_warning_parse(w, text, strlen(text), &e);
        reel_warnings_stage(w, reel_task_type_name(a->ops->type));
        free(text);
    }

    if (err != REEL_OK) {
        (void) reel_attempt_fail(a, err, "INTERNAL", "answer",
                                 "the child's warning is not right: %s",
                                 e.text);
    }
}


static void
take_line(reel_slot_t *s, const json_t *root)
{
    json_int_t       n;
    reel_err_t       err = REEL_BADDATA;
    const char      *key;
    const json_t    *v;
    reel_attempt_t  *a = s->attempt;

    static const char *const keys[] = {
        "object", "source", "image", "story", "file", "task",
        "loudness", "complexity", "pictures", "sound", "ladder", "sha256"
    };

    if ((v = json_object_get(root, "progress")) != NULL) {
        n = json_integer_value(v);
        s->progress = n < 0 ? 0 : n > 1000 ? 1000 : (unsigned) n;
        return;
    }

    if ((v = json_object_get(root, "error")) != NULL) {
        reel_verdict_said(a, v);
        return;
    }

    if ((v = json_object_get(root, "warning")) != NULL) {
        take_warning(a, v);
        return;
    }

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        key = keys[i];
        v = json_object_get(root, key);

        if (v != NULL && a->ops->line != NULL) {
            err = a->ops->line(a, key, v, root);
            break;
        }
    }

    if (err != REEL_OK && !a->outcome.failed) {
        (void) reel_attempt_fail(a, err, "INTERNAL", "answer",
                                 "the child said what it should not");
    }
}


static void
on_line(void *arg, const char *text, size_t len)
{
    json_t       *root;
    reel_slot_t  *s = arg;

    /* nothing counts any more, but for the rest being read */
    if (s->lost || s->attempt->outcome.failed) {
        return;
    }

    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

    if (json_is_object(root)) {
        take_line(s, root);
    } else {
        (void) reel_attempt_fail(s->attempt, REEL_BADDATA, "INTERNAL",
                                 "answer", "the child's line is not JSON");
    }
    s->attempt->spoke = true;

    /* one that says so itself ends, and has more for the log */
    if (s->attempt->outcome.failed
        && json_object_get(root, "error") == NULL)
    {
        reel_child_kill(s->proc);
    }

    json_decref(root);
}


/* of a program: whatever becomes of the task, who wrote it looks here.  What
   its child says behind that, the outcome once more, is left out */
static void
log_words(const reel_slot_t *s)
{
    char                   own[1024];
    size_t                 len = strlen(s->log), n;
    const char            *from = s->log;
    const reel_attempt_t  *a = s->attempt;

    if (a->ops->type != REEL_TASK_EXEC) {
        return;
    }

    (void) snprintf(own, sizeof(own), "%s: %s: %s\n", a->outcome.code,
                    a->outcome.stage, a->outcome.detail);
    n = strlen(own);
    if (len >= n && memcmp(from + len - n, own, n) == 0) {
        len -= n;
    }
    if (len == 0) {
        return;
    }

    /* the end of it, from a character's first byte on */
    n = len > WORDS_MAX ? len - WORDS_MAX : 0;
    while (n < len && (from[n] & 0xc0) == 0x80) {
        n++;
    }

    reel_log_task(REEL_LOG_WARN, a->job, a->task, "its program said: %.*s",
                  (int) (len - n), from + n);
}


static void
on_exit_of(void *arg, reel_exit_t how, int detail, const char *tail,
    size_t tail_len)
{
    uint64_t      ran_ms;
    reel_slot_t  *s = arg;

    s->cpu_ms = reel_child_cpu_ms(s->proc);
    s->proc = NULL;
    ran_ms = (uint64_t) (reel_loop_now() - s->started_ms);
    reel_metrics_ran(&s->slots->w->metrics, s->attempt->ops->type, ran_ms);

    if (s->lost) {
        reel_slot_count(s, REEL_ENDED_LOST);
        reel_log_task(REEL_LOG_WARN, s->attempt->job, s->attempt->task,
                      "dropped: the lease was lost or the job ended");
        reel_slot_idle(s);
        reel_slots_wake(s->slots);
        return;
    }

    reel_verdict_exit(s->attempt, how, detail);

    if (s->attempt->outcome.failed) {
        s->log = malloc(3 * tail_len + 1);
        if (s->log != NULL) {
            (void) reel_utf8_clean(s->log, 3 * tail_len + 1, tail, tail_len,
                                   false);
            log_words(s);
        }
    } else {
        reel_metrics_encoded(&s->slots->w->metrics, s->attempt->ops->type,
                             s->attempt->media_ms, ran_ms);
    }

    reel_slot_report(s);
}


void
reel_slots_give_back(reel_slots_t *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (s->slot[i].state == REEL_SLOT_RUNNING) {
            s->slot[i].shutdown = true;
            reel_child_kill(s->slot[i].proc);
        }
    }
}

#include "workerd/verdict.h"

#include <stdio.h>
#include <string.h>

#include "workerd/allowance.h"
#include "workerd/answer.h"
#include "workerd/log.h"
#include "workerd/room.h"

#define ROOM ((uint64_t) REEL_ROOM_STORE_MIB << 20)


void
reel_verdict_said(reel_attempt_t *a, const json_t *value)
{
    const char  *code, *stage, *detail, *class;

    code = json_string_value(json_object_get(value, "code"));
    stage = json_string_value(json_object_get(value, "stage"));
    detail = json_string_value(json_object_get(value, "detail"));
    class = json_string_value(json_object_get(value, "class"));

    /* these are not the child's to say */
    if (code != NULL && (strcmp(code, "SHUTDOWN") == 0
                         || strcmp(code, REEL_TWIN) == 0
                         || strcmp(code, REEL_CANCELLED) == 0))
    {
        code = "CRASHED";
    }

    /* no more is this of a child that reads films */
    if (code != NULL && strcmp(code, REEL_REJECTED) == 0) {
        if (a->ops->type != REEL_TASK_EXEC) {
            code = "INTERNAL";
        } else {
            class = "fail";
        }
    }

    reel_outcome_fail(&a->outcome, code != NULL ? code : "INTERNAL",
                      stage != NULL ? stage : "", "%s",
                      detail != NULL ? detail : "");
    a->said = true;

    /* the child knows better whether this one may pass */
    if (class != NULL) {
        a->outcome.retry = strcmp(class, "fail") != 0;
    }
}


/* can the store take what this task may need? */
static bool
has_room(reel_attempt_t *a)
{
    char               name[REEL_TASK_NAME + REEL_TOKEN_MAX + 16];
    reel_key_t         key;
    reel_err_t         err;
    reel_multipart_t  *m = NULL;

    /* a medium that it filled itself proves nothing */
    for (unsigned i = 0; i < REEL_CHILD_OUTPUTS; i++) {
        reel_multipart_abort(a->out[i]);
        a->out[i] = NULL;
    }

    snprintf(name, sizeof(name), "%s-%s.room", a->task, a->token);

    err = reel_key_scratch(key, reel_str(a->job), name);
    if (err == REEL_OK) {
        err = reel_multipart_create(a->w->store, key, a->need + ROOM, &m);
    }
    if (err == REEL_OK) {
        reel_multipart_abort(m);
    }

    return err != REEL_NOSPACE;
}


/* otherwise a child could have itself started again for ever */
static void
doubt(reel_attempt_t *a)
{
    reel_outcome_t  said = a->outcome;

    if (a->said && said.retry && strcmp(said.code, "NO_SPACE") == 0
        && has_room(a))
    {
        reel_outcome_fail(&a->outcome, "IO", said.stage, "the child found no "
                          "space, and the store has room: %.150s",
                          said.detail);
    }
}


void
reel_verdict_exit(reel_attempt_t *a, reel_exit_t how, int detail)
{
    reel_outcome_t  *o = &a->outcome;

    if (o->failed) {
        doubt(a);
        return;
    }

    switch (how) {
    case REEL_EXIT_DONE:
        if (a->ops->finish(a) != REEL_OK && !o->failed) {
            reel_outcome_fail(o, "INTERNAL", "finish", "no reason given");
        }
        break;
    case REEL_EXIT_TIMEOUT:
        reel_outcome_fail(o, "TIMEOUT", a->task, "it took longer than %u s",
                          a->timeout_s);
        break;
    case REEL_EXIT_KILLED:
        reel_outcome_fail(o, "SHUTDOWN", a->task, "the daemon was stopped");
        break;
    case REEL_EXIT_BABBLE:
        reel_outcome_fail(o, "INTERNAL", "answer", "the child wrote a line "
                          "of more than %zu bytes", reel_allowance_line(a));
        break;
    case REEL_EXIT_SIGNAL:
        reel_outcome_fail(o, "CRASHED", a->task,
                          "the child was killed by signal %d (%s)", detail,
                          strsignal(detail));
        break;
    case REEL_EXIT_STATUS:
        reel_outcome_fail(o, "CRASHED", a->task,
                          "the child exited with status %d", detail);
        break;
    }
}


/* after how many tries the task is given up; 0: it is not optional */
static uint64_t
tries(const reel_attempt_t *a)
{
    json_t      *payload;
    json_int_t   n;

    if (a->ops == NULL || !a->ops->optional) {
        return 0;
    }

    payload = json_loads(a->payload, 0, NULL);
    n = json_integer_value(json_object_get(payload, "tries"));
    json_decref(payload);

    /* exec is optional where the pipeline says so, others always are */
    return n > 0 ? (uint64_t) n : a->ops->type == REEL_TASK_EXEC ? 0 : 1;
}


/* its tries are not used up: it is begun again */
static bool
waits(const reel_attempt_t *a, uint64_t n)
{
    const reel_outcome_t  *o = &a->outcome;

    /* the hour that a worker is waited for is over (common_end.lua) */
    if (o->lacks) {
        return !reel_verdict_hopeless(a);
    }

    return o->retry && (!reel_code_find(o->code)->counted || a->number < n);
}


bool
reel_verdict_hopeless(const reel_attempt_t *a)
{
    uint64_t  n = tries(a);

    return n > 0 && a->number > n + 1;
}


/* the answer is empty but for that */
static void
warn_given_up(reel_attempt_t *a)
{
    reel_warning_t  x = { .count = 1, .at_ms = -1 };

    (void) snprintf(x.where, sizeof(x.where), "%s (%s)", a->task,
                    a->outcome.code);
    reel_warnings_add(&a->answer.warnings, REEL_WARN_GIVEN_UP, &x);
    reel_warnings_stage(&a->answer.warnings,
                        reel_task_type_name(a->ops->type));
}


void
reel_verdict_forgive(reel_attempt_t *a)
{
    uint64_t         n;
    reel_outcome_t  *o = &a->outcome;

    /* a word about the film, not an extra that could not be made */
    if (!o->failed || strcmp(o->code, REEL_REJECTED) == 0) {
        return;
    }

    n = tries(a);
    if (n == 0 || waits(a, n)) {
        return;
    }

    reel_log_task(REEL_LOG_WARN, a->job, a->task, "%s in %s: %s; the film "
                  "goes without it", o->code, o->stage, o->detail);

    reel_answer_release(&a->answer);
    warn_given_up(a);
    *o = (reel_outcome_t) { 0 };
    a->forgiven = true;

    /* fails as any task does when even that cannot be said */
    (void) !reel_answer_put(a);
}

#include "workerd/outbox_impl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/ulid.h"
#include "lib/job/record.h"
#include "workerd/cancels.h"
#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/outcome.h"
#include "workerd/shards.h"
#include "workerd/webhooks.h"

/* of the two tasks that every job begins with */
#define ATTEMPTS  3
#define TIMEOUT_S 600
#define PAYLOAD   "{}"

typedef struct {
    reel_outbox_t *o;
    char           job[REEL_JOB_ID_MAX];
} ask_t;


static void
on_submitted(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    ask_t          *ask = arg;
    reel_outbox_t  *o = ask->o;

    if (err == REEL_IO) {
        if (!reel_reply_full(reply)) {
            reel_log_task(REEL_LOG_ERROR, ask->job, NULL,
                          "redis refused the job: %.200s",
                          reel_reply_str(reply).p);
        }

    } else if (err == REEL_OK
               && reel_str_eqz(reel_reply_str(reel_reply_at(reply, 0)),
                               "ok"))
    {
        o->submitted = true;
        o->eager = true;
        reel_log_task(REEL_LOG_INFO, ask->job, NULL, "submitted");
    }

    free(ask);
    reel_outbox_answered(o);
}


/* ask is taken over, or left when it was not sent */
static reel_err_t
submit(ask_t *ask)
{
    uint32_t                 publication;
    reel_err_t               err;
    reel_str_t               asset;
    reel_args_t              a;
    reel_request_t           rq = { 0 };
    const reel_pipeline_t   *pl;
    const reel_node_t      *opts = NULL;

    err = reel_job_id_parse(reel_str(ask->job), &asset, &publication);
    if (err == REEL_OK) {
        err = reel_final_request(ask->o->w->store, asset, &rq, NULL);
    }
    if (err != REEL_OK) {
        reel_request_release(&rq);
        return err;
    }

    pl = reel_worker_pipeline(ask->o->w, rq.pipeline);
    if (pl != NULL) {
        opts = &pl->nodes[REEL_TASK_INSPECT];
    }

    reel_args_init(&a);
    reel_args_addz(&a, ask->job);
    reel_args_add(&a, asset);
    reel_args_uint(&a, publication);
    reel_args_addz(&a, rq.project);
    reel_args_addz(&a, rq.pipeline);
    reel_args_uint(&a, rq.created_ms < 0 ? 0 : (uint64_t) rq.created_ms);
    reel_args_addz(&a, PAYLOAD);
    reel_args_uint(&a, opts != NULL && opts->attempts != 0 ? opts->attempts
                                                           : ATTEMPTS);
    reel_args_uint(&a, opts != NULL && opts->timeout_s != 0
                       ? opts->timeout_s : TIMEOUT_S);
    reel_request_release(&rq);

    reel_args_uint(&a, reel_shards_count(ask->o->w->shards));

    err = reel_redis_script(reel_shards_of(ask->o->w->shards, asset),
                            REEL_LUA_SUBMIT, "job:",
                            ask->job, &a, on_submitted, ask);
    if (err == REEL_OK) {
        ask->o->asked++;
    }

    return err;
}


/* what its end told webhooks is there to be sent */
static void
wake_hooks(reel_outbox_t *o, const char *job)
{
    char  asset[REEL_ULID_LEN + 1];

    if (reel_str_copy(asset, sizeof(asset),
                      (reel_str_t) { job, REEL_ULID_LEN }) == REEL_OK)
    {
        reel_webhooks_wake(o->w->webhooks, asset);
    }
}


static reel_err_t
settle(reel_outbox_t *o, const char *job)
{
    reel_err_t  err = reel_final_settle(o->w->store, job);

    if (err == REEL_OK) {
        wake_hooks(o, job);
    }

    return err;
}


/* the job ended, and nobody wrote that down */
static void
finalise(ask_t *ask, const reel_failure_t *f)
{
    reel_err_t  err;

    err = reel_final_failed(ask->o->w->store, ask->job, f);

    if (err == REEL_AGAIN) {
        reel_outbox_again(ask->o, ask->job);
        return;
    }

    reel_log_task(REEL_LOG_WARN, ask->job, NULL,
                  "outbox: ended %s: %s", f->code, f->detail);
    if (err != REEL_OK) {
        reel_outbox_warn(ask->job, "the failure cannot be written", err);
        return;
    }
    wake_hooks(ask->o, ask->job);
}


/* a C string of a reply's element, "" when there is none */
static const char *
field(const reel_reply_t *reply, size_t i)
{
    return reel_reply_str(reel_reply_at(reply, i)).p;
}


/* is the job of the version that our scripts know? */
static bool
known(const reel_reply_t *reply)
{
    return strncmp(field(reply, 0), REEL_JOB_SCHEMA " ",
                   sizeof(REEL_JOB_SCHEMA)) == 0;
}


/* is the job, of a version that is known, in that state? */
static bool
is(const reel_reply_t *reply, const char *state)
{
    size_t       n = strlen(state);
    const char  *word = field(reply, 0) + sizeof(REEL_JOB_SCHEMA);

    return strncmp(word, state, n) == 0 && word[n] == ' ';
}


/* once: an operator has to choose (docs/workerd.md, Upgrading) */
static void
say_unknown(ask_t *ask, const reel_reply_t *reply)
{
    const char  *v = field(reply, 0);

    if (!ask->o->unknown) {
        ask->o->unknown = true;
        reel_log_task(REEL_LOG_ERROR, ask->job, NULL,
                      "REDIS HOLDS JOBS OF ANOTHER VERSION: %.*s, this is "
                      REEL_JOB_SCHEMA "; they are left alone",
                      (int) strcspn(v, " "), v);
    }
}


/* true: ask was taken over */
static bool
act(ask_t *ask, const reel_reply_t *reply)
{
    reel_err_t      err;
    reel_failure_t  f = { "INTERNAL", "", "", "" };

    if (reel_reply_nil(reel_reply_at(reply, 0))) {
        err = submit(ask);
        if (err == REEL_OK) {
            return true;
        }
        if (err != REEL_AGAIN) {
            reel_outbox_warn(ask->job, "cannot be submitted", err);
        }
        return false;
    }

    if (!known(reply)) {
        say_unknown(ask, reply);

    } else if (is(reply, "failed")) {
        f = (reel_failure_t) {
            .code = field(reply, 1), .stage = field(reply, 2),
            .detail = field(reply, 3), .log = field(reply, 4)
        };
        finalise(ask, &f);

    } else if (is(reply, "cancelled")) {
        f.code = REEL_CANCELLED;
        finalise(ask, &f);

    } else if (is(reply, "done")) {
        /* publish wrote its result before it was counted as done: if none
           stands, the store lost it.  One that stands is kept */
        f.detail = "the job is done, but its result is gone";
        finalise(ask, &f);
    }

    return false;
}


static void
on_state(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    ask_t          *ask = arg;
    reel_outbox_t  *o = ask->o;

    if (err == REEL_IO) {
        reel_log(REEL_LOG_ERROR, "redis: HMGET was refused: %.200s",
                 reel_reply_str(reply).p);
    }

    if (err != REEL_OK || !act(ask, reply)) {
        free(ask);
    }

    reel_outbox_answered(o);
}


/* of a deleted asset, or cancelled by its user */
static void
on_cancelled(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    ask_t          *ask = arg;
    reel_err_t      rc;
    reel_outbox_t  *o = ask->o;

    (void) reply;

    if (err == REEL_OK) {
        rc = settle(o, ask->job);
        if (rc != REEL_OK) {
            reel_outbox_warn(ask->job, "pending/ cannot be removed", rc);
        }
    }

    free(ask);
    reel_outbox_answered(o);
}


static void
ask_redis(reel_outbox_t *o, const char *job, bool cancel)
{
    ask_t             *ask = calloc(1, sizeof(*ask));
    reel_err_t         err;
    reel_args_t        a;
    reel_redis_t      *redis = reel_shards_of(o->w->shards, reel_str(job));

    static const char *const fields[] = {
        "v", "code", "stage", "detail", "log"
    };

    if (ask == NULL) {
        return;
    }

    ask->o = o;
    memcpy(ask->job, job, sizeof(ask->job));

    reel_args_init(&a);

    if (cancel) {
        reel_args_addz(&a, job);
        err = reel_redis_script(redis, REEL_LUA_CANCEL, "job:", job,
                                &a, on_cancelled, ask);

    } else {
        reel_args_addz(&a, "HMGET");
        reel_args_key(&a, redis, "job:", job);
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
            reel_args_addz(&a, fields[i]);
        }
        err = reel_redis_command(redis, &a, on_state, ask);
    }

    if (err != REEL_OK) {
        free(ask);
        return;
    }

    o->asked++;
}


reel_err_t
reel_outbox_compare(reel_outbox_t *o, const char *job)
{
    bool           dead, ended, cancelled = false;
    char           asset[REEL_ULID_LEN + 1];
    uint32_t       publication;
    reel_err_t     err;
    reel_str_t     id;
    reel_result_t  r;

    err = reel_job_id_parse(reel_str(job), &id, &publication);
    if (err == REEL_OK) {
        err = reel_str_copy(asset, sizeof(asset), id);
    }
    if (err == REEL_OK) {
        err = reel_final_tombstone(o->w->store, asset, &dead);
    }
    if (err != REEL_OK) {
        return err;
    }

    if (!dead) {
        err = reel_cancels_take(o->w->cancels, job);
        if (err != REEL_OK) {
            return err == REEL_AGAIN ? REEL_OK : err;
        }

        err = reel_final_result(o->w->store, asset, &r);
        ended = err == REEL_OK && r.publication >= publication;
        cancelled = ended && reel_final_is_cancelled(&r, publication);
        reel_result_release(&r);

        if (ended && !cancelled) {
            return settle(o, job);
        }
        if (err != REEL_OK && err != REEL_NOTFOUND) {
            return err;
        }
    }

    ask_redis(o, job, dead || cancelled);

    return REEL_OK;
}

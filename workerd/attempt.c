#include "workerd/attempt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/base/rescale.h"
#include "lib/base/ulid.h"
#include "lib/crypt/digest.h"
#include "workerd/answer.h"
#include "workerd/final.h"
#include "workerd/reuse.h"
#include "workerd/room.h"

/* what step replies of a task that was claimed */
enum {
    F_JOB, F_TASK, F_TYPE, F_TOKEN, F_PAYLOAD, F_ATTEMPT, F_TIMEOUT,
    F_PROJECT, F_PIPELINE, F_QUEUE = REEL_CLAIM_QUEUE, F_WAIT,
    F_END = REEL_CLAIM_FIELDS
};

typedef struct {
    const reel_reply_t *reply;
    size_t              at;             /* of its first field */
} claim_t;

static const reel_task_ops_t *const types[] = {
    &reel_task_inspect, &reel_task_plan, &reel_task_video, &reel_task_audio,
    &reel_task_poster, &reel_task_storyboard, &reel_task_subtitles,
    &reel_task_loudness, &reel_task_complexity,
    &reel_task_publish, &reel_task_exec
};


const reel_task_ops_t *
reel_task_ops(const char *type_name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(reel_task_type_name(types[i]->type), type_name) == 0) {
            return types[i];
        }
    }

    return NULL;
}


/*
 * SHA-256 of all that the task's result follows from, besides its source:
 * type, payload, and which encoders these are.
 */
static reel_err_t
set_digest(reel_attempt_t *a)
{
    const char  *type = reel_task_type_name(a->ops->type);
    uint8_t      sum[REEL_SHA256_LEN];
    reel_err_t   err;

    /* with their terminators, so that words stay apart */
    const reel_str_t  parts[] = {
        { type, strlen(type) + 1 },
        { a->w->fingerprint, strlen(a->w->fingerprint) + 1 },
        { a->w->build, strlen(a->w->build) + 1 },
        { a->payload, a->payload_len }
    };

    err = reel_sha256_parts(sum, parts, sizeof(parts) / sizeof(parts[0]));
    if (err == REEL_OK) {
        reel_hex(a->digest, sum, sizeof(sum));
    }

    return err;
}


/* names from Redis become keys of the store and words of the log */
static bool
word_ok(const char *s)
{
    return s[0] != '\0' && strspn(s, "abcdefghijklmnopqrstuvwxyz"
           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(s);
}


static const reel_reply_t *
field(const claim_t *c, size_t i)
{
    return reel_reply_at(c->reply, c->at + i);
}


static reel_err_t
copy_field(char *dst, size_t cap, const claim_t *c, size_t i)
{
    return reel_str_copy(dst, cap, reel_reply_str(field(c, i)));
}


static reel_err_t
read_names(reel_attempt_t *a, const claim_t *c)
{
    uint32_t    publication;
    reel_str_t  asset;

    if (copy_field(a->job, sizeof(a->job), c, F_JOB) != REEL_OK
        || copy_field(a->task, sizeof(a->task), c, F_TASK) != REEL_OK
        || copy_field(a->token, sizeof(a->token), c, F_TOKEN) != REEL_OK)
    {
        return REEL_BADDATA;
    }

    if (reel_job_id_parse(reel_str(a->job), &asset, &publication) != REEL_OK
        || !word_ok(a->task) || !word_ok(a->token))
    {
        return REEL_BADDATA;
    }

    a->publication = publication;

    return reel_str_copy(a->asset, sizeof(a->asset), asset);
}


static reel_err_t
read_rest(reel_attempt_t *a, const claim_t *c)
{
    char        type[32];
    uint64_t    number, timeout;
    reel_str_t  payload = reel_reply_str(field(c, F_PAYLOAD));

    if (copy_field(a->project, sizeof(a->project), c, F_PROJECT) != REEL_OK
        || copy_field(a->pipeline, sizeof(a->pipeline), c, F_PIPELINE)
           != REEL_OK
        || copy_field(type, sizeof(type), c, F_TYPE) != REEL_OK
        || reel_room_needs(reel_reply_str(field(c, F_QUEUE)),
                           &a->slots, &a->memory_mib) != REEL_OK
        || payload.len > REEL_PAYLOAD_MAX)
    {
        return REEL_BADDATA;
    }

    number = reel_reply_uint(field(c, F_ATTEMPT));
    timeout = reel_reply_uint(field(c, F_TIMEOUT));
    if (number == 0 || number > UINT32_MAX || timeout == 0
        || timeout > UINT32_MAX)
    {
        return REEL_BADDATA;
    }
    a->number = (uint32_t) number;
    a->timeout_s = (uint32_t) timeout;
    a->wait_ms = reel_reply_uint(field(c, F_WAIT));

    a->payload = malloc(payload.len + 1);
    if (a->payload == NULL) {
        return REEL_NOMEM;
    }
    memcpy(a->payload, payload.p, payload.len);
    a->payload[payload.len] = '\0';
    a->payload_len = payload.len;

    a->ops = reel_task_ops(type);

    return a->ops != NULL ? REEL_OK : REEL_UNSUPPORTED;
}


reel_err_t
reel_attempt_new(reel_worker_t *w, const reel_reply_t *reply, size_t at,
    reel_attempt_t **out)
{
    claim_t          c = { reply, at };
    reel_err_t       err;
    reel_attempt_t  *a = calloc(1, sizeof(*a));

    *out = a;
    if (a == NULL) {
        return REEL_NOMEM;
    }

    a->w = w;
    a->memfd = -1;
    a->image = -1;

    err = reel_reply_len(reply) >= at + F_END ? read_names(a, &c)
                                              : REEL_BADDATA;
    if (err == REEL_OK) {
        err = read_rest(a, &c);
    }
    if (err == REEL_OK) {
        err = set_digest(a);
    }

    return err;
}


void
reel_attempt_free(reel_attempt_t *a)
{
    if (a == NULL) {
        return;
    }

    for (unsigned i = 0; i < REEL_CHILD_OUTPUTS; i++) {
        reel_multipart_abort(a->out[i]);
    }
    reel_reuse_end(a);
    reel_object_close(a->source);
    if (a->image >= 0) {
        close(a->image);
    }
    if (a->memfd >= 0) {
        close(a->memfd);
    }

    reel_answer_release(&a->answer);
    reel_args_release(&a->tasks);
    free(a->data);
    free(a->text);
    free(a->payload);
    free(a);
}


reel_err_t
reel_attempt_fail(reel_attempt_t *a, reel_err_t err, const char *code,
    const char *stage, const char *fmt, ...)
{
    char     text[256];
    va_list  ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    reel_outcome_fail(&a->outcome, code, stage, "%s", text);

    return err;
}


reel_err_t
reel_attempt_lacks(reel_attempt_t *a, const char *fmt, ...)
{
    char     text[256];
    va_list  ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    reel_outcome_fail(&a->outcome, "BAD_PIPELINE", "prepare", "%s", text);
    a->outcome.retry = true;
    a->outcome.lacks = true;

    return REEL_NOTFOUND;
}


reel_err_t
reel_attempt_store_fail(reel_attempt_t *a, reel_err_t err, const char *what)
{
    return reel_attempt_fail(a, err, reel_outcome_code(err), "store",
                             "%s: %s", what, reel_err_name(err));
}


static reel_err_t
parse_payload(reel_attempt_t *a)
{
    reel_err_t    err;
    reel_error_t  e = { "" };

    a->data = calloc(1, a->ops->payload);
    if (a->data == NULL) {
        return reel_attempt_fail(a, REEL_NOMEM, "NO_MEMORY", "prepare",
                                 "the payload");
    }

    err = a->ops->parse(a->data, a->payload, a->payload_len, &e);
    if (err != REEL_OK) {
        return reel_attempt_fail(a, err, "INTERNAL", "prepare",
                                 "payload: %s", e.text);
    }

    return REEL_OK;
}


/*
 * The last publish is behind all other tasks, so its result says that they
 * were done, though a Redis that took another's place does not know.  Their
 * answers may be swept by now.  plan needs inspect's, and says what is to do.
 */
static bool
is_over(const reel_attempt_t *a)
{
    return a->ops->type != REEL_TASK_INSPECT
           && a->ops->type != REEL_TASK_PLAN
           && reel_final_ready(a->w->store, a->asset, a->publication);
}


reel_err_t
reel_attempt_prepare(reel_attempt_t *a, reel_child_t *io)
{
    reel_err_t  err;

    if (a->ops->parse != NULL) {
        err = parse_payload(a);
        if (err != REEL_OK) {
            return err;
        }
    }

    if (is_over(a)) {
        return REEL_EXISTS;
    }

    if (a->ops->reused) {
        err = reel_answer_check(a);
        if (err != REEL_OK) {
            return err;
        }
    }

    return a->ops->prepare != NULL ? a->ops->prepare(a, io) : REEL_OK;
}


reel_err_t
reel_attempt_source(reel_attempt_t *a, reel_child_t *io)
{
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_asset_part(key, reel_str(a->asset), REEL_PART_SOURCE);
    if (err == REEL_OK) {
        err = reel_store_open(a->w->store, key, &a->source);
    }

    if (err != REEL_OK) {
        return reel_attempt_store_fail(a, err, "the source cannot be opened");
    }

    if (a->source->fd < 0) {
        return reel_attempt_fail(a, REEL_UNSUPPORTED, "INTERNAL", "store",
                                 "the store \"%s\" has no descriptors",
                                 a->w->store->ops->name);
    }

    io->source_fd = a->source->fd;

    return REEL_OK;
}


reel_err_t
reel_attempt_outputs(reel_attempt_t *a, reel_child_t *io, unsigned n)
{
    char        name[REEL_TASK_NAME + REEL_TOKEN_MAX + 16];
    reel_key_t  key;
    reel_err_t  err;

    if (n > REEL_CHILD_OUTPUTS) {
        return reel_attempt_fail(a, REEL_LIMIT, "INTERNAL", "prepare",
                                 "%u outputs", n);
    }

    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "%s-%s.%u", a->task, a->token, i);

        err = reel_key_scratch(key, reel_str(a->job), name);
        if (err == REEL_OK) {
            err = reel_multipart_create(a->w->store, key, 0, &a->out[i]);
        }

        if (err != REEL_OK) {
            return reel_attempt_store_fail(a, err,
                                           "an output cannot be staged");
        }

        a->nout = i + 1;
        io->out_fd[i] = a->out[i]->fd;
    }

    io->nout = n;

    return REEL_OK;
}


void
reel_attempt_media(reel_attempt_t *a, const reel_grid_t *g,
    uint32_t frag_from, uint32_t frag_to)
{
    int64_t  from = (int64_t) frag_from * g->gop_ts;
    int64_t  to = reel_grid_tick(g, frag_to);

    if (to > from) {
        a->media_ms = (uint64_t) reel_rescale(to - from, 1000, g->timescale,
                                              REEL_ROUND_NEAR);
    }
}


reel_err_t
reel_attempt_publish(reel_attempt_t *a, unsigned i, const char *rendition,
    const char *name, uint64_t bytes)
{
    reel_key_t          key;
    reel_err_t          err;
    reel_multipart_t   *m = a->out[i];
    reel_store_stat_t   st = { 0 };

    err = reel_key_object(key, reel_str(a->asset), reel_str(rendition),
                          reel_str(name));
    if (err == REEL_OK) {
        a->out[i] = NULL;               /* freed whatever the outcome */
        err = reel_multipart_complete(m, key);
    }
    if (err == REEL_OK) {
        err = reel_store_stat(a->w->store, key, &st);
    }

    if (err != REEL_OK) {
        return reel_attempt_store_fail(a, err,
                                       "an object cannot be published");
    }

    if (st.size != bytes) {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "output %u has %llu bytes, said were %llu",
                                 i, (unsigned long long) st.size,
                                 (unsigned long long) bytes);
    }

    return REEL_OK;
}

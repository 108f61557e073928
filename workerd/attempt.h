/*
 * One try of one task, as its parent sees it, and the table of task types.
 *
 * Life: claimed → prepare (outputs staged, or the answer stands already) →
 * child runs, its lines come in → finish (objects published, answer put) →
 * told to Redis → released, which takes back whatever was staged.
 */

#ifndef REEL_WORKERD_ATTEMPT_H
#define REEL_WORKERD_ATTEMPT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/job/keys.h"
#include "lib/job/pipeline.h"
#include "lib/job/task.h"
#include "lib/store/layout.h"
#include "lib/store/store.h"
#include "workerd/child_io.h"
#include "workerd/outcome.h"
#include "workerd/redis.h"
#include "workerd/worker.h"

typedef struct reel_attempt_s  reel_attempt_t;
typedef struct reel_task_ops_s reel_task_ops_t;

struct reel_task_ops_s {
    reel_task_type_t type;
    bool             source;    /* the child reads the asset's source */
    bool             confined;
    bool             reused;    /* its result follows from source, payload and
                                   encoders: reuse.h */
    bool             optional;  /* its payload says after how many tries
                                   the film goes without it */

    /* what a->data has of the payload, when there is a parse */
    size_t           payload;
    reel_err_t     (*parse)(void *data, const char *json, size_t len,
        reel_error_t *e);

    /*
     * prepare, line and finish fill a->outcome when they fail (reel_attempt_fail).
     * prepare: REEL_EXISTS when the task was done before, which of a reused
     * one is known already.  It sets io.  May be NULL.
     */
    reel_err_t (*prepare)(reel_attempt_t *a, reel_child_t *io);
    int (*run)(reel_child_t *c, void *attempt);         /* in the child */
    /* a line {"<key>": value, …} but for progress and error; may be NULL */
    reel_err_t (*line)(reel_attempt_t *a, const char *key,
        const json_t *value, const json_t *line);
    reel_err_t (*finish)(reel_attempt_t *a);
    /* Redis counts it as done; may be NULL */
    void (*done)(reel_attempt_t *a);
};

struct reel_attempt_s {
    reel_worker_t         *w;
    const reel_task_ops_t *ops;
    char                   job[REEL_JOB_ID_MAX];
    char                   task[REEL_TASK_NAME];
    char                   token[REEL_TOKEN_MAX];
    char                   asset[27];
    char                   project[65];
    char                   pipeline[33];
    uint32_t               publication;
    uint32_t               number;          /* of the attempt, from 1 */
    uint32_t               timeout_s;
    uint32_t               slots;           /* what it needs: room.h */
    uint32_t               memory_mib;
    char                  *payload;         /* owned, terminated */
    size_t                 payload_len;
    char                   digest[65];      /* of what its result follows
                                               from, but for the source */
    char                   sha256[65];      /* inspect: of the source, or "" */

    reel_multipart_t      *work;            /* no twin does the same; or
                                               NULL */
    unsigned               again_ms;        /* TWIN: when it is tried again */

    reel_object_t         *source;
    reel_multipart_t      *out[REEL_CHILD_OUTPUTS];
    unsigned               nout;
    int                    memfd;           /* audio's output; -1 none */
    int                    image;           /* of a watermark; -1 none */
    uint32_t               frags;           /* an object of it has at most */
    uint64_t               need;            /* bytes of outputs; 0 = few */
    void                  *data;            /* the parsed payload, owned */
    char                  *text;            /* inspect's answer, owned */
    reel_answer_t          answer;
    size_t                 kept;            /* objects of an earlier try */
    size_t                 published;       /* objects that stand */
    reel_args_t            tasks;           /* plan's answer */
    reel_outcome_t         outcome;
    bool                   spoke;           /* the child: a line at least */
    bool                   said;            /* by the child: the outcome */
    uint64_t               wait_ms;         /* ready until claimed */
    uint64_t               media_ms;        /* that it encodes; 0: none */
    bool                   stood;           /* the answer, before it ran */
    bool                   reused;          /* an earlier job's, or a twin's */
    bool                   forgiven;        /* the film goes without it */
};

/* of a claimed task in the reply of `step`, and which of them is its queue */
#define REEL_CLAIM_FIELDS 11
#define REEL_CLAIM_QUEUE  9

/* NULL: no such type */
const reel_task_ops_t *reel_task_ops(const char *type_name);

/*
 * From what `step` replied of a task that was claimed, the elements of reply
 * from at on (docs/redis-keys.md).  REEL_BADDATA when a field is not of its
 * form (a->job, task and token are set as far as they are), REEL_UNSUPPORTED
 * for an unknown type.
 */
reel_err_t reel_attempt_new(reel_worker_t *w, const reel_reply_t *reply,
    size_t at, reel_attempt_t **a) REEL_WARN_UNUSED;
void reel_attempt_free(reel_attempt_t *a);      /* NULL is fine */

/* fills a->outcome and returns err */
reel_err_t reel_attempt_fail(reel_attempt_t *a, reel_err_t err,
    const char *code, const char *stage, const char *fmt, ...)
    REEL_PRINTF(5, 6);

/*
 * This worker lacks what the task needs (its pipeline, program or image, or
 * has another version than was planned with): BAD_PIPELINE, which is no try
 * as long as another may have it (lib/job/lua/fail.lua).  The parent's alone
 * to say.  Returns REEL_NOTFOUND.
 */
reel_err_t reel_attempt_lacks(reel_attempt_t *a, const char *fmt, ...)
    REEL_PRINTF(2, 3);

/* the same with the code that follows from err */
reel_err_t reel_attempt_store_fail(reel_attempt_t *a, reel_err_t err,
    const char *what);

/*
 * Parses the payload, looks whether the answer stands, then ops->prepare.
 * REEL_EXISTS: the task was done before.
 */
reel_err_t reel_attempt_prepare(reel_attempt_t *a, reel_child_t *io)
    REEL_WARN_UNUSED;

/* the asset's source, opened; its descriptor into io */
reel_err_t reel_attempt_source(reel_attempt_t *a, reel_child_t *io)
    REEL_WARN_UNUSED;

/* n staged outputs, their descriptors into io */
reel_err_t reel_attempt_outputs(reel_attempt_t *a, reel_child_t *io,
    unsigned n) REEL_WARN_UNUSED;

/* an encode of these fragments: how long they are */
void reel_attempt_media(reel_attempt_t *a, const reel_grid_t *g,
    uint32_t frag_from, uint32_t frag_to);

/*
 * Output i becomes the object <rendition>/<name> of the asset, and must have
 * that many bytes: the child said so.
 */
reel_err_t reel_attempt_publish(reel_attempt_t *a, unsigned i,
    const char *rendition, const char *name, uint64_t bytes)
    REEL_WARN_UNUSED;

/* one an attempt's file */
extern const reel_task_ops_t reel_task_inspect;
extern const reel_task_ops_t reel_task_plan;
extern const reel_task_ops_t reel_task_video;
extern const reel_task_ops_t reel_task_audio;
extern const reel_task_ops_t reel_task_poster;
extern const reel_task_ops_t reel_task_storyboard;
extern const reel_task_ops_t reel_task_subtitles;
extern const reel_task_ops_t reel_task_loudness;
extern const reel_task_ops_t reel_task_complexity;
extern const reel_task_ops_t reel_task_publish;
extern const reel_task_ops_t reel_task_exec;

#endif

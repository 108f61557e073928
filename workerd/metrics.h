/*
 * What a worker counts since its start, and how it is told: the text of
 * Prometheus' exposition format 0.0.4.  docs/metrics.md names each metric.
 *
 * Every label is of a closed set (task types, codes of outcome.h, the names
 * here), so that the number of series never grows with what runs.
 */

#ifndef REEL_WORKERD_METRICS_H
#define REEL_WORKERD_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/job/pipeline.h"
#include "workerd/outcome.h"

#define REEL_METRICS_MAX    (256u << 10)    /* bytes of the text */
#define REEL_METRICS_BOUNDS 15

/* how an attempt ended, as Redis counted it */
typedef enum {
    REEL_ENDED_DONE,
    REEL_ENDED_STOOD,           /* done: its answer stood already */
    REEL_ENDED_REUSED,          /* done: the asset, or a twin, had it */
    REEL_ENDED_WITHOUT,         /* done: the film goes without it */
    REEL_ENDED_RETRY,           /* to be tried again, and this one counts */
    REEL_ENDED_RELEASE,         /* … and does not */
    REEL_ENDED_FAIL,            /* and its job with it */
    REEL_ENDED_LOST,            /* the lease was, or the job ended */
    REEL_ENDINGS
} reel_ending_t;

/* what became of a second run of a straggler */
typedef enum {
    REEL_SECOND_WON,            /* its result counts */
    REEL_SECOND_LOST,           /* the other was first, or the job ended */
    REEL_SECOND_FAILED,
    REEL_SECONDS
} reel_second_t;

/* what became of a try to send an event to an endpoint */
typedef enum {
    REEL_HOOKED_SENT,           /* 2xx */
    REEL_HOOKED_REFUSED,        /* another answer */
    REEL_HOOKED_FAILED,         /* none */
    REEL_HOOKED
} reel_hooked_t;

/* an attempt counts in the first bound that is not below it, or the last */
typedef struct {
    uint64_t n[REEL_METRICS_BOUNDS + 1];
    uint64_t sum_ms;
} reel_histogram_t;

typedef struct {
    reel_histogram_t wait[REEL_TASK_TYPES];     /* ready until claimed */
    reel_histogram_t run[REEL_TASK_TYPES];      /* a child's life */
    uint64_t         ended[REEL_TASK_TYPES][REEL_ENDINGS];
    uint64_t         second[REEL_SECONDS];
    uint64_t         retries[REEL_CODES];       /* as reel_code_at */
    uint64_t         failures[REEL_CODES];
    uint64_t         hooked[REEL_HOOKED];
    uint64_t         hooks_given_up;
    uint64_t         leases_lost;       /* found by this worker's sweeps */
    uint64_t         overdue;
    uint64_t         media_ms[REEL_TASK_TYPES]; /* of encodes that ended … */
    uint64_t         encode_ms[REEL_TASK_TYPES];        /* … well; 0: others */
} reel_metrics_t;

/* kinds of queues, by the cores that their tasks need */
typedef enum {
    REEL_KIND_LIGHT,            /* none */
    REEL_KIND_SINGLE,
    REEL_KIND_MULTI,
    REEL_KINDS
} reel_kind_of_queue_t;

/* the work of all workers, as Redis tells of it (depth.h) */
typedef struct {
    uint64_t ready[REEL_KINDS];
    uint64_t wait_ms[REEL_KINDS];
    uint64_t running, delayed, quarantined;
    uint64_t jobs, job_ms;
    uint64_t workers;
} reel_depth_t;

/* what this worker's tasks hold by their needs */
typedef struct {
    uint32_t cores, memory_mib;
    uint32_t tasks[REEL_TASK_TYPES];
} reel_use_t;

/* how things stand */
typedef struct {
    const char         *version, *encoders;
    unsigned            shards, shards_up;      /* of Redis */
    const reel_depth_t *depth;          /* NULL: no shard told */
    uint64_t            pending;
    uint64_t            hooks;          /* assets that webhooks wait for */
    uint32_t            cores, memory_mib;      /* for tasks, in all */
    reel_use_t          use;
} reel_gauges_t;

void reel_histogram_add(reel_histogram_t *h, uint64_t ms);

void reel_metrics_claimed(reel_metrics_t *m, reel_task_type_t type,
    uint64_t wait_ms);
void reel_metrics_ran(reel_metrics_t *m, reel_task_type_t type,
    uint64_t run_ms);
/* type: REEL_TASK_TYPES when it is not known; code: of a failure, or NULL */
void reel_metrics_ended(reel_metrics_t *m, reel_task_type_t type,
    reel_ending_t how, const char *code);
/* a second run, besides */
void reel_metrics_second(reel_metrics_t *m, reel_ending_t how);
/* an encode that ended well; media_ms 0: it was none */
void reel_metrics_encoded(reel_metrics_t *m, reel_task_type_t type,
    uint64_t media_ms, uint64_t run_ms);

/* REEL_NOMEM, REEL_LIMIT: b is in error */
reel_err_t reel_metrics_print(reel_buf_t *b, const reel_metrics_t *m,
    const reel_gauges_t *g) REEL_WARN_UNUSED;

/* of bound i, for tests */
uint64_t reel_histogram_bound_ms(unsigned i);

#endif

/*
 * The planner: pipeline + source facts -> tasks.  Pure and deterministic:
 * the same input gives the same tasks, names and payloads, so that a job
 * planned again finds its finished parts.
 */

#ifndef REEL_JOB_PLAN_H
#define REEL_JOB_PLAN_H

#include "lib/base/err.h"
#include "lib/job/pipeline.h"
#include "lib/job/source.h"
#include "lib/job/task.h"

/*
 * What a task needs of the worker that runs it; tasks of equal slots, memory
 * and labels share a queue (docs/redis-keys.md).
 */
#define REEL_SLOTS_LIGHT   0        /* inspect, plan, poster, publish: hardly
                                       a core; also in the light slot */
#define REEL_SLOTS_MAX     256
#define REEL_MEMORY_MAX    (1u << 20)
#define REEL_PRIORITY      4        /* what is not said */
#define REEL_PRIORITY_MAX  9        /* the highest goes first */
#define REEL_LABELS_CAP    96

typedef struct {
    uint32_t slots;                     /* cores */
    uint32_t memory_mib;                /* 0: little */
    char     labels[REEL_LABELS_CAP];   /* csv of [a-z0-9._-]+, sorted, each
                                           once; "" = any worker */
    uint32_t priority;                  /* 0 … REEL_PRIORITY_MAX */
} reel_needs_t;

typedef struct {
    char             name[REEL_TASK_NAME];
    reel_task_type_t type;
    reel_needs_t     needs;
    char            *payload;           /* JSON, owned */
    uint32_t         cost;              /* expected CPU, milliseconds */
    uint32_t         attempts;
    uint32_t         timeout_s;
    /* progress: these renditions gain work_ms each when it is done */
    char             renditions[REEL_TASK_RUNGS * 34];  /* csv, may be "" */
    uint32_t         work_ms;
    uint32_t         node;              /* of the pipeline's */
    uint32_t         each;              /* which of its fan-out */
    uint32_t        *deps;              /* indexes of tasks, owned */
    size_t           ndeps;
} reel_planned_t;

#define REEL_PLAN_LADDER 1024

/* the task of type plan that comes after complexity */
#define REEL_TASK_LADDER "ladder"

typedef struct {
    reel_grid_t     grid;
    char            pictures[REEL_PLAN_WHY];    /* "copied", "copied as …",
                                                   or "encoded: " and why; ""
                                                   where none were to be */
    char            sound[REEL_PLAN_WHY];       /* the same of the sounds */
    bool            copied;             /* rungs[0] is the source's packets */
    reel_rational_t rate;               /* of the film; 0 without pictures */
    reel_video_range_t range;           /* of it; rungs with hdr keep it */
    uint32_t        nrungs;
    reel_video_rung_t rungs[REEL_TASK_RUNGS];
    char            ladder[REEL_PLAN_LADDER];   /* what was made of it for
                                                   this film; "" = nothing */
    reel_planned_t *tasks;              /* in order of urgency */
    size_t          ntasks;
} reel_plan_t;

/*
 * max_duration_s 0 = none; it counts whole seconds.  A task depends on tasks
 * before it only; none depends on inspect or plan, which are done by then.
 * REEL_LIMIT, REEL_UNSUPPORTED (neither video nor
 * audio) with a text for the user.
 */
reel_err_t reel_plan(reel_plan_t *p, const reel_pipeline_t *pl,
    const reel_source_t *src, uint64_t max_duration_s, reel_error_t *e)
    REEL_WARN_UNUSED;
void reel_plan_release(reel_plan_t *p);

/*
 * The same for a source that was only inspected: where the pipeline's rates
 * follow from the film, that is complexity and, behind it, a second plan.
 */
reel_err_t reel_plan_begin(reel_plan_t *p, const reel_pipeline_t *pl,
    const reel_source_t *src, uint64_t max_duration_s, reel_error_t *e)
    REEL_WARN_UNUSED;

/* the grid alone, as reel_plan sets it: rate, timescale, end (pure) */
reel_err_t reel_plan_grid(reel_grid_t *g, const reel_pipeline_t *pl,
    const reel_source_t *src) REEL_WARN_UNUSED;

#endif

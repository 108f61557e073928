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

/* task classes = queues; a worker claims those that fit its free resources */
#define REEL_CLASS_LIGHT  "light"       /* inspect, plan, poster, publish */
#define REEL_CLASS_ENCODE "encode"      /* one core for seconds */

typedef struct {
    char             name[REEL_TASK_NAME];
    reel_task_type_t type;
    const char      *cls;               /* REEL_CLASS_* */
    char            *payload;           /* JSON, owned */
    uint32_t         cost;              /* expected CPU, milliseconds */
    uint32_t         attempts;
    uint32_t         timeout_s;
    /* progress: these renditions gain work_ms each when it is done */
    char             renditions[REEL_TASK_RUNGS * 34];  /* csv, may be "" */
    uint32_t         work_ms;
    uint32_t        *deps;              /* indexes of tasks, owned */
    size_t           ndeps;
} reel_planned_t;

typedef struct {
    reel_grid_t     grid;
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

/* the grid alone, as reel_plan sets it: rate, timescale, end (pure) */
reel_err_t reel_plan_grid(reel_grid_t *g, const reel_pipeline_t *pl,
    const reel_source_t *src) REEL_WARN_UNUSED;

#endif

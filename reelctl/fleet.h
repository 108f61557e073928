/* what live workers have, against what the tasks of a pipeline need */

#ifndef REEL_CTL_FLEET_H
#define REEL_CTL_FLEET_H

#include "lib/job/plan.h"
#include "reelctl/queue.h"

/* those that are alive and do not drain; all is released */
json_t *reel_ctl_fleet_live(json_t *all);

/* does this worker say that it plans that pipeline?  One of before says
   nothing, and may */
bool reel_ctl_fleet_plans(const json_t *worker, const char *pipeline);

/*
 * Adds to report: "workers" (how many), "unmet" (task, why: it would wait for
 * an hour and fail), "mixed" (task, worker, lacks: others have it) and "large"
 * (task, slots, memory_mib: more than any has).  plan: of a film, whose tasks
 * it is about then; or NULL.
 */
void reel_ctl_fleet_report(json_t *report, const json_t *live,
    const reel_pipeline_t *p, const reel_plan_t *plan);

/* a line each; false: something is unmet */
bool reel_ctl_fleet_print(const json_t *report);

#endif

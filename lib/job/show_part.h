/* The parts of show.c.  Private to lib/job. */

#ifndef REEL_JOB_SHOW_PART_H
#define REEL_JOB_SHOW_PART_H

#include "lib/base/json.h"
#include "lib/job/plan.h"

/* name: of a node or a rendition; why: a few words */
typedef void (*reel_left_fn)(void *to, const char *name, const char *why);

/*
 * What the plan, which reel_plan made of pl and src, has no task or rendition
 * of, since its condition does not hold, it would get no file, or it is
 * larger than the film.  Nodes that are off are not among them.
 */
void reel_show_left(const reel_pipeline_t *pl, const reel_plan_t *p,
    const reel_source_t *src, reel_left_fn fn, void *to);

/* an element of an array */
void reel_show_node(reel_json_t *j, const reel_node_t *n);

/* csv as an array */
void reel_show_list(reel_json_t *j, const char *key, const char *csv);

#endif

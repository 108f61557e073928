/*
 * A pipeline, or what it becomes for a source, for people and programs:
 * reelctl pipeline show.
 */

#ifndef REEL_JOB_SHOW_H
#define REEL_JOB_SHOW_H

#include "lib/base/buf.h"
#include "lib/job/plan.h"

typedef enum {
    REEL_SHOW_TEXT,
    REEL_SHOW_JSON,
    REEL_SHOW_DOT               /* Graphviz */
} reel_show_form_t;

/* the nodes as they are written */
reel_err_t reel_show_pipeline(reel_buf_t *b, const reel_pipeline_t *pl,
    reel_show_form_t form) REEL_WARN_UNUSED;

/* the tasks of p, which reel_plan made of pl and src, and what was left out */
reel_err_t reel_show_plan(reel_buf_t *b, const reel_pipeline_t *pl,
    const reel_plan_t *p, const reel_source_t *src, reel_show_form_t form)
    REEL_WARN_UNUSED;

#endif

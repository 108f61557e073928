/* all pipelines of a folder */

#ifndef REEL_WORKERD_PIPELINES_H
#define REEL_WORKERD_PIPELINES_H

#include "lib/base/err.h"
#include "lib/conf/program.h"
#include "lib/job/pipeline.h"
#include "workerd/worker.h"

/* programs_lacking of a worker with as many pipelines as there may be */
#define REEL_LACKING_MAX (1u << 20)

/*
 * Reads each <name>.yaml below dir; free(*out).  One that is wrong fails
 * all (e says which and where); REEL_NOTFOUND when there is none.
 */
reel_err_t reel_pipelines_load(reel_pipeline_t **out, size_t *n,
    const char *dir, reel_error_t *e) REEL_WARN_UNUSED;

/* fn hears of each program of them that cannot be run here */
void reel_pipelines_programs(const reel_pipeline_t *p, size_t n,
    const char *dir, reel_program_fn fn, void *arg);

/* of w's: those go to the log and to programs_lacking, in place of before's; and
   devices that it has not go to the log */
void reel_pipelines_look(reel_worker_t *w);

/* the same at the start, when the log also says how programs are confined */
void reel_pipelines_probe(reel_worker_t *w);

#endif

/* a program that a pipeline names, as this machine has it */

#ifndef REEL_CONF_PROGRAM_H
#define REEL_CONF_PROGRAM_H

#include "lib/base/err.h"
#include "lib/job/pipeline.h"

/*
 * Can it be run here, by this user?  path is absolute.  REEL_NOTFOUND when
 * not, and e says why: it is not there, no file, may not be executed, or is a
 * script whose interpreter cannot be run.  What is in it is not judged.
 */
reel_err_t reel_program_check(const char *path, reel_error_t *e)
    REEL_WARN_UNUSED;

/* task n of p cannot run its program here; text: "file:line: task: why" */
typedef void (*reel_program_fn)(void *arg, const reel_pipeline_t *p,
    const reel_node_t *n, const char *text);

/*
 * fn hears of each program of a pipeline that cannot be run here.  No error:
 * the machine that runs it may be another.
 */
void reel_programs_check(const reel_pipeline_t *p, const char *file,
    reel_program_fn fn, void *arg);

#endif

/*
 * The programs that this worker runs: those that its pipelines name, and
 * those that they named before a reload, for jobs that were planned then.
 * The latter are in memory alone, the newest REEL_PROGRAMS_KEPT of them.
 */

#ifndef REEL_WORKERD_PROGRAMS_H
#define REEL_WORKERD_PROGRAMS_H

#include "lib/job/pipeline.h"
#include "lib/job/task.h"

#define REEL_PROGRAMS_KEPT 256

typedef struct {
    uint32_t nwords;
    char     command[REEL_EXEC_COMMAND];
} reel_program_t;

typedef struct {
    reel_program_t *v;          /* owned, a ring */
    uint32_t        n;
    uint32_t        next;       /* the one that is replaced when it is full */
} reel_programs_t;

/* before new pipelines take the place of these; less is kept without memory */
void reel_programs_keep(reel_programs_t *k, const reel_pipeline_t *p,
    size_t n);
void reel_programs_release(reel_programs_t *k);

/* does one of the n pipelines name just this command, or did one? */
bool reel_programs_known(const reel_programs_t *k, const reel_pipeline_t *p,
    size_t n, const reel_exec_t *t);

/*
 * The node of p that t was planned of, as it is now: of the same name, input
 * and output files and fan-out, whatever its command.  NULL: there is none.
 */
const reel_node_t *reel_programs_same(const reel_pipeline_t *p,
    const reel_exec_t *t);

#endif

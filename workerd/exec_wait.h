/*
 * Waits for a program, and looks meanwhile whether it has more than it may:
 * in its folder, and of processes.  No limit of the kernel's holds for
 * either everywhere: RLIMIT_NPROC does not bind root, and counts all of a
 * user's where there is no namespace.
 */

#ifndef REEL_WORKERD_EXEC_WAIT_H
#define REEL_WORKERD_EXEC_WAIT_H

#include <sys/types.h>

#include "workerd/exec_run.h"

typedef enum {
    REEL_EXEC_ENDED,            /* by itself, or somebody else ended it */
    REEL_EXEC_FULL,             /* its folder has too much */
    REEL_EXEC_MANY              /* it has too many processes */
} reel_exec_end_t;

/*
 * program: a child of the caller, which leads its group, blocks SIGCHLD and
 * is the subreaper of what it starts; watch: another child, which does not
 * count.  When it returns the program has ended, and all of its group.
 */
reel_exec_end_t reel_exec_wait(const reel_exec_run_t *r, pid_t program,
    pid_t watch, int *status);

#endif

/*
 * A process beside exec's child: when that is killed before its program
 * ended, the watch kills the program's group.  PR_SET_PDEATHSIG reaches the
 * program alone, not what it started; a PID namespace ends all of it, where
 * there is one.
 */

#ifndef REEL_WORKERD_EXEC_WATCH_H
#define REEL_WORKERD_EXEC_WATCH_H

#include <sys/types.h>

#include "lib/base/err.h"

typedef struct {
    pid_t pid;
    int   to;                   /* closed by the child's end alone */
} reel_exec_watch_t;

/* before namespaces are left, so that it knows numbers as its starter does */
reel_err_t reel_exec_watch_start(reel_exec_watch_t *w) REEL_WARN_UNUSED;

/* program: the group's leader, a child of the caller */
reel_err_t reel_exec_watch_group(const reel_exec_watch_t *w, pid_t program)
    REEL_WARN_UNUSED;

/* the group is gone: so is the watch when this returns */
void reel_exec_watch_end(reel_exec_watch_t *w);

#endif

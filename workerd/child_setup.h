/*
 * The first steps of a forked child: descriptors in their places, limits,
 * filter, then its work.  Runs in the child only and never returns.
 */

#ifndef REEL_WORKERD_CHILD_SETUP_H
#define REEL_WORKERD_CHILD_SETUP_H

#include <sys/types.h>

#include "workerd/child.h"

#define REEL_CHILD_SOURCE_FD 3
#define REEL_CHILD_CTL_FD    4
#define REEL_CHILD_OUT_FD    5          /* and those after it */

_Noreturn void reel_child_setup(const reel_child_spec_t *spec, int ctl_fd,
    int err_fd, pid_t parent);

#endif

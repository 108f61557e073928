/*
 * The seccomp filter of a program of the pipeline's: what landlock does not
 * know of, or not on every kernel.  Out of reach are the network, other
 * processes, what changes the machine; what changes a file's owner, mode,
 * times or attributes does nothing and says that it did, so that "cp -p" goes
 * on.
 */

#ifndef REEL_WORKERD_EXEC_FILTER_H
#define REEL_WORKERD_EXEC_FILTER_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/base/err.h"

/*
 * In the forked child, last.  It may send no signal to others[0 … n): a
 * process, or a group as kill(2) writes it.  REEL_UNSUPPORTED when the filter
 * cannot be taken.
 */
reel_err_t reel_exec_filter(const pid_t *others, size_t n) REEL_WARN_UNUSED;

#endif

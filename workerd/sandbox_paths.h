/*
 * The sandbox's second layer, below the seccomp filter: a process that holds
 * descriptors and sees no path at all.  The source and the outputs are open
 * when it is taken, so neither needs a rule.
 */

#ifndef REEL_WORKERD_SANDBOX_PATHS_H
#define REEL_WORKERD_SANDBOX_PATHS_H

#include "lib/base/err.h"

typedef enum {
    REEL_PATHS_OPEN,            /* neither is to be had */
    REEL_PATHS_LANDLOCK,
    REEL_PATHS_NAMESPACES
} reel_paths_t;

/*
 * Takes all paths from the calling process and its threads to come, and as
 * far as the kernel can TCP and signals to others.  Irrevocable; single
 * threaded, no_new_privs set.  Landlock where the kernel has it, else an
 * empty root in namespaces of its own, without a network.
 */
reel_paths_t reel_sandbox_hide(void) REEL_WARN_UNUSED;

/* each by itself.  REEL_UNSUPPORTED: the kernel or a policy says no */
reel_err_t reel_sandbox_landlock(void) REEL_WARN_UNUSED;
reel_err_t reel_sandbox_namespaces(void) REEL_WARN_UNUSED;

const char *reel_paths_name(reel_paths_t p);

#endif

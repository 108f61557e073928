/*
 * What confines a child (docs/child-contract.md): resource limits, no new
 * privileges, death with the parent, and for those that touch a source no
 * path to see (sandbox_paths.h) and a seccomp allow-list.  Threads and memory
 * work; files, sockets, processes and other programs are out of reach.
 */

#ifndef REEL_WORKERD_SANDBOX_H
#define REEL_WORKERD_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"
#include "workerd/sandbox_paths.h"

typedef struct {
    uint64_t memory_bytes;      /* RLIMIT_AS; 0 = none */
    uint64_t output_bytes;      /* RLIMIT_FSIZE */
    uint32_t cpu_s;             /* RLIMIT_CPU; 0 = none */
    uint32_t files;             /* RLIMIT_NOFILE; 0 = 64 */

    /*
     * RLIMIT_NPROC: so many threads on top of all that the machine runs
     * when the child begins; 0 = none.  It counts those of one user id,
     * whatever started them, so it can be no closer.  It does not bind root.
     */
    uint32_t threads;
} reel_limits_t;

/*
 * In the child, after its descriptors stand.  parent is who must outlive
 * it: when that is gone already the child ends at once.
 */
reel_err_t reel_sandbox_limits(const reel_limits_t *l, pid_t parent)
    REEL_WARN_UNUSED;

/* irrevocable.  REEL_UNSUPPORTED: the kernel or a filter forbids it */
reel_err_t reel_sandbox_filter(void) REEL_WARN_UNUSED;

/*
 * Forks a child that takes both layers and then tries to open a file and a
 * socket.  *paths: which second layer works.  REEL_UNSUPPORTED when the filter
 * does not.
 */
reel_err_t reel_sandbox_probe(reel_paths_t *paths) REEL_WARN_UNUSED;

#endif

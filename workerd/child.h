/*
 * A forked child and what its parent keeps of it (docs/child-contract.md):
 * descriptors placed, limits and filter taken, its lines collected, the end
 * of its stderr kept, its life limited in time.
 *
 * The parent never waits: lines and the exit arrive as callbacks from the
 * loop, `exited` last and exactly once; after it the child is freed.
 */

#ifndef REEL_WORKERD_CHILD_H
#define REEL_WORKERD_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "workerd/child_io.h"
#include "workerd/loop.h"
#include "workerd/sandbox.h"

#define REEL_CHILD_TAIL 8192

typedef struct reel_proc_s reel_proc_t;

/* runs in the child; returns its exit status */
typedef int (*reel_child_main_fn)(reel_child_t *c, void *arg);

typedef struct {
    reel_child_main_fn main;
    void              *arg;
    reel_child_t       io;      /* source_fd may be -1; fds are borrowed */
    reel_limits_t      limits;
    size_t             line_max;        /* 0 = REEL_CHILD_LINE_MAX */
    uint32_t           timeout_s;       /* of wall time; 0 = none */
    bool               confined;        /* under the seccomp filter … */
    bool               best_effort;     /* … even if it cannot be taken */
} reel_child_spec_t;

typedef enum {
    REEL_EXIT_DONE,             /* status 0 */
    REEL_EXIT_STATUS,           /* another status */
    REEL_EXIT_SIGNAL,
    REEL_EXIT_TIMEOUT,          /* of wall or CPU time */
    REEL_EXIT_KILLED,           /* by reel_child_kill */
    REEL_EXIT_BABBLE            /* a line over line_max, not handed over */
} reel_exit_t;

typedef struct {
    /* line is terminated, without its newline */
    void (*line)(void *arg, const char *line, size_t len);
    /* detail: status or signal number; tail: the end of stderr */
    void (*exited)(void *arg, reel_exit_t how, int detail,
        const char *tail, size_t tail_len);
} reel_child_ops_t;

/* SIGCHLD is handled from here on */
reel_err_t reel_children_init(reel_loop_t *l) REEL_WARN_UNUSED;

/* REEL_NOMEM, REEL_IO (no process or descriptor to be had) */
reel_err_t reel_child_start(reel_loop_t *l, const reel_child_spec_t *spec,
    const reel_child_ops_t *ops, void *arg, reel_proc_t **p)
    REEL_WARN_UNUSED;

/* SIGKILL; exited follows from the loop */
void reel_child_kill(reel_proc_t *p);
int reel_child_pid(const reel_proc_t *p);
/* user and system time, its own children's too; in exited, before it 0 */
uint64_t reel_child_cpu_ms(const reel_proc_t *p);

#endif

/*
 * The event loop of the daemon: poll(2) over descriptors, timers and
 * signals, one thread.  A signal handler only sets a flag and writes a byte
 * into a pipe; the callback runs in the loop.
 *
 * Callbacks may add and remove descriptors, timers and themselves.  The
 * loop never blocks but in poll; whoever is called must return soon.
 */

#ifndef REEL_WORKERD_LOOP_H
#define REEL_WORKERD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

typedef struct reel_loop_s  reel_loop_t;
typedef struct reel_timer_s reel_timer_t;

/* revents as poll(2) gives them */
typedef void (*reel_loop_fd_fn)(void *arg, short revents);
typedef void (*reel_loop_fn)(void *arg);

/* embedded in its owner; a zeroed one is stopped */
struct reel_timer_s {
    reel_timer_t *next, **prev;
    int64_t       at_ms;
    reel_loop_fn  fn;
    void         *arg;
};

reel_loop_t *reel_loop_new(void);                   /* NULL: errno tells */
void reel_loop_free(reel_loop_t *l);                /* NULL is fine */

/*
 * Watches fd for events (POLLIN, POLLOUT), replacing what was watched for
 * it.  REEL_NOMEM.
 */
reel_err_t reel_loop_watch(reel_loop_t *l, int fd, short events,
    reel_loop_fd_fn fn, void *arg) REEL_WARN_UNUSED;
void reel_loop_unwatch(reel_loop_t *l, int fd);     /* before close(fd) */

/* (re)starts t; it fires once, after_ms from now */
void reel_timer_start(reel_loop_t *l, reel_timer_t *t, int64_t after_ms,
    reel_loop_fn fn, void *arg);
void reel_timer_stop(reel_timer_t *t);
bool reel_timer_active(const reel_timer_t *t);

/* REEL_IO when the handler cannot be set */
reel_err_t reel_loop_signal(reel_loop_t *l, int signo, reel_loop_fn fn,
    void *arg) REEL_WARN_UNUSED;

/* runs until reel_loop_stop */
void reel_loop_run(reel_loop_t *l);
void reel_loop_stop(reel_loop_t *l);

/* monotonic milliseconds */
int64_t reel_loop_now(void);

#endif

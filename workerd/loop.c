#include "workerd/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SIGNALS 65

typedef struct {
    int              fd;        /* -1: removed, swept after the turn */
    reel_loop_fd_fn  fn;
    void            *arg;
} watch_t;

struct reel_loop_s {
    watch_t        *watches;
    struct pollfd  *polls;      /* parallel to watches */
    size_t          n, cap;
    reel_timer_t   *timers;
    int             pipe[2];
    reel_loop_fn    signal_fn[SIGNALS];
    void           *signal_arg[SIGNALS];
    bool            stop;
};

/* all that a handler may touch */
static volatile sig_atomic_t  signal_set[SIGNALS];
static volatile sig_atomic_t  signal_fd = -1;


static void
on_signal(int signo)
{
    int      saved = errno;
    ssize_t  rc;

    signal_set[signo] = 1;
    rc = write(signal_fd, "", 1);       /* full: a wake-up is due anyway */
    (void) rc;
    errno = saved;
}


static void
run_signals(void *arg, short revents)
{
    char          junk[64];
    reel_loop_t  *l = arg;

    (void) revents;

    while (read(l->pipe[0], junk, sizeof(junk)) > 0) { /* void */ }

    for (int i = 1; i < SIGNALS; i++) {
        if (signal_set[i]) {
            signal_set[i] = 0;
            if (l->signal_fn[i] != NULL) {
                l->signal_fn[i](l->signal_arg[i]);
            }
        }
    }
}


reel_loop_t *
reel_loop_new(void)
{
    reel_loop_t  *l = calloc(1, sizeof(*l));

    if (l == NULL) {
        return NULL;
    }

    if (pipe2(l->pipe, O_NONBLOCK | O_CLOEXEC) != 0) {
        free(l);
        return NULL;
    }

    if (reel_loop_watch(l, l->pipe[0], POLLIN, run_signals, l) != REEL_OK) {
        reel_loop_free(l);
        return NULL;
    }

    signal_fd = l->pipe[1];

    return l;
}


void
reel_loop_free(reel_loop_t *l)
{
    if (l == NULL) {
        return;
    }

    for (int i = 1; i < SIGNALS; i++) {
        if (l->signal_fn[i] != NULL) {
            signal(i, SIG_DFL);
        }
    }

    signal_fd = -1;
    close(l->pipe[0]);
    close(l->pipe[1]);
    free(l->watches);
    free(l->polls);
    free(l);
}


static reel_err_t
grow(reel_loop_t *l)
{
    size_t          cap = l->cap == 0 ? 16 : l->cap * 2;
    watch_t        *w;
    struct pollfd  *p;

    w = realloc(l->watches, cap * sizeof(*w));
    if (w == NULL) {
        return REEL_NOMEM;
    }
    l->watches = w;

    p = realloc(l->polls, cap * sizeof(*p));
    if (p == NULL) {
        return REEL_NOMEM;
    }
    l->polls = p;
    l->cap = cap;

    return REEL_OK;
}


reel_err_t
reel_loop_watch(reel_loop_t *l, int fd, short events, reel_loop_fd_fn fn,
    void *arg)
{
    size_t  i;

    for (i = 0; i < l->n && l->watches[i].fd != fd; i++) { /* void */ }

    if (i == l->n) {
        if (l->n == l->cap && grow(l) != REEL_OK) {
            return REEL_NOMEM;
        }
        l->n++;
        l->polls[i].revents = 0;
    }

    l->watches[i] = (watch_t) { fd, fn, arg };
    l->polls[i].fd = fd;
    l->polls[i].events = events;

    return REEL_OK;
}


void
reel_loop_unwatch(reel_loop_t *l, int fd)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->watches[i].fd == fd) {
            l->watches[i].fd = -1;
            l->polls[i].fd = -1;
        }
    }
}


void
reel_timer_start(reel_loop_t *l, reel_timer_t *t, int64_t after_ms,
    reel_loop_fn fn, void *arg)
{
    reel_timer_stop(t);

    t->at_ms = reel_loop_now() + after_ms;
    t->fn = fn;
    t->arg = arg;

    t->next = l->timers;
    t->prev = &l->timers;
    if (t->next != NULL) {
        t->next->prev = &t->next;
    }
    l->timers = t;
}


void
reel_timer_stop(reel_timer_t *t)
{
    if (t->prev == NULL) {
        return;
    }

    *t->prev = t->next;
    if (t->next != NULL) {
        t->next->prev = t->prev;
    }
    t->next = NULL;
    t->prev = NULL;
}


bool
reel_timer_active(const reel_timer_t *t)
{
    return t->prev != NULL;
}


reel_err_t
reel_loop_signal(reel_loop_t *l, int signo, reel_loop_fn fn, void *arg)
{
    struct sigaction  sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    if (signo < 1 || signo >= SIGNALS) {
        return REEL_INVAL;
    }

    l->signal_fn[signo] = fn;
    l->signal_arg[signo] = arg;
    sigemptyset(&sa.sa_mask);

    return sigaction(signo, &sa, NULL) == 0 ? REEL_OK : REEL_IO;
}


int64_t
reel_loop_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


/* milliseconds until the next timer; -1 = none */
static int
next_timeout(const reel_loop_t *l)
{
    int64_t  now = reel_loop_now(), best = INT64_MAX;

    for (const reel_timer_t *t = l->timers; t != NULL; t = t->next) {
        if (t->at_ms < best) {
            best = t->at_ms;
        }
    }

    if (best == INT64_MAX) {
        return -1;
    }

    if (best <= now) {
        return 0;
    }

    return best - now > INT_MAX ? INT_MAX : (int) (best - now);
}


/*
 * A timer may start or stop any other: after each one the search begins
 * anew, for those due at the turn's beginning only, so that one which
 * restarts itself with 0 cannot hold the loop.
 */
static void
run_timers(reel_loop_t *l)
{
    int64_t        now = reel_loop_now();
    reel_timer_t  *t, *due;

    for (int turns = 0; turns < 1024; turns++) {
        due = NULL;

        for (t = l->timers; t != NULL; t = t->next) {
            if (t->at_ms <= now && (due == NULL || t->at_ms < due->at_ms)) {
                due = t;
            }
        }

        if (due == NULL) {
            return;
        }

        reel_timer_stop(due);
        due->fn(due->arg);
    }
}


static void
run_watches(reel_loop_t *l)
{
    size_t  n = l->n, kept = 0;

    /* those added meanwhile lie behind n and have no revents */
    for (size_t i = 0; i < n; i++) {
        short  revents = l->polls[i].revents;

        if (l->watches[i].fd >= 0 && revents != 0) {
            l->polls[i].revents = 0;
            l->watches[i].fn(l->watches[i].arg, revents);
        }
    }

    for (size_t i = 0; i < l->n; i++) {
        if (l->watches[i].fd >= 0) {
            l->watches[kept] = l->watches[i];
            l->polls[kept] = l->polls[i];
            kept++;
        }
    }
    l->n = kept;
}


void
reel_loop_run(reel_loop_t *l)
{
    l->stop = false;

    while (!l->stop) {
        int  n = poll(l->polls, (nfds_t) l->n, next_timeout(l));

        if (n > 0) {
            run_watches(l);
        }
        if (!l->stop) {
            run_timers(l);
        }
    }
}


void
reel_loop_stop(reel_loop_t *l)
{
    l->stop = true;
}

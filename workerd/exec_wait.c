#include "workerd/exec_wait.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "workerd/exec_count.h"
#include "workerd/exec_size.h"
#include "workerd/loop.h"

/* between two looks at the folder's size, or at its processes; a long look
   has so many times its time, so that one of much is not made all the time */
#define SIZE_MS     1000
#define SIZE_TIMES  10
#define COUNT_MS    50
#define COUNT_TIMES 20

/* of root, whose programs no limit holds back meanwhile: it looks before any
   of them runs on */
#define AHEAD       -20


/* its end, or that much time: SIGCHLD is blocked */
static void
wait_ms(int64_t ms)
{
    sigset_t         child;
    struct timespec  t = { ms / 1000, ms % 1000 * 1000000 };

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void) sigtimedwait(&child, NULL, &t);
}


/* when the next look is due */
static int64_t
after(int64_t began, int64_t ms, int times)
{
    int64_t  now = reel_loop_now();

    return now + ms + times * (now - began);
}


static bool
is_full(const reel_exec_run_t *r)
{
    return reel_exec_size(r->folder) > r->folder_most;
}


/* and what it left without a parent */
static bool
has_ended(pid_t program, int *status)
{
    int    of;
    pid_t  got;

    do {
        got = waitpid(-program, &of, WNOHANG);
    } while (got > 0 && got != program);

    /* it left its group, where no filter keeps it there */
    if (got < 0 && errno == ECHILD) {
        got = waitpid(program, &of, WNOHANG);
    }

    if (got == program) {
        *status = of;
        return true;
    }

    return got < 0 && errno == ECHILD;
}


static reel_exec_end_t
look_until_it_ends(const reel_exec_run_t *r, pid_t program, pid_t watch,
    int *status)
{
    int64_t  now, size_due, count_due, began = reel_loop_now();

    size_due = began + SIZE_MS;
    count_due = began + COUNT_MS;

    while (!has_ended(program, status)) {
        now = reel_loop_now();

        if (now >= count_due) {
            if (reel_exec_count(getpid(), watch, r->tasks_most)
                > r->tasks_most)
            {
                return REEL_EXEC_MANY;
            }
            count_due = after(now, COUNT_MS, COUNT_TIMES);

        } else if (now >= size_due) {
            if (is_full(r)) {
                return REEL_EXEC_FULL;
            }
            size_due = after(now, SIZE_MS, SIZE_TIMES);

        } else {
            wait_ms((size_due < count_due ? size_due : count_due) - now);
        }
    }

    return REEL_EXEC_ENDED;
}


reel_exec_end_t
reel_exec_wait(const reel_exec_run_t *r, pid_t program, pid_t watch,
    int *status)
{
    int              was = getpriority(PRIO_PROCESS, 0);
    reel_exec_end_t  end;

    (void) setpriority(PRIO_PROCESS, 0, AHEAD);
    end = look_until_it_ends(r, program, watch, status);

    /* what it left behind writes into its folder no more */
    (void) kill(-program, SIGKILL);
    if (end != REEL_EXEC_ENDED) {
        (void) kill(program, SIGKILL);
        while (waitpid(program, status, 0) < 0 && errno == EINTR) {
            /* void */
        }
    }
    while (waitpid(-program, NULL, 0) > 0 || errno == EINTR) {
        /* void */
    }
    (void) setpriority(PRIO_PROCESS, 0, was);

    /* one that was quick, too */
    if (end == REEL_EXEC_ENDED && is_full(r)) {
        end = REEL_EXEC_FULL;
    }

    return end;
}

#include "workerd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workerd/child_setup.h"
#include "workerd/log.h"

#define READ_CHUNK 65536

/* more than the pipes hold of one that ended: what is read beyond is of
   others that still have them open */
#define DRAIN_MAX  (1 << 20)

struct reel_proc_s {
    reel_proc_t             *next;
    reel_loop_t             *loop;
    const reel_child_ops_t  *ops;
    void                    *arg;
    pid_t                    pid;
    int                      ctl;       /* -1 once it ended */
    int                      err;
    char                    *line;      /* what came after the last newline */
    size_t                   len, cap;
    size_t                   line_max;
    char                     tail[REEL_CHILD_TAIL + 1];
    size_t                   tail_len;
    reel_timer_t             timer;
    uint64_t                 cpu_ms;    /* once reaped */
    bool                     reaped;
    bool                     killed, timed_out, babbled;
    int                      status;
};

static reel_proc_t  *procs;


static void
close_end(reel_proc_t *p, int *fd)
{
    if (*fd >= 0) {
        reel_loop_unwatch(p->loop, *fd);
        close(*fd);
        *fd = -1;
    }
}


/* hands over each whole line of what was read; REEL_LIMIT: one is too long */
static reel_err_t
take_lines(reel_proc_t *p)
{
    char    *nl;
    size_t   len, from = 0;

    while ((nl = memchr(p->line + from, '\n', p->len - from)) != NULL) {
        len = (size_t) (nl - p->line) - from;
        if (len >= p->line_max) {
            return REEL_LIMIT;
        }

        *nl = '\0';
        p->ops->line(p->arg, p->line + from, len);
        from += len + 1;
    }

    memmove(p->line, p->line + from, p->len - from);
    p->len -= from;

    return p->len < p->line_max ? REEL_OK : REEL_LIMIT;
}


static reel_err_t
make_room(reel_proc_t *p)
{
    char    *grown;
    size_t   cap;

    if (p->cap - p->len >= READ_CHUNK) {
        return REEL_OK;
    }

    cap = p->cap == 0 ? READ_CHUNK : p->cap * 2;
    grown = realloc(p->line, cap);
    if (grown == NULL) {
        return REEL_NOMEM;
    }
    p->line = grown;
    p->cap = cap;

    return make_room(p);
}


/* its lines are of no use any more */
static void
silence(reel_proc_t *p)
{
    p->babbled = true;
    if (!p->reaped) {
        kill(p->pid, SIGKILL);
    }
    close_end(p, &p->ctl);
}


/* until the pipe is dry or ended, or gave that many bytes */
static void
read_ctl(reel_proc_t *p, size_t most)
{
    size_t   got = 0;
    ssize_t  n;

    do {
        if (p->ctl < 0) {
            return;
        }

        if (make_room(p) != REEL_OK) {
            silence(p);
            return;
        }

        n = read(p->ctl, p->line + p->len, p->cap - p->len);

        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }

        if (n <= 0) {
            close_end(p, &p->ctl);
            return;
        }

        got += (size_t) n;
        p->len += (size_t) n;
        if (take_lines(p) != REEL_OK) {
            silence(p);
            return;
        }
    } while (got < most);
}


static void
read_err(reel_proc_t *p, size_t most)
{
    char     chunk[4096];
    size_t   keep, got = 0;
    ssize_t  n;

    do {
        if (p->err < 0) {
            return;
        }

        n = read(p->err, chunk, sizeof(chunk));

        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }

        if (n <= 0) {
            close_end(p, &p->err);
            return;
        }

        keep = REEL_CHILD_TAIL - (size_t) n;
        if (p->tail_len > keep) {
            memmove(p->tail, p->tail + p->tail_len - keep, keep);
            p->tail_len = keep;
        }
        memcpy(p->tail + p->tail_len, chunk, (size_t) n);
        p->tail_len += (size_t) n;
        got += (size_t) n;
    } while (got < most);
}


static void
on_ctl(void *arg, short revents)
{
    (void) revents;
    read_ctl(arg, 1);
}


static void
on_err(void *arg, short revents)
{
    (void) revents;
    read_err(arg, 1);
}


static reel_exit_t
exit_of(const reel_proc_t *p, int *detail)
{
    *detail = WIFEXITED(p->status) ? WEXITSTATUS(p->status)
                                   : WTERMSIG(p->status);

    if (WIFEXITED(p->status) && *detail == 0 && !p->babbled) {
        return REEL_EXIT_DONE;
    }
    if (p->killed) {
        return REEL_EXIT_KILLED;
    }
    if (p->timed_out
        || (WIFSIGNALED(p->status) && *detail == SIGXCPU))
    {
        return REEL_EXIT_TIMEOUT;
    }
    if (p->babbled) {
        return REEL_EXIT_BABBLE;
    }

    return WIFEXITED(p->status) ? REEL_EXIT_STATUS : REEL_EXIT_SIGNAL;
}


static void
proc_end(reel_proc_t *p)
{
    int           detail;
    reel_exit_t   how;
    reel_proc_t **at;

    /* what it wrote last is still in the pipes */
    read_ctl(p, DRAIN_MAX);
    read_err(p, DRAIN_MAX);

    for (at = &procs; *at != p; at = &(*at)->next) { /* void */ }
    *at = p->next;

    close_end(p, &p->ctl);
    close_end(p, &p->err);
    reel_timer_stop(&p->timer);

    how = exit_of(p, &detail);
    p->tail[p->tail_len] = '\0';
    p->ops->exited(p->arg, how, detail, p->tail, p->tail_len);

    free(p->line);
    free(p);
}


static uint64_t
cpu_ms(const struct rusage *u)
{
    return ((uint64_t) u->ru_utime.tv_sec + (uint64_t) u->ru_stime.tv_sec)
           * 1000
           + ((uint64_t) u->ru_utime.tv_usec
              + (uint64_t) u->ru_stime.tv_usec) / 1000;
}


static reel_proc_t *
reap_one(void)
{
    struct rusage  used;

    for (reel_proc_t *p = procs; p != NULL; p = p->next) {
        if (wait4(p->pid, &p->status, WNOHANG, &used) == p->pid) {
            p->cpu_ms = cpu_ms(&used);
            p->reaped = true;
            return p;
        }
    }

    return NULL;
}


/* an exit's callback may start another child: look anew each time */
static void
on_sigchld(void *arg)
{
    reel_proc_t  *p;

    (void) arg;

    while ((p = reap_one()) != NULL) {
        proc_end(p);
    }
}


reel_err_t
reel_children_init(reel_loop_t *l)
{
    return reel_loop_signal(l, SIGCHLD, on_sigchld, NULL);
}


static void
on_timeout(void *arg)
{
    reel_proc_t  *p = arg;

    p->timed_out = true;
    kill(p->pid, SIGKILL);
}


static reel_err_t
watch(reel_proc_t *p)
{
    reel_err_t  err;

    err = reel_loop_watch(p->loop, p->ctl, POLLIN, on_ctl, p);
    if (err == REEL_OK) {
        err = reel_loop_watch(p->loop, p->err, POLLIN, on_err, p);
    }

    return err;
}


reel_err_t
reel_child_start(reel_loop_t *l, const reel_child_spec_t *spec,
    const reel_child_ops_t *ops, void *arg, reel_proc_t **out)
{
    int           ctl[2] = { -1, -1 }, err[2] = { -1, -1 };
    pid_t         parent = getpid();
    reel_err_t    rc = REEL_IO;
    reel_proc_t  *p = calloc(1, sizeof(*p));

    if (p == NULL) {
        return REEL_NOMEM;
    }

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ctl) != 0
        || pipe2(err, O_CLOEXEC) != 0
        || fcntl(ctl[0], F_SETFL, O_NONBLOCK) != 0
        || fcntl(err[0], F_SETFL, O_NONBLOCK) != 0)
    {
        goto fail;
    }

    p->loop = l;
    p->ops = ops;
    p->arg = arg;
    p->line_max = spec->line_max != 0 ? spec->line_max : REEL_CHILD_LINE_MAX;
    p->ctl = ctl[0];
    p->err = err[0];

    rc = watch(p);
    if (rc != REEL_OK) {
        goto fail;
    }

    p->pid = fork();

    if (p->pid == 0) {
        reel_child_setup(spec, ctl[1], err[1], parent);
    }

    if (p->pid < 0) {
        rc = REEL_IO;
        goto fail;
    }

    close(ctl[1]);
    close(err[1]);

    if (spec->timeout_s != 0) {
        reel_timer_start(l, &p->timer, (int64_t) spec->timeout_s * 1000,
                         on_timeout, p);
    }

    p->next = procs;
    procs = p;
    *out = p;

    return REEL_OK;

fail:

    for (int i = 0; i < 2; i++) {
        if (ctl[i] >= 0) {
            reel_loop_unwatch(l, ctl[i]);
            close(ctl[i]);
        }
        if (err[i] >= 0) {
            reel_loop_unwatch(l, err[i]);
            close(err[i]);
        }
    }
    free(p);

    return rc;
}


void
reel_child_kill(reel_proc_t *p)
{
    p->killed = true;
    if (!p->reaped) {
        kill(p->pid, SIGKILL);
    }
}


int
reel_child_pid(const reel_proc_t *p)
{
    return (int) p->pid;
}


uint64_t
reel_child_cpu_ms(const reel_proc_t *p)
{
    return p->cpu_ms;
}

#include "workerd/child_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* above all places, so that no dup2 overwrites what is still to be moved */
#define HIGH_FD 64

static void
die(const char *what)
{
    dprintf(STDERR_FILENO, "child: %s: %s\n", what, strerror(errno));
    _exit(1);
}


static int
lift(int fd)
{
    int  high = fcntl(fd, F_DUPFD, HIGH_FD);

    if (high < 0) {
        die("F_DUPFD");
    }

    return high;
}


static void
place(int high, int fd)
{
    if (dup2(high, fd) < 0) {
        die("dup2");
    }
}


static void
place_fds(reel_child_t *io, int ctl_fd, int err_fd)
{
    int  nul, source, ctl, err, image = -1, out[REEL_CHILD_OUTPUTS];
    int  last = REEL_CHILD_OUT_FD + (int) io->nout;

    /* stderr first: from here on a fault has somewhere to be told */
    err = lift(err_fd);
    place(err, STDERR_FILENO);
    place(err, STDOUT_FILENO);

    nul = open("/dev/null", O_RDWR);
    if (nul < 0) {
        die("/dev/null");
    }

    nul = lift(nul);
    source = lift(io->source_fd >= 0 ? io->source_fd : nul);
    ctl = lift(ctl_fd);
    for (unsigned i = 0; i < io->nout; i++) {
        out[i] = lift(io->out_fd[i]);
    }
    if (io->image_fd > 0) {
        image = lift(io->image_fd);
    }

    place(nul, STDIN_FILENO);
    place(source, REEL_CHILD_SOURCE_FD);
    place(ctl, REEL_CHILD_CTL_FD);
    for (unsigned i = 0; i < io->nout; i++) {
        place(out[i], REEL_CHILD_OUT_FD + (int) i);
        io->out_fd[i] = REEL_CHILD_OUT_FD + (int) i;
    }

    if (image >= 0) {
        place(image, last);
        io->image_fd = last++;
    }

    if (close_range((unsigned) last, ~0u, 0) != 0) {
        die("close_range");
    }

    io->source_fd = REEL_CHILD_SOURCE_FD;
    io->ctl_fd = REEL_CHILD_CTL_FD;
}


static void
reset_signals(void)
{
    sigset_t  none;

    for (int i = 1; i < NSIG; i++) {
        signal(i, SIG_DFL);
    }

    /* the parent closing its end is told by the write */
    signal(SIGPIPE, SIG_IGN);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}


static int
confine(const reel_child_spec_t *spec)
{
    reel_av_prewarm();

    /* main.c said at the start whether there is such a layer here */
    (void) !reel_sandbox_hide();

    if (reel_sandbox_filter() == REEL_OK) {
        return 0;
    }

    if (spec->best_effort) {
        dprintf(STDERR_FILENO, "child: no seccomp filter, going on\n");
        return 0;
    }

    dprintf(STDERR_FILENO, "child: the seccomp filter was refused\n");
    return -1;
}


/* so that what the parent publishes is on the medium already */
static int
sync_outputs(reel_child_t *io)
{
    for (unsigned i = 0; i < io->nout; i++) {
        reel_err_t  err = reel_child_sync(io->out_fd[i]);

        if (err != REEL_OK) {
            return reel_child_fail(io, true, err == REEL_NOSPACE ? "NO_SPACE"
                                   : "IO", "write", "fdatasync of output %u "
                                   "failed: %s", i, strerror(errno));
        }
    }

    return 0;
}


void
reel_child_setup(const reel_child_spec_t *spec, int ctl_fd, int err_fd,
    pid_t parent)
{
    int           rc;
    reel_child_t  io = spec->io;

    reset_signals();
    place_fds(&io, ctl_fd, err_fd);
    mallopt(M_PERTURB, 0);              /* main.c set it */

    if (reel_sandbox_limits(&spec->limits, parent) != REEL_OK) {
        die("limits");
    }

    if (spec->confined && confine(spec) != 0) {
        _exit(1);
    }

    rc = spec->main(&io, spec->arg);

    if (rc == 0) {
        rc = sync_outputs(&io);
    }

    fflush(stderr);

    /* not exit(): the parent's atexit handlers and buffers are not ours */
    _exit(rc);
}

#include "workerd/exec_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>


/* of a pid, or of nothing before the end */
static bool
hear(pid_t *pid)
{
    ssize_t  n;

    do {
        n = read(STDIN_FILENO, pid, sizeof(*pid));
    } while (n < 0 && errno == EINTR);

    return n == (ssize_t) sizeof(*pid);
}


_Noreturn static void
watch(int from)
{
    pid_t     pid, program = 0;
    sigset_t  all;

    /* a terminal's Ctrl-C ends the child, and is no end of the watch */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);

    if (dup2(from, STDIN_FILENO) < 0
        || close_range(STDIN_FILENO + 1, ~0u, 0) != 0)
    {
        _exit(1);
    }

    while (hear(&pid)) {
        program = pid;
    }

    if (program > 0) {
        (void) kill(-program, SIGKILL);
    }

    _exit(0);
}


reel_err_t
reel_exec_watch_start(reel_exec_watch_t *w)
{
    int  fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0) {
        return REEL_IO;
    }

    w->pid = fork();
    w->to = fds[1];

    if (w->pid == 0) {
        watch(fds[0]);
    }

    close(fds[0]);

    if (w->pid < 0) {
        close(w->to);
        return REEL_IO;
    }

    return REEL_OK;
}


reel_err_t
reel_exec_watch_group(const reel_exec_watch_t *w, pid_t program)
{
    /* it does so itself; whoever is first */
    (void) setpgid(program, program);

    return write(w->to, &program, sizeof(program)) == sizeof(program)
           ? REEL_OK : REEL_IO;
}


void
reel_exec_watch_end(reel_exec_watch_t *w)
{
    /* not by closing: the group's number may be another's by now */
    (void) kill(w->pid, SIGKILL);

    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR) {
        /* void */
    }

    close(w->to);
}

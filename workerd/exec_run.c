#include "workerd/exec_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workerd/exec_filter.h"
#include "workerd/exec_folder.h"
#include "workerd/exec_sandbox.h"
#include "workerd/exec_wait.h"
#include "workerd/exec_watch.h"

#define MIB         (UINT64_C(1) << 20)
#define COPY_BYTES  65536
#define BEHIND      5           /* nice, more than the daemon's */

/* of the program before it runs: what could not be done */
#define STATUS_INPUT     120
#define STATUS_LANDLOCK  121
#define STATUS_SETUP     122
#define STATUS_NONE      123

/* the kernel's limit is so many times that which ends a program: one that
   does not get a process ends by itself, without a word of why */
#define TASKS_TIMES  2

/* its namespaces, and what it must leave alone when none hides it */
typedef struct {
    reel_spaces_t spaces;
    bool          shm;          /* a /dev/shm of its own */
    pid_t         others[4];
    size_t        n;
} around_t;


/* its own folder, and what killed tries of the task left */
static void
remove_folders(const reel_exec_run_t *r)
{
    char  *job = strdup(r->folder);

    if (job != NULL) {
        *strrchr(job, '/') = '\0';
        reel_exec_folders_del(job, r->name);
    }

    free(job);
}


/* folders on the way to in/<task>/<file> */
static int
link_input(int dir, const reel_exec_file_t *f)
{
    char   at[sizeof(f->name) + 8];
    char  *slash;

    (void) snprintf(at, sizeof(at), "in/%s", f->name);
    slash = strchr(at + 3, '/');

    if (slash != NULL) {
        *slash = '\0';
        if (mkdirat(dir, at, 0700) != 0 && errno != EEXIST) {
            return -1;
        }
        *slash = '/';
    }

    return symlinkat(f->path, dir, at);
}


/* the folder's descriptor, or -1 */
static int
make_folder(const reel_exec_run_t *r)
{
    int  dir;

    if (mkdir(r->folder, 0700) != 0) {
        return -1;
    }

    dir = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0 || mkdirat(dir, "in", 0700) != 0
        || mkdirat(dir, "out", 0700) != 0 || mkdirat(dir, "tmp", 0700) != 0)
    {
        return -1;
    }

    for (size_t i = 0; i < r->nfiles; i++) {
        if (link_input(dir, &r->files[i]) != 0) {
            return -1;
        }
    }

    return dir;
}


static void
set(const char *name, const char *fmt, ...) REEL_PRINTF(2, 3);

static void
set(const char *name, const char *fmt, ...)
{
    char     text[512];
    va_list  ap;

    va_start(ap, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    (void) setenv(name, text, 1);
}


/* nothing of the daemon's environment reaches the program */
static void
set_environment(const reel_exec_run_t *r, int ctl_fd)
{
    const reel_exec_t  *t = r->task;

    (void) clearenv();
    set("PATH", "/usr/local/bin:/usr/bin:/bin");
    set("LANG", "C.UTF-8");
    set("HOME", "%s/tmp", r->folder);
    set("TMPDIR", "%s/tmp", r->folder);
    set("REEL_CONTROL_FD", "%d", ctl_fd);
    set("REEL_ASSET", "%s", r->asset);
    set("REEL_JOB", "%s", r->job);
    set("REEL_TASK", "%s", r->name);
    set("REEL_NUMBER", "%u", t->number);
    set("REEL_FROM_MS", "%u", t->from_ms);
    set("REEL_TO_MS", "%u", t->to_ms);
    set("REEL_WIDTH", "%u", t->width);
    set("REEL_HEIGHT", "%u", t->height);
    set("REEL_RENDITION", "%s", t->rendition);
    set("REEL_LANGUAGE", "%s", t->language);
    if (t->stream >= 0) {
        set("REEL_STREAM", "%d", t->stream);
    }
}


static int
confine(const reel_exec_run_t *r, const around_t *a)
{
    reel_err_t         err;
    const char        *files[REEL_EXEC_INPUTS + 2];
    reel_exec_paths_t  p = {
        .folder = r->folder, .program = r->task->command,
        .files = files, .nfiles = r->nfiles,
        .devices = r->devices, .ndevices = r->ndevices, .shm = a->shm
    };

    for (size_t i = 0; i < r->nfiles; i++) {
        files[i] = r->files[i].path;
    }

    err = reel_exec_landlock(&p);

    if (err == REEL_NOTFOUND) {
        return STATUS_NONE;
    }
    if (err == REEL_AGAIN) {
        return STATUS_INPUT;
    }
    if (err == REEL_UNSUPPORTED && r->best_effort) {
        dprintf(STDERR_FILENO, "child: no landlock, going on\n");
        err = REEL_OK;
    }
    if (err != REEL_OK) {
        return err == REEL_UNSUPPORTED ? STATUS_LANDLOCK : STATUS_SETUP;
    }

    if (reel_exec_filter(a->others, a->n) != REEL_OK
        && !r->best_effort)
    {
        return STATUS_SETUP;
    }

    return 0;
}


_Noreturn static void
become(const reel_exec_run_t *r, const reel_child_t *c, pid_t parent,
    const around_t *a)
{
    int       rc;
    char     *argv[REEL_EXEC_WORDS + 1], *word;
    sigset_t  none;

    (void) setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);

    /* however many it starts, the daemon gets its turn */
    (void) !nice(BEHIND);
    reel_exec_limit(a->spaces, r->tasks_most * TASKS_TIMES);

    /* in a namespace of its own the parent's number is 0 */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0
        || (getppid() != parent && getppid() != 0)
        || chdir(r->folder) != 0)
    {
        _exit(STATUS_SETUP);
    }

    set_environment(r, c->ctl_fd);
    word = (char *) r->task->command;

    for (uint32_t i = 0; i < r->task->nwords; i++) {
        argv[i] = word;
        word += strlen(word) + 1;
    }
    argv[r->task->nwords] = NULL;

    rc = confine(r, a);
    if (rc != 0) {
        _exit(rc);
    }

    /* stdin, stdout, stderr and the line to the parent stay open */
    if (fcntl(c->ctl_fd, F_SETFD, 0) != 0
        || close_range(3, (unsigned) c->ctl_fd - 1, CLOSE_RANGE_CLOEXEC) != 0
        || close_range((unsigned) c->ctl_fd + 1, ~0u, CLOSE_RANGE_CLOEXEC)
           != 0)
    {
        _exit(STATUS_SETUP);
    }

    execv(argv[0], argv);
    dprintf(STDERR_FILENO, "child: %s: %s\n", argv[0], strerror(errno));
    _exit(STATUS_NONE);
}


static int
judge(reel_child_t *c, const reel_exec_run_t *r, int status,
    reel_exec_end_t end)
{
    const char  *program = r->task->command;

    if (end == REEL_EXEC_MANY) {
        return reel_child_fail(c, true, "BAD_PIPELINE", r->name, "%s was "
                               "ended: it has more than %u processes and "
                               "threads (limits.processes)", program,
                               r->tasks_most);
    }

    if (end == REEL_EXEC_FULL) {
        return reel_child_fail(c, true, "BAD_PIPELINE", r->name, "%s was "
                               "ended: its folder holds more than %llu MiB "
                               "(its outputs' max_mib and "
                               "limits.folder_mib)", program,
                               (unsigned long long) (r->folder_most / MIB));
    }

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return 0;
    }

    if (WIFSIGNALED(status)) {
        return reel_child_fail(c, true, WTERMSIG(status) == SIGXCPU
                               ? "TIMEOUT" : "CRASHED", r->name,
                               "%s was killed by signal %d", program,
                               WTERMSIG(status));
    }

    switch (WEXITSTATUS(status)) {
    case STATUS_INPUT:
        return reel_child_fail(c, true, "IO", r->name, "an input cannot be "
                               "opened");
    case STATUS_LANDLOCK:
        return reel_child_fail(c, true, "INTERNAL", "sandbox", "this kernel "
                               "has no landlock, which exec needs");
    case STATUS_SETUP:
        return reel_child_fail(c, true, "INTERNAL", "sandbox", "%s cannot be "
                               "confined", program);
    case STATUS_NONE:
        return reel_child_fail(c, true, "BAD_PIPELINE", r->name, "%s cannot "
                               "be run on this worker", program);
    default:
        return reel_child_fail(c, true, "CRASHED", r->name, "%s ended with "
                               "status %d", program, WEXITSTATUS(status));
    }
}


static int
copy(reel_child_t *c, const reel_exec_run_t *r, int from, unsigned i,
    uint64_t *bytes)
{
    char        chunk[COPY_BYTES];
    ssize_t     n;
    reel_err_t  err;
    uint64_t    most = r->task->outputs[i].max_mib * MIB;

    *bytes = 0;

    while ((n = read(from, chunk, sizeof(chunk))) > 0) {
        *bytes += (uint64_t) n;

        if (*bytes > most) {
            return reel_child_fail(c, true, "BAD_PIPELINE", "write", "out/%s "
                                   "has more than %u MiB",
                                   r->task->outputs[i].name,
                                   r->task->outputs[i].max_mib);
        }

        err = reel_child_write(c->out_fd[i], chunk, (size_t) n);
        if (err != REEL_OK) {
            return reel_child_fail(c, true, err == REEL_NOSPACE ? "NO_SPACE"
                                   : "IO", "write", "output %u", i);
        }
    }

    return n == 0 ? 0 : reel_child_fail(c, true, "IO", "write", "out/%s: %s",
                                        r->task->outputs[i].name,
                                        strerror(errno));
}


/* out is the folder as it was before the program: no link leads elsewhere */
static int
take_output(reel_child_t *c, const reel_exec_run_t *r, int out, unsigned i)
{
    int                   fd, rc;
    uint64_t              bytes;
    reel_buf_t            b;
    struct stat           st;
    const reel_output_t  *o = &r->task->outputs[i];

    fd = openat(out, o->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0) {
            close(fd);
        }
        return reel_child_fail(c, true, "CRASHED", r->name,
                               "%s made no file out/%s", r->task->command,
                               o->name);
    }

    rc = copy(c, r, fd, i, &bytes);
    close(fd);

    if (rc != 0) {
        return rc;
    }

    reel_buf_init(&b, 256);
    reel_buf_printf(&b, "{\"file\":{\"bytes\":%llu},\"output\":%u}",
                    (unsigned long long) bytes, i);

    return reel_child_line(c, &b) == REEL_OK ? 0 : 1;
}


static int
run_program(reel_child_t *c, const reel_exec_run_t *r)
{
    int                rc, status = 0;
    pid_t              pid, self = getpid();
    around_t           around = { .n = 0 };
    sigset_t           child;
    reel_exec_end_t    end;
    reel_exec_watch_t  w;

    if (reel_exec_watch_start(&w) != REEL_OK) {
        return reel_child_fail(c, true, "IO", "fork", "%s", strerror(errno));
    }

    around.spaces = reel_exec_unshare();
    if (around.spaces == REEL_SPACES_NONE) {
        around = (around_t) { REEL_SPACES_NONE, false,
                              { self, w.pid, getppid(), -getpgid(0) }, 4 };
    } else {
        around.shm = reel_exec_own_shm();
    }

    /* what lost its parent is found, and counted */
    (void) prctl(PR_SET_CHILD_SUBREAPER, 1);

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    pid = fork();

    if (pid == 0) {
        become(r, c, self, &around);
    }

    if (pid < 0) {
        rc = reel_child_fail(c, true, "IO", "fork", "%s", strerror(errno));

    } else {
        /* one that nobody would end does not go on */
        if (reel_exec_watch_group(&w, pid) != REEL_OK) {
            (void) kill(pid, SIGKILL);
        }
        end = reel_exec_wait(r, pid, w.pid, &status);
        rc = judge(c, r, status, end);
    }

    reel_exec_watch_end(&w);

    return rc;
}


int
reel_exec_run(reel_child_t *c, const reel_exec_run_t *r)
{
    int  dir, out = -1, rc;

    remove_folders(r);
    dir = make_folder(r);

    if (dir >= 0) {
        out = openat(dir, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (out < 0) {
        rc = reel_child_fail(c, true, errno == ENOSPC ? "NO_SPACE" : "IO",
                             "prepare", "the folder: %s", strerror(errno));
    } else {
        rc = run_program(c, r);
    }

    for (unsigned i = 0; rc == 0 && i < r->task->noutputs; i++) {
        rc = take_output(c, r, out, i);
    }

    if (dir >= 0) {
        close(dir);
    }
    if (out >= 0) {
        close(out);
    }
    remove_folders(r);

    return rc;
}

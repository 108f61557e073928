/*
 * A program of the pipeline's against what is beside its folder: each call by
 * its number, on files that it may not see or only read.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "workerd/exec_filter.h"
#include "workerd/exec_sandbox.h"

#define CALL_FCHMODAT2 452

static char  dir[] = "/tmp/reel-exec-XXXXXX";
static char  own[64], source[64], other[64], mine[64];
static int   wrong;             /* in the child */
static bool  hidden;            /* by landlock */


static void
put(const char *path)
{
    int  fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "film", 4), 4);
    close(fd);
}


static int
setup(void **state)
{
    (void) state;

    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    snprintf(own, sizeof(own), "%s/own", dir);
    snprintf(mine, sizeof(mine), "%s/own/mine", dir);
    snprintf(source, sizeof(source), "%s/source", dir);
    snprintf(other, sizeof(other), "%s/other", dir);
    put(source);
    put(other);

    return mkdir(own, 0700);
}


static int
teardown(void **state)
{
    char  command[64];

    (void) state;
    snprintf(command, sizeof(command), "rm -rf %s", dir);

    return system(command);
}


/* want: the error, 0 for none, -1 for any */
static void
expect(const char *what, long rc, int want)
{
    int  got = rc == -1 ? errno : 0;

    if (want == -1 ? got == 0 : got != want) {
        dprintf(STDERR_FILENO, "%s: %d, not %d\n", what, got, want);
        wrong++;
    }
}

#define CALL(want, name, ...) \
    expect(#name " " #__VA_ARGS__, syscall(SYS_ ## name, __VA_ARGS__), want)


static void
try_file(const char *path)
{
    struct timespec  ts[2] = { { 1, 0 }, { 1, 0 } };

    CALL(0, fchmodat, AT_FDCWD, path, 0);
    CALL(0, fchownat, AT_FDCWD, path, 65534, 65534, 0);
    CALL(0, utimensat, AT_FDCWD, path, ts, 0);
    CALL(0, setxattr, path, "user.x", "x", 1, 0);
    CALL(0, lsetxattr, path, "user.x", "x", 1, 0);
    CALL(0, removexattr, path, "user.x");
    CALL(0, lremovexattr, path, "user.x");
    expect("fchmodat2", syscall(CALL_FCHMODAT2, AT_FDCWD, path, 0, 0), 0);
#ifdef SYS_chmod
    CALL(0, chmod, path, 0);
    CALL(0, chown, path, 65534, 65534);
    CALL(0, lchown, path, 65534, 65534);
    CALL(0, utime, path, NULL);
    CALL(0, utimes, path, NULL);
    CALL(0, futimesat, AT_FDCWD, path, NULL);
    CALL(EPERM, open, path, O_RDONLY | O_TRUNC);
    CALL(EPERM, open, path, O_ACCMODE);
#endif
    CALL(EPERM, truncate, path, 0);
    CALL(EPERM, openat, AT_FDCWD, path, O_RDONLY | O_TRUNC);
    CALL(EPERM, openat, AT_FDCWD, path, O_ACCMODE | O_TRUNC);
    CALL(ENOSYS, openat2, AT_FDCWD, path, NULL, 0);

    if (hidden) {
        CALL(-1, openat, AT_FDCWD, path, O_WRONLY);
        CALL(-1, unlinkat, AT_FDCWD, path, 0);
    }
}


static void
try_descriptor(int fd)
{
    int              flags = 0;
    struct timespec  ts[2] = { { 1, 0 }, { 1, 0 } };

    CALL(0, fchmod, fd, 0);
    CALL(0, fchown, fd, 65534, 65534);
    CALL(0, utimensat, fd, NULL, ts, 0);
    CALL(0, fsetxattr, fd, "user.x", "x", 1, 0);
    CALL(0, fremovexattr, fd, "user.x");
    CALL(EPERM, ioctl, fd, FS_IOC_SETFLAGS, &flags);
    CALL(EPERM, fcntl, fd, F_SETLEASE, F_RDLCK);
    CALL(EPERM, fcntl, fd, F_SETOWN, getppid());
    CALL(EPERM, inotify_init1, 0);
    CALL(EPERM, fanotify_init, 0, 0);
}


static void
try_processes(pid_t parent)
{
    struct rlimit  rl;

    CALL(EPERM, kill, -1, 0);
    CALL(EPERM, kill, parent, 0);
    CALL(EPERM, kill, -getpgid(0), 0);
    CALL(EPERM, tkill, parent, 0);
    CALL(EPERM, tgkill, parent, parent, 0);
    CALL(EPERM, rt_sigqueueinfo, getpid(), SIGTERM, NULL);
    CALL(EPERM, pidfd_send_signal, -1, 0, NULL, 0);
    CALL(EPERM, prlimit64, parent, RLIMIT_CPU, NULL, &rl);
    CALL(EPERM, prctl, PR_SET_PDEATHSIG, 0);

    CALL(0, kill, getpid(), 0);
    CALL(0, tgkill, getpid(), getpid(), 0);
    CALL(0, prlimit64, 0, RLIMIT_CPU, NULL, &rl);
    CALL(0, prctl, PR_SET_NAME, "program");
}


/* what an honest one does in its folder */
static void
try_own(void)
{
    int  fd = open(mine, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    expect("a file of its own", fd, 0);
    CALL(0, ftruncate, fd, 3);
    CALL(0, fchmod, fd, 0644);
    expect("its link", symlink("mine", "link"), 0);
    close(fd);
    expect("its name", rename(mine, "new"), 0);
    expect("its end", unlink("new"), 0);
    expect("the link's", unlink("link"), 0);
}


/* one that every machine has, and no program is given */
static void
try_device(bool given)
{
    int             fd = open("/dev/full", O_RDWR | O_CLOEXEC);
    struct termios  t;

    if (given || !hidden) {
        expect("a device", fd, 0);
        expect("its write", write(fd, "x", 1), ENOSPC);
        expect("its ioctl", ioctl(fd, TCGETS, &t), ENOTTY);
    } else {
        expect("a device", fd, EACCES);
    }

    if (hidden) {
        CALL(EACCES, openat, AT_FDCWD, "/dev/tty", O_RDWR);
    }
}


static int
program(pid_t parent, bool device)
{
    int                fd;
    reel_err_t         err;
    const char        *files[] = { source };
    const char        *devices[] = { "/dev/full", "/dev/reel-none" };
    const pid_t        others[] = { parent, parent, -getpgid(0) };
    reel_exec_paths_t  p = { own, "/bin/true", files, 1, devices,
                             device ? 2 : 0 };

    err = reel_exec_landlock(&p);
    hidden = err == REEL_OK;
    fd = open(source, O_RDONLY | O_CLOEXEC);

    if ((err != REEL_OK && err != REEL_UNSUPPORTED) || fd < 0
        || chdir(own) != 0
        || reel_exec_filter(others, 3) != REEL_OK)
    {
        return 1;
    }

    try_file(source);
    try_file(other);
    try_descriptor(fd);
    try_processes(parent);
    try_own();
    try_device(device);

    return wrong > 0;
}


static void
others_files_and_processes_are_out_of_reach(void **state)
{
    int          status;
    pid_t        pid, parent = getpid();
    struct stat  before[2], after[2];

    (void) state;

    assert_int_equal(stat(source, &before[0]) | stat(other, &before[1]), 0);

    for (int device = 0; device < 2; device++) {
        pid = fork();
        if (pid == 0) {
            (void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            _exit(program(parent, device));
        }

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }

    assert_int_equal(stat(source, &after[0]) | stat(other, &after[1]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(after[i].st_mode, before[i].st_mode);
        assert_int_equal(after[i].st_uid, before[i].st_uid);
        assert_int_equal(after[i].st_size, 4);
        assert_int_equal(after[i].st_mtime, before[i].st_mtime);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(others_files_and_processes_are_out_of_reach)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

#include "workerd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOFILE 64

/* with their arguments unlimited */
static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64),
    SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64),
    SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(close),
    SCMP_SYS(fstat), SCMP_SYS(fstat64),
    SCMP_SYS(fsync), SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64),
    SCMP_SYS(fadvise64), SCMP_SYS(poll), SCMP_SYS(ppoll),

    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(membarrier), SCMP_SYS(mlock),

    SCMP_SYS(futex), SCMP_SYS(futex_time64),
    SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list),
    SCMP_SYS(rseq), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler), SCMP_SYS(getcpu),
    SCMP_SYS(set_tid_address), SCMP_SYS(gettid), SCMP_SYS(getpid),

    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),

    SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
    SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times),
    SCMP_SYS(getrusage), SCMP_SYS(getrlimit), SCMP_SYS(ugetrlimit),
    SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(getrandom),

    SCMP_SYS(exit), SCMP_SYS(exit_group)
};

/* nothing of ours asks for these: who does has taken over the child */
static const int deadly[] = {
    SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(bpf), SCMP_SYS(keyctl),
    SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
    SCMP_SYS(perf_event_open), SCMP_SYS(mount), SCMP_SYS(unshare),
    SCMP_SYS(setns), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd)
};


static reel_err_t
set_limit(int resource, uint64_t soft, uint64_t hard)
{
    struct rlimit  rl = { .rlim_cur = soft, .rlim_max = hard };

    return setrlimit((__rlimit_resource_t) resource, &rl) == 0
           ? REEL_OK : REEL_IO;
}


/* of all users; 0: not to be had */
static uint64_t
machine_threads(void)
{
    int       fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    char      text[128];
    char     *of;
    ssize_t   n;

    if (fd < 0) {
        return 0;
    }

    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';

    /* "0.20 0.18 0.12 1/80 11206": runnable of all */
    of = strchr(text, '/');

    return of != NULL ? strtoull(of + 1, NULL, 10) : 0;
}


static reel_err_t
limit_threads(uint32_t more)
{
    uint64_t       n = machine_threads();
    struct rlimit  rl;

    if (n == 0) {
        return REEL_OK;
    }

    if (getrlimit(RLIMIT_NPROC, &rl) != 0) {
        return REEL_IO;
    }

    n += more;
    n = n < rl.rlim_max ? n : rl.rlim_max;

    return set_limit(RLIMIT_NPROC, n, n);
}


/* no more than the daemon may have */
static reel_err_t
limit_files(uint64_t n)
{
    struct rlimit  rl;

    if (getrlimit(RLIMIT_NOFILE, &rl) != 0) {
        return REEL_IO;
    }

    n = n < rl.rlim_max ? n : rl.rlim_max;

    return set_limit(RLIMIT_NOFILE, n, n);
}


reel_err_t
reel_sandbox_limits(const reel_limits_t *l, pid_t parent)
{
    reel_err_t  err = REEL_OK;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0
        || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        || prctl(PR_SET_DUMPABLE, 0) != 0)
    {
        return REEL_IO;
    }

    /* it may have died before it was said */
    if (getppid() != parent) {
        _exit(1);
    }

#ifndef __SANITIZE_ADDRESS__        /* whose shadow is 20 TiB of addresses */
    if (l->memory_bytes != 0) {
        err = set_limit(RLIMIT_AS, l->memory_bytes, l->memory_bytes);
    }
#endif

    if (err == REEL_OK && l->cpu_s != 0) {
        err = set_limit(RLIMIT_CPU, l->cpu_s, (uint64_t) l->cpu_s + 5);
    }
    if (err == REEL_OK) {
        err = set_limit(RLIMIT_FSIZE, l->output_bytes, l->output_bytes);
    }
    if (err == REEL_OK) {
        err = limit_files(l->files != 0 ? l->files : NOFILE);
    }
    if (err == REEL_OK) {
        err = set_limit(RLIMIT_CORE, 0, 0);
    }
    if (err == REEL_OK && l->threads != 0) {
        err = limit_threads(l->threads);
    }

    /* a write beyond RLIMIT_FSIZE shall say EFBIG, not kill */
    signal(SIGXFSZ, SIG_IGN);

    return err;
}


/* a call whose argument must not have a bit, or must have them all */
static int
allow_if(scmp_filter_ctx ctx, int call, struct scmp_arg_cmp cmp)
{
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, cmp);
}


static int
add_checked(scmp_filter_ctx ctx)
{
    int             rc = 0;
    const uint64_t  thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;

    /* threads, no processes; clone3 cannot be looked into, so libc falls
       back to clone */
    rc |= allow_if(ctx, SCMP_SYS(clone),
                   SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));
    rc |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    /* no code is made at run time */
    rc |= allow_if(ctx, SCMP_SYS(mmap),
                   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    rc |= allow_if(ctx, SCMP_SYS(mmap2),
                   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    rc |= allow_if(ctx, SCMP_SYS(mprotect),
                   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

    /* limits may be read, of itself only (pthread_getattr_np) */
    rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                           SCMP_A0(SCMP_CMP_EQ, 0),
                           SCMP_A2(SCMP_CMP_EQ, 0));

    rc |= allow_if(ctx, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    rc |= allow_if(ctx, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL));

    /* fstat in its new dress; a path given with the flag would tell no
       more than whether it stands */
    rc |= allow_if(ctx, SCMP_SYS(newfstatat),
                   SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH));

    /* abort() shall work: SIGABRT to itself, no other process */
    rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                           SCMP_A0(SCMP_CMP_EQ, (uint64_t) getpid()));

    return rc;
}


reel_err_t
reel_sandbox_filter(void)
{
    int              rc;
    scmp_filter_ctx  ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));

    if (ctx == NULL) {
        return REEL_NOMEM;
    }

    rc = add_checked(ctx);

    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        /* one that this machine does not have is no loss */
        if (allowed[i] >= 0) {
            rc |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
        }
    }

    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
        if (deadly[i] >= 0) {
            rc |= seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
        }
    }

    if (rc == 0) {
        rc = seccomp_load(ctx);
    }

    seccomp_release(ctx);

    return rc == 0 ? REEL_OK : REEL_UNSUPPORTED;
}


/* in the forked child: the layers as a task takes them, then an attempt at
   what they forbid.  The filter kills it, when it works */
static void
try_layers(int to, pid_t parent)
{
    char           paths;
    reel_limits_t  limits = { .output_bytes = 1 << 20 };

    if (reel_sandbox_limits(&limits, parent) != REEL_OK) {
        _exit(1);
    }

    paths = (char) reel_sandbox_hide();
    if (paths != REEL_PATHS_OPEN && open("/dev/null", O_RDONLY) >= 0) {
        paths = REEL_PATHS_OPEN;
    }

    if (write(to, &paths, 1) != 1 || reel_sandbox_filter() != REEL_OK
        || open("/dev/null", O_RDONLY) >= 0)
    {
        _exit(1);
    }

    _exit(socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 : 2);
}


reel_err_t
reel_sandbox_probe(reel_paths_t *paths)
{
    int    status, fds[2];
    char   c = REEL_PATHS_OPEN;
    pid_t  pid, parent = getpid();

    *paths = REEL_PATHS_OPEN;

    if (pipe2(fds, O_CLOEXEC) != 0) {
        return REEL_IO;
    }

    pid = fork();

    if (pid == 0) {
        try_layers(fds[1], parent);
    }

    close(fds[1]);

    if (pid < 0) {
        close(fds[0]);
        return REEL_IO;
    }

    if (read(fds[0], &c, 1) == 1) {
        *paths = (reel_paths_t) c;
    }

    close(fds[0]);

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return REEL_IO;
        }
    }

    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS
           ? REEL_OK : REEL_UNSUPPORTED;
}

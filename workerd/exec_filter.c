#include "workerd/exec_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* of kernels newer than the headers; the same on every machine */
#define CALL_FCHMODAT2      452
#define CALL_SETXATTRAT     463
#define CALL_REMOVEXATTRAT  466
#define CALL_FILE_SETATTR   469

/* the kernel looks at no more of an int */
#define INT_BITS            UINT64_C(0xffffffff)

typedef struct {
    scmp_filter_ctx ctx;
    int             rc;         /* sticky */
} filter_t;

/* always */
static const int refused[] = {
    SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen),
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_send_signal), SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(kcmp),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
    SCMP_SYS(chroot), SCMP_SYS(open_tree), SCMP_SYS(move_mount),
    SCMP_SYS(fsopen), SCMP_SYS(fsmount), SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr), SCMP_SYS(unshare), SCMP_SYS(setns),
    SCMP_SYS(bpf), SCMP_SYS(keyctl), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(userfaultfd), SCMP_SYS(perf_event_open),
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(init_module),
    SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(reboot),
    SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(syslog),
    SCMP_SYS(quotactl), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
    SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime), SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname), SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(personality),
    SCMP_SYS(setsid), SCMP_SYS(setpgid),        /* its group is killed */
    SCMP_SYS(mknod), SCMP_SYS(mknodat),

    /* landlock knows of the first from ABI 3 on, of the others not at all */
    SCMP_SYS(truncate), SCMP_SYS(inotify_init), SCMP_SYS(inotify_init1),
    SCMP_SYS(fanotify_init), CALL_FILE_SETATTR
};

/* nor of these */
static const int pretended[] = {
    SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), CALL_FCHMODAT2,
    SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchown), SCMP_SYS(fchownat),
    SCMP_SYS(utime), SCMP_SYS(utimes), SCMP_SYS(futimesat),
    SCMP_SYS(utimensat), SCMP_SYS(setxattr), SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr), CALL_SETXATTRAT, CALL_REMOVEXATTRAT
};

/* when the argument's bits under the mask are the value */
static const struct {
    int      call;
    unsigned arg;
    uint64_t mask, value;
} checked[] = {
    /* what is opened to be read, or for nothing, is emptied nevertheless */
    { SCMP_SYS(open), 1, O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC },
    { SCMP_SYS(open), 1, O_ACCMODE, O_ACCMODE },
    { SCMP_SYS(openat), 2, O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC },
    { SCMP_SYS(openat), 2, O_ACCMODE, O_ACCMODE },

    /* attributes of a file that was opened to be read */
    { SCMP_SYS(ioctl), 1, INT_BITS, FS_IOC_SETFLAGS },
    { SCMP_SYS(ioctl), 1, INT_BITS, FS_IOC_FSSETXATTR },
    { SCMP_SYS(fcntl), 1, INT_BITS, F_SETLEASE },

    /* signals by way of a descriptor */
    { SCMP_SYS(ioctl), 1, INT_BITS, FIOSETOWN },
    { SCMP_SYS(ioctl), 1, INT_BITS, SIOCSPGRP },
    { SCMP_SYS(fcntl), 1, INT_BITS, F_SETOWN },
    { SCMP_SYS(fcntl), 1, INT_BITS, F_SETOWN_EX },
    { SCMP_SYS(kill), 0, INT_BITS, INT_BITS },          /* to all */

    /* it dies with its worker */
    { SCMP_SYS(prctl), 0, INT_BITS, PR_SET_PDEATHSIG },

    { SCMP_SYS(clone), 0, CLONE_NEWUSER, CLONE_NEWUSER },
    { SCMP_SYS(clone), 0, CLONE_NEWPID, CLONE_NEWPID },
    { SCMP_SYS(clone), 0, CLONE_NEWNET, CLONE_NEWNET },
    { SCMP_SYS(clone), 0, CLONE_NEWNS, CLONE_NEWNS },
    { SCMP_SYS(clone), 0, CLONE_NEWIPC, CLONE_NEWIPC },
    { SCMP_SYS(clone), 0, CLONE_NEWUTS, CLONE_NEWUTS },
    { SCMP_SYS(clone), 0, CLONE_NEWCGROUP, CLONE_NEWCGROUP }
};


/* a call that this machine does not have is no loss */
static void
add(filter_t *f, uint32_t action, int call, unsigned n,
    struct scmp_arg_cmp cmp)
{
    int  rc;

    if (call >= 0) {
        rc = seccomp_rule_add_array(f->ctx, action, call, n, &cmp);
        f->rc |= rc == -EEXIST ? 0 : rc;
    }
}


static void
add_all(filter_t *f, uint32_t action, const int *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add(f, action, calls[i], 0, (struct scmp_arg_cmp) { 0 });
    }
}


static void
add_checked(filter_t *f)
{
    for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++) {
        add(f, SCMP_ACT_ERRNO(EPERM), checked[i].call, 1,
            (struct scmp_arg_cmp) { checked[i].arg, SCMP_CMP_MASKED_EQ,
                                    checked[i].mask, checked[i].value });
    }

    /* limits of its own, a pair of its own */
    add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1,
        SCMP_A0(SCMP_CMP_NE, 0));
    add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socketpair), 1,
        SCMP_A0(SCMP_CMP_NE, AF_UNIX));
}


static void
add_other(filter_t *f, pid_t other)
{
    static const int  calls[] = {
        SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(tgkill)
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        add(f, SCMP_ACT_ERRNO(EPERM), calls[i], 1,
            SCMP_A0(SCMP_CMP_MASKED_EQ, INT_BITS, (uint32_t) other));
    }
}


reel_err_t
reel_exec_filter(const pid_t *others, size_t n)
{
    filter_t  f = { .ctx = seccomp_init(SCMP_ACT_ALLOW) };

    /* what cannot be looked into; libc falls back to clone and openat */
    static const int  opaque[] = { SCMP_SYS(clone3), SCMP_SYS(openat2) };

    if (f.ctx == NULL) {
        return REEL_NOMEM;
    }

    add_all(&f, SCMP_ACT_ERRNO(EPERM), refused,
            sizeof(refused) / sizeof(refused[0]));
    add_all(&f, SCMP_ACT_ERRNO(0), pretended,
            sizeof(pretended) / sizeof(pretended[0]));
    add_all(&f, SCMP_ACT_ERRNO(ENOSYS), opaque,
            sizeof(opaque) / sizeof(opaque[0]));
    add_checked(&f);

    for (size_t i = 0; i < n; i++) {
        add_other(&f, others[i]);
    }

    if (f.rc == 0) {
        f.rc = seccomp_load(f.ctx);
    }

    seccomp_release(f.ctx);

    return f.rc == 0 ? REEL_OK : REEL_UNSUPPORTED;
}

#include "workerd/sandbox_paths.h"

#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset  444
#define SYS_landlock_restrict_self   446
#endif


/*
 * linux/landlock.h as of ABI 6: the headers of Debian 12 end at ABI 2, and
 * what a kernel knows is asked at run time.
 */
typedef struct {
    uint64_t  fs;
    uint64_t  net;              /* from ABI 4 */
    uint64_t  scoped;           /* from ABI 6 */
} ruleset_t;

#define ASK_VERSION  1

/* bits [0, n) of the rights of files by ABI: 2 adds refer, 3 truncate, 5
   ioctl of devices */
#define FS_BITS_1  13
#define FS_BITS_2  14
#define FS_BITS_3  15
#define FS_BITS_5  16

#define NET_TCP    3            /* bind, connect */
#define SCOPE_ALL  3            /* abstract unix sockets, signals */


static uint64_t
file_rights(long abi)
{
    unsigned  n;

    n = abi >= 5 ? FS_BITS_5 : abi >= 3 ? FS_BITS_3 : abi == 2 ? FS_BITS_2
                                                               : FS_BITS_1;

    return (UINT64_C(1) << n) - 1;
}


/* what is handled and has no rule is forbidden: everything is */
reel_err_t
reel_sandbox_landlock(void)
{
    long       abi, fd, rc;
    size_t     size;
    ruleset_t  r;

    abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
    if (abi < 1) {
        return REEL_UNSUPPORTED;
    }

    r = (ruleset_t) { .fs = file_rights(abi), .net = NET_TCP,
                      .scoped = SCOPE_ALL };
    size = abi >= 6 ? sizeof(r) : abi >= 4 ? offsetof(ruleset_t, scoped)
                                           : offsetof(ruleset_t, net);

    fd = syscall(SYS_landlock_create_ruleset, &r, size, 0);
    if (fd < 0) {
        return REEL_UNSUPPORTED;
    }

    rc = syscall(SYS_landlock_restrict_self, fd, 0);
    close((int) fd);

    return rc == 0 ? REEL_OK : REEL_UNSUPPORTED;
}


reel_err_t
reel_sandbox_namespaces(void)
{
    /* any folder that stands everywhere: it is covered in this process's
       namespace only */
    static const char  root[] = "/tmp";

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC)
        != 0)
    {
        return REEL_UNSUPPORTED;
    }

    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount("none", root, "tmpfs",
                 MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k")
           != 0
        || chroot(root) != 0 || chdir("/") != 0)
    {
        return REEL_UNSUPPORTED;
    }

    return REEL_OK;
}


reel_paths_t
reel_sandbox_hide(void)
{
    if (reel_sandbox_landlock() == REEL_OK) {
        return REEL_PATHS_LANDLOCK;
    }

    return reel_sandbox_namespaces() == REEL_OK ? REEL_PATHS_NAMESPACES
                                                : REEL_PATHS_OPEN;
}


const char *
reel_paths_name(reel_paths_t p)
{
    static const char *const  names[] = {
        "no landlock, no namespaces", "landlock", "namespaces"
    };

    return names[p];
}

#include "workerd/landlock.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset  444
#define SYS_landlock_restrict_self   446
#endif

/* struct landlock_ruleset_attr as of ABI 6 */
typedef struct {
    uint64_t  fs;
    uint64_t  net;              /* from ABI 4 */
    uint64_t  scoped;           /* from ABI 6 */
} ruleset_t;

#define ASK_VERSION  1

#define FS_ABI_1   ((UINT64_C(1) << 13) - 1)
#define NET_TCP    3            /* bind, connect */
#define SCOPE_ALL  3            /* abstract unix sockets, signals */


reel_err_t
reel_landlock_open(reel_landlock_t *l)
{
    long       abi;
    size_t     size;
    ruleset_t  r = { .fs = FS_ABI_1, .net = NET_TCP, .scoped = SCOPE_ALL };

    abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
    if (abi < 1) {
        return REEL_UNSUPPORTED;
    }

    r.fs |= abi >= 2 ? REEL_LANDLOCK_REFER : 0;
    r.fs |= abi >= 3 ? REEL_LANDLOCK_TRUNCATE : 0;
    r.fs |= abi >= 5 ? REEL_LANDLOCK_IOCTL_DEV : 0;
    size = abi >= 6 ? sizeof(r) : abi >= 4 ? offsetof(ruleset_t, scoped)
                                           : offsetof(ruleset_t, net);

    l->handled = r.fs;
    l->fd = (int) syscall(SYS_landlock_create_ruleset, &r, size, 0);

    return l->fd >= 0 ? REEL_OK : REEL_IO;
}


reel_err_t
reel_landlock_restrict(const reel_landlock_t *l)
{
    return syscall(SYS_landlock_restrict_self, l->fd, 0) == 0 ? REEL_OK
                                                              : REEL_IO;
}

#include "workerd/sandbox_paths.h"

#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <unistd.h>

#include "workerd/landlock.h"


reel_err_t
reel_sandbox_landlock(void)
{
    reel_err_t       err;
    reel_landlock_t  l;

    if (reel_landlock_open(&l) != REEL_OK) {
        return REEL_UNSUPPORTED;
    }

    err = reel_landlock_restrict(&l);
    close(l.fd);

    return err == REEL_OK ? REEL_OK : REEL_UNSUPPORTED;
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

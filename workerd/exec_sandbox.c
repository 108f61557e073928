#include "workerd/exec_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workerd/landlock.h"

#define FS_READ          (LANDLOCK_ACCESS_FS_READ_FILE                       \
                          | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_RUN           (FS_READ | LANDLOCK_ACCESS_FS_EXECUTE)
#define FS_OF_FILES      (LANDLOCK_ACCESS_FS_READ_FILE                       \
                          | LANDLOCK_ACCESS_FS_WRITE_FILE                    \
                          | LANDLOCK_ACCESS_FS_EXECUTE                       \
                          | REEL_LANDLOCK_TRUNCATE                           \
                          | REEL_LANDLOCK_IOCTL_DEV)

#define FS_OWN(l)        ((l).handled & ~(REEL_LANDLOCK_IOCTL_DEV            \
                          | LANDLOCK_ACCESS_FS_EXECUTE                       \
                          | LANDLOCK_ACCESS_FS_MAKE_CHAR                     \
                          | LANDLOCK_ACCESS_FS_MAKE_BLOCK))

#define SHM              "/dev/shm"

#define FS_DEVICE        (FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE            \
                          | REEL_LANDLOCK_IOCTL_DEV)

typedef struct {
    const char *path;
    uint64_t    access;
} place_t;

/* what programs of a machine need to begin, and its tools */
static const place_t common[] = {
    { "/usr", FS_RUN }, { "/lib", FS_RUN }, { "/lib64", FS_RUN },
    { "/bin", FS_RUN }, { "/sbin", FS_RUN }, { "/opt", FS_RUN },
    { "/etc/ld.so.cache", FS_READ }, { "/etc/ld.so.conf", FS_READ },
    { "/etc/ld.so.conf.d", FS_READ }, { "/etc/alternatives", FS_READ },
    { "/etc/fonts", FS_READ }, { "/etc/localtime", FS_READ },
    { "/etc/nsswitch.conf", FS_READ }, { "/etc/passwd", FS_READ },
    { "/etc/ssl/openssl.cnf", FS_READ },        /* node does not begin else */
    { "/etc/group", FS_READ }, { "/etc/mime.types", FS_READ },
    { "/proc/cpuinfo", FS_READ }, { "/proc/meminfo", FS_READ },
    { "/sys/devices/system/cpu", FS_READ },
    { "/dev/null", FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE },
    { "/dev/zero", FS_READ }, { "/dev/random", FS_READ },
    { "/dev/urandom", FS_READ },
};

/* where drivers' libraries look what a device is */
static const place_t beside_devices[] = {
    { "/sys/dev", FS_READ }, { "/sys/devices", FS_READ },
    { "/sys/bus", FS_READ }, { "/sys/class", FS_READ },
    { "/proc/devices", FS_READ }, { "/proc/driver", FS_READ },
};


#define NPLACES(v) (sizeof(v) / sizeof(v[0]))


/* a process is in a user's namespace under its own id, not as nobody */
static void
map_id(const char *file, unsigned id)
{
    int   fd = open(file, O_WRONLY | O_CLOEXEC);
    char  text[64];

    if (fd < 0) {
        return;
    }

    (void) snprintf(text, sizeof(text), "%u %u 1", id, id);
    (void) !write(fd, text, strlen(text));
    close(fd);
}


reel_spaces_t
reel_exec_unshare(void)
{
    int       fd;
    unsigned  uid = geteuid(), gid = getegid();
    const int spaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC;

    if (unshare(spaces) == 0) {
        return REEL_SPACES_OWN;
    }

    if (unshare(CLONE_NEWUSER | spaces) != 0) {
        return REEL_SPACES_NONE;
    }

    /* its own files in /proc are root's while it cannot be dumped */
    (void) prctl(PR_SET_DUMPABLE, 1);
    fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void) !write(fd, "deny", 4);
        close(fd);
    }
    map_id("/proc/self/uid_map", uid);
    map_id("/proc/self/gid_map", gid);
    (void) prctl(PR_SET_DUMPABLE, 0);

    return REEL_SPACES_USER;
}


bool
reel_exec_own_shm(void)
{
    return unshare(CLONE_NEWNS) == 0
           && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
           && mount("none", SHM, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                    "size=64m,mode=1777") == 0;
}


bool
reel_exec_unshare_probe(void)
{
    int    status = -1;
    pid_t  pid = fork();

    if (pid == 0) {
        _exit(reel_exec_unshare() != REEL_SPACES_NONE ? 0 : 1);
    }

    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        /* void */
    }

    return status == 0;
}


void
reel_exec_limit(reel_spaces_t spaces, uint32_t most)
{
    struct rlimit  rl;

    /* elsewhere all of the user's would count (docs/child-contract.md) */
    if (spaces == REEL_SPACES_USER && getrlimit(RLIMIT_NPROC, &rl) == 0
        && most < rl.rlim_max)
    {
        rl.rlim_cur = rl.rlim_max = most;
        (void) setrlimit(RLIMIT_NPROC, &rl);
    }
}


/* REEL_NOTFOUND: it is not there, and needs no rule */
static reel_err_t
allow(const reel_landlock_t *l, const char *path, uint64_t access, bool folder)
{
    long                              rc;
    struct landlock_path_beneath_attr rule = { .allowed_access = 0 };

    access = folder ? access : access & FS_OF_FILES;
    rule.allowed_access = access & l->handled;
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0) {
        return REEL_NOTFOUND;
    }

    rc = syscall(SYS_landlock_add_rule, l->fd, LANDLOCK_RULE_PATH_BENEATH,
                 &rule, 0);

    /* a file where a folder was thought of */
    if (rc != 0 && errno == EINVAL && folder) {
        rule.allowed_access &= FS_OF_FILES;
        rc = syscall(SYS_landlock_add_rule, l->fd,
                     LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }

    close(rule.parent_fd);

    return rc == 0 ? REEL_OK : REEL_IO;
}


/* those that are there */
static reel_err_t
allow_places(const reel_landlock_t *l, const place_t *v, size_t n)
{
    reel_err_t  err = REEL_OK;

    for (size_t i = 0; err == REEL_OK && i < n; i++) {
        err = allow(l, v[i].path, v[i].access, true);
        err = err == REEL_NOTFOUND ? REEL_OK : err;
    }

    return err;
}


static reel_err_t
allow_devices(const reel_landlock_t *l, const reel_exec_paths_t *p)
{
    place_t     device = { NULL, FS_DEVICE };
    reel_err_t  err = REEL_OK;

    if (p->ndevices != 0) {
        err = allow_places(l, beside_devices, NPLACES(beside_devices));
    }

    for (size_t i = 0; err == REEL_OK && i < p->ndevices; i++) {
        device.path = p->devices[i];
        err = allow_places(l, &device, 1);
    }

    return err;
}


reel_err_t
reel_exec_landlock(const reel_exec_paths_t *p)
{
    reel_err_t       err;
    reel_landlock_t  l;

    err = reel_landlock_open(&l);
    if (err != REEL_OK) {
        return err;
    }

    err = allow_places(&l, common, NPLACES(common));
    if (err == REEL_OK) {
        err = allow_devices(&l, p);
    }

    for (size_t i = 0; err == REEL_OK && i < p->nfiles; i++) {
        err = allow(&l, p->files[i], FS_READ, false);
        err = err == REEL_NOTFOUND ? REEL_AGAIN : err;
    }

    if (err == REEL_OK) {
        err = allow(&l, p->folder, FS_OWN(l), true);
    }
    if (err == REEL_OK && p->shm) {
        err = allow(&l, SHM, FS_OWN(l), true);
    }
    if (err == REEL_OK) {
        err = allow(&l, p->program, FS_RUN, false);
    }
    if (err == REEL_OK) {
        err = reel_landlock_restrict(&l);
    }

    close(l.fd);

    return err;
}

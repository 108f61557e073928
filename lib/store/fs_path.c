#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/store/fs.h"
#include "lib/store/pread.h"


#define CALL_MAX (1u << 30)     /* Linux takes no more at once */


reel_err_t
reel_fs_errno(int e)
{
    switch (e) {
    case 0:
        return REEL_OK;
    case ENOENT:
        return REEL_NOTFOUND;
    case EEXIST:
        return REEL_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return REEL_NOSPACE;
    case ENOMEM:
        return REEL_NOMEM;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:                 /* a symbolic link: we do not follow it */
        return REEL_DENIED;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case ENAMETOOLONG:
        return REEL_INVAL;
    default:
        return REEL_IO;
    }
}


int
reel_fs_openat(int dir, const char *name, int flags)
{
    int  fd;

    do {
        fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, 0660);
    } while (fd == -1 && errno == EINTR);

    return fd;
}


static int
open_folder(int dir, const char *name)
{
    return reel_fs_openat(dir, name, O_RDONLY | O_DIRECTORY);
}


static void
close_keep_errno(int fd)
{
    int  saved = errno;

    (void) close(fd);
    errno = saved;
}


/*
 * A folder that we find standing may be another's who has not synced its
 * parent yet; file systems with a journal commit that before our entry.
 */
static int
make_folder(const reel_fs_t *fs, int dir, const char *name)
{
    if (mkdirat(dir, name, 0770) == -1) {
        if (errno != EEXIST) {
            return -1;
        }

    } else if (reel_fs_sync_dir(fs, dir) != REEL_OK) {
        errno = EIO;
        return -1;
    }

    return open_folder(dir, name);
}


/* walks the folders of the first len bytes of key */
static int
walk(const reel_fs_t *fs, const char *key, size_t len, bool create)
{
    int     dir, next;
    char    name[REEL_STORE_KEY_MAX + 1];
    size_t  n;

    dir = open_folder(fs->root, ".");

    while (dir != -1 && len != 0) {
        n = strcspn(key, "/");
        memcpy(name, key, n);
        name[n] = '\0';

        next = open_folder(dir, name);

        if (next == -1 && errno == ENOENT && create) {
            next = make_folder(fs, dir, name);
        }

        close_keep_errno(dir);
        dir = next;

        if (n == len) {
            break;
        }

        key += n + 1;
        len -= n + 1;
    }

    return dir;
}


int
reel_fs_folder(const reel_fs_t *fs, const char *key)
{
    return walk(fs, key, strlen(key), false);
}


reel_err_t
reel_fs_place(const reel_fs_t *fs, const char *key, bool create,
    reel_fs_place_t *p)
{
    const char  *slash;

    slash = strrchr(key, '/');
    p->fs = fs;
    p->leaf = slash != NULL ? slash + 1 : key;
    p->dir = walk(fs, key, slash != NULL ? (size_t) (slash - key) : 0,
                  create);

    if (p->dir != -1) {
        return REEL_OK;
    }

    if (errno == ENOTDIR && !create) {
        /* below an object, or below a link that we do not follow */
        return REEL_NOTFOUND;
    }

    return reel_fs_errno(errno);
}


void
reel_fs_place_close(reel_fs_place_t *p)
{
    if (p->dir != -1) {
        (void) close(p->dir);
        p->dir = -1;
    }
}


reel_err_t
reel_fs_sync_dir(const reel_fs_t *fs, int dir)
{
    int  rc;

    if (fs->unsynced) {
        return REEL_OK;
    }

    do {
        rc = fsync(dir);
    } while (rc == -1 && errno == EINTR);

    if (rc == -1 && errno != EINVAL) {
        return reel_fs_errno(errno);
    }

    /* EINVAL: this file system does not sync folders */
    return REEL_OK;
}


reel_err_t
reel_fs_sync_data(const reel_fs_t *fs, int fd)
{
    int  rc;

    if (fs->unsynced) {
        return REEL_OK;
    }

    do {
        rc = fdatasync(fd);
    } while (rc == -1 && errno == EINTR);

    return rc == -1 ? reel_fs_errno(errno) : REEL_OK;
}


reel_err_t
reel_fs_read(int fd, uint64_t off, void *dst, size_t len, size_t *n)
{
    ssize_t  got = reel_pread(fd, dst, len, off);

    *n = got < 0 ? 0 : (size_t) got;

    return got < 0 ? reel_fs_errno(errno) : REEL_OK;
}


reel_err_t
reel_fs_write(int fd, uint64_t off, const void *data, size_t len)
{
    ssize_t         n;
    const uint8_t  *p = data;

    while (len != 0) {
        n = pwrite(fd, p, len < CALL_MAX ? len : CALL_MAX, (off_t) off);

        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }

            return reel_fs_errno(errno);
        }

        p += n;
        off += (uint64_t) n;
        len -= (size_t) n;
    }

    return REEL_OK;
}


void
reel_fs_prune(const reel_fs_t *fs, const char *key)
{
    int               rc;
    char              folder[REEL_STORE_KEY_MAX + 1], *slash;
    reel_fs_place_t   p;

    memcpy(folder, key, strlen(key) + 1);

    for ( ;; ) {
        slash = strrchr(folder, '/');
        if (slash == NULL) {
            return;
        }

        *slash = '\0';

        if (strchr(folder, '/') == NULL
            || reel_fs_place(fs, folder, false, &p) != REEL_OK)
        {
            return;
        }

        rc = unlinkat(p.dir, p.leaf, AT_REMOVEDIR);
        reel_fs_place_close(&p);

        /* gone already: go on, the other may have been killed here */
        if (rc == -1 && errno != ENOENT) {
            return;
        }
    }
}


reel_err_t
reel_fs_temp(int dir, char name[REEL_FS_TEMP_MAX], int *fd)
{
    char        hex[33];
    uint8_t     rnd[16];
    unsigned    tries;
    reel_err_t  err = REEL_IO;

    for (tries = 0; tries < REEL_FS_TRIES; tries++) {
        if (getrandom(rnd, sizeof(rnd), 0) != (ssize_t) sizeof(rnd)) {
            return REEL_IO;
        }

        reel_hex(hex, rnd, sizeof(rnd));
        (void) snprintf(name, REEL_FS_TEMP_MAX, REEL_FS_TEMP_PREFIX "%s",
                        hex);

        *fd = reel_fs_openat(dir, name, O_WRONLY | O_CREAT | O_EXCL);
        if (*fd == -1) {
            err = reel_fs_errno(errno);

            if (err == REEL_EXISTS) {
                continue;
            }

            return err;
        }

        if (flock(*fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
            /* no locks here at all: reap gets none either */
            return REEL_OK;
        }

        /* taken for a dead one in the instant before the lock */
        (void) close(*fd);
        (void) unlinkat(dir, name, 0);
    }

    *fd = -1;

    return err;
}


void
reel_fs_reap(int dir, const char *name)
{
    int  fd;

    fd = reel_fs_openat(dir, name, O_WRONLY | O_NONBLOCK);
    if (fd == -1) {
        return;
    }

    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        (void) unlinkat(dir, name, 0);
    }

    (void) close(fd);
}

/*
 * The store in a file system.  An object is a file.  A new one is written
 * under a temp name in its own folder, synced, and then given its name:
 * linkat() refuses one that stands, renameat() replaces it, and neither
 * shows half an object.  The folder is synced last.  Empty folders are
 * removed with the last object below them.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/store/fs.h"


static reel_err_t
fill_stat(const struct stat *sb, reel_store_stat_t *st)
{
    uint64_t  v;

    if (!S_ISREG(sb->st_mode)) {
        /* nobody put it there by us: not to be taken for nothing */
        return S_ISDIR(sb->st_mode) ? REEL_NOTFOUND : REEL_DENIED;
    }

    st->size = (uint64_t) sb->st_size;
    st->mtime_ns = (int64_t) sb->st_mtim.tv_sec * 1000000000
                   + sb->st_mtim.tv_nsec;

    /* a replaced object is another inode, written at another time */
    v = (uint64_t) sb->st_ino * 0x9e3779b97f4a7c15u;
    v ^= (uint64_t) st->mtime_ns + (v >> 29);
    st->version = v * 0xbf58476d1ce4e5b9u ^ st->size;

    return REEL_OK;
}


static reel_err_t
fs_open(reel_store_t *s, const char *key, reel_object_t **out)
{
    int               fd = -1;
    reel_err_t        err;
    struct stat       sb;
    reel_object_t    *o = NULL;
    reel_fs_place_t   p;

    err = reel_fs_place((reel_fs_t *) s, key, false, &p);
    if (err != REEL_OK) {
        return err;
    }

    /* should it be a fifo, O_NONBLOCK does not wait for its writer */
    fd = reel_fs_openat(p.dir, p.leaf, O_RDONLY | O_NONBLOCK);

    if (fd == -1 || fstat(fd, &sb) == -1) {
        err = reel_fs_errno(errno);
        goto fail;
    }

    o = calloc(1, sizeof(*o));
    if (o == NULL) {
        err = REEL_NOMEM;
        goto fail;
    }

    err = fill_stat(&sb, &o->st);
    if (err != REEL_OK) {
        goto fail;
    }

    o->store = s;
    o->fd = fd;
    *out = o;

    reel_fs_place_close(&p);

    return REEL_OK;

fail:

    free(o);

    if (fd != -1) {
        (void) close(fd);
    }

    reel_fs_place_close(&p);

    return err;
}


static reel_err_t
fs_read(reel_object_t *o, uint64_t off, void *dst, size_t len, size_t *n)
{
    return reel_fs_read(o->fd, off, dst, len, n);
}


static void
fs_object_close(reel_object_t *o)
{
    (void) close(o->fd);
    free(o);
}


/* gives the temp file its name; it is gone afterwards, or was renamed */
static reel_err_t
name_temp(const reel_fs_place_t *p, const char *temp, bool over)
{
    int         rc;
    reel_err_t  err = REEL_OK, synced;

    if (over) {
        rc = renameat(p->dir, temp, p->dir, p->leaf);

    } else {
        rc = linkat(p->dir, temp, p->dir, p->leaf, 0);
    }

    if (rc == -1) {
        err = reel_fs_errno(errno);
    }

    if (rc == -1 || !over) {
        (void) unlinkat(p->dir, temp, 0);
    }

    /* EXISTS too: the caller relies on what stands there */
    if (err == REEL_OK || err == REEL_EXISTS) {
        synced = reel_fs_sync_dir(p->fs, p->dir);
        err = synced != REEL_OK ? synced : err;
    }

    return err;
}


static reel_err_t
put_at(const reel_fs_place_t *p, const void *data, size_t len, bool over)
{
    int          fd;
    char         temp[REEL_FS_TEMP_MAX];
    reel_err_t   err;
    struct stat  sb;

    if (!over
        && fstatat(p->dir, p->leaf, &sb, AT_SYMLINK_NOFOLLOW) == 0)
    {
        err = reel_fs_sync_dir(p->fs, p->dir);
        return err != REEL_OK ? err : REEL_EXISTS;
    }

    err = reel_fs_temp(p->dir, temp, &fd);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_fs_write(fd, 0, data, len);

    if (err == REEL_OK) {
        err = reel_fs_sync_data(p->fs, fd);
    }

    if (err == REEL_OK) {
        err = name_temp(p, temp, over);

    } else {
        (void) unlinkat(p->dir, temp, 0);
    }

    /* the lock goes with it: not before the temp name is away */
    (void) close(fd);

    return err;
}


static reel_err_t
put(reel_store_t *s, const char *key, const void *data, size_t len,
    bool over)
{
    unsigned         tries;
    reel_err_t       err;
    reel_fs_place_t  p;

    for (tries = 0; tries < REEL_FS_TRIES; tries++) {
        err = reel_fs_place((reel_fs_t *) s, key, true, &p);

        if (err == REEL_OK) {
            err = put_at(&p, data, len, over);
            reel_fs_place_close(&p);
        }

        if (err != REEL_NOTFOUND) {
            return err;
        }
    }

    return REEL_IO;
}


static reel_err_t
fs_put_if_absent(reel_store_t *s, const char *key, const void *data,
    size_t len)
{
    return put(s, key, data, len, false);
}


static reel_err_t
fs_replace(reel_store_t *s, const char *key, const void *data, size_t len)
{
    return put(s, key, data, len, true);
}


static reel_err_t
fs_stat(reel_store_t *s, const char *key, reel_store_stat_t *st)
{
    reel_err_t       err;
    struct stat      sb;
    reel_fs_place_t  p;

    err = reel_fs_place((reel_fs_t *) s, key, false, &p);
    if (err != REEL_OK) {
        return err;
    }

    if (fstatat(p.dir, p.leaf, &sb, AT_SYMLINK_NOFOLLOW) == -1) {
        err = reel_fs_errno(errno);

    } else {
        err = fill_stat(&sb, st);
    }

    reel_fs_place_close(&p);

    return err;
}


/* 1 a folder, 0 an object, -1 neither */
static int
entry_kind(int dir, const struct dirent *de)
{
    struct stat  sb;

    if (de->d_type != DT_UNKNOWN) {
        return de->d_type == DT_DIR ? 1 : de->d_type == DT_REG ? 0 : -1;
    }

    if (fstatat(dir, de->d_name, &sb, AT_SYMLINK_NOFOLLOW) == -1) {
        return -1;
    }

    return S_ISDIR(sb.st_mode) ? 1 : S_ISREG(sb.st_mode) ? 0 : -1;
}


static reel_err_t
list_dir(DIR *d, reel_store_list_fn fn, void *arg)
{
    int             kind;
    reel_err_t      err;
    struct dirent  *de;
    static const char  temp[] = REEL_FS_TEMP_PREFIX;

    for ( ;; ) {
        errno = 0;

        de = readdir(d);
        if (de == NULL) {
            return reel_fs_errno(errno);
        }

        if (strncmp(de->d_name, temp, sizeof(temp) - 1) == 0) {
            reel_fs_reap(dirfd(d), de->d_name);
            continue;
        }

        /* "." and "..", and what is not of ours */
        if (!reel_store_key_valid(de->d_name)) {
            continue;
        }

        kind = entry_kind(dirfd(d), de);
        if (kind == -1) {
            continue;
        }

        err = fn(arg, de->d_name, kind == 1);
        if (err != REEL_OK) {
            return err;
        }
    }
}


static reel_err_t
fs_list(reel_store_t *s, const char *prefix, reel_store_list_fn fn,
    void *arg)
{
    int          fd;
    DIR         *d;
    reel_err_t   err;

    fd = reel_fs_folder((reel_fs_t *) s, prefix);

    if (fd == -1) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return REEL_OK;
        }

        return reel_fs_errno(errno);
    }

    d = fdopendir(fd);
    if (d == NULL) {
        err = reel_fs_errno(errno);
        (void) close(fd);
        return err;
    }

    err = list_dir(d, fn, arg);
    (void) closedir(d);

    return err;
}


static reel_err_t
fs_del(reel_store_t *s, const char *key)
{
    reel_err_t       err;
    reel_fs_place_t  p;

    err = reel_fs_place((reel_fs_t *) s, key, false, &p);

    if (err == REEL_NOTFOUND) {
        return REEL_OK;
    }

    if (err != REEL_OK) {
        return err;
    }

    if (unlinkat(p.dir, p.leaf, 0) == 0) {
        err = reel_fs_sync_dir(p.fs, p.dir);

    } else if (errno == EISDIR) {
        /* no object; an empty folder goes, another stays */
        if (strchr(key, '/') != NULL) {
            (void) unlinkat(p.dir, p.leaf, AT_REMOVEDIR);
        }

    } else if (errno != ENOENT) {
        err = reel_fs_errno(errno);
    }

    reel_fs_place_close(&p);
    reel_fs_prune((reel_fs_t *) s, key);

    return err;
}


/* REEL_NOTFOUND: the object is gone, or the folder of its new name */
static reel_err_t
link_at(const reel_fs_place_t *from, const reel_fs_place_t *to)
{
    reel_err_t   err = REEL_OK, synced;
    struct stat  sb;

    if (fstatat(from->dir, from->leaf, &sb, AT_SYMLINK_NOFOLLOW) == -1) {
        return reel_fs_errno(errno);
    }

    if (!S_ISREG(sb.st_mode)) {
        return REEL_NOTFOUND;
    }

    if (linkat(from->dir, from->leaf, to->dir, to->leaf, 0) == -1) {
        err = errno == EMLINK || errno == EXDEV || errno == EOPNOTSUPP
              ? REEL_UNSUPPORTED : reel_fs_errno(errno);
    }

    if (err == REEL_OK || err == REEL_EXISTS) {
        synced = reel_fs_sync_dir(to->fs, to->dir);
        err = synced != REEL_OK ? synced : err;
    }

    return err;
}


static reel_err_t
fs_link(reel_store_t *s, const char *key, const char *to)
{
    unsigned         tries;
    reel_err_t       err;
    reel_fs_place_t  from, p;

    err = reel_fs_place((reel_fs_t *) s, key, false, &from);
    if (err != REEL_OK) {
        return err;
    }

    for (tries = 0; tries < REEL_FS_TRIES; tries++) {
        err = reel_fs_place((reel_fs_t *) s, to, true, &p);

        if (err == REEL_OK) {
            err = link_at(&from, &p);
            reel_fs_place_close(&p);
        }
        if (err != REEL_OK && err != REEL_EXISTS) {
            reel_fs_prune((reel_fs_t *) s, to);
        }

        if (err != REEL_NOTFOUND) {
            break;
        }
    }

    reel_fs_place_close(&from);

    return err;
}


static void
fs_close(reel_store_t *s)
{
    (void) close(((reel_fs_t *) s)->root);
    free(s);                    /* and the unsynced one behind it */
}


static const reel_store_ops_t  fs_ops = {
    .name = "fs",
    .open = fs_open,
    .read = fs_read,
    .put_if_absent = fs_put_if_absent,
    .replace = fs_replace,
    .stat = fs_stat,
    .list = fs_list,
    .del = fs_del,
    .link = fs_link,
    .multipart = {
        .create = reel_fs_multipart_create,
        .open = reel_fs_multipart_open,
        .size = reel_fs_multipart_size,
        .read = reel_fs_multipart_read,
        .write = reel_fs_multipart_write,
        .sync = reel_fs_multipart_sync,
        .reserve = reel_fs_reserve,
        .truncate = reel_fs_truncate,
        .copy = reel_fs_copy,
        .collapse = reel_fs_collapse,
        .punch = reel_fs_punch,
        .lock = reel_fs_lock,
        .unlock = reel_fs_unlock,
        .holder = reel_fs_holder,
        .publish = reel_fs_multipart_publish,
        .close = reel_fs_multipart_close,
        .abort = reel_fs_multipart_abort,
    },
    .object_close = fs_object_close,
    .close = fs_close,
};


reel_err_t
reel_store_fs_open(const char *root, reel_store_t **s, reel_error_t *e)
{
    int         saved;
    reel_fs_t  *fs;

    *s = NULL;

    if (root[0] != '/') {
        return reel_fail(e, REEL_INVAL, "store: \"%s\" is not absolute",
                         root);
    }

    fs = calloc(2, sizeof(*fs));
    if (fs == NULL) {
        return reel_fail(e, REEL_NOMEM, "store: no memory");
    }

    fs->base.ops = &fs_ops;

    /* the root itself may be a link: the operator put it there */
    fs->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fs->root == -1) {
        saved = errno;
        free(fs);
        return reel_fail(e, reel_fs_errno(saved), "store: open \"%s\": %s",
                         root, strerrordesc_np(saved));
    }

    fs[1] = fs[0];
    fs[1].unsynced = true;
    *s = &fs->base;

    return REEL_OK;
}


reel_store_t *
reel_store_fs_unsynced(reel_store_t *s)
{
    reel_fs_t  *fs = (reel_fs_t *) s;

    return fs->unsynced ? s : &fs[1].base;
}

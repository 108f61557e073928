/*
 * An object in pieces is a file at its staging key, made exclusively.  To
 * publish is to give it a second name, if absent, and to take the first.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/store/fs.h"


typedef struct {
    reel_multipart_t base;
    reel_fs_place_t  at;        /* leaf points into staging */
    bool             durable;   /* the staging name is */
    char             staging[REEL_STORE_KEY_MAX + 1];
} fs_multipart_t;


static reel_err_t
make_staging(const reel_fs_t *fs, fs_multipart_t *m)
{
    unsigned    tries;
    reel_err_t  err;

    for (tries = 0; tries < REEL_FS_TRIES; tries++) {
        err = reel_fs_place(fs, m->staging, true, &m->at);

        if (err == REEL_OK) {
            m->base.fd = reel_fs_openat(m->at.dir, m->at.leaf,
                                        O_RDWR | O_CREAT | O_EXCL);
            if (m->base.fd != -1) {
                return REEL_OK;
            }

            err = reel_fs_errno(errno);
            reel_fs_place_close(&m->at);
        }

        if (err != REEL_NOTFOUND) {
            return err;
        }
    }

    return REEL_IO;
}


static reel_err_t
open_staging(const reel_fs_t *fs, fs_multipart_t *m)
{
    reel_err_t   err;
    struct stat  sb;

    err = reel_fs_place(fs, m->staging, false, &m->at);
    if (err != REEL_OK) {
        return err;
    }

    /* should it be a fifo, O_NONBLOCK does not wait */
    m->base.fd = reel_fs_openat(m->at.dir, m->at.leaf, O_RDWR | O_NONBLOCK);

    if (m->base.fd == -1 || fstat(m->base.fd, &sb) == -1) {
        err = reel_fs_errno(errno);

    } else if (!S_ISREG(sb.st_mode)) {
        err = REEL_NOTFOUND;

    } else {
        return REEL_OK;
    }

    if (m->base.fd != -1) {
        (void) close(m->base.fd);
    }

    reel_fs_place_close(&m->at);

    return err;
}


/* false when someone deleted the staging key (and maybe made it anew) */
static bool
still_ours(const fs_multipart_t *m)
{
    struct stat  a, b;

    return fstat(m->base.fd, &a) == 0
           && fstatat(m->at.dir, m->at.leaf, &b, AT_SYMLINK_NOFOLLOW) == 0
           && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}


static reel_err_t
start(reel_store_t *s, const char *staging,
    reel_err_t (*at)(const reel_fs_t *fs, fs_multipart_t *m),
    reel_multipart_t **out)
{
    reel_err_t       err;
    fs_multipart_t  *m;

    m = calloc(1, sizeof(*m));
    if (m == NULL) {
        return REEL_NOMEM;
    }

    m->base.store = s;
    memcpy(m->staging, staging, strlen(staging) + 1);

    err = at((reel_fs_t *) s, m);
    if (err != REEL_OK) {
        free(m);
        return err;
    }

    *out = &m->base;

    return REEL_OK;
}


reel_err_t
reel_fs_multipart_create(reel_store_t *s, const char *staging,
    reel_multipart_t **m)
{
    return start(s, staging, make_staging, m);
}


reel_err_t
reel_fs_multipart_open(reel_store_t *s, const char *staging,
    reel_multipart_t **m)
{
    return start(s, staging, open_staging, m);
}


reel_err_t
reel_fs_multipart_size(reel_multipart_t *m, uint64_t *size)
{
    struct stat  sb;

    if (fstat(m->fd, &sb) == -1) {
        return reel_fs_errno(errno);
    }

    *size = (uint64_t) sb.st_size;

    return REEL_OK;
}


reel_err_t
reel_fs_multipart_read(reel_multipart_t *m, uint64_t off, void *dst,
    size_t len, size_t *n)
{
    return reel_fs_read(m->fd, off, dst, len, n);
}


reel_err_t
reel_fs_multipart_write(reel_multipart_t *m, uint64_t off, const void *data,
    size_t len)
{
    return reel_fs_write(m->fd, off, data, len);
}


reel_err_t
reel_fs_multipart_sync(reel_multipart_t *base)
{
    reel_err_t       err;
    fs_multipart_t  *m = (fs_multipart_t *) base;

    err = reel_fs_sync_data(m->at.fs, base->fd);

    if (err == REEL_OK && !m->durable) {
        err = reel_fs_sync_dir(m->at.fs, m->at.dir);
        m->durable = err == REEL_OK;
    }

    return err;
}


/* blocks that were set aside behind the end are given back */
static reel_err_t
trim(const fs_multipart_t *m)
{
    struct stat  st;

    if (fstat(m->base.fd, &st) == -1) {
        return reel_fs_errno(errno);
    }

    if (st.st_blocks * 512 >= st.st_size + st.st_blksize
        && ftruncate(m->base.fd, st.st_size) == -1)
    {
        return reel_fs_errno(errno);
    }

    return REEL_OK;
}


/*
 * EXISTS is synced too: the caller relies on what stands there, and its
 * writer may not have come so far yet.
 */
static reel_err_t
link_to(fs_multipart_t *m, const char *key)
{
    reel_err_t       err, synced;
    reel_fs_place_t  to;

    if (!still_ours(m)) {
        return REEL_NOTFOUND;
    }

    err = reel_fs_place(m->at.fs, key, true, &to);
    if (err != REEL_OK) {
        return err;
    }

    if (linkat(m->at.dir, m->at.leaf, to.dir, to.leaf, 0) == -1) {
        err = reel_fs_errno(errno);
    }

    if (err == REEL_OK || err == REEL_EXISTS) {
        synced = reel_fs_sync_dir(to.fs, to.dir);
        err = synced != REEL_OK ? synced : err;
    }

    reel_fs_place_close(&to);

    return err;
}


reel_err_t
reel_fs_multipart_publish(reel_multipart_t *base, const char *key)
{
    unsigned         tries;
    reel_err_t       err;
    fs_multipart_t  *m = (fs_multipart_t *) base;

    err = trim(m);

    if (err == REEL_OK) {
        err = reel_fs_sync_data(m->at.fs, base->fd);
    }

    if (err != REEL_OK) {
        return err;
    }

    for (tries = 0; tries < REEL_FS_TRIES; tries++) {
        err = link_to(m, key);

        if (err != REEL_NOTFOUND || !still_ours(m)) {
            break;
        }
    }

    return err;
}


void
reel_fs_multipart_close(reel_multipart_t *base)
{
    fs_multipart_t  *m = (fs_multipart_t *) base;

    (void) close(base->fd);
    reel_fs_place_close(&m->at);
    free(m);
}


/*
 * The staging folder is not synced: should the name come back after a loss
 * of power, it is one more of those that a crash leaves behind.
 */
void
reel_fs_multipart_abort(reel_multipart_t *base)
{
    fs_multipart_t  *m = (fs_multipart_t *) base;

    if (still_ours(m) && unlinkat(m->at.dir, m->at.leaf, 0) == 0) {
        reel_fs_prune(m->at.fs, m->staging);
    }

    reel_fs_multipart_close(base);
}

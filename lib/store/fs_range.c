/*
 * What a staged file can that an object cannot: space set aside, ranges
 * copied, a beginning cut off, and byte ranges locked.  The locks belong to
 * the open file (F_OFD_*), so two handles of one process exclude each other
 * as two processes do.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/store/fs.h"


#define COPY_MAX    (1u << 30)
#define COPY_BUFFER (256u << 10)


/*
 * Real blocks, so that a full medium shows before the first byte came.  The
 * size stays: it tells what was written.
 */
reel_err_t
reel_fs_reserve(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    int  rc;

    do {
        rc = fallocate(m->fd, FALLOC_FL_KEEP_SIZE, (off_t) off, (off_t) len);
    } while (rc == -1 && errno == EINTR);

    if (rc == -1 && errno != EOPNOTSUPP && errno != ENOSYS) {
        return reel_fs_errno(errno);
    }

    return REEL_OK;
}


reel_err_t
reel_fs_truncate(reel_multipart_t *m, uint64_t size)
{
    int  rc;

    do {
        rc = ftruncate(m->fd, (off_t) size);
    } while (rc == -1 && errno == EINTR);

    return rc == -1 ? reel_fs_errno(errno) : REEL_OK;
}


static reel_err_t
copy_plain(int to, uint64_t off, int from, uint64_t from_off, uint64_t len)
{
    void        *buf;
    size_t       n, want;
    reel_err_t   err = REEL_OK;

    buf = malloc(COPY_BUFFER);
    if (buf == NULL) {
        return REEL_NOMEM;
    }

    while (len != 0) {
        want = len < COPY_BUFFER ? (size_t) len : COPY_BUFFER;

        err = reel_fs_read(from, from_off, buf, want, &n);
        if (err == REEL_OK && n == 0) {
            err = REEL_IO;
        }

        if (err == REEL_OK) {
            err = reel_fs_write(to, off, buf, n);
        }

        if (err != REEL_OK) {
            break;
        }

        off += n;
        from_off += n;
        len -= n;
    }

    free(buf);

    return err;
}


/* the kernel shares blocks by itself where the file system can */
reel_err_t
reel_fs_copy(reel_multipart_t *to, uint64_t off, reel_multipart_t *from,
    uint64_t from_off, uint64_t len)
{
    off_t    in = (off_t) from_off, out = (off_t) off;
    size_t   want;
    ssize_t  n;

    while (len != 0) {
        want = len < COPY_MAX ? (size_t) len : COPY_MAX;
        n = copy_file_range(from->fd, &in, to->fd, &out, want, 0);

        if (n > 0) {
            len -= (uint64_t) n;
            continue;
        }

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n == -1 && (errno == ENOSPC || errno == EDQUOT
                        || errno == EFBIG || errno == EIO))
        {
            return reel_fs_errno(errno);
        }

        /* not here, or it found nothing more: reading tells */
        return copy_plain(to->fd, (uint64_t) out, from->fd, (uint64_t) in,
                          len);
    }

    return REEL_OK;
}


reel_err_t
reel_fs_collapse(reel_multipart_t *m, uint64_t len)
{
    int  rc;

    do {
        rc = fallocate(m->fd, FALLOC_FL_COLLAPSE_RANGE, 0, (off_t) len);
    } while (rc == -1 && errno == EINTR);

    if (rc == 0) {
        return REEL_OK;
    }

    /* EINVAL: not whole blocks, or nothing would be left */
    return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL
           ? REEL_UNSUPPORTED : reel_fs_errno(errno);
}


/*
 * ext4 leaves alone what is reserved behind the end: that moves there first,
 * by a write, since a truncation could cut off what others just wrote.
 */
void
reel_fs_punch(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    int          rc;
    struct stat  sb;

    if (fstat(m->fd, &sb) == 0 && (uint64_t) sb.st_size < off + len
        && pwrite(m->fd, "", 1, (off_t) (off + len - 1)) != 1)
    {
        return;
    }

    do {
        rc = fallocate(m->fd, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE,
                       (off_t) off, (off_t) len);
    } while (rc == -1 && errno == EINTR);
}


static reel_err_t
set_lock(int fd, int cmd, short type, uint64_t off, uint64_t len)
{
    int           rc;
    struct flock  fl = {
        .l_type = type, .l_whence = SEEK_SET,
        .l_start = (off_t) off, .l_len = (off_t) len,
    };

    do {
        rc = fcntl(fd, cmd, &fl);
    } while (rc == -1 && errno == EINTR);

    if (rc == 0) {
        return REEL_OK;
    }

    return errno == EAGAIN || errno == EACCES ? REEL_AGAIN
                                              : reel_fs_errno(errno);
}


reel_err_t
reel_fs_lock(reel_multipart_t *m, uint64_t off, uint64_t len, bool wait)
{
    return set_lock(m->fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, F_WRLCK, off,
                    len);
}


void
reel_fs_unlock(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    /* cannot fail but for want of memory, when a lock is split */
    if (set_lock(m->fd, F_OFD_SETLK, F_UNLCK, off, len) != REEL_OK) {
        return;
    }
}


reel_err_t
reel_fs_holder(reel_multipart_t *m, uint64_t off, uint64_t len,
    uint64_t *first)
{
    struct flock  fl = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET,
        .l_start = (off_t) off, .l_len = (off_t) len,
    };

    if (fcntl(m->fd, F_OFD_GETLK, &fl) == -1) {
        return reel_fs_errno(errno);
    }

    if (fl.l_type == F_UNLCK) {
        return REEL_NOTFOUND;
    }

    *first = (uint64_t) fl.l_start;

    return REEL_OK;
}

#include "workerd/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "lib/store/layout.h"
#include "workerd/mark_text.h"

/* digits of the sum in a name */
#define NAME_DIGITS 32


static reel_err_t
key_of(reel_key_t key, const char *job, const char *sum)
{
    char  name[16 + NAME_DIGITS];

    (void) snprintf(name, sizeof(name), "watermark-%.*s", NAME_DIGITS, sum);

    return reel_key_scratch(key, reel_str(job), name);
}


static reel_err_t
sum_of(char hex[65], const reel_buf_t *b)
{
    uint8_t     sum[REEL_SHA256_LEN];
    reel_err_t  err = reel_sha256(sum, b->data, b->len);

    if (err == REEL_OK) {
        reel_hex(hex, sum, sizeof(sum));
    }

    return err;
}


/* a file beside the pipelines: *fd, to be closed */
static reel_err_t
open_file(int *fd, const char *folder, const char *image, reel_error_t *e)
{
    char         path[PATH_MAX];
    reel_err_t   err;
    struct stat  st;

    err = reel_pipeline_path(path, sizeof(path), reel_str(folder), image);
    if (err != REEL_OK) {
        return reel_fail(e, err, "the watermark \"%s\" has too long a path",
                         image);
    }

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        return reel_fail(e, errno == ENOENT ? REEL_NOTFOUND : REEL_IO,
                         "the watermark \"%s\": %s", image, strerror(errno));
    }

    if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void) close(*fd);
        return reel_fail(e, REEL_NOTFOUND, "the watermark \"%s\" is no file",
                         image);
    }

    return REEL_OK;
}


reel_err_t
reel_mark_look(const reel_mark_t *m, const char *folder, reel_error_t *e)
{
    int          fd;
    char         path[PATH_MAX];
    reel_err_t   err;
    struct stat  st;

    if (m->text[0] != '\0') {
        err = reel_mark_font(path, sizeof(path), m, reel_str(folder));

        return err == REEL_OK && access(path, R_OK) == 0
               && stat(path, &st) == 0 && S_ISREG(st.st_mode) ? REEL_OK
               : reel_fail(e, REEL_NOTFOUND, "the font of the watermark's "
                           "text cannot be read");
    }

    err = open_file(&fd, folder, m->image, e);
    if (err == REEL_OK) {
        (void) close(fd);
    }

    return err == REEL_OK ? REEL_OK : REEL_NOTFOUND;
}


/* the folder's, into b, which is initialised here */
static reel_err_t
read_file(reel_buf_t *b, const char *folder, const char *image,
    reel_error_t *e)
{
    int         fd, bad = 0;
    char        part[16384];
    ssize_t     n;
    reel_err_t  err;

    reel_buf_init(b, REEL_MARK_BYTES);

    err = open_file(&fd, folder, image, e);
    if (err != REEL_OK) {
        return err;
    }

    while ((n = read(fd, part, sizeof(part))) > 0) {
        reel_buf_add(b, part, (size_t) n);
    }

    bad = n < 0;
    (void) close(fd);

    return bad ? reel_fail(e, REEL_IO, "the watermark \"%s\" cannot be read",
                           image)
           : reel_buf_err(b) == REEL_OK ? REEL_OK
           : reel_fail(e, reel_buf_err(b), "the watermark \"%s\" has more "
                       "than 1 MiB", image);
}


reel_err_t
reel_mark_keep(reel_mark_t *m, const char *folder, reel_store_t *s,
    const char *job, reel_error_t *e)
{
    reel_buf_t  b;
    reel_key_t  key;
    reel_err_t  err;

    err = m->text[0] != '\0' ? reel_mark_draw(&b, m, folder, e)
          : read_file(&b, folder, m->image, e);

    if (err == REEL_OK) {
        err = sum_of(m->sum, &b);
    }
    if (err == REEL_OK) {
        err = key_of(key, job, m->sum);
    }
    if (err == REEL_OK) {
        err = reel_store_put_if_absent(s, key, b.data, b.len);
    }

    reel_buf_release(&b);

    return err == REEL_EXISTS ? REEL_OK : err;
}


/* true: b is the image that was planned with */
static bool
is_planned(const reel_mark_t *m, const reel_buf_t *b)
{
    char  hex[65];

    return sum_of(hex, b) == REEL_OK && strcmp(hex, m->sum) == 0;
}


static reel_err_t
to_memory(int *fd, const reel_buf_t *b, reel_error_t *e)
{
    *fd = memfd_create("reel-watermark", MFD_CLOEXEC);

    if (*fd >= 0 && write(*fd, b->data, b->len) == (ssize_t) b->len) {
        return REEL_OK;
    }

    return reel_fail(e, REEL_IO, "the watermark's memory: %s",
                     strerror(errno));
}


reel_err_t
reel_mark_open(int *fd, const reel_mark_t *m, const char *folder,
    reel_store_t *s, const char *job, reel_error_t *e)
{
    reel_buf_t  b = { 0 };
    reel_key_t  key;
    reel_err_t  err = key_of(key, job, m->sum);

    *fd = -1;

    if (err == REEL_OK) {
        err = reel_store_get(s, key, REEL_MARK_BYTES, &b);
    }

    if (err == REEL_NOTFOUND) {
        reel_buf_release(&b);
        err = read_file(&b, folder, m->image, e);
    }

    if (err == REEL_OK && !is_planned(m, &b)) {
        err = reel_fail(e, REEL_NOTFOUND, "the watermark \"%s\" is another "
                        "than was planned with", m->image);
    }
    if (err == REEL_OK) {
        err = to_memory(fd, &b, e);
    }

    reel_buf_release(&b);

    return err;
}

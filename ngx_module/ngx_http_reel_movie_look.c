/*
 * Looks at a plain movie file: is it the one that we know?  If not, finds its
 * moov and makes an index of it.  It runs in a thread: it touches no request.
 */

#include "ngx_module/ngx_http_reel_look.h"

#include "lib/base/reader.h"
#include "lib/crypt/digest.h"
#include "lib/mp4/box.h"
#include "lib/mp4/movie.h"

/* a moov of 25 h of picture and sound has some 200 MiB */
#define MOOV_MAX     (256u << 20)
/* boxes beside it at the top of a file */
#define BOXES_MAX    4096
#define SEGMENT_MS   6000
#define LARGE_HEAD   16

static ngx_http_reel_asset_e look_file(ngx_http_reel_look_t *l,
    ngx_log_t *log);
static ngx_http_reel_asset_e read_file(ngx_http_reel_look_t *l, ngx_fd_t fd,
    ngx_log_t *log);
static ngx_int_t find_moov(ngx_http_reel_look_t *l, ngx_fd_t fd,
    off_t *offset, uint64_t *size, ngx_log_t *log);
static ngx_int_t read_head(ngx_fd_t fd, uint64_t at, uint64_t left,
    uint32_t *type, uint64_t *size, ngx_uint_t *head);
static ngx_int_t make_salt(uint8_t *salt, ngx_http_reel_look_t *l);
static ngx_http_reel_asset_e bad(ngx_http_reel_look_t *l, ngx_log_t *log,
    const char *text, uint64_t offset);


void
ngx_http_reel_movie_look(void *data, ngx_log_t *log)
{
    ngx_http_reel_look_t *l = data;

    l->state = look_file(l, log);
}


static ngx_http_reel_asset_e
look_file(ngx_http_reel_look_t *l, ngx_log_t *log)
{
    ngx_fd_t               fd;
    struct stat            st;
    ngx_http_reel_asset_e  state;

    /* a FIFO must not hold the thread until somebody writes to it */
    fd = open(l->path, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        if (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR
            || ngx_errno == NGX_ENAMETOOLONG)
        {
            return NGX_HTTP_REEL_ASSET_ABSENT;
        }

        ngx_log_error(NGX_LOG_ERR, log, ngx_errno, "reel: open() \"%s\" "
                      "failed", l->path);
        return NGX_HTTP_REEL_ASSET_FAILED;
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        (void) close(fd);
        return NGX_HTTP_REEL_ASSET_ABSENT;
    }

    if (l->known && (uint64_t) st.st_size == l->st.size
        && st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec
           == l->st.mtime_ns
        && st.st_ino == l->st.version)
    {
        (void) close(fd);
        l->unchanged = 1;
        return NGX_HTTP_REEL_ASSET_PLAYABLE;
    }

    l->st.size = (uint64_t) st.st_size;
    l->st.mtime_ns = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
    l->st.version = st.st_ino;

    state = read_file(l, fd, log);
    (void) close(fd);

    return state;
}


static ngx_http_reel_asset_e
read_file(ngx_http_reel_look_t *l, ngx_fd_t fd, ngx_log_t *log)
{
    off_t                  offset;
    u_char                *moov;
    ssize_t                n;
    uint64_t               size, at;
    ngx_int_t              rc;
    reel_buf_t             b;
    reel_err_t             err;
    reel_error_t           e;
    reel_movie_opts_t      o;
    ngx_http_reel_asset_e  state;

    rc = find_moov(l, fd, &offset, &size, log);
    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? NGX_HTTP_REEL_ASSET_FAILED
                               : NGX_HTTP_REEL_ASSET_BAD_FILE;
    }

    ngx_memzero(&o, sizeof(reel_movie_opts_t));
    o.segment_ms = SEGMENT_MS;
    o.file_size = l->st.size;
    o.created_ms = l->st.mtime_ns / 1000000;

    if (make_salt(o.salt, l) != NGX_OK) {
        return NGX_HTTP_REEL_ASSET_FAILED;
    }

    moov = ngx_alloc(size + 1, log);
    if (moov == NULL) {
        return NGX_HTTP_REEL_ASSET_FAILED;
    }

    for (at = 0; at < size; at += n) {
        n = pread(fd, moov + at, size - at, offset + (off_t) at);

        if (n <= 0) {
            ngx_log_error(NGX_LOG_ERR, log, n ? ngx_errno : 0, "reel: "
                          "reading moov of \"%s\" failed", l->path);
            ngx_free(moov);
            return NGX_HTTP_REEL_ASSET_FAILED;
        }
    }

    e.text[0] = '\0';
    reel_buf_init(&b, REEL_INDEX_MAX_BYTES);

    err = reel_movie_index(&b, moov, size, &o, &e);
    ngx_free(moov);

    if (err == REEL_OK) {
        l->data = (u_char *) reel_buf_take(&b, &l->len);
        state = l->data ? ngx_http_reel_look_parsed(l, l->path, log)
                        : NGX_HTTP_REEL_ASSET_FAILED;

    } else if (err == REEL_NOMEM) {
        state = NGX_HTTP_REEL_ASSET_FAILED;

    } else {
        state = bad(l, log, e.text, (uint64_t) offset);
    }

    reel_buf_release(&b);

    return state;
}


/*
 * The payload of moov, before or behind the media.  NGX_DECLINED: there is
 * none, which was logged.
 */
static ngx_int_t
find_moov(ngx_http_reel_look_t *l, ngx_fd_t fd, off_t *offset, uint64_t *size,
    ngx_log_t *log)
{
    uint32_t    type;
    uint64_t    at, box;
    ngx_int_t   rc;
    ngx_uint_t  n, head;

    at = 0;

    for (n = 0; n < BOXES_MAX && at < l->st.size; n++) {

        rc = read_head(fd, at, l->st.size - at, &type, &box, &head);

        if (rc == NGX_ERROR) {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno, "reel: reading \"%s\" "
                          "failed", l->path);
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            (void) bad(l, log, "a box at the top does not fit into the file",
                       at);
            return NGX_DECLINED;
        }

        if (type == REEL_FOURCC('m', 'o', 'o', 'v')) {

            if (box - head > MOOV_MAX) {
                (void) bad(l, log, "moov is larger than 256 MiB", at);
                return NGX_DECLINED;
            }

            *offset = (off_t) (at + head);
            *size = box - head;
            return NGX_OK;
        }

        at += box;
    }

    (void) bad(l, log, "there is no moov", at);

    return NGX_DECLINED;
}


/* ISO 14496-12, 4.2: size 1 has 64 bits behind the type, 0 is the rest */
static ngx_int_t
read_head(ngx_fd_t fd, uint64_t at, uint64_t left, uint32_t *type,
    uint64_t *size, ngx_uint_t *head)
{
    u_char         buf[LARGE_HEAD];
    ssize_t        n;
    reel_reader_t  r;

    n = pread(fd, buf, sizeof(buf), (off_t) at);
    if (n == -1) {
        return NGX_ERROR;
    }

    reel_reader_init(&r, buf, n);
    *head = REEL_BOX_HEAD;
    *size = reel_read_u32(&r);
    *type = reel_read_u32(&r);

    if (*size == 1) {
        *size = reel_read_u64(&r);
        *head = LARGE_HEAD;

    } else if (*size == 0) {
        *size = left;
    }

    return r.err == REEL_OK && *size >= *head && *size <= left ? NGX_OK
                                                              : NGX_DECLINED;
}


/* nodes that share the files must name segments alike: no inode in it */
static ngx_int_t
make_salt(uint8_t *salt, ngx_http_reel_look_t *l)
{
    uint8_t     digest[REEL_SHA256_LEN];
    ngx_str_t   s;
    u_char      in[NGX_MAX_PATH + 2 * NGX_INT64_LEN + 2];

    s.len = ngx_snprintf(in, sizeof(in), "%L %uL %s", l->st.mtime_ns,
                         l->st.size, l->path) - in;

    if (reel_sha256(digest, in, s.len) != REEL_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(salt, digest, REEL_INDEX_SALT);

    return NGX_OK;
}


static ngx_http_reel_asset_e
bad(ngx_http_reel_look_t *l, ngx_log_t *log, const char *text,
    uint64_t offset)
{
    ngx_log_error(NGX_LOG_ERR, log, 0, "reel: \"%s\" cannot be played: %s "
                  "(near offset %uL)", l->path, text, offset);

    return NGX_HTTP_REEL_ASSET_BAD_FILE;
}

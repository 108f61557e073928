/*
 * Looks at a plain movie file: is it the one that we know?  If not, finds its
 * moov and makes an index of it.  It runs in a thread: it touches no request.
 */

#include "ngx_module/ngx_http_reel_beside.h"

#include "lib/crypt/digest.h"
#include "lib/mp4/movie.h"
#include "lib/store/pread.h"

#define SEGMENT_MS   6000
/* bytes a read */
#define BUFFER       (1024 * 1024)

static ngx_http_reel_asset_e look_file(ngx_http_reel_look_t *l,
    ngx_log_t *log);
static ngx_http_reel_asset_e read_file(ngx_http_reel_look_t *l, ngx_fd_t fd,
    ngx_log_t *log);
static ngx_http_reel_asset_e read_with(ngx_http_reel_look_t *l, ngx_fd_t fd,
    ngx_http_reel_texts_t *texts, ngx_log_t *log);
static ngx_http_reel_asset_e read_movie(ngx_http_reel_look_t *l, ngx_fd_t fd,
    reel_movie_t *m, u_char *buf, ngx_log_t *log);
static void set_grows(ngx_http_reel_look_t *l, ngx_fd_t fd, u_char *buf,
    size_t len);
static ngx_int_t make_salt(uint8_t *salt, ngx_http_reel_look_t *l);


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

    state = ngx_http_reel_movie_look_at(l, fd, log);
    (void) close(fd);

    return state;
}


ngx_http_reel_asset_e
ngx_http_reel_movie_look_at(ngx_http_reel_look_t *l, ngx_fd_t fd,
    ngx_log_t *log)
{
    struct stat  st;

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        return NGX_HTTP_REEL_ASSET_ABSENT;
    }

    if (l->known && (uint64_t) st.st_size == l->st.size
        && ngx_http_reel_mtime_ns(&st) == l->st.mtime_ns
        && st.st_ino == l->st.version
        && (l->source || ngx_http_reel_beside_same(l)))
    {
        l->unchanged = 1;
        return NGX_HTTP_REEL_ASSET_PLAYABLE;
    }

    l->st.size = (uint64_t) st.st_size;
    l->st.mtime_ns = ngx_http_reel_mtime_ns(&st);
    l->st.version = st.st_ino;

    return read_file(l, fd, log);
}


static ngx_http_reel_asset_e
read_file(ngx_http_reel_look_t *l, ngx_fd_t fd, ngx_log_t *log)
{
    ngx_http_reel_texts_t  *texts;
    ngx_http_reel_asset_e   state;

    if (l->source) {
        return read_with(l, fd, NULL, log);
    }

    texts = ngx_http_reel_beside_read(l, log);

    state = texts ? read_with(l, fd, texts, log)
                  : NGX_HTTP_REEL_ASSET_FAILED;

    ngx_http_reel_beside_free(texts);

    return state;
}


static ngx_http_reel_asset_e
read_with(ngx_http_reel_look_t *l, ngx_fd_t fd, ngx_http_reel_texts_t *texts,
    ngx_log_t *log)
{
    u_char                 *buf;
    reel_movie_t           *m;
    reel_movie_opts_t       o;
    ngx_http_reel_asset_e   state;

    if (ngx_http_reel_movie_opts(l, &o) != NGX_OK) {
        return NGX_HTTP_REEL_ASSET_FAILED;
    }

    buf = ngx_alloc(BUFFER, log);
    m = reel_movie_new(&o);

    state = (buf && m) ? read_movie(l, fd, m, buf, log)
                       : NGX_HTTP_REEL_ASSET_FAILED;

    /* a source never changes */
    if (state == NGX_HTTP_REEL_ASSET_PLAYABLE && !l->source
        && reel_movie_head(m))
    {
        set_grows(l, fd, buf, (size_t) ngx_min(reel_movie_head(m), BUFFER));
    }

    ngx_free(buf);

    if (state == NGX_HTTP_REEL_ASSET_PLAYABLE) {
        if (texts) {
            ngx_http_reel_within_read(texts, m, l, fd, log);
            ngx_http_reel_beside_set(texts, m);
        }

        state = ngx_http_reel_movie_print(l, m, log);
    }

    if (state == NGX_HTTP_REEL_ASSET_PLAYABLE
        && reel_movie_skipped(m)[0] != '\0')
    {
        ngx_log_error(NGX_LOG_NOTICE, log, 0, "reel: a track of \"%s\" is "
                      "left out: %s", l->path, reel_movie_skipped(m));
    }

    reel_movie_free(m);

    return state;
}


ngx_int_t
ngx_http_reel_movie_opts(ngx_http_reel_look_t *l, reel_movie_opts_t *o)
{
    ngx_memzero(o, sizeof(reel_movie_opts_t));
    o->segment_ms = SEGMENT_MS;
    o->file_size = l->st.size;
    o->created_ms = l->st.mtime_ns / 1000000;
    o->direct = l->source;
    o->large = &ngx_http_reel_large;

    return make_salt(o->salt, l);
}


/* as much of the file as its index takes */
static ngx_http_reel_asset_e
read_movie(ngx_http_reel_look_t *l, ngx_fd_t fd, reel_movie_t *m, u_char *buf,
    ngx_log_t *log)
{
    void              *p;
    ssize_t            n;
    reel_err_t         err;
    reel_error_t       e;
    reel_movie_want_t  w;

    e.text[0] = '\0';

    while (reel_movie_want(m, &w) == REEL_AGAIN) {

        p = w.into ? w.into : buf;
        n = reel_pread(fd, p, w.into ? w.len : ngx_min(w.len, BUFFER),
                       w.offset);

        if (n < (ssize_t) w.min) {
            /* shorter than it was: somebody writes it */
            ngx_log_error(NGX_LOG_ERR, log, n == -1 ? ngx_errno : 0,
                          "reel: reading \"%s\" at %uL failed", l->path,
                          w.offset);
            return NGX_HTTP_REEL_ASSET_FAILED;
        }

        err = reel_movie_feed(m, p, n, &e);

        if (err == REEL_NOMEM) {
            return NGX_HTTP_REEL_ASSET_FAILED;
        }

        if (err != REEL_OK) {
            return ngx_http_reel_movie_bad(l, log, e.text,
                                           reel_movie_at(m));
        }
    }

    return NGX_HTTP_REEL_ASSET_PLAYABLE;
}


ngx_http_reel_asset_e
ngx_http_reel_movie_print(ngx_http_reel_look_t *l, reel_movie_t *m,
    ngx_log_t *log)
{
    size_t        size;
    reel_err_t    err;
    reel_error_t  e;

    e.text[0] = '\0';

    err = reel_movie_make(m, &size, &e);

    if (err == REEL_OK) {
        l->data = l->room ? l->room(l, size, log) : ngx_alloc(size, log);

        if (l->data == NULL) {
            return NGX_HTTP_REEL_ASSET_FAILED;
        }

        l->len = size;
        err = reel_movie_put(m, l->data, size, &e);
    }

    if (err == REEL_NOMEM) {
        return NGX_HTTP_REEL_ASSET_FAILED;
    }

    if (err != REEL_OK) {
        return ngx_http_reel_movie_bad(l, log, e.text, reel_movie_at(m));
    }

    return ngx_http_reel_look_parsed(l, l->path, log);
}


/* of what stays while it grows; a file that cannot be read has no such names */
static void
set_grows(ngx_http_reel_look_t *l, ngx_fd_t fd, u_char *buf, size_t len)
{
    uint8_t  digest[REEL_SHA256_LEN];

    const reel_str_t  parts[] = {
        { (char *) buf, len },
        reel_str(l->path),
        { (char *) &l->beside.digest, sizeof(l->beside.digest) }
    };

    l->grows.may = 0;

    if (pread(fd, buf, len, 0) == (ssize_t) len
        && reel_sha256_parts(digest, parts, 3) == REEL_OK)
    {
        ngx_memcpy(l->grows.salt, digest, REEL_INDEX_SALT);
        l->grows.may = 1;
    }
}


/*
 * Nodes that share the files must name segments alike: no inode in it.  Of a
 * source l->path is its key.
 */
static ngx_int_t
make_salt(uint8_t *salt, ngx_http_reel_look_t *l)
{
    uint8_t     digest[REEL_SHA256_LEN];
    ngx_str_t   s;
    u_char      in[NGX_MAX_PATH + 4 * NGX_INT64_LEN + 4];

    s.data = ngx_snprintf(in, sizeof(in), "%L %uL %s", l->st.mtime_ns,
                          l->st.size, l->path);

    if (l->remote) {
        /* of its ETag */
        s.data = ngx_snprintf(s.data, in + sizeof(in) - s.data, " %uL",
                              l->st.version);
    }

    if (l->beside.n) {
        s.data = ngx_snprintf(s.data, in + sizeof(in) - s.data, " %uL",
                              l->beside.digest);
    }

    s.len = s.data - in;

    if (reel_sha256(digest, in, s.len) != REEL_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(salt, digest, REEL_INDEX_SALT);

    return NGX_OK;
}


ngx_http_reel_asset_e
ngx_http_reel_movie_bad(ngx_http_reel_look_t *l, ngx_log_t *log,
    const char *text, uint64_t offset)
{
    ngx_uint_t  level;

    /* of an upload nobody promised that */
    level = l->source ? NGX_LOG_INFO : NGX_LOG_ERR;

    ngx_log_error(level, log, 0, "reel: \"%s\" cannot be played: %s (near "
                  "offset %uL)", l->path, text, offset);

    return NGX_HTTP_REEL_ASSET_BAD_FILE;
}

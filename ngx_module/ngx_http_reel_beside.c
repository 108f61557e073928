/*
 * Which texts lie beside a movie, and what they say.  Whether that is so
 * still is asked each second: a folder that was not changed since has no new
 * ones, so that one stat is enough for a film without any.
 */

#include "ngx_module/ngx_http_reel_beside.h"

#include "lib/crypt/digest.h"
#include "lib/text/srt.h"

/* names of a folder that are looked at */
#define NAMES_MAX     100000
#define TEXTS_MAX     REEL_MOVIE_TEXTS
#define FILE_MAX      (1024 * 1024)
/* tags and escapes make an .srt longer */
#define VTT_MAX       (2 * FILE_MAX)

typedef struct {
    char                         name[NAME_MAX + 1];
    ngx_http_reel_beside_name_t  of;        /* what that tells */
    int64_t                      mtime_ns;
    uint64_t                     size;
} file_t;

typedef struct {
    int         fd;                     /* of the folder */
    ngx_uint_t  n;
    file_t      files[TEXTS_MAX];       /* by name */
} folder_t;

struct ngx_http_reel_texts_s {
    folder_t           folder;
    ngx_uint_t         n;
    reel_buf_t         vtt[TEXTS_MAX];
    reel_movie_text_t  texts[TEXTS_MAX];
};

static ngx_uint_t scan(folder_t *f, const char *path,
    ngx_http_reel_beside_t *b, ngx_uint_t quick);
static ngx_uint_t list_names(folder_t *f, const char *base, size_t stem,
    reel_str_t suffix);
static void add_file(folder_t *f, const file_t *file);
static ngx_uint_t sum(const folder_t *f, uint64_t *digest);
static void read_text(ngx_http_reel_texts_t *t, const file_t *file,
    const char *path, ngx_log_t *log);
static reel_err_t read_vtt(reel_buf_t *b, int folder, const file_t *file,
    ngx_log_t *log, reel_error_t *e);
static reel_err_t to_vtt(reel_buf_t *b, const file_t *file, reel_str_t s,
    reel_error_t *e);
static ssize_t read_bytes(int folder, const file_t *file, u_char *buf);


ngx_uint_t
ngx_http_reel_beside_same(ngx_http_reel_look_t *l)
{
    folder_t                *f;
    ngx_uint_t               same;
    ngx_http_reel_beside_t   b;

    f = ngx_alloc(sizeof(folder_t), ngx_cycle->log);
    if (f == NULL) {
        return 1;
    }

    b = l->beside;
    f->fd = -1;

    same = scan(f, l->path, &b, 1) && b.n == l->beside.n
           && b.digest == l->beside.digest;

    if (f->fd != -1) {
        (void) close(f->fd);
    }

    ngx_free(f);

    return same;
}


/*
 * Fills in f and b; if quick, not where the folder is as it was and there was
 * none.  0: it cannot be read, which is as if there were none.
 */
static ngx_uint_t
scan(folder_t *f, const char *path, ngx_http_reel_beside_t *b,
    ngx_uint_t quick)
{
    char         folder[NGX_MAX_PATH];
    size_t       len, stem;
    ngx_uint_t   ok;
    struct stat  st;
    const char  *base, *dot;

    base = strrchr(path, '/');
    len = base ? (size_t) (base - path) + 1 : 0;
    f->n = 0;

    if (len == 0 || len >= sizeof(folder)) {
        return 0;
    }

    base++;
    ngx_memcpy(folder, path, len);
    folder[len] = '\0';

    if (stat(folder, &st) == -1) {
        return 0;
    }

    if (quick && b->n == 0 && b->folder_ns == ngx_http_reel_mtime_ns(&st)) {
        return 1;
    }

    b->folder_ns = ngx_http_reel_mtime_ns(&st);

    f->fd = open(folder, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (f->fd == -1) {
        return 0;
    }

    dot = strrchr(base, '.');
    stem = dot && dot != base ? (size_t) (dot - base) : strlen(base);

    ok = list_names(f, base, stem, reel_str(base + stem))
         && sum(f, &b->digest);
    b->n = f->n;

    return ok;
}


static ngx_uint_t
list_names(folder_t *f, const char *base, size_t stem, reel_str_t suffix)
{
    DIR            *dir;
    int             fd;
    file_t          file;
    ngx_uint_t      n;
    struct stat     st;
    struct dirent  *d;

    fd = dup(f->fd);
    dir = fd == -1 ? NULL : fdopendir(fd);

    if (dir == NULL) {
        if (fd != -1) {
            (void) close(fd);
        }

        return 0;
    }

    for (n = 0; n < NAMES_MAX && (d = readdir(dir)) != NULL; n++) {

        ngx_cpystrn((u_char *) file.name, (u_char *) d->d_name,
                    sizeof(file.name));

        if (!ngx_http_reel_beside_name(&file.of, file.name, base, stem,
                                       suffix)
            || fstatat(f->fd, file.name, &st, 0) == -1
            || !S_ISREG(st.st_mode))
        {
            continue;
        }

        file.mtime_ns = ngx_http_reel_mtime_ns(&st);
        file.size = (uint64_t) st.st_size;

        add_file(f, &file);
    }

    (void) closedir(dir);

    return 1;
}


/* of too many the first by name: readdir() has no order */
static void
add_file(folder_t *f, const file_t *file)
{
    ngx_uint_t  i;

    for (i = f->n; i > 0; i--) {
        if (strcmp(f->files[i - 1].name, file->name) < 0) {
            break;
        }

        if (i < TEXTS_MAX) {
            f->files[i] = f->files[i - 1];
        }
    }

    if (i < TEXTS_MAX) {
        f->files[i] = *file;
        f->n += f->n < TEXTS_MAX;
    }
}


/* of names, lengths and times; nodes that share the files agree on it */
static ngx_uint_t
sum(const folder_t *f, uint64_t *digest)
{
    uint8_t         out[REEL_SHA256_LEN];
    reel_err_t      err;
    ngx_uint_t      i;
    reel_sha256_t  *h;

    *digest = 0;

    if (f->n == 0) {
        return 1;
    }

    h = reel_sha256_new();
    if (h == NULL) {
        return 0;
    }

    for (err = REEL_OK, i = 0; err == REEL_OK && i < f->n; i++) {
        err = reel_sha256_update(h, f->files[i].name,
                                 strlen(f->files[i].name) + 1);
        if (err == REEL_OK) {
            err = reel_sha256_update(h, &f->files[i].mtime_ns,
                                     sizeof(f->files[i].mtime_ns));
        }
        if (err == REEL_OK) {
            err = reel_sha256_update(h, &f->files[i].size,
                                     sizeof(f->files[i].size));
        }
    }

    if (err != REEL_OK) {
        reel_sha256_free(h);
        return 0;
    }

    if (reel_sha256_final(h, out) != REEL_OK) {
        return 0;
    }

    ngx_memcpy(digest, out, sizeof(*digest));

    return 1;
}


ngx_http_reel_texts_t *
ngx_http_reel_beside_read(ngx_http_reel_look_t *l, ngx_log_t *log)
{
    ngx_uint_t              i;
    ngx_http_reel_texts_t  *t;

    t = ngx_calloc(sizeof(ngx_http_reel_texts_t), log);
    if (t == NULL) {
        return NULL;
    }

    t->folder.fd = -1;
    ngx_memzero(&l->beside, sizeof(ngx_http_reel_beside_t));

    if (scan(&t->folder, l->path, &l->beside, 0)) {
        for (i = 0; i < t->folder.n; i++) {
            read_text(t, &t->folder.files[i], l->path, log);
        }
    }

    if (t->folder.fd != -1) {
        (void) close(t->folder.fd);
    }

    return t;
}


static void
read_text(ngx_http_reel_texts_t *t, const file_t *file, const char *path,
    ngx_log_t *log)
{
    reel_err_t     err;
    reel_buf_t    *b;
    reel_error_t   e;

    b = &t->vtt[t->n];
    e.text[0] = '\0';

    reel_buf_init(b, VTT_MAX);

    err = read_vtt(b, t->folder.fd, file, log, &e);

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: the text \"%s\" beside "
                      "\"%s\" is left out: %s", file->name, path,
                      e.text[0] ? e.text : reel_err_name(err));
        reel_buf_release(b);
        return;
    }

    t->texts[t->n++] = (reel_movie_text_t) {
        .language = reel_str(file->of.language), .roles = file->of.roles,
        .vtt = { (char *) b->data, b->len }
    };
}


static reel_err_t
read_vtt(reel_buf_t *b, int folder, const file_t *file, ngx_log_t *log,
    reel_error_t *e)
{
    u_char      *buf;
    ssize_t      n;
    reel_err_t   err;

    if (file->size > FILE_MAX) {
        return reel_fail(e, REEL_LIMIT, "it has over %d KiB",
                         FILE_MAX / 1024);
    }

    buf = ngx_alloc(FILE_MAX, log);
    if (buf == NULL) {
        return REEL_NOMEM;
    }

    n = read_bytes(folder, file, buf);

    err = n == -1 ? reel_fail(e, REEL_IO, "it cannot be read")
                  : to_vtt(b, file, (reel_str_t) { (char *) buf, (size_t) n },
                           e);
    ngx_free(buf);

    return err;
}


static reel_err_t
to_vtt(reel_buf_t *b, const file_t *file, reel_str_t s, reel_error_t *e)
{
    reel_err_t  err;

    if (file->of.srt) {
        return reel_srt_vtt(b, s, e);
    }

    err = reel_vtt_check(s, e);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_adds(b, s);

    return reel_buf_err(b);
}


static ssize_t
read_bytes(int folder, const file_t *file, u_char *buf)
{
    int      fd;
    size_t   len;
    ssize_t  n;

    fd = openat(folder, file->name, O_RDONLY|O_NONBLOCK|O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    for (len = 0; len < FILE_MAX; len += (size_t) n) {
        n = read(fd, buf + len, FILE_MAX - len);

        if (n <= 0) {
            break;
        }
    }

    (void) close(fd);

    return n == -1 ? -1 : (ssize_t) len;
}


ngx_int_t
ngx_http_reel_beside_add(ngx_http_reel_texts_t *t,
    const reel_movie_text_t *text, reel_buf_t *vtt)
{
    if (t->n == TEXTS_MAX) {
        return NGX_DECLINED;
    }

    t->vtt[t->n] = *vtt;
    t->texts[t->n] = *text;
    t->texts[t->n++].vtt = (reel_str_t) { (char *) vtt->data, vtt->len };

    return NGX_OK;
}


void
ngx_http_reel_beside_set(ngx_http_reel_texts_t *t, reel_movie_t *m)
{
    reel_movie_set_texts(m, t->texts, (unsigned) t->n);
}


void
ngx_http_reel_beside_free(ngx_http_reel_texts_t *t)
{
    ngx_uint_t  i;

    if (t == NULL) {
        return;
    }

    for (i = 0; i < t->n; i++) {
        reel_buf_release(&t->vtt[i]);
    }

    ngx_free(t);
}

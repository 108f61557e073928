/*
 * The files of a title: out of its URL, out of the names in a folder, out of
 * a mapping beside them.  Folders and mappings are read in the thread pool.
 */

#include "ngx_module/ngx_http_reel_title.h"

/* names of a folder that are looked at */
#define NAMES_MAX  100000

static ngx_int_t read_list(ngx_http_request_t *r, ngx_http_reel_title_t *t);
static ngx_int_t read_pattern(ngx_http_request_t *r,
    ngx_http_reel_title_t *t);
static ngx_int_t read_file(ngx_http_request_t *r, ngx_http_reel_title_t *t);
static ngx_int_t set_path(ngx_http_request_t *r, ngx_http_reel_title_t *t,
    ngx_str_t *uri);
static void load_file(void *data, ngx_log_t *log);
static reel_err_t load_bytes(ngx_http_reel_title_t *t, ngx_fd_t fd,
    ngx_log_t *log);
static void list_folder(void *data, ngx_log_t *log);
static ngx_int_t list_names(ngx_http_reel_title_t *t, DIR *dir,
    ngx_array_t *names);
static int ngx_libc_cdecl by_name(const void *one, const void *two);
static reel_err_t open_error(ngx_http_reel_title_t *t, const char *what,
    ngx_log_t *log);
static void read_done(ngx_http_request_t *r, void *data);


ngx_int_t
ngx_http_reel_title_read(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    ngx_int_t  rc;

    switch (t->kind) {

    case NGX_HTTP_REEL_TITLE_LIST:
        return read_list(r, t);

    case NGX_HTTP_REEL_TITLE_ASKED:
        return ngx_http_reel_title_ask(r, t);

    case NGX_HTTP_REEL_TITLE_PATTERN:
        rc = read_pattern(r, t);
        break;

    default:
        rc = read_file(r, t);
    }

    if (rc != NGX_OK
        || ngx_http_reel_task_post(r, t->kind == NGX_HTTP_REEL_TITLE_PATTERN
                                   ? list_folder : load_file, read_done, t)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


static void
read_done(ngx_http_request_t *r, void *data)
{
    ngx_http_finalize_request(r, ngx_http_reel_title_got(r, data));
}


/* folders may stand before and behind what differs, and differ */
static ngx_int_t
read_list(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    reel_str_t  path;

    t->folder = t->top;

    path.p = (char *) t->play->asset.data + t->folder.len;
    path.len = t->play->asset.len - t->folder.len
               - (sizeof(".urlset") - 1);

    t->err = reel_title_list(&t->title, path, &t->e);

    if (t->err == REEL_OK
        && reel_sha256(t->digest, t->play->asset.data, t->play->asset.len)
           != REEL_OK)
    {
        t->err = REEL_NOMEM;
    }

    return ngx_http_reel_title_got(r, t);
}


static ngx_int_t
read_file(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    return set_path(r, t, &t->play->asset);
}


/* "{}/v_*.mp4" of /films/beach: files v_*.mp4 of /films/beach/ */
static ngx_int_t
read_pattern(ngx_http_request_t *r, ngx_http_reel_title_t *t)
{
    u_char                    *b, *slash;
    ngx_str_t                  name, uri;
    reel_title_pattern_t       p;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    reel_title_pattern_split(&p, (reel_str_t) {
                             (char *) conf->files_pattern.data,
                             conf->files_pattern.len });

    name.data = t->folder.data + t->folder.len;
    name.len = t->play->asset.len - t->folder.len;

    uri.len = t->folder.len + p.before.len + name.len + p.between.len;
    uri.data = ngx_pnalloc(r->pool, uri.len + 1);
    if (uri.data == NULL) {
        return NGX_ERROR;
    }

    b = ngx_cpymem(uri.data, t->folder.data, t->folder.len);
    b = ngx_cpymem(b, p.before.p, p.before.len);
    b = ngx_cpymem(b, name.data, name.len);
    b = ngx_cpymem(b, p.between.p, p.between.len);

    for (slash = b; slash[-1] != '/'; slash--) { /* void */ }

    t->before.data = slash;
    t->before.len = b - slash;
    t->after.data = (u_char *) p.after.p;
    t->after.len = p.after.len;
    t->below.data = uri.data + t->folder.len;
    t->below.len = slash - t->below.data;
    uri.len = slash - uri.data;

    return set_path(r, t, &uri);
}


static ngx_int_t
set_path(ngx_http_request_t *r, ngx_http_reel_title_t *t, ngx_str_t *uri)
{
    ngx_str_t  path;

    t->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);

    if (t->pool == NULL
        || ngx_http_reel_movie_map(r, uri, &path) != NGX_OK)
    {
        return NGX_ERROR;
    }

    t->path = (char *) path.data;

    return NGX_OK;
}


/* in a thread */
static void
load_file(void *data, ngx_log_t *log)
{
    ngx_http_reel_title_t *t = data;

    ngx_fd_t     fd;
    struct stat  st;

    fd = open(t->path, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        t->err = open_error(t, "open()", log);
        return;
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        t->err = REEL_NOTFOUND;

    } else {
        t->err = load_bytes(t, fd, log);
    }

    (void) close(fd);
}


/* one byte more than it may have says that it has too many */
static reel_err_t
load_bytes(ngx_http_reel_title_t *t, ngx_fd_t fd, ngx_log_t *log)
{
    size_t       len;
    u_char      *b;
    ssize_t      n;
    reel_err_t   err;

    b = ngx_palloc(t->pool, REEL_TITLE_BYTES + 1);
    if (b == NULL) {
        return REEL_NOMEM;
    }

    for (len = 0; len <= REEL_TITLE_BYTES; len += n) {
        n = read(fd, b + len, REEL_TITLE_BYTES + 1 - len);

        if (n == -1) {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                          "reel: read() \"%s\" failed", t->path);
            return REEL_IO;
        }

        if (n == 0) {
            break;
        }
    }

    err = reel_title_map(&t->title, (char *) b, len, &t->e);

    return err == REEL_OK ? reel_sha256(t->digest, b, len) : err;
}


static reel_err_t
open_error(ngx_http_reel_title_t *t, const char *what, ngx_log_t *log)
{
    if (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR
        || ngx_errno == NGX_ENAMETOOLONG)
    {
        return REEL_NOTFOUND;
    }

    ngx_log_error(NGX_LOG_ERR, log, ngx_errno, "reel: %s \"%s\" failed",
                  what, t->path);

    return REEL_IO;
}


/* in a thread */
static void
list_folder(void *data, ngx_log_t *log)
{
    ngx_http_reel_title_t *t = data;

    DIR          *dir;
    ngx_int_t     rc;
    ngx_array_t   names;

    if (ngx_array_init(&names, t->pool, 16, sizeof(reel_str_t)) != NGX_OK) {
        t->err = REEL_NOMEM;
        return;
    }

    dir = opendir(t->path);

    if (dir == NULL) {
        t->err = open_error(t, "opendir()", log);
        return;
    }

    rc = list_names(t, dir, &names);
    (void) closedir(dir);

    if (rc == NGX_DECLINED) {
        t->err = reel_fail(&t->e, REEL_LIMIT, "its folder has over %d files, "
                           "or over %d of this title", NAMES_MAX,
                           REEL_TITLE_FILES);
        return;
    }

    if (rc != NGX_OK) {
        t->err = REEL_NOMEM;
        return;
    }

    ngx_qsort(names.elts, names.nelts, sizeof(reel_str_t), by_name);

    t->err = reel_title_names(&t->title, names.elts, names.nelts, &t->e);

    if (t->err == REEL_OK
        && reel_sha256(t->digest, t->path, ngx_strlen(t->path)) != REEL_OK)
    {
        t->err = REEL_NOMEM;
    }
}


/* NGX_DECLINED: there are too many */
static ngx_int_t
list_names(ngx_http_reel_title_t *t, DIR *dir, ngx_array_t *names)
{
    u_char         *b;
    size_t          len;
    reel_str_t     *s;
    ngx_uint_t      n;
    struct dirent  *d;

    for (n = 0; (d = readdir(dir)) != NULL; n++) {

        if (n == NAMES_MAX) {
            return NGX_DECLINED;
        }

        len = ngx_strlen(d->d_name);

        if (d->d_name[0] == '.' || len <= t->before.len + t->after.len
            || ngx_memcmp(d->d_name, t->before.data, t->before.len) != 0
            || ngx_memcmp(d->d_name + len - t->after.len, t->after.data,
                          t->after.len) != 0)
        {
            continue;
        }

        if (names->nelts == REEL_TITLE_FILES) {
            return NGX_DECLINED;
        }

        s = ngx_array_push(names);
        b = ngx_pnalloc(t->pool, t->below.len + len);

        if (s == NULL || b == NULL) {
            return NGX_ERROR;
        }

        s->p = (char *) b;
        s->len = t->below.len + len;
        b = ngx_cpymem(b, t->below.data, t->below.len);
        ngx_memcpy(b, d->d_name, len);
    }

    return NGX_OK;
}


static int ngx_libc_cdecl
by_name(const void *one, const void *two)
{
    int                rc;
    const reel_str_t  *a = one, *b = two;

    rc = ngx_memcmp(a->p, b->p, ngx_min(a->len, b->len));

    return rc ? rc : a->len < b->len ? -1 : a->len > b->len;
}


ngx_int_t
ngx_http_reel_title_uri(ngx_http_request_t *r, ngx_http_reel_title_t *t,
    ngx_uint_t i, ngx_str_t *uri)
{
    u_char      *b;
    ngx_str_t   *base;
    reel_str_t   path;

    path = t->title.files[i].path;
    base = &t->folder;

    if (path.p[0] == '/') {
        path.p++;
        path.len--;
        base = &t->top;
    }

    uri->len = base->len + path.len;
    uri->data = ngx_pnalloc(r->pool, uri->len);
    if (uri->data == NULL) {
        return NGX_ERROR;
    }

    b = ngx_cpymem(uri->data, base->data, base->len);
    ngx_memcpy(b, path.p, path.len);

    return NGX_OK;
}

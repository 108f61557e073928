/*
 * Looks at a movie behind an internal location.  The first request has the
 * index of most films that are made for the web; else one more has the moov.
 */

#include "ngx_module/ngx_http_reel_remote.h"

/* to see whether it is the same; s3rver takes a last byte of 0 for none */
#define CHECK   2
/* of the first request; the most of each other one */
#define FIRST   (256 * 1024)
#define LARGEST (16 * 1024 * 1024)

typedef struct {
    ngx_http_reel_look_t     *look;
    ngx_http_reel_fetch_t     fetch;
    reel_movie_t             *movie;
    ngx_http_reel_fetched_pt  done;
    void                     *data;
    u_char                   *buf;
    size_t                    held;     /* of buf */
    unsigned                  again:1;  /* it was replaced once */
    unsigned                  rest:1;   /* all of it was asked for */
} reading_t;

static ngx_int_t get(ngx_http_request_t *r, reading_t *rd, uint64_t offset,
    size_t size);
static ngx_int_t get_into(ngx_http_request_t *r, reading_t *rd,
    uint64_t offset, size_t size, u_char *buf);
static ngx_int_t get_more(ngx_http_request_t *r, reading_t *rd);
static void cleanup(void *data);
static void fetched(ngx_http_request_t *r, void *data);
static ngx_int_t take(ngx_http_request_t *r, reading_t *rd);
static ngx_int_t begin(ngx_http_request_t *r, reading_t *rd);
static ngx_int_t replaced(ngx_http_request_t *r, reading_t *rd);
static ngx_int_t feed(ngx_http_request_t *r, reading_t *rd);


ngx_int_t
ngx_http_reel_remote_look(ngx_http_request_t *r, ngx_http_reel_look_t *l,
    ngx_http_reel_fetched_pt done, void *data)
{
    reading_t           *rd;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(reading_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    rd = cln->data;
    ngx_memzero(rd, sizeof(reading_t));
    cln->handler = cleanup;

    rd->look = l;
    rd->done = done;
    rd->data = data;
    rd->fetch.uri.data = (u_char *) l->path;
    rd->fetch.uri.len = ngx_strlen(l->path);
    rd->fetch.done = fetched;
    rd->fetch.data = rd;

    return get(r, rd, 0, l->known ? CHECK : FIRST);
}


static ngx_int_t
get(ngx_http_request_t *r, reading_t *rd, uint64_t offset, size_t size)
{
    if (size > rd->held) {
        ngx_free(rd->buf);
        rd->held = 0;
        rd->buf = ngx_alloc(size, r->connection->log);

        if (rd->buf == NULL) {
            return NGX_ERROR;
        }

        rd->held = size;
    }

    return get_into(r, rd, offset, size, rd->buf);
}


static ngx_int_t
get_into(ngx_http_request_t *r, reading_t *rd, uint64_t offset, size_t size,
    u_char *buf)
{
    rd->fetch.offset = offset;
    rd->fetch.size = size;
    rd->fetch.buf = buf;

    return ngx_http_reel_fetch(r, &rd->fetch);
}


static void
cleanup(void *data)
{
    reading_t *rd = data;

    ngx_free(rd->buf);
    reel_movie_free(rd->movie);
}


static void
fetched(ngx_http_request_t *r, void *data)
{
    reading_t *rd = data;

    ngx_int_t              rc;
    ngx_http_reel_look_t  *l;

    l = rd->look;
    rc = take(r, rd);

    if (rc == NGX_AGAIN) {
        return;
    }

    if (rc == NGX_ERROR) {
        l->state = NGX_HTTP_REEL_ASSET_FAILED;
    }

    if (l->state == NGX_HTTP_REEL_ASSET_PLAYABLE) {
        l->movie = rd->movie;
        rd->movie = NULL;
    }

    ngx_free(rd->buf);
    rd->buf = NULL;
    rd->held = 0;

    rd->done(r, rd->data);
}


/* NGX_AGAIN: more is asked for; NGX_OK: look->state is set */
static ngx_int_t
take(ngx_http_request_t *r, reading_t *rd)
{
    ngx_http_reel_look_t   *l;
    ngx_http_reel_fetch_t  *f;

    l = rd->look;
    f = &rd->fetch;

    if (f->status == NGX_HTTP_RANGE_NOT_SATISFIABLE && f->offset == 0) {
        l->state = ngx_http_reel_movie_bad(l, r->connection->log,
                                           "the file is empty", 0);
        return NGX_OK;
    }

    if (f->status == NGX_HTTP_RANGE_NOT_SATISFIABLE) {
        return replaced(r, rd);
    }

    if (f->status != NGX_HTTP_PARTIAL_CONTENT) {
        l->status = f->status;
        l->state = f->status == NGX_HTTP_NOT_FOUND || f->status == 410
                   ? NGX_HTTP_REEL_ASSET_ABSENT
                   : NGX_HTTP_REEL_ASSET_UPSTREAM;
        return NGX_OK;
    }

    if (l->known) {
        if (ngx_http_reel_same(&f->st, &l->st)) {
            l->unchanged = 1;
            l->state = NGX_HTTP_REEL_ASSET_PLAYABLE;
            return NGX_OK;
        }

        l->known = 0;
        return get(r, rd, 0, FIRST) == NGX_OK ? NGX_AGAIN : NGX_ERROR;
    }

    if (rd->movie == NULL && begin(r, rd) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!ngx_http_reel_same(&f->st, &l->st)) {
        return replaced(r, rd);
    }

    return feed(r, rd);
}


static ngx_int_t
begin(ngx_http_request_t *r, reading_t *rd)
{
    reel_movie_opts_t  o;

    rd->look->st = rd->fetch.st;

    if (ngx_http_reel_movie_opts(rd->look, &o) != NGX_OK) {
        return NGX_ERROR;
    }

    rd->movie = reel_movie_new(&o);

    return rd->movie ? NGX_OK : NGX_ERROR;
}


/* as take(): it is read anew, once */
static ngx_int_t
replaced(ngx_http_request_t *r, reading_t *rd)
{
    if (rd->again) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "reel: \"%s\" was "
                      "replaced while it was read", rd->look->path);
        return NGX_ERROR;
    }

    reel_movie_free(rd->movie);
    rd->movie = NULL;
    rd->again = 1;
    rd->rest = 0;

    return get(r, rd, 0, FIRST) == NGX_OK ? NGX_AGAIN : NGX_ERROR;
}


static ngx_int_t
feed(ngx_http_request_t *r, reading_t *rd)
{
    reel_err_t             err;
    reel_error_t           e;
    ngx_http_reel_look_t  *l;

    l = rd->look;
    e.text[0] = '\0';

    err = reel_movie_feed(rd->movie, rd->fetch.buf, (size_t) rd->fetch.n, &e);

    if (err == REEL_NOMEM) {
        return NGX_ERROR;
    }

    if (err != REEL_OK) {
        l->state = ngx_http_reel_movie_bad(l, r->connection->log, e.text,
                                           reel_movie_at(rd->movie));
        return NGX_OK;
    }

    return get_more(r, rd);
}


/* as take() */
static ngx_int_t
get_more(ngx_http_request_t *r, reading_t *rd)
{
    size_t             size;
    uint64_t           left;
    ngx_int_t          rc;
    reel_movie_want_t  w;

    if (reel_movie_want(rd->movie, &w) == REEL_OK) {
        rd->look->state = NGX_HTTP_REEL_ASSET_PLAYABLE;
        return NGX_OK;
    }

    size = ngx_min(w.len, LARGEST);

    if (w.into) {
        rc = get_into(r, rd, w.offset, size, w.into);
        return rc == NGX_OK ? NGX_AGAIN : NGX_ERROR;
    }

    /* behind the samples mostly stands a moov, and nothing else */
    left = rd->look->st.size - w.offset;

    if (!rd->rest && left <= LARGEST) {
        rd->rest = 1;
        size = (size_t) left;
    }

    return get(r, rd, w.offset, size) == NGX_OK ? NGX_AGAIN : NGX_ERROR;
}


/* in a thread */
void
ngx_http_reel_remote_print(void *data, ngx_log_t *log)
{
    ngx_http_reel_look_t *l = data;

    l->state = ngx_http_reel_movie_print(l, l->movie, log);

    reel_movie_free(l->movie);
    l->movie = NULL;
}


ngx_int_t
ngx_http_reel_remote_refuse(ngx_http_request_t *r, ngx_uint_t status)
{
    const char  *detail;

    detail = "the server that the film is read from has refused it";

    if (status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
        detail = "the server that the film is read from has failed";

    } else if (status < NGX_HTTP_BAD_REQUEST) {
        /* a redirect is nobody's to follow */
        status = NGX_HTTP_BAD_GATEWAY;
    }

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, status,
                               "UPSTREAM_FAILED", detail,
                               status >= NGX_HTTP_INTERNAL_SERVER_ERROR);
}

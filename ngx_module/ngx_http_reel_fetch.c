/* ranges of files behind an internal location: see ngx_http_reel_fetch.h */

#include "ngx_module/ngx_http_reel_fetch.h"

static ngx_int_t add_cleanup(ngx_http_request_t *r,
    ngx_http_reel_fetch_t *f);
static void cleanup(void *data);
static ngx_int_t ask(ngx_http_request_t *sr, ngx_http_reel_fetch_t *f);
static ngx_http_reel_fetch_t *fetch_of(ngx_http_request_t *r);
static ngx_int_t header_filter(ngx_http_request_t *r);
static const char *read_head(ngx_http_request_t *r, ngx_http_reel_fetch_t *f);
static ngx_str_t *header(ngx_http_request_t *r, const char *name);
static const char *read_content_range(ngx_http_reel_fetch_t *f,
    ngx_str_t *value);
static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_int_t take(ngx_http_request_t *r, ngx_http_reel_fetch_t *f,
    ngx_buf_t *b);
static ngx_int_t ended(ngx_http_request_t *sr, void *data, ngx_int_t rc);
static void tell(ngx_event_t *ev);

static ngx_http_output_header_filter_pt  next_header_filter;
static ngx_http_output_body_filter_pt    next_body_filter;


void
ngx_http_reel_fetch_init(void)
{
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;

    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
}


ngx_int_t
ngx_http_reel_fetch(ngx_http_request_t *r, ngx_http_reel_fetch_t *f)
{
    ngx_http_request_t          *sr;
    ngx_http_post_subrequest_t  *ps;

    if (f->request == NULL && add_cleanup(r, f) != NGX_OK) {
        return NGX_ERROR;
    }

    f->request = r;
    f->status = 0;
    f->wrong = NULL;
    f->n = 0;
    f->length = 0;
    ngx_memzero(&f->st, sizeof(reel_store_stat_t));

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));
    if (ps == NULL) {
        return NGX_ERROR;
    }

    ps->handler = ended;
    ps->data = f;

    if (ngx_http_subrequest(r, &f->uri, NULL, &sr, ps,
                            NGX_HTTP_SUBREQUEST_BACKGROUND)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ask(sr, f);
}


static ngx_int_t
add_cleanup(ngx_http_request_t *r, ngx_http_reel_fetch_t *f)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = cleanup;
    cln->data = f;

    f->event.handler = tell;
    f->event.data = f;
    f->event.log = ngx_cycle->log;

    return NGX_OK;
}


static void
cleanup(void *data)
{
    ngx_http_reel_fetch_t *f = data;

    if (f->event.posted) {
        ngx_delete_posted_event(&f->event);
    }
}


/* nothing of what the client asked for goes on, but the host */
static ngx_int_t
ask(ngx_http_request_t *sr, ngx_http_reel_fetch_t *f)
{
    u_char              *p;
    ngx_str_t            server;
    ngx_table_elt_t     *h;

    server = sr->headers_in.server;

    ngx_memzero(&sr->headers_in, sizeof(ngx_http_headers_in_t));
    sr->headers_in.server = server;
    sr->headers_in.content_length_n = -1;
    sr->headers_in.keep_alive_n = -1;

    if (ngx_list_init(&sr->headers_in.headers, sr->pool, 2,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    h = ngx_list_push(&sr->headers_in.headers);
    p = ngx_pnalloc(sr->pool, sizeof("bytes=-") + 2 * NGX_INT64_LEN);

    if (h == NULL || p == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));
    h->hash = 1;
    ngx_str_set(&h->key, "Range");
    h->lowcase_key = (u_char *) "range";
    h->value.data = p;
    h->value.len = ngx_sprintf(p, "bytes=%uL-%uL", f->offset,
                               f->offset + f->size - 1) - p;

    sr->headers_in.range = h;
    sr->header_in = sr->main->header_in;

    return NGX_OK;
}


static ngx_http_reel_fetch_t *
fetch_of(ngx_http_request_t *r)
{
    return r != r->main && r->post_subrequest
           && r->post_subrequest->handler == ended ? r->post_subrequest->data
                                                   : NULL;
}


static ngx_int_t
header_filter(ngx_http_request_t *r)
{
    ngx_http_reel_fetch_t  *f;

    f = fetch_of(r);

    if (f == NULL) {
        return next_header_filter(r);
    }

    r->header_sent = 1;
    f->status = r->headers_out.status;

    if (f->status == NGX_HTTP_OK && r->headers_out.content_length_n == 0) {
        /* nginx itself answers so: of nothing there is no range */
        f->status = NGX_HTTP_RANGE_NOT_SATISFIABLE;
    }

    if (f->status == NGX_HTTP_OK || f->status == NGX_HTTP_PARTIAL_CONTENT) {
        f->wrong = read_head(r, f);
    }

    /* an error's body is of no use, nor is that of an answer we refuse */
    return f->wrong ? NGX_ERROR : NGX_OK;
}


static const char *
read_head(ngx_http_request_t *r, ngx_http_reel_fetch_t *f)
{
    time_t      t;
    ngx_str_t  *value;

    if (f->status == NGX_HTTP_OK) {
        return "it sends the whole for a range";
    }

    value = header(r, "Content-Encoding");
    if (value) {
        return "it is encoded";
    }

    value = header(r, "Last-Modified");
    if (value) {
        t = ngx_parse_http_time(value->data, value->len);
        f->st.mtime_ns = t == NGX_ERROR ? 0 : (int64_t) t * 1000000000;
    }

    value = header(r, "ETag");
    if (value) {
        f->st.version = ((uint64_t) ngx_murmur_hash2(value->data, value->len)
                         << 32) | ngx_crc32_long(value->data, value->len);
    }

    value = header(r, "Content-Range");

    return value ? read_content_range(f, value) : "it has no Content-Range";
}


static ngx_str_t *
header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    part = &r->headers_out.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash && h[i].key.len == len
            && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
        {
            return &h[i].value;
        }
    }
}


/* RFC 9110, 14.4: bytes first-last/complete */
static const char *
read_content_range(ngx_http_reel_fetch_t *f, ngx_str_t *value)
{
    uint64_t    first, last, all;
    reel_str_t  s, a, b;

    s.p = (char *) value->data;
    s.len = value->len;

    if (s.len < 6 || ngx_strncasecmp(value->data, (u_char *) "bytes ", 6)
                     != 0)
    {
        return "its Content-Range is malformed";
    }

    s.p += 6;
    s.len -= 6;

    a = reel_str_cut(s, '-', &s);
    if (s.p == NULL) {
        return "its Content-Range is malformed";
    }

    b = reel_str_cut(s, '/', &s);

    if (s.p == NULL || reel_str_u64(a, INT64_MAX, &first) != REEL_OK
        || reel_str_u64(b, INT64_MAX, &last) != REEL_OK
        || reel_str_u64(s, INT64_MAX, &all) != REEL_OK)
    {
        return "its Content-Range is malformed";
    }

    if (first != f->offset || last < first || last >= all
        || last - first >= f->size
        || (last - first + 1 < f->size && last + 1 != all))
    {
        return "it sends another range";
    }

    f->st.size = all;
    f->length = (size_t) (last - first + 1);

    return NULL;
}


static ngx_int_t
body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t            *cl;
    ngx_http_reel_fetch_t  *f;

    f = fetch_of(r);

    if (f == NULL) {
        return next_body_filter(r, in);
    }

    for (cl = in; cl; cl = cl->next) {
        if (take(r, f, cl->buf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* a cache, or a pipe that ran ahead, has bytes in a file */
static ngx_int_t
take(ngx_http_request_t *r, ngx_http_reel_fetch_t *f, ngx_buf_t *b)
{
    off_t    size;
    ssize_t  n;

    size = ngx_buf_size(b);

    if (f->length && size > (off_t) (f->length - f->n)) {
        f->wrong = "it sends more than it says";
        return NGX_ERROR;
    }

    if (f->length == 0 || size == 0) {
        /* an error's, or nothing */

    } else if (ngx_buf_in_memory(b)) {
        ngx_memcpy(f->buf + f->n, b->pos, size);
        f->n += size;

    } else if (b->in_file) {
        n = ngx_read_file(b->file, f->buf + f->n, size, b->file_pos);
        if (n != (ssize_t) size) {
            return NGX_ERROR;
        }

        f->n += n;
    }

    b->pos = b->last;
    b->file_pos = b->file_last;

    return NGX_OK;
}


/* returns what ends the subrequest quietly: it has no client */
static ngx_int_t
ended(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_reel_fetch_t *f = data;

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE && !f->wrong) {
        f->status = rc;

    } else if (f->status == NGX_HTTP_PARTIAL_CONTENT && !f->wrong
               && (rc == NGX_ERROR || f->n != f->length))
    {
        f->wrong = "it is cut short";

    } else if (f->status == 0) {
        f->status = NGX_HTTP_BAD_GATEWAY;
    }

    if (f->wrong) {
        f->status = NGX_HTTP_BAD_GATEWAY;
        ngx_log_error(NGX_LOG_ERR, sr->connection->log, 0,
                      "reel: the answer to bytes %uL-%uL of \"%V\" is not "
                      "taken: %s", f->offset, f->offset + f->size - 1,
                      &f->uri, f->wrong);
    }

    if (!f->event.posted) {
        ngx_post_event(&f->event, &ngx_posted_events);
    }

    return NGX_OK;
}


static void
tell(ngx_event_t *ev)
{
    ngx_http_reel_fetch_t *f = ev->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = f->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);
    f->done(r, f->data);
    ngx_http_run_posted_requests(c);
}

/*
 * Playback: byte ranges of stored objects, as buffers of files, so that
 * sendfile, aio and the range filter of the location do the rest.
 */

#include "ngx_module/ngx_http_reel_protect.h"

#include "lib/index/packed.h"

/* of a turn: to open what is sent; to send it, which copies nothing */
#define BEGIN_COST  (32 * 1024)
#define SENT_COST   8

static ngx_int_t send_now(ngx_http_request_t *r);
static ngx_int_t send_stored(ngx_http_request_t *r, ngx_http_reel_play_t *p);
static ngx_uint_t has_header(const reel_rendition_t *r, uint32_t number);
static ngx_chain_t *align(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_int_t read_head(ngx_http_request_t *r, ngx_buf_t *b,
    ngx_buf_t *head);


ngx_int_t
ngx_http_reel_segment_media(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    return p->opts.protection ? ngx_http_reel_sealed_media(r, p)
                              : ngx_http_reel_turn_run(r, send_now);
}


static ngx_int_t
send_now(ngx_http_request_t *r)
{
    off_t                  sent;
    ngx_int_t              rc;
    ngx_http_reel_ctx_t   *ctx;
    ngx_http_reel_play_t  *p;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    p = ctx->data;
    sent = r->connection->sent;

    rc = p->index->nsamples ? ngx_http_reel_movie_media(r, p)
                            : send_stored(r, p);

    sent = r->connection->sent - sent;
    ngx_http_reel_turn_spend(BEGIN_COST + (size_t) sent / SENT_COST);

    return rc;
}


static ngx_int_t
send_stored(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    unsigned       n;
    uint32_t       first, count;
    reel_err_t     err;
    const char    *detail;
    reel_extent_t  ext[REEL_EXTENTS_MAX];

    detail = ngx_http_reel_segment_fragments(p, &first, &count);
    if (detail) {
        return ngx_http_reel_play_absent(r, detail);
    }

    err = reel_index_locate(p->index, p->rendition, first, count, ext, &n);
    if (err != REEL_OK) {
        return ngx_http_reel_segment_lost(r, p, err);
    }

    return ngx_http_reel_segment_send(r, p, ext, n, p->rendition->name,
                                      &p->segment);
}


const char *
ngx_http_reel_segment_fragments(ngx_http_reel_play_t *p, uint32_t *first,
    uint32_t *count)
{
    uint64_t  from, left;

    from = (uint64_t) p->number * p->opts.per;

    if (from >= p->index->fragments) {
        return "the rendition has no such segment";
    }

    left = p->index->fragments - from;

    if (p->index->growing && left < p->opts.per) {
        /* it would be cached for ever, and is not whole yet */
        return "the segment is not published yet";
    }

    *first = (uint32_t) from;
    *count = (uint32_t) ngx_min(p->opts.per, left);

    return NULL;
}


ngx_int_t
ngx_http_reel_segment_lost(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    reel_err_t err)
{
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "reel: segment %uD of \"%V\" in asset \"%V\" cannot be "
                  "located: %s", p->number, &p->name, &p->asset,
                  reel_err_name(err));

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                               NGX_HTTP_INTERNAL_SERVER_ERROR, "BAD_INDEX",
                               "the asset's index is damaged", 0);
}


/*
 * init.mp4 is the header of the first segment.  Where a media playlist
 * changes to another one, it names that by its number in the index.
 */
ngx_int_t
ngx_http_reel_segment_init(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    unsigned       n;
    uint32_t       number;
    ngx_str_t      etag, sealed, *name;
    reel_err_t     err;
    reel_str_t     header;
    reel_extent_t  ext[REEL_EXTENTS_MAX];

    static ngx_str_t  what = ngx_string("init");

    if (reel_index_locate(p->index, p->rendition, 0, 1, ext, &n) != REEL_OK) {
        return ngx_http_reel_play_absent(r, "the rendition has no segment "
                                         "yet");
    }

    number = ext[0].header;
    name = &what;

    if (p->header.len) {
        if (p->number == number || !has_header(p->rendition, p->number)) {
            return ngx_http_reel_play_absent(r, "the rendition has no such "
                                             "header");
        }

        number = p->number;
        name = &p->header;
    }

    header = p->index->headers[number];

    if (reel_protection_scheme(p->opts.protection) > REEL_SCHEME_AES128) {
        err = ngx_http_reel_sealed_header(r, p, header, &sealed);

        if (err == REEL_UNSUPPORTED) {
            return ngx_http_reel_play_absent(r, "this codec cannot be "
                                             "encrypted here: aes-128 can");
        }

        if (err != REEL_OK) {
            return ngx_http_reel_segment_lost(r, p, err);
        }

        header = (reel_str_t) { (char *) sealed.data, sealed.len };
    }

    if (ngx_http_reel_play_etag(r, p, name, 0, &etag) != NGX_OK
        || ngx_http_reel_play_headers(r, p, header.len, &etag) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the index stays until the request's pool goes */
    return ngx_http_reel_play_bytes(r, (u_char *) header.p, header.len);
}


static ngx_uint_t
has_header(const reel_rendition_t *r, uint32_t number)
{
    reel_runs_t  headers = reel_runs(r->header_bytes);

    while (reel_runs_load(&headers)) {
        if (headers.value == number) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_reel_segment_send(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const reel_extent_t *ext, ngx_uint_t n, reel_str_t folder, ngx_str_t *what)
{
    off_t         len;
    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_str_t     etag;
    ngx_uint_t    i;
    ngx_chain_t   out[REEL_EXTENTS_MAX];

    len = 0;

    for (i = 0; i < n; i++) {
        b = ngx_calloc_buf(r->pool);
        if (b == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_http_reel_segment_open(r, p, folder, &ext[i], b);

        if (rc == NGX_DECLINED) {
            return ngx_http_reel_play_again(r, p);
        }

        if (rc != NGX_OK) {
            return ngx_http_reel_object_refuse(r, rc);
        }

        b->last_in_chain = (i == n - 1);
        b->last_buf = (i == n - 1 && r == r->main);

        out[i].buf = b;
        out[i].next = (i == n - 1) ? NULL : &out[i + 1];

        len += b->file_last - b->file_pos;
    }

    if (ngx_http_reel_play_etag(r, p, what, 0, &etag) != NGX_OK
        || ngx_http_reel_play_headers(r, p, len, &etag) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_reel_play_send_header(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_http_reel_socket_no_delay(r);

    return ngx_http_output_filter(r, align(r, out));
}


ngx_int_t
ngx_http_reel_segment_open(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    reel_str_t folder, const reel_extent_t *ext, ngx_buf_t *b)
{
    b->file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (b->file == NULL) {
        return NGX_ERROR;
    }

    b->in_file = 1;
    b->file_pos = (off_t) ext->offset;
    b->file_last = (off_t) (ext->offset + ext->size);

    return ngx_http_reel_object_open(r, p, r->pool, folder, ext, 0, b->file);
}


/*
 * Fragments begin anywhere in a page, and sendfile from there costs Linux up
 * to twice the CPU of one from a page's start.  So what stands before the
 * first whole page of a file goes out from memory, together with the
 * response's header.
 */
static ngx_chain_t *
align(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t     *head;
    ngx_chain_t   *cl, *ln, *out, **ll;

    if (!r->connection->sendfile || r->headers_out.status != NGX_HTTP_OK) {
        return in;
    }

    out = in;
    ll = &out;

    for (cl = in; cl; cl = cl->next) {
        head = ngx_calloc_buf(r->pool);
        ln = ngx_alloc_chain_link(r->pool);

        if (head == NULL || ln == NULL) {
            break;
        }

        if (read_head(r, cl->buf, head) == NGX_OK) {
            ln->buf = head;
            ln->next = cl;
            *ll = ln;
        }

        ll = &cl->next;
    }

    return out;
}


/* moves the bytes before b's first whole page into head, if it costs no wait */
static ngx_int_t
read_head(ngx_http_request_t *r, ngx_buf_t *b, ngx_buf_t *head)
{
#ifdef RWF_NOWAIT

    size_t        size;
    struct iovec  iov;

    size = (size_t) (-b->file_pos & (off_t) (ngx_pagesize - 1));

    if (size == 0 || b->file_last - b->file_pos < (off_t) (2 * ngx_pagesize)) {
        return NGX_DECLINED;
    }

    head->pos = ngx_pnalloc(r->pool, size);
    if (head->pos == NULL) {
        return NGX_DECLINED;
    }

    iov.iov_base = head->pos;
    iov.iov_len = size;

    if (preadv2(b->file->fd, &iov, 1, b->file_pos, RWF_NOWAIT)
        != (ssize_t) size)
    {
        return NGX_DECLINED;
    }

    head->last = head->pos + size;
    head->memory = 1;
    b->file_pos += size;

    return NGX_OK;

#else

    return NGX_DECLINED;

#endif
}

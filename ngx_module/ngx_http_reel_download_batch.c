/* the next pieces of a download, opened: see ngx_http_reel_download.h */

#include "ngx_module/ngx_http_reel_download.h"

/* of a batch: as many bytes as nginx sends in a turn, and one piece more */
#define BATCH_BYTES  (2 * 1024 * 1024)

static void add_head(ngx_http_reel_download_t *o);
static ngx_int_t add_piece(ngx_http_request_t *r,
    ngx_http_reel_download_t *o);
static void add_tail(ngx_http_reel_download_t *o);
static ngx_buf_t *add_buf(ngx_http_reel_download_t *o);


ngx_int_t
ngx_http_reel_download_batch(ngx_http_request_t *r,
    ngx_http_reel_download_t *o)
{
    off_t      from;
    ngx_int_t  rc;

    if (o->files) {
        ngx_destroy_pool(o->files);
    }

    o->files = ngx_create_pool(1024, r->connection->log);
    if (o->files == NULL) {
        return NGX_ERROR;
    }

    o->n = 0;
    from = o->at;

    rc = NGX_OK;

    if (o->at < (off_t) o->d.head) {
        add_head(o);
    }

    while (rc == NGX_OK && o->at < o->end && o->at - from < BATCH_BYTES
           && o->n <= NGX_HTTP_REEL_DOWNLOAD_BATCH - REEL_EXTENTS_MAX)
    {
        if (o->at >= (off_t) o->d.media) {
            add_tail(o);
        } else {
            rc = add_piece(r, o);
        }
    }

    if (rc != NGX_OK) {
        return rc;
    }

    o->links[o->n - 1].next = NULL;

    if (o->at == o->end) {
        o->bufs[o->n - 1].last_buf = (r == r->main);
        o->bufs[o->n - 1].last_in_chain = 1;

    } else {
        /* however little it is: its buffers are wanted again */
        o->bufs[o->n - 1].flush = 1;
    }

    return NGX_OK;
}


static void
add_head(ngx_http_reel_download_t *o)
{
    ngx_buf_t  *b;

    b = add_buf(o);
    b->memory = 1;
    b->pos = o->head.data + o->at;
    b->last = o->head.data + ngx_min(o->end, (off_t) o->head.len);

    o->at += b->last - b->pos;
}


static ngx_int_t
add_piece(ngx_http_request_t *r, ngx_http_reel_download_t *o)
{
    off_t          skip, len;
    unsigned       i, n;
    ngx_int_t      rc;
    ngx_buf_t     *b;
    reel_extent_t  ext[REEL_EXTENTS_MAX];

    /* in order, but after a range that was not taken */
    if (o->pieces.start + o->pieces.size != (uint64_t) o->at
        || !reel_download_next(&o->pieces))
    {
        if (!reel_download_seek(&o->pieces, &o->d, (uint64_t) o->at)) {
            return NGX_ERROR;
        }
    }

    if (reel_index_locate(o->play->index, o->pieces.r, o->pieces.first,
                          o->pieces.count, ext, &n)
        != REEL_OK)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reel: fragment %uD of asset \"%V\" cannot be located",
                      o->pieces.first, &o->play->asset);
        return NGX_ABORT;
    }

    skip = o->at - (off_t) o->pieces.start;

    for (i = 0; i < n && o->at < o->end; i++) {

        if (skip >= (off_t) ext[i].size) {
            skip -= (off_t) ext[i].size;
            continue;
        }

        b = add_buf(o);

        rc = ngx_http_reel_object_open(r, o->play, o->files,
                                       o->pieces.r->name, &ext[i], 0,
                                       b->file);
        if (rc != NGX_OK) {
            return rc;
        }

        len = ngx_min((off_t) ext[i].size - skip, o->end - o->at);

        b->in_file = 1;
        b->file_pos = (off_t) ext[i].offset + skip;
        b->file_last = b->file_pos + len;

        o->at += len;
        skip = 0;
    }

    return NGX_OK;
}


static void
add_tail(ngx_http_reel_download_t *o)
{
    ngx_buf_t  *b;

    b = add_buf(o);
    b->memory = 1;
    b->pos = (u_char *) reel_download_tail + (o->at - (off_t) o->d.media);
    b->last = (u_char *) reel_download_tail + (o->end - (off_t) o->d.media);

    o->at = o->end;
}


/* the next of the batch; its file keeps what nginx has put into it */
static ngx_buf_t *
add_buf(ngx_http_reel_download_t *o)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = &o->bufs[o->n];
    cl = &o->links[o->n];

    ngx_memzero(b, sizeof(ngx_buf_t));
    b->file = &o->file[o->n];

    cl->buf = b;
    cl->next = cl + 1;
    o->n++;

    return b;
}

/*
 * Playback: an asset as one file to be saved, in lib/mp4/download.h's form.
 *
 * A two-hour film is 2400 pieces of files.  They are opened and sent a few
 * at a time, as the socket drains: what a download takes does not grow with
 * the film.  A batch's files are closed when all of it has gone out; its
 * buffers and nginx's file objects, with what sendfile in threads hangs on
 * them, are used again.
 */

#include "ngx_module/ngx_http_reel_play.h"

#include "lib/base/disposition.h"
#include "lib/job/record.h"
#include "lib/mp4/download.h"

#define HEAD_MAX     (256 * 1024)
/* of a batch: as many bytes as nginx sends in a turn, or as many pieces */
#define BATCH_BYTES  (2 * 1024 * 1024)
#define BATCH_MAX    16

typedef struct {
    ngx_http_reel_play_t    *play;
    reel_download_t          d;
    reel_download_pieces_t   pieces;
    ngx_str_t                head;
    off_t                    at;        /* where the next batch begins */
    off_t                    end;

    ngx_pool_t              *files;     /* of the batch on its way, or NULL */
    ngx_uint_t               n;
    ngx_chain_t              links[BATCH_MAX];
    ngx_buf_t                bufs[BATCH_MAX];
    ngx_file_t               file[BATCH_MAX];

    /* asked in the thread pool */
    reel_store_t            *store;
    reel_buf_t               disposition;
} download_t;

static const char *choose_tracks(ngx_http_request_t *r,
    ngx_http_reel_play_t *p,
    const reel_rendition_t *track[REEL_DOWNLOAD_TRACKS]);
static ngx_int_t add_shape(ngx_http_request_t *r, ngx_http_reel_play_t *p);
static reel_err_t make_head(ngx_http_request_t *r, download_t *o,
    const reel_rendition_t *const *track, reel_error_t *e);
static ngx_int_t refuse(ngx_http_request_t *r, download_t *o, reel_err_t err,
    const char *text);
static download_t *add_download(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
static void cleanup(void *data);
static void read_name(void *data, ngx_log_t *log);
static void named(ngx_http_request_t *r, void *data);
static ngx_int_t begin(ngx_http_request_t *r, download_t *o);
static ngx_int_t etag_of(ngx_http_request_t *r, download_t *o,
    ngx_str_t *etag);
static off_t range_start(ngx_http_request_t *r, off_t size);
static void write_handler(ngx_http_request_t *r);
static ngx_int_t wait_for_socket(ngx_http_request_t *r);
static ngx_uint_t busy(ngx_http_request_t *r);
static ngx_int_t make_batch(ngx_http_request_t *r, download_t *o);
static ngx_int_t add_head(download_t *o);
static ngx_int_t add_piece(ngx_http_request_t *r, download_t *o);
static void add_tail(download_t *o);
static ngx_buf_t *add_buf(download_t *o);


ngx_int_t
ngx_http_reel_download(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    reel_err_t               err;
    download_t              *o;
    const char              *absent;
    reel_error_t             e;
    const reel_rendition_t  *track[REEL_DOWNLOAD_TRACKS];

    if (p->index->growing) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_CONFLICT, "NOT_COMPLETE",
                                   "the asset is not complete yet", 1);
    }

    if (p->opts.protection) {
        return ngx_http_reel_play_absent(r, "where segments are encrypted "
                                         "there is no film to be saved");
    }

    if (p->index->nsamples) {
        return ngx_http_reel_play_absent(r, "a plain movie is a file "
                                         "already: it is saved as that");
    }

    if (reel_shape_is_clip(&p->opts.shape)) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_BAD_REQUEST, "BAD_PARAMETER",
                                   "start, end: there is no such file of "
                                   "a clip", 0);
    }

    absent = choose_tracks(r, p, track);
    if (absent) {
        return ngx_http_reel_play_absent(r, absent);
    }

    o = add_download(r, p);
    if (o == NULL || add_shape(r, p) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p->rendition = track[0] ? track[0] : track[1];

    e.text[0] = '\0';

    err = make_head(r, o, track, &e);
    if (err != REEL_OK) {
        return refuse(r, o, err, e.text);
    }

    r->main->count++;

    if (ngx_http_reel_task_post(r, read_name, named, o) != NGX_OK) {
        r->main->count--;
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DONE;
}


/* NULL, or what the 404 says */
static const char *
choose_tracks(ngx_http_request_t *r, ngx_http_reel_play_t *p,
    const reel_rendition_t *track[REEL_DOWNLOAD_TRACKS])
{
    ngx_str_t  audio;

    track[0] = reel_download_video(p->index, p->opts.switching_set,
                                   p->opts.shape.min_height,
                                   p->opts.shape.max_height);
    track[1] = reel_download_audio(p->index);

    if (ngx_http_arg(r, (u_char *) "audio", 5, &audio) == NGX_OK) {
        track[1] = reel_index_find(p->index, (reel_str_t)
                                   { (char *) audio.data, audio.len });

        if (track[1] == NULL || track[1]->kind != REEL_AUDIO) {
            return "the asset has no such audio rendition";
        }
    }

    if (track[0] == NULL && (p->shape.len || track[1] == NULL)) {
        return "the asset has no video of such heights";
    }

    return NULL;
}


/* the audio rendition asked for goes before the heights */
static ngx_int_t
add_shape(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    u_char     *b;
    ngx_str_t   audio;

    if (ngx_http_arg(r, (u_char *) "audio", 5, &audio) != NGX_OK) {
        return NGX_OK;
    }

    b = ngx_pnalloc(r->pool, sizeof("audio=&") - 1 + audio.len
                             + p->shape.len);
    if (b == NULL) {
        return NGX_ERROR;
    }

    p->shape.len = ngx_sprintf(b, "audio=%V%s%V", &audio,
                               p->shape.len ? "&" : "", &p->shape)
                   - b;
    p->shape.data = b;

    return NGX_OK;
}


static reel_err_t
make_head(ngx_http_request_t *r, download_t *o,
    const reel_rendition_t *const *track, reel_error_t *e)
{
    reel_buf_t  b;
    reel_err_t  err;

    reel_buf_init(&b, HEAD_MAX);

    err = reel_download_init(&o->d, &b, o->play->index, track[0], track[1],
                             e);
    if (err == REEL_OK) {
        o->head.len = b.len;
        o->head.data = ngx_pnalloc(r->pool, b.len);

        if (o->head.data) {
            ngx_memcpy(o->head.data, b.data, b.len);

        } else {
            err = REEL_NOMEM;
        }
    }

    reel_buf_release(&b);

    return err;
}


static ngx_int_t
refuse(ngx_http_request_t *r, download_t *o, reel_err_t err,
    const char *text)
{
    const char  *code;
    ngx_uint_t   status;

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "reel: \"%V\" of asset \"%V\" cannot be made: %s, %s",
                  &o->play->route->name, &o->play->asset, reel_err_name(err),
                  text);

    if (err == REEL_BADDATA || err == REEL_NOTFOUND) {
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_INTERNAL_SERVER_ERROR,
                                   "BAD_INDEX",
                                   "the asset's index is damaged", 0);
    }

    status = ngx_http_reel_err_status(err, &code);

    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, status, code,
                               "these renditions do not fit into one file",
                               0);
}


static download_t *
add_download(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    download_t                *o;
    ngx_pool_cleanup_t        *cln;
    ngx_http_reel_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    cln = ngx_pool_cleanup_add(r->pool, sizeof(download_t));
    if (cln == NULL) {
        return NULL;
    }

    o = cln->data;
    ngx_memzero(o, sizeof(download_t));
    cln->handler = cleanup;

    o->store = conf->store;
    o->play = p;
    p->out = o;

    return o;
}


static void
cleanup(void *data)
{
    download_t *o = data;

    reel_buf_release(&o->disposition);

    if (o->files) {
        ngx_destroy_pool(o->files);
    }
}


/* in a thread; a file without a name is still one */
static void
read_name(void *data, ngx_log_t *log)
{
    download_t *o = data;

    reel_buf_t      b;
    reel_key_t      key;
    reel_str_t      name;
    reel_err_t      err;
    reel_request_t  rq;

    ngx_memzero(&rq, sizeof(reel_request_t));
    name.p = (char *) o->play->asset.data;
    name.len = o->play->asset.len;

    err = reel_key_asset_part(key, name, REEL_PART_REQUEST);

    if (err == REEL_OK) {
        err = reel_store_get(o->store, key, REEL_RECORD_MAX, &b);
    }

    if (err == REEL_OK) {
        err = reel_request_parse(&rq, (char *) b.data, b.len, NULL);
        reel_buf_release(&b);
    }

    if (err == REEL_OK && rq.name && rq.name[0]) {
        name = reel_str(rq.name);
    }

    reel_buf_init(&o->disposition, 16 * 1024);
    reel_disposition_attachment(&o->disposition, name, ".mp4");
    reel_request_release(&rq);
}


static void
named(ngx_http_request_t *r, void *data)
{
    download_t *o = data;

    ngx_int_t  rc;

    if (r->connection->error) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    rc = begin(r, o);

    if (rc != NGX_DECLINED) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    r->http_state = NGX_HTTP_WRITING_REQUEST_STATE;
    r->read_event_handler = r->discard_body
                                ? ngx_http_discarded_request_body_handler
                                : ngx_http_test_reading;
    r->write_event_handler = write_handler;

    ngx_http_reel_no_delay(r);
    write_handler(r);
}


/* NGX_DECLINED: the body follows */
static ngx_int_t
begin(ngx_http_request_t *r, download_t *o)
{
    off_t      start;
    ngx_int_t  rc;
    ngx_str_t  etag, value;

    if (reel_buf_err(&o->disposition) != REEL_OK
        || etag_of(r, o, &etag) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    value.data = o->disposition.data;
    value.len = o->disposition.len;

    start = range_start(r, (off_t) o->d.size);
    o->at = start;
    o->end = (off_t) o->d.size;

    /* before the header: what is damaged at once gets a clean answer */
    rc = make_batch(r, o);

    if (rc == NGX_DECLINED) {
        return ngx_http_reel_play_again(r, o->play);
    }

    if (rc != NGX_OK) {
        return ngx_http_reel_object_refuse(r, rc);
    }

    if (ngx_http_reel_play_headers(r, o->play, (off_t) o->d.size, &etag)
        != NGX_OK
        || ngx_http_reel_add_header(r, "Content-Disposition", &value)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the range filter need not see what lies before the range */
    r->headers_out.content_offset = start;

    rc = ngx_http_reel_play_send_header(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (r->headers_out.status == NGX_HTTP_PARTIAL_CONTENT) {
        o->end = r->headers_out.content_offset
                 + r->headers_out.content_length_n;

    } else if (start) {
        /* If-Range did not match, or the like: the whole */
        o->at = 0;
        o->n = 0;
    }

    return NGX_DECLINED;
}


static ngx_int_t
etag_of(ngx_http_request_t *r, download_t *o, ngx_str_t *etag)
{
    u_char      what[sizeof("-+") + 2 * 64];
    ngx_str_t   s;
    reel_str_t  a, b;

    a = o->d.track[0]->name;
    b = o->d.ntracks > 1 ? o->d.track[1]->name : REEL_STR("");

    s.data = what;
    s.len = ngx_snprintf(what, sizeof(what), "%*s+%*s", a.len, a.p, b.len,
                         b.p)
            - what;

    return ngx_http_reel_play_etag(r, o->play, &s, 0, etag);
}


/*
 * Where the one range of the request begins, or 0.  Only a hint of where to
 * begin: the range filter decides what is sent, and when it decides for less
 * it cuts it out.
 */
static off_t
range_start(ngx_http_request_t *r, off_t size)
{
    off_t       n;
    u_char     *p, *last;
    ngx_uint_t  suffix;

    if (r != r->main || r->headers_in.range == NULL
        || r->headers_in.range->value.len < sizeof("bytes=0") - 1
        || ngx_strncasecmp(r->headers_in.range->value.data,
                           (u_char *) "bytes=", 6)
           != 0)
    {
        return 0;
    }

    p = r->headers_in.range->value.data + 6;
    last = r->headers_in.range->value.data + r->headers_in.range->value.len;

    if (ngx_strlchr(p, last, ',') != NULL) {
        return 0;
    }

    while (p < last && *p == ' ') {
        p++;
    }

    suffix = (p < last && *p == '-');
    p += suffix;

    for (n = 0; p < last && *p >= '0' && *p <= '9'; p++) {
        if (n >= size) {
            break;
        }

        n = n * 10 + (*p - '0');
    }

    if (n > size) {
        return 0;
    }

    if (suffix) {
        n = size - n;
    }

    return n < size ? n : 0;
}


static void
write_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_uint_t             sent;
    download_t            *o;
    ngx_event_t           *wev;
    ngx_http_reel_ctx_t   *ctx;
    ngx_http_reel_play_t  *p;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    p = ctx->data;
    o = p->out;
    wev = r->connection->write;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, NGX_ETIMEDOUT,
                      "client timed out");
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (wev->delayed || r->aio) {
        if (wait_for_socket(r) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    rc = busy(r) ? ngx_http_output_filter(r, NULL) : NGX_OK;

    for (sent = 0; rc != NGX_ERROR; sent = 1) {

        if (busy(r)) {
            rc = wait_for_socket(r);

            if (rc == NGX_OK) {
                return;
            }

            break;
        }

        if (sent) {
            /* others shall have their turn */
            ngx_post_event(wev, &ngx_posted_next_events);
            return;
        }

        if (o->n == 0) {
            rc = make_batch(r, o);

            if (rc != NGX_OK) {
                rc = NGX_ERROR;
                break;
            }
        }

        o->n = 0;
        rc = ngx_http_output_filter(r, o->links);

        if (o->at >= o->end && rc != NGX_ERROR) {
            /* nginx sends what is left */
            break;
        }
    }

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
wait_for_socket(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    wev = r->connection->write;

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


static ngx_uint_t
busy(ngx_http_request_t *r)
{
    return r->aio || r->buffered || r->postponed
           || (r == r->main && r->connection->buffered);
}


/*
 * The next pieces from o->at on, opened.  As ngx_http_reel_object_open();
 * after the header is sent, all but NGX_OK ends the connection.
 */
static ngx_int_t
make_batch(ngx_http_request_t *r, download_t *o)
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

    rc = o->at < (off_t) o->d.head ? add_head(o) : NGX_OK;

    while (rc == NGX_OK && o->at < o->end && o->at - from < BATCH_BYTES
           && o->n <= BATCH_MAX - REEL_EXTENTS_MAX)
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


static ngx_int_t
add_head(download_t *o)
{
    ngx_buf_t  *b;

    b = add_buf(o);
    b->memory = 1;
    b->pos = o->head.data + o->at;
    b->last = o->head.data + ngx_min(o->end, (off_t) o->head.len);

    o->at += b->last - b->pos;

    return NGX_OK;
}


static void
add_tail(download_t *o)
{
    ngx_buf_t  *b;

    b = add_buf(o);
    b->memory = 1;
    b->pos = (u_char *) reel_download_tail + (o->at - (off_t) o->d.media);
    b->last = (u_char *) reel_download_tail + (o->end - (off_t) o->d.media);

    o->at = o->end;
}


static ngx_int_t
add_piece(ngx_http_request_t *r, download_t *o)
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


/* the next of the batch; its file keeps what nginx has put into it */
static ngx_buf_t *
add_buf(download_t *o)
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

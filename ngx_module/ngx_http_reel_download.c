/* an asset as one file to be saved: see ngx_http_reel_download.h */

#include "ngx_module/ngx_http_reel_download.h"

#include "lib/base/disposition.h"
#include "lib/job/record.h"

#define HEAD_MAX  (256 * 1024)

static const char *choose_tracks(ngx_http_request_t *r,
    ngx_http_reel_play_t *p,
    const reel_rendition_t *track[REEL_DOWNLOAD_TRACKS]);
static ngx_int_t add_shape(ngx_http_request_t *r, ngx_http_reel_play_t *p);
static reel_err_t make_head(ngx_http_request_t *r, ngx_http_reel_download_t *o,
    const reel_rendition_t *const *track, reel_error_t *e);
static ngx_int_t refuse(ngx_http_request_t *r, ngx_http_reel_download_t *o,
    reel_err_t err, const char *text);
static ngx_http_reel_download_t *add_download(ngx_http_request_t *r,
    ngx_http_reel_play_t *p);
static void cleanup(void *data);
static void read_name(void *data, ngx_log_t *log);
static void named(ngx_http_request_t *r, void *data);
static ngx_int_t begin(ngx_http_request_t *r, ngx_http_reel_download_t *o);
static ngx_int_t etag_of(ngx_http_request_t *r, ngx_http_reel_download_t *o,
    ngx_str_t *etag);
static off_t range_start(ngx_http_request_t *r, off_t size);
static void write_handler(ngx_http_request_t *r);
static void wait_or_end(ngx_http_request_t *r);
static ngx_int_t send_batch(ngx_http_request_t *r,
    ngx_http_reel_download_t *o);
static ngx_uint_t busy(ngx_http_request_t *r);


ngx_int_t
ngx_http_reel_download(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    reel_err_t                 err;
    const char                *absent;
    reel_error_t               e;
    const reel_rendition_t    *track[REEL_DOWNLOAD_TRACKS];
    ngx_http_reel_download_t  *o;

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
make_head(ngx_http_request_t *r, ngx_http_reel_download_t *o,
    const reel_rendition_t *const *track, reel_error_t *e)
{
    reel_buf_t  b;
    reel_err_t  err;

    reel_buf_init(&b, HEAD_MAX);

    err = reel_download_init(&o->d, &b, o->play->index, track[0], track[1],
                             e);
    if (err != REEL_OK) {
        reel_buf_release(&b);
        return err;
    }

    return ngx_http_reel_to_pool(r, &b, &o->head);
}


static ngx_int_t
refuse(ngx_http_request_t *r, ngx_http_reel_download_t *o, reel_err_t err,
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


static ngx_http_reel_download_t *
add_download(ngx_http_request_t *r, ngx_http_reel_play_t *p)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_reel_loc_conf_t  *conf;
    ngx_http_reel_download_t  *o;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_download_t));
    if (cln == NULL) {
        return NULL;
    }

    o = cln->data;
    ngx_memzero(o, sizeof(ngx_http_reel_download_t));
    cln->handler = cleanup;

    o->store = conf->store;
    o->play = p;
    p->out = o;

    return o;
}


static void
cleanup(void *data)
{
    ngx_http_reel_download_t *o = data;

    reel_buf_release(&o->disposition);

    if (o->files) {
        ngx_destroy_pool(o->files);
    }
}


/* in a thread; a file without a name is still one */
static void
read_name(void *data, ngx_log_t *log)
{
    ngx_http_reel_download_t *o = data;

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
    ngx_http_reel_download_t *o = data;

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

    ngx_http_reel_socket_no_delay(r);
    write_handler(r);
}


/* NGX_DECLINED: the body follows */
static ngx_int_t
begin(ngx_http_request_t *r, ngx_http_reel_download_t *o)
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
    rc = ngx_http_reel_download_batch(r, o);

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
etag_of(ngx_http_request_t *r, ngx_http_reel_download_t *o, ngx_str_t *etag)
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
    ngx_int_t                  rc;
    ngx_event_t               *wev;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_play_t      *p;
    ngx_http_reel_download_t  *o;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    p = ctx->data;
    o = p->out;
    wev = r->connection->write;

    if (ngx_http_reel_socket_timed_out(r)) {
        return;
    }

    if (wev->delayed || r->aio) {
        wait_or_end(r);
        return;
    }

    if (busy(r) && ngx_http_output_filter(r, NULL) == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (busy(r)) {
        wait_or_end(r);
        return;
    }

    rc = send_batch(r, o);

    if (rc == NGX_ERROR || o->at >= o->end) {
        /* nginx sends what is left */
        ngx_http_finalize_request(r, rc);
        return;
    }

    if (busy(r)) {
        wait_or_end(r);
        return;
    }

    /* others shall have their turn */
    ngx_post_event(wev, &ngx_posted_next_events);
}


static void
wait_or_end(ngx_http_request_t *r)
{
    if (ngx_http_reel_socket_wait(r) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


static ngx_int_t
send_batch(ngx_http_request_t *r, ngx_http_reel_download_t *o)
{
    /* the first was made before the header */
    if (o->n == 0 && ngx_http_reel_download_batch(r, o) != NGX_OK) {
        return NGX_ERROR;
    }

    o->n = 0;

    return ngx_http_output_filter(r, o->links);
}


static ngx_uint_t
busy(ngx_http_request_t *r)
{
    return r->aio || r->buffered || r->postponed
           || (r == r->main && r->connection->buffered);
}

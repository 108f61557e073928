/*
 * 104 (Upload Resumption Supported).  The core sends no interim responses
 * but 100 and, since 1.29, 103, so they are written past its header filters:
 * to HTTP/1.1 into the output chain of the request, to HTTP/2 as a HEADERS
 * frame of the stream that uses nothing of the header compression's tables.
 * So one that the socket does not take at once precedes what follows.  There
 * is one buffer a request: while it is on its way, others are left out.
 */

#include "ngx_module/ngx_http_reel_ietf.h"


#define NGX_HTTP_REEL_INTERIM_FIELDS  4
#define NGX_HTTP_REEL_INTERIM_LINE                                            \
    "HTTP/1.1 104 Upload Resumption Supported" CRLF

/* a literal of HTTP/2: its form and two lengths of at most this */
#define NGX_HTTP_REEL_INTERIM_INT  5


static ngx_uint_t ngx_http_reel_interim_may(ngx_http_reel_door_t *door);
static void ngx_http_reel_interim_send(ngx_http_reel_door_t *door,
    ngx_keyval_t *fields, ngx_uint_t n);
static ngx_int_t ngx_http_reel_interim_room(ngx_http_request_t *r,
    ngx_http_reel_interim_t *interim, ngx_keyval_t *fields, ngx_uint_t n);
static ngx_int_t ngx_http_reel_interim_lines(ngx_http_request_t *r,
    ngx_http_reel_interim_t *interim, ngx_keyval_t *fields, ngx_uint_t n);
#if (NGX_HTTP_V2)
static ngx_int_t ngx_http_reel_interim_frame(ngx_http_request_t *r,
    ngx_http_reel_interim_t *interim, ngx_keyval_t *fields, ngx_uint_t n);
static size_t ngx_http_reel_interim_block(ngx_http_v2_connection_t *h2c,
    u_char *start, ngx_keyval_t *fields, ngx_uint_t n);
static u_char *ngx_http_reel_interim_string(u_char *p, ngx_str_t *s);
static ngx_int_t ngx_http_reel_interim_sent(ngx_http_v2_connection_t *h2c,
    ngx_http_v2_out_frame_t *frame);
#endif


void
ngx_http_reel_interim_created(ngx_http_reel_door_t *door)
{
    int64_t                age;
    ngx_uint_t             n;
    ngx_keyval_t           fields[NGX_HTTP_REEL_INTERIM_FIELDS];
    ngx_http_reel_ietf_t  *ietf;

    ietf = door->op;

    if (!ngx_http_reel_interim_may(door)) {
        return;
    }

    n = 1;
    ngx_str_set(&fields[0].key, "Location");
    fields[0].value = ietf->url;

    if (ietf->version >= NGX_HTTP_REEL_IETF_LIMIT) {
        age = door->facts.expires_ms - door->facts.request.created_ms;

        if (ngx_http_reel_ietf_limit(door->request->pool, ietf->version,
                                     door->facts.max_bytes, age,
                                     &fields[1].value)
            != NGX_OK)
        {
            return;
        }

        ngx_str_set(&fields[1].key, "Upload-Limit");
        n = 2;
    }

    ngx_http_reel_interim_send(door, fields, n);

    ietf->told = !door->request->connection->error;
}


void
ngx_http_reel_interim_offset(ngx_http_reel_door_t *door, uint64_t offset)
{
    u_char        text[NGX_INT64_LEN];
    ngx_keyval_t  fields[NGX_HTTP_REEL_INTERIM_FIELDS];

    if (!ngx_http_reel_interim_may(door)) {
        return;
    }

    ngx_str_set(&fields[0].key, "Upload-Offset");
    fields[0].value.data = text;
    fields[0].value.len = ngx_sprintf(text, "%uL", offset) - text;

    ngx_http_reel_interim_send(door, fields, 1);
}


static ngx_uint_t
ngx_http_reel_interim_may(ngx_http_reel_door_t *door)
{
    ngx_buf_t                 *b;
    ngx_http_request_t        *r;
    ngx_http_reel_ietf_t      *ietf;
    ngx_http_reel_loc_conf_t  *rlcf;

    r = door->request;
    ietf = door->op;
    b = &ietf->interim.buf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    if (!rlcf->upload_interim || !ietf->named || r != r->main || r->header_sent
        || r->connection->error || b->pos != b->last)
    {
        return 0;
    }

#if (NGX_HTTP_V2)
    if (r->stream) {
        return 1;
    }
#endif

    return r->http_version == NGX_HTTP_VERSION_11;
}


static void
ngx_http_reel_interim_send(ngx_http_reel_door_t *door, ngx_keyval_t *fields,
    ngx_uint_t n)
{
    ngx_int_t              rc;
    u_char                 text[NGX_INT64_LEN];
    ngx_http_request_t    *r;
    ngx_http_reel_ietf_t  *ietf;

    r = door->request;
    ietf = door->op;

    ngx_str_set(&fields[n].key, "Upload-Draft-Interop-Version");
    fields[n].value.data = text;
    fields[n].value.len = ngx_sprintf(text, "%ui", ietf->version) - text;
    n++;

    rc = ngx_http_reel_interim_room(r, &ietf->interim, fields, n);

    if (rc == NGX_OK) {
#if (NGX_HTTP_V2)
        if (r->stream) {
            rc = ngx_http_reel_interim_frame(r, &ietf->interim, fields, n);
        } else
#endif
        {
            rc = ngx_http_reel_interim_lines(r, &ietf->interim, fields, n);
        }
    }

    if (rc == NGX_ERROR) {
        /* whatever was sent of it, no other response can follow */
        r->connection->error = 1;
    }
}


/* an empty buffer for either form */
static ngx_int_t
ngx_http_reel_interim_room(ngx_http_request_t *r,
    ngx_http_reel_interim_t *interim, ngx_keyval_t *fields, ngx_uint_t n)
{
    size_t      len;
    ngx_buf_t  *b;
    ngx_uint_t  i;

    /* the form of HTTP/1.1 is the longer one but for the lengths */
    len = sizeof(NGX_HTTP_REEL_INTERIM_LINE CRLF) - 1;

    for (i = 0; i < n; i++) {
        len += fields[i].key.len + fields[i].value.len
               + 1 + 2 * NGX_HTTP_REEL_INTERIM_INT;
    }

    b = &interim->buf;

    if ((size_t) (b->end - b->start) < len) {
        b->start = ngx_palloc(r->pool, len);
        if (b->start == NULL) {
            b->end = NULL;
            b->pos = NULL;
            b->last = NULL;
            return NGX_ERROR;
        }

        b->end = b->start + len;
    }

    b->pos = b->start;
    b->last = b->start;
    b->temporary = 1;
    b->flush = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_reel_interim_lines(ngx_http_request_t *r,
    ngx_http_reel_interim_t *interim, ngx_keyval_t *fields, ngx_uint_t n)
{
    ngx_int_t    rc;
    ngx_uint_t   i;
    ngx_chain_t  out;

    out.buf = &interim->buf;
    out.next = NULL;

    out.buf->last = ngx_cpymem(out.buf->last, NGX_HTTP_REEL_INTERIM_LINE,
                               sizeof(NGX_HTTP_REEL_INTERIM_LINE) - 1);

    for (i = 0; i < n; i++) {
        out.buf->last = ngx_sprintf(out.buf->last, "%V: %V" CRLF,
                                    &fields[i].key, &fields[i].value);
    }

    *out.buf->last++ = CR;
    *out.buf->last++ = LF;

    rc = ngx_http_write_filter(r, &out);

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


#if (NGX_HTTP_V2)

static ngx_int_t
ngx_http_reel_interim_frame(ngx_http_request_t *r,
    ngx_http_reel_interim_t *interim, ngx_keyval_t *fields, ngx_uint_t n)
{
    size_t                     len;
    u_char                    *p;
    ngx_http_v2_stream_t      *stream;
    ngx_http_v2_out_frame_t   *frame;
    ngx_http_v2_connection_t  *h2c;

    stream = r->stream;
    h2c = stream->connection;

    p = interim->buf.start;
    len = ngx_http_reel_interim_block(h2c, p + NGX_HTTP_V2_FRAME_HEADER_SIZE,
                                      fields, n);

    interim->buf.last = p + NGX_HTTP_V2_FRAME_HEADER_SIZE + len;

    /* one frame: it is shorter than the least that all must take */
    *p++ = (u_char) (len >> 16);
    *p++ = (u_char) (len >> 8);
    *p++ = (u_char) len;
    *p++ = NGX_HTTP_V2_HEADERS_FRAME;
    *p++ = NGX_HTTP_V2_END_HEADERS_FLAG;
    *p++ = (u_char) (stream->node->id >> 24);
    *p++ = (u_char) (stream->node->id >> 16);
    *p++ = (u_char) (stream->node->id >> 8);
    *p++ = (u_char) stream->node->id;

    interim->link.buf = &interim->buf;
    interim->link.next = NULL;

    frame = &interim->frame;
    frame->first = &interim->link;
    frame->last = &interim->link;
    frame->handler = ngx_http_reel_interim_sent;
    frame->stream = stream;
    frame->length = len;
    frame->blocked = 1;
    frame->fin = 0;

    /* the stream stays until it is sent */
    stream->queued++;
    ngx_http_v2_queue_blocked_frame(h2c, frame);

    return ngx_http_v2_send_output_queue(h2c) == NGX_ERROR ? NGX_ERROR
                                                           : NGX_OK;
}


/* the length of what is written */
static size_t
ngx_http_reel_interim_block(ngx_http_v2_connection_t *h2c, u_char *start,
    ngx_keyval_t *fields, ngx_uint_t n)
{
    u_char      *p;
    ngx_str_t    status = ngx_string("104");
    ngx_uint_t   i;

    p = start;

    if (h2c->table_update) {
        /* as the core does with its first header block */
        *p++ = 1 << 5;
        h2c->table_update = 0;
    }

    /* never indexed, name from the static table; then with new names */
    *p++ = 0x10 | NGX_HTTP_V2_STATUS_INDEX;
    p = ngx_http_reel_interim_string(p, &status);

    for (i = 0; i < n; i++) {
        *p++ = 0x10;
        ngx_strlow(p + 1, fields[i].key.data, fields[i].key.len);
        *p = (u_char) fields[i].key.len;
        p += 1 + fields[i].key.len;
        p = ngx_http_reel_interim_string(p, &fields[i].value);
    }

    return p - start;
}


/* RFC 7541, 5.2: as it is */
static u_char *
ngx_http_reel_interim_string(u_char *p, ngx_str_t *s)
{
    size_t  n;

    if (s->len < 127) {
        *p++ = (u_char) s->len;

    } else {
        *p++ = 127;

        for (n = s->len - 127; n > 127; n >>= 7) {
            *p++ = (u_char) (0x80 | (n & 127));
        }

        *p++ = (u_char) n;
    }

    return ngx_cpymem(p, s->data, s->len);
}


static ngx_int_t
ngx_http_reel_interim_sent(ngx_http_v2_connection_t *h2c,
    ngx_http_v2_out_frame_t *frame)
{
    size_t                 len;
    ngx_event_t           *wev;
    ngx_connection_t      *fc;
    ngx_http_v2_stream_t  *stream;

    if (frame->first->buf->pos != frame->first->buf->last) {
        return NGX_AGAIN;
    }

    stream = frame->stream;
    fc = stream->request->connection;
    len = NGX_HTTP_V2_FRAME_HEADER_SIZE + frame->length;

    stream->queued--;
    fc->sent += len;
    h2c->total_bytes += len;
    h2c->payload_bytes += frame->length;

    wev = fc->write;

    if (!stream->waiting && !stream->blocked
        && (fc->error || (!stream->exhausted && !wev->delayed)))
    {
        /* who closes the stream waits for its queue to be empty */
        wev->active = 0;
        wev->ready = 1;
        ngx_post_event(wev, &ngx_posted_events);
    }

    return NGX_OK;
}

#endif

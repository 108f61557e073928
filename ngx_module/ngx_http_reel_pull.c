/*
 * What the pump does in the pool: a body that lies in the socket as it is, is
 * read and written there while there is more of it.  See
 * ngx_http_reel_body.h.
 */

#include "ngx_module/ngx_http_reel_body.h"


static ngx_uint_t ngx_http_reel_pull_fill(ngx_http_reel_body_t *body);
static size_t ngx_http_reel_pull_room(ngx_http_reel_body_t *body);


ngx_uint_t
ngx_http_reel_pull_may(ngx_http_request_t *r, ngx_http_reel_body_t *body)
{
    ngx_connection_t  *c;

    c = r->connection;

#if (NGX_SSL)
    if (c->ssl) {
        return 0;
    }
#endif

    /* nobody else wants to see what comes */
    return body->more && r->http_version < NGX_HTTP_VERSION_20
           && !r->headers_in.chunked && c->recv == ngx_recv
           && ngx_http_top_request_body_filter
              == ngx_http_request_body_save_filter;
}


void
ngx_http_reel_pull_begin(ngx_http_request_t *r, ngx_http_reel_body_t *body)
{
    off_t  rest;

    rest = r->request_body->rest - 1;

    body->fd = r->connection->fd;
    body->start = r->request_body->buf->start;
    body->left = ngx_min(rest, NGX_HTTP_REEL_BODY_TURN);
}


void
ngx_http_reel_pull_work(void *data, ngx_log_t *log)
{
    ngx_http_reel_body_t  *body = data;

    do {
        body->write(body->data, log);

    } while (ngx_http_reel_pull_fill(body));
}


/* what else there is to be known of the socket, the loop will hear */
static ngx_uint_t
ngx_http_reel_pull_fill(ngx_http_reel_body_t *body)
{
    size_t   room;
    ssize_t  n;

    room = ngx_http_reel_pull_room(body);

    while (body->held < room) {

        if (body->left < (off_t) (room - body->held) || body->halt
            || !body->more(body->data))
        {
            return 0;
        }

        n = recv(body->fd, body->start + body->held, room - body->held,
                 MSG_DONTWAIT);

        if (n <= 0) {
            return 0;
        }

        body->held += n;
        body->left -= n;
        body->pulled += n;
    }

    /* there is room for one: nothing is allocated here */
    body->pieces.nelts = 0;
    (void) ngx_http_reel_body_piece(body, body->start, body->held);
    body->held = 0;

    return 1;
}


/* the same as the core does when it has read */
void
ngx_http_reel_pull_end(ngx_http_request_t *r, ngx_http_reel_body_t *body)
{
    ngx_buf_t  *b;

    b = r->request_body->buf;
    b->pos = b->start + body->held;
    b->last = b->pos;
    b->end = b->start + ngx_http_reel_pull_room(body);

    r->request_body->rest -= body->pulled;
    r->request_length += body->pulled;
    body->pulled = 0;
}


/*
 * For what follows the pieces: up to where a whole buffer ends in the file,
 * so that each page is written once, and pages may be large.
 */
static size_t
ngx_http_reel_pull_room(ngx_http_reel_body_t *body)
{
    return body->size - (body->offset + body->received) % body->size;
}

/*
 * nginx reads an upstream without a buffer as if the client's connection were
 * its own, and after each pass takes away the timer of it.  That is the timer
 * of limit_rate, without which the client would wait for ever.  The first pass
 * is under way already: what follows it at once puts the timer right.
 */

#include "ngx_module/ngx_http_reel_fetch.h"

/* when the client's limit_rate lets it have more */
typedef struct {
    ngx_event_t                 *write;
    ngx_msec_t                   at;
    unsigned                     set:1;
} limit_t;

static void on_read(ngx_http_request_t *r, ngx_http_upstream_t *u);
static void on_write(ngx_http_request_t *r);
static limit_t hold(ngx_http_request_t *r);
static void release(ngx_http_request_t *main, const limit_t *limit);
static void restore(const limit_t *limit);


void
ngx_http_reel_fetch_limit_keep(ngx_http_request_t *r,
    ngx_http_reel_fetch_limit_t *l)
{
    if (l->read || r->upstream == NULL || r->upstream->buffering
        || r->cached)
    {
        return;
    }

    l->read = r->upstream->read_event_handler;
    r->upstream->read_event_handler = on_read;

    l->write = r->write_event_handler;
    r->write_event_handler = on_write;

    (void) ngx_http_post_request(r, NULL);
}


static void
on_read(ngx_http_request_t *r, ngx_http_upstream_t *u)
{
    limit_t              limit;
    ngx_http_request_t  *main;

    main = r->main;
    limit = hold(r);
    ngx_http_reel_fetch_limit_of(r)->read(r, u);
    release(main, &limit);
}


static void
on_write(ngx_http_request_t *r)
{
    limit_t              limit;
    ngx_http_request_t  *main;

    main = r->main;
    limit = hold(r);

    /* nginx's handler would look for its upstream */
    if (!r->done) {
        ngx_http_reel_fetch_limit_of(r)->write(r);
    }

    release(main, &limit);
}


/* r may be the last that its connection has */
static limit_t
hold(ngx_http_request_t *r)
{
    limit_t  limit;

    limit.write = r->connection->write;
    limit.set = limit.write->delayed && limit.write->timer_set;
    limit.at = limit.write->timer.key;
    r->main->count++;

    return limit;
}


static void
release(ngx_http_request_t *main, const limit_t *limit)
{
    restore(limit);
    ngx_http_finalize_request(main, NGX_DONE);
}


static void
restore(const limit_t *limit)
{
    ngx_event_t      *wev;
    ngx_msec_int_t    left;

    wev = limit->write;

    if (!wev->delayed
        || (wev->timer_set && (!limit->set || wev->timer.key == limit->at)))
    {
        return;
    }

    left = limit->set ? (ngx_msec_int_t) (limit->at - ngx_current_msec) : 1;

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    ngx_add_timer(wev, (ngx_msec_t) ngx_max(left, 1));
}


void
ngx_http_reel_fetch_limit_wake(ngx_connection_t *c)
{
    limit_t  limit;

    limit.write = c->write;
    limit.set = 0;
    restore(&limit);
}

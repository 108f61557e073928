/* turns of the event loop: see ngx_http_reel_turn.h */

#include "ngx_module/ngx_http_reel_turn.h"

#include <ngx_event.h>

/* of a turn: of all, and of those whom an event wakes */
#define SHARE_WORKER  (512 * 1024)
#define SHARE_EVENTS  (SHARE_WORKER / 2)

#define WAIT_LONG     60000

/* a request whose handler waits */
typedef struct {
    ngx_http_reel_turn_t     turn;
    ngx_http_handler_pt      handler;
} later_t;

static void run(void *data);
static void leave(void *data);
static void post(void);
static void go_on(ngx_event_t *ev);
static void next(ngx_queue_t *from);

static ngx_queue_t  waiting;
static ngx_event_t  event;
static ngx_uint_t   going_on;   /* those that waited */
static size_t       used;       /* of this turn, up to … */
static size_t       limit = SHARE_EVENTS;


ngx_uint_t
ngx_http_reel_turn_over(void)
{
    return used >= limit;
}


void
ngx_http_reel_turn_spend(size_t n)
{
    used += n;
    post();
}


void
ngx_http_reel_turn_wait(ngx_http_reel_turn_t *t)
{
    post();

    ngx_queue_insert_tail(&waiting, &t->queue);
    t->waits = 1;

    /* an exiting worker waits for timers alone */
    ngx_add_timer(&event, WAIT_LONG);
}


void
ngx_http_reel_turn_leave(ngx_http_reel_turn_t *t)
{
    if (t->waits) {
        ngx_queue_remove(&t->queue);
        t->waits = 0;
    }
}


ngx_int_t
ngx_http_reel_turn_run(ngx_http_request_t *r, ngx_http_handler_pt handler)
{
    later_t             *later;
    ngx_pool_cleanup_t  *cln;

    if (!ngx_http_reel_turn_over()) {
        return handler(r);
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(later_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    later = cln->data;
    ngx_memzero(later, sizeof(later_t));
    cln->handler = leave;

    later->handler = handler;
    later->turn.request = r;
    later->turn.handler = run;
    later->turn.data = later;

    r->main->count++;
    ngx_http_reel_turn_wait(&later->turn);

    return NGX_DONE;
}


static void
run(void *data)
{
    later_t *later = data;

    ngx_http_request_t  *r;

    r = later->turn.request;

    ngx_http_finalize_request(r, later->handler(r));
}


static void
leave(void *data)
{
    later_t *later = data;

    ngx_http_reel_turn_leave(&later->turn);
}


/* behind the other events of this turn, but once a turn only */
static void
post(void)
{
    /* debug logs of timers tell a descriptor */
    static ngx_connection_t  none = { .fd = (ngx_socket_t) -1 };

    if (event.handler == NULL) {
        event.handler = go_on;
        event.data = &none;
        event.log = ngx_cycle->log;
        ngx_queue_init(&waiting);
    }

    if (going_on) {
        ngx_post_event(&event, &ngx_posted_next_events);

    } else {
        ngx_post_event(&event, &ngx_posted_events);
    }
}


static void
go_on(ngx_event_t *ev)
{
    ngx_queue_t  *q, first;

    /* those that come back have had their share */
    ngx_queue_init(&first);
    ngx_queue_add(&first, &waiting);
    ngx_queue_init(&waiting);

    going_on = 1;
    limit = ngx_max(SHARE_WORKER, used + SHARE_WORKER - SHARE_EVENTS);

    while (!ngx_queue_empty(&first) && used < limit) {
        next(&first);
    }

    going_on = 0;
    limit = SHARE_EVENTS;
    used = 0;

    while (!ngx_queue_empty(&first)) {
        q = ngx_queue_last(&first);
        ngx_queue_remove(q);
        ngx_queue_insert_head(&waiting, q);
    }

    if (!ngx_queue_empty(&waiting)) {
        ngx_post_event(ev, &ngx_posted_next_events);

    } else if (ev->timer_set) {
        ngx_del_timer(ev);
    }
}


static void
next(ngx_queue_t *from)
{
    ngx_connection_t      *c;
    ngx_http_reel_turn_t  *t;

    t = ngx_queue_data(ngx_queue_head(from), ngx_http_reel_turn_t, queue);
    ngx_http_reel_turn_leave(t);

    c = t->request->connection;
    ngx_http_set_log_request(c->log, t->request);

    t->handler(t->data);
    ngx_http_run_posted_requests(c);
}

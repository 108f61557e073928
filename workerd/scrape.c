#include "workerd/scrape.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/version.h"
#include "workerd/depth.h"
#include "workerd/log.h"
#include "workerd/outbox.h"
#include "workerd/room.h"
#include "workerd/shards.h"
#include "workerd/webhooks.h"

#define PATIENCE_MS 5000        /* with a client that sends, or takes */
#define REDIS_MS    1000        /* … and with Redis */
#define FRESH_MS    1000        /* what it told serves others so long … */
#define OLD_MS      2000        /* … and is left out from then on */
#define AGAIN_MS    1000        /* when there was no descriptor to be had */

/* bytes behind a request that are read away before the end */
#define JUNK_MAX 65536

typedef enum {
    FREE,
    READING,
    WAITING,                    /* for Redis */
    WRITING,
    ENDING                      /* all is sent: until the client ends too */
} state_t;

typedef struct {
    reel_scrape_t *s;
    int            fd;
    state_t        state;
    char           in[REEL_SCRAPE_REQUEST];
    size_t         len;         /* of it, later of what is read away */
    reel_buf_t     out;
    size_t         sent;
    reel_timer_t   timer;
} conn_t;

struct reel_scrape_s {
    reel_worker_t    *w;
    int               fd;
    bool              asking;
    reel_depth_ask_t  ask;
    reel_depth_t      depth;
    int64_t           told_ms;  /* when Redis told it; 0: not yet */
    reel_timer_t      again;
    conn_t            conn[REEL_SCRAPE_CONNS];
};

static void listen_on(void *arg);


static void
let_go(conn_t *c)
{
    reel_loop_unwatch(c->s->w->loop, c->fd);
    close(c->fd);
    reel_timer_stop(&c->timer);
    reel_buf_release(&c->out);
    c->state = FREE;
    listen_on(c->s);
}


/* Redis told how much work there is within the last so many ms */
static bool
told(const reel_scrape_t *s, int64_t within_ms)
{
    return s->told_ms != 0 && reel_loop_now() - s->told_ms < within_ms;
}


static reel_err_t
print(reel_scrape_t *s, reel_buf_t *b)
{
    reel_worker_t  *w = s->w;
    reel_gauges_t   g;

    /* looks at what there is, in case nothing was claimed since */
    (void) reel_room_free(w->slots);

    g = (reel_gauges_t) {
        .version = REEL_VERSION,
        .encoders = w->fingerprint,
        .shards = reel_shards_count(w->shards),
        .shards_up = reel_shards_up(w->shards),
        .depth = told(s, OLD_MS) ? &s->depth : NULL,
        .pending = reel_outbox_pending(w->outbox),
        .hooks = reel_webhooks_backlog(w->webhooks),
        .cores = reel_room_cores(w->slots),
        .memory_mib = w->room_mib,
        .use = reel_room_use(w->slots)
    };

    return reel_metrics_print(b, &w->metrics, &g);
}


static void on_conn(void *arg, short revents);
static void on_late(void *arg);


/* what has not been sent yet, as far as there is room */
static void
send_rest(conn_t *c)
{
    ssize_t  n;

    while (c->sent < c->out.len) {
        n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
                 MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n < 0 && errno == EAGAIN
            && reel_loop_watch(c->s->w->loop, c->fd, POLLOUT, on_conn, c)
               == REEL_OK)
        {
            return;
        }

        if (n <= 0) {
            let_go(c);
            return;
        }

        c->sent += (size_t) n;
    }

    /* closed at once, what was not read would make the kernel take the
       response back */
    c->state = ENDING;
    c->len = 0;
    if (shutdown(c->fd, SHUT_WR) != 0
        || reel_loop_watch(c->s->w->loop, c->fd, POLLIN, on_conn, c)
           != REEL_OK)
    {
        let_go(c);
    }
}


static void
answer(conn_t *c, unsigned status)
{
    reel_buf_t  body;

    reel_buf_init(&body, REEL_METRICS_MAX);
    reel_buf_init(&c->out, REEL_METRICS_MAX + REEL_SCRAPE_REQUEST);

    if (status == 200 && print(c->s, &body) != REEL_OK) {
        reel_log(REEL_LOG_ERROR, "metrics: %s",
                 reel_err_name(reel_buf_err(&body)));
        status = 500;
    }
    if (status != 200) {
        reel_buf_clear(&body);
        reel_buf_printf(&body, "%u: GET /metrics\n", status);
    }

    reel_scrape_head(&c->out, status, body.len);
    reel_buf_add(&c->out, body.data, body.len);
    reel_buf_release(&body);

    if (reel_buf_err(&c->out) != REEL_OK) {
        let_go(c);
        return;
    }

    c->state = WRITING;
    c->sent = 0;
    reel_timer_start(c->s->w->loop, &c->timer, PATIENCE_MS, on_late, c);
    send_rest(c);
}


static void
on_depth(void *arg, const reel_depth_t *d)
{
    reel_scrape_t  *s = arg;

    s->asking = false;
    if (d != NULL) {
        s->depth = *d;
        s->told_ms = reel_loop_now();
    }

    for (unsigned i = 0; i < REEL_SCRAPE_CONNS; i++) {
        if (s->conn[i].state == WAITING) {
            answer(&s->conn[i], 200);
        }
    }
}


/* one question for all who wait */
static void
scrape(conn_t *c)
{
    reel_scrape_t  *s = c->s;

    if (told(s, FRESH_MS)) {
        answer(c, 200);
        return;
    }

    if (!s->asking) {
        s->asking = reel_depth_ask(s->w->shards, &s->ask) == REEL_OK;
    }

    /* meanwhile only its end is heard */
    if (!s->asking
        || reel_loop_watch(s->w->loop, c->fd, 0, on_conn, c) != REEL_OK)
    {
        answer(c, 200);
        return;
    }

    c->state = WAITING;
    reel_timer_start(s->w->loop, &c->timer, REDIS_MS, on_late, c);
}


static void
on_late(void *arg)
{
    conn_t  *c = arg;

    if (c->state == WAITING) {
        answer(c, 200);
    } else {
        let_go(c);
    }
}


static void
read_request(conn_t *c)
{
    ssize_t   n;
    unsigned  status;

    n = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        let_go(c);
        return;
    }

    c->len += (size_t) n;
    status = reel_scrape_status(c->in, c->len);

    if (status == 200) {
        scrape(c);
    } else if (status != 0) {
        answer(c, status);
    }
}


static void
read_away(conn_t *c)
{
    ssize_t  n = recv(c->fd, c->in, sizeof(c->in), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    c->len += n > 0 ? (size_t) n : 0;
    if (n <= 0 || c->len > JUNK_MAX) {
        let_go(c);
    }
}


static void
on_conn(void *arg, short revents)
{
    conn_t  *c = arg;

    (void) revents;

    switch (c->state) {
    case READING:
        read_request(c);
        break;
    case WRITING:
        send_rest(c);
        break;
    case ENDING:
        read_away(c);
        break;
    default:
        let_go(c);              /* the client ended while Redis was asked */
        break;
    }
}


static conn_t *
free_conn(reel_scrape_t *s)
{
    for (unsigned i = 0; i < REEL_SCRAPE_CONNS; i++) {
        if (s->conn[i].state == FREE) {
            return &s->conn[i];
        }
    }

    return NULL;
}


/* one a turn: whoever else waits keeps the descriptor readable */
static void
on_listen(void *arg, short revents)
{
    int             fd;
    conn_t         *c;
    reel_scrape_t  *s = arg;

    (void) revents;

    c = free_conn(s);
    if (c == NULL) {
        reel_loop_unwatch(s->w->loop, s->fd);   /* let_go comes back to it */
        return;
    }

    fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS
            || errno == ENOMEM)
        {
            reel_loop_unwatch(s->w->loop, s->fd);
            reel_timer_start(s->w->loop, &s->again, AGAIN_MS, listen_on, s);
        }
        return;
    }

    if (reel_loop_watch(s->w->loop, fd, POLLIN, on_conn, c) != REEL_OK) {
        close(fd);
        return;
    }

    c->fd = fd;
    c->state = READING;
    c->len = 0;
    reel_timer_start(s->w->loop, &c->timer, PATIENCE_MS, on_late, c);
}


static void
listen_on(void *arg)
{
    reel_scrape_t  *s = arg;

    if (reel_loop_watch(s->w->loop, s->fd, POLLIN, on_listen, s) != REEL_OK) {
        reel_timer_start(s->w->loop, &s->again, AGAIN_MS, listen_on, s);
    }
}


static bool
is_loopback(const reel_redis_addr_t *at)
{
    return at->socket[0] != '\0' || strncmp(at->host, "127.", 4) == 0
           || strcmp(at->host, "::1") == 0;
}


reel_scrape_t *
reel_scrape_new(reel_worker_t *w)
{
    reel_scrape_t            *s = calloc(1, sizeof(*s));
    reel_redis_addr_text_t    text;
    const reel_redis_addr_t  *at = &w->conf.metrics;

    if (s == NULL) {
        return NULL;
    }

    s->w = w;
    s->ask = (reel_depth_ask_t) { on_depth, s };
    for (unsigned i = 0; i < REEL_SCRAPE_CONNS; i++) {
        s->conn[i].s = s;
    }

    (void) reel_redis_addr_print(at, text);
    s->fd = reel_scrape_listen(at);
    if (s->fd < 0) {
        reel_log(REEL_LOG_ERROR, "metrics: %s: %m", text);
        free(s);
        return NULL;
    }

    if (!is_loopback(at)) {
        reel_log(REEL_LOG_WARN, "METRICS ARE OPEN TO OTHER HOSTS, to whoever "
                 "reaches %s port %u", at->host, at->port);
    }

    listen_on(s);

    return s;
}


void
reel_scrape_free(reel_scrape_t *s)
{
    if (s == NULL) {
        return;
    }

    for (unsigned i = 0; i < REEL_SCRAPE_CONNS; i++) {
        if (s->conn[i].state != FREE) {
            let_go(&s->conn[i]);
        }
    }

    reel_timer_stop(&s->again);
    reel_loop_unwatch(s->w->loop, s->fd);
    close(s->fd);
    if (s->w->conf.metrics.socket[0] != '\0') {
        unlink(s->w->conf.metrics.socket);
    }
    free(s);
}

#include "workerd/redis_conn.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/job/moved.h"
#include "workerd/log.h"

#define BACKOFF_MIN  100
#define BACKOFF_MAX  5000

/* for what takes a while to pass: 1.6 s, as after so many failures */
#define FAILURES_WAIT 4


typedef reel_redis_addr_text_t where_t;


static const char *
where(const reel_redis_conn_t *c, where_t dst)
{
    return reel_redis_addr_print(&c->at, dst);
}


/* the poll adapter */

static void
on_ready(void *arg, short revents)
{
    reel_redis_conn_t  *c = arg;

    if (revents & (POLLIN | POLLHUP | POLLERR)) {
        redisAsyncHandleRead(c->ac);
    }

    /* the read may have ended the connection */
    if (c->ac != NULL && (revents & POLLOUT)) {
        redisAsyncHandleWrite(c->ac);
    }
}


static void
set_events(reel_redis_conn_t *c, short events)
{
    c->events = events;

    if (reel_loop_watch(c->redis->loop, c->ac->c.fd, events, on_ready, c)
        != REEL_OK)
    {
        reel_log(REEL_LOG_ERROR, "redis: no memory to watch a descriptor");
    }
}


static void
add_read(void *arg)
{
    reel_redis_conn_t  *c = arg;

    set_events(c, c->events | POLLIN);
}


static void
del_read(void *arg)
{
    reel_redis_conn_t  *c = arg;

    set_events(c, c->events & ~POLLIN);
}


static void
add_write(void *arg)
{
    reel_redis_conn_t  *c = arg;

    set_events(c, c->events | POLLOUT);
}


static void
del_write(void *arg)
{
    reel_redis_conn_t  *c = arg;

    set_events(c, c->events & ~POLLOUT);
}


static void
conn_retry(reel_redis_conn_t *c)
{
    int64_t  ms = BACKOFF_MAX;

    if (c->redis->closing) {
        return;
    }

    if (c->failures < 6) {
        ms = BACKOFF_MIN << c->failures;
    }
    c->failures++;

    reel_timer_start(c->redis->loop, &c->reconnect, ms, reel_redis_conn_open,
                     c);
}


/* what somebody said of where to go is not believed any longer */
static void
next_address(reel_redis_conn_t *c)
{
    c->known = false;
    c->hops = 0;
    c->turn++;
}


static void
tell_lost(const reel_redis_conn_t *c)
{
    where_t      at;
    const char  *why = c->ac->err != 0 ? c->ac->errstr : "";

    if (c->listens && !c->up && strncmp(why, "NOPERM ", 7) == 0) {
        reel_log(REEL_LOG_ERROR, "%s: THE ACL USER MAY NOT LISTEN TO %s: no "
                 "job ends; give it &reel1:* (docs/workerd.md, Redis) (%s)",
                 c->redis->name, c->redis->wakes, where(c, at));
        return;
    }

    reel_log(REEL_LOG_WARN, "%s: connection lost%s%s (%s)", c->redis->name,
             why[0] != '\0' ? ": " : "", why, where(c, at));
}


/* the last that hiredis does with a context, however it ended */
static void
on_cleanup(void *arg)
{
    reel_redis_conn_t  *c = arg;
    bool                was_up = c->up;
    bool                leaves = c->leaves;

    if (!c->redis->closing && !leaves && (was_up || c->failures == 0)) {
        tell_lost(c);
    }

    reel_loop_unwatch(c->redis->loop, c->ac->c.fd);
    c->ac = NULL;
    c->up = false;
    c->inflight = 0;
    c->leaves = false;

    if (leaves && !c->redis->closing) {
        reel_timer_start(c->redis->loop, &c->reconnect, 0,
                         reel_redis_conn_open, c);
    } else {
        next_address(c);
        conn_retry(c);
    }

    if (was_up && !c->listens && !c->redis->closing) {
        c->redis->ops->state(c->redis->arg, c->redis, false);
    }
}


void
reel_redis_conn_drop(reel_redis_conn_t *c, const char *why)
{
    where_t  at;

    if (c->failures < 2) {
        reel_log(REEL_LOG_WARN, "%s: %s (%s)", c->redis->name, why,
                 where(c, at));
    }
    redisAsyncFree(c->ac);
}


void
reel_redis_conn_up(reel_redis_conn_t *c)
{
    where_t  at;

    c->up = true;
    c->failures = 0;
    c->hops = 0;

    if (!c->listens) {
        reel_log(REEL_LOG_INFO, "%s: connected to %s", c->redis->name,
                 where(c, at));
        c->redis->ops->state(c->redis->arg, c->redis, true);
    }
}


/* to what at says */
void
reel_redis_conn_leave(reel_redis_conn_t *c)
{
    if (c->hops++ >= REEL_REDIS_HOPS) {
        reel_redis_conn_drop(c, "sent from one to another without end");
        return;
    }

    c->known = true;
    c->leaves = true;
    redisAsyncFree(c->ac);
}


bool
reel_redis_conn_error(reel_redis_conn_t *c, reel_str_t error)
{
    where_t            from;
    uint16_t           port;
    reel_err_t         err;
    reel_str_t         host;
    reel_redis_addr_t  at = { "" };

    static const char *const passing[] = {
        "LOADING ", "CLUSTERDOWN ", "MASTERDOWN ", "TRYAGAIN ", "ASK "
    };

    err = reel_redis_moved(error, &host, &port);
    if (err != REEL_NOTFOUND) {
        if (err != REEL_OK
            || reel_str_copy(at.host, sizeof(at.host), host) != REEL_OK)
        {
            reel_redis_conn_drop(c, "MOVED, but not whereto");
        } else {
            at.port = port;
            c->at = at;
            reel_redis_conn_leave(c);
        }
        return true;
    }

    if (reel_str_prefix(error, "READONLY ")) {
        reel_redis_conn_drop(c, "it is a replica now");
        return true;
    }

    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        if (reel_str_prefix(error, passing[i])) {
            if (c->failures < FAILURES_WAIT) {
                reel_log(REEL_LOG_WARN, "%s: %.120s (%s)", c->redis->name,
                         error.p, where(c, from));
                c->failures = FAILURES_WAIT;
            }
            redisAsyncFree(c->ac);
            return true;
        }
    }

    return false;
}


static void
on_connect(const redisAsyncContext *ac, int status)
{
    reel_redis_conn_t  *c = ac->data;

    c->since_ms = reel_loop_now();

    if (status == REDIS_OK && c->at.socket[0] == '\0') {
        redisEnableKeepAlive(&c->ac->c);
    }
}


static void
conn_failed(reel_redis_conn_t *c, const char *why)
{
    where_t  at;

    if (c->failures == 0) {
        reel_log(REEL_LOG_WARN, "%s: cannot connect: %s (%s)",
                 c->redis->name, why, where(c, at));
    }
    next_address(c);
    conn_retry(c);
}


/* ac: as hiredis returned it */
static void
conn_begin(reel_redis_conn_t *c, redisAsyncContext *ac)
{
    if (ac == NULL || ac->err != 0) {
        conn_failed(c, ac == NULL ? "no memory" : ac->errstr);
        if (ac != NULL) {
            redisAsyncFree(ac);
        }
        return;
    }

    fcntl(ac->c.fd, F_SETFD, FD_CLOEXEC);
    c->ac = ac;
    c->events = 0;
    c->since_ms = reel_loop_now();
    ac->data = c;
    ac->ev.data = c;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = on_cleanup;
    redisAsyncSetConnectCallback(ac, on_connect);

    if (reel_redis_handshake(c) != REEL_OK) {
        reel_redis_conn_drop(c, "the connection could not be set up");
    }
}


static void
on_address(void *arg, const char *address, const char *why)
{
    reel_redis_conn_t  *c = arg;

    c->resolve = NULL;

    if (address == NULL) {
        conn_failed(c, why);
        return;
    }

    conn_begin(c, redisAsyncConnect(address, c->at.port));
}


/* hiredis would look up a name here and now, and hold the loop */
void
reel_redis_conn_open(void *arg)
{
    reel_redis_conn_t        *c = arg;
    reel_err_t                err;
    const reel_redis_conf_t  *conf = &c->redis->conf;

    if (!c->known) {
        c->at = conf->addr[c->turn % conf->naddr];
    }

    if (c->at.socket[0] != '\0') {
        conn_begin(c, redisAsyncConnectUnix(c->at.socket));

    } else if (reel_resolve_numeric(c->at.host)) {
        conn_begin(c, redisAsyncConnect(c->at.host, c->at.port));

    } else {
        err = reel_resolve_start(c->redis->loop, c->at.host, on_address, c,
                                 &c->resolve);
        if (err != REEL_OK) {
            conn_failed(c, reel_err_name(err));
        }
    }
}


void
reel_redis_conn_close(reel_redis_conn_t *c)
{
    if (c->ac != NULL) {
        redisAsyncFree(c->ac);
    }

    reel_resolve_cancel(c->resolve);
    reel_timer_stop(&c->reconnect);
}

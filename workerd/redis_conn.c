#include "workerd/redis_conn.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "workerd/log.h"

#define PASSWORD_MAX 512
#define BACKOFF_MIN  100
#define BACKOFF_MAX  5000


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


/* the last that hiredis does with a context, however it ended */
static void
on_cleanup(void *arg)
{
    reel_redis_conn_t  *c = arg;
    bool                was_up = c->up;

    if (!c->redis->closing && (was_up || c->failures == 0)) {
        reel_log(REEL_LOG_WARN, "redis: connection lost%s%s",
                 c->ac->err != 0 ? ": " : "",
                 c->ac->err != 0 ? c->ac->errstr : "");
    }

    reel_loop_unwatch(c->redis->loop, c->ac->c.fd);
    c->ac = NULL;
    c->up = false;
    c->inflight = 0;

    conn_retry(c);

    if (was_up && !c->listens && !c->redis->closing) {
        c->redis->state(c->redis->state_arg, false);
    }
}


void
reel_redis_conn_drop(reel_redis_conn_t *c, const char *why)
{
    if (c->failures < 2) {
        reel_log(REEL_LOG_WARN, "redis: %s", why);
    }
    redisAsyncFree(c->ac);
}


static void
conn_up(reel_redis_conn_t *c)
{
    c->up = true;
    c->failures = 0;

    if (!c->listens) {
        reel_log(REEL_LOG_INFO, "redis: connected");
        c->redis->state(c->redis->state_arg, true);
    }
}


/* AUTH, SELECT and the loading of the scripts */

static void
on_handshake(redisAsyncContext *ac, void *reply, void *arg)
{
    reel_redis_conn_t  *c = ac->data;
    redisReply         *r = reply;
    char               *sha = arg;
    char                why[160];

    if (r == NULL) {
        return;
    }

    c->since_ms = reel_loop_now();

    if (r->type == REDIS_REPLY_ERROR) {
        snprintf(why, sizeof(why), "refused: %.120s", r->str);
        reel_redis_conn_drop(c, why);
        return;
    }

    if (sha != NULL) {
        snprintf(sha, REEL_REDIS_SHA1_HEX + 1, "%s",
                 r->type == REDIS_REPLY_STRING ? r->str : "");
    }

    if (--c->handshake == 0) {
        conn_up(c);
    }
}


static reel_err_t
handshake_send(reel_redis_conn_t *c, int argc, const char **argv, char *sha)
{
    if (redisAsyncCommandArgv(c->ac, on_handshake, sha, argc, argv, NULL)
        != REDIS_OK)
    {
        return REEL_IO;
    }

    c->handshake++;

    return REEL_OK;
}


/* the password stays in memory no longer than it must */
static reel_err_t
send_auth(reel_redis_conn_t *c)
{
    int          fd;
    char         text[PASSWORD_MAX];
    const char  *argv[2] = { "AUTH", text };
    ssize_t      n;
    reel_err_t   err = REEL_IO;

    fd = open(c->redis->conf.password_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        reel_log(REEL_LOG_ERROR, "redis: cannot open the password file "
                 "\"%s\": %m", c->redis->conf.password_file);
        return REEL_IO;
    }

    n = read(fd, text, sizeof(text) - 1);
    close(fd);

    if (n > 0) {
        text[n] = '\0';
        text[strcspn(text, "\r\n")] = '\0';
        err = handshake_send(c, 2, argv, NULL);
    }

    explicit_bzero(text, sizeof(text));

    return err;
}


static void
on_message(redisAsyncContext *ac, void *reply, void *arg)
{
    reel_redis_conn_t  *c = ac->data;
    redisReply         *r = reply;
    reel_redis_t       *redis = c->redis;

    (void) arg;

    if (r == NULL) {
        return;
    }

    if (r->type == REDIS_REPLY_ERROR) {
        reel_redis_conn_drop(c, "SUBSCRIBE was refused");
        return;
    }

    if (!c->up) {
        conn_up(c);
    }

    if (r->type == REDIS_REPLY_ARRAY && r->elements == 3
        && reel_str_eqz(reel_reply_str(r->element[0]), "message"))
    {
        redis->wake_fn(redis->wake_arg, reel_reply_str(r->element[2]));
    }
}


static reel_err_t
send_subscribe(reel_redis_conn_t *c)
{
    const char  *argv[2] = { "SUBSCRIBE", c->redis->channel };

    if (redisAsyncCommandArgv(c->ac, on_message, NULL, 2, argv, NULL)
        != REDIS_OK)
    {
        return REEL_IO;
    }

    return REEL_OK;
}


static reel_err_t
handshake(reel_redis_conn_t *c)
{
    char           db[16];
    const char    *load[3] = { "SCRIPT", "LOAD", NULL };
    const char    *sel[2] = { "SELECT", db };
    reel_err_t     err = REEL_OK;
    reel_redis_t  *r = c->redis;

    c->handshake = 0;

    if (r->conf.password_file[0] != '\0') {
        err = send_auth(c);
    }

    if (c->listens) {
        return err == REEL_OK ? send_subscribe(c) : err;
    }

    snprintf(db, sizeof(db), "%u", r->conf.db);
    if (err == REEL_OK) {
        err = handshake_send(c, 2, sel, NULL);
    }

    for (int i = 0; err == REEL_OK && i < REEL_LUA_SCRIPTS; i++) {
        load[2] = reel_lua_text((reel_lua_t) i);
        err = handshake_send(c, 3, load, r->sha[i]);
    }

    return err;
}


static void
on_connect(const redisAsyncContext *ac, int status)
{
    reel_redis_conn_t  *c = ac->data;

    c->since_ms = reel_loop_now();

    if (status == REDIS_OK && c->redis->conf.socket[0] == '\0') {
        redisEnableKeepAlive(&c->ac->c);
    }
}


static void
conn_failed(reel_redis_conn_t *c, const char *why)
{
    if (c->failures == 0) {
        reel_log(REEL_LOG_WARN, "redis: cannot connect: %s", why);
    }
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

    if (handshake(c) != REEL_OK) {
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

    conn_begin(c, redisAsyncConnect(address, c->redis->conf.port));
}


/* hiredis would look up a name here and now, and hold the loop */
void
reel_redis_conn_open(void *arg)
{
    reel_redis_conn_t        *c = arg;
    reel_err_t                err;
    const reel_redis_conf_t  *conf = &c->redis->conf;

    if (conf->socket[0] != '\0') {
        conn_begin(c, redisAsyncConnectUnix(conf->socket));

    } else if (reel_resolve_numeric(conf->host)) {
        conn_begin(c, redisAsyncConnect(conf->host, conf->port));

    } else {
        err = reel_resolve_start(c->redis->loop, conf->host, on_address, c,
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

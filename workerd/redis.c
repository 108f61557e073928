#include "workerd/redis.h"

#include <fcntl.h>
#include <hiredis/async.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workerd/log.h"
#include "workerd/resolve.h"

#define SHA1_HEX     40
#define PASSWORD_MAX 512
#define TICK_MS      2000
#define BACKOFF_MIN  100
#define BACKOFF_MAX  5000

typedef struct {
    reel_redis_t       *redis;
    redisAsyncContext  *ac;         /* NULL: not even trying, or … */
    reel_resolve_t     *resolve;    /* … the address is being asked for */
    short               events;
    unsigned            failures;   /* in a row */
    unsigned            handshake;  /* replies that it still needs */
    bool                up;
    bool                listens;
    int64_t             since_ms;   /* connect began, or last sign of life */
    uint64_t            inflight;
    reel_timer_t        reconnect;
} conn_t;

struct reel_redis_s {
    reel_loop_t          *loop;
    reel_redis_conf_t     conf;
    reel_redis_state_fn   state;
    void                 *state_arg;
    conn_t                main;
    conn_t                wake;
    char                 *channel;
    reel_redis_wake_fn    wake_fn;
    void                 *wake_arg;
    reel_timer_t          tick;
    bool                  closing;
    char                  sha[REEL_LUA_SCRIPTS][SHA1_HEX + 1];
};

typedef struct {
    conn_t         *conn;
    reel_redis_fn   fn;
    void           *arg;
    bool            is_script;
    bool            whole;          /* sent with its text */
    reel_lua_t      script;
    char           *key;
    reel_args_t     args;           /* of a script: to send it again */
} call_t;

static void conn_open(void *arg);


/* the poll adapter */

static void
on_ready(void *arg, short revents)
{
    conn_t  *c = arg;

    if (revents & (POLLIN | POLLHUP | POLLERR)) {
        redisAsyncHandleRead(c->ac);
    }

    /* the read may have ended the connection */
    if (c->ac != NULL && (revents & POLLOUT)) {
        redisAsyncHandleWrite(c->ac);
    }
}


static void
set_events(conn_t *c, short events)
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
    conn_t  *c = arg;

    set_events(c, c->events | POLLIN);
}


static void
del_read(void *arg)
{
    conn_t  *c = arg;

    set_events(c, c->events & ~POLLIN);
}


static void
add_write(void *arg)
{
    conn_t  *c = arg;

    set_events(c, c->events | POLLOUT);
}


static void
del_write(void *arg)
{
    conn_t  *c = arg;

    set_events(c, c->events & ~POLLOUT);
}


static void
conn_retry(conn_t *c)
{
    int64_t  ms = BACKOFF_MAX;

    if (c->redis->closing) {
        return;
    }

    if (c->failures < 6) {
        ms = BACKOFF_MIN << c->failures;
    }
    c->failures++;

    reel_timer_start(c->redis->loop, &c->reconnect, ms, conn_open, c);
}


/* the last that hiredis does with a context, however it ended */
static void
on_cleanup(void *arg)
{
    conn_t  *c = arg;
    bool     was_up = c->up;

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


static void
conn_drop(conn_t *c, const char *why)
{
    if (c->failures < 2) {
        reel_log(REEL_LOG_WARN, "redis: %s", why);
    }
    redisAsyncFree(c->ac);
}


static void
conn_up(conn_t *c)
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
    conn_t      *c = ac->data;
    redisReply  *r = reply;
    char        *sha = arg;
    char         why[160];

    if (r == NULL) {
        return;
    }

    c->since_ms = reel_loop_now();

    if (r->type == REDIS_REPLY_ERROR) {
        snprintf(why, sizeof(why), "refused: %.120s", r->str);
        conn_drop(c, why);
        return;
    }

    if (sha != NULL) {
        snprintf(sha, SHA1_HEX + 1, "%s",
                 r->type == REDIS_REPLY_STRING ? r->str : "");
    }

    if (--c->handshake == 0) {
        conn_up(c);
    }
}


static reel_err_t
handshake_send(conn_t *c, int argc, const char **argv, char *sha)
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
send_auth(conn_t *c)
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
    conn_t        *c = ac->data;
    redisReply    *r = reply;
    reel_redis_t  *redis = c->redis;

    (void) arg;

    if (r == NULL) {
        return;
    }

    if (r->type == REDIS_REPLY_ERROR) {
        conn_drop(c, "SUBSCRIBE was refused");
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
send_subscribe(conn_t *c)
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
handshake(conn_t *c)
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
    conn_t  *c = ac->data;

    c->since_ms = reel_loop_now();

    if (status == REDIS_OK && c->redis->conf.socket[0] == '\0') {
        redisEnableKeepAlive(&c->ac->c);
    }
}


static void
conn_failed(conn_t *c, const char *why)
{
    if (c->failures == 0) {
        reel_log(REEL_LOG_WARN, "redis: cannot connect: %s", why);
    }
    conn_retry(c);
}


/* ac: as hiredis returned it */
static void
conn_begin(conn_t *c, redisAsyncContext *ac)
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
        conn_drop(c, "the connection could not be set up");
    }
}


static void
on_address(void *arg, const char *address, const char *why)
{
    conn_t  *c = arg;

    c->resolve = NULL;

    if (address == NULL) {
        conn_failed(c, why);
        return;
    }

    conn_begin(c, redisAsyncConnect(address, c->redis->conf.port));
}


/* hiredis would look up a name here and now, and hold the loop */
static void
conn_open(void *arg)
{
    conn_t                   *c = arg;
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


/* a peer that is silent for too long is gone */
static void
on_tick(void *arg)
{
    conn_t        *c;
    reel_redis_t  *r = arg;

    for (int i = 0; i < 2; i++) {
        c = i == 0 ? &r->main : &r->wake;

        if (c->ac != NULL && (!c->up || c->inflight > 0)
            && reel_loop_now() - c->since_ms > REEL_REDIS_TIMEOUT_MS)
        {
            conn_drop(c, "no answer");
        }
    }

    reel_timer_start(r->loop, &r->tick, TICK_MS, on_tick, r);
}


reel_redis_t *
reel_redis_new(reel_loop_t *l, const reel_redis_conf_t *conf,
    reel_redis_state_fn state, void *arg)
{
    reel_redis_t  *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        return NULL;
    }

    r->loop = l;
    r->conf = *conf;
    r->state = state;
    r->state_arg = arg;
    r->main.redis = r;
    r->wake.redis = r;
    r->wake.listens = true;

    conn_open(&r->main);
    reel_timer_start(l, &r->tick, TICK_MS, on_tick, r);

    return r;
}


void
reel_redis_free(reel_redis_t *r)
{
    if (r == NULL) {
        return;
    }

    r->closing = true;

    if (r->main.ac != NULL) {
        redisAsyncFree(r->main.ac);
    }
    if (r->wake.ac != NULL) {
        redisAsyncFree(r->wake.ac);
    }

    reel_resolve_cancel(r->main.resolve);
    reel_resolve_cancel(r->wake.resolve);
    reel_timer_stop(&r->main.reconnect);
    reel_timer_stop(&r->wake.reconnect);
    reel_timer_stop(&r->tick);
    free(r->channel);
    free(r);
}


bool
reel_redis_up(const reel_redis_t *r)
{
    return r->main.up;
}


void
reel_redis_subscribe(reel_redis_t *r, const char *channel,
    reel_redis_wake_fn fn, void *arg)
{
    r->channel = strdup(channel);
    r->wake_fn = fn;
    r->wake_arg = arg;

    if (r->channel == NULL) {
        reel_log(REEL_LOG_ERROR, "redis: no memory to listen; polling only");
        return;
    }

    conn_open(&r->wake);
}


static void
call_free(call_t *call)
{
    reel_args_release(&call->args);
    free(call->key);
    free(call);
}


static reel_err_t call_send(call_t *call);


static void
on_reply(redisAsyncContext *ac, void *reply, void *arg)
{
    call_t      *call = arg;
    conn_t      *c = ac->data;
    redisReply  *r = reply;
    reel_err_t   err = REEL_OK;

    if (r == NULL) {
        err = REEL_AGAIN;

    } else {
        c->since_ms = reel_loop_now();
        c->inflight--;

        if (r->type == REDIS_REPLY_ERROR) {
            err = REEL_IO;

            if (call->is_script && !call->whole
                && strncmp(r->str, "NOSCRIPT", 8) == 0)
            {
                call->whole = true;
                if (call_send(call) == REEL_OK) {
                    return;
                }
                err = REEL_AGAIN;
                r = NULL;
            }
        }
    }

    call->fn(call->arg, err, r);
    call_free(call);
}


static reel_err_t
call_send(call_t *call)
{
    int           argc = 0, rc;
    conn_t       *c = call->conn;
    size_t        from = 0, *lens;
    const char  **argv;
    reel_str_t    head[5];

    argv = calloc(call->args.n + 5, sizeof(*argv));
    lens = calloc(call->args.n + 5, sizeof(*lens));

    if (argv == NULL || lens == NULL) {
        free(argv);
        free(lens);
        return REEL_NOMEM;
    }

    if (call->is_script) {
        head[0] = reel_str(call->whole ? "EVAL" : "EVALSHA");
        head[1] = reel_str(call->whole ? reel_lua_text(call->script)
                                       : c->redis->sha[call->script]);
        head[2] = REEL_STR("1");
        head[3] = reel_str(call->key);
        head[4] = REEL_STR(REEL_REDIS_PREFIX);

        for (argc = 0; argc < 5; argc++) {
            argv[argc] = head[argc].p;
            lens[argc] = head[argc].len;
        }
    }

    for (size_t i = 0; i < call->args.n; i++, argc++) {
        /* an empty first argument has no data: any address will do */
        argv[argc] = call->args.data.data == NULL ? ""
                     : (const char *) call->args.data.data + from;
        lens[argc] = call->args.ends[i] - from;
        from = call->args.ends[i];
    }

    rc = redisAsyncCommandArgv(c->ac, on_reply, call, argc, argv, lens);
    free(argv);
    free(lens);

    if (rc != REDIS_OK) {
        return REEL_AGAIN;
    }

    if (c->inflight++ == 0) {
        c->since_ms = reel_loop_now();
    }

    return REEL_OK;
}


static reel_err_t
call_start(reel_redis_t *r, reel_args_t *a, const call_t *like)
{
    call_t      *call;
    reel_err_t   err = a->err;

    if (err == REEL_OK && !r->main.up) {
        err = REEL_AGAIN;
    }

    if (err != REEL_OK) {
        reel_args_release(a);
        return err;
    }

    call = malloc(sizeof(*call));
    if (call == NULL) {
        reel_args_release(a);
        return REEL_NOMEM;
    }

    *call = *like;
    call->conn = &r->main;
    call->args = *a;
    *a = (reel_args_t) { 0 };

    if (like->key != NULL && (call->key = strdup(like->key)) == NULL) {
        call_free(call);
        return REEL_NOMEM;
    }

    err = call_send(call);
    if (err != REEL_OK) {
        call_free(call);
        return err;
    }

    if (!call->is_script) {
        reel_args_release(&call->args);
    }

    return REEL_OK;
}


reel_err_t
reel_redis_command(reel_redis_t *r, reel_args_t *a, reel_redis_fn fn,
    void *arg)
{
    return call_start(r, a, &(call_t) { .fn = fn, .arg = arg });
}


reel_err_t
reel_redis_script(reel_redis_t *r, reel_lua_t script, const char *key,
    reel_args_t *a, reel_redis_fn fn, void *arg)
{
    char    name[REEL_JOB_ID_MAX + 64];
    call_t  call = {
        .fn = fn, .arg = arg, .is_script = true, .script = script, .key = name
    };

    snprintf(name, sizeof(name), "%s", key);

    return call_start(r, a, &call);
}


size_t
reel_reply_len(const reel_reply_t *r)
{
    return r != NULL && r->type == REDIS_REPLY_ARRAY ? r->elements : 0;
}


const reel_reply_t *
reel_reply_at(const reel_reply_t *r, size_t i)
{
    return i < reel_reply_len(r) ? r->element[i] : NULL;
}


reel_str_t
reel_reply_str(const reel_reply_t *r)
{
    if (r != NULL && (r->type == REDIS_REPLY_STRING
                      || r->type == REDIS_REPLY_STATUS
                      || r->type == REDIS_REPLY_ERROR))
    {
        return (reel_str_t) { r->str, r->len };
    }

    return (reel_str_t) { "", 0 };
}


bool
reel_reply_nil(const reel_reply_t *r)
{
    return r == NULL || r->type == REDIS_REPLY_NIL;
}


uint64_t
reel_reply_uint(const reel_reply_t *r)
{
    uint64_t  v;

    if (r != NULL && r->type == REDIS_REPLY_INTEGER) {
        return r->integer < 0 ? 0 : (uint64_t) r->integer;
    }

    if (reel_str_u64(reel_reply_str(r), UINT64_MAX, &v) != REEL_OK) {
        return 0;
    }

    return v;
}

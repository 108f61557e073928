#include "workerd/redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workerd/log.h"
#include "workerd/redis_conn.h"

#define TICK_MS       2000
#define FULL_EVERY_MS 60000

typedef struct {
    reel_redis_conn_t  *conn;
    reel_redis_fn       fn;
    void               *arg;
    bool                is_script;
    bool                whole;          /* sent with its text */
    reel_lua_t          script;
    reel_redis_key_t    key;
    reel_args_t         args;           /* of a script: to send it again */
} call_t;


/* a peer that is silent for too long is gone */
static void
on_tick(void *arg)
{
    reel_redis_conn_t  *c;
    reel_redis_t       *r = arg;

    for (int i = 0; i < 2; i++) {
        c = i == 0 ? &r->main : &r->wake;

        if (c->ac != NULL && (!c->up || c->inflight > 0)
            && reel_loop_now() - c->since_ms > REEL_REDIS_TIMEOUT_MS)
        {
            reel_redis_conn_drop(c, "no answer");
        }
    }

    reel_timer_start(r->loop, &r->tick, TICK_MS, on_tick, r);
}


reel_redis_t *
reel_redis_new(reel_loop_t *l, const reel_redis_conf_t *conf,
    unsigned shard, const reel_redis_ops_t *ops, void *arg)
{
    reel_redis_t  *r = calloc(1, sizeof(*r));

    if (r == NULL
        || reel_redis_key(r->prefix, shard, "", REEL_STR("")) != REEL_OK
        || reel_redis_key(r->number, shard, "shards", REEL_STR(""))
           != REEL_OK
        || reel_redis_key(r->wakes, shard, "wake", REEL_STR("")) != REEL_OK)
    {
        free(r);
        return NULL;
    }

    r->loop = l;
    r->shard = shard;
    r->conf = *conf;
    r->ops = ops;
    r->arg = arg;
    snprintf(r->name, sizeof(r->name), conf->shards > 1 ? "redis shard %u"
             : "redis", shard);
    r->main.redis = r;
    r->wake.redis = r;
    r->wake.listens = true;
    r->wake.turn = shard;       /* any node of a Cluster tells of all */

    return r;
}


void
reel_redis_start(reel_redis_t *r)
{
    reel_redis_conn_open(&r->main);
    reel_redis_conn_open(&r->wake);
    reel_timer_start(r->loop, &r->tick, TICK_MS, on_tick, r);
}


void
reel_redis_agreed(reel_redis_t *r)
{
    r->agreed = true;
}


void
reel_redis_close(reel_redis_t *r)
{
    if (r == NULL) {
        return;
    }

    r->closing = true;

    reel_redis_conn_close(&r->main);
    reel_redis_conn_close(&r->wake);
    reel_timer_stop(&r->tick);
}


void
reel_redis_free(reel_redis_t *r)
{
    free(r);
}


bool
reel_redis_up(const reel_redis_t *r)
{
    return r->main.up;
}


unsigned
reel_redis_shard(const reel_redis_t *r)
{
    return r->shard;
}


static void
call_free(call_t *call)
{
    reel_args_release(&call->args);
    free(call);
}


static reel_err_t call_send(call_t *call);


/* nothing is lost by it: what is pending stands in the store */
static void
say_full(reel_redis_t *r)
{
    int64_t  now = reel_loop_now();

    if (r->full_ms == 0 || now - r->full_ms > FULL_EVERY_MS) {
        r->full_ms = now;
        reel_log(REEL_LOG_ERROR, "REDIS HAS NO MEMORY LEFT: jobs wait until "
                 "its maxmemory is raised");
    }
}


static void
on_reply(redisAsyncContext *ac, void *reply, void *arg)
{
    call_t             *call = arg;
    reel_redis_conn_t  *c = ac->data;
    redisReply         *r = reply;
    reel_err_t          err = REEL_OK;

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

            } else if (reel_reply_full(r)) {
                say_full(c->redis);

            } else if (reel_redis_conn_error(c, (reel_str_t) { r->str,
                                                               r->len }))
            {
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
    int                 argc = 0, rc;
    reel_redis_conn_t  *c = call->conn;
    size_t              from = 0, *lens;
    const char        **argv;
    reel_str_t          head[5];

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
        head[4] = reel_str(c->redis->prefix);

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
reel_redis_script(reel_redis_t *r, reel_lua_t script, const char *kind,
    const char *id, reel_args_t *a, reel_redis_fn fn, void *arg)
{
    reel_err_t  err;
    call_t      call = {
        .fn = fn, .arg = arg, .is_script = true, .script = script
    };

    err = reel_redis_key(call.key, r->shard, kind, reel_str(id));
    if (err != REEL_OK) {
        reel_args_release(a);
        return err;
    }

    return call_start(r, a, &call);
}


void
reel_args_key(reel_args_t *a, const reel_redis_t *r, const char *kind,
    const char *id)
{
    reel_err_t        err;
    reel_redis_key_t  key;

    err = reel_redis_key(key, r->shard, kind, reel_str(id));
    if (err != REEL_OK) {
        a->err = err;
        return;
    }

    reel_args_addz(a, key);
}

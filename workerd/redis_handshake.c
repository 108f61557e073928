#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/job/redis_error.h"
#include "workerd/log.h"
#include "workerd/redis_conn.h"

#define PASSWORD_MAX 512


/* AUTH, SELECT and the loading of the scripts */

/* one that listens is up when SUBSCRIBE is answered: AUTH alone is no
   success, after which the next try would not wait */
static void
greeted(reel_redis_conn_t *c)
{
    if (--c->handshake == 0 && !c->listens) {
        reel_redis_conn_up(c);
    }
}


static void
on_handshake(redisAsyncContext *ac, void *reply, void *arg)
{
    reel_redis_conn_t  *c = ac->data;
    redisReply         *r = reply;
    char               *sha = arg;
    char                why[160];
    reel_str_t          told;

    if (r == NULL) {
        return;
    }

    c->since_ms = reel_loop_now();

    if (r->type == REDIS_REPLY_ERROR) {
        if (reel_redis_conn_error(c, (reel_str_t) { r->str, r->len })) {
            return;
        }
        told = reel_redis_error((reel_str_t) { r->str, r->len });
        snprintf(why, sizeof(why), "refused: %.*s", (int) told.len, told.p);
        reel_redis_conn_drop(c, why);
        return;
    }

    if (sha != NULL) {
        snprintf(sha, REEL_REDIS_SHA1_HEX + 1, "%s",
                 r->type == REDIS_REPLY_STRING ? r->str : "");
    }

    greeted(c);
}


static reel_err_t
command(reel_redis_conn_t *c, redisCallbackFn *fn, void *arg, int argc,
    const char **argv)
{
    return redisAsyncCommandArgv(c->ac, fn, arg, argc, argv, NULL)
           == REDIS_OK ? REEL_OK : REEL_IO;
}


/* one of the replies that it is up after; fn leads to on_handshake */
static reel_err_t
handshake_send(reel_redis_conn_t *c, redisCallbackFn *fn, char *sha, int argc,
    const char **argv)
{
    reel_err_t  err = command(c, fn, sha, argc, argv);

    c->handshake += err == REEL_OK;

    return err;
}


/* user: "" is the default one.  The password stays in memory no longer than it
   must */
static reel_err_t
send_auth(reel_redis_conn_t *c, const char *user, const char *file)
{
    int          fd;
    char         text[PASSWORD_MAX];
    bool         named = user[0] != '\0';
    const char  *argv[3] = { "AUTH", named ? user : text, text };
    ssize_t      n;
    reel_err_t   err = REEL_IO;

    fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        reel_log(REEL_LOG_ERROR, "redis: cannot open the password file "
                 "\"%s\": %m", file);
        return REEL_IO;
    }

    n = read(fd, text, sizeof(text) - 1);
    close(fd);

    if (n > 0) {
        text[n] = '\0';
        text[strcspn(text, "\r\n")] = '\0';
        err = handshake_send(c, on_handshake, NULL, named ? 3 : 2, argv);
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
        reel_redis_conn_up(c);
    }

    if (r->type == REDIS_REPLY_ARRAY && r->elements == 3
        && reel_str_eqz(reel_reply_str(r->element[0]), "message"))
    {
        redis->ops->wake(redis->arg, redis, reel_reply_str(r->element[2]));
    }
}


static reel_err_t
send_subscribe(reel_redis_conn_t *c)
{
    const char  *argv[2] = { "SUBSCRIBE", c->redis->wakes };

    return command(c, on_message, NULL, 2, argv);
}


/* [host, port], or nil when it knows no such master */
static void
on_sentinel(redisAsyncContext *ac, void *reply, void *arg)
{
    uint64_t            port;
    reel_redis_conn_t  *c = ac->data;
    redisReply         *r = reply;
    reel_redis_addr_t   at = { "" };

    (void) arg;

    if (r == NULL) {
        return;
    }

    port = reel_reply_uint(reel_reply_at(r, 1));

    if (reel_reply_len(r) != 2 || port == 0 || port > 65535
        || reel_str_copy(at.host, sizeof(at.host),
                         reel_reply_str(reel_reply_at(r, 0))) != REEL_OK)
    {
        reel_redis_conn_drop(c, r->type == REDIS_REPLY_ERROR ? r->str
                             : "the sentinel does not know the master");
        return;
    }

    at.port = (uint16_t) port;
    c->at = at;
    reel_redis_conn_leave(c);
}


/* the sentinels have a password of their own, or none */
static reel_err_t
ask_sentinel(reel_redis_conn_t *c)
{
    reel_err_t                err = REEL_OK;
    const reel_redis_conf_t  *conf = &c->redis->conf;
    const char               *argv[3] = {
        "SENTINEL", "get-master-addr-by-name", conf->sentinel
    };

    if (conf->sentinel_password_file[0] != '\0') {
        err = send_auth(c, conf->sentinel_user, conf->sentinel_password_file);
    }

    return err == REEL_OK ? handshake_send(c, on_sentinel, NULL, 3, argv)
                          : err;
}


/* what a sentinel named may have become a replica since */
static void
on_role(redisAsyncContext *ac, void *reply, void *arg)
{
    reel_redis_conn_t  *c = ac->data;
    redisReply         *r = reply;

    if (r != NULL && r->type == REDIS_REPLY_ARRAY
        && !reel_str_eqz(reel_reply_str(reel_reply_at(r, 0)), "master"))
    {
        reel_redis_conn_drop(c, "it is no master (any more)");
        return;
    }

    on_handshake(ac, reply, arg);
}


static reel_err_t
send_role(reel_redis_conn_t *c)
{
    const char  *argv[1] = { "ROLE" };

    return handshake_send(c, on_role, NULL, 1, argv);
}


/* [how many shards there are, jobs here], or the number alone, or nil */
static void
on_number(redisAsyncContext *ac, void *reply, void *arg)
{
    uint64_t            held;
    reel_redis_conn_t  *c = ac->data;
    redisReply         *r = reply;

    if (reel_reply_full(r)) {
        /* no number and no room for one: nor for jobs, until there is */
        greeted(c);
        return;
    }

    if (r == NULL || r->type == REDIS_REPLY_ERROR) {
        on_handshake(ac, reply, arg);
        return;
    }

    held = reel_reply_uint(r->type == REDIS_REPLY_ARRAY
                           ? reel_reply_at(r, 0) : r);

    if (held == c->redis->conf.shards) {
        on_handshake(ac, reply, arg);

    } else if (r->type == REDIS_REPLY_NIL) {
        reel_redis_conn_drop(c, "the first shard did not yet say how many "
                             "there are");
    } else {
        c->redis->ops->refused(c->redis->arg, (unsigned) held);
        reel_redis_conn_drop(c, "it has another number of shards");
    }
}


/*
 * For how many shards it was set up; with it, a Cluster's node that has not
 * our slot says so.
 */
static reel_err_t
send_number(reel_redis_conn_t *c)
{
    char           n[16];
    reel_redis_t  *r = c->redis;
    const char    *set[6] = {
        "EVAL", reel_lua_text(REEL_LUA_SHARDS), "1", r->number, r->prefix, n
    };
    const char    *get[2] = { "GET", r->number };

    snprintf(n, sizeof(n), "%u", r->conf.shards);

    return r->agreed ? handshake_send(c, on_number, NULL, 6, set)
                     : handshake_send(c, on_number, NULL, 2, get);
}


reel_err_t
reel_redis_handshake(reel_redis_conn_t *c)
{
    char           db[16];
    const char    *load[3] = { "SCRIPT", "LOAD", NULL };
    const char    *sel[2] = { "SELECT", db };
    reel_err_t     err = REEL_OK;
    reel_redis_t  *r = c->redis;

    c->handshake = 0;

    if (!c->known && r->conf.sentinel[0] != '\0') {
        return ask_sentinel(c);
    }

    if (r->conf.password_file[0] != '\0') {
        err = send_auth(c, r->conf.user, r->conf.password_file);
    }

    if (c->listens) {
        return err == REEL_OK ? send_subscribe(c) : err;
    }

    snprintf(db, sizeof(db), "%u", r->conf.db);
    if (err == REEL_OK) {
        err = handshake_send(c, on_handshake, NULL, 2, sel);
    }
    if (err == REEL_OK && r->conf.sentinel[0] != '\0') {
        err = send_role(c);
    }
    if (err == REEL_OK) {
        err = send_number(c);
    }

    for (int i = 0; err == REEL_OK && i < REEL_LUA_SCRIPTS; i++) {
        load[2] = reel_lua_text((reel_lua_t) i);
        err = handshake_send(c, on_handshake, r->sha[i], 3, load);
    }

    return err;
}

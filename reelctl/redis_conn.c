#include "reelctl/redis_conn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "lib/job/redis_error.h"
#include "reelctl/progress.h"

#define CONNECT_S  3

/* a failover that is under way is waited for */
#define FAILOVER_MS  10000
#define AGAIN_MS     300


void
reel_ctl_redis_hang_up(reel_ctl_redis_conn_t *c)
{
    if (c->ctx != NULL) {
        redisFree(c->ctx);
        c->ctx = NULL;
    }
}


/* each user has a password */
static reel_err_t
read_users(reel_ctl_redis_where_t *w, const reel_ctl_t *c, reel_error_t *e)
{
    w->user = reel_ctl_opt(c, REEL_OPT_REDIS_USER, "REEL_REDIS_USER", NULL);
    w->password_file = reel_ctl_opt(c, REEL_OPT_REDIS_PASSWORD,
                                    "REEL_REDIS_PASSWORD_FILE", NULL);
    w->sentinel_user = reel_ctl_opt(c, REEL_OPT_REDIS_SENTINEL_USER,
                                    "REEL_REDIS_SENTINEL_USER", NULL);
    w->sentinel_password_file = reel_ctl_opt(c,
        REEL_OPT_REDIS_SENTINEL_PASSWORD,
        "REEL_REDIS_SENTINEL_PASSWORD_FILE", NULL);

    if (w->user != NULL && w->password_file == NULL) {
        return reel_fail(e, REEL_INVAL, "--redis-user needs "
                         "--redis-password-file");
    }

    if (w->sentinel_user != NULL && w->sentinel_password_file == NULL) {
        return reel_fail(e, REEL_INVAL, "--redis-sentinel-user needs "
                         "--redis-sentinel-password-file");
    }

    if (w->sentinel_password_file != NULL && w->sentinel == NULL) {
        return reel_fail(e, REEL_INVAL, "--redis-sentinel-password-file "
                         "needs --redis-sentinel");
    }

    return REEL_OK;
}


reel_err_t
reel_ctl_redis_where(reel_ctl_redis_where_t *w, const reel_ctl_t *c,
    const char *addresses, reel_error_t *e)
{
    uint64_t    n;
    reel_str_t  one, rest = reel_str(addresses);

    *w = (reel_ctl_redis_where_t) { .naddr = 0 };

    while (rest.p != NULL) {
        one = reel_str_cut(rest, ',', &rest);

        if (w->naddr == REEL_REDIS_ADDRS) {
            return reel_fail(e, REEL_INVAL, "--redis: more than %d addresses",
                             REEL_REDIS_ADDRS);
        }

        if (reel_redis_addr_parse(&w->addr[w->naddr++], one) != REEL_OK) {
            return reel_fail(e, REEL_INVAL, "\"%.*s\" is not of the form "
                             "unix:PATH or HOST:PORT",
                             (int) (one.len < 100 ? one.len : 100), one.p);
        }
    }

    w->sentinel = reel_ctl_opt(c, REEL_OPT_REDIS_SENTINEL,
                               "REEL_REDIS_SENTINEL", NULL);
    w->db = reel_ctl_opt(c, REEL_OPT_REDIS_DB, "REEL_REDIS_DB", NULL);

    if (w->db != NULL && reel_str_u64(reel_str(w->db), INT32_MAX, &n)
                         != REEL_OK)
    {
        return reel_fail(e, REEL_INVAL, "--redis-db: a number");
    }

    return read_users(w, c, e);
}


static reel_err_t
open_at(const reel_redis_addr_t *at, reel_ctl_redis_conn_t *c,
    reel_error_t *e)
{
    struct timeval          tv = { CONNECT_S, 0 };
    reel_redis_addr_text_t  text;

    c->at = *at;
    c->ctx = at->socket[0] != '\0'
             ? redisConnectUnixWithTimeout(at->socket, tv)
             : redisConnectWithTimeout(at->host, at->port, tv);

    if (c->ctx != NULL && c->ctx->err == 0) {
        (void) redisSetTimeout(c->ctx, tv);
        return REEL_OK;
    }

    (void) reel_fail(e, REEL_IO, "cannot connect to Redis at %.100s: %s",
                     reel_redis_addr_print(at, text), c->ctx != NULL
                     ? c->ctx->errstr : "no memory");
    reel_ctl_redis_hang_up(c);

    return REEL_IO;
}


/*
 * One of the commands that a connection begins with; what: for the error.
 * reply: to be freed when it went well, or NULL, which nobody wants.
 */
static reel_err_t
begin(const reel_ctl_redis_conn_t *c, int argc, const char **argv,
    const char *what, redisReply **reply, reel_error_t *e)
{
    reel_err_t              err = REEL_OK;
    reel_str_t              told;
    redisReply             *r = redisCommandArgv(c->ctx, argc, argv, NULL);
    reel_redis_addr_text_t  text;

    (void) reel_redis_addr_print(&c->at, text);

    if (r == NULL) {
        err = reel_fail(e, REEL_IO, "Redis at %.100s does not answer: %s",
                        text, c->ctx->errstr);

    } else if (r->type == REDIS_REPLY_ERROR) {
        told = reel_redis_error((reel_str_t) { r->str, r->len });
        err = reel_fail(e, REEL_DENIED, "Redis at %.100s refused %.100s: "
                        "%.*s", text, what,
                        (int) (told.len < 100 ? told.len : 100), told.p);
    }

    if (err == REEL_OK && reply != NULL) {
        *reply = r;
    } else {
        freeReplyObject(r);
    }

    return err;
}


static reel_err_t
login(const reel_ctl_redis_conn_t *c, const char *user, const char *file,
    reel_error_t *e)
{
    char        *z, what[128];
    reel_buf_t   b;
    reel_err_t   err;
    const char  *argv[3] = { "AUTH" };

    if (file == NULL) {
        return REEL_OK;
    }

    if (reel_ctl_read_file(file, 4096, &b, NULL) != REEL_EXIT_OK) {
        reel_buf_release(&b);
        return reel_fail(e, REEL_INVAL, "no password");
    }

    z = reel_buf_take(&b, NULL);
    if (z == NULL) {
        return reel_fail(e, REEL_NOMEM, "out of memory");
    }

    z[strcspn(z, "\r\n")] = '\0';
    argv[1] = user != NULL ? user : z;
    argv[2] = z;

    (void) snprintf(what, sizeof(what), "the password of %s", file);
    err = begin(c, user != NULL ? 3 : 2, argv, what, NULL, e);

    explicit_bzero(z, strlen(z));
    free(z);

    return err;
}


/* what a sentinel named may have become a replica since, and one whose
   replicas may be written to would take what nobody sees */
static reel_err_t
check_role(const reel_ctl_redis_conn_t *c, reel_error_t *e)
{
    reel_err_t               err;
    redisReply              *r;
    const char              *argv[1] = { "ROLE" };
    reel_redis_addr_text_t   text;

    err = begin(c, 1, argv, "ROLE", &r, e);
    if (err != REEL_OK) {
        return err;
    }

    if (r->type != REDIS_REPLY_ARRAY || r->elements == 0
        || r->element[0]->type != REDIS_REPLY_STRING
        || strcmp(r->element[0]->str, "master") != 0)
    {
        err = reel_fail(e, REEL_AGAIN, "a sentinel names %.100s, which is no "
                        "master (any more)",
                        reel_redis_addr_print(&c->at, text));
    }

    freeReplyObject(r);

    return err;
}


reel_err_t
reel_ctl_redis_dial_at(const reel_ctl_redis_where_t *w,
    const reel_redis_addr_t *at, reel_ctl_redis_conn_t *c, reel_error_t *e)
{
    reel_err_t   err = open_at(at, c, e);
    const char  *sel[2] = { "SELECT", w->db };

    if (err != REEL_OK) {
        return err;
    }

    err = login(c, w->user, w->password_file, e);

    if (err == REEL_OK && w->db != NULL && strcmp(w->db, "0") != 0) {
        err = begin(c, 2, sel, "the database", NULL, e);
    }
    if (err == REEL_OK && w->sentinel != NULL) {
        err = check_role(c, e);
    }

    if (err != REEL_OK) {
        reel_ctl_redis_hang_up(c);
    }

    return err;
}


/* [host, port], or nil when it knows no such master */
static reel_err_t
read_master(const redisReply *r, reel_redis_addr_t *at)
{
    uint64_t  port;

    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2
        || r->element[0]->type != REDIS_REPLY_STRING
        || r->element[1]->type != REDIS_REPLY_STRING
        || reel_str_u64(reel_str(r->element[1]->str), UINT16_MAX, &port)
           != REEL_OK)
    {
        return REEL_NOTFOUND;
    }

    *at = (reel_redis_addr_t) { .port = (uint16_t) port };

    return reel_str_copy(at->host, sizeof(at->host),
                         reel_str(r->element[0]->str));
}


static reel_err_t
ask_sentinel(const reel_ctl_redis_where_t *w, const reel_redis_addr_t *whom,
    reel_redis_addr_t *at, reel_error_t *e)
{
    reel_err_t               err;
    redisReply              *r = NULL;
    const char              *argv[3] = { "SENTINEL",
                                         "get-master-addr-by-name",
                                         w->sentinel };
    reel_ctl_redis_conn_t    c;
    reel_redis_addr_text_t   text;

    err = open_at(whom, &c, e);
    if (err != REEL_OK) {
        return err;
    }

    err = login(&c, w->sentinel_user, w->sentinel_password_file, e);
    if (err == REEL_OK) {
        err = begin(&c, 3, argv, "to name the master", &r, e);
    }

    if (err == REEL_OK && read_master(r, at) != REEL_OK) {
        err = reel_fail(e, REEL_IO, "the sentinel at %.100s knows no master "
                        "\"%.63s\"", reel_redis_addr_print(whom, text),
                        w->sentinel);
    }

    freeReplyObject(r);
    reel_ctl_redis_hang_up(&c);

    return err;
}


/* one may be away or of old: the others are asked.  named: one knew */
static reel_err_t
dial_master(const reel_ctl_redis_where_t *w, reel_ctl_redis_conn_t *c,
    bool *named, reel_error_t *e)
{
    reel_err_t         err, last = REEL_IO;
    reel_error_t       unheard;
    reel_redis_addr_t  at;

    *named = false;

    for (size_t i = 0; i < w->naddr; i++) {
        err = ask_sentinel(w, &w->addr[i], &at, *named ? &unheard : e);

        if (err == REEL_OK) {
            *named = true;
            last = reel_ctl_redis_dial_at(w, &at, c, e);
            if (last != REEL_IO && last != REEL_AGAIN) {
                return last;
            }

        } else if (!*named) {
            last = err;
        }
    }

    return last;
}


static reel_err_t
by_sentinels(const reel_ctl_redis_where_t *w, reel_ctl_redis_conn_t *c,
    reel_error_t *e)
{
    bool        named, said = false;
    int64_t     end = reel_ctl_now_ms() + FAILOVER_MS;
    reel_err_t  err;

    for ( ;; ) {
        err = dial_master(w, c, &named, e);

        if (!named || (err != REEL_IO && err != REEL_AGAIN)
            || reel_ctl_now_ms() > end)
        {
            return err;
        }

        if (!said) {
            reel_ctl_warn("%s; the sentinels are asked again", e->text);
            said = true;
        }

        reel_ctl_sleep_ms(AGAIN_MS);
    }
}


reel_err_t
reel_ctl_redis_dial(const reel_ctl_redis_where_t *w,
    reel_ctl_redis_conn_t *c, reel_error_t *e)
{
    reel_err_t  err = REEL_IO;

    if (w->sentinel != NULL) {
        return by_sentinels(w, c, e);
    }

    for (size_t i = 0; i < w->naddr && err == REEL_IO; i++) {
        err = reel_ctl_redis_dial_at(w, &w->addr[i], c, e);
    }

    return err;
}

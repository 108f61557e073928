#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <hiredis/hiredis.h>

#include "lib/base/utf8.h"
#include "lib/job/moved.h"
#include "reelctl/redis.h"


#define CONNECT_S 3

/* for their number, when the first ones are away */
#define SHARDS_ASKED  4

struct reel_ctl_redis_s {
    const reel_ctl_t  *ctl;
    char               address[300];
    unsigned           shards;
    unsigned           at;          /* whom calls go to */
    redisContext      *ctx[REEL_SHARDS_MAX];
};


static reel_err_t
connect_to(const char *address, redisContext **out, reel_error_t *e)
{
    char            host[256];
    uint64_t        port;
    reel_str_t      left;
    const char     *colon;
    redisContext   *ctx;
    struct timeval  tv = { CONNECT_S, 0 };

    if (strncmp(address, "unix:", 5) == 0) {
        ctx = redisConnectUnixWithTimeout(address + 5, tv);

    } else {
        colon = strrchr(address, ':');
        left = (reel_str_t) { address, colon != NULL
                                       ? (size_t) (colon - address) : 0 };

        if (colon == NULL || left.len == 0
            || reel_str_copy(host, sizeof(host), left) != REEL_OK
            || reel_str_u64(reel_str(colon + 1), 65535, &port) != REEL_OK)
        {
            return reel_fail(e, REEL_INVAL, "\"%.100s\" is not of the form "
                             "unix:PATH or HOST:PORT", address);
        }

        ctx = redisConnectWithTimeout(host, (int) port, tv);
    }

    if (ctx == NULL || ctx->err != 0) {
        (void) reel_fail(e, REEL_IO, "cannot connect to Redis at %.100s: %s",
                         address, ctx != NULL ? ctx->errstr : "no memory");

        if (ctx != NULL) {
            redisFree(ctx);
        }

        return REEL_IO;
    }

    (void) redisSetTimeout(ctx, tv);
    *out = ctx;

    return REEL_OK;
}


/* one of the commands that a connection begins with; what: for the error */
static reel_err_t
begin(redisContext *ctx, int argc, const char **argv, const char *what,
    reel_error_t *e)
{
    reel_err_t   err = REEL_OK;
    redisReply  *reply = redisCommandArgv(ctx, argc, argv, NULL);

    if (reply == NULL) {
        err = reel_fail(e, REEL_IO, "Redis does not answer: %s", ctx->errstr);

    } else if (reply->type == REDIS_REPLY_ERROR) {
        err = reel_fail(e, REEL_DENIED, "Redis refused %.100s", what);
    }

    freeReplyObject(reply);

    return err;
}


static reel_err_t
login(const reel_ctl_t *c, redisContext *ctx, reel_error_t *e)
{
    char        *z, what[128];
    reel_buf_t   b;
    reel_err_t   err;
    const char  *path, *user, *argv[3] = { "AUTH" };

    path = reel_ctl_opt(c, REEL_OPT_REDIS_PASSWORD,
                        "REEL_REDIS_PASSWORD_FILE", NULL);
    user = reel_ctl_opt(c, REEL_OPT_REDIS_USER, "REEL_REDIS_USER", NULL);

    if (path == NULL) {
        return user == NULL ? REEL_OK
               : reel_fail(e, REEL_INVAL, "--redis-user needs "
                           "--redis-password-file");
    }

    if (reel_ctl_read_file(path, 4096, &b, NULL) != REEL_EXIT_OK) {
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

    (void) snprintf(what, sizeof(what), "the password of %s", path);
    err = begin(ctx, user != NULL ? 3 : 2, argv, what, e);

    explicit_bzero(z, strlen(z));
    free(z);

    return err;
}


static reel_err_t
select_db(const reel_ctl_t *c, redisContext *ctx, reel_error_t *e)
{
    uint64_t     n;
    const char  *db, *argv[2] = { "SELECT" };

    db = reel_ctl_opt(c, REEL_OPT_REDIS_DB, "REEL_REDIS_DB", "0");

    if (reel_str_u64(reel_str(db), INT32_MAX, &n) != REEL_OK) {
        return reel_fail(e, REEL_INVAL, "--redis-db: a number");
    }

    argv[1] = db;

    return n == 0 ? REEL_OK : begin(ctx, 2, argv, "the database", e);
}


/* of the shard that is chosen, to where it is said to be */
static reel_err_t
reconnect(reel_ctl_redis_t *r, const char *address, reel_error_t *e)
{
    reel_err_t      err;
    redisContext  **ctx = &r->ctx[r->at];

    if (*ctx != NULL) {
        redisFree(*ctx);
        *ctx = NULL;
    }

    err = connect_to(address, ctx, e);

    if (err == REEL_OK) {
        err = login(r->ctl, *ctx, e);
    }
    if (err == REEL_OK) {
        err = select_db(r->ctl, *ctx, e);
    }

    if (err != REEL_OK && *ctx != NULL) {
        redisFree(*ctx);
        *ctx = NULL;
    }

    return err;
}


reel_err_t
reel_ctl_redis_number(reel_ctl_redis_t *r, unsigned *n, reel_error_t *e)
{
    uint64_t             v;
    reel_err_t           err;
    reel_redis_key_t     key;
    const char          *argv[2] = { "GET", key };
    reel_ctl_strings_t   out;

    *n = 0;

    err = reel_ctl_redis_key(r, key, "shards", "");
    if (err == REEL_OK) {
        err = reel_ctl_redis_call(r, &out, e, 2, argv);
    }
    if (err != REEL_OK) {
        return err;
    }

    if (reel_str_u64(reel_str(out.v[0]), REEL_SHARDS_MAX, &v) == REEL_OK) {
        *n = (unsigned) v;
    }
    reel_ctl_strings_release(&out);

    return REEL_OK;
}


/* the first shard says it, or another when that is away */
static reel_err_t
count_shards(reel_ctl_redis_t *r, reel_error_t *e)
{
    unsigned      n;
    reel_err_t    err = REEL_OK, first = REEL_OK;
    reel_error_t  other;

    for (unsigned k = 0; k < SHARDS_ASKED; k++) {
        r->at = k;
        err = reel_ctl_redis_number(r, &n, k == 0 ? e : &other);

        if (err == REEL_DENIED) {
            first = REEL_OK;            /* who asks for more hears why */
            break;
        }
        if (k == 0) {
            first = err;
        }

        if (err == REEL_OK && (n > 0 || k == 0)) {
            r->shards = n > 0 ? n : 1;
            first = REEL_OK;
            break;
        }
    }

    r->at = 0;

    return first;
}


reel_err_t
reel_ctl_redis_open(const reel_ctl_t *c, const char *address,
    reel_ctl_redis_t **out, reel_error_t *e)
{
    reel_err_t         err;
    reel_ctl_redis_t  *r = calloc(1, sizeof(*r));

    *out = NULL;

    if (r == NULL) {
        return reel_fail(e, REEL_NOMEM, "out of memory");
    }

    r->ctl = c;
    r->shards = 1;

    err = reel_str_copy(r->address, sizeof(r->address), reel_str(address));
    if (err != REEL_OK) {
        err = reel_fail(e, REEL_INVAL, "the address of Redis is too long");
    }
    if (err == REEL_OK) {
        err = reconnect(r, address, e);
    }
    if (err == REEL_OK) {
        err = count_shards(r, e);
    }

    if (err != REEL_OK) {
        reel_ctl_redis_close(r);
        return err;
    }

    *out = r;

    return REEL_OK;
}


void
reel_ctl_redis_close(reel_ctl_redis_t *r)
{
    if (r == NULL) {
        return;
    }

    for (unsigned k = 0; k < REEL_SHARDS_MAX; k++) {
        if (r->ctx[k] != NULL) {
            redisFree(r->ctx[k]);
        }
    }

    free(r);
}


unsigned
reel_ctl_redis_shards(const reel_ctl_redis_t *r)
{
    return r->shards;
}


unsigned
reel_ctl_redis_shard(const reel_ctl_redis_t *r)
{
    return r->at;
}


void
reel_ctl_redis_at(reel_ctl_redis_t *r, unsigned shard)
{
    r->at = shard;
}


void
reel_ctl_redis_of(reel_ctl_redis_t *r, const char *id)
{
    r->at = reel_shard_of(reel_str(id), r->shards);
}


reel_err_t
reel_ctl_redis_key(const reel_ctl_redis_t *r, reel_redis_key_t key,
    const char *kind, const char *id)
{
    return reel_redis_key(key, r->at, kind, reel_str(id));
}


/* whoever wrote it: JSON takes nothing but UTF-8 */
static char *
clean(const char *p, size_t len)
{
    char  *z = malloc(3 * len + 1);

    if (z != NULL) {
        (void) reel_utf8_clean(z, 3 * len + 1, p, len, false);
    }

    return z;
}


static char *
to_string(const redisReply *reply)
{
    char  text[24];

    if (reply->type == REDIS_REPLY_INTEGER) {
        (void) snprintf(text, sizeof(text), "%lld", reply->integer);
        return strdup(text);
    }

    if (reply->type == REDIS_REPLY_STRING
        || reply->type == REDIS_REPLY_STATUS)
    {
        return clean(reply->str, (size_t) reply->len);
    }

    return strdup("");
}


/* the strings of a reply, arrays within it too */
static size_t
count(const redisReply *reply)
{
    size_t  n = 0;

    if (reply->type != REDIS_REPLY_ARRAY) {
        return 1;
    }

    for (size_t i = 0; i < reply->elements; i++) {
        n += count(reply->element[i]);
    }

    return n;
}


static reel_err_t
append(const redisReply *reply, reel_ctl_strings_t *out)
{
    reel_err_t  err = REEL_OK;

    if (reply->type != REDIS_REPLY_ARRAY) {
        out->v[out->n] = to_string(reply);
        return out->v[out->n++] != NULL ? REEL_OK : REEL_NOMEM;
    }

    for (size_t i = 0; err == REEL_OK && i < reply->elements; i++) {
        err = append(reply->element[i], out);
    }

    return err;
}


static reel_err_t
flatten(const redisReply *reply, reel_ctl_strings_t *out)
{
    out->v = calloc(count(reply) + 1, sizeof(char *));

    return out->v != NULL ? append(reply, out) : REEL_NOMEM;
}


/* as an address; false: it was not moved, or not told whereto */
static bool
moved(const redisReply *reply, char *to, size_t cap)
{
    int         n;
    uint16_t    port;
    reel_str_t  host;

    if (reply->type != REDIS_REPLY_ERROR
        || reel_redis_moved((reel_str_t) { reply->str, reply->len }, &host,
                            &port) != REEL_OK)
    {
        return false;
    }

    n = snprintf(to, cap, "%.*s:%u", (int) host.len, host.p, port);

    return n > 0 && (size_t) n < cap;
}


/* NULL: it does not answer */
static redisReply *
ask(reel_ctl_redis_t *r, reel_err_t *err, reel_error_t *e, int argc,
    const char **argv)
{
    char         to[256];
    redisReply  *reply;

    *err = r->ctx[r->at] == NULL ? reconnect(r, r->address, e) : REEL_OK;

    for (int i = 0; *err == REEL_OK; i++) {
        reply = redisCommandArgv(r->ctx[r->at], argc, argv, NULL);

        if (reply == NULL) {
            *err = reel_fail(e, REEL_IO, "Redis does not answer: %s",
                             r->ctx[r->at]->errstr);
            return NULL;
        }

        if (i == REEL_REDIS_HOPS || !moved(reply, to, sizeof(to))) {
            return reply;
        }

        freeReplyObject(reply);
        *err = reconnect(r, to, e);
    }

    return NULL;
}


reel_err_t
reel_ctl_redis_call(reel_ctl_redis_t *r, reel_ctl_strings_t *out,
    reel_error_t *e, int argc, const char **argv)
{
    reel_err_t   err;
    redisReply  *reply;

    *out = (reel_ctl_strings_t) { 0 };

    reply = ask(r, &err, e, argc, argv);

    if (reply == NULL) {
        return err;
    }

    if (reply->type == REDIS_REPLY_ERROR) {
        err = reel_fail(e, REEL_DENIED, "Redis refuses %s: %s", argv[0],
                        reply->str);
    } else {
        err = flatten(reply, out);
    }

    freeReplyObject(reply);

    return err;
}


void
reel_ctl_strings_release(reel_ctl_strings_t *s)
{
    size_t  i;

    for (i = 0; i < s->n; i++) {
        free(s->v[i]);
    }

    free(s->v);
    *s = (reel_ctl_strings_t) { 0 };
}


const char *
reel_ctl_strings_get(const reel_ctl_strings_t *s, const char *name)
{
    size_t  i;

    for (i = 0; i + 1 < s->n; i += 2) {
        if (strcmp(s->v[i], name) == 0) {
            return s->v[i + 1];
        }
    }

    return "";
}

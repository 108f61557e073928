#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <hiredis/hiredis.h>

#include "reelctl/redis.h"


#define CONNECT_S 3


struct reel_ctl_redis_s {
    redisContext  *ctx;
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


static reel_err_t
login(const reel_ctl_t *c, reel_ctl_redis_t *r, reel_error_t *e)
{
    char                *z;
    reel_buf_t           b;
    reel_err_t           err;
    const char          *path, *argv[2];
    reel_ctl_strings_t   out;

    path = reel_ctl_opt(c, REEL_OPT_REDIS_PASSWORD,
                        "REEL_REDIS_PASSWORD_FILE", NULL);
    if (path == NULL) {
        return REEL_OK;
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
    argv[0] = "AUTH";
    argv[1] = z;

    err = reel_ctl_redis_call(r, &out, e, 2, argv);

    if (err == REEL_DENIED) {
        (void) reel_fail(e, err, "Redis refused the password of %.100s",
                         path);
    }

    reel_ctl_strings_release(&out);
    explicit_bzero(z, strlen(z));
    free(z);

    return err;
}


reel_err_t
reel_ctl_redis_open(const reel_ctl_t *c, const char *address,
    reel_ctl_redis_t **r, reel_error_t *e)
{
    reel_err_t  err;

    *r = calloc(1, sizeof(reel_ctl_redis_t));
    if (*r == NULL) {
        return reel_fail(e, REEL_NOMEM, "out of memory");
    }

    err = connect_to(address, &(*r)->ctx, e);

    if (err == REEL_OK) {
        err = login(c, *r, e);
    }

    if (err != REEL_OK) {
        reel_ctl_redis_close(*r);
        *r = NULL;
    }

    return err;
}


void
reel_ctl_redis_close(reel_ctl_redis_t *r)
{
    if (r == NULL) {
        return;
    }

    if (r->ctx != NULL) {
        redisFree(r->ctx);
    }

    free(r);
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
        return strndup(reply->str, (size_t) reply->len);
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


reel_err_t
reel_ctl_redis_call(reel_ctl_redis_t *r, reel_ctl_strings_t *out,
    reel_error_t *e, int argc, const char **argv)
{
    reel_err_t   err;
    redisReply  *reply;

    *out = (reel_ctl_strings_t) { 0 };

    reply = redisCommandArgv(r->ctx, argc, argv, NULL);

    if (reply == NULL) {
        return reel_fail(e, REEL_IO, "Redis does not answer: %s",
                         r->ctx->errstr);
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

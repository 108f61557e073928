#include <stdlib.h>
#include <string.h>

#include "lib/base/utf8.h"
#include "lib/job/moved.h"
#include "reelctl/redis.h"
#include "reelctl/redis_conn.h"


/* for their number, when the first ones are away */
#define SHARDS_ASKED  4

struct reel_ctl_redis_s {
    reel_ctl_redis_where_t  where;
    unsigned                shards;
    unsigned                at;         /* whom calls go to */
    reel_ctl_redis_conn_t   conn[REEL_SHARDS_MAX];
};


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

    r->shards = 1;

    err = reel_ctl_redis_where(&r->where, c, address, e);
    if (err == REEL_OK) {
        err = reel_ctl_redis_dial(&r->where, &r->conn[0], e);
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
        reel_ctl_redis_hang_up(&r->conn[k]);
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


const char *
reel_ctl_redis_address(const reel_ctl_redis_t *r, reel_redis_addr_text_t dst)
{
    return reel_redis_addr_print(&r->conn[r->at].at, dst);
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


/* false: it was not moved, or not told whereto */
static bool
moved(const redisReply *reply, reel_redis_addr_t *to)
{
    reel_str_t  host;

    *to = (reel_redis_addr_t) { .port = 0 };

    return reply->type == REDIS_REPLY_ERROR
           && reel_redis_moved((reel_str_t) { reply->str, reply->len }, &host,
                               &to->port) == REEL_OK
           && reel_str_copy(to->host, sizeof(to->host), host) == REEL_OK;
}


/* NULL: it does not answer */
static redisReply *
ask(reel_ctl_redis_t *r, reel_err_t *err, reel_error_t *e, int argc,
    const char **argv)
{
    redisReply             *reply;
    reel_redis_addr_t       to;
    reel_ctl_redis_conn_t  *c = &r->conn[r->at];

    *err = c->ctx == NULL ? reel_ctl_redis_dial(&r->where, c, e) : REEL_OK;

    for (int i = 0; *err == REEL_OK; i++) {
        reply = redisCommandArgv(c->ctx, argc, argv, NULL);

        if (reply == NULL) {
            *err = reel_fail(e, REEL_IO, "Redis does not answer: %s",
                             c->ctx->errstr);
            return NULL;
        }

        if (i == REEL_REDIS_HOPS || !moved(reply, &to)) {
            return reply;
        }

        freeReplyObject(reply);
        reel_ctl_redis_hang_up(c);
        *err = reel_ctl_redis_dial_at(&r->where, &to, c, e);
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

/*
 * Redis on nginx's own connection: one a worker and target, made at the
 * first call, pipelined.  hiredis serves as codec only and does not leak out
 * of this file.  A call that is not answered in time closes the connection
 * and fails every call behind it: their answers would be late too, and the
 * callers go on without Redis.
 */

#include "ngx_module/ngx_http_reel_module.h"

#include <hiredis/hiredis.h>

#include "lib/base/buf.h"
#include "lib/job/keys.h"


#define NGX_HTTP_REEL_REDIS_OUT_MAX   (16 * 1024 * 1024)
#define NGX_HTTP_REEL_REDIS_BACKOFF   1000
#define NGX_HTTP_REEL_REDIS_PASSWORD  512

/* as in conf/pipelines/default.yaml: nginx does not read pipelines */
#define NGX_HTTP_REEL_INSPECT_ATTEMPTS  "3"
#define NGX_HTTP_REEL_INSPECT_TIMEOUT   "300"


struct ngx_http_reel_call_s {
    ngx_queue_t              queue;
    ngx_event_t              event;     /* timer; posted to tell a failure */
    ngx_http_reel_redis_t   *redis;
    ngx_http_reel_reply_pt   handler;   /* NULL: nobody asks any more */
    void                    *data;
};


struct ngx_http_reel_redis_s {
    ngx_addr_t               addr;
    ngx_str_t                password;
    ngx_str_t                db;

    /* of this worker */
    ngx_peer_connection_t    peer;
    redisReader             *reader;
    reel_buf_t               out;
    size_t                   sent;
    ngx_queue_t              calls;     /* in the order of their replies */
    ngx_msec_t               retry;     /* not before */
    unsigned                 ready:1;   /* calls is initialised */
    unsigned                 failed:1;  /* the last attempt */
};


static ngx_int_t ngx_http_reel_redis_option(ngx_conf_t *cf,
    ngx_http_reel_redis_t *redis, ngx_str_t *value);
static ngx_int_t ngx_http_reel_redis_password(ngx_conf_t *cf,
    ngx_http_reel_redis_t *redis, ngx_str_t *file);
static ngx_int_t ngx_http_reel_redis_open(ngx_http_reel_redis_t *redis);
static ngx_int_t ngx_http_reel_redis_connect(ngx_http_reel_redis_t *redis);
static ngx_int_t ngx_http_reel_redis_hello(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_close(ngx_http_reel_redis_t *redis);
static ngx_http_reel_call_t *ngx_http_reel_redis_queue(
    ngx_http_reel_redis_t *redis, ngx_uint_t argc, const ngx_str_t *argv);
static ngx_int_t ngx_http_reel_redis_send(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_write_handler(ngx_event_t *ev);
static void ngx_http_reel_redis_read_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_reel_redis_replies(ngx_http_reel_redis_t *redis);
static void ngx_http_reel_redis_deliver(ngx_http_reel_redis_t *redis,
    redisReply *r);
static ngx_int_t ngx_http_reel_redis_flatten(ngx_pool_t *pool, redisReply *r,
    ngx_array_t *a);
static void ngx_http_reel_redis_timeout(ngx_event_t *ev);
static void ngx_http_reel_redis_free_call(ngx_http_reel_call_t *call);


char *
ngx_http_reel_redis_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_reel_loc_conf_t  *rlcf = conf;

    ngx_url_t               u;
    ngx_str_t              *value;
    ngx_uint_t              i;
    ngx_http_reel_redis_t  *redis;

    if (rlcf->redis != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        rlcf->redis = NULL;
        return NGX_CONF_OK;
    }

    redis = ngx_pcalloc(cf->pool, sizeof(ngx_http_reel_redis_t));
    if (redis == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = value[1];
    u.default_port = 6379;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "reel_redis \"%V\": %s",
                           &value[1], u.err ? u.err : "no address");
        return NGX_CONF_ERROR;
    }

    redis->addr = u.addrs[0];

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_reel_redis_option(cf, redis, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    rlcf->redis = redis;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_reel_redis_option(ngx_conf_t *cf, ngx_http_reel_redis_t *redis,
    ngx_str_t *value)
{
    ngx_str_t  s;

    if (ngx_strncmp(value->data, "db=", 3) == 0) {
        s.data = value->data + 3;
        s.len = value->len - 3;

        if (ngx_atoi(s.data, s.len) != NGX_ERROR) {
            redis->db = s;
            return NGX_OK;
        }

    } else if (ngx_strncmp(value->data, "password_file=", 14) == 0) {
        s.data = value->data + 14;
        s.len = value->len - 14;

        return ngx_http_reel_redis_password(cf, redis, &s);
    }

    /* what follows a '=' may be a password written here by mistake */
    for (s.len = 0; s.len < value->len && value->data[s.len] != '='; s.len++)
    {
        /* void */
    }

    s.data = value->data;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid reel_redis parameter \"%V\": "
                       "db=number or password_file=file", &s);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_reel_redis_password(ngx_conf_t *cf, ngx_http_reel_redis_t *redis,
    ngx_str_t *file)
{
    u_char    *p;
    ssize_t    n;
    ngx_fd_t   fd;

    if (ngx_conf_full_name(cf->cycle, file, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_palloc(cf->pool, NGX_HTTP_REEL_REDIS_PASSWORD);
    if (p == NULL) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "reel_redis: " ngx_open_file_n " \"%V\" failed",
                           file);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, p, NGX_HTTP_REEL_REDIS_PASSWORD);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", file);
    }

    while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r')) {
        n--;
    }

    if (n <= 0 || n == NGX_HTTP_REEL_REDIS_PASSWORD) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "reel_redis password_file \"%V\" is empty, too "
                           "long or unreadable", file);
        return NGX_ERROR;
    }

    redis->password.data = p;
    redis->password.len = n;

    return NGX_OK;
}


ngx_http_reel_call_t *
ngx_http_reel_redis_call(ngx_http_reel_redis_t *redis, ngx_uint_t argc,
    const ngx_str_t *argv, ngx_msec_t timeout, ngx_http_reel_reply_pt handler,
    void *data)
{
    ngx_http_reel_call_t  *call;

    if (redis == NULL) {
        return NULL;
    }

    if (!redis->ready) {
        ngx_queue_init(&redis->calls);
        reel_buf_init(&redis->out, NGX_HTTP_REEL_REDIS_OUT_MAX);
        redis->ready = 1;
    }

    if (ngx_http_reel_redis_open(redis) != NGX_OK) {
        /* told from the event loop: never from within this call */
        call = ngx_http_reel_redis_queue(redis, argc, argv);
        if (call) {
            call->handler = handler;
            call->data = data;
            ngx_http_reel_redis_close(redis);
        }

        return call;
    }

    call = ngx_http_reel_redis_queue(redis, argc, argv);
    if (call == NULL) {
        return NULL;
    }

    call->handler = handler;
    call->data = data;
    ngx_add_timer(&call->event, timeout);

    redis->peer.connection->idle = 0;

    if (ngx_http_reel_redis_send(redis) != NGX_OK) {
        ngx_http_reel_redis_close(redis);
    }

    return call;
}


void
ngx_http_reel_redis_forget(ngx_http_reel_call_t *call)
{
    call->handler = NULL;
}


static ngx_int_t
ngx_http_reel_redis_open(ngx_http_reel_redis_t *redis)
{
    if (redis->peer.connection) {
        return NGX_OK;
    }

    if (redis->failed && (ngx_msec_int_t) (redis->retry - ngx_current_msec)
                         > 0)
    {
        return NGX_DECLINED;
    }

    if (ngx_http_reel_redis_connect(redis) == NGX_OK
        && ngx_http_reel_redis_hello(redis) == NGX_OK)
    {
        return NGX_OK;
    }

    redis->failed = 1;
    redis->retry = ngx_current_msec + NGX_HTTP_REEL_REDIS_BACKOFF;

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_reel_redis_connect(ngx_http_reel_redis_t *redis)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    ngx_memzero(&redis->peer, sizeof(ngx_peer_connection_t));
    redis->peer.sockaddr = redis->addr.sockaddr;
    redis->peer.socklen = redis->addr.socklen;
    redis->peer.name = &redis->addr.name;
    redis->peer.get = ngx_event_get_peer;
    redis->peer.log = ngx_cycle->log;
    redis->peer.log_error = NGX_ERROR_ERR;

    rc = ngx_event_connect_peer(&redis->peer);

    if (rc == NGX_ERROR || rc == NGX_BUSY || rc == NGX_DECLINED) {
        return NGX_ERROR;
    }

    c = redis->peer.connection;
    c->data = redis;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_http_reel_redis_read_handler;
    c->write->handler = ngx_http_reel_redis_write_handler;

    redis->reader = redisReaderCreate();
    if (redis->reader == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* AUTH and SELECT go first; their calls have no handler */
static ngx_int_t
ngx_http_reel_redis_hello(ngx_http_reel_redis_t *redis)
{
    ngx_str_t  argv[2];

    if (redis->password.len) {
        ngx_str_set(&argv[0], "AUTH");
        argv[1] = redis->password;

        if (ngx_http_reel_redis_queue(redis, 2, argv) == NULL) {
            return NGX_ERROR;
        }
    }

    if (redis->db.len) {
        ngx_str_set(&argv[0], "SELECT");
        argv[1] = redis->db;

        if (ngx_http_reel_redis_queue(redis, 2, argv) == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Closes the connection; every call learns of it in this turn of the loop.
 * One that was idle may be opened again at once: Redis was restarted, or
 * ended what it took for dead.
 */
static void
ngx_http_reel_redis_close(ngx_http_reel_redis_t *redis)
{
    ngx_queue_t           *q;
    ngx_http_reel_call_t  *call;

    if (redis->peer.connection) {
        ngx_close_connection(redis->peer.connection);
        redis->peer.connection = NULL;

        if (!ngx_queue_empty(&redis->calls)) {
            redis->failed = 1;
            redis->retry = ngx_current_msec + NGX_HTTP_REEL_REDIS_BACKOFF;
        }
    }

    if (redis->reader) {
        redisReaderFree(redis->reader);
        redis->reader = NULL;
    }

    reel_buf_release(&redis->out);
    reel_buf_init(&redis->out, NGX_HTTP_REEL_REDIS_OUT_MAX);
    redis->sent = 0;

    while (!ngx_queue_empty(&redis->calls)) {
        q = ngx_queue_head(&redis->calls);
        ngx_queue_remove(q);

        call = ngx_queue_data(q, ngx_http_reel_call_t, queue);

        if (call->event.timer_set) {
            ngx_del_timer(&call->event);
        }

        call->redis = NULL;
        ngx_post_event(&call->event, &ngx_posted_events);
    }
}


static ngx_http_reel_call_t *
ngx_http_reel_redis_queue(ngx_http_reel_redis_t *redis, ngx_uint_t argc,
    const ngx_str_t *argv)
{
    int                    len;
    char                  *cmd;
    size_t                 lens[16];
    ngx_uint_t             i;
    const char            *args[16];
    ngx_http_reel_call_t  *call;

    if (argc > 16) {
        return NULL;
    }

    for (i = 0; i < argc; i++) {
        args[i] = (const char *) argv[i].data;
        lens[i] = argv[i].len;
    }

    call = ngx_calloc(sizeof(ngx_http_reel_call_t), ngx_cycle->log);
    if (call == NULL) {
        return NULL;
    }

    len = redisFormatCommandArgv(&cmd, argc, args, lens);
    if (len < 0) {
        ngx_free(call);
        return NULL;
    }

    reel_buf_add(&redis->out, cmd, len);
    redisFreeCommand(cmd);

    if (reel_buf_err(&redis->out) != REEL_OK) {
        /* what was to be sent is gone, in the middle of a command maybe */
        ngx_free(call);
        ngx_http_reel_redis_close(redis);
        return NULL;
    }

    call->redis = redis;
    call->event.handler = ngx_http_reel_redis_timeout;
    call->event.data = call;
    call->event.log = ngx_cycle->log;

    ngx_queue_insert_tail(&redis->calls, &call->queue);

    return call;
}


static ngx_int_t
ngx_http_reel_redis_send(ngx_http_reel_redis_t *redis)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = redis->peer.connection;

    while (redis->sent < redis->out.len) {

        if (!c->write->ready) {
            break;
        }

        n = c->send(c, redis->out.data + redis->sent,
                    redis->out.len - redis->sent);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == NGX_AGAIN) {
            break;
        }

        redis->sent += n;
    }

    if (redis->sent == redis->out.len) {
        reel_buf_clear(&redis->out);
        redis->sent = 0;
    }

    return ngx_handle_write_event(c->write, 0);
}


static void
ngx_http_reel_redis_write_handler(ngx_event_t *ev)
{
    ngx_connection_t       *c;
    ngx_http_reel_redis_t  *redis;

    c = ev->data;
    redis = c->data;

    if (ngx_http_reel_redis_send(redis) != NGX_OK) {
        ngx_http_reel_redis_close(redis);
    }
}


static void
ngx_http_reel_redis_read_handler(ngx_event_t *ev)
{
    u_char                  buf[16384];
    ssize_t                 n;
    ngx_connection_t       *c;
    ngx_http_reel_redis_t  *redis;

    c = ev->data;
    redis = c->data;

    if (c->close) {
        /* an exiting worker closes what is idle */
        ngx_http_reel_redis_close(redis);
        return;
    }

    for ( ;; ) {
        n = c->recv(c, buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0
            || redisReaderFeed(redis->reader, (char *) buf, n) != REDIS_OK
            || ngx_http_reel_redis_replies(redis) != NGX_OK)
        {
            ngx_http_reel_redis_close(redis);
            return;
        }

        /* a handler may have closed it */
        if (redis->peer.connection != c) {
            return;
        }
    }

    if (ngx_queue_empty(&redis->calls)) {

        if (ngx_exiting) {
            ngx_http_reel_redis_close(redis);
            return;
        }

        c->idle = 1;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_reel_redis_close(redis);
    }
}


static ngx_int_t
ngx_http_reel_redis_replies(ngx_http_reel_redis_t *redis)
{
    void         *reply;
    redisReader  *reader;

    for ( ;; ) {
        reader = redis->reader;

        if (reader == NULL) {
            return NGX_OK;
        }

        if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "reel: redis: broken reply");
            return NGX_ERROR;
        }

        if (reply == NULL) {
            return NGX_OK;
        }

        if (ngx_queue_empty(&redis->calls)) {
            freeReplyObject(reply);
            return NGX_ERROR;
        }

        redis->failed = 0;
        ngx_http_reel_redis_deliver(redis, reply);
        freeReplyObject(reply);
    }
}


static void
ngx_http_reel_redis_deliver(ngx_http_reel_redis_t *redis, redisReply *r)
{
    ngx_pool_t             *pool;
    ngx_array_t             a;
    ngx_queue_t            *q;
    ngx_http_reel_call_t   *call;
    ngx_http_reel_reply_t   reply;

    q = ngx_queue_head(&redis->calls);
    ngx_queue_remove(q);
    call = ngx_queue_data(q, ngx_http_reel_call_t, queue);

    if (r->type == REDIS_REPLY_ERROR) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "reel: redis: %*s",
                      (size_t) r->len, r->str);
    }

    if (call->handler == NULL) {
        ngx_http_reel_redis_free_call(call);
        return;
    }

    ngx_memzero(&reply, sizeof(ngx_http_reel_reply_t));

    pool = ngx_create_pool(4096, ngx_cycle->log);

    if (pool == NULL || ngx_array_init(&a, pool, 16, sizeof(ngx_str_t))
                        != NGX_OK
        || ngx_http_reel_redis_flatten(pool, r, &a) != NGX_OK)
    {
        reply.status = NGX_ERROR;

    } else {
        reply.status = r->type == REDIS_REPLY_ERROR ? NGX_ERROR
                       : r->type == REDIS_REPLY_NIL ? NGX_DECLINED : NGX_OK;
        reply.elts = a.elts;
        reply.nelts = r->type == REDIS_REPLY_ARRAY ? a.nelts : 0;

        if (r->type != REDIS_REPLY_ARRAY && a.nelts) {
            reply.str = reply.elts[0];
        }
    }

    call->handler(call->data, &reply);

    if (pool) {
        ngx_destroy_pool(pool);
    }

    ngx_http_reel_redis_free_call(call);
}


/* borrows strings from r */
static ngx_int_t
ngx_http_reel_redis_flatten(ngx_pool_t *pool, redisReply *r, ngx_array_t *a)
{
    size_t      i;
    ngx_str_t  *s;

    if (r->type == REDIS_REPLY_ARRAY) {
        for (i = 0; i < r->elements; i++) {
            if (ngx_http_reel_redis_flatten(pool, r->element[i], a)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    s = ngx_array_push(a);
    if (s == NULL) {
        return NGX_ERROR;
    }

    ngx_str_null(s);

    if (r->type == REDIS_REPLY_INTEGER) {
        s->data = ngx_pnalloc(pool, NGX_INT64_LEN);
        if (s->data == NULL) {
            return NGX_ERROR;
        }

        s->len = ngx_sprintf(s->data, "%L", (int64_t) r->integer) - s->data;

    } else if (r->str) {
        s->data = (u_char *) r->str;
        s->len = r->len;
    }

    return NGX_OK;
}


/* the time is over, or the connection is gone (call->redis is NULL) */
static void
ngx_http_reel_redis_timeout(ngx_event_t *ev)
{
    ngx_http_reel_call_t   *call;
    ngx_http_reel_reply_t   reply;

    call = ev->data;

    if (call->redis) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, NGX_ETIMEDOUT,
                      "reel: redis \"%V\" did not answer in time",
                      &call->redis->addr.name);
        ngx_http_reel_redis_close(call->redis);
        return;
    }

    if (call->handler) {
        ngx_memzero(&reply, sizeof(ngx_http_reel_reply_t));
        reply.status = NGX_ERROR;
        call->handler(call->data, &reply);
    }

    ngx_http_reel_redis_free_call(call);
}


static void
ngx_http_reel_redis_free_call(ngx_http_reel_call_t *call)
{
    if (call->event.timer_set) {
        ngx_del_timer(&call->event);
    }

    if (call->event.posted) {
        ngx_delete_posted_event(&call->event);
    }

    ngx_free(call);
}


static void
ngx_http_reel_redis_submitted(void *data, ngx_http_reel_reply_t *reply)
{
    /* a failure is logged where it shows; workerd reads the outbox anyway */
}


void
ngx_http_reel_redis_submit(ngx_http_reel_loc_conf_t *conf, const char *asset,
    uint32_t publication, const char *project, const char *pipeline,
    int64_t created_ms)
{
    char               job[REEL_JOB_ID_MAX];
    u_char             number[2][NGX_INT64_LEN];
    ngx_str_t          argv[14];
    ngx_uint_t         i;
    reel_redis_key_t   key;
    const char        *args[14];

    if (reel_job_id(job, reel_str(asset), publication) != REEL_OK
        || reel_redis_key(key, "job:", reel_str(job)) != REEL_OK)
    {
        return;
    }

    *ngx_sprintf(number[0], "%uD", publication) = '\0';
    *ngx_sprintf(number[1], "%L", created_ms) = '\0';

    args[0] = "EVAL";
    args[1] = reel_lua_text(REEL_LUA_SUBMIT);
    args[2] = "1";
    args[3] = key;
    args[4] = REEL_REDIS_PREFIX;
    args[5] = job;
    args[6] = asset;
    args[7] = (char *) number[0];
    args[8] = project;
    args[9] = pipeline;
    args[10] = (char *) number[1];
    args[11] = "{}";
    args[12] = NGX_HTTP_REEL_INSPECT_ATTEMPTS;
    args[13] = NGX_HTTP_REEL_INSPECT_TIMEOUT;

    for (i = 0; i < 14; i++) {
        argv[i].data = (u_char *) args[i];
        argv[i].len = ngx_strlen(args[i]);
    }

    (void) ngx_http_reel_redis_call(conf->redis, 14, argv,
                                    conf->redis_timeout,
                                    ngx_http_reel_redis_submitted, NULL);
}

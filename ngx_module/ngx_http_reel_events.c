/*
 * Server-sent events of one asset: Redis is asked every half second, the
 * store every two; an event is sent when the asset's JSON changed.  State
 * lies in the request alone; an exiting worker ends its streams, and
 * EventSource comes back by itself.
 */

#include "ngx_module/ngx_http_reel_api.h"


#define NGX_HTTP_REEL_EVENTS_POLL     500
#define NGX_HTTP_REEL_EVENTS_STORE    4         /* polls a look at the store */
#define NGX_HTTP_REEL_EVENTS_COMMENT  15000
#define NGX_HTTP_REEL_EVENTS_BUFFER   4096


typedef struct {
    ngx_http_reel_api_t     *api;
    ngx_http_reel_asset_t    next;      /* loaded by the pool */
    ngx_http_reel_call_t    *call;
    ngx_event_t              timer;
    ngx_uint_t               polls;
    ngx_uint_t               loading;
    reel_err_t               err;
    uint32_t                 last;      /* CRC of what was sent */
    ngx_msec_t               sent;
    ngx_chain_t             *free;
    ngx_chain_t             *busy;
} ngx_http_reel_events_t;


static void ngx_http_reel_events_cleanup(void *data);
static ngx_int_t ngx_http_reel_events_header(ngx_http_request_t *r);
static void ngx_http_reel_events_poll(ngx_event_t *ev);
static void ngx_http_reel_events_load(void *data, ngx_log_t *log);
static void ngx_http_reel_events_loaded(ngx_http_request_t *r, void *data);
static void ngx_http_reel_events_ask(ngx_http_reel_events_t *es);
static void ngx_http_reel_events_reply(void *data,
    ngx_http_reel_reply_t *reply);
static void ngx_http_reel_events_show(ngx_http_reel_events_t *es,
    ngx_http_reel_reply_t *reply);
static ngx_int_t ngx_http_reel_events_stuck(ngx_http_reel_events_t *es);
static ngx_int_t ngx_http_reel_events_send(ngx_http_reel_events_t *es,
    const u_char *p, size_t len, ngx_uint_t last);
static void ngx_http_reel_events_writer(ngx_http_request_t *r);
static ngx_uint_t ngx_http_reel_events_final(ngx_http_reel_events_t *es);


void
ngx_http_reel_events_start(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_reel_ctx_t     *ctx;
    ngx_http_reel_events_t  *es;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_reel_events_t));
    if (cln == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    es = cln->data;
    ngx_memzero(es, sizeof(ngx_http_reel_events_t));
    cln->handler = ngx_http_reel_events_cleanup;

    ctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);
    ctx->data = es;

    es->api = api;
    es->sent = ngx_current_msec;
    es->timer.handler = ngx_http_reel_events_poll;
    es->timer.data = es;
    es->timer.log = r->connection->log;

    if (ngx_http_reel_events_header(r) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (r->header_only) {
        ngx_http_finalize_request(r, NGX_OK);
        return;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_reel_events_writer;

    ngx_http_reel_events_ask(es);
}


static void
ngx_http_reel_events_cleanup(void *data)
{
    ngx_http_reel_events_t  *es = data;

    if (es->timer.timer_set) {
        ngx_del_timer(&es->timer);
    }

    if (es->call) {
        ngx_http_reel_redis_forget(es->call);
    }

    ngx_http_reel_asset_release(&es->next);
}


static ngx_int_t
ngx_http_reel_events_header(ngx_http_request_t *r)
{
    ngx_int_t  rc;
    ngx_str_t  cache = ngx_string("no-cache"), no = ngx_string("no");

    if (ngx_http_reel_cors(r) != NGX_OK
        || ngx_http_reel_add_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_reel_add_header(r, "X-Accel-Buffering", &no) != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    ngx_str_set(&r->headers_out.content_type, "text/event-stream");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_http_clear_content_length(r);

    rc = ngx_http_send_header(r);

    return rc == NGX_ERROR || rc > NGX_OK ? NGX_ERROR : NGX_OK;
}


static void
ngx_http_reel_events_poll(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_http_request_t      *r;
    ngx_http_reel_events_t  *es;

    es = ev->data;
    r = es->api->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ngx_exiting || c->error) {
        ngx_http_finalize_request(r, ngx_http_send_special(r, NGX_HTTP_LAST));
        ngx_http_run_posted_requests(c);
        return;
    }

    if (++es->polls % NGX_HTTP_REEL_EVENTS_STORE != 0) {
        ngx_http_reel_events_ask(es);
        ngx_http_run_posted_requests(c);
        return;
    }

    ngx_memzero(&es->next, sizeof(ngx_http_reel_asset_t));
    ngx_memcpy(es->next.id, es->api->asset.id, sizeof(es->next.id));

    if (ngx_http_reel_task_post(r, ngx_http_reel_events_load,
                                ngx_http_reel_events_loaded, es)
        != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_ERROR);
        ngx_http_run_posted_requests(c);
    }
}


static void
ngx_http_reel_events_load(void *data, ngx_log_t *log)
{
    ngx_http_reel_events_t  *es = data;

    es->err = ngx_http_reel_asset_load(&es->next, es->api->store,
                                       es->api->sources);

    if (es->err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: asset %s: %s", es->next.id,
                      reel_err_name(es->err));
    }
}


static void
ngx_http_reel_events_loaded(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_events_t  *es = data;

    if (r->connection->error || r->connection->destroyed) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (es->err == REEL_OK) {
        ngx_http_reel_asset_release(&es->api->asset);
        es->api->asset = es->next;
        ngx_memzero(&es->next, sizeof(ngx_http_reel_asset_t));

    } else {
        ngx_http_reel_asset_release(&es->next);
    }

    ngx_http_reel_events_ask(es);
}


static void
ngx_http_reel_events_ask(ngx_http_reel_events_t *es)
{
    ngx_http_request_t  *r;

    r = es->api->request;

    if (ngx_http_reel_events_final(es)
        || ngx_http_reel_api_progress(r, es->api, ngx_http_reel_events_reply,
                                      &es->call)
           != NGX_OK)
    {
        ngx_http_reel_events_show(es, NULL);
    }
}


static void
ngx_http_reel_events_reply(void *data, ngx_http_reel_reply_t *reply)
{
    ngx_http_reel_api_t  *api = data;

    ngx_connection_t        *c;
    ngx_http_reel_ctx_t     *ctx;
    ngx_http_reel_events_t  *es;

    c = api->request->connection;
    ctx = ngx_http_get_module_ctx(api->request, ngx_http_reel_module);
    es = ctx->data;
    es->call = NULL;

    ngx_http_set_log_request(c->log, api->request);

    ngx_http_reel_events_show(es, reply);
    ngx_http_run_posted_requests(c);
}


static ngx_uint_t
ngx_http_reel_events_final(ngx_http_reel_events_t *es)
{
    return es->api->asset.state != REEL_ASSET_PREPARING;
}


static void
ngx_http_reel_events_show(ngx_http_reel_events_t *es,
    ngx_http_reel_reply_t *reply)
{
    uint32_t                   crc;
    ngx_int_t                  rc;
    ngx_uint_t                 final;
    reel_buf_t                 b;
    reel_json_t                j;
    ngx_http_request_t        *r;
    ngx_http_reel_loc_conf_t  *rlcf;

    r = es->api->request;
    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    final = ngx_http_reel_events_final(es);

    reel_buf_init(&b, REEL_RECORD_MAX);
    reel_buf_addz(&b, "event: asset\ndata: ");
    reel_json_init(&j, &b);
    ngx_http_reel_asset_print(&j, &es->api->asset, reply,
                              &rlcf->api_play_path);
    reel_buf_addz(&b, "\n\n");

    if (reel_buf_err(&b) != REEL_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    crc = ngx_crc32_long(b.data, b.len);
    rc = NGX_OK;

    if ((r->buffered || r->connection->buffered) && !final) {
        /* a slow client gets the newest state once it took the last */
        rc = ngx_http_reel_events_stuck(es);

    } else if (crc != es->last || final) {
        es->last = crc;
        rc = ngx_http_reel_events_send(es, b.data, b.len, final);
        es->sent = ngx_current_msec;

    } else if (ngx_current_msec - es->sent >= NGX_HTTP_REEL_EVENTS_COMMENT) {
        rc = ngx_http_reel_events_send(es, (u_char *) ":\n\n", 3, 0);
        es->sent = ngx_current_msec;
    }

    reel_buf_release(&b);

    if (rc == NGX_ERROR || final) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    ngx_add_timer(&es->timer, NGX_HTTP_REEL_EVENTS_POLL);
}


static ngx_int_t
ngx_http_reel_events_stuck(ngx_http_reel_events_t *es)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(es->api->request,
                                        ngx_http_core_module);

    if (ngx_current_msec - es->sent < clcf->send_timeout) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_INFO, es->api->request->connection->log,
                  NGX_ETIMEDOUT, "client timed out");
    es->api->request->connection->timedout = 1;

    return NGX_ERROR;
}


/* what the client has taken is written over: a stream may last for hours */
static ngx_int_t
ngx_http_reel_events_send(ngx_http_reel_events_t *es, const u_char *p,
    size_t len, ngx_uint_t last)
{
    size_t               size;
    ngx_buf_t           *b;
    ngx_int_t            rc;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = es->api->request;

    cl = ngx_chain_get_free_buf(r->pool, &es->free);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    b = cl->buf;

    if ((size_t) (b->end - b->start) < len) {
        size = ngx_max(2 * len, NGX_HTTP_REEL_EVENTS_BUFFER);

        b->start = ngx_palloc(r->pool, size);
        if (b->start == NULL) {
            return NGX_ERROR;
        }

        b->end = b->start + size;
    }

    b->pos = b->start;
    b->last = ngx_cpymem(b->pos, p, len);
    b->tag = (ngx_buf_tag_t) &ngx_http_reel_module;
    b->temporary = 1;
    b->flush = 1;
    b->last_buf = last;
    b->last_in_chain = 1;

    rc = ngx_http_output_filter(r, cl);

    ngx_chain_update_chains(r->pool, &es->free, &es->busy, &cl,
                            (ngx_buf_tag_t) &ngx_http_reel_module);

    /* what did not fit goes out when the socket takes more */
    if (rc != NGX_ERROR
        && ngx_handle_write_event(r->connection->write, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return rc;
}


/* the socket takes more: what is still queued goes out */
static void
ngx_http_reel_events_writer(ngx_http_request_t *r)
{
    if (ngx_http_output_filter(r, NULL) == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (ngx_handle_write_event(r->connection->write, 0) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}

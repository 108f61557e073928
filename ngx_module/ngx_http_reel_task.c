/*
 * Store work in the thread pool.  A request is kept alive by blocked and
 * count while its work runs; whoever finalizes it meanwhile (the client went
 * away) only marks it, and the done handler still runs.  A timer keeps an
 * exiting worker, which waits for timers alone, until the work is done.
 */

#include "ngx_module/ngx_http_reel_module.h"


#define NGX_HTTP_REEL_TASK_LONG  60000


typedef struct {
    ngx_http_request_t     *request;
    ngx_http_reel_work_pt   work;
    ngx_http_reel_done_pt   done;
    void                   *data;
} ngx_http_reel_task_t;


static void ngx_http_reel_task_work(void *data, ngx_log_t *log);
static void ngx_http_reel_task_event(ngx_event_t *ev);


ngx_int_t
ngx_http_reel_task_post(ngx_http_request_t *r, ngx_http_reel_work_pt work,
    ngx_http_reel_done_pt done, void *data)
{
    ngx_thread_task_t         *task;
    ngx_http_reel_task_t      *ctx;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    task = ngx_thread_task_alloc(r->pool, sizeof(ngx_http_reel_task_t));
    if (task == NULL) {
        return NGX_ERROR;
    }

    ctx = task->ctx;
    ctx->request = r;
    ctx->work = work;
    ctx->done = done;
    ctx->data = data;

    task->handler = ngx_http_reel_task_work;
    task->event.handler = ngx_http_reel_task_event;
    task->event.data = ctx;
    task->event.log = r->connection->log;

    if (ngx_thread_task_post(rlcf->thread_pool, task) != NGX_OK) {
        return NGX_ERROR;
    }

    r->main->blocked++;
    r->aio = 1;

    ngx_add_timer(&task->event, NGX_HTTP_REEL_TASK_LONG);

    return NGX_OK;
}


static void
ngx_http_reel_task_work(void *data, ngx_log_t *log)
{
    ngx_http_reel_task_t  *ctx = data;

    ctx->work(ctx->data, log);
}


static void
ngx_http_reel_task_event(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_http_request_t    *r;
    ngx_http_reel_task_t  *ctx;

    ctx = ev->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ev->timedout) {
        ngx_log_error(NGX_LOG_WARN, c->log, 0,
                      "reel: store work takes more than a minute");
        ev->timedout = 0;
        ngx_add_timer(ev, NGX_HTTP_REEL_TASK_LONG);
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    r->main->blocked--;
    r->aio = 0;

    ctx->done(r, ctx->data);

    ngx_http_run_posted_requests(c);
}

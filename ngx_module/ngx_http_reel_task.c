/*
 * Store work in the thread pool.  A request is kept alive by blocked and
 * count while its work runs; whoever finalizes it meanwhile (the client went
 * away) only marks it, and the done handler still runs.  A timer keeps an
 * exiting worker, which waits for timers alone, until the work is done.
 *
 * A long upload posts a task for every buffer: one that is done is used for
 * the next, else they would fill the request's pool.
 */

#include "ngx_module/ngx_http_reel_module.h"


#define NGX_HTTP_REEL_TASK_LONG  60000


typedef struct {
    ngx_thread_task_t      *task;
    ngx_http_request_t     *request;
    ngx_http_reel_work_pt   work;
    ngx_http_reel_done_pt   done;
    void                   *data;
} ngx_http_reel_task_t;


static ngx_thread_task_t *ngx_http_reel_task_get(ngx_http_request_t *r,
    ngx_http_reel_ctx_t *rctx);
static void ngx_http_reel_task_work(void *data, ngx_log_t *log);
static void ngx_http_reel_task_event(ngx_event_t *ev);


ngx_uint_t  ngx_http_reel_task_walks;


ngx_int_t
ngx_http_reel_task_post(ngx_http_request_t *r, ngx_http_reel_work_pt work,
    ngx_http_reel_done_pt done, void *data)
{
    ngx_thread_task_t         *task;
    ngx_http_reel_ctx_t       *rctx;
    ngx_http_reel_task_t      *ctx;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    rctx = ngx_http_reel_get_ctx(r);
    if (rctx == NULL) {
        return NGX_ERROR;
    }

    task = ngx_http_reel_task_get(r, rctx);
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

    /* not r->aio: what is being sent meanwhile goes on */
    r->main->blocked++;

    ngx_add_timer(&task->event, NGX_HTTP_REEL_TASK_LONG);

    return NGX_OK;
}


static ngx_thread_task_t *
ngx_http_reel_task_get(ngx_http_request_t *r, ngx_http_reel_ctx_t *rctx)
{
    ngx_thread_task_t     *task;
    ngx_http_reel_task_t  *ctx;

    task = rctx->tasks;

    if (task) {
        rctx->tasks = task->next;
        task->event.complete = 0;
        return task;
    }

    task = ngx_thread_task_alloc(r->pool, sizeof(ngx_http_reel_task_t));
    if (task == NULL) {
        return NULL;
    }

    ctx = task->ctx;
    ctx->task = task;

    return task;
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
    void                   *data;
    ngx_connection_t       *c;
    ngx_http_request_t     *r;
    ngx_http_reel_ctx_t    *rctx;
    ngx_http_reel_task_t   *ctx;
    ngx_http_reel_done_pt   done;

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

    done = ctx->done;
    data = ctx->data;

    /* none after an internal redirect */
    rctx = ngx_http_get_module_ctx(r, ngx_http_reel_module);

    if (rctx) {
        ctx->task->next = rctx->tasks;
        rctx->tasks = ctx->task;
    }

    done(r, data);

    ngx_http_run_posted_requests(c);
}

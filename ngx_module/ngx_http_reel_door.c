/* opening uploads, their turns, what is appended to them and their completion,
   for every door */

#include "ngx_module/ngx_http_reel_payload.h"


#define NGX_HTTP_REEL_CLAIM_MAX   5000      /* ms, then give up */
#define NGX_HTTP_REEL_CLAIM_STEP  16        /* ms, at most between tries */
#define NGX_HTTP_REEL_LEAVE_MAX   30        /* ms, for what came already */

/*
 * A resumable upload is durable up to a few MiB behind what came.  Of a
 * PutObject only the whole counts: it is flushed so that its end does not
 * wait for all of it, and each flush costs.
 */
#define NGX_HTTP_REEL_FLUSH_SIZE  (4 * 1024 * 1024)
#define NGX_HTTP_REEL_FLUSH_PUT  (32 * 1024 * 1024)


static void ngx_http_reel_door_work(void *data, ngx_log_t *log);
static void ngx_http_reel_door_done(ngx_http_request_t *r, void *data);
static void ngx_http_reel_claim_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_claim_expire(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_claim_done(ngx_http_reel_door_t *door);
static void ngx_http_reel_claim_again(ngx_event_t *ev);
static void ngx_http_reel_door_leave(void *data);
static void ngx_http_reel_append_write(void *data, ngx_log_t *log);
static void ngx_http_reel_append_finish(void *data, ngx_log_t *log);
static void ngx_http_reel_append_flush(void *data, ngx_log_t *log);
static reel_err_t ngx_http_reel_append_sink(ngx_http_reel_door_t *door,
    const void *p, size_t n);
static ngx_uint_t ngx_http_reel_append_awaited(ngx_http_reel_door_t *door);
static ngx_uint_t ngx_http_reel_append_kept(ngx_http_reel_door_t *door);
static ngx_uint_t ngx_http_reel_append_put(ngx_http_reel_door_t *door);
static ngx_uint_t ngx_http_reel_append_more(void *data);
static ngx_int_t ngx_http_reel_append_written(void *data);
static void ngx_http_reel_append_finished(ngx_http_request_t *r, void *data);
static void ngx_http_reel_append_broken(ngx_http_request_t *r, void *data,
    ngx_int_t rc);
static void ngx_http_reel_append_keep(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_settle_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_settle_done(ngx_http_reel_door_t *door);
static void ngx_http_reel_complete_work(ngx_http_reel_door_t *door,
    ngx_log_t *log);
static void ngx_http_reel_complete_done(ngx_http_reel_door_t *door);


ngx_str_t *
ngx_http_reel_door_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == len
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
            {
                return &h[i].value;
            }
        }
    }

    return NULL;
}


int64_t
ngx_http_reel_door_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


ngx_int_t
ngx_http_reel_door_post(ngx_http_reel_door_t *door,
    void (*work)(ngx_http_reel_door_t *door, ngx_log_t *log),
    void (*done)(ngx_http_reel_door_t *door))
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    door->now_ms = (int64_t) tp->sec * 1000 + tp->msec;
    door->work = work;
    door->done = done;

    return ngx_http_reel_task_post(door->request, ngx_http_reel_door_work,
                                   ngx_http_reel_door_done, door);
}


static void
ngx_http_reel_door_work(void *data, ngx_log_t *log)
{
    ngx_http_reel_door_t  *door = data;

    door->work(door, log);
}


static void
ngx_http_reel_door_done(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_door_t  *door = data;

    ngx_http_reel_door_tell(door);
    door->done(door);
}


void
ngx_http_reel_door_tell(ngx_http_reel_door_t *door)
{
    ngx_http_reel_loc_conf_t  *rlcf;

    if (door->upload && door->upload->changed) {
        rlcf = ngx_http_get_module_loc_conf(door->request,
                                            ngx_http_reel_module);

        /* of equal requests at once one makes the asset */
        ngx_http_reel_job_upload(rlcf, door->upload,
                                 door->named.asset[0] ? door->named.asset
                                                      : NULL);
    }
}


/* ---- turns ---- */

void
ngx_http_reel_door_claim(ngx_http_reel_door_t *door, ngx_uint_t turn,
    void (*done)(ngx_http_reel_door_t *door))
{
    door->turn = turn;
    door->then = done;
    door->tries = 0;
    door->since = ngx_current_msec;

    if (ngx_http_reel_door_post(door, ngx_http_reel_claim_work,
                                ngx_http_reel_claim_done)
        != NGX_OK)
    {
        door->err = REEL_NOMEM;
        done(door);
    }
}


/* whoever does not know all of its path knows nothing of it */
reel_err_t
ngx_http_reel_door_open(ngx_http_reel_door_t *door)
{
    reel_err_t                  err;
    reel_str_t                  id;
    const reel_upload_facts_t  *facts;

    id = (reel_str_t) { (char *) door->id.data, door->id.len };

    err = reel_upload_open(door->store, id, &door->upload);

    if (err != REEL_OK) {
        return err == REEL_INVAL ? REEL_NOTFOUND
               : err == REEL_BADDATA ? REEL_IO : err;
    }

    facts = &door->upload->facts;

    if (ngx_strcmp(facts->bucket, door->bucket.data) != 0) {
        return REEL_NOTFOUND;
    }

    /* before its turn is taken from those who may have it */
    if (door->place == NGX_HTTP_REEL_AT_UPLOAD
        && facts->door != door->facts.door)
    {
        return REEL_NOTFOUND;
    }

    if (door->place == NGX_HTTP_REEL_AT_KEY
        && (facts->door != REEL_UPLOAD_MULTIPART || facts->key == NULL
            || ngx_strcmp(facts->key, door->key.data) != 0
            || ngx_strcmp(facts->request.project, door->auth.key->project)
               != 0))
    {
        return REEL_NOTFOUND;
    }

    return REEL_OK;
}


static void
ngx_http_reel_claim_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = door->upload ? REEL_OK : ngx_http_reel_door_open(door);

    if (door->err == REEL_OK) {
        door->err = reel_upload_claim(door->upload, door->turn,
                                      ngx_http_reel_wake_self());
    }

    if (door->err == REEL_OK
        && door->upload->state.phase == REEL_UPLOAD_OPEN
        && door->now_ms > reel_upload_expires(door->upload))
    {
        ngx_http_reel_claim_expire(door, log);
    }

    door->held_by = door->err == REEL_AGAIN
                    && reel_upload_owner(door->upload, door->turn,
                                         door->holder)
                       == REEL_OK;
}


/* the sweep would do the same, but nothing may revive it until then */
static void
ngx_http_reel_claim_expire(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_err_t  err;

    if (door->turn != 0) {
        door->err = REEL_NOTFOUND;
        return;
    }

    err = reel_upload_abort(door->upload, REEL_UPLOAD_EXPIRED, door->now_ms);

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: expired upload %s is left to the sweep: %s",
                      door->upload->facts.id, reel_err_name(err));
    }
}


static void
ngx_http_reel_claim_done(ngx_http_reel_door_t *door)
{
    ngx_msec_t  step;

    if (door->err == REEL_OK) {
        ngx_http_reel_door_hold(door);
        door->then(door);
        return;
    }

    if (door->err != REEL_AGAIN
        || ngx_current_msec - door->since > NGX_HTTP_REEL_CLAIM_MAX)
    {
        door->then(door);
        return;
    }

    if (door->held_by) {
        /* dead or not: the kernel tells by its lock */
        (void) ngx_http_reel_wake_send(door->holder, door->upload->facts.id,
                                       door->turn);
    }

    step = door->tries < 4 ? (ngx_msec_t) 1 << door->tries
                           : NGX_HTTP_REEL_CLAIM_STEP;
    door->tries++;

    door->timer.handler = ngx_http_reel_claim_again;
    door->timer.data = door;
    door->timer.log = door->request->connection->log;

    /* as long as pool work would: nobody else ends the request meanwhile */
    door->request->main->blocked++;
    ngx_add_timer(&door->timer, step);
}


static void
ngx_http_reel_claim_again(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_http_reel_door_t  *door;

    door = ev->data;
    c = door->request->connection;

    door->request->main->blocked--;

    if (ngx_http_reel_door_post(door, ngx_http_reel_claim_work,
                                ngx_http_reel_claim_done)
        != NGX_OK)
    {
        door->err = REEL_NOMEM;
        door->then(door);
    }

    ngx_http_run_posted_requests(c);
}


void
ngx_http_reel_door_hold(ngx_http_reel_door_t *door)
{
    door->wake.id = door->upload->facts.id;
    door->wake.turn = door->turn;
    door->wake.data = door;
    door->wake.leave = ngx_http_reel_door_leave;

    ngx_http_reel_wake_watch(&door->wake);
}


/* a body that is being read ends here; anything else ends by itself soon */
static void
ngx_http_reel_door_leave(void *data)
{
    ngx_http_reel_door_t  *door = data;

    if (door->body.data == NULL) {
        return;
    }

    if (door->body.keep) {
        ngx_http_reel_body_drain(door->request, &door->body, NGX_ABORT,
                                 NGX_HTTP_REEL_LEAVE_MAX);
        return;
    }

    ngx_http_reel_body_stop(door->request, &door->body, NGX_ABORT);
}


/* ---- appending ---- */

reel_err_t
ngx_http_reel_door_check(ngx_http_reel_door_t *door, reel_sum_kind_t kind,
    const uint8_t *want)
{
    reel_err_t              err;
    ngx_http_reel_check_t  *check;

    if (door->nchecks == NGX_HTTP_REEL_CHECKS) {
        return REEL_LIMIT;
    }

    check = &door->checks[door->nchecks];

    err = reel_sum_init(&check->sum, kind);

    if (err == REEL_OK) {
        check->kind = kind;
        ngx_memcpy(check->want, want, reel_sum_len(kind));
        door->nchecks++;
    }

    return err;
}


void
ngx_http_reel_door_append(ngx_http_reel_door_t *door,
    void (*settled)(ngx_http_reel_door_t *door, ngx_int_t rc))
{
    ngx_http_reel_body_t  *body;

    door->settled = settled;
    door->err = REEL_OK;

    body = &door->body;
    body->data = door;
    body->write = ngx_http_reel_append_write;
    body->more = ngx_http_reel_append_more;
    body->finish = ngx_http_reel_append_finish;
    body->flush = ngx_http_reel_append_flush;
    body->written = ngx_http_reel_append_written;
    body->finished = ngx_http_reel_append_finished;
    body->broken = ngx_http_reel_append_broken;
    body->flush_size = ngx_http_reel_append_put(door)
                       ? NGX_HTTP_REEL_FLUSH_PUT : NGX_HTTP_REEL_FLUSH_SIZE;
    body->max = NGX_MAX_OFF_T_VALUE;
    body->offset = door->upload->state.offset;
    body->keep = !ngx_http_reel_append_put(door);

    ngx_http_reel_body_read(door->request, body);
}


void
ngx_http_reel_door_watch(ngx_http_reel_door_t *door,
    void (*progress)(ngx_http_reel_door_t *door))
{
    door->progress = progress;
    door->durable = door->upload->safe;
    door->progressed = door->durable;
}


static void
ngx_http_reel_append_write(void *data, ngx_log_t *log)
{
    ngx_http_reel_door_t  *door = data;

    if (door->err != REEL_OK) {
        /* what failed would be missing in front of these */
        return;
    }

    door->err = ngx_http_reel_payload_take(door, ngx_http_reel_append_sink);

    if (door->err == REEL_OK && door->progress && !door->left
        && door->upload->state.durable > door->durable)
    {
        door->err = reel_upload_checkpoint(door->upload);

        if (door->err == REEL_OK) {
            door->durable = door->upload->safe;

        } else if (door->err == REEL_DENIED) {
            /* these are written, and more may have come by now */
            door->left = 1;
            reel_upload_leave(door->upload);
            door->err = REEL_OK;
        }
    }

    if (door->err != REEL_OK && door->err != REEL_DENIED
        && door->err != REEL_LIMIT && door->err != REEL_BADDATA)
    {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s: write at %uL failed: %s",
                      door->upload->facts.id, door->upload->state.offset,
                      reel_err_name(door->err));
    }
}


static reel_err_t
ngx_http_reel_append_sink(ngx_http_reel_door_t *door, const void *p, size_t n)
{
    reel_err_t  err;
    ngx_uint_t  awaited;

    awaited = ngx_http_reel_append_awaited(door);

    /* a request may be longer than the upload's life without it */
    door->upload->state.touched_ms = ngx_http_reel_door_now();

    err = reel_upload_write(door->upload, p, n, awaited);

    if (err == REEL_DENIED && !door->left) {
        /* these came before we heard of it */
        door->left = 1;
        reel_upload_leave(door->upload);

        err = reel_upload_write(door->upload, p, n, awaited);
    }

    return err;
}


/* the bytes count only once all of them are here */
static ngx_uint_t
ngx_http_reel_append_awaited(ngx_http_reel_door_t *door)
{
    return door->nchecks || (door->payload && door->payload->framed);
}


/* what came before it failed is told to the client: it must last */
static ngx_uint_t
ngx_http_reel_append_kept(ngx_http_reel_door_t *door)
{
    return door->err == REEL_OK || door->err == REEL_LIMIT
           || door->err == REEL_NOSPACE;
}


/* nothing of it resumes: what was cut is of no use to anybody */
static ngx_uint_t
ngx_http_reel_append_put(ngx_http_reel_door_t *door)
{
    return door->upload->facts.door == REEL_UPLOAD_PUT;
}


static void
ngx_http_reel_append_finish(void *data, ngx_log_t *log)
{
    ngx_http_reel_door_t  *door = data;

    ngx_http_reel_append_write(data, log);

    if (door->err == REEL_OK && ngx_http_reel_append_awaited(door)) {

        door->err = ngx_http_reel_payload_verify(door);

        if (door->err == REEL_OK) {
            door->err = reel_upload_confirm(door->upload);

        } else {
            reel_upload_discard(door->upload);
        }
    }

    if (ngx_http_reel_append_kept(door)) {
        ngx_http_reel_append_keep(door, log);
    }
}


static void
ngx_http_reel_append_flush(void *data, ngx_log_t *log)
{
    ngx_http_reel_door_t  *door = data;

    reel_err_t  err;

    /* not door->err: a write runs beside this; settling hears it again */
    err = reel_upload_flush(door->upload);

    if (err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: upload %s: sync failed: %s",
                      door->upload->facts.id, reel_err_name(err));
    }
}


/* not when the loop has something to tell or to leave */
static ngx_uint_t
ngx_http_reel_append_more(void *data)
{
    ngx_http_reel_door_t  *door = data;

    return door->err == REEL_OK && !door->left
           && (door->progress == NULL || door->durable <= door->progressed);
}


static ngx_int_t
ngx_http_reel_append_written(void *data)
{
    ngx_http_reel_door_t  *door = data;

    if (door->err != REEL_OK) {
        return NGX_ERROR;
    }

    if (door->progress && door->durable > door->progressed) {
        door->progressed = door->durable;
        door->progress(door);
    }

    if (door->left) {
        ngx_http_reel_door_leave(door);
    }

    return NGX_OK;
}


static void
ngx_http_reel_append_finished(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_door_t  *door = data;

    door->settled(door, NGX_OK);
}


static void
ngx_http_reel_append_broken(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    ngx_http_reel_door_t  *door = data;

    door->rc = rc;

    if (!ngx_http_reel_append_put(door) && ngx_http_reel_append_kept(door)
        && ngx_http_reel_door_post(door, ngx_http_reel_append_keep,
                                   ngx_http_reel_settle_done)
           == NGX_OK)
    {
        return;
    }

    door->settled(door, rc);
}


static void
ngx_http_reel_append_keep(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    if (ngx_http_reel_append_awaited(door)) {
        reel_upload_discard(door->upload);
    }

    ngx_http_reel_settle_work(door, log);
}


static void
ngx_http_reel_settle_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    reel_err_t  err;

    /* the completion of a PutObject syncs all of it, and nobody before */
    err = ngx_http_reel_append_put(door)
          ? reel_upload_check(door->upload)
          : reel_upload_settle(door->upload, ngx_http_reel_door_now());

    if (err == REEL_OK) {
        return;
    }

    door->err = err;

    if (err != REEL_DENIED) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s cannot be settled: %s",
                      door->upload->facts.id, reel_err_name(err));
    }
}


static void
ngx_http_reel_settle_done(ngx_http_reel_door_t *door)
{
    door->settled(door, door->rc);
}


/* ---- completion ---- */

void
ngx_http_reel_door_complete(ngx_http_reel_door_t *door,
    void (*done)(ngx_http_reel_door_t *door))
{
    door->then = done;

    if (ngx_http_reel_door_post(door, ngx_http_reel_complete_work,
                                ngx_http_reel_complete_done)
        != NGX_OK)
    {
        door->err = REEL_NOMEM;
        done(door);
    }
}


static void
ngx_http_reel_complete_work(ngx_http_reel_door_t *door, ngx_log_t *log)
{
    door->err = reel_upload_complete(door->upload, door->now_ms,
                                     &door->named);

    if (door->err != REEL_OK && door->err != REEL_DENIED
        && door->err != REEL_BADDATA && door->err != REEL_EXISTS)
    {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "reel: upload %s cannot be completed: %s",
                      door->upload->facts.id, reel_err_name(door->err));
    }
}


static void
ngx_http_reel_complete_done(ngx_http_reel_door_t *door)
{
    ngx_str_t                  asset;
    const reel_request_t      *rq;
    ngx_http_reel_ctx_t       *ctx;
    ngx_http_reel_loc_conf_t  *rlcf;

    if (door->err == REEL_OK) {
        rlcf = ngx_http_get_module_loc_conf(door->request,
                                            ngx_http_reel_module);
        ctx = ngx_http_get_module_ctx(door->request, ngx_http_reel_module);
        rq = &door->upload->facts.request;

        asset.data = (u_char *) door->named.asset;
        asset.len = REEL_ULID_LEN;
        ctx->asset = asset;

        ngx_http_reel_job_submit(rlcf, door->named.asset, 1, rq->project,
                                 rq->pipeline, rq->created_ms);
    }

    door->then(door);
}

/*
 * GET /api/uploads and /api/uploads/<id>: what the project's uploads are at,
 * from the store alone.  Nothing sorts them there, but the time of a file
 * tells which are the newest; of those behind the cursor so many are opened
 * for a page as is affordable, however many there are.  A cursor is
 * "<time in ns>:<id>" of the last one that was looked at.
 */

#include "ngx_module/ngx_http_reel_api.h"

#include "lib/upload/upload.h"
#include "ngx_module/ngx_http_reel_params.h"


#define NGX_HTTP_REEL_UPLOADS_OPENED   1000
#define NGX_HTTP_REEL_UPLOADS_BODY     (4 * 1024 * 1024)


typedef struct {
    char                     id[REEL_UPLOAD_ID_LEN + 1];
    char                     asset[REEL_ULID_LEN + 1];
    char                     name[NGX_HTTP_REEL_NAME_MAX + 1];
    const char              *door;
    const char              *state;
    ngx_uint_t               parts;     /* which are to be counted yet */
    uint64_t                 offset;
    uint64_t                 length;
    int64_t                  created_ms;
    int64_t                  expires_ms;
} ngx_http_reel_api_upload_t;


typedef struct {
    ngx_http_reel_api_t         *api;
    ngx_http_reel_api_page_t     page;
    reel_upload_mark_t           cursor;        /* id "": none */
    ngx_http_reel_api_upload_t  *rows;          /* of limit */
    ngx_uint_t                   nrows;         /* newest first */
    reel_upload_mark_t           next;          /* id "": no more */
} ngx_http_reel_api_uploads_t;


static reel_err_t ngx_http_reel_api_uploads_cursor(void *data,
    const char *cursor);
static void ngx_http_reel_api_uploads_work(void *data, ngx_log_t *log);
static ngx_uint_t ngx_http_reel_api_uploads_take(
    ngx_http_reel_api_uploads_t *l, reel_upload_t *u);
static void ngx_http_reel_api_uploads_done(ngx_http_request_t *r, void *data);
static void ngx_http_reel_api_upload_work(void *data, ngx_log_t *log);
static void ngx_http_reel_api_upload_done(ngx_http_request_t *r, void *data);
static void ngx_http_reel_api_upload_fill(ngx_http_reel_api_upload_t *row,
    const reel_upload_t *u, int64_t now_ms);
static void ngx_http_reel_api_upload_count(ngx_http_reel_api_upload_t *row,
    reel_upload_t *u);
static const char *ngx_http_reel_api_upload_state(const reel_upload_t *u,
    int64_t now_ms);
static void ngx_http_reel_api_upload_print(reel_json_t *j,
    const ngx_http_reel_api_upload_t *row);


static const char *const  states[] = {
    "open", "complete", "aborted", "expired", NULL
};

static const ngx_http_reel_api_list_t  list = {
    ngx_http_reel_api_uploads_cursor, states,
    "state is open, complete, aborted or expired"
};


/* ---- all of them ---- */

ngx_int_t
ngx_http_reel_api_uploads(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    ngx_int_t                     rc;
    ngx_http_reel_api_uploads_t  *l;

    l = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_api_uploads_t));
    if (l == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    l->api = api;

    rc = ngx_http_reel_api_page(r, &l->page, &list, l);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    l->rows = ngx_palloc(r->pool, l->page.limit
                                  * sizeof(ngx_http_reel_api_upload_t));
    if (l->rows == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_reel_task_walks == NGX_HTTP_REEL_TASK_WALKS) {
        return ngx_http_reel_api_upload_failed(r, REEL_AGAIN);
    }

    if (ngx_http_reel_task_post(r, ngx_http_reel_api_uploads_work,
                                ngx_http_reel_api_uploads_done, l)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_reel_task_walks++;
    r->main->count++;

    return NGX_DONE;
}


static reel_err_t
ngx_http_reel_api_uploads_cursor(void *data, const char *cursor)
{
    ngx_http_reel_api_uploads_t  *l = data;

    uint64_t    ns;
    reel_str_t  first, id;

    first = reel_str_cut(reel_str(cursor), ':', &id);

    if (id.p == NULL || !reel_upload_id_valid(id)
        || reel_str_u64(first, INT64_MAX, &ns) != REEL_OK)
    {
        return REEL_INVAL;
    }

    l->cursor.made_ns = ns;

    return reel_str_copy(l->cursor.id, sizeof(l->cursor.id), id);
}


static void
ngx_http_reel_api_uploads_work(void *data, ngx_log_t *log)
{
    ngx_http_reel_api_uploads_t  *l = data;

    size_t               i, n;
    ngx_uint_t           full;
    reel_upload_t       *u;
    reel_upload_mark_t  *marks;

    l->api->err = reel_upload_newest(l->api->store,
                                     l->cursor.id[0] ? &l->cursor : NULL,
                                     NGX_HTTP_REEL_UPLOADS_OPENED, &marks, &n);

    if (l->api->err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: uploads cannot be listed: "
                      "%s", reel_err_name(l->api->err));
        return;
    }

    full = 0;

    for (i = 0; i < n && !full; i++) {

        if (reel_upload_open(l->api->store, reel_str(marks[i].id), &u)
            != REEL_OK)
        {
            continue;
        }

        full = ngx_http_reel_api_uploads_take(l, u);
        reel_upload_close(u);
    }

    if (full) {
        /* one more than the page: there is a next one, from it on */
        l->next = marks[i - 2];

    } else if (n == NGX_HTTP_REEL_UPLOADS_OPENED) {
        l->next = marks[n - 1];
    }

    free(marks);
}


/* 1: it is one too many */
static ngx_uint_t
ngx_http_reel_api_uploads_take(ngx_http_reel_api_uploads_t *l,
    reel_upload_t *u)
{
    ngx_http_reel_api_upload_t  *row;

    if (ngx_strcmp(u->facts.request.project, l->api->auth.key->project) != 0
        || (l->page.state[0]
            && ngx_strcmp(l->page.state,
                          ngx_http_reel_api_upload_state(u, l->api->now_ms))
               != 0))
    {
        return 0;
    }

    if (l->nrows == l->page.limit) {
        return 1;
    }

    row = &l->rows[l->nrows++];
    ngx_http_reel_api_upload_fill(row, u, l->api->now_ms);

    if (row->parts) {
        ngx_http_reel_api_upload_count(row, u);
    }

    return 0;
}


static void
ngx_http_reel_api_uploads_done(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_api_uploads_t  *l = data;

    char         next[NGX_INT64_LEN + REEL_UPLOAD_ID_LEN + 2];
    ngx_uint_t   i;
    reel_buf_t   b;
    reel_json_t  j;

    ngx_http_reel_task_walks--;

    if (l->api->err != REEL_OK) {
        ngx_http_finalize_request(r, ngx_http_reel_api_upload_failed(r,
                                         l->api->err));
        return;
    }

    reel_buf_init(&b, NGX_HTTP_REEL_UPLOADS_BODY);
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_json_key(&j, "uploads");
    reel_json_array(&j);

    for (i = 0; i < l->nrows; i++) {
        ngx_http_reel_api_upload_print(&j, &l->rows[i]);
    }

    reel_json_end(&j, ']');
    reel_json_key(&j, "next_cursor");

    if (l->next.id[0]) {
        (void) ngx_snprintf((u_char *) next, sizeof(next), "%L:%s%Z",
                            l->next.made_ns, l->next.id);
        reel_json_str(&j, reel_str(next));

    } else {
        reel_json_null(&j);
    }

    reel_json_end(&j, '}');

    ngx_http_finalize_request(r, ngx_http_reel_api_send(r, NGX_HTTP_OK, &b));
}


/* ---- one of them ---- */

ngx_int_t
ngx_http_reel_api_upload(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    api->data = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_api_upload_t));

    if (api->data == NULL
        || ngx_http_reel_task_post(r, ngx_http_reel_api_upload_work,
                                   ngx_http_reel_api_upload_done, api)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_reel_api_upload_work(void *data, ngx_log_t *log)
{
    ngx_http_reel_api_t  *api = data;

    reel_upload_t               *u;
    ngx_http_reel_api_upload_t  *row;

    row = api->data;

    api->err = ngx_http_reel_api_upload_open(api, &u, log);
    if (api->err != REEL_OK) {
        return;
    }

    ngx_http_reel_api_upload_fill(row, u, api->now_ms);

    if (row->parts) {
        ngx_http_reel_api_upload_count(row, u);
    }

    reel_upload_close(u);
}


static void
ngx_http_reel_api_upload_done(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_api_t  *api = data;

    reel_buf_t   b;
    reel_json_t  j;

    if (api->err != REEL_OK) {
        ngx_http_finalize_request(r, ngx_http_reel_api_upload_failed(r,
                                         api->err));
        return;
    }

    reel_buf_init(&b, REEL_RECORD_MAX);
    reel_json_init(&j, &b);
    ngx_http_reel_api_upload_print(&j, api->data);

    ngx_http_finalize_request(r, ngx_http_reel_api_send(r, NGX_HTTP_OK, &b));
}


reel_err_t
ngx_http_reel_api_upload_open(ngx_http_reel_api_t *api, reel_upload_t **u,
    ngx_log_t *log)
{
    reel_err_t  err;

    err = reel_upload_open(api->store, reel_str(api->upload), u);

    if (err != REEL_OK) {
        if (err != REEL_NOTFOUND) {
            ngx_log_error(NGX_LOG_ERR, log, 0, "reel: upload %s: %s",
                          api->upload, reel_err_name(err));
        }

        return err;
    }

    if (ngx_strcmp((*u)->facts.request.project, api->auth.key->project)
        != 0)
    {
        reel_upload_close(*u);
        *u = NULL;
        return REEL_NOTFOUND;
    }

    return REEL_OK;
}


ngx_int_t
ngx_http_reel_api_upload_failed(ngx_http_request_t *r, reel_err_t err)
{
    switch (err) {

    case REEL_NOTFOUND:
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_NOT_FOUND, "NOT_FOUND",
                                   "no such upload", 0);

    case REEL_AGAIN:
    case REEL_DENIED:
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_SERVICE_UNAVAILABLE, "SlowDown",
                                   "others are at this just now; try again",
                                   1);

    case REEL_INVAL:
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_CONFLICT, "UploadComplete",
                                   "the upload is complete: delete its asset",
                                   0);

    default:
        return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                                   NGX_HTTP_INTERNAL_SERVER_ERROR,
                                   "STORE_FAILED", "the store failed; see "
                                   "the server's error log", 1);
    }
}


/* ---- what is told of it ---- */

static void
ngx_http_reel_api_upload_fill(ngx_http_reel_api_upload_t *row,
    const reel_upload_t *u, int64_t now_ms)
{
    const reel_upload_facts_t  *f;

    f = &u->facts;

    ngx_memzero(row, sizeof(ngx_http_reel_api_upload_t));
    ngx_memcpy(row->id, f->id, sizeof(row->id));
    (void) ngx_cpystrn((u_char *) row->asset, (u_char *) f->request.asset,
                       sizeof(row->asset));

    if (ngx_strlen(f->request.name) < sizeof(row->name)) {
        ngx_memcpy(row->name, f->request.name, ngx_strlen(f->request.name));
    }

    row->door = reel_upload_door_name(f->door);
    row->state = ngx_http_reel_api_upload_state(u, now_ms);
    row->offset = u->state.offset;
    row->length = u->state.length;
    row->created_ms = f->request.created_ms;
    row->expires_ms = reel_upload_expires(u);
    row->parts = f->door == REEL_UPLOAD_MULTIPART
                 && u->state.phase == REEL_UPLOAD_OPEN;
}


/* before they are joined, the offset does not speak of them */
static void
ngx_http_reel_api_upload_count(ngx_http_reel_api_upload_t *row,
    reel_upload_t *u)
{
    size_t               i, n;
    reel_upload_part_t  *parts;

    if (reel_upload_parts(u, &parts, &n) != REEL_OK) {
        return;
    }

    row->offset = 0;

    for (i = 0; i < n; i++) {
        row->offset += parts[i].size;
    }

    free(parts);
}


/* that of its completion has no asset yet; the sweep may be late for one
   whose time is over: nothing more is taken for it */
static const char *
ngx_http_reel_api_upload_state(const reel_upload_t *u, int64_t now_ms)
{
    switch (u->state.phase) {

    case REEL_UPLOAD_COMPLETING:
        return reel_upload_phase_name(REEL_UPLOAD_OPEN);

    case REEL_UPLOAD_OPEN:
        return reel_upload_phase_name(now_ms > reel_upload_expires(u)
                                      ? REEL_UPLOAD_EXPIRED
                                      : REEL_UPLOAD_OPEN);

    default:
        return reel_upload_phase_name(u->state.phase);
    }
}


static void
ngx_http_reel_api_upload_print(reel_json_t *j,
    const ngx_http_reel_api_upload_t *row)
{
    reel_json_object(j);
    reel_json_kstr(j, "id", row->id);
    reel_json_kstr(j, "asset", row->asset);
    reel_json_kstr(j, "door", row->door);
    reel_json_kstr(j, "state", row->state);
    reel_json_kstr(j, "name", row->name);
    reel_json_kuint(j, "offset", row->offset);

    if (row->length != REEL_UPLOAD_UNKNOWN) {
        reel_json_kuint(j, "length", row->length);

    } else {
        reel_json_key(j, "length");
        reel_json_null(j);
    }

    ngx_http_reel_asset_time(j, "created_at", row->created_ms);

    if (ngx_strcmp(row->state, "open") == 0) {
        ngx_http_reel_asset_time(j, "expires_at", row->expires_ms);

    } else {
        reel_json_key(j, "expires_at");
        reel_json_null(j);
    }

    reel_json_end(j, '}');
}

/* what the files of the API share */

#ifndef NGX_HTTP_REEL_API_H
#define NGX_HTTP_REEL_API_H

#include "ngx_module/ngx_http_reel_asset.h"

#include "lib/upload/upload.h"

typedef struct {
    ngx_http_request_t     *request;
    ngx_http_reel_auth_t    auth;
    reel_store_t           *store;
    ngx_uint_t              sources;        /* reel_play_source */
    ngx_http_reel_asset_t   asset;          /* of the call */
    char                    upload[REEL_UPLOAD_ID_LEN + 1];
    reel_str_t              task;           /* whose file is asked for … */
    reel_str_t              file;           /* … and its name */
    const reel_result_file_t *made;         /* what the asset says of it */
    reel_object_t          *object;         /* that file, closed with this */
    ngx_str_t               body;           /* of PATCH and POST */
    int64_t                 now_ms;
    ngx_uint_t              status;         /* of the answer to come */
    ngx_http_reel_call_t   *call;           /* to Redis, under way */
    void                   *data;           /* of the handler's file */

    /* of the pool work */
    reel_err_t              err;
    reel_error_t            e;
    ngx_uint_t              unchanged;      /* retry: not errored;
                                               cancel: not preparing;
                                               webhook: no event */
} ngx_http_reel_api_t;

#define NGX_HTTP_REEL_API_PAGE_MAX  100

/* what a list call asks for */
typedef struct {
    ngx_uint_t              limit;
    char                    state[16];      /* "": any */
} ngx_http_reel_api_page_t;

/* of a kind of list: what its cursors and states are */
typedef struct {
    reel_err_t            (*cursor)(void *data, const char *cursor);
    const char *const      *states;         /* the last is NULL */
    const char             *bad_state;      /* what is said of another */
} ngx_http_reel_api_list_t;

/*
 * Reads limit, cursor and state of the query; data is the cursor's.  NGX_OK,
 * or what it has answered: r->header_sent; ngx_http_reel_api_page.c
 */
ngx_int_t ngx_http_reel_api_page(ngx_http_request_t *r,
    ngx_http_reel_api_page_t *page, const ngx_http_reel_api_list_t *list,
    void *data);

/* sends b as JSON, releases it; ngx_http_reel_api.c */
ngx_int_t ngx_http_reel_api_send(ngx_http_request_t *r, ngx_uint_t status,
    reel_buf_t *b);


/* ngx_http_reel_api_asset.c */

/* pool work: loads api->asset */
void ngx_http_reel_api_load(void *data, ngx_log_t *log);

/* is the asset the caller's?  to be called after a load */
ngx_uint_t ngx_http_reel_api_mine(ngx_http_reel_api_t *api);

/* the answers that any call on one asset may have: NGX_DECLINED = go on */
ngx_int_t ngx_http_reel_api_check(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);

/* the same where an asset that was deleted is none the less one */
ngx_int_t ngx_http_reel_api_check_any(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);

/*
 * Starts HGETALL of the asset's progress; the handler is called with api.
 * NGX_DECLINED: no Redis, go on without.
 */
ngx_int_t ngx_http_reel_api_progress(ngx_http_request_t *r,
    ngx_http_reel_api_t *api, ngx_http_reel_reply_pt handler,
    ngx_http_reel_call_t **call);

/* done of a call that answers with the asset, or with its events */
void ngx_http_reel_api_show(ngx_http_request_t *r, void *data);
void ngx_http_reel_api_events(ngx_http_request_t *r, void *data);


/* the calls, by their files */

/* PATCH, DELETE, retry, cancel: work and done; ngx_http_reel_change.c */
void ngx_http_reel_change_patch(void *data, ngx_log_t *log);
void ngx_http_reel_change_delete(void *data, ngx_log_t *log);
void ngx_http_reel_change_deleted(ngx_http_request_t *r, void *data);
void ngx_http_reel_change_retry(void *data, ngx_log_t *log);
void ngx_http_reel_change_retried(ngx_http_request_t *r, void *data);
void ngx_http_reel_change_cancel(void *data, ngx_log_t *log);
void ngx_http_reel_change_cancelled(ngx_http_request_t *r, void *data);

/* GET of a file that a program made: work and done; ngx_http_reel_file.c */
void ngx_http_reel_file_open(void *data, ngx_log_t *log);
void ngx_http_reel_file_send(ngx_http_request_t *r, void *data);

/* POST of an asset's webhook: work and done; ngx_http_reel_announce.c */
void ngx_http_reel_announce(void *data, ngx_log_t *log);
void ngx_http_reel_announced(ngx_http_request_t *r, void *data);

/* POST /api/uploads, with api->body; ngx_http_reel_create.c */
ngx_int_t ngx_http_reel_create_upload(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);

/* GET of all uploads and of api->upload; ngx_http_reel_api_uploads.c */
ngx_int_t ngx_http_reel_api_uploads(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);
ngx_int_t ngx_http_reel_api_upload(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);

/* pool: api->upload -> *u, without a turn; NOTFOUND when not the caller's */
reel_err_t ngx_http_reel_api_upload_open(ngx_http_reel_api_t *api,
    reel_upload_t **u, ngx_log_t *log);
/* sends why not; INVAL: it is complete */
ngx_int_t ngx_http_reel_api_upload_failed(ngx_http_request_t *r,
    reel_err_t err);

/* DELETE of an upload; ngx_http_reel_api_abort.c */
ngx_int_t ngx_http_reel_api_abort(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);

/* GET /api/pipelines; ngx_http_reel_api_pipelines.c */
ngx_int_t ngx_http_reel_api_pipelines(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);

/* GET /api/assets; ngx_http_reel_list.c */
ngx_int_t ngx_http_reel_list(ngx_http_request_t *r, ngx_http_reel_api_t *api);

/* after the first load; ngx_http_reel_events.c finalizes the request */
void ngx_http_reel_events_start(ngx_http_request_t *r,
    ngx_http_reel_api_t *api);

#endif

/*
 * GET /api/assets: ids from the catalogue in Redis, newest first; their
 * states from the store.  Each shard has the ids of its own assets: they are
 * asked one behind the other, and what they say is put in order.  A cursor is
 * "<score>:<id>" of the last id of a page.  Redis finds the score, and what
 * was shown of it (a millisecond may have any number) is no smaller than the
 * id: it is passed over, a part at a time.
 */

#include "ngx_module/ngx_http_reel_api.h"
#include "ngx_module/ngx_http_reel_redis.h"


#define NGX_HTTP_REEL_LIST_TIES     32      /* passed over in the first part */
#define NGX_HTTP_REEL_LIST_BODY     (4 * 1024 * 1024)

/* so many ids are asked for at once */
#define ngx_http_reel_list_part(l)                                            \
    ((l)->page.limit + 1 + NGX_HTTP_REEL_LIST_TIES)


typedef struct {
    uint64_t                 score;
    char                     id[REEL_ULID_LEN + 1];
} ngx_http_reel_list_row_t;


typedef struct {
    ngx_http_reel_api_t     *api;
    ngx_uint_t               shard;     /* that is asked, … */
    ngx_uint_t               offset;    /* … for ids behind so many, … */
    ngx_uint_t               found;     /* … and those not shown before */
    ngx_array_t              rows;      /* of all that were */
    ngx_http_reel_api_page_t page;
    char                     score[NGX_INT64_LEN + 1];
    uint64_t                 from;      /* score as a number; none: "+inf" */
    char                     after[REEL_ULID_LEN + 1];
    char                     next[NGX_INT64_LEN + REEL_ULID_LEN + 2];
    ngx_uint_t               nassets;
    ngx_http_reel_asset_t   *assets;
} ngx_http_reel_list_t;


static reel_err_t ngx_http_reel_list_cursor(void *data, const char *cursor);
static ngx_int_t ngx_http_reel_list_ask(ngx_http_reel_list_t *l,
    ngx_http_reel_loc_conf_t *rlcf);
static void ngx_http_reel_list_ids(void *data, ngx_http_reel_reply_t *reply);
static ngx_uint_t ngx_http_reel_list_more(ngx_http_reel_list_t *l,
    ngx_http_reel_reply_t *reply, ngx_http_reel_loc_conf_t *rlcf);
static ngx_int_t ngx_http_reel_list_gather(ngx_http_reel_list_t *l,
    ngx_http_reel_reply_t *reply);
static int ngx_libc_cdecl ngx_http_reel_list_newer(const void *one,
    const void *two);
static void ngx_http_reel_list_take(ngx_http_reel_list_t *l);
static void ngx_http_reel_list_load(void *data, ngx_log_t *log);
static void ngx_http_reel_list_done(ngx_http_request_t *r, void *data);
static ngx_int_t ngx_http_reel_list_print(ngx_http_request_t *r,
    ngx_http_reel_list_t *l);
static ngx_int_t ngx_http_reel_list_no_redis(ngx_http_request_t *r);


static const char *const  states[] = {
    "preparing", "ready", "errored", NULL
};

static const ngx_http_reel_api_list_t  list = {
    ngx_http_reel_list_cursor, states, "state is preparing, ready or errored"
};


ngx_int_t
ngx_http_reel_list(ngx_http_request_t *r, ngx_http_reel_api_t *api)
{
    ngx_int_t                  rc;
    ngx_http_reel_list_t      *l;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    l = ngx_pcalloc(r->pool, sizeof(ngx_http_reel_list_t));
    if (l == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    l->api = api;
    ngx_memcpy(l->score, "+inf", sizeof("+inf"));
    l->from = UINT64_MAX;

    rc = ngx_http_reel_api_page(r, &l->page, &list, l);
    if (rc != NGX_OK || r->header_sent) {
        return rc;
    }

    l->assets = ngx_pcalloc(r->pool, (NGX_HTTP_REEL_API_PAGE_MAX + 1)
                                     * sizeof(ngx_http_reel_asset_t));
    if (l->assets == NULL
        || ngx_array_init(&l->rows, r->pool, l->page.limit + 1,
                          sizeof(ngx_http_reel_list_row_t))
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rlcf->redis == NULL || ngx_http_reel_list_ask(l, rlcf) != NGX_OK) {
        return ngx_http_reel_list_no_redis(r);
    }

    r->main->count++;

    return NGX_DONE;
}


/* the next part of a shard's ids */
static ngx_int_t
ngx_http_reel_list_ask(ngx_http_reel_list_t *l,
    ngx_http_reel_loc_conf_t *rlcf)
{
    u_char            offset[NGX_INT_T_LEN + 1], count[NGX_INT_T_LEN + 1];
    ngx_str_t         argv[8];
    ngx_uint_t        i;
    reel_redis_key_t  key;
    const char       *args[] = { "ZREVRANGEBYSCORE", key, l->score, "-inf",
                                 "WITHSCORES", "LIMIT", (char *) offset,
                                 (char *) count };

    (void) ngx_sprintf(offset, "%ui%Z", l->offset);
    (void) ngx_sprintf(count, "%ui%Z", ngx_http_reel_list_part(l));

    if (reel_redis_key(key, l->shard, "catalog:",
                       reel_str(l->api->auth.key->project))
        != REEL_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < 8; i++) {
        argv[i].data = (u_char *) args[i];
        argv[i].len = ngx_strlen(args[i]);
    }

    l->api->call = ngx_http_reel_redis_call(rlcf->redis->shards[l->shard],
                                            8, argv,
                                            rlcf->redis_timeout,
                                            ngx_http_reel_list_ids, l);

    return l->api->call ? NGX_OK : NGX_ERROR;
}


static reel_err_t
ngx_http_reel_list_cursor(void *data, const char *cursor)
{
    ngx_http_reel_list_t  *l = data;

    reel_str_t  score, id;

    score = reel_str_cut(reel_str(cursor), ':', &id);

    if (id.p == NULL || !reel_ulid_valid(id)
        || reel_str_u64(score, INT64_MAX, &l->from) != REEL_OK
        || reel_str_copy(l->score, sizeof(l->score), score) != REEL_OK
        || reel_str_copy(l->after, sizeof(l->after), id) != REEL_OK)
    {
        return REEL_INVAL;
    }

    return REEL_OK;
}


static void
ngx_http_reel_list_ids(void *data, ngx_http_reel_reply_t *reply)
{
    ngx_http_reel_list_t  *l = data;

    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_reel_loc_conf_t  *rlcf;

    l->api->call = NULL;

    r = l->api->request;
    c = r->connection;
    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    rc = reply->status == NGX_ERROR ? NGX_ERROR
                                    : ngx_http_reel_list_gather(l, reply);

    if (rc == NGX_OK && ngx_http_reel_list_more(l, reply, rlcf)) {
        rc = ngx_http_reel_list_ask(l, rlcf);

        if (rc == NGX_OK) {
            return;
        }
    }

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, ngx_http_reel_list_no_redis(r));
        ngx_http_run_posted_requests(c);
        return;
    }

    ngx_http_reel_list_take(l);

    if (ngx_http_reel_task_post(r, ngx_http_reel_list_load,
                                ngx_http_reel_list_done, l)
        != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        ngx_http_run_posted_requests(c);
    }
}


/* is anything left to ask for?  Then it is known what */
static ngx_uint_t
ngx_http_reel_list_more(ngx_http_reel_list_t *l, ngx_http_reel_reply_t *reply,
    ngx_http_reel_loc_conf_t *rlcf)
{
    if (reply->nelts / 2 == ngx_http_reel_list_part(l)
        && l->found <= l->page.limit)
    {
        l->offset += reply->nelts / 2;
        return 1;
    }

    l->shard++;
    l->offset = 0;
    l->found = 0;

    return l->shard < rlcf->redis->nshards;
}


/* (id, score) pairs; those up to the cursor are not taken */
static ngx_int_t
ngx_http_reel_list_gather(ngx_http_reel_list_t *l,
    ngx_http_reel_reply_t *reply)
{
    reel_str_t                 id, score;
    ngx_uint_t                 i;
    ngx_http_reel_list_row_t  *row, found;

    for (i = 0; i + 1 < reply->nelts; i += 2) {
        id.p = (char *) reply->elts[i].data;
        id.len = reply->elts[i].len;
        score.p = (char *) reply->elts[i + 1].data;
        score.len = reply->elts[i + 1].len;

        if (!reel_ulid_valid(id)
            || reel_str_copy(found.id, sizeof(found.id), id) != REEL_OK
            || reel_str_u64(score, INT64_MAX, &found.score) != REEL_OK)
        {
            l->found++;
            continue;
        }

        if (l->after[0] && found.score == l->from
            && ngx_strcmp(found.id, l->after) >= 0)
        {
            continue;
        }

        l->found++;

        row = ngx_array_push(&l->rows);
        if (row == NULL) {
            return NGX_ERROR;
        }

        *row = found;
    }

    return NGX_OK;
}


/* as ZREVRANGEBYSCORE has them */
static int ngx_libc_cdecl
ngx_http_reel_list_newer(const void *one, const void *two)
{
    const ngx_http_reel_list_row_t  *a = one, *b = two;

    return a->score != b->score ? (a->score < b->score) - (a->score > b->score)
                                : ngx_strcmp(b->id, a->id);
}


/* at most limit of them */
static void
ngx_http_reel_list_take(ngx_http_reel_list_t *l)
{
    ngx_uint_t                 i;
    ngx_http_reel_list_row_t  *row;

    row = l->rows.elts;

    ngx_qsort(row, l->rows.nelts, sizeof(ngx_http_reel_list_row_t),
              ngx_http_reel_list_newer);

    l->nassets = ngx_min(l->rows.nelts, l->page.limit);

    for (i = 0; i < l->nassets; i++) {
        ngx_memcpy(l->assets[i].id, row[i].id, sizeof(row[i].id));
        l->assets[i].listed = 1;
    }

    if (l->rows.nelts > l->page.limit) {
        /* there is more: go on behind the last one taken */
        (void) ngx_snprintf((u_char *) l->next, sizeof(l->next), "%uL:%s%Z",
                            row[i - 1].score, row[i - 1].id);
    }
}


static void
ngx_http_reel_list_load(void *data, ngx_log_t *log)
{
    ngx_http_reel_list_t  *l = data;

    reel_err_t  err;
    ngx_uint_t  i;

    for (i = 0; i < l->nassets; i++) {
        err = ngx_http_reel_asset_load(&l->assets[i], l->api->store,
                                       l->api->sources);

        if (err != REEL_OK) {
            ngx_log_error(NGX_LOG_ERR, log, 0, "reel: asset %s: %s",
                          l->assets[i].id, reel_err_name(err));
            l->api->err = err;
        }
    }
}


static void
ngx_http_reel_list_done(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_list_t  *l = data;

    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = ngx_http_reel_list_print(r, l);

    for (i = 0; i < l->nassets; i++) {
        ngx_http_reel_asset_release(&l->assets[i]);
    }

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
ngx_http_reel_list_print(ngx_http_request_t *r, ngx_http_reel_list_t *l)
{
    ngx_uint_t                 i;
    reel_buf_t                 b;
    reel_json_t                j;
    ngx_http_reel_asset_t     *a;
    ngx_http_reel_loc_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    reel_buf_init(&b, NGX_HTTP_REEL_LIST_BODY);
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_json_key(&j, "assets");
    reel_json_array(&j);

    for (i = 0; i < l->nassets; i++) {
        a = &l->assets[i];

        if (a->request.project == NULL
            || ngx_strcmp(a->request.project, l->api->auth.key->project) != 0
            || (l->page.state[0]
                && ngx_strcmp(l->page.state, reel_asset_state_name(a->state))
                   != 0))
        {
            continue;
        }

        ngx_http_reel_asset_print(&j, a, NULL, &rlcf->api_play_path);
    }

    reel_json_end(&j, ']');
    reel_json_key(&j, "next_cursor");

    if (l->next[0]) {
        reel_json_str(&j, reel_str(l->next));
    } else {
        reel_json_null(&j);
    }

    reel_json_end(&j, '}');

    return ngx_http_reel_api_send(r, NGX_HTTP_OK, &b);
}


static ngx_int_t
ngx_http_reel_list_no_redis(ngx_http_request_t *r)
{
    return ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM,
                               NGX_HTTP_SERVICE_UNAVAILABLE,
                               "REDIS_UNAVAILABLE",
                               "the catalogue is in Redis, which does not "
                               "answer; uploads, status and playback go on",
                               1);
}

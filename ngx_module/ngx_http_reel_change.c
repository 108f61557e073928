/*
 * The calls that change one asset: PATCH its meta, DELETE it, retry it,
 * cancel what makes it.
 * Each is pool work on the store, then an answer.
 */

#include "ngx_module/ngx_http_reel_api.h"

#include <jansson.h>

#include "lib/hook/note.h"
#include "lib/store/twins.h"


/* publications whose entries and scratch folders a delete looks for */
#define NGX_HTTP_REEL_PUBLICATIONS  100


static reel_err_t ngx_http_reel_change_merge(ngx_http_reel_api_t *api);
static reel_err_t ngx_http_reel_change_entomb(ngx_http_reel_api_t *api);
static reel_err_t ngx_http_reel_change_make_room(ngx_http_reel_api_t *api);
static reel_err_t ngx_http_reel_change_clear(ngx_http_reel_api_t *api);
static reel_err_t ngx_http_reel_change_jobs(ngx_http_reel_api_t *api,
    ngx_uint_t entries);


void
ngx_http_reel_change_patch(void *data, ngx_log_t *log)
{
    ngx_http_reel_api_t  *api = data;

    reel_buf_t  b;
    reel_key_t  key;

    ngx_http_reel_api_load(api, log);

    if (api->err != REEL_OK || !ngx_http_reel_api_mine(api)
        || api->asset.state == REEL_ASSET_DELETED)
    {
        return;
    }

    api->err = ngx_http_reel_change_merge(api);
    if (api->err != REEL_OK) {
        return;
    }

    reel_buf_init(&b, REEL_META_MAX);

    api->err = reel_meta_print(&b, &api->asset.meta);

    if (api->err == REEL_OK) {
        api->err = reel_key_asset_part(key, reel_str(api->asset.id),
                                       REEL_PART_META);
    }

    if (api->err == REEL_OK) {
        api->err = reel_store_replace(api->store, key, b.data, b.len);
    }

    reel_buf_release(&b);
}


/* the body is {"meta": <JSON merge patch>} and nothing else */
static reel_err_t
ngx_http_reel_change_merge(ngx_http_reel_api_t *api)
{
    char        *text;
    json_t      *body, *meta;
    reel_err_t   err;

    body = json_loadb((char *) api->body.data, api->body.len,
                      JSON_REJECT_DUPLICATES, NULL);
    meta = json_object_get(body, "meta");

    if (!json_is_object(body)) {
        err = reel_fail(&api->e, REEL_BADDATA,
                        "the body is not a JSON object");
        goto done;
    }

    if (!json_is_object(meta) || json_object_size(body) != 1) {
        err = reel_fail(&api->e, REEL_INVAL,
                        "the body has one member, \"meta\", an object");
        goto done;
    }

    text = json_dumps(meta, JSON_COMPACT);
    if (text == NULL) {
        err = REEL_NOMEM;
        goto done;
    }

    err = reel_meta_patch(&api->asset.meta, text, ngx_strlen(text), &api->e);
    free(text);

done:

    json_decref(body);

    return err;
}


void
ngx_http_reel_change_delete(void *data, ngx_log_t *log)
{
    ngx_http_reel_api_t  *api = data;

    /* a damaged record must not keep it: whose it is does */
    api->err = ngx_http_reel_asset_load_owner(&api->asset, api->store);

    if (api->err == REEL_BADDATA) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: asset %s is not deleted: "
                      "its request.json does not say whose it is; write "
                      "{\"project\":\"<its project>\"} to the file tombstone "
                      "beside it and delete it again", api->asset.id);
        api->err = REEL_IO;
        return;
    }

    if (api->err == REEL_OK && !ngx_http_reel_api_mine(api)) {
        return;
    }

    /* the tombstone first: from then on it is deleted, whatever stands */
    if (api->err == REEL_OK) {
        api->err = ngx_http_reel_change_entomb(api);
    }

    if (api->err == REEL_NOSPACE
        && ngx_http_reel_change_make_room(api) == REEL_OK)
    {
        api->err = ngx_http_reel_change_entomb(api);
    }

    if (api->err == REEL_OK) {
        api->err = ngx_http_reel_change_clear(api);
    }

    /* what was cleared is room for it, too */
    if (api->err == REEL_OK) {
        api->err = reel_hook_note_deleted(api->store, api->asset.id);
    }

    if (api->err == REEL_OK) {
        api->err = ngx_http_reel_change_jobs(api, 1);
    }

    if (api->err != REEL_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "reel: deleting asset %s: %s",
                      api->asset.id, reel_err_name(api->err));

        if (api->err != REEL_NOSPACE) {
            api->err = REEL_IO;
        }
    }
}


/* it keeps the project, whose it was: to others it never was there */
static reel_err_t
ngx_http_reel_change_entomb(ngx_http_reel_api_t *api)
{
    reel_buf_t   b;
    reel_err_t   err;
    reel_key_t   key;
    reel_json_t  j;

    err = reel_key_asset_part(key, reel_str(api->asset.id),
                              REEL_PART_TOMBSTONE);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_init(&b, REEL_RECORD_MAX);
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_json_kstr(&j, "project", api->auth.key->project);
    reel_json_kint(&j, "deleted_ms", api->now_ms);
    reel_json_end(&j, '}');

    err = reel_buf_err(&b);

    if (err == REEL_OK) {
        err = reel_store_put_if_absent(api->store, key, b.data, b.len);
    }

    reel_buf_release(&b);

    return err == REEL_EXISTS ? REEL_OK : err;
}


/*
 * Who deletes wants the space of a full disk back, and the tombstone needs a
 * little of it: what playback can do without goes first.
 */
static reel_err_t
ngx_http_reel_change_make_room(ngx_http_reel_api_t *api)
{
    reel_err_t  err;
    reel_key_t  key;
    reel_str_t  id;

    id = reel_str(api->asset.id);

    err = ngx_http_reel_change_jobs(api, 0);

    if (err == REEL_OK) {
        err = reel_key_upload(key, id, NULL);
    }

    if (err == REEL_OK) {
        err = reel_store_del_tree(api->store, key, NULL);
    }

    if (err == REEL_OK) {
        err = reel_key_asset_part(key, id, REEL_PART_SOURCE);
    }

    if (err == REEL_OK) {
        err = reel_store_del(api->store, key);
    }

    return err;
}


static reel_err_t
ngx_http_reel_change_clear(ngx_http_reel_api_t *api)
{
    reel_err_t  err;
    reel_key_t  key, folder;
    reel_str_t  id;

    id = reel_str(api->asset.id);

    err = reel_twins_leave(api->store, id);

    if (err == REEL_OK) {
        err = reel_key_asset_part(key, id, REEL_PART_TOMBSTONE);
    }

    if (err == REEL_OK) {
        err = reel_key_asset(folder, id);
    }

    if (err == REEL_OK) {
        err = reel_store_del_tree(api->store, folder, key);
    }

    if (err == REEL_OK) {
        err = reel_key_upload(folder, id, NULL);
    }

    if (err == REEL_OK) {
        err = reel_store_del_tree(api->store, folder, NULL);
    }

    return err;
}


/*
 * Drops the scratch of its jobs, and their entries in the outbox if told so.
 * An entry that comes later (a retry at the same time) or stays (a crash
 * here, and nobody knows its number any more) is the outbox's: it ends the
 * jobs of what has a tombstone.
 */
static reel_err_t
ngx_http_reel_change_jobs(ngx_http_reel_api_t *api, ngx_uint_t entries)
{
    char        job[REEL_JOB_ID_MAX];
    uint32_t    i, p;
    reel_err_t  err;
    reel_key_t  entry, folder;
    reel_str_t  id;

    id = reel_str(api->asset.id);

    p = api->asset.publication;
    err = REEL_OK;

    for (i = 0; i < NGX_HTTP_REEL_PUBLICATIONS && p > 0; i++, p--) {

        err = reel_key_pending(entry, id, p);

        if (err == REEL_OK && entries) {
            err = reel_store_del(api->store, entry);
        }

        if (err == REEL_OK) {
            err = reel_job_id(job, id, p);
        }

        if (err == REEL_OK) {
            err = reel_key_scratch(folder, reel_str(job), NULL);
        }

        if (err == REEL_OK) {
            err = reel_store_del_tree(api->store, folder, NULL);
        }

        if (err != REEL_OK) {
            break;
        }
    }

    return err;
}


void
ngx_http_reel_change_deleted(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_api_t  *api = data;

    ngx_int_t                  rc;
    ngx_str_t                  id;
    ngx_http_reel_place_t      place;
    ngx_http_reel_loc_conf_t  *rlcf;

    /* deleted before is as well */
    rc = ngx_http_reel_api_check_any(r, api);
    if (rc != NGX_DECLINED) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    id.data = (u_char *) api->asset.id;
    id.len = REEL_ULID_LEN;

    place = ngx_http_reel_place_asset(r, &id);
    ngx_http_reel_index_drop(r, &place);
    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
    ngx_http_reel_job_forget(rlcf, api->asset.id, api->auth.key->project);
    ngx_http_reel_job_cancel(rlcf, api->asset.id, api->asset.publication);

    if (ngx_http_reel_cors(r) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;
    ngx_http_finalize_request(r, ngx_http_send_header(r));
}


/* an empty entry for workers; one that stands is as good */
static void
put_entry(ngx_http_reel_api_t *api, const char *key)
{
    if (api->err == REEL_OK) {
        api->err = reel_store_put_if_absent(api->store, key, NULL, 0);
    }
    if (api->err == REEL_EXISTS) {
        api->err = REEL_OK;
    }
}


/* the answer is an error: of the asset, or (unchanged) of its state */
static ngx_flag_t
refused(ngx_http_request_t *r, ngx_http_reel_api_t *api, const char *code,
    const char *detail)
{
    ngx_int_t  rc = ngx_http_reel_api_check(r, api);

    if (rc == NGX_DECLINED && api->unchanged) {
        rc = ngx_http_reel_error(r, NGX_HTTP_REEL_PROBLEM, NGX_HTTP_CONFLICT,
                                 code, detail, 0);
    }

    if (rc == NGX_DECLINED) {
        return 0;
    }

    ngx_http_finalize_request(r, rc);

    return 1;
}


void
ngx_http_reel_change_retry(void *data, ngx_log_t *log)
{
    ngx_http_reel_api_t  *api = data;

    reel_key_t  key;

    ngx_http_reel_api_load(api, log);

    if (api->err != REEL_OK || !ngx_http_reel_api_mine(api)) {
        return;
    }

    if (api->asset.state != REEL_ASSET_ERRORED) {
        api->unchanged = 1;
        return;
    }

    api->asset.publication = api->asset.result.publication + 1;

    api->err = reel_key_pending(key, reel_str(api->asset.id),
                                api->asset.publication);

    /* another retry may have come first: this is the same one */
    put_entry(api, key);

    if (api->err == REEL_OK) {
        api->asset.state = REEL_ASSET_PREPARING;
    }
}


void
ngx_http_reel_change_retried(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_api_t  *api = data;

    ngx_http_reel_loc_conf_t  *rlcf;

    if (refused(r, api, "NOT_ERRORED",
                "only an errored asset can be tried again"))
    {
        return;
    }

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);

    ngx_http_reel_job_submit(rlcf, api->asset.id, api->asset.publication,
                             api->asset.request.project,
                             api->asset.request.pipeline,
                             api->asset.request.created_ms);

    api->status = NGX_HTTP_ACCEPTED;
    ngx_http_reel_api_show(r, api);
}


/* workers find the entry, with Redis or without: they end the job */
void
ngx_http_reel_change_cancel(void *data, ngx_log_t *log)
{
    ngx_http_reel_api_t  *api = data;

    reel_key_t  key;

    ngx_http_reel_api_load(api, log);

    if (api->err != REEL_OK || !ngx_http_reel_api_mine(api)) {
        return;
    }

    if (api->asset.state == REEL_ASSET_ERRORED
        && ngx_strcmp(api->asset.result.code, "CANCELLED") == 0)
    {
        return;
    }

    if (api->asset.state != REEL_ASSET_PREPARING) {
        api->unchanged = 1;
        return;
    }

    api->err = reel_key_cancel(key, reel_str(api->asset.id),
                               api->asset.publication);

    /* it may stand from before, and no worker has looked yet */
    put_entry(api, key);
}


void
ngx_http_reel_change_cancelled(ngx_http_request_t *r, void *data)
{
    ngx_http_reel_api_t  *api = data;

    ngx_http_reel_loc_conf_t  *rlcf;

    if (refused(r, api, "NOT_PREPARING",
                "only an asset that is being prepared can be cancelled"))
    {
        return;
    }

    /* so that those who run its tasks hear of it at once */
    if (api->asset.state == REEL_ASSET_PREPARING) {
        rlcf = ngx_http_get_module_loc_conf(r, ngx_http_reel_module);
        ngx_http_reel_job_cancel(rlcf, api->asset.id,
                                 api->asset.publication);
    }

    api->status = NGX_HTTP_ACCEPTED;
    ngx_http_reel_api_show(r, api);
}

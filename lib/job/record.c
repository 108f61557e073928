/*
 * request.json, names/<hash>, and the state that follows from which files
 * stand.  result.json and meta.json have files of their own.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/ulid.h"
#include "lib/job/fields.h"
#include "lib/job/record.h"

#define NAME_MAX_BYTES  1024
#define SHA256_HEX      64


static bool
is_json_object(const char *text)
{
    json_t *v;
    bool    yes;

    v = json_loadb(text, strlen(text), JSON_REJECT_DUPLICATES, NULL);
    yes = json_is_object(v);
    json_decref(v);

    return yes;
}


reel_err_t
reel_request_print(reel_buf_t *b, const reel_request_t *r)
{
    reel_json_t j;

    if (r->asset == NULL || r->project == NULL || r->pipeline == NULL
        || r->name == NULL || r->size > REEL_FIELDS_INT_MAX
        || r->max_duration_s > REEL_FIELDS_INT_MAX)
    {
        return REEL_INVAL;
    }

    /* it is written without quotes below */
    if (r->meta != NULL
        && (strlen(r->meta) > REEL_META_MAX || !is_json_object(r->meta)))
    {
        return REEL_INVAL;
    }

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "asset", r->asset);
    reel_json_kstr(&j, "project", r->project);
    reel_json_kstr(&j, "pipeline", r->pipeline);
    reel_json_kstr(&j, "name", r->name);
    reel_fields_print(&j, "content_type", r->content_type);
    reel_fields_print(&j, "sha256", r->sha256);
    reel_fields_print(&j, "origin", r->origin);
    reel_json_kuint(&j, "size", r->size);
    reel_json_kuint(&j, "max_duration_s", r->max_duration_s);
    reel_json_kint(&j, "created_ms", r->created_ms);

    if (r->meta != NULL) {
        reel_json_key(&j, "meta");
        reel_json_raw(&j, reel_str(r->meta));
    }

    reel_json_end(&j, '}');

    return reel_buf_err(b);
}


static char *
get_meta(reel_fields_t *f)
{
    char          *text;
    reel_fields_t  meta;

    if (f->err != REEL_OK || !reel_fields_has(f, "meta")) {
        return NULL;
    }

    meta = reel_fields_object(f, "meta");
    reel_fields_join(f, &meta);

    if (f->err != REEL_OK) {
        return NULL;
    }

    text = json_dumps(meta.obj, JSON_COMPACT);

    if (text == NULL) {
        reel_fields_fail(f, REEL_NOMEM, "meta", "does not fit into memory");
    }

    return text;
}


static void
check_request(reel_fields_t *f, const reel_request_t *r)
{
    if (f->err != REEL_OK) {
        return;
    }

    if (!reel_ulid_valid(reel_str(r->asset))) {
        reel_fields_fail(f, REEL_BADDATA, "asset", "is not an asset's id");
    }

    if (!reel_fields_name(r->pipeline)) {
        reel_fields_fail(f, REEL_BADDATA, "pipeline",
                         "is not a pipeline's name");
    }

    if (r->sha256 != NULL && strlen(r->sha256) != SHA256_HEX) {
        reel_fields_fail(f, REEL_BADDATA, "sha256", "is not 64 digits");
    }

    if (r->origin != NULL && strlen(r->origin) != SHA256_HEX) {
        reel_fields_fail(f, REEL_BADDATA, "origin", "is not 64 digits");
    }
}


reel_err_t
reel_request_parse(reel_request_t *r, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *r = (reel_request_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_RECORD_MAX, "request.json", e);
    if (err != REEL_OK) {
        return err;
    }

    r->asset = reel_fields_dup(&f, "asset", REEL_ULID_LEN, true);
    r->project = reel_fields_dup(&f, "project", NAME_MAX_BYTES, true);
    r->pipeline = reel_fields_dup(&f, "pipeline", 32, true);
    r->name = reel_fields_dup(&f, "name", 4 * NAME_MAX_BYTES, true);
    r->content_type = reel_fields_dup(&f, "content_type",
                                      4 * NAME_MAX_BYTES, false);
    r->sha256 = reel_fields_dup(&f, "sha256", SHA256_HEX, false);
    r->origin = reel_fields_dup(&f, "origin", SHA256_HEX, false);
    r->size = reel_fields_uint(&f, "size", UINT64_MAX);
    r->created_ms = reel_fields_int(&f, "created_ms", 0, INT64_MAX);

    if (reel_fields_has(&f, "max_duration_s")) {
        r->max_duration_s = reel_fields_uint(&f, "max_duration_s",
                                             UINT64_MAX);
    }

    r->meta = get_meta(&f);
    check_request(&f, r);
    json_decref(f.obj);

    if (f.err != REEL_OK) {
        reel_request_release(r);
    }

    return f.err;
}


void
reel_request_release(reel_request_t *r)
{
    free(r->asset);
    free(r->project);
    free(r->pipeline);
    free(r->name);
    free(r->content_type);
    free(r->sha256);
    free(r->origin);
    free(r->meta);
    *r = (reel_request_t) { 0 };
}


reel_err_t
reel_named_print(reel_buf_t *b, const reel_named_t *n)
{
    reel_json_t j;

    if (!reel_ulid_valid(reel_str(n->asset))
        || n->size > REEL_FIELDS_INT_MAX)
    {
        return REEL_INVAL;
    }

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "asset", n->asset);
    reel_json_kstr(&j, "etag", n->etag);
    reel_json_kuint(&j, "size", n->size);
    reel_json_end(&j, '}');

    return reel_buf_err(b);
}


reel_err_t
reel_named_parse(reel_named_t *n, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *n = (reel_named_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_RECORD_MAX, "names", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_fields_text(&f, "asset", n->asset, sizeof(n->asset), 1);
    reel_fields_text(&f, "etag", n->etag, sizeof(n->etag), 0);
    n->size = reel_fields_uint(&f, "size", UINT64_MAX);

    if (f.err == REEL_OK && !reel_ulid_valid(reel_str(n->asset))) {
        reel_fields_fail(&f, REEL_BADDATA, "asset", "is not an asset's id");
    }

    json_decref(f.obj);

    return f.err;
}


reel_asset_state_t
reel_asset_state(bool request, bool tombstone, const reel_result_t *result,
    bool retry)
{
    if (tombstone) {
        return REEL_ASSET_DELETED;
    }

    if (!request) {
        return REEL_ASSET_ABSENT;
    }

    if (result == NULL || retry) {
        return REEL_ASSET_PREPARING;
    }

    return result->ready ? REEL_ASSET_READY : REEL_ASSET_ERRORED;
}


const char *
reel_asset_state_name(reel_asset_state_t st)
{
    static const char *const names[] = {
        [REEL_ASSET_ABSENT] = "absent",
        [REEL_ASSET_PREPARING] = "preparing",
        [REEL_ASSET_READY] = "ready",
        [REEL_ASSET_ERRORED] = "errored",
        [REEL_ASSET_DELETED] = "deleted",
    };

    return names[st];
}

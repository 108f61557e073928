#include "lib/hook/note.h"

#include <string.h>

#include "lib/job/fields.h"

#define PROJECT_MAX 1024

/* the records that an event is made of */
typedef struct {
    reel_request_t request;
    reel_meta_t    meta;
    reel_result_t  result;
} records_t;


static void
records_release(records_t *r)
{
    reel_request_release(&r->request);
    reel_meta_release(&r->meta);
    reel_result_release(&r->result);
}


reel_err_t
reel_hook_on(reel_store_t *s, bool *on)
{
    return reel_store_stands(s, REEL_KEY_HOOKS_ON, on);
}


static reel_err_t
get_part(reel_store_t *s, const char *asset, const char *part, reel_buf_t *b)
{
    reel_key_t key;
    reel_err_t err;

    *b = (reel_buf_t) { 0 };

    err = reel_key_asset_part(key, reel_str(asset), part);

    return err == REEL_OK ? reel_store_get(s, key, REEL_RECORD_MAX, b) : err;
}


static reel_err_t
get_meta(reel_store_t *s, const char *asset, records_t *r)
{
    reel_buf_t b;
    reel_err_t err = get_part(s, asset, REEL_PART_META, &b);

    if (err == REEL_OK) {
        err = reel_meta_parse(&r->meta, reel_buf_cstr(&b), b.len, NULL);
    }
    reel_buf_release(&b);

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


static reel_err_t
get_records(reel_store_t *s, const char *asset, records_t *r)
{
    reel_buf_t b;
    reel_err_t err;

    *r = (records_t) { 0 };

    err = get_part(s, asset, REEL_PART_RESULT, &b);
    if (err == REEL_OK) {
        err = reel_result_parse(&r->result, reel_buf_cstr(&b), b.len, NULL);
    }
    reel_buf_release(&b);

    if (err == REEL_OK) {
        err = get_part(s, asset, REEL_PART_REQUEST, &b);
        if (err == REEL_OK) {
            err = reel_request_parse(&r->request, reel_buf_cstr(&b), b.len,
                                     NULL);
        }
        reel_buf_release(&b);
    }

    return err == REEL_OK ? get_meta(s, asset, r) : err;
}


/* again: behind the name, 0 when it is told the first time */
static reel_err_t
put(reel_store_t *s, const reel_hook_event_t *e, int64_t again,
    char name[REEL_HOOK_NAME_MAX])
{
    reel_buf_t b;
    reel_key_t key;
    reel_err_t err;

    reel_hook_name_print(name, e, again);
    reel_buf_init(&b, REEL_HOOK_EVENT_MAX);
    err = reel_hook_event_print(&b, e);
    if (err == REEL_OK) {
        err = reel_key_hook(key, reel_str(e->asset), name);
    }
    if (err == REEL_OK) {
        err = reel_store_put_if_absent(s, key, b.data, b.len);
    }
    reel_buf_release(&b);

    return err == REEL_EXISTS ? REEL_OK : err;
}


/* publication 0: any.  REEL_NOTFOUND: no such result */
static reel_err_t
put_result(reel_store_t *s, const char *asset, uint32_t publication,
    int64_t again, char name[REEL_HOOK_NAME_MAX])
{
    records_t         r;
    reel_err_t        err;
    reel_hook_event_t e;

    err = get_records(s, asset, &r);

    if (err == REEL_OK && publication != 0
        && r.result.publication != publication)
    {
        err = REEL_NOTFOUND;
    }

    if (err == REEL_OK) {
        e = (reel_hook_event_t) {
            .type = r.result.ready ? REEL_HOOK_READY : REEL_HOOK_ERRORED,
            .asset = asset,
            .project = r.request.project,
            .publication = r.result.publication,
            .at_ms = r.result.completed_ms,
            .request = &r.request,
            .meta = &r.meta,
            .result = &r.result
        };
        err = put(s, &e, again, name);
    }

    records_release(&r);

    return err;
}


static reel_err_t
put_deleted(reel_store_t *s, const char *asset, int64_t again,
    char name[REEL_HOOK_NAME_MAX])
{
    char              project[PROJECT_MAX + 1];
    reel_buf_t        b;
    reel_err_t        err;
    reel_fields_t     f;
    reel_hook_event_t e = { .type = REEL_HOOK_DELETED, .asset = asset };

    err = get_part(s, asset, REEL_PART_TOMBSTONE, &b);
    if (err == REEL_OK) {
        err = reel_fields_load(&f, reel_buf_cstr(&b), b.len, REEL_RECORD_MAX,
                               "tombstone", NULL);
    }
    reel_buf_release(&b);

    if (err != REEL_OK) {
        return err;
    }

    reel_fields_text(&f, "project", project, sizeof(project), 1);
    /* one that an operator wrote has no time */
    if (reel_fields_has(&f, "deleted_ms")) {
        e.at_ms = reel_fields_int(&f, "deleted_ms", 0, INT64_MAX);
    }
    json_decref(f.obj);

    e.project = project;

    return f.err == REEL_OK ? put(s, &e, again, name) : f.err;
}


/* a record that is gone or broken is nobody's news */
static reel_err_t
nothing_new(reel_err_t err)
{
    return err == REEL_NOTFOUND || err == REEL_BADDATA || err == REEL_LIMIT
           ? REEL_OK : err;
}


reel_err_t
reel_hook_note_result(reel_store_t *s, const char *asset,
    uint32_t publication)
{
    bool       on;
    char       name[REEL_HOOK_NAME_MAX];
    reel_err_t err = reel_hook_on(s, &on);

    if (err == REEL_OK && on) {
        err = put_result(s, asset, publication, 0, name);
    }

    return nothing_new(err);
}


reel_err_t
reel_hook_note_deleted(reel_store_t *s, const char *asset)
{
    bool       on;
    char       name[REEL_HOOK_NAME_MAX];
    reel_err_t err = reel_hook_on(s, &on);

    if (err == REEL_OK && on) {
        err = put_deleted(s, asset, 0, name);
    }

    return nothing_new(err);
}


typedef struct {
    reel_store_t *store;
    const char   *asset;
    const char   *name;         /* of the entry that was put */
} again_t;


/* an entry of the same event that was asked for before */
static reel_err_t
remove_older(void *arg, const char *found, bool is_prefix)
{
    again_t   *a = arg;
    reel_key_t key;
    reel_err_t err;

    if (is_prefix || strncmp(found, a->name, strcspn(a->name, "~") + 1) != 0
        || reel_hook_name_compare(found, a->name) >= 0)
    {
        return REEL_OK;
    }

    err = reel_key_hook(key, reel_str(a->asset), found);
    if (err == REEL_OK) {
        err = reel_store_del(a->store, key);
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


static reel_err_t
replace_older(reel_store_t *s, const char *asset, const char *name)
{
    again_t    a = { s, asset, name };
    reel_key_t key;
    reel_err_t err;

    err = reel_key_hook(key, reel_str(asset), NULL);

    return err == REEL_OK ? reel_store_list(s, key, remove_older, &a) : err;
}


reel_err_t
reel_hook_note_again(reel_store_t *s, const char *asset, int64_t now_ms,
    char name[REEL_HOOK_NAME_MAX])
{
    bool       on;
    reel_err_t err = reel_hook_on(s, &on);

    if (err == REEL_OK && !on) {
        return REEL_NOTFOUND;
    }

    if (err == REEL_OK) {
        err = put_deleted(s, asset, now_ms, name);
    }
    if (err == REEL_NOTFOUND) {
        err = put_result(s, asset, 0, now_ms, name);
    }
    if (err == REEL_OK) {
        err = replace_older(s, asset, name);
    }

    return err;
}

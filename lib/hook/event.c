#include "lib/hook/event.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/json.h"
#include "lib/base/ulid.h"

#define DELETED "deleted"

/* more would not fit with what else a body may hold */
#define FILES_MAX 100

static const struct {
    const char *name;
    const char *status;
} types[REEL_HOOK_TYPES] = {
    [REEL_HOOK_READY] = { "video.asset.ready", "ready" },
    [REEL_HOOK_ERRORED] = { "video.asset.errored", "errored" },
    [REEL_HOOK_DELETED] = { "video.asset.deleted", DELETED }
};


reel_hook_type_t
reel_hook_type_find(const char *name)
{
    unsigned t;

    for (t = 0; t < REEL_HOOK_TYPES; t++) {
        if (strcmp(types[t].name, name) == 0) {
            break;
        }
    }

    return (reel_hook_type_t) t;
}


/* RFC 3339, UTC */
static void
print_time(reel_json_t *j, const char *key, int64_t ms)
{
    char      date[32], text[48];
    time_t    s = (time_t) (ms / 1000);
    struct tm tm;

    if (ms < 0 || gmtime_r(&s, &tm) == NULL
        || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
    {
        return;
    }

    snprintf(text, sizeof(text), "%s.%03dZ", date, (int) (ms % 1000));
    reel_json_kstr(j, key, text);
}


static reel_err_t
print_meta(reel_json_t *j, const reel_meta_t *m)
{
    reel_buf_t b;
    reel_err_t err;

    reel_buf_init(&b, REEL_META_MAX);
    err = reel_meta_print(&b, m);

    if (err == REEL_OK) {
        reel_json_key(j, "meta");
        reel_json_raw(j, (reel_str_t) { (const char *) b.data, b.len });
        if (m->passthrough != NULL) {
            reel_json_kstr(j, "passthrough", m->passthrough);
        }
    }

    reel_buf_release(&b);

    return err;
}


static void
print_request(reel_json_t *j, const reel_request_t *r)
{
    print_time(j, "created_at", r->created_ms);
    reel_json_kstr(j, "name", r->name);
    reel_json_kuint(j, "size", r->size);
    reel_json_kstr(j, "pipeline", r->pipeline);
}


static void
print_result(reel_json_t *j, const reel_result_t *r)
{
    char seconds[32];

    if (r->ready) {
        snprintf(seconds, sizeof(seconds), "%lld.%03d",
                 (long long) (r->duration_ms / 1000),
                 (int) (r->duration_ms % 1000));
        reel_json_key(j, "duration");
        reel_json_raw(j, reel_str(seconds));
        reel_warnings_print(j, &r->warnings);
        if (r->nfiles <= FILES_MAX) {
            reel_result_files_print(j, r);
        }
        return;
    }

    reel_json_key(j, "error");
    reel_json_object(j);
    reel_json_kstr(j, "code", r->code == NULL ? "" : r->code);
    reel_json_kstr(j, "stage", r->stage == NULL ? "" : r->stage);
    reel_json_kstr(j, "detail", r->detail == NULL ? "" : r->detail);
    reel_json_kbool(j, "retryable", r->retryable);
    reel_json_end(j, '}');
}


reel_err_t
reel_hook_event_print(reel_buf_t *b, const reel_hook_event_t *e)
{
    reel_err_t  err = REEL_OK;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "type", types[e->type].name);
    print_time(&j, "timestamp", e->at_ms);
    reel_json_key(&j, "data");
    reel_json_object(&j);
    reel_json_kstr(&j, "id", e->asset);
    reel_json_kstr(&j, "project", e->project);
    reel_json_kstr(&j, "status", types[e->type].status);

    if (e->publication != 0) {
        reel_json_kuint(&j, "publication", e->publication);
    }
    if (e->request != NULL) {
        print_request(&j, e->request);
    }
    if (e->result != NULL) {
        print_result(&j, e->result);
    }
    if (e->meta != NULL) {
        err = print_meta(&j, e->meta);
    }

    reel_json_end(&j, '}');
    reel_json_end(&j, '}');

    return err != REEL_OK ? err : reel_buf_err(b);
}


void
reel_hook_name_print(char dst[REEL_HOOK_NAME_MAX],
    const reel_hook_event_t *e, int64_t again_ms)
{
    int n;

    n = e->type == REEL_HOOK_DELETED
        ? snprintf(dst, REEL_HOOK_NAME_MAX, DELETED)
        : snprintf(dst, REEL_HOOK_NAME_MAX, "%u", e->publication);
    if (again_ms > 0) {
        snprintf(dst + n, (size_t) (REEL_HOOK_NAME_MAX - n), "~%lld",
                 (long long) again_ms);
    }
}


/* publication (0: deleted) and when it was asked for again (0: never) */
static reel_err_t
split_name(reel_str_t name, uint64_t *publication, uint64_t *again)
{
    reel_str_t head, rest;

    *publication = 0;
    *again = 0;
    head = reel_str_cut(name, '~', &rest);

    if (name.len >= REEL_HOOK_NAME_MAX || head.len == 0
        || (rest.p != NULL
            && (reel_str_u64(rest, UINT64_MAX, again) != REEL_OK
                || *again == 0)))
    {
        return REEL_INVAL;
    }

    if (reel_str_eqz(head, DELETED)) {
        return REEL_OK;
    }

    return head.p[0] == '0'
           || reel_str_u64(head, UINT32_MAX, publication) != REEL_OK
           ? REEL_INVAL : REEL_OK;
}


reel_err_t
reel_hook_name_check(reel_str_t name)
{
    uint64_t publication, again;

    return split_name(name, &publication, &again);
}


int
reel_hook_name_compare(const char *a, const char *b)
{
    uint64_t pa, pb, ra, rb;

    if (split_name(reel_str(a), &pa, &ra) != REEL_OK
        || split_name(reel_str(b), &pb, &rb) != REEL_OK)
    {
        return 0;
    }

    /* 0 is the end of all: behind any */
    pa = pa == 0 ? UINT64_MAX : pa;
    pb = pb == 0 ? UINT64_MAX : pb;

    if (pa != pb) {
        return pa < pb ? -1 : 1;
    }

    return ra == rb ? 0 : ra < rb ? -1 : 1;
}


reel_err_t
reel_hook_id(char dst[REEL_HOOK_ID_MAX], const char *asset, const char *name)
{
    reel_str_t rest, head = reel_str_cut(reel_str(name), '~', &rest);

    dst[0] = '\0';

    if (!reel_ulid_valid(reel_str(asset))
        || reel_hook_name_check(reel_str(name)) != REEL_OK)
    {
        return REEL_INVAL;
    }

    (void) snprintf(dst, REEL_HOOK_ID_MAX, "msg_%s_%.*s", asset,
                    (int) head.len, head.p);

    return REEL_OK;
}

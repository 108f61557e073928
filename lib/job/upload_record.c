#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/job/fields.h"
#include "lib/job/upload_record.h"

#define BUCKET_MAX 255
#define SHA256_HEX 64


static const char *const doors[] = {
    [REEL_UPLOAD_PUT] = "put",
    [REEL_UPLOAD_MULTIPART] = "multipart",
    [REEL_UPLOAD_TUS] = "tus",
    [REEL_UPLOAD_IETF] = "ietf",
};

#define NDOORS (sizeof(doors) / sizeof(doors[0]))


const char *
reel_upload_door_name(reel_upload_door_t d)
{
    return doors[d];
}


static bool
is_hex(reel_str_t s, size_t len)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (!((s.p[i] >= '0' && s.p[i] <= '9')
              || (s.p[i] >= 'a' && s.p[i] <= 'f')))
        {
            return false;
        }
    }

    return s.len == len;
}


bool
reel_upload_id_valid(reel_str_t id)
{
    return is_hex(id, REEL_UPLOAD_ID_LEN);
}


static reel_err_t
print_request(reel_json_t *j, const reel_request_t *r)
{
    reel_buf_t  b;
    reel_err_t  err;

    reel_buf_init(&b, REEL_RECORD_MAX);
    err = reel_request_print(&b, r);

    if (err == REEL_OK) {
        reel_json_key(j, "request");
        reel_json_raw(j, (reel_str_t) { (char *) b.data, b.len });
    }

    reel_buf_release(&b);

    return err;
}


reel_err_t
reel_upload_facts_print(reel_buf_t *b, const reel_upload_facts_t *f)
{
    reel_err_t   err;
    reel_json_t  j;

    if (f->bucket == NULL || (unsigned) f->door >= NDOORS
        || f->max_bytes > REEL_FIELDS_INT_MAX)
    {
        return REEL_INVAL;
    }

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "id", f->id);
    reel_json_kstr(&j, "door", doors[f->door]);
    reel_json_kstr(&j, "bucket", f->bucket);
    reel_fields_print(&j, "key", f->key);
    reel_fields_print(&j, "origin", f->origin);
    reel_fields_print(&j, "metadata", f->metadata);
    reel_fields_print(&j, "expect", f->expect[0] != '\0' ? f->expect : NULL);
    reel_json_kuint(&j, "max_bytes", f->max_bytes);
    reel_json_kint(&j, "expires_ms", f->expires_ms);
    reel_json_kbool(&j, "partial", f->partial);
    reel_fields_print(&j, "concat", f->concat);
    reel_json_kstr(&j, "access_key", f->access_key);

    err = print_request(&j, &f->request);
    if (err != REEL_OK) {
        return err;
    }

    reel_json_end(&j, '}');

    return reel_buf_err(b);
}


static void
get_door(reel_fields_t *f, reel_upload_door_t *door)
{
    char    name[16];
    size_t  i;

    reel_fields_text(f, "door", name, sizeof(name), 1);

    for (i = 0; i < NDOORS; i++) {
        if (strcmp(name, doors[i]) == 0) {
            *door = (reel_upload_door_t) i;
            return;
        }
    }

    reel_fields_fail(f, REEL_BADDATA, "door", "is not known");
}


/* request.json has a reader already: it gets the text of the member */
static void
get_request(reel_fields_t *f, reel_request_t *r)
{
    char           *text;
    reel_err_t      err;
    reel_fields_t   inner;

    inner = reel_fields_object(f, "request");
    reel_fields_join(f, &inner);

    if (f->err != REEL_OK) {
        return;
    }

    text = json_dumps(inner.obj, JSON_COMPACT);
    if (text == NULL) {
        reel_fields_fail(f, REEL_NOMEM, "request", "does not fit into memory");
        return;
    }

    err = reel_request_parse(r, text, strlen(text), f->e);
    free(text);

    if (err != REEL_OK) {
        f->err = err;
    }
}


static void
check(reel_fields_t *f, const reel_upload_facts_t *u)
{
    if (f->err != REEL_OK) {
        return;
    }

    if (!reel_upload_id_valid(reel_str(u->id))) {
        reel_fields_fail(f, REEL_BADDATA, "id", "is not an upload's id");
    }

    if (u->origin != NULL && !is_hex(reel_str(u->origin), SHA256_HEX)) {
        reel_fields_fail(f, REEL_BADDATA, "origin", "is not 64 digits");
    }

    if (u->expect[0] != '\0' && !is_hex(reel_str(u->expect), SHA256_HEX)) {
        reel_fields_fail(f, REEL_BADDATA, "expect", "is not 64 digits");
    }
}


reel_err_t
reel_upload_facts_parse(reel_upload_facts_t *u, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t     err;
    reel_fields_t  f;

    *u = (reel_upload_facts_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_RECORD_MAX, "upload.json", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_fields_text(&f, "id", u->id, sizeof(u->id), 1);
    get_door(&f, &u->door);
    u->bucket = reel_fields_dup(&f, "bucket", BUCKET_MAX, true);
    u->key = reel_fields_dup(&f, "key", REEL_UPLOAD_KEY_MAX, false);
    u->origin = reel_fields_dup(&f, "origin", SHA256_HEX, false);
    u->metadata = reel_fields_dup(&f, "metadata", REEL_UPLOAD_METADATA_MAX,
                                  false);

    if (reel_fields_has(&f, "expect")) {
        reel_fields_text(&f, "expect", u->expect, sizeof(u->expect), 1);
    }

    u->max_bytes = reel_fields_uint(&f, "max_bytes", UINT64_MAX);
    u->expires_ms = reel_fields_int(&f, "expires_ms", 0, INT64_MAX);
    u->partial = reel_fields_bool(&f, "partial");
    u->concat = reel_fields_dup(&f, "concat", REEL_UPLOAD_CONCAT_MAX, false);
    reel_fields_text(&f, "access_key", u->access_key, sizeof(u->access_key),
                     0);
    get_request(&f, &u->request);
    check(&f, u);
    json_decref(f.obj);

    if (f.err != REEL_OK) {
        reel_upload_facts_release(u);
    }

    return f.err;
}


void
reel_upload_facts_release(reel_upload_facts_t *f)
{
    reel_request_release(&f->request);
    free(f->bucket);
    free(f->key);
    free(f->origin);
    free(f->metadata);
    free(f->concat);
    *f = (reel_upload_facts_t) { 0 };
}

/* result.json: how a publication ended */

#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/ulid.h"
#include "lib/index/index.h"
#include "lib/job/fields.h"
#include "lib/job/part.h"
#include "lib/job/pipeline.h"
#include "lib/job/record.h"

#define TEXT_MAX  (64u << 10)


static void
print_rendition(reel_json_t *j, const reel_result_rendition_t *r)
{
    reel_json_object(j);
    reel_json_kstr(j, "name", r->name);
    reel_json_kint(j, "kind", r->kind);
    reel_json_kstr(j, "codec", r->codec);

    if (r->kind == REEL_VIDEO) {
        reel_json_kuint(j, "width", r->width);
        reel_json_kuint(j, "height", r->height);
        reel_json_kuint(j, "rate_num", r->rate_num);
        reel_json_kuint(j, "rate_den", r->rate_den);
    }

    if (r->kind == REEL_AUDIO) {
        reel_json_kuint(j, "channels", r->channels);
        reel_json_kuint(j, "sample_rate", r->sample_rate);
    }

    reel_json_kuint(j, "peak", r->peak);
    reel_json_kuint(j, "average", r->average);
    reel_json_kuint(j, "bytes", r->bytes);
    reel_json_end(j, '}');
}


static void
print_files(reel_json_t *j, const reel_result_t *r, bool objects)
{
    size_t i;

    if (r->nfiles == 0) {
        return;
    }

    reel_json_key(j, "files");
    reel_json_array(j);

    for (i = 0; i < r->nfiles; i++) {
        reel_json_object(j);
        reel_json_kstr(j, "task", r->files[i].task);
        reel_json_kstr(j, "name", r->files[i].name);
        if (objects) {
            reel_json_kstr(j, "object", r->files[i].object);
        }
        reel_json_kuint(j, "bytes", r->files[i].bytes);
        reel_json_end(j, '}');
    }

    reel_json_end(j, ']');
}


void
reel_result_files_print(reel_json_t *j, const reel_result_t *r)
{
    print_files(j, r, false);
}


const reel_result_file_t *
reel_result_file(const reel_result_t *r, reel_str_t task, reel_str_t name)
{
    for (size_t i = 0; i < r->nfiles; i++) {
        if (reel_str_eqz(task, r->files[i].task)
            && reel_str_eqz(name, r->files[i].name))
        {
            return &r->files[i];
        }
    }

    return NULL;
}


static void
print_error(reel_json_t *j, const reel_result_t *r)
{
    reel_json_kstr(j, "code", r->code);
    reel_fields_print(j, "stage", r->stage);
    reel_fields_print(j, "detail", r->detail);
    reel_fields_print(j, "log", r->log);
    reel_json_kbool(j, "retryable", r->retryable);
}


reel_err_t
reel_result_print(reel_buf_t *b, const reel_result_t *r)
{
    size_t      i;
    reel_json_t j;

    if (r->asset == NULL || r->publication == 0
        || (!r->ready && r->code == NULL)
        || r->nrenditions > REEL_INDEX_MAX_RENDITIONS
        || r->nfiles > REEL_RESULT_FILES)
    {
        return REEL_INVAL;
    }

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "asset", r->asset);
    reel_json_kuint(&j, "publication", r->publication);
    reel_json_kbool(&j, "ready", r->ready);
    reel_json_kint(&j, "completed_ms", r->completed_ms);
    reel_json_kint(&j, "duration_ms", r->duration_ms);
    reel_json_key(&j, "renditions");
    reel_json_array(&j);

    for (i = 0; i < r->nrenditions; i++) {
        print_rendition(&j, &r->renditions[i]);
    }

    reel_json_end(&j, ']');

    print_files(&j, r, true);
    reel_warnings_print(&j, &r->warnings);

    reel_fields_print(&j, "pictures", r->pictures);
    reel_fields_print(&j, "sound", r->sound);

    if (!r->ready) {
        print_error(&j, r);
    }

    reel_json_end(&j, '}');

    return reel_buf_err(b);
}


static void
parse_rendition(reel_result_rendition_t *r, reel_fields_t *f)
{
    reel_fields_get_name(f, "name", r->name);
    r->kind = (int) reel_fields_int(f, "kind", REEL_VIDEO, REEL_TEXT);
    reel_fields_text(f, "codec", r->codec, sizeof(r->codec), 1);
    r->rate_den = 1;

    if (r->kind == REEL_VIDEO) {
        r->width = reel_fields_u32(f, "width", 1, 65535);
        r->height = reel_fields_u32(f, "height", 1, 65535);
        r->rate_num = reel_fields_u32(f, "rate_num", 0, UINT32_MAX);
        r->rate_den = reel_fields_u32(f, "rate_den", 1, UINT32_MAX);
    }

    if (r->kind == REEL_AUDIO) {
        r->channels = reel_fields_u32(f, "channels", 0, 255);
        r->sample_rate = reel_fields_u32(f, "sample_rate", 0, UINT32_MAX);
    }

    r->peak = reel_fields_uint(f, "peak", UINT64_MAX);
    r->average = reel_fields_uint(f, "average", UINT64_MAX);
    r->bytes = reel_fields_uint(f, "bytes", UINT64_MAX);
}


static void
parse_renditions(reel_result_t *r, reel_fields_t *f)
{
    size_t         i, n;
    json_t        *a;
    reel_fields_t  inner;

    a = reel_fields_array(f, "renditions", REEL_INDEX_MAX_RENDITIONS);
    n = json_array_size(a);

    if (n == 0) {
        return;
    }

    r->renditions = calloc(n, sizeof(*r->renditions));

    if (r->renditions == NULL) {
        reel_fields_fail(f, REEL_NOMEM, "renditions",
                         "do not fit into memory");
        return;
    }

    for (i = 0; i < n && f->err == REEL_OK; i++) {
        inner = reel_fields_element(f, json_array_get(a, i), "renditions");
        parse_rendition(&r->renditions[i], &inner);
        reel_fields_join(f, &inner);
    }

    r->nrenditions = n;
}


static void
parse_files(reel_result_t *r, reel_fields_t *f)
{
    size_t               i, n;
    json_t              *a;
    reel_fields_t        in;
    reel_result_file_t  *x;

    a = reel_fields_array(f, "files", REEL_RESULT_FILES);
    n = json_array_size(a);

    r->files = n > 0 ? calloc(n, sizeof(*r->files)) : NULL;
    if (n > 0 && r->files == NULL) {
        reel_fields_fail(f, REEL_NOMEM, "files", "do not fit into memory");
        return;
    }

    for (i = 0; i < n && f->err == REEL_OK; i++) {
        in = reel_fields_element(f, json_array_get(a, i), "files");
        x = &r->files[i];
        reel_fields_text(&in, "task", x->task, sizeof(x->task), 1);
        reel_fields_text(&in, "name", x->name, sizeof(x->name), 1);
        reel_fields_text(&in, "object", x->object, sizeof(x->object), 1);
        x->bytes = reel_fields_uint(&in, "bytes", UINT64_MAX);
        if (in.err == REEL_OK && !reel_file_name_valid(reel_str(x->name))) {
            reel_fields_fail(&in, REEL_BADDATA, "name",
                             "is not a file's name");
        }
        reel_fields_join(f, &in);
    }

    r->nfiles = n;
}


static void
parse_error(reel_result_t *r, reel_fields_t *f)
{
    r->code = reel_fields_dup(f, "code", 64, true);
    r->stage = reel_fields_dup(f, "stage", 64, false);
    r->detail = reel_fields_dup(f, "detail", TEXT_MAX, false);
    r->log = reel_fields_dup(f, "log", TEXT_MAX, false);
    r->retryable = reel_fields_bool(f, "retryable");
}


reel_err_t
reel_result_parse(reel_result_t *r, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *r = (reel_result_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_RECORD_MAX, "result.json", e);
    if (err != REEL_OK) {
        return err;
    }

    r->asset = reel_fields_dup(&f, "asset", REEL_ULID_LEN, true);
    r->publication = reel_fields_u32(&f, "publication", 1, UINT32_MAX);
    r->ready = reel_fields_bool(&f, "ready");
    r->completed_ms = reel_fields_int(&f, "completed_ms", 0, INT64_MAX);
    r->duration_ms = reel_fields_int(&f, "duration_ms", 0, INT64_MAX);
    parse_renditions(r, &f);

    if (reel_fields_has(&f, "files")) {
        parse_files(r, &f);
    }
    reel_part_warnings_parse(&f, &r->warnings);

    r->pictures = reel_fields_dup(&f, "pictures", TEXT_MAX, false);
    r->sound = reel_fields_dup(&f, "sound", TEXT_MAX, false);

    if (f.err == REEL_OK && !r->ready) {
        parse_error(r, &f);
    }

    if (f.err == REEL_OK && !reel_ulid_valid(reel_str(r->asset))) {
        reel_fields_fail(&f, REEL_BADDATA, "asset", "is not an asset's id");
    }

    json_decref(f.obj);

    if (f.err != REEL_OK) {
        reel_result_release(r);
    }

    return f.err;
}


void
reel_result_release(reel_result_t *r)
{
    free(r->asset);
    free(r->renditions);
    free(r->files);
    free(r->pictures);
    free(r->sound);
    free(r->code);
    free(r->stage);
    free(r->detail);
    free(r->log);
    *r = (reel_result_t) { 0 };
}

/* the payload of exec */

#include <string.h>

#include "lib/job/part.h"

#define NUMBER_MAX  REEL_INDEX_MAX_FRAGMENTS


static void
print_files(reel_json_t *j, const reel_exec_t *t)
{
    uint32_t                  i;
    const reel_exec_input_t  *in;

    reel_json_key(j, "inputs");
    reel_json_array(j);

    for (i = 0; i < t->ninputs; i++) {
        in = &t->inputs[i];
        reel_json_object(j);
        reel_json_kstr(j, "node", in->node);
        reel_json_kstr(j, "file", in->file);
        reel_json_kuint(j, "first", in->first);
        reel_json_kuint(j, "count", in->count);
        reel_json_end(j, '}');
    }

    reel_json_end(j, ']');
    reel_json_key(j, "outputs");
    reel_json_array(j);

    for (i = 0; i < t->noutputs; i++) {
        reel_json_object(j);
        reel_json_kstr(j, "name", t->outputs[i].name);
        reel_json_kuint(j, "max_mib", t->outputs[i].max_mib);
        reel_json_kbool(j, "keep", t->outputs[i].keep);
        reel_json_end(j, '}');
    }

    reel_json_end(j, ']');
}


reel_err_t
reel_exec_print(reel_buf_t *b, const reel_exec_t *t)
{
    size_t      before = b->len;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "node", t->node);
    reel_json_kuint(&j, "tries", t->tries);
    reel_part_words_print(&j, t->command, t->nwords);
    reel_json_kbool(&j, "source", t->source);
    reel_json_kbool(&j, "inspect", t->inspect);
    print_files(&j, t);
    reel_json_kint(&j, "each", t->each);
    reel_json_kuint(&j, "number", t->number);
    reel_json_kuint(&j, "from_ms", t->from_ms);
    reel_json_kuint(&j, "to_ms", t->to_ms);
    reel_json_kuint(&j, "width", t->width);
    reel_json_kuint(&j, "height", t->height);
    reel_json_kstr(&j, "rendition", t->rendition);
    reel_json_kint(&j, "stream", t->stream);
    reel_json_kstr(&j, "language", t->language);
    reel_json_end(&j, '}');

    return reel_part_payload(b, before);
}


static void
parse_words(reel_exec_t *t, reel_fields_t *f)
{
    size_t      i, at = 0, len;
    json_t     *a, *v;

    a = reel_fields_array(f, "command", REEL_EXEC_WORDS);

    for (i = 0; i < json_array_size(a) && f->err == REEL_OK; i++) {
        v = json_array_get(a, i);
        len = json_string_length(v);

        if (!json_is_string(v) || strlen(json_string_value(v)) != len
            || len >= sizeof(t->command) - at)
        {
            reel_fields_fail(f, REEL_BADDATA, "command", "has a wrong word");
            return;
        }

        memcpy(t->command + at, json_string_value(v), len + 1);
        at += len + 1;
        t->nwords++;
    }

    if (f->err == REEL_OK && t->nwords == 0) {
        reel_fields_fail(f, REEL_BADDATA, "command", "is empty");
    }
}


/* file names are made into paths: no '/', none that is hidden */
static void
parse_name(reel_fields_t *f, const char *key, char *dst, size_t cap)
{
    reel_fields_text(f, key, dst, cap, 1);

    if (f->err == REEL_OK && !reel_file_name_valid(reel_str(dst))) {
        reel_fields_fail(f, REEL_BADDATA, key, "is not a file's name");
    }
}


static void
parse_inputs(reel_exec_t *t, reel_fields_t *f)
{
    size_t              i;
    json_t             *a;
    reel_fields_t       in;
    reel_exec_input_t  *x;

    a = reel_fields_array(f, "inputs", REEL_NODE_LINKS);

    for (i = 0; i < json_array_size(a) && f->err == REEL_OK; i++) {
        in = reel_fields_element(f, json_array_get(a, i), "inputs");
        x = &t->inputs[t->ninputs++];
        parse_name(&in, "node", x->node, sizeof(x->node));
        parse_name(&in, "file", x->file, sizeof(x->file));
        x->first = reel_fields_u32(&in, "first", 0, NUMBER_MAX);
        x->count = reel_fields_u32(&in, "count", 0, NUMBER_MAX);
        reel_fields_join(f, &in);
    }
}


static void
parse_outputs(reel_exec_t *t, reel_fields_t *f)
{
    size_t          i;
    json_t         *a;
    reel_output_t  *x;
    reel_fields_t   in;

    a = reel_fields_array(f, "outputs", REEL_NODE_LINKS);

    for (i = 0; i < json_array_size(a) && f->err == REEL_OK; i++) {
        in = reel_fields_element(f, json_array_get(a, i), "outputs");
        x = &t->outputs[t->noutputs++];
        parse_name(&in, "name", x->name, sizeof(x->name));
        x->max_mib = reel_fields_u32(&in, "max_mib", 1, 1u << 24);
        x->keep = reel_fields_bool(&in, "keep");
        reel_fields_join(f, &in);
    }
}


reel_err_t
reel_exec_parse(reel_exec_t *t, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *t = (reel_exec_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_PAYLOAD_MAX, "exec", e);
    if (err != REEL_OK) {
        return err;
    }

    parse_name(&f, "node", t->node, sizeof(t->node));
    t->tries = reel_fields_u32(&f, "tries", 0, 1000);
    parse_words(t, &f);
    t->source = reel_fields_bool(&f, "source");
    t->inspect = reel_fields_bool(&f, "inspect");
    parse_inputs(t, &f);
    parse_outputs(t, &f);
    t->each = (reel_each_t) reel_fields_u32(&f, "each", 0, REEL_EACHES - 1);
    t->number = reel_fields_u32(&f, "number", 0, NUMBER_MAX);
    t->from_ms = reel_fields_u32(&f, "from_ms", 0, UINT32_MAX);
    t->to_ms = reel_fields_u32(&f, "to_ms", 0, UINT32_MAX);
    t->width = reel_fields_u32(&f, "width", 0, UINT32_MAX);
    t->height = reel_fields_u32(&f, "height", 0, UINT32_MAX);
    reel_fields_text(&f, "rendition", t->rendition, sizeof(t->rendition), 0);
    t->stream = (int) reel_fields_int(&f, "stream", -1, INT32_MAX);
    reel_fields_text(&f, "language", t->language, sizeof(t->language), 0);

    json_decref(f.obj);

    return f.err;
}

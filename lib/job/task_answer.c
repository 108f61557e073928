/*
 * Answers: one finished object, as the child prints it, and the list that
 * stands in scratch/<job>/<task>.json.  The child is where hostile bytes are
 * decoded, so every bound of the index holds here already.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/job/part.h"

#define HEADER_MAX   (16u << 10)        /* docs/index-format.md */
#define SAMPLES_MAX  (1u << 20)
#define OBJECTS_MAX  (1u << 16)
#define PER_FRAG     4                  /* integers a fragment */


static void
print_header(reel_json_t *j, const reel_encoded_t *o)
{
    char   digits[2 * 64 + 1];
    size_t i, n;

    /* in pieces, since 16 KiB of it are too much for a stack */
    reel_json_key(j, "header");
    reel_json_array(j);

    for (i = 0; i < o->header_len; i += n) {
        n = o->header_len - i < 64 ? o->header_len - i : 64;
        reel_hex(digits, o->header + i, n);
        reel_json_str(j, reel_str(digits));
    }

    reel_json_end(j, ']');
}


static void
print_frags(reel_json_t *j, const reel_encoded_t *o)
{
    uint32_t i;

    reel_json_key(j, "frags");
    reel_json_array(j);

    for (i = 0; i < o->nfrags; i++) {
        reel_json_uint(j, o->frags[i].size);
        reel_json_uint(j, o->frags[i].duration);
        reel_json_uint(j, o->frags[i].samples);
        reel_json_uint(j, o->frags[i].iframe);
    }

    reel_json_end(j, ']');
}


static void
print_object(reel_json_t *j, const reel_encoded_t *o)
{
    reel_json_object(j);
    reel_json_kstr(j, "rendition", o->rendition);
    reel_json_kstr(j, "name", o->name);
    reel_json_kuint(j, "frag_from", o->frag_from);
    reel_json_kuint(j, "base", o->base);
    reel_json_kuint(j, "bytes", o->bytes);
    print_header(j, o);
    print_frags(j, o);
    reel_json_kuint(j, "samples", o->samples);
    reel_json_kint(j, "kind", o->kind);
    reel_json_kstr(j, "codec", o->codec);
    reel_json_kuint(j, "timescale", o->timescale);

    if (o->kind == REEL_VIDEO) {
        reel_json_kuint(j, "width", o->width);
        reel_json_kuint(j, "height", o->height);
        reel_part_rational(j, "rate", o->rate);
    } else {
        if (o->kind == REEL_AUDIO) {
            reel_json_kuint(j, "channels", o->channels);
            reel_json_kuint(j, "sample_rate", o->sample_rate);
        }
        reel_json_kstr(j, "language", o->language);
        reel_json_kstr(j, "label", o->label);
        reel_json_kuint(j, "roles", o->roles);
    }

    reel_json_end(j, '}');
}


reel_err_t
reel_encoded_print(reel_buf_t *b, const reel_encoded_t *o)
{
    reel_json_t j;

    reel_json_init(&j, b);
    print_object(&j, o);

    return reel_buf_err(b);
}


static void
parse_header(reel_encoded_t *o, reel_fields_t *f)
{
    size_t      i, n;
    json_t     *a, *v;
    reel_str_t  hex;

    a = reel_fields_array(f, "header", HEADER_MAX);
    n = json_array_size(a);

    if (a == NULL) {
        return;
    }

    o->header = malloc(HEADER_MAX);

    if (o->header == NULL) {
        reel_fields_fail(f, REEL_NOMEM, "header", "does not fit into memory");
        return;
    }

    for (i = 0; i < n; i++) {
        v = json_array_get(a, i);
        hex = (reel_str_t) { json_string_value(v), json_string_length(v) };

        if (hex.p == NULL || hex.len % 2 != 0
            || hex.len / 2 > HEADER_MAX - o->header_len
            || reel_unhex(o->header + o->header_len, hex.len / 2, hex)
               != REEL_OK)
        {
            reel_fields_fail(f, REEL_BADDATA, "header",
                             "is not at most 16 KiB of hex digits");
            return;
        }

        o->header_len += hex.len / 2;
    }
}


/* least: of bytes and samples; a text may have none in a slot */
static void
parse_frag(reel_ix_fragment_t *k, reel_fields_t *f, const json_t *a, size_t i,
    int64_t least)
{
    k->size = (uint32_t) reel_fields_item(f, "frags", json_array_get(a, i),
                                          least, UINT32_MAX);
    k->duration = (uint32_t) reel_fields_item(f, "frags",
                                              json_array_get(a, i + 1),
                                              1, UINT32_MAX);
    k->samples = (uint32_t) reel_fields_item(f, "frags",
                                             json_array_get(a, i + 2),
                                             least, SAMPLES_MAX);
    k->iframe = (uint32_t) reel_fields_item(f, "frags",
                                            json_array_get(a, i + 3),
                                            0, k->size);
}


static void
parse_frags(reel_encoded_t *o, reel_fields_t *f)
{
    size_t    i, n;
    json_t   *a;
    uint64_t  bytes, samples;

    a = reel_fields_array(f, "frags", PER_FRAG * REEL_INDEX_MAX_FRAGMENTS);
    n = json_array_size(a);

    if (a == NULL || n == 0 || n % PER_FRAG != 0) {
        reel_fields_fail(f, REEL_BADDATA, "frags",
                         "is not four integers a fragment");
        return;
    }

    o->nfrags = (uint32_t) (n / PER_FRAG);
    o->frags = calloc(o->nfrags, sizeof(*o->frags));

    if (o->frags == NULL) {
        reel_fields_fail(f, REEL_NOMEM, "frags", "do not fit into memory");
        return;
    }

    bytes = o->base;
    samples = 0;

    for (i = 0; i < o->nfrags && f->err == REEL_OK; i++) {
        parse_frag(&o->frags[i], f, a, i * PER_FRAG, o->kind != REEL_TEXT);
        bytes += o->frags[i].size;
        samples += o->frags[i].samples;

        if (o->kind == REEL_VIDEO && o->frags[i].iframe == 0) {
            reel_fields_fail(f, REEL_BADDATA, "frags", "has an empty iframe");
        }
    }

    if (bytes != o->bytes) {
        reel_fields_fail(f, REEL_BADDATA, "bytes",
                         "is not base and the fragments' sizes");
    }

    if (samples != o->samples) {
        reel_fields_fail(f, REEL_BADDATA, "samples",
                         "is not the fragments' sum");
    }
}


bool
reel_part_object_name(const char *z)
{
    return z[strspn(z, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       "0123456789._-")] == '\0' && z[0] != '.';
}


static void
parse_facts(reel_encoded_t *o, reel_fields_t *f)
{
    o->kind = (reel_kind_t) reel_fields_int(f, "kind", REEL_VIDEO,
                                            REEL_TEXT);
    reel_fields_text(f, "codec", o->codec, sizeof(o->codec), 1);
    o->timescale = reel_fields_u32(f, "timescale", 1, UINT32_MAX);
    o->rate = (reel_rational_t) { 0, 1 };

    if (o->kind == REEL_VIDEO) {
        o->width = reel_fields_u32(f, "width", 1, 65535);
        o->height = reel_fields_u32(f, "height", 1, 65535);
        o->rate = reel_fields_rational(f, "rate");

    } else {
        if (o->kind == REEL_AUDIO) {
            o->channels = reel_fields_u32(f, "channels", 1, 255);
            o->sample_rate = reel_fields_u32(f, "sample_rate", 1, UINT32_MAX);
        }
        reel_fields_text(f, "language", o->language, sizeof(o->language), 0);
    }

    /* sound of before there were several has neither */
    if (o->kind == REEL_TEXT
        || (o->kind == REEL_AUDIO && reel_fields_has(f, "roles")))
    {
        reel_fields_text(f, "label", o->label, sizeof(o->label), 0);
        o->roles = reel_fields_u32(f, "roles", 0, UINT32_MAX);
    }
}


static void
parse_object(reel_encoded_t *o, reel_fields_t *f)
{
    reel_fields_get_name(f, "rendition", o->rendition);
    reel_fields_text(f, "name", o->name, sizeof(o->name), 0);

    if (!reel_part_object_name(o->name)) {
        reel_fields_fail(f, REEL_BADDATA, "name", "is not an object's name");
    }

    o->frag_from = reel_fields_u32(f, "frag_from", 0,
                                   REEL_INDEX_MAX_FRAGMENTS);
    o->base = reel_fields_uint(f, "base", (uint64_t) 1 << 53);
    o->bytes = reel_fields_uint(f, "bytes", (uint64_t) 1 << 53);
    o->samples = reel_fields_uint(f, "samples", UINT64_MAX);
    parse_facts(o, f);
    parse_header(o, f);
    parse_frags(o, f);
}


reel_err_t
reel_encoded_parse(reel_encoded_t *o, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *o = (reel_encoded_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_ANSWER_MAX, "object", e);
    if (err != REEL_OK) {
        return err;
    }

    parse_object(o, &f);
    json_decref(f.obj);

    if (f.err != REEL_OK) {
        reel_encoded_release(o);
    }

    return f.err;
}


void
reel_encoded_release(reel_encoded_t *o)
{
    free(o->header);
    free(o->frags);
    *o = (reel_encoded_t) { 0 };
}


static void
print_files(reel_json_t *j, const reel_answer_t *a)
{
    size_t i;

    reel_json_key(j, "files");
    reel_json_array(j);

    for (i = 0; i < a->nfiles; i++) {
        reel_json_object(j);
        reel_json_kstr(j, "name", a->files[i].name);
        reel_json_kstr(j, "object", a->files[i].object);
        reel_json_kuint(j, "bytes", a->files[i].bytes);
        reel_json_kbool(j, "keep", a->files[i].keep);
        reel_json_end(j, '}');
    }

    reel_json_end(j, ']');
}


reel_err_t
reel_answer_print(reel_buf_t *b, const reel_answer_t *a)
{
    size_t      i;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "digest", a->digest);
    reel_json_key(&j, "objects");
    reel_json_array(&j);

    for (i = 0; i < a->nobjects; i++) {
        print_object(&j, &a->objects[i]);
    }

    reel_json_end(&j, ']');

    if (a->image[0] != '\0') {
        reel_json_kstr(&j, "image", a->image);
        reel_json_kuint(&j, "image_width", a->image_width);
        reel_json_kuint(&j, "image_height", a->image_height);
        reel_json_kuint(&j, "image_bytes", a->image_bytes);
    }

    if (a->nstories > 0) {
        reel_json_key(&j, "stories");
        reel_json_array(&j);

        for (i = 0; i < a->nstories; i++) {
            reel_part_story_print(&j, &a->stories[i]);
        }

        reel_json_end(&j, ']');
    }

    if (a->nfiles > 0) {
        print_files(&j, a);
    }
    if (a->loudness) {
        reel_json_kint(&j, "clufs", a->clufs);
    }
    reel_trials_print(&j, &a->trials);
    reel_warnings_print(&j, &a->warnings);

    reel_json_end(&j, '}');

    return reel_buf_err(b);
}


static void
parse_objects(reel_answer_t *a, reel_fields_t *f)
{
    size_t         n;
    json_t        *list;
    reel_fields_t  in;

    list = reel_fields_array(f, "objects", OBJECTS_MAX);
    n = json_array_size(list);

    if (n == 0) {
        return;
    }

    a->objects = calloc(n, sizeof(*a->objects));

    if (a->objects == NULL) {
        reel_fields_fail(f, REEL_NOMEM, "objects", "do not fit into memory");
        return;
    }

    while (a->nobjects < n && f->err == REEL_OK) {
        in = reel_fields_element(f, json_array_get(list, a->nobjects),
                                 "objects");
        parse_object(&a->objects[a->nobjects++], &in);
        reel_fields_join(f, &in);
    }
}


static void
parse_stories(reel_answer_t *a, reel_fields_t *f)
{
    size_t         i, n;
    json_t        *list;
    reel_fields_t  in;

    list = reel_fields_array(f, "stories", REEL_STORY_SETS);
    n = json_array_size(list);

    if (n == 0) {
        return;
    }

    a->stories = calloc(n, sizeof(*a->stories));

    if (a->stories == NULL) {
        reel_fields_fail(f, REEL_NOMEM, "stories", "do not fit into memory");
        return;
    }

    a->nstories = n;

    for (i = 0; i < n && f->err == REEL_OK; i++) {
        in = reel_fields_element(f, json_array_get(list, i), "stories");
        reel_part_story_parse(&in, &a->stories[i]);
        reel_fields_join(f, &in);
    }
}


static void
parse_files(reel_answer_t *a, reel_fields_t *f)
{
    size_t         i;
    json_t        *list;
    reel_file_t   *x;
    reel_fields_t  in;

    list = reel_fields_array(f, "files", REEL_ANSWER_FILES);

    for (i = 0; i < json_array_size(list) && f->err == REEL_OK; i++) {
        in = reel_fields_element(f, json_array_get(list, i), "files");
        x = &a->files[a->nfiles++];
        reel_fields_text(&in, "name", x->name, sizeof(x->name), 1);
        reel_fields_text(&in, "object", x->object, sizeof(x->object), 1);
        x->bytes = reel_fields_uint(&in, "bytes", (uint64_t) 1 << 53);
        x->keep = reel_fields_bool(&in, "keep");

        if (in.err == REEL_OK && (!reel_part_object_name(x->object)
                                  || !reel_file_name_valid(reel_str(x->name))))
        {
            reel_fields_fail(&in, REEL_BADDATA, "object", "or name of a file "
                             "is not one");
        }

        reel_fields_join(f, &in);
    }
}


reel_err_t
reel_answer_parse(reel_answer_t *a, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *a = (reel_answer_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_ANSWER_MAX, "answer", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_fields_text(&f, "digest", a->digest, sizeof(a->digest), 64);
    parse_objects(a, &f);

    if (reel_fields_has(&f, "image")) {
        reel_fields_text(&f, "image", a->image, sizeof(a->image), 1);
        a->image_width = reel_fields_u32(&f, "image_width", 1, 65535);
        a->image_height = reel_fields_u32(&f, "image_height", 1, 65535);
        a->image_bytes = reel_fields_u32(&f, "image_bytes", 1, UINT32_MAX);

        if (!reel_part_object_name(a->image)) {
            reel_fields_fail(&f, REEL_BADDATA, "image",
                             "is not an object's name");
        }
    }

    if (reel_fields_has(&f, "stories")) {
        parse_stories(a, &f);
    }

    if (reel_fields_has(&f, "files")) {
        parse_files(a, &f);
    }

    a->loudness = reel_fields_has(&f, "clufs");
    if (a->loudness) {
        a->clufs = (int) reel_fields_int(&f, "clufs", REEL_CLUFS_MIN,
                                         REEL_CLUFS_MAX);
    }
    reel_part_warnings_parse(&f, &a->warnings);

    reel_part_trials_parse(&f, &a->trials);

    json_decref(f.obj);

    if (f.err != REEL_OK) {
        reel_answer_release(a);
    }

    return f.err;
}


void
reel_answer_release(reel_answer_t *a)
{
    size_t i;

    for (i = 0; i < a->nobjects; i++) {
        reel_encoded_release(&a->objects[i]);
    }

    free(a->objects);
    free(a->stories);
    *a = (reel_answer_t) { 0 };
}

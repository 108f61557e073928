/* the payload of storyboard, and the sets of pictures of its answer */

#include "lib/job/part.h"

#define SIDE_MAX      65534
#define TILES_MAX     32                /* docs/index-format.md */
#define INTERVAL_MAX  3600000


static void
print_set(reel_json_t *j, const reel_story_set_t *s)
{
    reel_json_object(j);
    reel_json_kuint(j, "width", s->width);
    reel_json_kuint(j, "height", s->height);
    reel_json_kuint(j, "columns", s->columns);
    reel_json_kuint(j, "rows", s->rows);
    reel_json_end(j, '}');
}


reel_err_t
reel_storyboard_print(reel_buf_t *b, const reel_storyboard_t *t)
{
    size_t      before = b->len;
    uint32_t    i;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_part_stream_print(&j, t->stream, t->tb);
    reel_part_jumps_print(&j, &t->jumps);
    reel_json_kint(&j, "origin", t->origin);
    reel_json_kuint(&j, "interval_ms", t->interval_ms);
    reel_json_kuint(&j, "count", t->count);
    reel_json_kbool(&j, "exact", t->exact);
    reel_json_kint(&j, "rotation", t->rotation);
    reel_json_kbool(&j, "hflip", t->hflip);
    reel_json_kbool(&j, "vflip", t->vflip);
    reel_json_kuint(&j, "tries", t->tries);
    reel_json_key(&j, "sets");
    reel_json_array(&j);

    for (i = 0; i < t->nsets; i++) {
        print_set(&j, &t->sets[i]);
    }

    reel_json_end(&j, ']');
    reel_json_end(&j, '}');

    return reel_part_payload(b, before);
}


static void
parse_sets(reel_storyboard_t *t, reel_fields_t *f)
{
    json_t        *list;
    uint32_t       i;
    reel_fields_t  in;

    list = reel_fields_array(f, "sets", REEL_STORY_SETS);
    t->nsets = (uint32_t) json_array_size(list);

    for (i = 0; i < t->nsets && f->err == REEL_OK; i++) {
        in = reel_fields_element(f, json_array_get(list, i), "sets");
        t->sets[i].width = reel_fields_u32(&in, "width", 2, SIDE_MAX);
        t->sets[i].height = reel_fields_u32(&in, "height", 2, SIDE_MAX);
        t->sets[i].columns = reel_fields_u32(&in, "columns", 1, TILES_MAX);
        t->sets[i].rows = reel_fields_u32(&in, "rows", 1, TILES_MAX);

        if (in.err == REEL_OK
            && (t->sets[i].width > SIDE_MAX / t->sets[i].columns
                || t->sets[i].height > SIDE_MAX / t->sets[i].rows))
        {
            reel_fields_fail(&in, REEL_BADDATA, "columns",
                             "makes the sheet too large");
        }

        reel_fields_join(f, &in);
    }

    if (f->err == REEL_OK && t->nsets == 0) {
        reel_fields_fail(f, REEL_BADDATA, "sets", "is empty");
    }
}


reel_err_t
reel_storyboard_parse(reel_storyboard_t *t, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *t = (reel_storyboard_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_PAYLOAD_MAX, "storyboard", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_part_stream_parse(&f, &t->stream, &t->tb);
    reel_part_jumps_parse(&f, &t->jumps);
    t->origin = reel_part_pts(&f, "origin");
    t->interval_ms = reel_fields_u32(&f, "interval_ms", 1, INTERVAL_MAX);
    t->count = reel_fields_u32(&f, "count", 1, REEL_STORY_PICTURES);
    t->exact = reel_fields_bool(&f, "exact");
    t->rotation = reel_part_rotation(&f);
    t->hflip = reel_fields_bool(&f, "hflip");
    t->vflip = reel_fields_bool(&f, "vflip");
    t->tries = reel_fields_u32(&f, "tries", 1, UINT32_MAX);
    parse_sets(t, &f);

    json_decref(f.obj);

    return f.err;
}


void
reel_part_story_print(reel_json_t *j, const reel_story_t *s)
{
    uint32_t i;

    reel_json_object(j);
    reel_json_kstr(j, "object", s->object);
    reel_json_kuint(j, "width", s->width);
    reel_json_kuint(j, "height", s->height);
    reel_json_kuint(j, "columns", s->columns);
    reel_json_kuint(j, "rows", s->rows);
    reel_json_kuint(j, "interval_ms", s->interval_ms);
    reel_json_kuint(j, "count", s->count);
    reel_json_key(j, "sizes");
    reel_json_array(j);

    for (i = 0; i < s->nsheets; i++) {
        reel_json_uint(j, s->sizes[i]);
    }

    reel_json_end(j, ']');
    reel_json_end(j, '}');
}


void
reel_part_story_parse(reel_fields_t *f, reel_story_t *s)
{
    json_t   *sizes;
    uint32_t  i, per;

    reel_fields_text(f, "object", s->object, sizeof(s->object), 0);

    if (!reel_part_object_name(s->object)) {
        reel_fields_fail(f, REEL_BADDATA, "object",
                         "is not an object's name");
    }

    s->width = reel_fields_u32(f, "width", 2, SIDE_MAX);
    s->height = reel_fields_u32(f, "height", 2, SIDE_MAX);
    s->columns = reel_fields_u32(f, "columns", 1, TILES_MAX);
    s->rows = reel_fields_u32(f, "rows", 1, TILES_MAX);
    s->interval_ms = reel_fields_u32(f, "interval_ms", 1, INTERVAL_MAX);
    s->count = reel_fields_u32(f, "count", 1, REEL_STORY_PICTURES);

    sizes = reel_fields_array(f, "sizes", REEL_STORY_PICTURES);
    s->nsheets = (uint32_t) json_array_size(sizes);

    for (i = 0; i < s->nsheets && f->err == REEL_OK; i++) {
        s->sizes[i] = (uint32_t) reel_fields_item(f, "sizes",
                                     json_array_get(sizes, i), 1,
                                     UINT32_MAX);
        s->bytes += s->sizes[i];
    }

    per = s->columns * s->rows;

    if (f->err == REEL_OK && s->nsheets != (s->count + per - 1) / per) {
        reel_fields_fail(f, REEL_BADDATA, "sizes",
                         "does not fit the number of pictures");
    }
}


reel_err_t
reel_story_print(reel_buf_t *b, const reel_story_t *s)
{
    reel_json_t j;

    reel_json_init(&j, b);
    reel_part_story_print(&j, s);

    return reel_buf_err(b);
}


reel_err_t
reel_story_parse(reel_story_t *s, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *s = (reel_story_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_ANSWER_MAX, "story", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_part_story_parse(&f, s);
    json_decref(f.obj);

    return f.err;
}

/* the payload of extract_subtitles */

#include "lib/job/part.h"


static void
print_track(reel_json_t *j, const reel_text_track_t *t)
{
    reel_json_object(j);
    reel_json_kstr(j, "name", t->name);
    reel_part_stream_print(j, t->stream, t->tb);
    reel_json_kint(j, "origin", t->origin);
    reel_json_kstr(j, "language", t->language);
    reel_json_kstr(j, "label", t->label);
    reel_json_kuint(j, "roles", t->roles);
    reel_json_end(j, '}');
}


reel_err_t
reel_subtitles_print(reel_buf_t *b, const reel_subtitles_t *t)
{
    size_t      before = b->len;
    uint32_t    i;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_part_grid_print(&j, &t->grid);
    reel_part_jumps_print(&j, &t->jumps);
    reel_json_kuint(&j, "tries", t->tries);
    reel_json_key(&j, "texts");
    reel_json_array(&j);

    for (i = 0; i < t->ntexts; i++) {
        print_track(&j, &t->texts[i]);
    }

    reel_json_end(&j, ']');
    reel_json_end(&j, '}');

    return reel_part_payload(b, before);
}


static void
parse_track(reel_text_track_t *t, reel_fields_t *f)
{
    reel_fields_get_name(f, "name", t->name);
    reel_part_stream_parse(f, &t->stream, &t->tb);
    t->origin = reel_part_pts(f, "origin");
    reel_fields_text(f, "language", t->language, sizeof(t->language), 0);
    reel_fields_text(f, "label", t->label, sizeof(t->label), 0);
    t->roles = reel_fields_u32(f, "roles", 0, UINT32_MAX);
}


reel_err_t
reel_subtitles_parse(reel_subtitles_t *t, const char *json, size_t len,
    reel_error_t *e)
{
    json_t        *list;
    uint32_t       i;
    reel_err_t     err;
    reel_fields_t  f, in;

    *t = (reel_subtitles_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_PAYLOAD_MAX,
                           "extract_subtitles", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_part_grid_parse(&t->grid, &f);
    reel_part_jumps_parse(&f, &t->jumps);
    t->tries = reel_fields_u32(&f, "tries", 1, UINT32_MAX);
    list = reel_fields_array(&f, "texts", REEL_SUBTITLES_TEXTS);
    t->ntexts = (uint32_t) json_array_size(list);

    for (i = 0; i < t->ntexts && f.err == REEL_OK; i++) {
        in = reel_fields_element(&f, json_array_get(list, i), "texts");
        parse_track(&t->texts[i], &in);
        reel_fields_join(&f, &in);
    }

    if (f.err == REEL_OK && t->ntexts == 0) {
        reel_fields_fail(&f, REEL_BADDATA, "texts", "is empty");
    }

    json_decref(f.obj);

    return f.err;
}

/* the payload of poster */

#include "lib/job/part.h"


reel_err_t
reel_poster_print(reel_buf_t *b, const reel_poster_t *t)
{
    size_t      before = b->len;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_part_stream_print(&j, t->stream, t->tb);
    reel_part_jumps_print(&j, &t->jumps);
    reel_json_kint(&j, "at_pts", t->at_pts);
    reel_json_kint(&j, "rotation", t->rotation);
    reel_json_kbool(&j, "hflip", t->hflip);
    reel_json_kbool(&j, "vflip", t->vflip);
    reel_part_combed_print(&j, t->combed);
    reel_json_kuint(&j, "width", t->width);
    reel_json_kuint(&j, "height", t->height);
    reel_json_end(&j, '}');

    return reel_part_payload(b, before);
}


reel_err_t
reel_poster_parse(reel_poster_t *t, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *t = (reel_poster_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_PAYLOAD_MAX, "poster", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_part_stream_parse(&f, &t->stream, &t->tb);
    reel_part_jumps_parse(&f, &t->jumps);
    t->at_pts = reel_part_pts(&f, "at_pts");
    t->rotation = reel_part_rotation(&f);
    t->hflip = reel_fields_bool(&f, "hflip");
    t->vflip = reel_fields_bool(&f, "vflip");
    t->combed = reel_part_combed(&f);
    t->width = reel_fields_u32(&f, "width", 2, 65534);
    t->height = reel_fields_u32(&f, "height", 2, 65534);

    json_decref(f.obj);

    return f.err;
}

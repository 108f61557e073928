/* the payload of encode_video */

#include <string.h>

#include "lib/base/rescale.h"
#include "lib/job/part.h"


reel_rational_t
reel_rate_kept(reel_rational_t rate, uint32_t every)
{
    uint64_t  den = (uint64_t) rate.den * every;
    uint64_t  d = reel_gcd(rate.num, den);

    return (reel_rational_t) { (uint32_t) (rate.num / d),
                               (uint32_t) (den / d) };
}


reel_rational_t
reel_rung_rate(const reel_encode_video_t *t, const reel_video_rung_t *r)
{
    return reel_rate_kept(t->rate, r->every);
}


static void
print_rung(reel_json_t *j, const reel_video_rung_t *r)
{
    reel_json_object(j);
    reel_json_kstr(j, "name", r->name);
    reel_json_kuint(j, "width", r->width);
    reel_json_kuint(j, "height", r->height);
    reel_json_kuint(j, "crf", r->crf);
    reel_json_kuint(j, "max_kbps", r->max_kbps);
    reel_json_kuint(j, "buf_kbits", r->buf_kbits);

    if (r->every > 1) {
        reel_json_kuint(j, "every", r->every);
    }
    if (r->hdr) {
        reel_json_kbool(j, "hdr", true);
    }
    if (r->codec != REEL_VIDEO_H264) {
        reel_json_kstr(j, "codec", reel_video_codec_name(r->codec));
    }
    if (r->preset[0] != '\0') {
        reel_json_kstr(j, "preset", r->preset);
    }

    reel_json_end(j, '}');
}


static void
print_mark(reel_json_t *j, const reel_mark_t *m)
{
    if (m->image[0] == '\0') {
        return;
    }

    reel_json_key(j, "watermark");
    reel_json_object(j);
    reel_json_kstr(j, "image", m->image);
    reel_json_kstr(j, "sum", m->sum);
    reel_json_kstr(j, "position", reel_mark_position_name(m->position));
    reel_json_kuint(j, "opacity", m->opacity);
    reel_json_kuint(j, "width", m->width);
    reel_json_kuint(j, "margin", m->margin);
    reel_json_end(j, '}');
}


reel_err_t
reel_encode_video_print(reel_buf_t *b, const reel_encode_video_t *t)
{
    size_t      before = b->len;
    uint32_t    i;
    reel_json_t j;

    if (t->nrungs == 0 || t->nrungs > REEL_TASK_RUNGS) {
        return REEL_INVAL;
    }

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_part_grid_print(&j, &t->grid);
    reel_part_stream_print(&j, t->stream, t->tb);
    reel_part_jumps_print(&j, &t->jumps);
    reel_json_kint(&j, "origin", t->origin);
    reel_json_kint(&j, "seek_pts", t->seek_pts);
    reel_json_kuint(&j, "chunk", t->chunk);
    reel_json_kuint(&j, "frag_from", t->frag_from);
    reel_json_kuint(&j, "frag_to", t->frag_to);
    reel_part_rational(&j, "rate", t->rate);
    reel_json_kint(&j, "rotation", t->rotation);
    reel_json_kbool(&j, "hflip", t->hflip);
    reel_json_kbool(&j, "vflip", t->vflip);
    reel_json_kbool(&j, "interlaced", t->interlaced);
    reel_part_combed_print(&j, t->combed);
    reel_part_light_print(&j, &t->light);
    reel_json_kstr(&j, "preset", t->preset);
    reel_json_kuint(&j, "threads", t->threads);
    print_mark(&j, &t->mark);
    if (t->copy) {
        reel_json_kuint(&j, "copy_delay", t->delay);
    }
    reel_json_key(&j, "rungs");
    reel_json_array(&j);

    for (i = 0; i < t->nrungs; i++) {
        print_rung(&j, &t->rungs[i]);
    }

    reel_json_end(&j, ']');
    reel_json_end(&j, '}');

    return reel_part_payload(b, before);
}


static void
parse_codec(reel_video_rung_t *r, reel_fields_t *f)
{
    char name[8];

    reel_fields_text(f, "codec", name, sizeof(name), 1);

    if (f->err == REEL_OK && !reel_video_codec_find(name, &r->codec)) {
        reel_fields_fail(f, REEL_BADDATA, "codec", "is not known");
    }
}


static void
parse_rung(reel_video_rung_t *r, reel_fields_t *f)
{
    reel_fields_get_name(f, "name", r->name);
    r->width = reel_fields_u32(f, "width", 2, 65534);
    r->height = reel_fields_u32(f, "height", 2, 65534);
    r->crf = reel_fields_u32(f, "crf", 0, 63);
    r->max_kbps = reel_fields_u32(f, "max_kbps", 1, 1000000);
    r->buf_kbits = reel_fields_u32(f, "buf_kbits", 1, 2000000);
    r->every = reel_fields_has(f, "every")
               ? reel_fields_u32(f, "every", 1, REEL_RUNG_EVERY) : 1;
    r->hdr = reel_fields_has(f, "hdr") && reel_fields_bool(f, "hdr");

    if (reel_fields_has(f, "codec")) {
        parse_codec(r, f);
    }

    if (reel_fields_has(f, "preset")) {
        reel_fields_text(f, "preset", r->preset, sizeof(r->preset), 1);
    }

    if (f->err == REEL_OK && (r->width | r->height) & 1) {
        reel_fields_fail(f, REEL_BADDATA, "width", "or height is odd");
    }
}


static void
parse_mark(reel_mark_t *m, reel_fields_t *f)
{
    char          name[16];
    reel_fields_t in = reel_fields_object(f, "watermark");

    reel_fields_text(&in, "image", m->image, sizeof(m->image), 1);
    reel_fields_text(&in, "sum", m->sum, sizeof(m->sum),
                     sizeof(m->sum) - 1);
    reel_fields_text(&in, "position", name, sizeof(name), 1);
    m->opacity = reel_fields_u32(&in, "opacity", 1, 100);
    m->width = reel_fields_u32(&in, "width", 1, 100);
    m->margin = reel_fields_u32(&in, "margin", 0, 50);

    /* it is opened below the pipelines' folder */
    if (in.err == REEL_OK && !reel_file_name_valid(reel_str(m->image))) {
        reel_fields_fail(&in, REEL_BADDATA, "image", "is not a file's name");
    }
    if (in.err == REEL_OK && !reel_mark_position_find(name, &m->position)) {
        reel_fields_fail(&in, REEL_BADDATA, "position", "is not known");
    }

    reel_fields_join(f, &in);
}


static void
parse_rungs(reel_encode_video_t *t, reel_fields_t *f)
{
    size_t         i, n;
    json_t        *a;
    reel_fields_t  in;

    a = reel_fields_array(f, "rungs", REEL_TASK_RUNGS);
    n = json_array_size(a);

    if (a != NULL && n == 0) {
        reel_fields_fail(f, REEL_BADDATA, "rungs", "is empty");
    }

    for (i = 0; i < n && f->err == REEL_OK; i++) {
        in = reel_fields_element(f, json_array_get(a, i), "rungs");
        parse_rung(&t->rungs[i], &in);
        reel_fields_join(f, &in);
    }

    t->nrungs = (uint32_t) n;

    for (i = 0; i < n && f->err == REEL_OK; i++) {
        if (t->rungs[i].hdr && t->light.range == REEL_RANGE_SDR) {
            reel_fields_fail(f, REEL_BADDATA, "hdr", "has no light to keep");
        }
    }
}


reel_err_t
reel_encode_video_parse(reel_encode_video_t *t, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *t = (reel_encode_video_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_PAYLOAD_MAX, "encode_video",
                           e);
    if (err != REEL_OK) {
        return err;
    }

    reel_part_grid_parse(&t->grid, &f);
    reel_part_stream_parse(&f, &t->stream, &t->tb);
    reel_part_jumps_parse(&f, &t->jumps);
    t->origin = reel_part_pts(&f, "origin");
    t->seek_pts = reel_part_pts(&f, "seek_pts");
    t->chunk = reel_fields_u32(&f, "chunk", 0, REEL_INDEX_MAX_FRAGMENTS);
    reel_part_range_parse(&f, &t->grid, &t->frag_from, &t->frag_to);
    t->rate = reel_fields_rational(&f, "rate");
    t->rotation = reel_part_rotation(&f);
    t->hflip = reel_fields_bool(&f, "hflip");
    t->vflip = reel_fields_bool(&f, "vflip");
    t->interlaced = reel_fields_bool(&f, "interlaced");
    t->combed = reel_part_combed(&f);
    reel_part_light_parse(&f, &t->light);
    reel_fields_text(&f, "preset", t->preset, sizeof(t->preset), 1);
    t->threads = reel_fields_u32(&f, "threads", 1, 64);
    if (reel_fields_has(&f, "watermark")) {
        parse_mark(&t->mark, &f);
    }
    t->copy = reel_fields_has(&f, "copy_delay");
    if (t->copy) {
        t->delay = reel_fields_u32(&f, "copy_delay", 0, REEL_SOURCE_DELAY);
    }
    parse_rungs(t, &f);

    if (f.err == REEL_OK && t->copy
        && (t->nrungs != 1 || t->grid.frame_ts == 0))
    {
        reel_fields_fail(&f, REEL_BADDATA, "copy_delay",
                         "is for one rendition of a constant rate");
    }

    json_decref(f.obj);

    return f.err;
}

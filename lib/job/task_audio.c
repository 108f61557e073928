/* the payload of encode_audio */

#include "lib/job/part.h"


reel_err_t
reel_encode_audio_print(reel_buf_t *b, const reel_encode_audio_t *t)
{
    size_t      before = b->len;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_part_grid_print(&j, &t->grid);
    reel_part_stream_print(&j, t->stream, t->tb);
    reel_part_jumps_print(&j, &t->jumps);
    reel_json_kint(&j, "origin", t->origin);
    if (t->ends) {
        reel_json_kbool(&j, "ends", true);
    }
    reel_json_kstr(&j, "name", t->name);
    if (t->codec != REEL_AUDIO_AAC) {
        reel_json_kstr(&j, "codec", reel_audio_codec_name(t->codec));
    }
    reel_json_kuint(&j, "kbps", t->kbps);
    reel_json_kuint(&j, "channels", t->channels);
    reel_json_kuint(&j, "sample_rate", t->sample_rate);
    reel_json_kstr(&j, "language", t->language);
    reel_json_kstr(&j, "label", t->label);
    reel_json_kuint(&j, "roles", t->roles);
    reel_json_kuint(&j, "object_frags", t->object_frags);
    if (t->copy) {
        reel_json_kbool(&j, "copy", true);
    }
    if (t->lufs != 0) {
        reel_json_kint(&j, "lufs", t->lufs);
        reel_json_kstr(&j, "measured", t->measured);
    }
    reel_json_kuint(&j, "frag_from", t->frag_from);
    reel_json_kuint(&j, "frag_to", t->frag_to);
    reel_json_end(&j, '}');

    return reel_part_payload(b, before);
}


/* Opus knows one rate */
static void
parse_codec(reel_encode_audio_t *t, reel_fields_t *f)
{
    char name[8];

    reel_fields_text(f, "codec", name, sizeof(name), 1);

    if (f->err == REEL_OK
        && (!reel_audio_codec_find(name, &t->codec)
            || reel_fields_u32(f, "sample_rate", 48000, 48000) == 0))
    {
        reel_fields_fail(f, REEL_BADDATA, "codec", "is not known");
    }
}


reel_err_t
reel_encode_audio_parse(reel_encode_audio_t *t, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *t = (reel_encode_audio_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_PAYLOAD_MAX, "encode_audio",
                           e);
    if (err != REEL_OK) {
        return err;
    }

    reel_part_grid_parse(&t->grid, &f);
    reel_part_stream_parse(&f, &t->stream, &t->tb);
    reel_part_jumps_parse(&f, &t->jumps);
    t->origin = reel_part_pts(&f, "origin");
    t->ends = reel_fields_has(&f, "ends") && reel_fields_bool(&f, "ends");
    reel_fields_get_name(&f, "name", t->name);
    if (reel_fields_has(&f, "codec")) {
        parse_codec(t, &f);
    }
    t->kbps = reel_fields_u32(&f, "kbps", 8, 1024);
    t->channels = reel_fields_u32(&f, "channels", 1, 8);
    t->sample_rate = reel_fields_u32(&f, "sample_rate", 7350, 96000);
    reel_fields_text(&f, "language", t->language, sizeof(t->language), 0);

    /* a job planned before there were several has neither */
    if (reel_fields_has(&f, "roles")) {
        reel_fields_text(&f, "label", t->label, sizeof(t->label), 0);
        t->roles = reel_fields_u32(&f, "roles", 0, UINT32_MAX);
    }

    t->object_frags = reel_fields_u32(&f, "object_frags", 1,
                                      REEL_INDEX_MAX_FRAGMENTS);
    t->copy = reel_fields_has(&f, "copy") && reel_fields_bool(&f, "copy");
    if (reel_fields_has(&f, "lufs")) {
        t->lufs = (int) reel_fields_int(&f, "lufs", -40, -5);
        reel_fields_text(&f, "measured", t->measured, sizeof(t->measured), 0);
    }
    reel_part_range_parse(&f, &t->grid, &t->frag_from, &t->frag_to);

    if (f.err == REEL_OK && t->copy
        && (t->codec != REEL_AUDIO_AAC || t->channels > 2 || t->lufs != 0))
    {
        reel_fields_fail(&f, REEL_BADDATA, "copy",
                         "is for AAC of two channels as it is");
    }

    json_decref(f.obj);

    return f.err;
}

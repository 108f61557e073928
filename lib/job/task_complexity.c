/* the payload of complexity, and the trials of its answer */

#include <assert.h>

#include "lib/job/part.h"

#define PER_TRIAL  6            /* integers of each */

static_assert(REEL_TRIALS == REEL_TASK_RUNGS + 1, "a trial for each rung");


void
reel_trials_print(reel_json_t *j, const reel_trials_t *t)
{
    uint32_t i;

    if (t->n == 0) {
        return;
    }

    reel_json_key(j, "trials");
    reel_json_array(j);

    for (i = 0; i < t->n; i++) {
        reel_json_uint(j, t->v[i].width);
        reel_json_uint(j, t->v[i].height);
        reel_json_uint(j, t->v[i].crf);
        reel_json_uint(j, t->v[i].kbps);
        reel_json_uint(j, t->v[i].loss);
        reel_json_uint(j, t->v[i].soft);
    }

    reel_json_end(j, ']');
}


static uint32_t
item(reel_fields_t *f, const json_t *a, size_t i, int64_t min, int64_t max)
{
    return (uint32_t) reel_fields_item(f, "trials", json_array_get(a, i), min,
                                       max);
}


void
reel_part_trials_parse(reel_fields_t *f, reel_trials_t *t)
{
    size_t   i, n;
    json_t  *a;

    *t = (reel_trials_t) { 0 };

    if (!reel_fields_has(f, "trials")) {
        return;
    }

    a = reel_fields_array(f, "trials", (size_t) REEL_TRIALS * PER_TRIAL);
    n = json_array_size(a);

    if (n == 0 || n % PER_TRIAL != 0) {
        reel_fields_fail(f, REEL_BADDATA, "trials", "are not whole");
        return;
    }

    for (i = 0; i < n; i += PER_TRIAL) {
        t->v[t->n++] = (reel_trial_t) {
            .width = item(f, a, i, 2, 65534),
            .height = item(f, a, i + 1, 2, 65534),
            .crf = item(f, a, i + 2, 0, 63),
            .kbps = item(f, a, i + 3, 0, REEL_SOURCE_KBPS),
            .loss = item(f, a, i + 4, 0, REEL_LOSS_ALL),
            .soft = item(f, a, i + 5, 0, REEL_LOSS_ALL)
        };
    }
}


reel_err_t
reel_trials_parse(reel_trials_t *t, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *t = (reel_trials_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_PAYLOAD_MAX, "complexity", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_part_trials_parse(&f, t);
    json_decref(f.obj);

    return f.err;
}


reel_err_t
reel_complexity_print(reel_buf_t *b, const reel_complexity_t *t)
{
    size_t      before = b->len;
    uint32_t    i;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_part_stream_print(&j, t->stream, t->tb);
    reel_part_jumps_print(&j, &t->jumps);
    reel_part_rational(&j, "rate", t->rate);
    reel_json_kint(&j, "rotation", t->rotation);
    reel_json_kbool(&j, "hflip", t->hflip);
    reel_json_kbool(&j, "vflip", t->vflip);
    reel_json_kbool(&j, "interlaced", t->interlaced);
    reel_part_combed_print(&j, t->combed);
    reel_json_kuint(&j, "tries", t->tries);
    reel_json_kuint(&j, "frames", t->frames);
    reel_json_key(&j, "samples");
    reel_json_array(&j);

    for (i = 0; i < t->nsamples; i++) {
        reel_json_int(&j, t->samples[i].seek_pts);
        reel_json_int(&j, t->samples[i].from_pts);
    }

    reel_json_end(&j, ']');
    reel_trials_print(&j, &t->trials);
    reel_json_end(&j, '}');

    return reel_part_payload(b, before);
}


static void
parse_samples(reel_complexity_t *t, reel_fields_t *f)
{
    size_t   i, n;
    json_t  *a;

    a = reel_fields_array(f, "samples", 2 * REEL_COMPLEXITY_SAMPLES);
    n = json_array_size(a);

    if (n == 0 || n % 2 != 0) {
        reel_fields_fail(f, REEL_BADDATA, "samples", "are not whole");
    }

    for (i = 0; i + 1 < n && f->err == REEL_OK; i += 2) {
        t->samples[i / 2].seek_pts
            = reel_fields_item(f, "samples", json_array_get(a, i),
                               -REEL_PTS_MAX, REEL_PTS_MAX);
        t->samples[i / 2].from_pts
            = reel_fields_item(f, "samples", json_array_get(a, i + 1),
                               -REEL_PTS_MAX, REEL_PTS_MAX);
    }

    t->nsamples = (uint32_t) n / 2;
}


reel_err_t
reel_complexity_parse(reel_complexity_t *t, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    *t = (reel_complexity_t) { 0 };

    err = reel_fields_load(&f, json, len, REEL_PAYLOAD_MAX, "complexity", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_part_stream_parse(&f, &t->stream, &t->tb);
    reel_part_jumps_parse(&f, &t->jumps);
    t->rate = reel_fields_rational(&f, "rate");
    t->rotation = reel_part_rotation(&f);
    t->hflip = reel_fields_bool(&f, "hflip");
    t->vflip = reel_fields_bool(&f, "vflip");
    t->interlaced = reel_fields_bool(&f, "interlaced");
    t->combed = reel_part_combed(&f);
    t->tries = reel_fields_u32(&f, "tries", 1, UINT32_MAX);
    t->frames = reel_fields_u32(&f, "frames", 1, 1000);
    parse_samples(t, &f);
    reel_part_trials_parse(&f, &t->trials);

    if (f.err == REEL_OK && t->trials.n == 0) {
        reel_fields_fail(&f, REEL_BADDATA, "trials", "are missing");
    }

    json_decref(f.obj);

    return f.err;
}

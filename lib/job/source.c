#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/job/fields.h"
#include "lib/job/part.h"
#include "lib/job/source.h"


/* deltas: about a third of the digits */
static void
print_keyframes(reel_json_t *j, const reel_source_video_t *v)
{
    size_t  i, step;
    int64_t last;

    for (step = 1; v->nkeyframes / step >= REEL_SOURCE_KEYFRAMES; step *= 2) {
        /* void */
    }

    reel_json_key(j, "keyframes");
    reel_json_array(j);

    for (i = 0, last = 0; i < v->nkeyframes; i += step) {
        /* two fields of one picture may carry one pts */
        if (i == 0 || v->keyframes[i] > last) {
            reel_json_int(j, v->keyframes[i] - last);
            last = v->keyframes[i];
        }
    }

    reel_json_end(j, ']');
}


static void
print_copy(reel_json_t *j, const reel_source_copy_t *c)
{
    if (!c->known) {
        return;
    }

    reel_json_key(j, "copy");
    reel_json_object(j);
    reel_json_kstr(j, "refused", c->refused);

    if (c->refused[0] == '\0') {
        reel_json_kuint(j, "gop", c->gop);
        reel_json_kuint(j, "delay", c->delay);
        reel_json_kuint(j, "kbps", c->kbps);
    }

    reel_json_end(j, '}');
}


static void
print_video(reel_json_t *j, const reel_source_video_t *v)
{
    reel_json_key(j, "video");
    reel_json_object(j);
    reel_json_kint(j, "stream", v->stream);
    reel_json_kstr(j, "codec", v->codec);
    reel_part_rational(j, "tb", v->tb);
    reel_part_jumps_print(j, &v->jumps);
    reel_json_kint(j, "first_pts", v->first_pts);
    reel_json_kint(j, "last_pts", v->last_pts);
    reel_json_kint(j, "last_dur", v->last_dur);
    reel_json_kuint(j, "frames", v->frames);
    reel_json_kbool(j, "constant_rate", v->constant_rate);
    reel_part_rational(j, "rate", v->rate);
    reel_json_kuint(j, "width", v->width);
    reel_json_kuint(j, "height", v->height);
    reel_json_kint(j, "rotation", v->rotation);
    reel_json_kbool(j, "hflip", v->hflip);
    reel_json_kbool(j, "vflip", v->vflip);
    reel_json_kbool(j, "interlaced", v->interlaced);
    reel_part_combed_print(j, v->combed);
    reel_part_light_print(j, &v->light);
    print_copy(j, &v->copy);
    print_keyframes(j, v);
    reel_json_end(j, '}');
}


static void
print_units(reel_json_t *j, const reel_source_units_t *u)
{
    if (!u->known) {
        return;
    }

    reel_json_key(j, "units");
    reel_json_object(j);
    reel_json_kstr(j, "refused", u->refused);

    if (u->refused[0] == '\0') {
        reel_json_kint(j, "first_pts", u->first_pts);
        reel_json_kuint(j, "kbps", u->kbps);
    }

    reel_json_end(j, '}');
}


static void
print_audio(reel_json_t *j, const reel_source_audio_t *a)
{
    reel_json_object(j);
    reel_json_kint(j, "stream", a->stream);
    reel_json_kstr(j, "codec", a->codec);
    reel_part_rational(j, "tb", a->tb);
    reel_part_jumps_print(j, &a->jumps);
    reel_json_kint(j, "first_pts", a->first_pts);
    reel_json_kint(j, "end_pts", a->end_pts);
    if (a->ends) {
        reel_json_kbool(j, "ends", true);
    }
    reel_json_kuint(j, "sample_rate", a->sample_rate);
    reel_json_kuint(j, "channels", a->channels);
    reel_json_kstr(j, "language", a->language);
    reel_json_kstr(j, "label", a->label);
    reel_json_kuint(j, "roles", a->roles);
    print_units(j, &a->units);
    reel_json_end(j, '}');
}


static void
print_cover(reel_json_t *j, const reel_source_cover_t *c)
{
    reel_json_key(j, "cover");
    reel_json_object(j);
    reel_json_kint(j, "stream", c->stream);
    reel_part_rational(j, "tb", c->tb);
    reel_json_kuint(j, "width", c->width);
    reel_json_kuint(j, "height", c->height);
    reel_json_end(j, '}');
}


static void
print_text(reel_json_t *j, const reel_source_text_t *t)
{
    reel_json_object(j);
    reel_json_kint(j, "stream", t->stream);
    reel_json_kstr(j, "codec", t->codec);
    reel_part_rational(j, "tb", t->tb);
    reel_json_kstr(j, "language", t->language);
    reel_json_kstr(j, "label", t->label);
    reel_json_kuint(j, "roles", t->roles);
    reel_json_end(j, '}');
}


/* is any of the demuxer's names one of these n? */
static bool
is_named(const char *format, const char *const names[], size_t n)
{
    size_t      i, len;
    const char *at;

    for (at = format; *at != '\0'; at += len + (at[len] != '\0')) {
        len = strcspn(at, ",");

        for (i = 0; i < n; i++) {
            if (len == strlen(names[i]) && memcmp(at, names[i], len) == 0) {
                return true;
            }
        }
    }

    return false;
}


bool
reel_format_seeks(const char *format)
{
    static const char *const names[] = { "mov", "matroska", "webm" };

    return is_named(format, names, sizeof(names) / sizeof(names[0]));
}


bool
reel_format_is_indexed(const char *format)
{
    static const char *const names[] = { "mov" };

    return is_named(format, names, 1);
}


const reel_source_audio_t *
reel_source_audio(const reel_source_t *s, size_t i)
{
    return i == 0 ? &s->audio : &s->more[i - 1];
}


reel_err_t
reel_source_print(reel_buf_t *b, const reel_source_t *s)
{
    size_t      i;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "format", s->format);
    reel_json_kuint(&j, "bytes", s->bytes);

    if (s->video.stream >= 0) {
        print_video(&j, &s->video);
    }

    if (s->audio.stream >= 0) {
        reel_json_key(&j, "audio");
        print_audio(&j, &s->audio);
    }

    if (s->nmore > 0) {
        reel_json_key(&j, "more_audio");
        reel_json_array(&j);

        for (i = 0; i < s->nmore; i++) {
            print_audio(&j, &s->more[i]);
        }

        reel_json_end(&j, ']');
    }

    if (s->cover.width > 0) {
        print_cover(&j, &s->cover);
    }

    if (s->ntexts > 0) {
        reel_json_key(&j, "texts");
        reel_json_array(&j);

        for (i = 0; i < s->ntexts; i++) {
            print_text(&j, &s->texts[i]);
        }

        reel_json_end(&j, ']');
    }
    reel_warnings_print(&j, &s->warnings);

    reel_trials_print(&j, &s->trials);
    reel_json_end(&j, '}');

    return reel_buf_err(b);
}


static void
parse_keyframes(reel_source_video_t *v, reel_fields_t *f)
{
    size_t   i, n;
    json_t  *a;
    int64_t  pts;

    a = reel_fields_array(f, "keyframes", REEL_SOURCE_KEYFRAMES);
    n = json_array_size(a);

    if (n == 0) {
        return;
    }

    v->keyframes = malloc(n * sizeof(int64_t));

    if (v->keyframes == NULL) {
        reel_fields_fail(f, REEL_NOMEM, "keyframes",
                         "do not fit into memory");
        return;
    }

    for (i = 0, pts = 0; i < n; i++) {
        pts += reel_fields_item(f, "keyframes", json_array_get(a, i),
                                i == 0 ? -REEL_PTS_MAX : 1, REEL_PTS_MAX);

        if (pts > REEL_PTS_MAX) {
            reel_fields_fail(f, REEL_BADDATA, "keyframes",
                             "reach too far in time");
        }

        if (f->err != REEL_OK) {
            return;
        }

        v->keyframes[i] = pts;
    }

    v->nkeyframes = n;
}


static void
parse_copy(reel_source_copy_t *c, reel_fields_t *f)
{
    reel_fields_t in = reel_fields_object(f, "copy");

    c->known = true;
    reel_fields_text(&in, "refused", c->refused, sizeof(c->refused), 0);

    if (c->refused[0] == '\0') {
        c->gop = reel_fields_u32(&in, "gop", 0, UINT16_MAX);
        c->delay = reel_fields_u32(&in, "delay", 0, REEL_SOURCE_DELAY);
        c->kbps = reel_fields_u32(&in, "kbps", 1, REEL_SOURCE_KBPS);
    }

    reel_fields_join(f, &in);
}


static void
parse_video(reel_source_video_t *v, reel_fields_t *f)
{
    v->stream = (int) reel_fields_int(f, "stream", 0, INT32_MAX);
    reel_fields_text(f, "codec", v->codec, sizeof(v->codec), 1);
    v->tb = reel_fields_rational(f, "tb");
    reel_part_jumps_parse(f, &v->jumps);
    v->first_pts = reel_part_pts(f, "first_pts");
    v->last_pts = reel_part_pts(f, "last_pts");
    v->last_dur = reel_fields_int(f, "last_dur", 1, REEL_PTS_MAX);
    v->frames = reel_fields_uint(f, "frames", UINT64_MAX);
    v->constant_rate = reel_fields_bool(f, "constant_rate");
    v->rate = reel_fields_rational(f, "rate");
    v->width = reel_fields_u32(f, "width", 1, 65535);
    v->height = reel_fields_u32(f, "height", 1, 65535);
    v->rotation = reel_part_rotation(f);
    v->hflip = reel_fields_bool(f, "hflip");
    v->vflip = reel_fields_bool(f, "vflip");
    v->interlaced = reel_fields_bool(f, "interlaced");
    v->combed = reel_part_combed(f);
    reel_part_light_parse(f, &v->light);

    if (reel_fields_has(f, "copy")) {
        parse_copy(&v->copy, f);
    }

    parse_keyframes(v, f);

    if (v->last_pts < v->first_pts || v->frames == 0) {
        reel_fields_fail(f, REEL_BADDATA, "last_pts",
                         "lies before the first one");
    }
}


static void
parse_units(reel_source_units_t *u, reel_fields_t *f)
{
    reel_fields_t in = reel_fields_object(f, "units");

    u->known = true;
    reel_fields_text(&in, "refused", u->refused, sizeof(u->refused), 0);

    if (u->refused[0] == '\0') {
        u->first_pts = reel_part_pts(&in, "first_pts");
        u->kbps = reel_fields_u32(&in, "kbps", 1, REEL_SOURCE_KBPS);
    }

    reel_fields_join(f, &in);
}


static void
parse_audio(reel_source_audio_t *a, reel_fields_t *f)
{
    a->stream = (int) reel_fields_int(f, "stream", 0, INT32_MAX);
    reel_fields_text(f, "codec", a->codec, sizeof(a->codec), 1);
    a->tb = reel_fields_rational(f, "tb");
    reel_part_jumps_parse(f, &a->jumps);
    a->first_pts = reel_part_pts(f, "first_pts");
    a->end_pts = reel_part_pts(f, "end_pts");
    a->ends = reel_fields_has(f, "ends") && reel_fields_bool(f, "ends");
    a->sample_rate = reel_fields_u32(f, "sample_rate", 1, UINT32_MAX);
    a->channels = reel_fields_u32(f, "channels", 1, 1024);
    reel_fields_text(f, "language", a->language, sizeof(a->language), 0);

    /* facts of before there were several have neither */
    if (reel_fields_has(f, "roles")) {
        reel_fields_text(f, "label", a->label, sizeof(a->label), 0);
        a->roles = reel_fields_u32(f, "roles", 0, UINT32_MAX);
    }

    if (reel_fields_has(f, "units")) {
        parse_units(&a->units, f);
    }

    if (a->end_pts < a->first_pts) {
        reel_fields_fail(f, REEL_BADDATA, "end_pts",
                         "lies before the first one");
    }
}


static void
parse_more(reel_source_t *s, reel_fields_t *f)
{
    size_t         i;
    json_t        *list;
    reel_fields_t  in;

    list = reel_fields_array(f, "more_audio", REEL_SOURCE_AUDIOS - 1);
    s->nmore = json_array_size(list);

    if (s->nmore > 0 && s->audio.stream < 0) {
        reel_fields_fail(f, REEL_BADDATA, "more_audio",
                         "stands without a first one");
    }

    for (i = 0; i < s->nmore && f->err == REEL_OK; i++) {
        in = reel_fields_element(f, json_array_get(list, i), "more_audio");
        parse_audio(&s->more[i], &in);
        reel_fields_join(f, &in);
    }
}


static void
parse_cover(reel_source_cover_t *c, reel_fields_t *f)
{
    c->stream = (int) reel_fields_int(f, "stream", 0, INT32_MAX);
    c->tb = reel_fields_rational(f, "tb");
    c->width = reel_fields_u32(f, "width", 1, 65535);
    c->height = reel_fields_u32(f, "height", 1, 65535);
}


static void
parse_texts(reel_source_t *s, reel_fields_t *f)
{
    size_t              i;
    json_t             *list;
    reel_fields_t       in;
    reel_source_text_t *t;

    list = reel_fields_array(f, "texts", REEL_SOURCE_TEXTS);
    s->ntexts = json_array_size(list);

    for (i = 0; i < s->ntexts && f->err == REEL_OK; i++) {
        t = &s->texts[i];
        in = reel_fields_element(f, json_array_get(list, i), "texts");
        t->stream = (int) reel_fields_int(&in, "stream", 0, INT32_MAX);
        reel_fields_text(&in, "codec", t->codec, sizeof(t->codec), 1);
        t->tb = reel_fields_rational(&in, "tb");
        reel_fields_text(&in, "language", t->language, sizeof(t->language),
                         0);
        reel_fields_text(&in, "label", t->label, sizeof(t->label), 0);
        t->roles = reel_fields_u32(&in, "roles", 0, UINT32_MAX);
        reel_fields_join(f, &in);
    }
}


reel_err_t
reel_source_parse(reel_source_t *s, const char *json, size_t len,
    reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f, inner;

    *s = (reel_source_t) { .video.stream = -1, .audio.stream = -1 };

    err = reel_fields_load(&f, json, len, REEL_ANSWER_MAX, "source", e);
    if (err != REEL_OK) {
        return err;
    }

    reel_fields_text(&f, "format", s->format, sizeof(s->format), 0);
    s->bytes = reel_fields_uint(&f, "bytes", UINT64_MAX);

    if (reel_fields_has(&f, "video")) {
        inner = reel_fields_object(&f, "video");
        parse_video(&s->video, &inner);
        reel_fields_join(&f, &inner);
    }

    if (reel_fields_has(&f, "audio")) {
        inner = reel_fields_object(&f, "audio");
        parse_audio(&s->audio, &inner);
        reel_fields_join(&f, &inner);
    }

    if (reel_fields_has(&f, "more_audio")) {
        parse_more(s, &f);
    }

    if (reel_fields_has(&f, "cover")) {
        inner = reel_fields_object(&f, "cover");
        parse_cover(&s->cover, &inner);
        reel_fields_join(&f, &inner);
    }

    if (reel_fields_has(&f, "texts")) {
        parse_texts(s, &f);
    }
    reel_part_warnings_parse(&f, &s->warnings);

    reel_part_trials_parse(&f, &s->trials);

    json_decref(f.obj);

    if (f.err != REEL_OK) {
        reel_source_release(s);
    }

    return f.err;
}


void
reel_source_release(reel_source_t *s)
{
    free(s->video.keyframes);
    *s = (reel_source_t) { .video.stream = -1, .audio.stream = -1 };
}

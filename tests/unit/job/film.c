#include "tests/unit/job/film.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static void
make_keys(reel_source_video_t *v, const film_t *f, int64_t frame)
{
    uint64_t i, every = f->key_every ? f->key_every : f->frames;

    v->nkeyframes = (f->frames + every - 1) / every;
    v->keyframes = calloc(v->nkeyframes, sizeof(int64_t));
    assert_non_null(v->keyframes);

    for (i = 0; i < v->nkeyframes; i++) {
        v->keyframes[i] = v->first_pts + (int64_t) (i * every) * frame;
    }
}


void
film_make(reel_source_t *s, const film_t *f)
{
    int64_t              frame;
    reel_source_audio_t *a = &s->audio;
    reel_source_video_t *v = &s->video;

    *s = (reel_source_t) { .bytes = 1 };
    v->stream = a->stream = -1;
    (void) snprintf(s->format, sizeof(s->format), "synthetic");

    if (f->num != 0) {
        frame = (int64_t) f->den * 1000;
        v->stream = 0;
        (void) snprintf(v->codec, sizeof(v->codec), "h264");
        v->tb = (reel_rational_t) { 1, f->num * 1000 };
        v->first_pts = llround(f->video_start * f->num * 1000);
        v->last_pts = v->first_pts + (int64_t) (f->frames - 1) * frame;
        v->last_dur = frame;
        v->frames = f->frames;
        v->constant_rate = !f->variable;
        v->rate = (reel_rational_t) { f->num, f->den };
        v->width = f->width ? f->width : 1920;
        v->height = f->height ? f->height : 1080;
        make_keys(v, f, frame);
    }

    if (f->audio_len > 0) {
        a->stream = 1;
        (void) snprintf(a->codec, sizeof(a->codec), "aac");
        a->tb = (reel_rational_t) { 1, 48000 };
        a->first_pts = llround(f->audio_start * 48000);
        a->end_pts = a->first_pts + llround(f->audio_len * 48000);
        a->sample_rate = 48000;
        a->channels = 2;
        (void) snprintf(a->language, sizeof(a->language), "en");
    }
}


const reel_planned_t *
film_task(const reel_plan_t *p, const char *name)
{
    size_t i;

    for (i = 0; i < p->ntasks; i++) {
        if (strcmp(p->tasks[i].name, name) == 0) {
            return &p->tasks[i];
        }
    }

    return NULL;
}

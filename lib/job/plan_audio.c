/*
 * Tasks of sound: each kept track in stereo (or mono), and those with six
 * channels or more once more in 5.1, where the pipeline wants it.
 */

#include <stdio.h>
#include <string.h>

#include "lib/job/plan_part.h"

/* of a core, for a second of one channel or two; more have more */
#define AUDIO_US_SECOND    26000
#define LOUDNESS_US_SECOND 15000

#define DEFAULT_CHANNELS  2
#define SURROUND_CHANNELS 6

/* of a sound that is copied: what a payload says at least */
#define KBPS_LEAST        8


static uint32_t
object_frags(const reel_planner_t *p)
{
    uint64_t n;

    n = (uint64_t) p->pl->audio_object_s * p->t.grid.timescale
        / p->t.grid.gop_ts;

    /* whole segments, so that few of them span two objects */
    n = (n + REEL_SEGMENT_FRAGMENTS / 2) / REEL_SEGMENT_FRAGMENTS
        * REEL_SEGMENT_FRAGMENTS;

    return n == 0 ? REEL_SEGMENT_FRAGMENTS : (uint32_t) n;
}


void
reel_plan_sounds(reel_planner_t *p)
{
    uint32_t i;

    for (i = 0; i < p->t.naudios; i++) {
        p->sounds[p->nsounds++] = (reel_plan_sound_t) { .track = i };
    }

    for (i = 0; p->pl->audio_surround && i < p->t.naudios; i++) {
        if (reel_source_audio(p->src, i)->channels >= SURROUND_CHANNELS) {
            p->sounds[p->nsounds++] = (reel_plan_sound_t) {
                .track = i, .surround = true
            };
        }
    }
}


static uint32_t
kbps_of(const reel_planner_t *p, uint32_t track, bool surround)
{
    uint32_t kbps = reel_source_audio(p->src, track)->units.kbps;

    return surround ? p->pl->audio_surround_kbps
           : !p->t.copied[track] ? p->pl->audio_kbps
           : kbps > KBPS_LEAST ? kbps : KBPS_LEAST;
}


/* "a128", "o96", "a384-51" */
static void
name_plain(char dst[16], const reel_planner_t *p, uint32_t track,
    bool surround)
{
    (void) snprintf(dst, 16, "%c%u%s", !surround
                    && p->pl->audio_codec == REEL_AUDIO_OPUS ? 'o' : 'a',
                    kbps_of(p, track, surround), surround ? "-51" : "");
}


/* the first track has the plain name, others are told by their language */
static void
name_audio(char dst[33], const reel_planner_t *p, uint32_t track,
    bool surround)
{
    char                       plain[16], other[33];
    uint32_t                   i;
    unsigned                   nth = 1;
    const reel_source_audio_t *a = reel_source_audio(p->src, track);

    name_plain(plain, p, track, surround);

    if (track == 0) {
        memcpy(dst, plain, sizeof(plain));
        return;
    }

    do {
        reel_plan_name(dst, plain, a->language, nth++);

        /* of a few tracks: cheaper than keeping their names */
        for (i = 1; i < track; i++) {
            name_audio(other, p, i, surround);
            if (strcmp(other, dst) == 0) {
                break;
            }
        }
    } while (i < track);
}


static bool
is_measured(const reel_planner_t *p)
{
    return p->pl->audio_lufs != 0
           && reel_node_wanted(p->pl, REEL_TASK_LOUDNESS, p->src);
}


static void
name_loudness(char dst[REEL_TASK_NAME], uint32_t sound)
{
    reel_task_name_exec(dst, reel_task_type_name(REEL_TASK_LOUDNESS),
                        sound > 0, sound);
}


/* what encode_audio and loudness are told of a sound */
static void
describe_audio(reel_encode_audio_t *t, const reel_planner_t *p,
    uint32_t sound)
{
    bool                       surround = p->sounds[sound].surround;
    uint32_t                   track = p->sounds[sound].track;
    const reel_source_audio_t *a = reel_source_audio(p->src, track);

    *t = (reel_encode_audio_t) {
        .grid = p->t.grid,
        .stream = a->stream,
        .tb = a->tb,
        .jumps = a->jumps,
        .origin = p->t.audio_origin[track],
        .ends = a->ends,
        .codec = surround ? REEL_AUDIO_AAC : p->pl->audio_codec,
        .kbps = kbps_of(p, track, surround),
        .copy = p->t.copied[track] && !surround,
        .channels = surround ? SURROUND_CHANNELS
                    : p->pl->audio_channels ? p->pl->audio_channels
                                            : DEFAULT_CHANNELS,
        /* the two families of rates; resampling within one is exact */
        .sample_rate = a->sample_rate > 0 && a->sample_rate % 11025 == 0
                       && (surround || p->pl->audio_codec == REEL_AUDIO_AAC)
                       ? 44100 : 48000,
        .roles = a->roles,
        .object_frags = object_frags(p),
        .frag_to = p->t.grid.fragments,
    };

    if (t->copy) {
        t->channels = a->channels;
        t->sample_rate = a->sample_rate;
    }

    name_audio(t->name, p, track, surround);
    memcpy(t->language, a->language, sizeof(t->language));
    memcpy(t->label, a->label, sizeof(t->label));
}


static reel_planned_t *
add_sound_task(reel_planner_t *p, reel_task_type_t type, uint32_t sound,
    const reel_encode_audio_t *t, uint32_t us_second)
{
    uint64_t        us;
    reel_buf_t      b;
    reel_planned_t *k;

    us = (uint64_t) reel_plan_span_ms(&p->t.grid, t->frag_from, t->frag_to)
         * us_second / 1000;
    if (t->channels > DEFAULT_CHANNELS) {
        us = us * t->channels / DEFAULT_CHANNELS;
    }

    k = t->copy ? reel_plan_add_task(p, type, REEL_SLOTS_LIGHT, 0)
                : reel_plan_add_task(p, type, 1, us);
    if (k == NULL) {
        return NULL;
    }

    k->each = p->sounds[sound].track;
    k->needs.memory_mib = t->copy ? 0 : reel_plan_memory(0);

    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    reel_plan_set_payload(p, k, &b, reel_encode_audio_print(&b, t));

    return k;
}


static void
add_loudness(reel_planner_t *p, uint32_t sound)
{
    reel_planned_t      *k;
    reel_encode_audio_t  t;

    describe_audio(&t, p, sound);
    k = add_sound_task(p, REEL_TASK_LOUDNESS, sound, &t, LOUDNESS_US_SECOND);

    if (k != NULL) {
        name_loudness(k->name, sound);
    }
}


/* the measuring that an encode waits for */
static void
add_measured(reel_planner_t *p, reel_planned_t *k, const char *name)
{
    uint32_t i = 0;

    while (strcmp(p->plan->tasks[i].name, name) != 0) {
        i++;
    }

    reel_plan_wait(p, k, i);
}


static void
add_audio(reel_planner_t *p, uint32_t sound, uint32_t stretch, uint32_t from,
    uint32_t to)
{
    reel_planned_t      *k;
    reel_encode_audio_t  t;

    describe_audio(&t, p, sound);
    t.frag_from = from;
    t.frag_to = to;

    if (is_measured(p)) {
        t.lufs = p->pl->audio_lufs;
        name_loudness(t.measured, sound);
    }

    k = add_sound_task(p, REEL_TASK_ENCODE_AUDIO, sound, &t, AUDIO_US_SECOND);
    if (k == NULL) {
        return;
    }

    reel_task_name_audio(k->name, stretch, sound);
    k->work_ms = reel_plan_span_ms(&p->t.grid, from, to);
    reel_plan_add_rendition(k, t.name);

    if (t.lufs != 0) {
        add_measured(p, k, t.measured);
    }
}


void
reel_plan_add_audio(reel_planner_t *p, uint32_t stretch, uint32_t from,
    uint32_t to)
{
    uint32_t i;

    for (i = 0; stretch == 0 && is_measured(p) && i < p->nsounds; i++) {
        add_loudness(p, i);
    }

    for (i = 0; i < p->nsounds; i++) {
        add_audio(p, i, stretch, from, to);
    }
}

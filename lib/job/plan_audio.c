/*
 * Tasks of sound: each kept track in stereo (or mono), and those with six
 * channels or more once more in 5.1, where the pipeline wants it.
 */

#include <stdio.h>
#include <string.h>

#include "lib/job/plan_part.h"

/* measured, of a core, for a second of one channel or two; more have more */
#define AUDIO_US_SECOND    26000
#define LOUDNESS_US_SECOND 2000

/* of a film of this length, at most, each encode measures all of its sound: a
   clip would wait for a core once more for a task that is done in a moment */
#define MEASURE_MS         30000

/* of what is copied, and for a byte of a file that is read to get there */
#define COPY_US_SECOND     300
#define READ_NS_BYTE       2

/*
 * A task of sound costs about what one of the pictures does, so that what
 * waits for a core waits no longer for it.  Where there are no pictures, or
 * theirs cost nearly nothing: so much.
 */
#define STRETCH_US         8000000
#define STRETCH_LEAST_US   2000000
#define TASKS_MAX          8192

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


static bool
measures_itself(const reel_planner_t *p)
{
    return reel_plan_span_ms(&p->t.grid, 0, p->t.grid.fragments)
           <= MEASURE_MS;
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


static uint64_t
cost_us(const reel_planner_t *p, const reel_encode_audio_t *t,
    uint32_t us_second)
{
    uint64_t us;

    us = (uint64_t) reel_plan_span_ms(&p->t.grid, t->frag_from, t->frag_to)
         * us_second / 1000;

    return t->channels <= DEFAULT_CHANNELS ? us
           : us * t->channels / DEFAULT_CHANNELS;
}


/* all of the sound, of which t may be a stretch */
static uint64_t
measuring_us(const reel_planner_t *p, const reel_encode_audio_t *t)
{
    reel_encode_audio_t all = *t;

    all.frag_from = 0;
    all.frag_to = t->grid.fragments;

    return cost_us(p, &all, LOUDNESS_US_SECOND);
}


static reel_planned_t *
add_sound_task(reel_planner_t *p, reel_task_type_t type, uint32_t sound,
    const reel_encode_audio_t *t, uint64_t us)
{
    reel_buf_t      b;
    reel_planned_t *k;

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
    k = add_sound_task(p, REEL_TASK_LOUDNESS, sound, &t,
                       measuring_us(p, &t));

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
    uint64_t             us;
    reel_planned_t      *k;
    reel_encode_audio_t  t;

    describe_audio(&t, p, sound);
    t.frag_from = from;
    t.frag_to = to;
    us = cost_us(p, &t, AUDIO_US_SECOND);

    if (is_measured(p)) {
        t.lufs = p->pl->audio_lufs;
        if (measures_itself(p)) {
            us += measuring_us(p, &t);
        } else {
            name_loudness(t.measured, sound);
        }
    }

    k = add_sound_task(p, REEL_TASK_ENCODE_AUDIO, sound, &t, us);
    if (k == NULL) {
        return;
    }

    reel_task_name_audio(k->name, stretch, sound);
    k->work_ms = reel_plan_span_ms(&p->t.grid, from, to);
    reel_plan_add_rendition(k, t.name);

    if (t.measured[0] != '\0') {
        add_measured(p, k, t.measured);
    }
}


/* of all the film in one task: of the sound that costs most */
static uint64_t
dearest_us(const reel_planner_t *p)
{
    uint32_t            i;
    uint64_t            us, most = 1;
    reel_encode_audio_t t;

    for (i = 0; i < p->nsounds; i++) {
        describe_audio(&t, p, i);
        us = cost_us(p, &t, t.copy ? COPY_US_SECOND : AUDIO_US_SECOND);
        most = us > most ? us : most;
    }

    return most;
}


/* formats that are read from their beginning to every stretch: all of this
   costs no more than the sound does */
static uint32_t
most_stretches(const reel_planner_t *p, uint64_t us)
{
    uint64_t read, most = TASKS_MAX / p->nsounds;

    if (!reel_format_seeks(p->src->format)) {
        read = p->src->bytes * READ_NS_BYTE / 1000 + 1;
        most = 2 * us / read < most ? 2 * us / read : most;
    }

    return most < 1 ? 1 : (uint32_t) most;
}


void
reel_plan_stretches(reel_planner_t *p)
{
    uint32_t head, rest, objects = object_frags(p);
    uint64_t n, us, least, one = reel_plan_chunk_us(p);

    p->stretches = 1;
    p->stretch_frags = p->t.grid.fragments;

    if (p->nsounds == 0) {
        return;
    }

    one = p->nchunks == 0 ? STRETCH_US
          : one < STRETCH_LEAST_US ? STRETCH_LEAST_US : one;
    us = dearest_us(p);

    head = p->growing ? p->chunks[0].to : 0;
    rest = p->t.grid.fragments - head;

    /* of whole objects, as if it were one task */
    n = one * p->t.grid.fragments / us / objects;
    least = rest / most_stretches(p, us) / objects;
    n = n > least ? n : least + 1;
    n *= objects;

    p->stretch_frags = n < rest ? (uint32_t) n : rest;
    p->stretches = p->growing + (rest - 1) / p->stretch_frags + 1;
}


uint32_t
reel_plan_stretch_from(const reel_planner_t *p, uint32_t stretch)
{
    uint32_t head = p->growing ? p->chunks[0].to : p->stretch_frags;

    return stretch == 0 ? 0
           : stretch >= p->stretches ? p->t.grid.fragments
           : head + (stretch - 1) * p->stretch_frags;
}


void
reel_plan_add_audio(reel_planner_t *p, uint32_t stretch)
{
    uint32_t i;

    if (stretch == 0 && is_measured(p) && !measures_itself(p)) {
        for (i = 0; i < p->nsounds; i++) {
            add_loudness(p, i);
        }
    }

    for (i = 0; i < p->nsounds; i++) {
        add_audio(p, i, stretch, reel_plan_stretch_from(p, stretch),
                  reel_plan_stretch_from(p, stretch + 1));
    }
}

/* one task of each kind: its cost, its limits, its payload */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rescale.h"
#include "lib/job/plan_part.h"

/* measured as REEL_DECODE_NS_PIXEL was */
#define ENCODE_NS_PIXEL  30
#define LEAST_COST_MS    50
#define POSTER_COST_MS   500

/* 5 GB of Matroska, from memory, took 0.9 s */
#define READ_BYTES_US    5000

/* of a child that decodes and encodes: 350 MiB for 1080p and its ladder.  In
   steps, so that few queues are made */
#define MEMORY_LEAST     64
#define MEMORY_PIXEL     52     /* bytes, of the source and of each rung */
#define MEMORY_STEP      128    /* MiB */

/* an attempt may take this many times its estimate */
#define PATIENCE         10


reel_planned_t *
reel_plan_add_task(reel_planner_t *p, reel_task_type_t type, uint32_t slots,
    uint64_t cost_us)
{
    uint64_t          ms, patience;
    reel_planned_t   *k;
    uint32_t          node = type;
    const reel_node_t *n;

    if (p->err != REEL_OK) {
        return NULL;
    }

    /* a type may have more nodes than the built-in one */
    if (p->node < p->pl->nnodes && p->pl->nodes[p->node].type == type) {
        node = p->node;
    }
    n = &p->pl->nodes[node];

    ms = cost_us / 1000;
    ms = ms < LEAST_COST_MS ? LEAST_COST_MS : ms;
    ms = ms > UINT32_MAX ? UINT32_MAX : ms;
    patience = ms * PATIENCE / 1000;

    k = &p->plan->tasks[p->plan->ntasks++];
    k->type = type;
    k->needs.slots = slots;
    k->needs.priority = REEL_PRIORITY;
    k->cost = (uint32_t) ms;
    k->node = node;
    k->attempts = n->attempts;
    k->timeout_s = patience > n->timeout_s ? (uint32_t) patience
                                           : n->timeout_s;

    return k;
}


void
reel_plan_set_payload(reel_planner_t *p, reel_planned_t *k, reel_buf_t *b,
    reel_err_t err)
{
    if (err != REEL_OK) {
        p->err = err;
        reel_buf_release(b);
        return;
    }

    k->payload = reel_buf_take(b, NULL);

    if (k->payload == NULL) {
        p->err = REEL_NOMEM;
    }
}


void
reel_plan_wait(reel_planner_t *p, reel_planned_t *k, uint32_t task)
{
    k->deps = malloc(sizeof(*k->deps));

    if (k->deps == NULL) {
        p->err = REEL_NOMEM;
        return;
    }

    k->deps[0] = task;
    k->ndeps = 1;
}


void
reel_plan_add_rendition(reel_planned_t *k, const char *name)
{
    size_t len = strlen(k->renditions);

    (void) snprintf(k->renditions + len, sizeof(k->renditions) - len, "%s%s",
                    len == 0 ? "" : ",", name);
}


uint32_t
reel_plan_span_ms(const reel_grid_t *g, uint32_t from, uint32_t to)
{
    int64_t ms;

    ms = reel_rescale(reel_grid_tick(g, to) - reel_grid_tick(g, from), 1000,
                      g->timescale, REEL_ROUND_NEAR);

    return ms < 1 ? 1 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t) ms;
}


static uint64_t
frames_in(const reel_planner_t *p, int64_t ticks)
{
    return (uint64_t) reel_rescale(ticks, p->t.rate.num,
                                   (uint64_t) p->t.rate.den
                                   * p->t.grid.timescale, REEL_ROUND_UP);
}


uint32_t
reel_plan_memory(uint64_t pixels)
{
    uint64_t mib = MEMORY_LEAST + (pixels * MEMORY_PIXEL >> 20);

    return (uint32_t) ((mib + MEMORY_STEP - 1) / MEMORY_STEP * MEMORY_STEP);
}


/* x265 and SVT-AV1 take so many times x264's time, at their presets */
static const uint32_t effort[REEL_VIDEO_CODECS] = { 1, 5, 4 };


/* pixels of rungs [first, first + n), one picture each, by what they cost */
static uint64_t
rung_effort(const reel_planner_t *p, uint32_t first, uint32_t n)
{
    uint32_t i;
    uint64_t px = 0;

    for (i = first; i < first + n; i++) {
        px += (uint64_t) p->rungs[i].width * p->rungs[i].height
              * effort[p->rungs[i].codec] / p->rungs[i].every;
    }

    return px;
}


/* pixels of rungs [first, first + n), one picture each, by their memory */
static uint64_t
rung_pixels(const reel_planner_t *p, uint32_t first, uint32_t n)
{
    uint32_t i;
    uint64_t px = 0;

    for (i = first; i < first + n; i++) {
        px += (uint64_t) p->rungs[i].width * p->rungs[i].height
              * (p->rungs[i].hdr ? 2 : 1);
    }

    return px;
}


/* rungs [first, first + n) of a chunk, from one decode */
static uint64_t
video_cost(const reel_planner_t *p, const reel_chunk_t *c, uint32_t first,
    uint32_t n)
{
    int64_t  ticks;
    uint64_t frames, px = rung_effort(p, first, n);

    ticks = reel_grid_tick(&p->t.grid, c->to)
            - reel_grid_tick(&p->t.grid, c->from);
    frames = frames_in(p, ticks);

    /* microseconds a picture first: the product fits then */
    return px * ENCODE_NS_PIXEL / 1000 * frames
           + (uint64_t) p->src->video.width * p->src->video.height
             * REEL_DECODE_NS_PIXEL / 1000
             * frames_in(p, ticks + c->preroll_ts);
}


uint64_t
reel_plan_read_us(const reel_planner_t *p, bool all)
{
    return !all && reel_format_is_indexed(p->src->format)
           ? 0 : p->src->bytes / READ_BYTES_US;
}


uint64_t
reel_plan_chunk_us(const reel_planner_t *p)
{
    size_t                   c;
    uint64_t                 us = 0, n = 0;
    uint32_t                 g;
    const reel_rung_group_t *x;

    for (g = 0; g < p->ngroups; g++) {
        x = &p->groups[g];

        for (c = 0; !x->copy && c < p->nchunks; c++) {
            us += video_cost(p, &p->chunks[c], x->first, x->n);
            n++;
        }
    }

    return n == 0 ? 0 : us / n;
}


void
reel_plan_add_video(reel_planner_t *p, uint32_t chunk, uint32_t number,
    const reel_rung_group_t *g)
{
    uint32_t                   i, first = g->first, n = g->n;
    reel_buf_t                 b;
    reel_planned_t            *k;
    reel_encode_video_t        t;
    const reel_chunk_t        *c = &p->chunks[chunk];
    const reel_source_video_t *v = &p->src->video;

    p->node = g->node;
    k = g->copy
        ? reel_plan_add_task(p, REEL_TASK_ENCODE_VIDEO, REEL_SLOTS_LIGHT, 0)
        : reel_plan_add_task(p, REEL_TASK_ENCODE_VIDEO,
                             p->pl->encoder_threads,
                             video_cost(p, c, first, n));
    if (k == NULL) {
        return;
    }

    reel_task_name_video(k->name, chunk, number);
    k->each = chunk;
    if (!g->copy) {
        k->needs.memory_mib = reel_plan_memory((uint64_t) v->width * v->height
                                               + rung_pixels(p, first, n));
    }
    k->work_ms = reel_plan_span_ms(&p->t.grid, c->from, c->to);

    t = (reel_encode_video_t) {
        .grid = p->t.grid,
        .stream = v->stream,
        .tb = v->tb,
        .jumps = v->jumps,
        .origin = p->t.video_origin,
        .seek_pts = c->seek_pts,
        .chunk = chunk,
        .frag_from = c->from,
        .frag_to = c->to,
        .rate = p->t.rate,
        .rotation = v->rotation,
        .hflip = v->hflip,
        .vflip = v->vflip,
        .interlaced = v->interlaced,
        .combed = v->combed,
        .threads = p->pl->encoder_threads,
        .nrungs = n,
        .mark = p->pl->mark,
        .copy = g->copy,
        .delay = g->copy ? v->copy.delay : 0,
    };

    memcpy(t.preset, p->rungs[first].preset, sizeof(t.preset));

    for (i = 0; i < n; i++) {
        t.rungs[i] = p->rungs[first + i];
        t.light = t.rungs[i].hdr ? v->light : t.light;
        reel_plan_add_rendition(k, t.rungs[i].name);

        if (strcmp(t.rungs[i].preset, t.preset) == 0) {
            t.rungs[i].preset[0] = '\0';
        }
    }

    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    reel_plan_set_payload(p, k, &b, reel_encode_video_print(&b, &t));
}


void
reel_plan_shrink(const reel_source_video_t *v, uint32_t most,
    uint32_t *width, uint32_t *height)
{
    uint32_t  w, h, to;

    w = v->width < 2 ? 2 : v->width;
    h = v->height < 1 ? 1 : v->height;
    to = most < w ? most : w;

    *width = reel_plan_even(to, 1, 1);
    *height = reel_plan_even(h, to, w);

    /* nearest even, but never larger than the source */
    *width -= *width > w ? 2 : 0;
    *height -= *height > h && h > 1 ? 2 : 0;
}


static bool
has_poster(const reel_planner_t *p)
{
    return (p->t.video || p->src->cover.width > 0)
           && reel_node_wanted(p->pl, REEL_TASK_POSTER, p->src);
}


/* of the film, or the cover of what is sound alone */
void
reel_plan_add_poster(reel_planner_t *p)
{
    reel_buf_t                 b;
    reel_poster_t              t;
    reel_planned_t            *k;
    reel_source_video_t        cover;
    const reel_source_cover_t *c = &p->src->cover;
    const reel_source_video_t *v = &p->src->video;

    if (!has_poster(p)) {
        return;
    }

    k = reel_plan_add_task(p, REEL_TASK_POSTER, REEL_SLOTS_LIGHT,
                           (uint64_t) POSTER_COST_MS * 1000);
    if (k == NULL) {
        return;
    }

    (void) snprintf(k->name, sizeof(k->name), "poster");

    t = (reel_poster_t) {
        .stream = v->stream,
        .tb = v->tb,
        .jumps = v->jumps,
        .at_pts = v->first_pts
                  + reel_rescale(v->last_pts - v->first_pts,
                                 p->pl->poster_percent, 100,
                                 REEL_ROUND_DOWN),
        .rotation = v->rotation,
        .hflip = v->hflip,
        .vflip = v->vflip,
        .combed = v->combed,
    };

    if (!p->t.video) {
        t = (reel_poster_t) { .stream = c->stream, .tb = c->tb };
        cover = (reel_source_video_t) { .width = c->width,
                                        .height = c->height };
        v = &cover;
    }

    reel_plan_shrink(v, p->pl->poster_width, &t.width, &t.height);

    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    reel_plan_set_payload(p, k, &b, reel_poster_print(&b, &t));
}


/* of copied pictures the last one stands as long as the sound goes on */
static void
count_copied(reel_publish_t *t, const reel_planner_t *p)
{
    if (p->t.copy_gop == 0) {
        return;
    }

    if (p->nrungs == 1) {
        t->frames = p->src->video.frames;
        return;
    }

    memcpy(t->copied, p->rungs[0].name, sizeof(t->copied));
    t->copied_frames = p->src->video.frames;
}


/* a publish waits for every task before it */
void
reel_plan_add_publish(reel_planner_t *p, bool growing)
{
    size_t           i;
    reel_buf_t       b;
    reel_planned_t  *k;
    reel_publish_t   t;

    k = reel_plan_add_task(p, REEL_TASK_PUBLISH, REEL_SLOTS_LIGHT,
                           (uint64_t) p->plan->ntasks * 1000);
    if (k == NULL) {
        return;
    }

    (void) snprintf(k->name, sizeof(k->name), growing ? "publish0"
                                                      : "publish");

    t = (reel_publish_t) {
        .grid = p->t.grid,
        .growing = growing,
        .frag_to = growing ? p->chunks[0].to : p->t.grid.fragments,
        .chunks = growing ? 1 : (uint32_t) p->nchunks,
        .first_groups = p->nchunks == 0 ? 0 : growing ? 1
                        : p->ngroups + (p->groups[0].n > 1),
        .groups = !growing && p->nchunks > 1 ? p->ngroups : 0,
        .audios = !p->t.audio ? 0 : growing ? 1 : p->stretches,
        .audio_tracks = p->nsounds,
        .poster = !growing && has_poster(p),
        .storyboard = !growing && reel_plan_has_storyboard(p),
        .texts = growing ? 0 : reel_plan_texts(p),
    };

    if (p->t.video && p->t.grid.frame_ts != 0) {
        t.frames = (uint64_t) reel_grid_tick(&p->t.grid, t.frag_to)
                   / p->t.grid.frame_ts;
    }

    if (!growing) {
        count_copied(&t, p);
        memcpy(t.pictures, p->plan->pictures, sizeof(t.pictures));
        memcpy(t.sound, p->plan->sound, sizeof(t.sound));
    }

    t.nfiles = growing ? 0 : reel_plan_files(p, t.files);

    k->ndeps = p->plan->ntasks - 1;
    k->deps = malloc((k->ndeps + 1) * sizeof(uint32_t));

    if (k->deps == NULL) {
        p->err = REEL_NOMEM;
        return;
    }

    for (i = 0; i < k->ndeps; i++) {
        k->deps[i] = (uint32_t) i;
    }

    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    reel_plan_set_payload(p, k, &b, reel_publish_print(&b, &t));
}

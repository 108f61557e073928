/*
 * The storyboard.  Key frames alone are cheap, so the steps are no finer
 * than the source's key frames, up to STEP_MAX_S; only a short film (less
 * than PICTURES_WANTED such steps), or one with fewer key frames still, is
 * decoded for it.
 */

#include <stdio.h>
#include <string.h>

#include "lib/base/rescale.h"
#include "lib/job/plan_part.h"

#define STEP_MAX_S       10
#define PICTURES_WANTED  6
/* rather coarse steps than all of a long film decoded */
#define STEP_LONG_S      60
#define PICTURES_LONG    60
#define INTERVAL_MAX_S   3600
#define SHEET_SIDE       16384          /* what any decoder of JPEG takes */

/* measured, of a core: what a task begins with; a pixel of the source that is
   decoded and scaled; one that is made, scaled and in JPEG; each frame of the
   source that is decoded in passing, and its pixels */
#define SETUP_US          50000
#define PICTURE_NS_PIXEL  7
#define MADE_NS_PIXEL     10
#define PASSING_US        40
#define PASSING_NS_PIXEL  2


/* pictures cost no more than so many chunks do; a few are always there */
#define CHUNKS_COST       3
#define COST_LEAST_US     10000000
#define PICTURES_LEAST    200


/* may a step of so many seconds do with key frames: nine times of ten? */
static bool
keys_suffice(const reel_planner_t *p, uint32_t step_s)
{
    size_t                     i;
    int64_t                    gap, step, far = 0, all = 0;
    const reel_source_video_t *v = &p->src->video;

    step = reel_rescale(step_s, v->tb.den, v->tb.num, REEL_ROUND_UP);

    for (i = 0; i < v->nkeyframes; i++) {
        gap = (i + 1 < v->nkeyframes ? v->keyframes[i + 1] : v->last_pts)
              - v->keyframes[i];
        all += gap > 0 ? gap : 0;
        far += gap > step ? gap - step : 0;
    }

    return v->nkeyframes > 0 && far <= all / 10;
}


static uint32_t
duration_ms(const reel_planner_t *p)
{
    int64_t ms;

    ms = reel_rescale(p->t.grid.end_ts, 1000, p->t.grid.timescale,
                      REEL_ROUND_UP);

    return ms < 1 ? 1 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t) ms;
}


static uint64_t
source_pixels(const reel_planner_t *p)
{
    return (uint64_t) p->src->video.width * p->src->video.height;
}


/* one picture in all its sizes */
static uint64_t
picture_us(const reel_planner_t *p, const reel_storyboard_t *t)
{
    uint32_t i;
    uint64_t made = 0;

    for (i = 0; i < t->nsets; i++) {
        made += (uint64_t) t->sets[i].width * t->sets[i].height;
    }

    return (source_pixels(p) * PICTURE_NS_PIXEL + made * MADE_NS_PIXEL) / 1000
           + 1;
}


/* what all pictures share */
static uint64_t
shared_us(const reel_planner_t *p, const reel_storyboard_t *t)
{
    return SETUP_US + reel_plan_read_us(p, t->exact);
}


static uint32_t
most_pictures(const reel_planner_t *p, const reel_storyboard_t *t)
{
    uint64_t us = CHUNKS_COST * reel_plan_chunk_us(p), n;
    uint64_t shared = shared_us(p, t);

    us = us < COST_LEAST_US ? COST_LEAST_US : us;
    n = us < shared ? 0 : (us - shared) / picture_us(p, t);

    return n < PICTURES_LEAST ? PICTURES_LEAST
           : n > REEL_STORY_PICTURES ? REEL_STORY_PICTURES : (uint32_t) n;
}


static void
choose_steps(const reel_planner_t *p, reel_storyboard_t *t)
{
    uint32_t ms = duration_ms(p), s, most, longest;

    s = ms / (most_pictures(p, t) * 1000) + 1;
    s = s < p->pl->story_interval_s ? p->pl->story_interval_s : s;
    s = s > INTERVAL_MAX_S ? INTERVAL_MAX_S : s;

    most = ms / (PICTURES_WANTED * 1000);
    most = most > STEP_MAX_S ? STEP_MAX_S : most;
    longest = ms / (PICTURES_LONG * 1000);
    longest = longest > STEP_LONG_S ? STEP_LONG_S : longest;
    most = longest > most ? longest : most;

    t->interval_ms = s * 1000;
    t->exact = true;

    do {
        if (keys_suffice(p, s)) {
            t->interval_ms = s * 1000;
            t->exact = false;
            break;
        }
    } while (++s <= most);

    t->count = (ms - 1) / t->interval_ms + 1;
    t->count = t->count > REEL_STORY_PICTURES ? REEL_STORY_PICTURES
                                              : t->count;
}


static void
choose_sets(const reel_planner_t *p, reel_storyboard_t *t)
{
    uint32_t          i;
    reel_story_set_t *s;

    for (i = 0; i < p->pl->nstory_widths; i++) {
        s = &t->sets[t->nsets];
        *s = (reel_story_set_t) { .columns = 1, .rows = 1 };
        reel_plan_shrink(&p->src->video, p->pl->story_widths[i], &s->width,
                         &s->height);

        /* a small source has no larger pictures */
        if (t->nsets == 0 || s->width > s[-1].width) {
            t->nsets++;
        }
    }

    s = &t->sets[t->nsets++];
    *s = (reel_story_set_t) { .columns = p->pl->story_columns,
                              .rows = p->pl->story_rows };
    reel_plan_shrink(&p->src->video, p->pl->story_tile_width, &s->width,
                     &s->height);

    while (s->columns > 1 && s->width > SHEET_SIDE / s->columns) {
        s->columns--;
    }

    while (s->rows > 1 && s->height > SHEET_SIDE / s->rows) {
        s->rows--;
    }
}


static uint64_t
cost_us(const reel_planner_t *p, const reel_storyboard_t *t)
{
    uint64_t us = shared_us(p, t) + picture_us(p, t) * t->count;

    return t->exact
           ? us + (source_pixels(p) * PASSING_NS_PIXEL / 1000 + PASSING_US)
                  * p->src->video.frames
           : us;
}


bool
reel_plan_has_storyboard(const reel_planner_t *p)
{
    return p->t.video && p->pl->story_interval_s != 0
           && reel_node_wanted(p->pl, REEL_TASK_STORYBOARD, p->src);
}


void
reel_plan_add_storyboard(reel_planner_t *p)
{
    reel_buf_t                 b;
    reel_planned_t            *k;
    reel_storyboard_t          t;
    const reel_source_video_t *v = &p->src->video;

    if (!reel_plan_has_storyboard(p)) {
        return;
    }

    t = (reel_storyboard_t) {
        .stream = v->stream,
        .tb = v->tb,
        .jumps = v->jumps,
        .origin = p->t.video_origin,
        .rotation = v->rotation,
        .hflip = v->hflip,
        .vflip = v->vflip,
    };

    choose_sets(p, &t);
    choose_steps(p, &t);

    k = reel_plan_add_task(p, REEL_TASK_STORYBOARD, 1, cost_us(p, &t));
    if (k == NULL) {
        return;
    }

    (void) snprintf(k->name, sizeof(k->name), "storyboard");
    k->needs.memory_mib = reel_plan_memory((uint64_t) v->width * v->height);

    t.tries = k->attempts;
    k->attempts += REEL_SPARE_ATTEMPTS;

    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    reel_plan_set_payload(p, k, &b, reel_storyboard_print(&b, &t));
}

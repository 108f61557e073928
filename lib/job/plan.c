/*
 * Tasks from parts.  Order is urgency: what shows the first picture comes
 * first (the lowest rung of chunk 0, the head of the sound, publish0), then
 * chunk after chunk.  A task depends on earlier ones only.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/job/plan_part.h"


/* every group of a chunk; of chunk 0 what is left of the first one */
static void
add_chunk(reel_planner_t *p, uint32_t chunk)
{
    uint32_t           g, at = 0;
    reel_rung_group_t  x;

    for (g = 0; g < p->ngroups; g++) {
        x = p->groups[g];

        if (chunk == 0 && g == 0) {
            /* its lowest rung is v0.0 */
            at = 1;
            x.n--;
        }

        if (x.n > 0) {
            reel_plan_add_video(p, chunk, at++, &x);
        }
    }
}


static void
add_first(reel_planner_t *p)
{
    reel_rung_group_t x = p->groups[0];

    x.first += x.n - 1;
    x.n = 1;
    reel_plan_add_video(p, 0, 0, &x);
}


/* those stretches of the sound, from *next on, that start before `to` */
static void
add_sound(reel_planner_t *p, uint32_t *next, uint32_t to)
{
    while (p->t.audio && *next < p->stretches
           && reel_plan_stretch_from(p, *next) < to)
    {
        reel_plan_add_audio(p, (*next)++);
    }
}


static void
add_all(reel_planner_t *p)
{
    uint32_t i, sound = 0;

    if (p->t.video) {
        add_first(p);
    }

    add_sound(p, &sound, p->t.video ? 1 : UINT32_MAX);

    if (p->growing) {
        reel_plan_add_publish(p, true);
    }

    reel_plan_add_poster(p);
    reel_plan_add_texts(p);

    if (p->t.video) {
        add_chunk(p, 0);
    }

    for (i = 1; i < p->nchunks; i++) {
        add_chunk(p, i);

        add_sound(p, &sound, p->chunks[i].to);

        if (i == 1) {
            reel_plan_add_storyboard(p);
        }
    }

    add_sound(p, &sound, UINT32_MAX);

    if (p->nchunks == 1) {
        reel_plan_add_storyboard(p);
    }

    reel_plan_add_execs(p);
    reel_plan_weigh_execs(p);
    reel_plan_add_publish(p, false);
    reel_plan_link(p);
}


static reel_err_t
check_duration(const reel_grid_t *g, uint64_t max_s, reel_error_t *e)
{
    uint64_t seconds = (uint64_t) (g->end_ts / g->timescale);

    /* a limit of 60 s holds for 60.04 s of sound frames too */
    if (max_s != 0 && seconds > max_s) {
        return reel_fail(e, REEL_LIMIT, "the film is %llu s long, allowed "
                         "are %llu s", (unsigned long long) seconds,
                         (unsigned long long) max_s);
    }

    return REEL_OK;
}


static size_t
most_tasks(const reel_planner_t *p)
{
    size_t   n;
    uint32_t i;

    /* beside the chunks: v0.1 poster storyboard publish0 publish, and
       a0 … loudness … t0 … */
    n = p->nchunks * p->ngroups + 5
        + (size_t) (p->stretches + 1) * p->nsounds + reel_plan_texts(p);

    for (i = 0; i < p->pl->nnodes; i++) {
        n += p->made[i];
    }

    return n;
}


/* what comes before any task, of the first plan and of the second */
static reel_err_t
lay_out(reel_planner_t *p, uint64_t max_duration_s, reel_error_t *e)
{
    reel_err_t err;

    p->node = REEL_PIPELINE_NODES;      /* none */
    err = reel_plan_timeline(&p->t, p->pl, p->src, e);

    return err == REEL_OK ? check_duration(&p->t.grid, max_duration_s, e)
                          : err;
}


static void
tell(reel_plan_t *plan, const reel_timeline_t *t)
{
    plan->grid = t->grid;
    plan->copied = t->copy_gop != 0;

    if (t->copy_gop != 0 && plan->nrungs > 1) {
        (void) snprintf(plan->pictures, REEL_PLAN_WHY, "copied as %s, %u more "
                        "encoded", plan->rungs[0].name, plan->nrungs - 1);

    } else if (t->copy_gop != 0) {
        (void) snprintf(plan->pictures, REEL_PLAN_WHY, "copied");

    } else if (t->encoded[0] != '\0') {
        (void) snprintf(plan->pictures, REEL_PLAN_WHY, "encoded: %s",
                        t->encoded);
    }

    memcpy(plan->sound, t->sound, sizeof(plan->sound));
}


static reel_err_t
make_room(reel_planner_t *p, size_t cap)
{
    p->cap = cap;
    p->plan->tasks = calloc(cap, sizeof(*p->plan->tasks));

    return p->plan->tasks == NULL ? REEL_NOMEM : REEL_OK;
}


static reel_err_t
prepare(reel_planner_t *p, uint64_t max_duration_s, reel_error_t *e)
{
    reel_err_t err = lay_out(p, max_duration_s, e);

    if (err != REEL_OK) {
        return err;
    }

    reel_plan_sounds(p);

    if (p->t.video) {
        err = reel_plan_chunks(&p->chunks, &p->nchunks, p->pl,
                               &p->src->video, &p->t);
    }

    if (p->t.video && err == REEL_OK) {
        err = reel_plan_groups(p, e);
    }

    if (err == REEL_OK) {
        err = reel_plan_execs(p, e);
    }

    if (err != REEL_OK) {
        return err;
    }

    p->growing = p->nchunks > 1 && !reel_plan_raises_target(&p->t.grid);
    reel_plan_stretches(p);
    p->plan->rate = p->t.video ? p->t.rate : (reel_rational_t) { 0, 1 };
    p->plan->range = p->src->video.light.range;
    p->plan->nrungs = p->nrungs;
    memcpy(p->plan->rungs, p->rungs, sizeof(p->rungs));
    tell(p->plan, &p->t);

    return make_room(p, most_tasks(p));
}


static reel_err_t
finish(reel_planner_t *p, reel_error_t *e)
{
    if (p->err != REEL_OK) {
        (void) reel_fail(e, p->err, "a task's payload could not be made");
        reel_plan_release(p->plan);
    }

    return p->err;
}


reel_err_t
reel_plan(reel_plan_t *plan, const reel_pipeline_t *pl,
    const reel_source_t *src, uint64_t max_duration_s, reel_error_t *e)
{
    reel_err_t     err;
    reel_planner_t p = { .plan = plan, .pl = pl, .src = src };

    *plan = (reel_plan_t) { 0 };
    err = prepare(&p, max_duration_s, e);

    if (err == REEL_OK) {
        add_all(&p);
        err = finish(&p, e);
    }

    free(p.chunks);

    return err;
}


reel_err_t
reel_plan_begin(reel_plan_t *plan, const reel_pipeline_t *pl,
    const reel_source_t *src, uint64_t max_duration_s, reel_error_t *e)
{
    reel_err_t       err;
    reel_planner_t   p = { .plan = plan, .src = src };
    reel_pipeline_t *open;

    *plan = (reel_plan_t) { 0 };

    if (pl->title_ssim == 0 || src->trials.n != 0) {
        return reel_plan(plan, pl, src, max_duration_s, e);
    }

    open = reel_plan_untried(pl);
    if (open == NULL) {
        return REEL_NOMEM;
    }

    p.pl = open;

    if (lay_out(&p, max_duration_s, NULL) != REEL_OK
        || !reel_plan_measures(&p))
    {
        free(open);
        return reel_plan(plan, pl, src, max_duration_s, e);
    }

    tell(plan, &p.t);
    err = make_room(&p, 2);

    if (err == REEL_OK) {
        reel_plan_add_complexity(&p);
        err = finish(&p, e);
    }

    free(open);

    return err;
}


void
reel_plan_release(reel_plan_t *p)
{
    size_t i;

    for (i = 0; i < p->ntasks; i++) {
        free(p->tasks[i].payload);
        free(p->tasks[i].deps);
    }

    free(p->tasks);
    *p = (reel_plan_t) { 0 };
}

/*
 * A film that is tried before it is planned: a few seconds, spread over it,
 * at each size of the ladder.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rescale.h"
#include "lib/job/plan_part.h"
#include "lib/job/when.h"

/* pieces of half a second, of a long film a few */
#define SAMPLE_HZ       2
#define SAMPLE_MOST     30      /* pictures */
#define SAMPLE_EVERY_S  20
#define SAMPLES_LEAST   2

/* nanoseconds a pixel of a trial: scaling, encoding in haste, decoding,
   comparing */
#define TRIAL_NS_PIXEL  20


reel_pipeline_t *
reel_plan_untried(const reel_pipeline_t *pl)
{
    uint32_t         i;
    reel_node_t     *n;
    reel_pipeline_t *open = malloc(sizeof(*open));

    if (open == NULL) {
        return NULL;
    }

    *open = *pl;

    for (i = 0; i < open->nnodes; i++) {
        n = &open->nodes[i];

        if (n->type == REEL_TASK_ENCODE_VIDEO
            && reel_when_tries(n->when, strlen(n->when)))
        {
            n->when[0] = '\0';
        }
    }

    return open;
}


/* the last key frame at or before pts, or the first one */
static int64_t
key_before(const reel_source_video_t *v, int64_t pts)
{
    size_t lo = 0, mid, hi = v->nkeyframes;

    if (hi == 0) {
        return v->first_pts;
    }

    while (lo + 1 < hi) {
        mid = lo + (hi - lo) / 2;

        if (v->keyframes[mid] <= pts) {
            lo = mid;
        } else {
            hi = mid;
        }
    }

    return v->keyframes[lo];
}


/* the farthest picture that is reached by decoding all from there on */
static int64_t
reach_of(int64_t pts, reel_rational_t rate, reel_rational_t tb)
{
    return pts + reel_rescale(REEL_COMPLEXITY_SKIP,
                              (uint64_t) tb.den * rate.den,
                              (uint64_t) tb.num * rate.num, REEL_ROUND_DOWN);
}


/*
 * One in the middle of each stretch, or at the key frame before it where that
 * lies in the same stretch.  Not at the film's first one: its first pictures
 * are black more often than not.  What comes too near to the piece before it,
 * for want of key frames, is left out.
 */
static void
set_samples(reel_complexity_t *t, const reel_source_video_t *v)
{
    int64_t  key, at, last, half, before = 0;
    int64_t  span = v->last_pts - v->first_pts;
    uint32_t i, n;

    n = (uint32_t) reel_rescale(span, v->tb.num,
                                (uint64_t) v->tb.den * SAMPLE_EVERY_S,
                                REEL_ROUND_NEAR);
    n = n < SAMPLES_LEAST ? SAMPLES_LEAST
        : n > REEL_COMPLEXITY_SAMPLES ? REEL_COMPLEXITY_SAMPLES : n;
    half = span / (2 * (int64_t) n);

    for (i = 0; i < n; i++) {
        at = v->first_pts + reel_rescale(span, 2 * i + 1, 2 * (uint64_t) n,
                                         REEL_ROUND_DOWN);
        key = key_before(v, at);

        if (key > v->first_pts && at - key <= half) {
            at = key;
        }

        last = reach_of(key, t->rate, v->tb);
        at = at < last ? at : last;

        if (i == 0 || at - before >= (half > 0 ? half : 1)) {
            t->samples[t->nsamples].seek_pts = key;
            t->samples[t->nsamples++].from_pts = before = at;
        }
    }
}


bool
reel_plan_measures(const reel_planner_t *p)
{
    uint32_t           encoder = reel_plan_encoder(p->pl, REEL_VIDEO_H264);
    reel_complexity_t  t = { .rate = p->t.rate };

    if (!p->t.video || p->pl->title_ssim == 0 || p->t.copy_gop != 0
        || p->src->trials.n != 0
        || !reel_node_wanted(p->pl, REEL_TASK_COMPLEXITY, p->src)
        || !reel_node_wanted(p->pl, encoder, p->src))
    {
        return false;
    }

    set_samples(&t, &p->src->video);

    /* one piece says nothing of a film */
    return t.nsamples >= SAMPLES_LEAST;
}


/* all that the pipeline has, whatever a condition makes of the result */
static void
set_trials(reel_trials_t *t, const reel_planner_t *p)
{
    uint32_t                   i, n;
    reel_video_rung_t          rungs[REEL_TASK_RUNGS];
    const reel_source_video_t *v = &p->src->video;

    n = reel_plan_rungs(rungs, p->pl, REEL_VIDEO_H264, v->width, v->height,
                        NULL);

    for (i = 0; i < n; i++) {
        t->v[t->n++] = (reel_trial_t) { .width = rungs[i].width,
                                        .height = rungs[i].height,
                                        .crf = rungs[i].crf };
    }

    if (n > 0) {
        t->v[t->n] = t->v[n - 1];
        t->v[t->n++].crf += REEL_TRIAL_STEP;
    }
}


static uint64_t
cost_us(const reel_complexity_t *t, const reel_source_video_t *v)
{
    int64_t  skipped = 0;
    uint32_t i;
    uint64_t tried = 0, all = (uint64_t) v->width * v->height;

    for (i = 0; i < t->trials.n; i++) {
        tried += (uint64_t) t->trials.v[i].width * t->trials.v[i].height;
    }

    for (i = 0; i < t->nsamples; i++) {
        skipped += t->samples[i].from_pts - t->samples[i].seek_pts;
    }

    skipped = reel_rescale(skipped, (uint64_t) t->tb.num * t->rate.num,
                           (uint64_t) t->tb.den * t->rate.den,
                           REEL_ROUND_DOWN);

    return (tried * TRIAL_NS_PIXEL + all * REEL_DECODE_NS_PIXEL)
           / 1000 * t->frames * t->nsamples
           + all * REEL_DECODE_NS_PIXEL / 1000 * (uint64_t) skipped;
}


static void
add_ladder(reel_planner_t *p)
{
    reel_buf_t       b;
    reel_planned_t  *k;

    k = reel_plan_add_task(p, REEL_TASK_PLAN, REEL_SLOTS_LIGHT, 0);
    if (k == NULL) {
        return;
    }

    (void) snprintf(k->name, sizeof(k->name), REEL_TASK_LADDER);

    reel_plan_wait(p, k, 0);            /* complexity */

    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    reel_buf_addz(&b, "{}");
    reel_plan_set_payload(p, k, &b, reel_buf_err(&b));
}


void
reel_plan_add_complexity(reel_planner_t *p)
{
    uint32_t                   n;
    reel_buf_t                 b;
    reel_planned_t            *k;
    reel_complexity_t          t;
    const reel_source_video_t *v = &p->src->video;

    n = (uint32_t) (p->t.rate.num / ((uint64_t) p->t.rate.den * SAMPLE_HZ))
        + 1;

    t = (reel_complexity_t) {
        .stream = v->stream,
        .tb = v->tb,
        .jumps = v->jumps,
        .rate = p->t.rate,
        .rotation = v->rotation,
        .hflip = v->hflip,
        .vflip = v->vflip,
        .interlaced = v->interlaced,
        .combed = v->combed,
        .frames = n > SAMPLE_MOST ? SAMPLE_MOST : n,
    };

    set_samples(&t, v);
    set_trials(&t.trials, p);

    k = reel_plan_add_task(p, REEL_TASK_COMPLEXITY, p->pl->encoder_threads,
                           cost_us(&t, v));
    if (k == NULL) {
        return;
    }

    (void) snprintf(k->name, sizeof(k->name), "complexity");
    k->needs.memory_mib = reel_plan_memory((uint64_t) v->width * v->height
                                           * 3);
    t.tries = k->attempts;
    k->attempts += REEL_SPARE_ATTEMPTS;

    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    reel_plan_set_payload(p, k, &b, reel_complexity_print(&b, &t));

    add_ladder(p);
    reel_plan_link(p);
}

/*
 * Rates by the film: what follows from its trials (plan_trial.c).  What is
 * better than it needs to be gets a higher CRF, bounds come down to what the
 * film takes, and rungs that add nothing are left out: the largest one when
 * it shows no more than the one below it, and one between two others when a
 * viewer who has its rate has nearly that of the larger one.  The smallest
 * one stays: playback begins with it.
 */

#include <stdio.h>
#include <string.h>

#include "lib/job/plan_part.h"

/* a bound over what the trials took on average */
#define PEAK            2
#define LEAST_KBPS      100

/* scaling down loses less than one part in so many of what encoding does */
#define SOFT_SHARE      10

/* encoding at any size loses no more: the pieces were black, or as good as */
#define LOSS_OF_NOTHING (REEL_LOSS_ALL / 10000)

typedef struct {
    const reel_pipeline_t *pl;
    const reel_source_t   *src;
    const reel_trial_t    *low, *worse; /* one size, two qualities */
    uint64_t               above;       /* kbit/s of the one kept last, or 0 */
    char                  *told;        /* REEL_PLAN_LADDER */
} tried_t;


/* what a trial's number becomes d of CRF further on */
static uint64_t
further(uint32_t n, uint32_t low, uint32_t worse, uint32_t d)
{
    int64_t step = (int64_t) worse - (int64_t) low;

    if (low == 0) {
        return n;
    }

    return (uint64_t) ((int64_t) n
                       + (int64_t) n * step * d
                         / ((int64_t) low * REEL_TRIAL_STEP));
}


static uint64_t
loss_of(const tried_t *x, const reel_trial_t *t, uint32_t d)
{
    return further(t->loss, x->low->loss, x->worse->loss, d);
}


static uint64_t
kbps_of(const tried_t *x, const reel_trial_t *t, uint32_t d, uint32_t every)
{
    /* a picture that is left out saves less than its share */
    return further(t->kbps, x->low->kbps, x->worse->kbps, d) * 2
           / (every + 1);
}


static bool
is_nothing(const reel_trials_t *t)
{
    uint32_t i;

    for (i = 0; i < t->n && t->v[i].loss <= LOSS_OF_NOTHING; i++) {
        /* void */
    }

    return t->n < 2 || i == t->n;
}


static const reel_trial_t *
trial_of(const reel_trials_t *t, const reel_video_rung_t *r)
{
    uint32_t i;

    for (i = 0; i + 1 < t->n; i++) {
        if (t->v[i].width == r->width && t->v[i].height == r->height
            && t->v[i].crf == r->crf)
        {
            return &t->v[i];
        }
    }

    return NULL;
}


/* how much CRF may be added until the quality is only just enough */
static uint32_t
spare_crf(const tried_t *x, const reel_trial_t *t)
{
    uint32_t d = 0;
    uint64_t most = REEL_LOSS_ALL - (uint64_t) x->pl->title_ssim * 1000;

    while (d < x->pl->title_crf_above && loss_of(x, t, d + 1) <= most) {
        d++;
    }

    return d;
}


/* scaled down to the next smaller rung it loses less than by its encoding;
   what the meter compared it with may be left out by a condition */
static bool
shows_no_more(const reel_trial_t *y, const reel_video_rung_t *next,
    uint64_t loss)
{
    return y[1].width == next->width && y[1].height == next->height
           && (uint64_t) y->soft * SOFT_SHARE <= loss;
}


/*
 * r by its trial y, below last (NULL: it becomes the largest) and above next
 * (NULL: it is the smallest).  False: it adds nothing.
 */
static bool
fit(tried_t *x, reel_video_rung_t *r, const reel_trial_t *y,
    const reel_video_rung_t *last, const reel_video_rung_t *next)
{
    uint32_t d = spare_crf(x, y);
    uint64_t kbps;

    /* those above it may be gone */
    if (last == NULL) {
        r->every = reel_plan_every(x->pl, r, true, x->src->video.rate);
    }

    kbps = kbps_of(x, y, d, r->every);

    if (last == NULL && next != NULL
        && shows_no_more(y, next, loss_of(x, y, d)))
    {
        reel_plan_told(x->told, "no %s, it shows no more than %s", r->name,
                       next->name);
        return false;
    }

    if (x->above != 0 && next != NULL
        && kbps * 100 >= x->above * x->pl->title_drop_percent)
    {
        reel_plan_told(x->told, "no %s, it is hardly smaller than %s",
                       r->name, last->name);
        return false;
    }

    r->crf += d;
    reel_plan_bound(r, kbps * PEAK < LEAST_KBPS ? LEAST_KBPS : kbps * PEAK);
    x->above = kbps;
    reel_plan_told(x->told, "%s crf %u, %u kbit/s at most", r->name, r->crf,
                   r->max_kbps);

    return true;
}


uint32_t
reel_plan_title(reel_video_rung_t rungs[REEL_TASK_RUNGS], uint32_t n,
    const reel_pipeline_t *pl, const reel_source_t *src,
    char told[REEL_PLAN_LADDER])
{
    uint32_t             i, kept = 0;
    tried_t              x = { .pl = pl, .src = src, .told = told };
    reel_video_rung_t    r;
    const reel_trial_t  *y;
    const reel_trials_t *t = &src->trials;

    told[0] = '\0';

    if (is_nothing(t)) {
        reel_plan_told(x.told, "as it is written, nothing was measured");
        return n;
    }

    x.low = &t->v[t->n - 2];
    x.worse = &t->v[t->n - 1];

    for (i = 0; i < n; i++) {
        r = rungs[i];
        y = trial_of(t, &r);

        if (y == NULL
            || fit(&x, &r, y, kept > 0 ? &rungs[kept - 1] : NULL,
                   i + 1 < n ? &rungs[i + 1] : NULL))
        {
            rungs[kept++] = r;
        }
    }

    return kept;
}

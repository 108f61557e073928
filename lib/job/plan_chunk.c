/*
 * Where the film is cut.  A chunk must decode from a key frame of the source
 * at or before its start; what lies between is decoded in vain (pre-roll).
 * So edges are put where little does: the cheapest set of edges within the
 * pipeline's sizes is found by dynamic programming over the grid, where a
 * chunk costs its pre-roll, and a little for straying from the target size.
 *
 * Sources with few key frames: when pre-roll would be more than half of all
 * decoding, edges are put only just after key frames, however far apart
 * those are; with a single key frame that is one chunk.
 */

#include <stdlib.h>

#include "lib/job/plan_part.h"

/* a chunk 8 s off the target costs as much as 1 s of pre-roll */
#define STRAY       8
/* more tasks than this would be a burden to Redis: chunks grow instead */
#define CHUNKS_MAX  8192

typedef struct {
    uint32_t  first, min, target, max;  /* sizes, in fragments */
    uint32_t  n;                        /* fragments of the film */
    int64_t   gop_ts;
    int64_t  *seek;                     /* per fragment: key frame's pts … */
    int64_t  *preroll;                  /* … and ticks from it */
} cut_t;


static uint32_t
fragments_of(const reel_grid_t *g, uint32_t seconds, bool up)
{
    uint64_t ts = (uint64_t) seconds * g->timescale;
    uint64_t n = ts / g->gop_ts + (up && ts % g->gop_ts != 0);

    return n == 0 ? 1 : n > REEL_INDEX_MAX_FRAGMENTS
                        ? REEL_INDEX_MAX_FRAGMENTS : (uint32_t) n;
}


static void
set_sizes(cut_t *c, const reel_pipeline_t *pl, const reel_grid_t *g)
{
    uint32_t by;

    c->n = g->fragments;
    c->gop_ts = g->gop_ts;

    /* a growing playlist has segments of one fragment: any number is whole */
    c->first = fragments_of(g, pl->first_chunk_s, true);

    c->min = fragments_of(g, pl->chunk_min_s, true);
    c->target = fragments_of(g, pl->chunk_target_s, false);
    c->max = fragments_of(g, pl->chunk_max_s, false);

    by = (c->n / c->target) / CHUNKS_MAX + 1;
    c->min *= by;
    c->target *= by;
    c->max *= by;

    /* any rest can be cut into pieces of min … 2 min - 1 */
    if (c->max < 2 * c->min - 1) {
        c->max = 2 * c->min - 1;
    }

    if (c->target < c->min) {
        c->target = c->min;
    }
}


/* the latest key frame at or before each grid instant */
static reel_err_t
find_seeks(cut_t *c, const reel_source_video_t *v, const reel_timeline_t *t)
{
    size_t   next = 0;
    int64_t  at, pts, place;
    uint32_t k;

    c->seek = malloc(c->n * sizeof(int64_t));
    c->preroll = malloc(c->n * sizeof(int64_t));

    if (c->seek == NULL || c->preroll == NULL) {
        return REEL_NOMEM;
    }

    pts = v->nkeyframes > 0 && v->keyframes[0] < v->first_pts
          ? v->keyframes[0] : v->first_pts;
    place = reel_timeline_place(t, v->tb, pts);

    for (k = 0; k < c->n; k++) {
        at = k * c->gop_ts;

        while (next < v->nkeyframes
               && reel_timeline_place(t, v->tb, v->keyframes[next]) <= at)
        {
            pts = v->keyframes[next++];
            place = reel_timeline_place(t, v->tb, pts);
        }

        /* behind the last picture only the way to it is decoded */
        at = at < t->video_end ? at : t->video_end;
        c->seek[k] = pts;
        c->preroll[k] = at > place ? at - place : 0;
    }

    return REEL_OK;
}


/* cheapest edges of [first, n): from[b] = start of the chunk that ends at b */
static reel_err_t
cut_cheapest(const cut_t *c, uint32_t *from)
{
    int64_t  *cost, total;
    uint32_t  b, len, stray, from_first = c->n - c->first;

    if (from_first < 2 * c->min) {
        from[c->n] = c->first;
        return REEL_OK;
    }

    cost = malloc((c->n + 1) * sizeof(int64_t));
    if (cost == NULL) {
        return REEL_NOMEM;
    }

    for (b = c->first; b <= c->n; b++) {
        cost[b] = b == c->first ? 0 : INT64_MAX;

        for (len = c->min; len <= c->max && len <= b - c->first; len++) {
            if (cost[b - len] == INT64_MAX) {
                continue;
            }

            stray = len > c->target ? len - c->target : c->target - len;
            /* the 1: of equals, fewer chunks */
            total = cost[b - len] + c->preroll[b - len]
                    + stray * c->gop_ts / STRAY + 1;

            if (total < cost[b]) {
                cost[b] = total;
                from[b] = b - len;
            }
        }
    }

    free(cost);
    return REEL_OK;
}


/* edges just after key frames only */
static void
cut_at_keys(const cut_t *c, uint32_t *from)
{
    uint32_t a = c->first, best, k;

    while (a < c->n) {
        best = c->n;

        for (k = a + c->min; k + c->min <= c->n; k++) {
            /* a grid instant whose GOP of the source has begun since k - 1 */
            if (c->preroll[k] >= c->gop_ts || c->seek[k] == c->seek[k - 1]) {
                continue;
            }

            best = k;

            if (k >= a + c->target) {
                break;
            }
        }

        from[best] = a;
        a = best;
    }
}


/* follows from[] back; the first chunk is [0, first) */
static reel_err_t
collect(const cut_t *c, const uint32_t *from, reel_chunk_t **chunks,
    size_t *n)
{
    size_t   i;
    uint32_t b;

    for (i = 1, b = c->n; b > c->first; b = from[b]) {
        i++;
    }

    *chunks = malloc(i * sizeof(**chunks));
    if (*chunks == NULL) {
        return REEL_NOMEM;
    }

    *n = i;

    for (b = c->n; i-- > 0; b = (*chunks)[i].from) {
        (*chunks)[i].to = b;
        (*chunks)[i].from = i == 0 ? 0 : from[b];
        (*chunks)[i].seek_pts = c->seek[(*chunks)[i].from];
        (*chunks)[i].preroll_ts = c->preroll[(*chunks)[i].from];
    }

    return REEL_OK;
}


static int64_t
total_preroll(const cut_t *c, const uint32_t *from)
{
    int64_t  sum = 0;
    uint32_t b;

    for (b = c->n; b > c->first; b = from[b]) {
        sum += c->preroll[from[b]];
    }

    return sum;
}


reel_err_t
reel_plan_chunks(reel_chunk_t **chunks, size_t *n, const reel_pipeline_t *pl,
    const reel_source_video_t *v, const reel_timeline_t *t)
{
    cut_t       c = { 0 };
    uint32_t   *from = NULL;
    reel_err_t  err;

    *chunks = NULL;
    *n = 0;

    set_sizes(&c, pl, &t->grid);

    /* a rest of less than half a chunk is no chunk of its own */
    if (c.n <= c.first || (c.n - c.first) * 2 < c.min) {
        c.first = c.n;
    }

    err = find_seeks(&c, v, t);
    if (err != REEL_OK) {
        goto done;
    }

    from = malloc((c.n + 1) * sizeof(uint32_t));
    if (from == NULL) {
        err = REEL_NOMEM;
        goto done;
    }

    if (c.first < c.n) {
        err = cut_cheapest(&c, from);

        if (err == REEL_OK && total_preroll(&c, from) > t->grid.end_ts) {
            cut_at_keys(&c, from);
        }
    }

    if (err == REEL_OK) {
        err = collect(&c, from, chunks, n);
    }

done:

    free(from);
    free(c.preroll);
    free(c.seek);

    return err;
}

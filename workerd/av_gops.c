#include "workerd/av_gops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rescale.h"
#include "workerd/av_fit.h"


/* key frames whose distance from the first one is tried as the grid's */
#define GOPS_TRIED 64


static int
compare(const void *a, const void *b)
{
    int64_t  x = *(const int64_t *) a, y = *(const int64_t *) b;

    return (x > y) - (x < y);
}


/* a GOP shorter than a second counts as one of a second */
static void
see_rate(reel_av_gops_t *g, const AVStream *st, int64_t ticks)
{
    int64_t   ms;
    uint64_t  kbps;

    ms = reel_rescale(ticks, (uint64_t) st->time_base.num * 1000,
                      (uint64_t) st->time_base.den, REEL_ROUND_NEAR);
    kbps = g->bytes * 8 / (uint64_t) (ms > 1000 ? ms : 1000) + 1;

    g->kbps = kbps > g->kbps ? kbps : g->kbps;
}


/*
 * It is closed when all its pictures are shown behind its first and before
 * the next one's.  Of packet i at most the i-th shown is due: by as many
 * pictures as it is late, decoding has to run ahead.
 */
static void
close_gop(reel_av_gops_t *g, const AVStream *st, int64_t until)
{
    int64_t   sorted[REEL_AV_GOP_MAX], *at;
    uint32_t  i, rank;

    if (g->n == 0 || g->refused != NULL) {
        return;
    }

    memcpy(sorted, g->pts, g->n * sizeof(*sorted));
    qsort(sorted, g->n, sizeof(*sorted), compare);

    if (sorted[0] != g->pts[0]) {
        g->refused = "its GOPs are open: pictures lead a key frame";
        return;
    }

    if (sorted[g->n - 1] >= until) {
        g->refused = "its GOPs are open: pictures follow the next key frame";
        return;
    }

    for (i = 0; i < g->n; i++) {
        at = bsearch(&g->pts[i], sorted, g->n, sizeof(*sorted), compare);
        rank = (uint32_t) (at - sorted);

        if (i > rank && i - rank > g->delay) {
            g->delay = i - rank;
        }
    }

    see_rate(g, st, until - sorted[0]);
}


void
reel_av_gops_release(reel_av_gops_t *g)
{
    reel_buf_release(&g->config);
}


reel_err_t
reel_av_gops_see(reel_av_gops_t *g, const AVStream *st, const AVPacket *pkt)
{
    if (g->refused != NULL) {
        return REEL_OK;
    }

    g->refused = reel_av_fit_packet(&g->config, st, pkt);
    if (g->refused != NULL) {
        return g->refused == reel_av_fit_nomem ? REEL_NOMEM : REEL_OK;
    }

    if (pkt->flags & AV_PKT_FLAG_KEY) {
        close_gop(g, st, pkt->pts);
        g->n = 0;
        g->bytes = 0;

    } else if (g->n == 0) {
        g->refused = "it does not begin with a key frame";
        return REEL_OK;
    }

    if (g->n == REEL_AV_GOP_MAX) {
        g->refused = "its key frames are too far apart";
        return REEL_OK;
    }

    g->pts[g->n++] = pkt->pts;
    g->bytes += (uint64_t) pkt->size;
    g->last = g->n == 1 || pkt->pts > g->last ? pkt->pts : g->last;

    return REEL_OK;
}


static int64_t
slot_of(const reel_source_video_t *v, int64_t pts)
{
    return reel_rescale(pts - v->first_pts,
                        (uint64_t) v->tb.num * v->rate.num,
                        (uint64_t) v->tb.den * v->rate.den, REEL_ROUND_NEAR);
}


static const char *
check_slots(const reel_source_video_t *v, const int64_t *shown, size_t n)
{
    size_t  i;

    if (!v->constant_rate || v->jumps.n > 0) {
        return "its rate is not constant";
    }

    for (i = 0; i < n; i++) {
        if (slot_of(v, shown[i]) != (int64_t) i) {
            return "it has not one picture for each time of its rate";
        }
    }

    return NULL;
}


/* is there a key frame at each multiple of gop, as far as pictures reach? */
static bool
is_grid(const reel_source_video_t *v, uint32_t gop, size_t n,
    const int64_t *keys, size_t nkeys)
{
    size_t   i;
    int64_t  next = 0;

    for (i = 0; i < nkeys && next < (int64_t) n; i++) {
        if (slot_of(v, keys[i]) > next) {
            return false;
        }

        next += slot_of(v, keys[i]) == next ? gop : 0;
    }

    return next >= (int64_t) n;
}


/* the shortest; 0 where there is none */
static uint32_t
find_gop(const reel_source_video_t *v, size_t n, const int64_t *keys,
    size_t nkeys)
{
    size_t   i;
    int64_t  gop;

    for (i = 1; i < nkeys && i <= GOPS_TRIED; i++) {
        gop = slot_of(v, keys[i]);

        if (gop > REEL_AV_GOP_MAX) {
            break;
        }

        if (is_grid(v, (uint32_t) gop, n, keys, nkeys)) {
            return (uint32_t) gop;
        }
    }

    return 0;
}


reel_err_t
reel_av_gops_end(reel_av_gops_t *g, reel_source_video_t *v,
    const AVStream *st, const int64_t *shown, size_t n, const int64_t *keys,
    size_t nkeys)
{
    reel_source_copy_t  *c = &v->copy;

    close_gop(g, st, g->last + 1);

    if (g->refused == NULL) {
        g->refused = reel_av_fit_format(v, st, &g->config);
    }
    if (g->refused == reel_av_fit_nomem) {
        return REEL_NOMEM;
    }
    if (g->refused == NULL) {
        g->refused = check_slots(v, shown, n);
    }
    if (g->refused == NULL && (g->delay > REEL_SOURCE_DELAY
                               || g->kbps > REEL_SOURCE_KBPS))
    {
        g->refused = "it reorders or weighs more than any decoder takes";
    }

    *c = (reel_source_copy_t) { .known = true };

    if (g->refused != NULL) {
        (void) snprintf(c->refused, sizeof(c->refused), "%s", g->refused);
        return REEL_OK;
    }

    c->gop = find_gop(v, n, keys, nkeys);
    c->delay = g->delay;
    c->kbps = (uint32_t) g->kbps;

    return REEL_OK;
}

/*
 * Rungs below a copied one.  Its rate is what it is, theirs follow: players
 * choose by rates, so one that shows less must not take more.  A rung whose
 * bound has to come down far would look worse than the one that takes its
 * place by its rate, and is left out.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/job/plan_part.h"

/* of the next larger rung's bound, at most */
#define BELOW_PERCENT  80

/* of its own bound, at least */
#define LEFT_PERCENT   50


void
reel_plan_told(char told[REEL_PLAN_LADDER], const char *fmt, ...)
{
    size_t  len = strlen(told);
    va_list ap;

    if (len > 0) {
        (void) snprintf(told + len, REEL_PLAN_LADDER - len, "; ");
        len = strlen(told);
    }

    va_start(ap, fmt);
    (void) vsnprintf(told + len, REEL_PLAN_LADDER - len, fmt, ap);
    va_end(ap);
}


void
reel_plan_bound(reel_video_rung_t *r, uint64_t kbps)
{
    if (kbps < r->max_kbps) {
        r->buf_kbits = (uint32_t) (r->buf_kbits * kbps / r->max_kbps);
        r->buf_kbits = r->buf_kbits < REEL_RUNG_BUF_LEAST
                       ? REEL_RUNG_BUF_LEAST : r->buf_kbits;
        r->max_kbps = (uint32_t) kbps;
    }
}


static uint32_t
side_of(const reel_video_rung_t *r)
{
    return r->width < r->height ? r->width : r->height;
}


uint32_t
reel_plan_below(reel_video_rung_t rungs[REEL_TASK_RUNGS], uint32_t n,
    const reel_video_rung_t *top, const reel_pipeline_t *pl,
    reel_rational_t rate, char told[REEL_PLAN_LADDER])
{
    uint32_t          i, kept = 0;
    uint64_t          most = (uint64_t) top->max_kbps * BELOW_PERCENT / 100;
    reel_video_rung_t r;

    told[0] = '\0';

    for (i = 0; i < n; i++) {
        r = rungs[i];

        if (side_of(&r) >= side_of(top)) {
            continue;
        }

        if (most * 100 < (uint64_t) r.max_kbps * LEFT_PERCENT) {
            reel_plan_told(told, "no %s, %s has %u kbit/s at most", r.name,
                           top->name, top->max_kbps);
            continue;
        }

        if (r.max_kbps > most) {
            reel_plan_bound(&r, most);
            reel_plan_told(told, "%s %u kbit/s at most", r.name, r.max_kbps);
            most = most * BELOW_PERCENT / 100;
        }

        r.every = reel_plan_every(pl, &r, false, rate);
        rungs[kept++] = r;
    }

    return kept;
}

/* what a film does not get of its pipeline, and why */

#include <stdio.h>
#include <string.h>

#include "lib/job/plan_part.h"
#include "lib/job/show_part.h"
#include "lib/job/when.h"

#define WHY_CAP  (REEL_WHEN_MAX + 64)

static bool
is_planned(const reel_plan_t *p, uint32_t node)
{
    size_t i;

    for (i = 0; i < p->ntasks; i++) {
        if (p->tasks[i].node == node) {
            return true;
        }
    }

    return false;
}


/* the node whose file it does not get, or NULL */
static const reel_node_t *
lacks(const reel_pipeline_t *pl, const reel_plan_t *p, const reel_node_t *n)
{
    uint32_t           k;
    const reel_node_t *from;

    for (k = 0; k < n->ninputs; k++) {
        from = reel_pipeline_node(pl, n->inputs[k].from);

        if (from != NULL && n->inputs[k].file[0] != '\0'
            && !is_planned(p, (uint32_t) (from - pl->nodes)))
        {
            return from;
        }
    }

    return NULL;
}


/* false: nothing is to be said of it */
static bool
why_node(char why[WHY_CAP], const reel_pipeline_t *pl, const reel_plan_t *p,
    const reel_source_t *src, uint32_t i)
{
    const reel_node_t *n = &pl->nodes[i], *from;

    if (n->off || is_planned(p, i)) {
        return false;
    }

    if (!reel_when_holds(n->when, strlen(n->when), src)) {
        (void) snprintf(why, WHY_CAP, "when %s", n->when);
        return true;
    }

    from = lacks(pl, p, n);

    if (from != NULL) {
        (void) snprintf(why, WHY_CAP, "without %s", from->name);
        return true;
    }

    if (n->type == REEL_TASK_EXEC && n->each != REEL_EACH_NONE) {
        (void) snprintf(why, WHY_CAP, "no %s", reel_each_name(n->each));
        return true;
    }

    return false;
}


static bool
has_rung(const reel_plan_t *p, const char *name)
{
    uint32_t i;

    for (i = 0; i < p->nrungs; i++) {
        if (strcmp(p->rungs[i].name, name) == 0) {
            return true;
        }
    }

    return false;
}


/* of a film with pictures, whose encoder is wanted; as why_node */
static bool
why_rung(char why[WHY_CAP], const reel_plan_t *p, const reel_source_t *src,
    const reel_rung_t *r, const char *name)
{
    const reel_source_video_t *v = &src->video;

    if (has_rung(p, name)) {
        return false;
    }

    if (!reel_when_holds(r->when, strlen(r->when), src)) {
        (void) snprintf(why, WHY_CAP, "when %s", r->when);
        return true;
    }

    if (r->short_side > (v->width < v->height ? v->width : v->height)) {
        (void) snprintf(why, WHY_CAP, "larger than the film");
        return true;
    }

    return false;               /* plan->pictures and ladder tell */
}


static void
left_rungs(const reel_pipeline_t *pl, const reel_plan_t *p,
    const reel_source_t *src, reel_left_fn fn, void *to)
{
    char               why[WHY_CAP];
    uint32_t           i;
    const reel_rung_t *r;
    reel_video_rung_t  named;

    for (i = 0; i < pl->nrungs; i++) {
        r = &pl->rungs[i];
        named = (reel_video_rung_t) { .codec = r->codec };
        reel_plan_name_rung(&named, r->short_side);

        if (reel_node_wanted(pl, reel_plan_encoder(pl, r->codec), src)
            && why_rung(why, p, src, r, named.name))
        {
            fn(to, named.name, why);
        }
    }
}


void
reel_show_left(const reel_pipeline_t *pl, const reel_plan_t *p,
    const reel_source_t *src, reel_left_fn fn, void *to)
{
    char     why[WHY_CAP];
    uint32_t i;

    for (i = 0; i < pl->nnodes; i++) {
        if (why_node(why, pl, p, src, i)) {
            fn(to, pl->nodes[i].name, why);
        }
    }

    /* what is copied alone has no ladder */
    if (p->nrungs > 0 && !(p->copied && pl->copy_as == REEL_COPY_ONLY)) {
        left_rungs(pl, p, src, fn, to);
    }
}

/*
 * Nodes against a source: which are wanted, which rungs each makes, and what
 * its tasks wait for.
 *
 * A node whose condition does not hold is left out, and so is one that
 * needs a file of it; who only comes after it does not wait.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/job/plan_part.h"
#include "lib/job/when.h"

static_assert(REEL_NODE_LABELS == REEL_LABELS_CAP, "labels of two sizes");


bool
reel_node_wanted(const reel_pipeline_t *pl, uint32_t node,
    const reel_source_t *src)
{
    const reel_node_t *n = &pl->nodes[node];

    return !n->off && reel_when_holds(n->when, strlen(n->when), src);
}


bool
reel_plan_wants_video(const reel_pipeline_t *pl, const reel_source_t *src)
{
    uint32_t i;

    for (i = 0; i < pl->nnodes; i++) {
        if (pl->nodes[i].type == REEL_TASK_ENCODE_VIDEO
            && reel_node_wanted(pl, i, src))
        {
            return true;
        }
    }

    return false;
}


/* the node that encodes this codec, wanted or not */
static uint32_t
encoder_of(const reel_pipeline_t *pl, reel_video_codec_t codec)
{
    uint32_t i;

    for (i = REEL_TASK_EXEC; i < pl->nnodes; i++) {
        if (pl->nodes[i].type == REEL_TASK_ENCODE_VIDEO
            && pl->nodes[i].codec == codec)
        {
            return i;
        }
    }

    return REEL_TASK_ENCODE_VIDEO;
}


static void
add_group(reel_planner_t *p, uint32_t node, uint32_t n)
{
    uint32_t           i;
    reel_rung_group_t *last;

    if (p->pl->nodes[node].each == REEL_EACH_RENDITION) {
        for (i = 0; i < n; i++) {
            p->groups[p->ngroups++] = (reel_rung_group_t) {
                .first = p->nrungs + i, .n = 1, .node = node
            };
        }

    } else if (n > 0) {
        last = p->ngroups > 0 ? &p->groups[p->ngroups - 1] : NULL;

        /* codecs of one node share its decode */
        if (last != NULL && last->node == node) {
            last->n += n;
        } else {
            p->groups[p->ngroups++] = (reel_rung_group_t) {
                .first = p->nrungs, .n = n, .node = node
            };
        }
    }

    p->nrungs += n;
}


/* what shows first is the last rung of group 0 */
static void
last_first(reel_planner_t *p)
{
    reel_rung_group_t first = p->groups[p->ngroups - 1];

    memmove(&p->groups[1], &p->groups[0],
            (p->ngroups - 1) * sizeof(first));
    p->groups[0] = first;
}


reel_err_t
reel_plan_groups(reel_planner_t *p, reel_error_t *e)
{
    int                        c;
    uint32_t                   i, n, node;
    reel_video_rung_t          rungs[REEL_TASK_RUNGS];
    const reel_source_video_t *v = &p->src->video;

    p->nrungs = 0;
    p->ngroups = 0;

    /* H.264 last: its lowest rung is what every player can begin with */
    for (c = REEL_VIDEO_CODECS - 1; c >= 0; c--) {
        node = encoder_of(p->pl, (reel_video_codec_t) c);

        if (!reel_node_wanted(p->pl, node, p->src)) {
            continue;
        }

        n = reel_plan_rungs(rungs, p->pl, (reel_video_codec_t) c, v->width,
                            v->height, p->src);

        if (n > REEL_TASK_RUNGS - p->nrungs) {
            n = REEL_TASK_RUNGS - p->nrungs;
        }

        for (i = 0; i < n; i++) {
            p->rungs[p->nrungs + i] = rungs[i];
        }

        add_group(p, node, n);
    }

    if (p->nrungs == 0) {
        return reel_fail(e, REEL_INVAL, "no rendition of the pipeline is "
                         "left for a film of %ux%u", v->width, v->height);
    }

    last_first(p);

    return REEL_OK;
}


static void
set_needs(reel_planned_t *k, const reel_node_t *n)
{
    if (n->slots != REEL_NODE_UNSET) {
        k->needs.slots = n->slots;
    }
    if (n->memory_mib != REEL_NODE_UNSET) {
        k->needs.memory_mib = n->memory_mib;
    }
    if (n->priority != REEL_NODE_UNSET) {
        k->needs.priority = n->priority;
    }

    memcpy(k->needs.labels, n->labels, sizeof(k->needs.labels));
}


static void
add_dep(reel_planner_t *p, reel_planned_t *k, uint32_t on)
{
    size_t    i;
    uint32_t *deps;

    for (i = 0; i < k->ndeps; i++) {
        if (k->deps[i] == on) {
            return;
        }
    }

    deps = realloc(k->deps, (k->ndeps + 1) * sizeof(*deps));
    if (deps == NULL) {
        p->err = REEL_NOMEM;
        return;
    }

    k->deps = deps;
    k->deps[k->ndeps++] = on;
}


/* two that fan out alike meet one by one */
static bool
meets(const reel_pipeline_t *pl, const reel_planned_t *a,
    const reel_planned_t *b)
{
    reel_each_t x = pl->nodes[a->node].each, y = pl->nodes[b->node].each;

    /* what encode_video does for each rendition it does for each chunk */
    if (a->type == REEL_TASK_ENCODE_VIDEO) {
        x = REEL_EACH_CHUNK;
    }
    if (b->type == REEL_TASK_ENCODE_VIDEO) {
        y = REEL_EACH_CHUNK;
    }
    if (a->type == REEL_TASK_ENCODE_AUDIO) {
        x = REEL_EACH_AUDIO_TRACK;
    }
    if (b->type == REEL_TASK_ENCODE_AUDIO) {
        y = REEL_EACH_AUDIO_TRACK;
    }

    return x == REEL_EACH_NONE || x != y || a->each == b->each;
}


/* k waits for the tasks of the node of that name */
static void
wait_for(reel_planner_t *p, reel_planned_t *k, const char *name)
{
    uint32_t           i;
    const reel_node_t *n = reel_pipeline_node(p->pl, name);

    for (i = 0; n != NULL && i < p->plan->ntasks && p->err == REEL_OK; i++) {
        if (&p->pl->nodes[p->plan->tasks[i].node] == n
            && meets(p->pl, k, &p->plan->tasks[i]))
        {
            add_dep(p, k, i);
        }
    }
}


typedef struct {
    reel_plan_t    *plan;
    reel_planned_t *to;
    uint32_t       *place;      /* of each task: its new one, UINT32_MAX */
    uint32_t        n;
} order_t;


/* first what it depends on; nodes have no cycle, so this is not deep */
static void
put(order_t *o, uint32_t i)
{
    size_t          d;
    reel_planned_t *k = &o->plan->tasks[i];

    if (o->place[i] != UINT32_MAX) {
        return;
    }

    for (d = 0; d < k->ndeps; d++) {
        put(o, k->deps[d]);
        k->deps[d] = o->place[k->deps[d]];
    }

    o->place[i] = o->n;
    o->to[o->n++] = *k;
}


static void
sort(reel_planner_t *p)
{
    uint32_t i;
    order_t  o = { .plan = p->plan };

    o.to = calloc(p->cap, sizeof(*o.to));
    o.place = malloc(p->plan->ntasks * sizeof(*o.place));

    if (o.to == NULL || o.place == NULL) {
        p->err = REEL_NOMEM;
        free(o.to);
        free(o.place);
        return;
    }

    for (i = 0; i < p->plan->ntasks; i++) {
        o.place[i] = UINT32_MAX;
    }

    for (i = 0; i < p->plan->ntasks; i++) {
        put(&o, i);
    }

    free(p->plan->tasks);
    p->plan->tasks = o.to;
    free(o.place);
}


void
reel_plan_link(reel_planner_t *p)
{
    bool               any = false;
    size_t             i;
    uint32_t           a;
    reel_planned_t    *k;
    const reel_node_t *n;

    for (i = 0; i < p->plan->ntasks && p->err == REEL_OK; i++) {
        k = &p->plan->tasks[i];
        n = &p->pl->nodes[k->node];
        set_needs(k, n);

        for (a = 0; a < n->nafter; a++) {
            wait_for(p, k, n->after[a]);
        }
        for (a = 0; a < n->ninputs; a++) {
            wait_for(p, k, n->inputs[a].from);
        }

        any |= n->nafter + n->ninputs > 0;
    }

    if (any && p->err == REEL_OK) {
        sort(p);
    }
}

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


uint32_t
reel_plan_encoder(const reel_pipeline_t *pl, reel_video_codec_t codec)
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
        if (last != NULL && last->node == node && !last->copy) {
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


/* the source's own packets are rung 0 and a group of their own */
static void
add_copied(reel_planner_t *p)
{
    reel_plan_copy_rung(&p->rungs[0], &p->src->video);

    p->groups[0] = (reel_rung_group_t) {
        .n = 1,
        .node = reel_plan_encoder(p->pl, p->rungs[0].codec),
        .copy = true
    };

    p->nrungs = 1;
    p->ngroups = 1;
}


/* those of a codec, in place of what stands in rungs; how many */
static uint32_t
encoded_rungs(reel_video_rung_t rungs[REEL_TASK_RUNGS], reel_planner_t *p,
    reel_video_codec_t c)
{
    uint32_t                   i, n;
    const reel_source_video_t *v = &p->src->video;

    n = reel_plan_rungs(rungs, p->pl, c, v->width, v->height, p->src);

    if (p->t.copy_gop == 0) {
        return c == REEL_VIDEO_H264 && p->pl->title_ssim != 0
               ? reel_plan_title(rungs, n, p->pl, p->src, p->plan->ladder)
               : n;
    }

    if (c == p->rungs[0].codec) {
        n = reel_plan_below(rungs, n, &p->rungs[0], p->pl, p->t.rate,
                            p->plan->ladder);
    }

    /* GOPs are the source's: they have whole ones of what is kept */
    for (i = 0; i < n; i++) {
        while (p->t.copy_gop % rungs[i].every != 0) {
            rungs[i].every /= 2;
        }
    }

    return n;
}


reel_err_t
reel_plan_groups(reel_planner_t *p, reel_error_t *e)
{
    int                        c;
    uint32_t                   n, node;
    reel_video_rung_t          rungs[REEL_TASK_RUNGS];
    const reel_source_video_t *v = &p->src->video;

    p->nrungs = 0;
    p->ngroups = 0;

    if (p->t.copy_gop != 0) {
        add_copied(p);
    }

    if (p->t.copy_gop != 0 && p->pl->copy_as == REEL_COPY_ONLY) {
        return REEL_OK;
    }

    /* H.264 last: its lowest rung is what every player can begin with */
    for (c = REEL_VIDEO_CODECS - 1; c >= 0; c--) {
        node = reel_plan_encoder(p->pl, (reel_video_codec_t) c);

        if (!reel_node_wanted(p->pl, node, p->src)) {
            continue;
        }

        n = encoded_rungs(rungs, p, (reel_video_codec_t) c);

        if (n > REEL_TASK_RUNGS - p->nrungs) {
            n = REEL_TASK_RUNGS - p->nrungs;
        }

        memcpy(&p->rungs[p->nrungs], rungs, n * sizeof(rungs[0]));
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


/* a task, by its node and which of its fan-out it is */
typedef struct {
    uint32_t node, each;
    uint32_t task;
} place_t;

/* while tasks are linked */
typedef struct {
    reel_planner_t *p;
    place_t        *places;     /* of all tasks, sorted */
    uint32_t       *seen;       /* of each task: by whom it was added last */
    uint32_t       *deps;       /* of one task: room for all */
    uint32_t        ndeps;
} linker_t;


static int
by_place(const void *x, const void *y)
{
    const place_t *a = x, *b = y;

    return a->node != b->node ? (a->node > b->node) - (a->node < b->node)
           : a->each != b->each ? (a->each > b->each) - (a->each < b->each)
           : (a->task > b->task) - (a->task < b->task);
}


/* what the node does for each: two that fan out alike meet one by one */
static reel_each_t
meets_by(const reel_node_t *n)
{
    /* what encode_video does for each rendition it does for each chunk */
    return n->type == REEL_TASK_ENCODE_VIDEO ? REEL_EACH_CHUNK
           : n->type == REEL_TASK_ENCODE_AUDIO
             || n->type == REEL_TASK_LOUDNESS ? REEL_EACH_AUDIO_TRACK
           : n->each;
}


/* the first place that is not before this one */
static size_t
find_place(const linker_t *l, place_t at)
{
    size_t lo = 0, mid, hi = l->p->plan->ntasks;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;

        if (by_place(&l->places[mid], &at) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }

    return lo;
}


/* task i waits for the tasks of the node of that name */
static void
wait_for(linker_t *l, uint32_t i, const char *name)
{
    bool                   one;
    size_t                 k, n = l->p->plan->ntasks;
    place_t                at = { 0 };
    const reel_node_t     *of, *nodes = l->p->pl->nodes;
    const reel_planned_t  *t = &l->p->plan->tasks[i];

    of = reel_pipeline_node(l->p->pl, name);
    if (of == NULL) {
        return;                         /* source */
    }

    at.node = (uint32_t) (of - nodes);
    one = meets_by(of) != REEL_EACH_NONE
          && meets_by(of) == meets_by(&nodes[t->node]);
    at.each = one ? t->each : 0;

    for (k = find_place(l, at); k < n && l->places[k].node == at.node; k++) {
        if (one && l->places[k].each != at.each) {
            break;
        }

        if (l->seen[l->places[k].task] != i) {
            l->seen[l->places[k].task] = i;
            l->deps[l->ndeps++] = l->places[k].task;
        }
    }
}


static void
link_task(linker_t *l, uint32_t i)
{
    void              *deps;
    uint32_t           a;
    reel_planned_t    *k = &l->p->plan->tasks[i];
    const reel_node_t *n = &l->p->pl->nodes[k->node];

    set_needs(k, n);

    /* what its type waits for */
    for (l->ndeps = 0; l->ndeps < k->ndeps; l->ndeps++) {
        l->deps[l->ndeps] = k->deps[l->ndeps];
        l->seen[k->deps[l->ndeps]] = i;
    }

    for (a = 0; a < n->nafter; a++) {
        wait_for(l, i, n->after[a]);
    }
    for (a = 0; a < n->ninputs; a++) {
        wait_for(l, i, n->inputs[a].from);
    }

    if (l->ndeps == k->ndeps) {
        return;
    }

    deps = realloc(k->deps, l->ndeps * sizeof(*k->deps));

    if (deps == NULL) {
        l->p->err = REEL_NOMEM;
        return;
    }

    k->deps = deps;
    memcpy(k->deps, l->deps, l->ndeps * sizeof(*k->deps));
    k->ndeps = l->ndeps;
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


static reel_err_t
begin(linker_t *l)
{
    size_t i, n = l->p->plan->ntasks;

    l->places = malloc(n * sizeof(*l->places));
    l->seen = malloc(n * sizeof(*l->seen));
    l->deps = malloc(n * sizeof(*l->deps));

    if (l->places == NULL || l->seen == NULL || l->deps == NULL) {
        return REEL_NOMEM;
    }

    for (i = 0; i < n; i++) {
        l->seen[i] = UINT32_MAX;
        l->places[i] = (place_t) { .node = l->p->plan->tasks[i].node,
                                   .each = l->p->plan->tasks[i].each,
                                   .task = (uint32_t) i };
    }

    qsort(l->places, n, sizeof(*l->places), by_place);

    return REEL_OK;
}


void
reel_plan_link(reel_planner_t *p)
{
    bool     any = false;
    size_t   i;
    linker_t l = { .p = p };

    if (p->err != REEL_OK) {
        return;
    }

    p->err = begin(&l);

    for (i = 0; i < p->plan->ntasks && p->err == REEL_OK; i++) {
        link_task(&l, (uint32_t) i);
        any |= l.ndeps > 0;
    }

    free(l.places);
    free(l.seen);
    free(l.deps);

    if (any && p->err == REEL_OK) {
        sort(p);
    }
}

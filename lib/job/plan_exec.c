/* programs of the user's: a task each, or one for each of what they say */

#include <string.h>

#include "lib/base/rescale.h"
#include "lib/job/plan_part.h"

static uint32_t
fan(const reel_planner_t *p, reel_each_t each)
{
    switch (each) {
    case REEL_EACH_CHUNK:
        return (uint32_t) p->nchunks;
    case REEL_EACH_RENDITION:
        return p->nrungs;
    case REEL_EACH_AUDIO_TRACK:
        return p->t.naudios;
    default:
        return 1;
    }
}


static uint32_t
ms_at(const reel_planner_t *p, uint32_t fragment)
{
    int64_t ms;

    ms = reel_rescale(reel_grid_tick(&p->t.grid, fragment), 1000,
                      p->t.grid.timescale, REEL_ROUND_NEAR);

    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t) ms;
}


/* which part of the film this one is about */
static void
set_scope(const reel_planner_t *p, reel_exec_t *t, uint32_t i)
{
    const reel_source_audio_t *a;
    const reel_source_video_t *v = &p->src->video;

    t->number = i;
    t->to_ms = ms_at(p, p->t.grid.fragments);
    t->width = p->t.video ? v->width : 0;
    t->height = p->t.video ? v->height : 0;

    switch (t->each) {
    case REEL_EACH_CHUNK:
        t->from_ms = ms_at(p, p->chunks[i].from);
        t->to_ms = ms_at(p, p->chunks[i].to);
        break;
    case REEL_EACH_RENDITION:
        memcpy(t->rendition, p->rungs[i].name, sizeof(t->rendition));
        t->width = p->rungs[i].width;
        t->height = p->rungs[i].height;
        break;
    case REEL_EACH_AUDIO_TRACK:
        a = reel_source_audio(p->src, i);
        t->stream = a->stream;
        memcpy(t->language, a->language, sizeof(t->language));
        break;
    default:
        break;
    }
}


/* of a fan-out the one that it meets, else all of them */
static void
add_input(const reel_planner_t *p, reel_exec_t *t, const reel_input_t *in,
    uint32_t i)
{
    reel_exec_input_t *x;
    const reel_node_t *from;

    if (strcmp(in->from, "source") == 0) {
        t->source = true;
        return;
    }
    if (strcmp(in->from, "inspect") == 0) {
        t->inspect = true;
        return;
    }

    from = reel_pipeline_node(p->pl, in->from);
    x = &t->inputs[t->ninputs++];
    memcpy(x->node, in->from, sizeof(x->node));
    memcpy(x->file, in->file, sizeof(x->file));

    if (from != NULL && from->each != REEL_EACH_NONE) {
        x->first = from->each == t->each ? i : 0;
        x->count = from->each == t->each ? 1 : p->made[from - p->pl->nodes];
    }
}


static uint64_t
cost_ms(const reel_node_t *n, const reel_exec_t *t)
{
    return (uint64_t) n->cost_s * 1000
           + (uint64_t) (t->to_ms - t->from_ms) * n->cost_percent / 100;
}


static void
add_exec(reel_planner_t *p, const reel_node_t *n, uint32_t i)
{
    uint32_t        k;
    reel_buf_t      b;
    reel_exec_t     t = { .each = n->each, .stream = -1 };
    reel_planned_t *task;

    set_scope(p, &t, i);

    task = reel_plan_add_task(p, REEL_TASK_EXEC, n->slots,
                              cost_ms(n, &t) * 1000);
    if (task == NULL) {
        return;
    }

    reel_task_name_exec(task->name, n->name, n->each != REEL_EACH_NONE, i);
    task->each = i;

    memcpy(t.node, n->name, sizeof(t.node));
    memcpy(t.command, n->command, sizeof(t.command));
    memcpy(t.outputs, n->outputs, sizeof(t.outputs));
    t.nwords = n->nwords;
    t.noutputs = n->noutputs;

    if (n->optional) {
        t.tries = task->attempts;
        task->attempts += REEL_SPARE_ATTEMPTS;
    }

    /* what it adds to the progress: see reel_plan_weigh_execs */
    reel_plan_add_rendition(task, n->name);

    for (k = 0; k < n->ninputs; k++) {
        add_input(p, &t, &n->inputs[k], i);
    }

    reel_buf_init(&b, REEL_PAYLOAD_MAX + 1);
    reel_plan_set_payload(p, task, &b, reel_exec_print(&b, &t));
}


/* how many tasks give the node a file by its input k */
static uint32_t
from_tasks(const reel_planner_t *p, const reel_node_t *n, uint32_t k)
{
    const reel_node_t *from = reel_pipeline_node(p->pl, n->inputs[k].from);

    /* source, inspect */
    if (from == NULL || n->inputs[k].file[0] == '\0') {
        return 1;
    }

    return p->made[from - p->pl->nodes] == 0 ? 0
           : from->each == n->each ? 1 : p->made[from - p->pl->nodes];
}


/* does one more make nothing, since another does? */
static bool
drop_more(reel_planner_t *p)
{
    bool     dropped = false;
    uint32_t i, k;

    for (i = REEL_TASK_EXEC; i < p->pl->nnodes; i++) {
        for (k = 0; p->made[i] > 0 && k < p->pl->nodes[i].ninputs; k++) {
            if (from_tasks(p, &p->pl->nodes[i], k) == 0) {
                p->made[i] = 0;
                dropped = true;
            }
        }
    }

    return dropped;
}


static uint32_t
kept_files(const reel_node_t *n)
{
    uint32_t k, kept = 0;

    for (k = 0; k < n->noutputs; k++) {
        kept += n->outputs[k].keep;
    }

    return kept;
}


static reel_err_t
check_files(const reel_planner_t *p, reel_error_t *e)
{
    uint32_t           i, k;
    uint64_t           inputs, kept = 0;
    const reel_node_t *n;

    for (i = REEL_TASK_EXEC; i < p->pl->nnodes; i++) {
        n = &p->pl->nodes[i];
        inputs = 0;

        if (p->made[i] == 0) {
            continue;
        }

        for (k = 0; k < n->ninputs; k++) {
            inputs += from_tasks(p, n, k);
        }

        if (inputs > REEL_EXEC_INPUTS) {
            return reel_fail(e, REEL_LIMIT, "%s would get %llu files, allowed "
                             "are %d", n->name, (unsigned long long) inputs,
                             REEL_EXEC_INPUTS);
        }

        kept += (uint64_t) p->made[i] * kept_files(n);
    }

    if (kept > REEL_RESULT_FILES) {
        return reel_fail(e, REEL_LIMIT, "programs would keep %llu files, "
                         "allowed are %d", (unsigned long long) kept,
                         REEL_RESULT_FILES);
    }

    return REEL_OK;
}


reel_err_t
reel_plan_execs(reel_planner_t *p, reel_error_t *e)
{
    uint32_t i;

    for (i = REEL_TASK_EXEC; i < p->pl->nnodes; i++) {
        if (p->pl->nodes[i].type == REEL_TASK_EXEC
            && reel_node_wanted(p->pl, i, p->src))
        {
            p->made[i] = fan(p, p->pl->nodes[i].each);
        }
    }

    while (drop_more(p)) { /* void */ }

    return check_files(p, e);
}


void
reel_plan_add_execs(reel_planner_t *p)
{
    uint32_t i, k;

    for (i = REEL_TASK_EXEC; i < p->pl->nnodes; i++) {
        p->node = i;

        for (k = 0; k < p->made[i]; k++) {
            add_exec(p, &p->pl->nodes[i], k);
        }
    }
}


static uint32_t
renditions_of(const reel_planned_t *k)
{
    uint32_t    n = k->renditions[0] != '\0';
    const char *at;

    for (at = k->renditions; *at != '\0'; at++) {
        n += *at == ',';
    }

    return n;
}


/* the work of renditions is time of the film: a program's is as much as they
   have for its cost */
void
reel_plan_weigh_execs(reel_planner_t *p)
{
    size_t          i;
    int64_t         own;
    uint64_t        work = 0, cost = 0;
    reel_planned_t *k;

    for (i = 0; i < p->plan->ntasks; i++) {
        k = &p->plan->tasks[i];

        if (k->work_ms > 0) {
            work += (uint64_t) k->work_ms * renditions_of(k);
            cost += k->cost;
        }
    }

    for (i = 0; i < p->plan->ntasks; i++) {
        k = &p->plan->tasks[i];

        if (k->type == REEL_TASK_EXEC) {
            own = work == 0 ? k->cost
                  : reel_rescale(k->cost, work, cost, REEL_ROUND_UP);
            k->work_ms = own > UINT32_MAX ? UINT32_MAX : (uint32_t) own;
        }
    }
}


uint32_t
reel_plan_files(const reel_planner_t *p,
    reel_publish_files_t files[REEL_PIPELINE_NODES])
{
    uint32_t           i, n = 0;
    const reel_node_t *x;

    for (i = REEL_TASK_EXEC; i < p->pl->nnodes; i++) {
        x = &p->pl->nodes[i];

        /* an optional one may have been given up, which the result says */
        if (p->made[i] > 0 && (kept_files(x) > 0 || x->optional)) {
            memcpy(files[n].node, x->name, sizeof(files[n].node));
            files[n++].count = x->each == REEL_EACH_NONE ? 0 : p->made[i];
        }
    }

    return n;
}

#include "lib/job/show.h"

#include <string.h>

#include "lib/base/rescale.h"
#include "lib/job/part.h"
#include "lib/job/show_part.h"

#define NAMES_SHOWN 4           /* of what a task waits for */

typedef void (*row_fn)(reel_buf_t *b, const reel_pipeline_t *pl,
    const reel_plan_t *p, size_t i);


/* ---- renditions of pictures */

static const char *
range_of(const reel_plan_t *p, const reel_video_rung_t *r)
{
    return reel_part_range(r->hdr ? p->range : REEL_RANGE_SDR);
}


/* "1280x720 29.97/s h264 sdr" */
static void
text_rung(reel_buf_t *b, const reel_plan_t *p, const reel_video_rung_t *r)
{
    reel_rational_t rate = reel_rate_kept(p->rate, r->every);
    uint64_t        milli = (uint64_t) reel_rescale(rate.num, 1000, rate.den,
                                                    REEL_ROUND_NEAR);
    unsigned        digits = 3, part = (unsigned) (milli % 1000);

    reel_buf_printf(b, "%ux%u %u", r->width, r->height,
                    (unsigned) (milli / 1000));

    if (part != 0) {
        for (/* void */ ; part % 10 == 0; part /= 10) {
            digits--;
        }
        reel_buf_printf(b, ".%0*u", (int) digits, part);
    }

    reel_buf_printf(b, "/s %s %s", reel_video_codec_name(r->codec),
                    range_of(p, r));
}


/* ---- text */

static void
text_needs(reel_buf_t *b, const reel_needs_t *n)
{
    reel_buf_printf(b, "%u slot%s", n->slots, n->slots == 1 ? "" : "s");

    if (n->memory_mib > 0) {
        reel_buf_printf(b, ", %u MiB", n->memory_mib);
    }
    if (n->labels[0] != '\0') {
        reel_buf_printf(b, ", %s", n->labels);
    }
    if (n->priority != REEL_PRIORITY) {
        reel_buf_printf(b, ", priority %u", n->priority);
    }
}


static void
text_deps(reel_buf_t *b, const reel_plan_t *p, const reel_planned_t *k)
{
    size_t d;

    for (d = 0; d < k->ndeps && d < NAMES_SHOWN; d++) {
        reel_buf_printf(b, "%s%s", d == 0 ? " <- " : " ",
                        p->tasks[k->deps[d]].name);
    }

    if (k->ndeps > NAMES_SHOWN) {
        reel_buf_printf(b, " and %zu more", k->ndeps - NAMES_SHOWN);
    }
}


/* a program has a progress, and makes none */
static const char *
renditions_of(const reel_planned_t *k)
{
    return k->type == REEL_TASK_EXEC ? "" : k->renditions;
}


static void
text_task(reel_buf_t *b, const reel_pipeline_t *pl, const reel_plan_t *p,
    size_t i)
{
    const reel_planned_t *k = &p->tasks[i];

    (void) pl;

    reel_buf_printf(b, "%-16s %-17s %6u.%03u s  ", k->name,
                    reel_task_type_name(k->type), k->cost / 1000,
                    k->cost % 1000);
    text_needs(b, &k->needs);

    if (renditions_of(k)[0] != '\0') {
        reel_buf_printf(b, "  %s", renditions_of(k));
    }

    text_deps(b, p, k);
    reel_buf_printf(b, "\n");
}


static void
text_command(reel_buf_t *b, const reel_node_t *n)
{
    uint32_t    i;
    const char *word = n->command;

    for (i = 0; i < n->nwords; i++) {
        reel_buf_printf(b, " %s", word);
        word += strlen(word) + 1;
    }
}


static void
text_cost(reel_buf_t *b, const reel_node_t *n)
{
    if (n->cost_s > 0 || n->cost_percent == 0) {
        reel_buf_printf(b, " in %u s", n->cost_s);
    }
    if (n->cost_percent > 0) {
        reel_buf_printf(b, "%s %u %% of its time",
                        n->cost_s > 0 ? " and" : " in", n->cost_percent);
    }
}


static void
text_node(reel_buf_t *b, const reel_pipeline_t *pl, const reel_plan_t *p,
    size_t i)
{
    uint32_t           k;
    const reel_node_t *n = &pl->nodes[i];

    (void) p;

    reel_buf_printf(b, "%-20s %s", n->name, reel_task_type_name(n->type));

    if (n->off) {
        reel_buf_printf(b, " left out");
    }
    if (n->each != REEL_EACH_NONE) {
        reel_buf_printf(b, " for each %s", reel_each_name(n->each));
    }
    if (n->when[0] != '\0') {
        reel_buf_printf(b, " when %s", n->when);
    }
    if (n->type == REEL_TASK_EXEC) {
        text_cost(b, n);
    }
    if (n->nwords > 0) {
        text_command(b, n);
    }

    for (k = 0; k < n->nafter; k++) {
        reel_buf_printf(b, "%s%s", k == 0 ? " <- " : " ", n->after[k]);
    }
    for (k = 0; k < n->ninputs; k++) {
        reel_buf_printf(b, "%s%s%s%s", k + n->nafter == 0 ? " <- " : " ",
                        n->inputs[k].from, n->inputs[k].file[0] ? "/" : "",
                        n->inputs[k].file);
    }
    for (k = 0; k < n->noutputs; k++) {
        reel_buf_printf(b, "%s%s", k == 0 ? " -> " : " ",
                        n->outputs[k].name);
    }

    reel_buf_printf(b, "\n");
}


/* ---- JSON */

static void
json_task(reel_json_t *j, const reel_pipeline_t *pl, const reel_plan_t *p,
    size_t i)
{
    size_t                d;
    const reel_planned_t *k = &p->tasks[i];

    reel_json_object(j);
    reel_json_kstr(j, "name", k->name);
    reel_json_kstr(j, "type", reel_task_type_name(k->type));
    reel_json_kstr(j, "node", pl->nodes[k->node].name);
    reel_json_kuint(j, "slots", k->needs.slots);
    reel_json_kuint(j, "memory_mib", k->needs.memory_mib);
    reel_show_list(j, "labels", k->needs.labels);
    reel_json_kuint(j, "priority", k->needs.priority);
    reel_json_kuint(j, "cost_ms", k->cost);
    reel_json_kuint(j, "attempts", k->attempts);
    reel_json_kuint(j, "timeout_s", k->timeout_s);
    reel_show_list(j, "renditions", renditions_of(k));
    reel_json_key(j, "after");
    reel_json_array(j);

    for (d = 0; d < k->ndeps; d++) {
        reel_json_str(j, reel_str(p->tasks[k->deps[d]].name));
    }

    reel_json_end(j, ']');
    reel_json_end(j, '}');
}


static void
json_rungs(reel_json_t *j, const reel_plan_t *p)
{
    uint32_t                  i;
    const reel_video_rung_t  *r;

    reel_json_key(j, "ladder");
    reel_json_array(j);

    for (i = 0; i < p->nrungs; i++) {
        r = &p->rungs[i];
        reel_json_object(j);
        reel_json_kstr(j, "name", r->name);
        reel_json_kuint(j, "width", r->width);
        reel_json_kuint(j, "height", r->height);
        reel_part_rational(j, "rate", reel_rate_kept(p->rate, r->every));
        reel_json_kstr(j, "codec", reel_video_codec_name(r->codec));
        reel_json_kstr(j, "range", range_of(p, r));
        reel_json_kstr(j, "preset", r->preset);
        reel_json_kuint(j, "crf", r->crf);
        reel_json_kuint(j, "max_kbps", r->max_kbps);
        reel_json_kuint(j, "buf_kbits", r->buf_kbits);
        reel_json_end(j, '}');
    }

    reel_json_end(j, ']');
}


static void
json_left(void *to, const char *name, const char *why)
{
    reel_json_t *j = to;

    reel_json_object(j);
    reel_json_kstr(j, "name", name);
    reel_json_kstr(j, "why", why);
    reel_json_end(j, '}');
}


/* src: of p */
static void
json_all(reel_buf_t *b, const reel_pipeline_t *pl, const reel_plan_t *p,
    const reel_source_t *src)
{
    size_t      i, n = p != NULL ? p->ntasks : pl->nnodes;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);
    reel_json_kstr(&j, "pipeline", pl->name);
    reel_json_key(&j, "tasks");
    reel_json_array(&j);

    for (i = 0; i < n; i++) {
        if (p != NULL) {
            json_task(&j, pl, p, i);
        } else {
            reel_show_node(&j, &pl->nodes[i]);
        }
    }

    reel_json_end(&j, ']');

    if (p != NULL) {
        reel_json_key(&j, "left_out");
        reel_json_array(&j);
        reel_show_left(pl, p, src, json_left, &j);
        reel_json_end(&j, ']');
    }

    if (p != NULL && p->pictures[0] != '\0') {
        reel_json_kstr(&j, "pictures", p->pictures);
    }
    if (p != NULL && p->sound[0] != '\0') {
        reel_json_kstr(&j, "sound", p->sound);
    }
    if (p != NULL && p->ladder[0] != '\0') {
        reel_json_kstr(&j, p->copied ? "below" : "per_title", p->ladder);
    }
    if (p != NULL && p->nrungs > 0) {
        json_rungs(&j, p);
    }

    reel_json_end(&j, '}');
    reel_buf_printf(b, "\n");
}


/* ---- Graphviz.  Names hold nothing that would need escaping */

static void
dot_task(reel_buf_t *b, const reel_pipeline_t *pl, const reel_plan_t *p,
    size_t i)
{
    size_t                    d;
    uint32_t                  n;
    const reel_planned_t     *k = &p->tasks[i];
    const reel_video_rung_t  *r;

    (void) pl;
    reel_buf_printf(b, "    \"%s\" [label=\"%s\\n%s", k->name, k->name,
                    reel_task_type_name(k->type));

    for (n = 0; n < p->nrungs; n++) {
        r = &p->rungs[n];

        if (reel_str_in_csv(reel_str(k->renditions), r->name)) {
            reel_buf_printf(b, "\\n%s ", r->name);
            text_rung(b, p, r);
        }
    }

    reel_buf_printf(b, "\"];\n");

    if (k->ndeps == 0) {
        reel_buf_printf(b, "    plan -> \"%s\";\n", k->name);
    }

    for (d = 0; d < k->ndeps; d++) {
        reel_buf_printf(b, "    \"%s\" -> \"%s\";\n",
                        p->tasks[k->deps[d]].name, k->name);
    }
}


static void
dot_node(reel_buf_t *b, const reel_pipeline_t *pl, const reel_plan_t *p,
    size_t i)
{
    uint32_t           k;
    const reel_node_t *n = &pl->nodes[i];

    (void) p;

    if (n->off || n->type == REEL_TASK_INSPECT || n->type == REEL_TASK_PLAN) {
        return;
    }

    reel_buf_printf(b, "    \"%s\" [label=\"%s\\n%s\"];\n", n->name,
                    n->name, reel_task_type_name(n->type));

    for (k = 0; k < n->nafter; k++) {
        reel_buf_printf(b, "    \"%s\" -> \"%s\";\n", n->after[k], n->name);
    }
    for (k = 0; k < n->ninputs; k++) {
        if (n->inputs[k].file[0] != '\0') {
            reel_buf_printf(b, "    \"%s\" -> \"%s\" [label=\"%s\"];\n",
                            n->inputs[k].from, n->name, n->inputs[k].file);
        }
    }

    if (n->type != REEL_TASK_PUBLISH) {
        reel_buf_printf(b, "    \"%s\" -> publish;\n", n->name);

        if (n->nafter + n->ninputs == 0) {
            reel_buf_printf(b, "    plan -> \"%s\";\n", n->name);
        }
    }
}


static void
text_left(void *to, const char *name, const char *why)
{
    reel_buf_printf(to, "# left out: %s (%s)\n", name, why);
}


/* the ladder and what became of the film's own, below the tasks */
static void
text_why(reel_buf_t *b, const reel_plan_t *p)
{
    uint32_t i;

    for (i = 0; i < p->nrungs; i++) {
        reel_buf_printf(b, "# %s: ", p->rungs[i].name);
        text_rung(b, p, &p->rungs[i]);
        reel_buf_printf(b, "\n");
    }

    if (p->pictures[0] != '\0') {
        reel_buf_printf(b, "# pictures are %s\n", p->pictures);
    }
    if (p->sound[0] != '\0') {
        reel_buf_printf(b, "# the sound is %s\n", p->sound);
    }
    if (p->ladder[0] != '\0') {
        reel_buf_printf(b, "# ladder: %s\n", p->ladder);
    }
}


static reel_err_t
show(reel_buf_t *b, const reel_pipeline_t *pl, const reel_plan_t *p,
    const reel_source_t *src, reel_show_form_t form)
{
    size_t i, n = p != NULL ? p->ntasks : pl->nnodes;
    row_fn row;

    if (form == REEL_SHOW_JSON) {
        json_all(b, pl, p, src);
        return reel_buf_err(b);
    }

    if (form == REEL_SHOW_DOT) {
        row = p != NULL ? dot_task : dot_node;
        reel_buf_printf(b, "digraph \"%s\" {\n    rankdir=LR;\n"
                        "    node [shape=box];\n    inspect -> plan;\n",
                        pl->name);
    } else {
        row = p != NULL ? text_task : text_node;
    }

    for (i = 0; i < n; i++) {
        row(b, pl, p, i);
    }

    if (form == REEL_SHOW_DOT) {
        reel_buf_printf(b, "}\n");

    } else if (p != NULL) {
        text_why(b, p);
        reel_show_left(pl, p, src, text_left, b);
    }

    return reel_buf_err(b);
}


reel_err_t
reel_show_pipeline(reel_buf_t *b, const reel_pipeline_t *pl,
    reel_show_form_t form)
{
    return show(b, pl, NULL, NULL, form);
}


reel_err_t
reel_show_plan(reel_buf_t *b, const reel_pipeline_t *pl,
    const reel_plan_t *p, const reel_source_t *src, reel_show_form_t form)
{
    return show(b, pl, p, src, form);
}

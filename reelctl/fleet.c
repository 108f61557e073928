/*
 * A task goes to any worker that has the labels of its node; what else it
 * needs (an encoder, a program, the pipeline) is found out by who took it.  So
 * one worker that has all is enough for a task to be done, but each that has
 * the labels alone may take it before.
 */

#include "reelctl/fleet.h"

#include <string.h>

#include "lib/job/wants.h"

typedef struct {
    json_t                *report;
    const json_t          *live;
    const reel_pipeline_t *p;
    const reel_plan_t     *plan;
} fleet_t;

typedef char why_t[256];


json_t *
reel_ctl_fleet_live(json_t *all)
{
    size_t   i;
    json_t  *live = all != NULL ? json_array() : NULL, *w;

    json_array_foreach(all, i, w) {
        if (json_is_true(json_object_get(w, "alive"))
            && !json_is_true(json_object_get(w, "draining")))
        {
            (void) json_array_append(live, w);
        }
    }

    json_decref(all);

    return live;
}


bool
reel_ctl_fleet_plans(const json_t *worker, const char *pipeline)
{
    const char  *csv = reel_ctl_text(worker, "pipelines");

    return csv[0] == '\0' || reel_str_in_csv(reel_str(csv), pipeline);
}


static void
unmet(const fleet_t *f, const char *task, const char *why)
{
    (void) json_array_append_new(json_object_get(f->report, "unmet"),
        json_pack("{s:s, s:s}", "task", task, "why", why));
}


static void
mixed(const fleet_t *f, const char *task, const json_t *worker,
    const char *lacks)
{
    (void) json_array_append_new(json_object_get(f->report, "mixed"),
        json_pack("{s:s, s:s, s:s}", "task", task, "worker",
                  reel_ctl_text(worker, "worker"), "lacks", lacks));
}


static bool
has_label(const json_t *worker, reel_str_t label)
{
    char  z[REEL_NODE_LABELS];

    return reel_str_copy(z, sizeof(z), label) == REEL_OK
           && (reel_str_in_csv(reel_str(reel_ctl_text(worker, "labels")), z)
               || reel_str_in_csv(reel_str(reel_ctl_text(worker, "codecs")),
                                  z));
}


static bool
has_labels(const json_t *worker, const char *csv)
{
    reel_str_t  one, rest = reel_str(csv);

    while (rest.len > 0) {
        one = reel_str_cut(rest, ',', &rest);
        if (!has_label(worker, one)) {
            return false;
        }
    }

    return true;
}


/* those that nobody has, or that only several have together */
static void
unmet_labels(const fleet_t *f, const reel_node_t *n)
{
    bool        had;
    size_t      i;
    why_t       why, none = "";
    json_t     *w;
    reel_str_t  one, rest = reel_str(n->labels);

    while (rest.len > 0) {
        one = reel_str_cut(rest, ',', &rest);
        had = false;

        json_array_foreach(f->live, i, w) {
            had = had || has_label(w, one);
        }

        if (!had) {
            (void) snprintf(none + strlen(none), sizeof(none) - strlen(none),
                            "%s%.*s", none[0] != '\0' ? "," : "",
                            (int) one.len, one.p);
        }
    }

    (void) snprintf(why, sizeof(why), none[0] != '\0'
                    ? "no worker has the label %.200s"
                    : "no worker has all of %.200s",
                    none[0] != '\0' ? none : n->labels);
    unmet(f, n->name, why);
}


/* what else a worker lacks for a node, as a label or in words; false: none */
static bool
lacks(why_t why, const fleet_t *f, const json_t *worker, const reel_node_t *n)
{
    char         name[sizeof(f->p->name) + sizeof(n->name) + 1];
    size_t       k, count;
    const char  *encoders[REEL_WANTS_MAX];

    count = reel_node_encoders(f->p, n, encoders);

    for (k = 0; k < count; k++) {
        if (!reel_str_in_csv(reel_str(reel_ctl_text(worker, "codecs")),
                             encoders[k]))
        {
            (void) snprintf(why, sizeof(why_t), "the encoder %s",
                            encoders[k]);
            return true;
        }
    }

    if (n->type != REEL_TASK_EXEC) {
        return false;
    }

    /* it runs no program but those of its pipelines */
    if (!reel_ctl_fleet_plans(worker, f->p->name)) {
        (void) snprintf(why, sizeof(why_t), "the pipeline %s", f->p->name);
        return true;
    }

    (void) snprintf(name, sizeof(name), "%s/%s", f->p->name, n->name);
    (void) snprintf(why, sizeof(why_t), "the program %.200s", n->command);

    return reel_str_in_csv(reel_str(reel_ctl_text(worker,
                                                  "programs_lacking")), name);
}


/* of a film's tasks the most, else what the file says; false: it has none */
static bool
size_of(const fleet_t *f, uint32_t node, uint32_t *slots, uint32_t *mib)
{
    bool                   any = false;
    size_t                 i;
    const reel_planned_t  *k;

    *slots = 0;
    *mib = 0;

    if (f->plan == NULL) {
        *slots = f->p->nodes[node].slots;
        *mib = f->p->nodes[node].memory_mib;
        *slots = *slots == REEL_NODE_UNSET ? 0 : *slots;
        *mib = *mib == REEL_NODE_UNSET ? 0 : *mib;
        return true;
    }

    for (i = 0; i < f->plan->ntasks; i++) {
        k = &f->plan->tasks[i];

        if (k->node == node) {
            any = true;
            *slots = k->needs.slots > *slots ? k->needs.slots : *slots;
            *mib = k->needs.memory_mib > *mib ? k->needs.memory_mib : *mib;
        }
    }

    return any;
}


/* it runs nevertheless, when nothing else does there */
static void
look_at_size(const fleet_t *f, const json_t *able, const char *name,
    uint32_t slots, uint32_t mib)
{
    size_t   i;
    json_t  *w;

    json_array_foreach(able, i, w) {
        if (reel_ctl_integer(w, "cores") >= slots
            && reel_ctl_integer(w, "memory_mib") >= mib)
        {
            return;
        }
    }

    (void) json_array_append_new(json_object_get(f->report, "large"),
        json_pack("{s:s, s:I, s:I}", "task", name, "slots",
                  (json_int_t) slots, "memory_mib", (json_int_t) mib));
}


static void
look_at_node(const fleet_t *f, uint32_t node)
{
    bool                any = false;
    why_t               why;
    size_t              i;
    json_t             *able, *w;
    uint32_t            slots, mib;
    const reel_node_t  *n = &f->p->nodes[node];

    if (!reel_node_used(f->p, n) || !size_of(f, node, &slots, &mib)) {
        return;
    }

    able = json_array();

    json_array_foreach(f->live, i, w) {
        if (!has_labels(w, n->labels)) {
            continue;
        }

        any = true;
        if (lacks(why, f, w, n)) {
            mixed(f, n->name, w, why);
        } else {
            (void) json_array_append(able, w);
        }
    }

    if (!any) {
        unmet_labels(f, n);
    } else if (json_array_size(able) == 0) {
        unmet(f, n->name, "each worker that may take it lacks something");
    } else {
        look_at_size(f, able, n->name, slots, mib);
    }

    json_decref(able);
}


static void
look_at_plan(const fleet_t *f)
{
    why_t    why;
    size_t   i, have = 0;
    json_t  *w;

    (void) snprintf(why, sizeof(why), "the pipeline %s", f->p->name);

    json_array_foreach(f->live, i, w) {
        if (reel_ctl_fleet_plans(w, f->p->name)) {
            have++;
        } else {
            mixed(f, "plan", w, why);
        }
    }

    if (have == 0) {
        unmet(f, "plan", "no worker has a pipeline of that name");
    }
}


void
reel_ctl_fleet_report(json_t *report, const json_t *live,
    const reel_pipeline_t *p, const reel_plan_t *plan)
{
    fleet_t   f = { report, live, p, plan };
    uint32_t  i;

    (void) json_object_set_new(report, "workers", json_integer((json_int_t)
                               json_array_size(live)));
    (void) json_object_set_new(report, "unmet", json_array());
    (void) json_object_set_new(report, "mixed", json_array());
    (void) json_object_set_new(report, "large", json_array());

    if (json_array_size(live) == 0) {
        unmet(&f, "inspect", "no worker is alive that does not drain");
        return;
    }

    look_at_plan(&f);

    for (i = REEL_TASK_PLAN + 1; i < p->nnodes; i++) {
        look_at_node(&f, i);
    }
}


static void
line(const char *kind, const json_t *j, const char *words, const char *text)
{
    (void) printf("%-5s  %-20s  ", kind, reel_ctl_text(j, "task"));
    reel_ctl_put_safe(stdout, words);
    reel_ctl_put_safe(stdout, text);
    (void) fputc('\n', stdout);
}


bool
reel_ctl_fleet_print(const json_t *report)
{
    why_t    words;
    size_t   i;
    json_t  *j, *unmet = json_object_get(report, "unmet");

    json_array_foreach(unmet, i, j) {
        line("UNMET", j, reel_ctl_text(j, "why"), "");
    }

    json_array_foreach(json_object_get(report, "mixed"), i, j) {
        (void) snprintf(words, sizeof(words), "%.100s may take it and lacks ",
                        reel_ctl_text(j, "worker"));
        line("mixed", j, words, reel_ctl_text(j, "lacks"));
    }

    json_array_foreach(json_object_get(report, "large"), i, j) {
        (void) snprintf(words, sizeof(words), "no worker has %lld cores and "
                        "%lld MiB: it runs alone on one",
                        (long long) reel_ctl_integer(j, "slots"),
                        (long long) reel_ctl_integer(j, "memory_mib"));
        line("large", j, words, "");
    }

    return json_array_size(unmet) == 0;
}

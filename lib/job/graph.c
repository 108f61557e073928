#include "lib/job/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const reel_pipeline_t *p;
    reel_graph_fault_fn    fn;
    void                  *arg;
    bool                   bad;
    unsigned char          seen[REEL_PIPELINE_NODES];   /* of the walk */
} graph_t;

enum { NEW, OPEN, DONE };

static void fault(graph_t *g, const reel_node_t *n, const char *key,
    uint32_t i, const char *fmt, ...) REEL_PRINTF(5, 6);


static void
fault(graph_t *g, const reel_node_t *n, const char *key, uint32_t i,
    const char *fmt, ...)
{
    char    text[160];
    va_list ap;

    g->bad = true;

    va_start(ap, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    g->fn(g->arg, n, key, i, text);
}


static void
check_after(graph_t *g, const reel_node_t *n)
{
    uint32_t           i;
    const reel_node_t *on;

    for (i = 0; i < n->nafter; i++) {
        on = reel_pipeline_node(g->p, n->after[i]);

        if (on == NULL) {
            fault(g, n, "after", i, "there is no task \"%s\"", n->after[i]);

        } else if (on->type == REEL_TASK_PUBLISH) {
            fault(g, n, "after", i, "publish is the last: nothing comes "
                  "after it");
        }
    }
}


static void
check_inputs(graph_t *g, const reel_node_t *n)
{
    uint32_t            i, k;
    const reel_node_t  *of;
    const reel_input_t *in;

    for (i = 0; i < n->ninputs; i++) {
        in = &n->inputs[i];

        if (in->file[0] == '\0') {
            if (strcmp(in->from, "source") != 0
                && strcmp(in->from, "inspect") != 0)
            {
                fault(g, n, "inputs", i, "\"%s\" is no input: source, "
                      "inspect or task/file", in->from);
            }
            continue;
        }

        of = reel_pipeline_node(g->p, in->from);

        if (of == NULL) {
            fault(g, n, "inputs", i, "there is no task \"%s\"", in->from);
            continue;
        }

        for (k = 0; k < of->noutputs; k++) {
            if (strcmp(of->outputs[k].name, in->file) == 0) {
                break;
            }
        }

        if (k == of->noutputs) {
            fault(g, n, "inputs", i, "\"%s\" has no output \"%s\"",
                  in->from, in->file);
        }
    }
}


static void
check_exec(graph_t *g, const reel_node_t *n)
{
    uint32_t i, k;

    if (n->nwords == 0) {
        fault(g, n, "", 0, "\"command\" is missing");

    } else if (n->command[0] != '/') {
        fault(g, n, "command", 0, "the program must be an absolute path, "
              "not \"%.64s\"", n->command);
    }

    for (i = 0; i < n->noutputs; i++) {
        for (k = 0; k < i; k++) {
            if (strcmp(n->outputs[i].name, n->outputs[k].name) == 0) {
                fault(g, n, "outputs", i, "\"%s\" is there twice",
                      n->outputs[i].name);
            }
        }
    }
}


/* inspect and plan know nothing of the source yet; a job ends with publish */
static void
check_fixed(graph_t *g, const reel_node_t *n)
{
    if (n->off) {
        fault(g, n, "", 0, "no job can do without %s", n->name);
    }
    if (n->when[0] != '\0') {
        fault(g, n, "when", 0, "%s has no condition: every job has it",
              n->name);
    }
    if (n->nafter > 0) {
        fault(g, n, "after", 0, "the place of %s is fixed", n->name);
    }
}


static void
check_each(graph_t *g, const reel_node_t *n)
{
    bool ok = n->each == REEL_EACH_NONE || n->type == REEL_TASK_EXEC;

    if (n->type == REEL_TASK_ENCODE_VIDEO) {
        ok |= n->each == REEL_EACH_CHUNK || n->each == REEL_EACH_RENDITION;
    }
    if (n->type == REEL_TASK_ENCODE_AUDIO || n->type == REEL_TASK_LOUDNESS) {
        ok |= n->each == REEL_EACH_AUDIO_TRACK;
    }

    if (!ok) {
        fault(g, n, "for_each", 0, "%s is not done for each %s",
              reel_task_type_name(n->type), reel_each_name(n->each));
    }
}


static void
check_encoders(graph_t *g, uint32_t i)
{
    uint32_t           k;
    const reel_node_t *n = &g->p->nodes[i];

    if (n->codec == REEL_VIDEO_CODECS) {
        fault(g, n, "", 0, "\"codec\" is missing: a second encode_video "
              "makes the renditions of one");
        return;
    }

    for (k = REEL_TASK_EXEC; k < i; k++) {
        if (g->p->nodes[k].type == n->type && g->p->nodes[k].codec == n->codec)
        {
            fault(g, n, "codec", 0, "\"%s\" makes those already",
                  g->p->nodes[k].name);
        }
    }

    for (k = 0; k < g->p->nrungs; k++) {
        if (g->p->rungs[k].codec == n->codec) {
            return;
        }
    }

    fault(g, n, "codec", 0, "no rendition is of %s",
          reel_video_codec_name(n->codec));
}


static void walk(graph_t *g, const reel_node_t *n);


static void
step(graph_t *g, const reel_node_t *n, const char *key, uint32_t i,
    const char *to)
{
    const reel_node_t *on = reel_pipeline_node(g->p, to);

    if (on == NULL) {
        return;
    }

    if (g->seen[on - g->p->nodes] == OPEN) {
        fault(g, n, key, i, "\"%s\" and \"%s\" wait for one another",
              n->name, on->name);
        return;
    }

    walk(g, on);
}


static void
walk(graph_t *g, const reel_node_t *n)
{
    uint32_t       i;
    unsigned char *seen = &g->seen[n - g->p->nodes];

    if (*seen == DONE) {
        return;
    }

    *seen = OPEN;

    for (i = 0; i < n->nafter; i++) {
        step(g, n, "after", i, n->after[i]);
    }
    for (i = 0; i < n->ninputs; i++) {
        step(g, n, "inputs", i, n->inputs[i].from);
    }

    *seen = DONE;
}


static void
check_makes(graph_t *g)
{
    uint32_t i;

    for (i = 0; i < g->p->nnodes; i++) {
        if (!g->p->nodes[i].off
            && (g->p->nodes[i].type == REEL_TASK_ENCODE_VIDEO
                || g->p->nodes[i].type == REEL_TASK_ENCODE_AUDIO))
        {
            return;
        }
    }

    fault(g, &g->p->nodes[REEL_TASK_ENCODE_VIDEO], "", 0,
          "neither pictures nor sound are made");
}


reel_err_t
reel_graph_check(const reel_pipeline_t *p, reel_graph_fault_fn fn, void *arg)
{
    uint32_t           i;
    graph_t            g = { .p = p, .fn = fn, .arg = arg };
    const reel_node_t *n;

    for (i = 0; i < p->nnodes; i++) {
        n = &p->nodes[i];

        if (n->type == REEL_TASK_INSPECT || n->type == REEL_TASK_PLAN
            || n->type == REEL_TASK_PUBLISH)
        {
            check_fixed(&g, n);
        }
        if (n->type == REEL_TASK_COMPLEXITY && n->nafter > 0) {
            fault(&g, n, "after", 0, "the place of %s is fixed", n->name);
        }
        if (n->type == REEL_TASK_EXEC) {
            check_exec(&g, n);
        }
        if (i >= REEL_TASK_EXEC && n->type == REEL_TASK_ENCODE_VIDEO) {
            check_encoders(&g, i);
        }

        check_each(&g, n);
        check_after(&g, n);
        check_inputs(&g, n);
    }

    for (i = 0; i < p->nnodes; i++) {
        walk(&g, &p->nodes[i]);
    }

    check_makes(&g);

    return g.bad ? REEL_INVAL : REEL_OK;
}

#include "workerd/programs.h"

#include <stdlib.h>
#include <string.h>


/* commands end in zeros to the last byte */
static bool
is_kept(const reel_programs_t *k, uint32_t nwords, const char *command)
{
    for (uint32_t i = 0; i < k->n; i++) {
        if (k->v[i].nwords == nwords
            && memcmp(k->v[i].command, command, REEL_EXEC_COMMAND) == 0)
        {
            return true;
        }
    }

    return false;
}


static void
keep(reel_programs_t *k, const reel_node_t *n)
{
    reel_program_t  *p;

    if (is_kept(k, n->nwords, n->command)) {
        return;
    }

    if (k->v == NULL) {
        k->v = calloc(REEL_PROGRAMS_KEPT, sizeof(*k->v));
        if (k->v == NULL) {
            return;
        }
    }

    p = &k->v[k->next];
    k->next = (k->next + 1) % REEL_PROGRAMS_KEPT;
    k->n += k->n < REEL_PROGRAMS_KEPT;
    p->nwords = n->nwords;
    memcpy(p->command, n->command, sizeof(p->command));
}


void
reel_programs_keep(reel_programs_t *k, const reel_pipeline_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (uint32_t j = REEL_TASK_EXEC; j < p[i].nnodes; j++) {
            if (p[i].nodes[j].type == REEL_TASK_EXEC) {
                keep(k, &p[i].nodes[j]);
            }
        }
    }
}


void
reel_programs_release(reel_programs_t *k)
{
    free(k->v);
    *k = (reel_programs_t) { 0 };
}


static bool
names(const reel_pipeline_t *p, const reel_exec_t *t)
{
    const reel_node_t  *n;

    for (uint32_t i = REEL_TASK_EXEC; i < p->nnodes; i++) {
        n = &p->nodes[i];

        if (n->type == REEL_TASK_EXEC && n->nwords == t->nwords
            && memcmp(n->command, t->command, sizeof(n->command)) == 0)
        {
            return true;
        }
    }

    return false;
}


bool
reel_programs_known(const reel_programs_t *k, const reel_pipeline_t *p,
    size_t n, const reel_exec_t *t)
{
    for (size_t i = 0; i < n; i++) {
        if (names(&p[i], t)) {
            return true;
        }
    }

    return is_kept(k, t->nwords, t->command);
}


/* those of tasks in the order of the node's, without source and inspect */
static bool
same_inputs(const reel_node_t *n, const reel_exec_t *t)
{
    bool      source = false, inspect = false;
    uint32_t  k = 0;

    for (uint32_t i = 0; i < n->ninputs; i++) {
        const reel_input_t  *in = &n->inputs[i];

        if (strcmp(in->from, "source") == 0) {
            source = true;
        } else if (strcmp(in->from, "inspect") == 0) {
            inspect = true;
        } else if (k == t->ninputs
                   || strcmp(in->from, t->inputs[k].node) != 0
                   || strcmp(in->file, t->inputs[k].file) != 0)
        {
            return false;
        } else {
            k++;
        }
    }

    return source == t->source && inspect == t->inspect && k == t->ninputs;
}


static bool
same_outputs(const reel_node_t *n, const reel_exec_t *t)
{
    for (uint32_t i = 0; i < n->noutputs && i < t->noutputs; i++) {
        if (strcmp(n->outputs[i].name, t->outputs[i].name) != 0) {
            return false;
        }
    }

    return n->noutputs == t->noutputs;
}


const reel_node_t *
reel_programs_same(const reel_pipeline_t *p, const reel_exec_t *t)
{
    const reel_node_t  *n = reel_pipeline_node(p, t->node);

    return n != NULL && n->type == REEL_TASK_EXEC && n->each == t->each
           && same_inputs(n, t) && same_outputs(n, t) ? n : NULL;
}

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

/*
 * tasks: of a pipeline's file.  A member named after a built-in type sets
 * that node (false leaves it out), any other is a node of the user's and
 * says its type.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf/pipeline_part.h"
#include "lib/job/graph.h"
#include "lib/job/plan.h"
#include "lib/job/when.h"
#include "lib/store/layout.h"

#define LABEL_CHARS  "abcdefghijklmnopqrstuvwxyz0123456789._-"
#define LABELS       8

static_assert(REEL_NODE_NAME - 1 == 20, "a text below says so");


reel_err_t
reel_conf_codec(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char        text[16];
    reel_err_t  err;

    err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);

    if (err == REEL_OK && !reel_video_codec_find(text, dst)) {
        err = reel_yaml_fail(n, e, "\"%s\" is no codec that is made: h264, "
                             "hevc or av1", text);
    }

    return err;
}


reel_err_t
reel_conf_when(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char         *text = dst;
    unsigned      column;
    reel_err_t    err;
    reel_error_t  why;

    err = reel_yaml_text(n, 1, REEL_WHEN_MAX, text, e);

    if (err == REEL_OK
        && reel_when_check(text, n->len, &column, &why) != REEL_OK)
    {
        text[0] = '\0';
        err = reel_yaml_fail_at(n, column - 1, e, "when: %s", why.text);
    }

    return err;
}


reel_err_t
reel_conf_words(void *dst, const reel_yaml_t *n, uint32_t most,
    reel_yaml_fn fn, reel_error_t *e)
{
    uint32_t            i = 0;
    reel_err_t          err = REEL_OK, now;
    const reel_yaml_t  *item;

    if (n->kind == REEL_YAML_SCALAR) {
        return fn(dst, n, e);
    }

    err = reel_yaml_is(n, REEL_YAML_LIST, e);
    if (err != REEL_OK) {
        return err;
    }

    for (item = n->child; item != NULL && reel_yaml_goes_on(n, err);
         item = item->next)
    {
        if (i++ == most) {
            return reel_yaml_fail(item, e, "more than %u of them", most);
        }

        now = fn(dst, item, e);
        err = err != REEL_OK ? err : now;
    }

    return err;
}


static reel_err_t
add_after(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_node_t  *node = dst;

    return reel_yaml_text(n, 1, REEL_NODE_NAME - 1,
                          node->after[node->nafter++], e);
}


static reel_err_t
read_after(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    return reel_conf_words(dst, n, REEL_NODE_LINKS, add_after, e);
}


static reel_err_t
read_for_each(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    int           i;
    char          text[16];
    reel_err_t    err;
    reel_each_t  *each = dst;

    err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);
    if (err != REEL_OK) {
        return err;
    }

    for (i = REEL_EACH_CHUNK; i < REEL_EACHES; i++) {
        if (strcmp(text, reel_each_name(i)) == 0) {
            *each = (reel_each_t) i;
            return REEL_OK;
        }
    }

    return reel_yaml_fail(n, e, "for_each is chunk, rendition or audio_track, "
                          "not \"%s\"", text);
}


typedef struct {
    uint32_t n;
    char     v[LABELS][REEL_NODE_LABELS];
} labels_t;


static reel_err_t
add_label(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    labels_t   *l = dst;
    reel_err_t  err;

    err = reel_yaml_text(n, 1, 31, l->v[l->n], e);

    if (err == REEL_OK && strspn(n->text, LABEL_CHARS) != n->len) {
        err = reel_yaml_fail(n, e, "a label has [a-z0-9._-] only");
    }
    if (err == REEL_OK) {
        l->n++;
    }

    return err;
}


static int
by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}


/* csv, sorted, each once */
static reel_err_t
read_labels(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char       *csv = dst;
    size_t      len = 0;
    labels_t    l = { 0 };
    reel_err_t  err;

    err = reel_conf_words(&l, n, LABELS, add_label, e);
    if (err != REEL_OK) {
        return err;
    }

    qsort(l.v, l.n, sizeof(l.v[0]), by_text);
    csv[0] = '\0';

    for (uint32_t i = 0; i < l.n; i++) {
        if (i > 0 && strcmp(l.v[i], l.v[i - 1]) == 0) {
            continue;
        }

        if (len + strlen(l.v[i]) + 2 > REEL_NODE_LABELS) {
            return reel_yaml_fail(n, e, "labels have %d bytes at most",
                                  REEL_NODE_LABELS - 1);
        }

        len += (size_t) snprintf(csv + len, REEL_NODE_LABELS - len, "%s%s",
                                 len > 0 ? "," : "", l.v[i]);
    }

    return REEL_OK;
}


static reel_err_t
read_needs(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    static const reel_yaml_key_t keys[] = {
        U32("slots", reel_node_t, slots, 0, REEL_SLOTS_MAX),
        U32("memory_mib", reel_node_t, memory_mib, 0, REEL_MEMORY_MAX),
        FN("labels", reel_node_t, labels, read_labels),
    };

    return reel_yaml_map(dst, n, ROWS(keys), e);
}


/* told apart from the others before the map is read */
static reel_err_t
read_type(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    char          text[32];
    reel_err_t    err;
    reel_node_t  *node = dst;

    err = reel_yaml_text(n, 1, sizeof(text) - 1, text, e);

    if (err == REEL_OK && strcmp(text, reel_task_type_name(node->type)) != 0)
    {
        err = reel_yaml_fail(n, e, "a task \"%s\" has that type, not \"%s\"",
                             node->name, text);
    }

    return err;
}


#define COMMON                                                               \
    { "type", REEL_YAML_TYPE_FN, 0, 0, 0, read_type, false },                \
    FN("when", reel_node_t, when, reel_conf_when),                           \
    { "after", REEL_YAML_TYPE_FN, 0, 0, 0, read_after, false },              \
    FN("for_each", reel_node_t, each, read_for_each),                        \
    { "needs", REEL_YAML_TYPE_FN, 0, 0, 0, read_needs, false },              \
    U32("priority", reel_node_t, priority, 0, REEL_PRIORITY_MAX),            \
    U32("attempts", reel_node_t, attempts, 1, 20),                           \
    U32("timeout_s", reel_node_t, timeout_s, 10, 86400)


static reel_err_t
read_task(reel_node_t *node, const reel_yaml_t *n, reel_error_t *e)
{
    static const reel_yaml_key_t any[] = { COMMON };

    static const reel_yaml_key_t encode[] = {
        COMMON,
        FN("codec", reel_node_t, codec, reel_conf_codec),
    };

    static const reel_yaml_key_t exec[] = {
        COMMON,
        { "command", REEL_YAML_TYPE_FN, 0, 0, 0, reel_conf_command, false },
        { "inputs", REEL_YAML_TYPE_FN, 0, 0, 0, reel_conf_inputs, false },
        { "outputs", REEL_YAML_TYPE_FN, 0, 0, 0, reel_conf_outputs, false },
        { "optional", REEL_YAML_TYPE_BOOL, offsetof(reel_node_t, optional),
          0, 0, NULL, false },
        U32("cost_s", reel_node_t, cost_s, 0, 86400),
        U32("cost_percent", reel_node_t, cost_percent, 0, 100000),
    };

    if (n->kind == REEL_YAML_SCALAR && n->plain
        && strcmp(n->text, "false") == 0)
    {
        node->off = true;
        return REEL_OK;
    }

    if (node->type == REEL_TASK_EXEC) {
        return reel_yaml_map(node, n, ROWS(exec), e);
    }

    if (strcmp(node->name, "encode_video") != 0
        && node->type == REEL_TASK_ENCODE_VIDEO)
    {
        return reel_yaml_map(node, n, ROWS(encode), e);
    }

    return reel_yaml_map(node, n, ROWS(any), e);
}


/* v0.1, a0, t2 and publish0 are names of tasks of the built-in nodes */
static bool
name_free(const char *z)
{
    size_t  digits = strlen(z) - 1;

    if (strcmp(z, "publish0") == 0 || strcmp(z, "source") == 0) {
        return false;
    }

    return strchr("vat", z[0]) == NULL || digits == 0
           || strspn(z + 1, "0123456789") != digits;
}


/* at the key, not at its value */
static reel_err_t
fail_name(const reel_yaml_t *n, reel_error_t *e, const char *what)
{
    reel_yaml_t  place = *n;

    place.line = n->key_line;
    place.column = n->key_column;

    return reel_yaml_fail(&place, e, "\"%.32s\" %s", n->key, what);
}


static reel_err_t
type_of(const reel_yaml_t *n, reel_task_type_t *type, reel_error_t *e)
{
    const reel_yaml_t  *t;

    if (n->kind != REEL_YAML_MAP || (t = reel_yaml_find(n, "type")) == NULL) {
        return fail_name(n, e, "is no built-in task: it needs a map with "
                         "\"type\"");
    }

    if (t->kind == REEL_YAML_SCALAR) {
        for (int i = 0; i < REEL_TASK_TYPES; i++) {
            *type = (reel_task_type_t) i;

            if (strcmp(t->text, reel_task_type_name(*type)) != 0) {
                continue;
            }

            if (i == REEL_TASK_EXEC || i == REEL_TASK_ENCODE_VIDEO) {
                return REEL_OK;
            }

            return reel_yaml_fail(t, e, "there is one task of type %s, of "
                                  "that name", t->text);
        }
    }

    return reel_yaml_fail(t, e, "there is no type \"%.32s\"",
                          t->kind == REEL_YAML_SCALAR ? t->text : "");
}


static reel_err_t
read_member(reel_pipeline_t *p, const reel_yaml_t *n, reel_error_t *e)
{
    uint32_t          i;
    reel_err_t        err;
    reel_task_type_t  type = REEL_TASK_EXEC;

    for (i = 0; i < REEL_TASK_EXEC; i++) {
        if (strcmp(p->nodes[i].name, n->key) == 0) {
            return read_task(&p->nodes[i], n, e);
        }
    }

    err = type_of(n, &type, e);
    if (err != REEL_OK) {
        return err;
    }

    if (!reel_name_valid(reel_str(n->key))
        || strlen(n->key) >= REEL_NODE_NAME || !name_free(n->key))
    {
        return fail_name(n, e, "cannot be a task's name ([a-z0-9-], 20 at "
                         "most; not v0 a0 t0 publish0 source)");
    }

    if (p->nnodes == REEL_PIPELINE_NODES) {
        return reel_yaml_fail(n, e, "more than %d tasks beside the built-in",
                              REEL_PIPELINE_NODES - REEL_TASK_EXEC);
    }

    reel_node_init(&p->nodes[p->nnodes], type, n->key);

    return read_task(&p->nodes[p->nnodes++], n, e);
}


reel_err_t
reel_conf_tasks(void *dst, const reel_yaml_t *n, reel_error_t *e)
{
    reel_err_t          err, now;
    const reel_yaml_t  *m;

    err = reel_yaml_is(n, REEL_YAML_MAP, e);
    if (err != REEL_OK) {
        return err;
    }

    for (m = n->child; m != NULL && reel_yaml_goes_on(n, err); m = m->next) {
        now = read_member(dst, m, e);
        err = err != REEL_OK ? err : now;
    }

    return err;
}


typedef struct {
    const reel_yaml_t  *tasks, *root;
    reel_error_t       *e;
    reel_err_t          err;
} faults_t;


/* the node of the text that the fault speaks of */
static void
on_fault(void *arg, const reel_node_t *n, const char *key, uint32_t i,
    const char *text)
{
    faults_t           *f = arg;
    const reel_yaml_t  *at = NULL, *part = NULL;

    if (!reel_yaml_goes_on(f->root, f->err)) {
        return;
    }

    if (f->tasks != NULL) {
        at = reel_yaml_find(f->tasks, n->name);
    }
    if (at != NULL && key[0] != '\0') {
        part = reel_yaml_find(at, key);
    }
    if (part != NULL && part->kind == REEL_YAML_LIST) {
        for (part = part->child; i > 0 && part->next != NULL; i--) {
            part = part->next;
        }
    }

    at = part != NULL ? part : at != NULL ? at : f->root;
    f->err = reel_yaml_fail(at, f->e, "%s: %s", n->name, text);
}


reel_err_t
reel_conf_graph(const reel_pipeline_t *p, const reel_yaml_t *tasks,
    const reel_yaml_t *root, reel_error_t *e)
{
    faults_t  f = { .tasks = tasks, .root = root, .e = e };

    return reel_graph_check(p, on_fault, &f) == REEL_OK ? REEL_OK : f.err;
}

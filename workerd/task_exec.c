/*
 * exec: a program of a pipeline's file.  What the payload says of it must be
 * what a file of this worker's own says, or said before a reload, or what
 * that says by now is run instead: neither Redis nor an upload names a
 * program.  Outputs become
 * assets/…/file/<number>-<token>.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf/program.h"
#include "workerd/answer.h"
#include "workerd/attempt.h"
#include "workerd/exec_run.h"
#include "workerd/log.h"

/* processes and threads of a program, where limits.processes is 0 */
#define TASKS         512
#define TASKS_A_CORE  16

/* files[0 … n) of a try, and the store they are in */
typedef struct {
    reel_child_t         *c;
    const reel_attempt_t *a;
    const reel_exec_t    *t;
    reel_store_t         *store;
    reel_exec_file_t     *files;        /* owned */
    size_t                n;
} inputs_t;


/* the film was planned before this worker read its pipelines: what they say
   is newer, not older */
static bool
is_newer(const reel_attempt_t *a)
{
    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    err = reel_key_scratch(key, reel_str(a->job), "inspect.json");
    if (err == REEL_OK) {
        err = reel_store_stat(a->w->store, key, &st);
    }

    return err == REEL_OK && st.mtime_ns / 1000000 < a->w->read_ms;
}


/* the command that its task has by now, where nothing else of it changed */
static bool
takes_newer(const reel_attempt_t *a, reel_exec_t *t)
{
    const reel_node_t      *n = NULL;
    const reel_pipeline_t  *p = reel_worker_pipeline(a->w, a->pipeline);

    if (p != NULL && is_newer(a)) {
        n = reel_programs_same(p, t);
    }

    if (n == NULL) {
        return false;
    }

    reel_log_task(REEL_LOG_INFO, a->job, a->task, "\"%s\" has another "
                  "command since it was planned, which runs now: %.100s",
                  t->node, n->command);
    t->nwords = n->nwords;
    memcpy(t->command, n->command, sizeof(t->command));

    return true;
}


/* is the program one of this worker's, and there? */
static reel_err_t
check_program(reel_attempt_t *a, reel_exec_t *t)
{
    reel_error_t          e = { "" };
    const reel_worker_t  *w = a->w;

    if (!reel_programs_known(&w->programs, w->pipelines, w->npipelines, t)
        && !takes_newer(a, t))
    {
        return reel_attempt_lacks(a, "no pipeline of this worker runs what "
                                  "\"%s\" of \"%s\" was planned with: "
                                  "%.100s; put it back, or cancel the film "
                                  "and retry it", t->node, a->pipeline,
                                  t->command);
    }

    return reel_program_check(t->command, &e) == REEL_OK ? REEL_OK
           : reel_attempt_lacks(a, "\"%s\" of \"%s\" cannot run here: %s",
                                t->node, a->pipeline, e.text);
}


static reel_err_t
parse(void *t, const char *json, size_t len, reel_error_t *e)
{
    return reel_exec_parse(t, json, len, e);
}


static reel_err_t
prepare(reel_attempt_t *a, reel_child_t *io)
{
    reel_err_t    err;
    reel_exec_t  *t = a->data;

    if (reel_answer_check(a) == REEL_EXISTS) {
        return REEL_EXISTS;
    }

    err = check_program(a, t);
    if (err != REEL_OK) {
        return err;
    }

    for (uint32_t i = 0; i < t->noutputs; i++) {
        a->need += (uint64_t) t->outputs[i].max_mib << 20;
    }

    return reel_attempt_outputs(a, io, t->noutputs);
}


/* key of the store becomes the input `name` */
static reel_err_t
add(inputs_t *in, const char *name, const char *key)
{
    void              *p;
    size_t             len;
    reel_exec_file_t  *f;

    if (in->n == REEL_EXEC_INPUTS) {
        return REEL_LIMIT;
    }

    p = realloc(in->files, (in->n + 1) * sizeof(*in->files));
    if (p == NULL) {
        return REEL_NOMEM;
    }
    in->files = p;

    f = &in->files[in->n];
    len = strlen(in->a->w->conf.store) + strlen(key) + 2;
    f->path = malloc(len);
    if (f->path == NULL) {
        return REEL_NOMEM;
    }

    snprintf(f->path, len, "%s/%s", in->a->w->conf.store, key);
    snprintf(f->name, sizeof(f->name), "%s", name);
    in->n++;

    return REEL_OK;
}


/* an optional task may have made nothing: then it is not there */
static reel_err_t
add_of_task(inputs_t *in, const char *task, const char *file)
{
    char           name[REEL_TASK_NAME + REEL_EXEC_FILE];
    reel_key_t     key;
    reel_err_t     err;
    reel_error_t   e = { "" };
    reel_answer_t  answer;

    snprintf(name, sizeof(name), "%s.json", task);
    err = reel_answer_read(in->store, in->a->job, name, &answer, &e);
    if (err != REEL_OK) {
        return err;
    }

    for (size_t i = 0; err == REEL_OK && i < answer.nfiles; i++) {
        if (strcmp(answer.files[i].name, file) != 0) {
            continue;
        }

        err = reel_key_object(key, reel_str(in->a->asset),
                              REEL_STR(REEL_FOLDER_FILE),
                              reel_str(answer.files[i].object));
        snprintf(name, sizeof(name), "%s/%s", task, file);
        if (err == REEL_OK) {
            err = add(in, name, key);
        }
    }

    reel_answer_release(&answer);

    return err;
}


static reel_err_t
add_tasks(inputs_t *in, const reel_exec_input_t *x)
{
    char        task[REEL_TASK_NAME];
    uint32_t    i = 0;
    reel_err_t  err;

    do {
        reel_task_name_exec(task, x->node, x->count > 0, x->first + i);
        err = add_of_task(in, task, x->file);
    } while (err == REEL_OK && ++i < x->count);

    return err;
}


static reel_err_t
gather(inputs_t *in)
{
    reel_key_t  key;
    reel_err_t  err = REEL_OK;

    if (in->t->source) {
        err = reel_key_asset_part(key, reel_str(in->a->asset),
                                  REEL_PART_SOURCE);
        err = err == REEL_OK ? add(in, "source", key) : err;
    }

    if (err == REEL_OK && in->t->inspect) {
        err = reel_key_scratch(key, reel_str(in->a->job), "inspect.json");
        err = err == REEL_OK ? add(in, "inspect.json", key) : err;
    }

    for (uint32_t i = 0; err == REEL_OK && i < in->t->ninputs; i++) {
        err = add_tasks(in, &in->t->inputs[i]);
    }

    return err;
}


/* what one program starts with a thread for each core it starts a few times */
static uint32_t
tasks_most(const reel_config_t *c)
{
    uint32_t  n = TASKS_A_CORE * reel_config_cores();

    return c->processes != 0 ? c->processes : n > TASKS ? n : TASKS;
}


static int
run_with(inputs_t *in)
{
    char             name[REEL_TASK_NAME + REEL_TOKEN_MAX + 8];
    char             folder[REEL_PATH_MAX + REEL_STORE_KEY_MAX + 2];
    reel_key_t       key;
    reel_err_t       err;
    const char      *devices[REEL_DEVICES];
    reel_exec_run_t  r = {
        .task = in->t, .asset = in->a->asset, .job = in->a->job,
        .name = in->a->task, .folder = folder,
        .folder_most = in->a->need
                       + ((uint64_t) in->a->w->conf.folder_mib << 20),
        .devices = devices, .ndevices = in->a->w->conf.devices.n,
        .tasks_most = tasks_most(&in->a->w->conf),
        .best_effort = !in->a->w->conf.sandbox_required
    };

    for (size_t i = 0; i < r.ndevices; i++) {
        devices[i] = in->a->w->conf.devices.path[i];
    }

    err = gather(in);
    if (err == REEL_OK) {
        snprintf(name, sizeof(name), "%s-%s.d", in->a->task, in->a->token);
        err = reel_key_scratch(key, reel_str(in->a->job), name);
    }

    if (err != REEL_OK) {
        return reel_child_fail(in->c, true, reel_outcome_code(err), "prepare",
                               "the inputs: %s", reel_err_name(err));
    }

    snprintf(folder, sizeof(folder), "%s/%s", in->a->w->conf.store, key);
    r.files = in->files;
    r.nfiles = in->n;

    return reel_exec_run(in->c, &r);
}


static int
run(reel_child_t *c, void *attempt)
{
    int           rc;
    inputs_t      in = { .c = c, .a = attempt };
    reel_err_t    err;
    reel_error_t  e = { "" };

    in.t = in.a->data;

    /* the parent's handle lost its descriptors at the fork */
    err = reel_store_fs_open(in.a->w->conf.store, &in.store, &e);
    if (err != REEL_OK) {
        return reel_child_fail(c, true, reel_outcome_code(err), "store",
                               "%s", e.text);
    }

    rc = run_with(&in);
    reel_store_close(in.store);

    for (size_t i = 0; i < in.n; i++) {
        free(in.files[i].path);
    }
    free(in.files);

    return rc;
}


static reel_err_t
line(reel_attempt_t *a, const char *key, const json_t *value,
    const json_t *whole)
{
    json_int_t    i, bytes;
    reel_file_t  *f;
    reel_exec_t  *t = a->data;

    i = json_integer_value(json_object_get(whole, "output"));
    bytes = json_integer_value(json_object_get(value, "bytes"));

    if (strcmp(key, "file") != 0 || i != (json_int_t) a->answer.nfiles
        || i >= (json_int_t) t->noutputs || bytes < 0)
    {
        return REEL_BADDATA;
    }

    f = &a->answer.files[a->answer.nfiles++];
    memcpy(f->name, t->outputs[i].name, sizeof(f->name));
    snprintf(f->object, sizeof(f->object), "%u-%.48s", (unsigned) i,
             a->token);
    f->bytes = (uint64_t) bytes;
    f->keep = t->outputs[i].keep;

    return REEL_OK;
}


static reel_err_t
finish(reel_attempt_t *a)
{
    reel_err_t          err = REEL_OK;
    const reel_exec_t  *t = a->data;

    if (a->answer.nfiles != t->noutputs) {
        return reel_attempt_fail(a, REEL_BADDATA, "INTERNAL", "answer",
                                 "%zu files of %u", a->answer.nfiles,
                                 t->noutputs);
    }

    for (unsigned i = 0; err == REEL_OK && i < a->answer.nfiles; i++) {
        err = reel_attempt_publish(a, i, REEL_FOLDER_FILE,
                                   a->answer.files[i].object,
                                   a->answer.files[i].bytes);
    }

    return reel_answer_end(a, err);
}


const reel_task_ops_t reel_task_exec = {
    .type = REEL_TASK_EXEC,
    .optional = true,
    .payload = sizeof(reel_exec_t),
    .parse = parse,
    .prepare = prepare,
    .run = run,
    .line = line,
    .finish = finish
};

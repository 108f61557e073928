#include "workerd/pipelines.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf/pipeline_yaml.h"
#include "workerd/exec_sandbox.h"
#include "workerd/log.h"
#include "workerd/mark_text.h"

#define SUFFIX        ".yaml"
#define PIPELINES_MAX 1024


/* what cannot be drawn is told now, not of each film */
static reel_err_t
check_text(const reel_pipeline_t *p, const char *dir, reel_error_t *e)
{
    reel_buf_t    b;
    reel_err_t    err;
    reel_error_t  why = { "" };

    err = reel_mark_draw(&b, &p->mark, dir, &why);
    reel_buf_release(&b);

    return err == REEL_OK ? REEL_OK
           : reel_fail(e, err, "%.200s/%s" SUFFIX ": %s", dir, p->name,
                       why.text);
}


static reel_err_t
add(reel_pipeline_t **out, size_t *n, const char *dir, reel_str_t name,
    reel_error_t *e)
{
    reel_err_t        err;
    reel_pipeline_t  *p;

    if (*n == PIPELINES_MAX) {
        return reel_fail(e, REEL_LIMIT, "%s: more than %d pipelines", dir,
                         PIPELINES_MAX);
    }

    /* there are 1, 2, 4, … places: one is large */
    if ((*n & (*n - 1)) == 0) {
        p = realloc(*out, (*n > 0 ? 2 * *n : 1) * sizeof(*p));
        if (p == NULL) {
            return reel_fail(e, REEL_NOMEM, "%s: no memory", dir);
        }
        *out = p;
    }

    p = &(*out)[*n];

    err = reel_pipeline_open(p, dir, name, e);
    if (err == REEL_OK && p->mark.text[0] != '\0') {
        err = check_text(p, dir, e);
    }
    if (err == REEL_OK) {
        (*n)++;
    }

    return err;
}


reel_err_t
reel_pipelines_load(reel_pipeline_t **out, size_t *n, const char *dir,
    reel_error_t *e)
{
    DIR            *d = opendir(dir);
    size_t          len;
    reel_err_t      err = REEL_OK;
    struct dirent  *entry;

    *out = NULL;
    *n = 0;

    if (d == NULL) {
        return reel_fail(e, REEL_IO, "%s: %s", dir, strerror(errno));
    }

    while (err == REEL_OK && (entry = readdir(d)) != NULL) {
        len = strlen(entry->d_name);

        if (len > strlen(SUFFIX) && entry->d_name[0] != '.'
            && strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) == 0)
        {
            err = add(out, n, dir,
                      (reel_str_t) { entry->d_name, len - strlen(SUFFIX) },
                      e);
        }
    }

    closedir(d);

    if (err == REEL_OK && *n == 0) {
        err = reel_fail(e, REEL_NOTFOUND, "%s: no pipeline (*.yaml)", dir);
    }

    if (err != REEL_OK) {
        free(*out);
        *out = NULL;
        *n = 0;
    }

    return err;
}


void
reel_pipelines_programs(const reel_pipeline_t *p, size_t n, const char *dir,
    reel_program_fn fn, void *arg)
{
    char  file[512];

    for (size_t i = 0; i < n; i++) {
        (void) snprintf(file, sizeof(file), "%.400s/%s" SUFFIX, dir,
                        p[i].name);
        reel_programs_check(&p[i], file, fn, arg);
    }
}


/* the log says why, and Redis tells who asks which */
static void
note_program(void *arg, const reel_pipeline_t *p, const reel_node_t *n,
    const char *text)
{
    reel_buf_t  *b = arg;

    reel_log(REEL_LOG_WARN, "%s", text);
    reel_buf_printf(b, "%s%s/%s", b->len > 0 ? "," : "", p->name, n->name);
}


static void
note_device(void *arg, const char *text)
{
    (void) arg;

    reel_log(REEL_LOG_WARN, "%s", text);
}


void
reel_pipelines_look(reel_worker_t *w)
{
    reel_buf_clear(&w->programs_lacking);
    reel_pipelines_programs(w->pipelines, w->npipelines, w->conf.pipelines,
                            note_program, &w->programs_lacking);
    reel_devices_check(&w->conf.devices, note_device, NULL);
}


static bool
has_programs(const reel_pipeline_t *p)
{
    for (uint32_t i = REEL_TASK_EXEC; i < p->nnodes; i++) {
        if (p->nodes[i].type == REEL_TASK_EXEC) {
            return true;
        }
    }

    return false;
}


void
reel_pipelines_probe(reel_worker_t *w)
{
    reel_pipelines_look(w);

    for (size_t i = 0; i < w->npipelines; i++) {
        if (!has_programs(&w->pipelines[i])) {
            continue;
        }

        if (!reel_exec_unshare_probe()) {
            reel_log(REEL_LOG_WARN, "exec: no namespaces here: a program is "
                     "ended by its process group, and kept from the network "
                     "by seccomp alone");
        }
        return;
    }
}

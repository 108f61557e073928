/*
 * pipeline check and show: the same readers and the same planner as
 * workerd's, without one.  Only a film that is not yet its inspect.json is
 * given to workerd, which has libav and the child that looks at it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/conf/pipeline_yaml.h"
#include "lib/conf/program.h"
#include "lib/job/show.h"
#include "reelctl/ctl.h"
#include "reelctl/fleet.h"


#define FACTS_MAX  (4u << 20)
#define SHOWN_MAX  (64u << 20)


static int
read_pipeline(reel_pipeline_t *p, const char *file)
{
    size_t               i;
    reel_err_t           err;
    reel_error_t         e = { "" };
    reel_yaml_faults_t  *f;

    f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    err = reel_pipeline_read(p, file, f, &e);

    if (err != REEL_OK && f->n == 0) {
        (void) reel_ctl_fail(REEL_EXIT_FAILED, "%s", e.text);
    }

    for (i = 0; i < f->n; i++) {
        (void) reel_ctl_fail(REEL_EXIT_FAILED, "%s", f->v[i].text);
    }

    free(f);

    return err == REEL_OK ? REEL_EXIT_OK : REEL_EXIT_FAILED;
}


/* this process as workerd -i: the one that REEL_WORKERD names, else as it is
   installed, else as it is built */
static void
become_workerd(const char *film, const char *payload)
{
    const char  *own = getenv("REEL_WORKERD");
    const char  *names[2] = { own != NULL ? own : "reel-workerd", "workerd" };

    for (int i = 0; i < (own != NULL ? 1 : 2); i++) {
        (void) execlp(names[i], names[i], "-i", film,
                      payload != NULL ? "--try" : (char *) NULL, payload,
                      (char *) NULL);
        if (errno != ENOENT) {
            break;
        }
    }

    if (own != NULL || errno != ENOENT) {
        (void) reel_ctl_fail(REEL_EXIT_FAILED, "cannot start %s: %s",
                             own != NULL ? own : "workerd", strerror(errno));

    } else {
        (void) reel_ctl_fail(REEL_EXIT_FAILED, "only workerd can look into "
                             "%s: neither reel-workerd nor workerd is in "
                             "PATH, and REEL_WORKERD names none", film);
    }
}


/* what workerd -i says of a film; payload: of complexity, NULL: inspect */
static int
look(const char *film, const char *payload, reel_buf_t *b)
{
    int          fd[2], status;
    char         chunk[4096];
    pid_t        pid;
    ssize_t      n;

    if (pipe(fd) != 0 || (pid = fork()) < 0) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "cannot start workerd: %s",
                             strerror(errno));
    }

    if (pid == 0) {
        (void) dup2(fd[1], STDOUT_FILENO);
        (void) close(fd[0]);
        (void) close(fd[1]);
        become_workerd(film, payload);
        _exit(127);
    }

    (void) close(fd[1]);

    while ((n = read(fd[0], chunk, sizeof(chunk))) > 0) {
        reel_buf_add(b, chunk, (size_t) n);
    }

    (void) close(fd[0]);

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) { /* void */ }

    return WIFEXITED(status) && WEXITSTATUS(status) == 0
           ? REEL_EXIT_OK : REEL_EXIT_FAILED;
}


/* inspect.json begins as JSON does, and no film */
static bool
is_json(const char *file)
{
    int     c;
    FILE   *f = fopen(file, "re");

    if (f == NULL) {
        return true;                    /* told when it is read */
    }

    c = fgetc(f);
    (void) fclose(f);

    return c == '{';
}


static int
read_source(reel_source_t *s, const char *file)
{
    int           rc;
    reel_buf_t    b;
    reel_error_t  e = { "" };

    reel_buf_init(&b, FACTS_MAX);
    rc = is_json(file) ? reel_ctl_read_file(file, FACTS_MAX, &b, NULL)
                       : look(file, NULL, &b);

    if (rc == REEL_EXIT_OK
        && reel_source_parse(s, reel_buf_cstr(&b), b.len, &e) != REEL_OK)
    {
        rc = reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", file, e.text);
    }

    reel_buf_release(&b);

    return rc;
}


/* what the task complexity would find, where the pipeline has one */
static int
measure(const reel_pipeline_t *p, const char *file, reel_source_t *s)
{
    int           rc = REEL_EXIT_OK;
    reel_buf_t    b;
    reel_plan_t   plan = { 0 };
    reel_error_t  e = { "out of memory" };

    reel_buf_init(&b, FACTS_MAX);

    if (reel_plan_begin(&plan, p, s, 0, &e) != REEL_OK) {
        rc = reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", file, e.text);

    } else if (plan.tasks[0].type == REEL_TASK_COMPLEXITY) {
        rc = look(file, plan.tasks[0].payload, &b);

        if (rc == REEL_EXIT_OK
            && reel_trials_parse(&s->trials, reel_buf_cstr(&b), b.len, &e)
               != REEL_OK)
        {
            rc = reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", file, e.text);
        }
    }

    reel_buf_release(&b);
    reel_plan_release(&plan);

    return rc;
}


/* the tasks that the film would have; both are released by who asks */
static int
expand(const reel_pipeline_t *p, const char *file, reel_plan_t *plan,
    reel_source_t *s)
{
    int           rc;
    reel_error_t  e = { "out of memory" };

    rc = read_source(s, file);

    if (rc == REEL_EXIT_OK && !is_json(file)) {
        rc = measure(p, file, s);
    }

    if (rc == REEL_EXIT_OK && reel_plan(plan, p, s, 0, &e) != REEL_OK) {
        rc = reel_ctl_fail(REEL_EXIT_FAILED, "%s: %s", file, e.text);
    }

    return rc;
}


static int
show_source(const reel_pipeline_t *p, const char *file,
    reel_show_form_t form, reel_buf_t *b)
{
    int            rc;
    reel_plan_t    plan = { 0 };
    reel_source_t  s = { 0 };

    rc = expand(p, file, &plan, &s);

    if (rc == REEL_EXIT_OK
        && reel_show_plan(b, p, &plan, &s, form) != REEL_OK)
    {
        rc = reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    reel_plan_release(&plan);
    reel_source_release(&s);

    return rc;
}


static int
form_of(const reel_ctl_t *c, reel_show_form_t *form)
{
    size_t       i;
    const char  *name = c->opt[REEL_OPT_FORMAT];

    static const char *const names[] = { "text", "json", "dot" };

    *form = c->json ? REEL_SHOW_JSON : REEL_SHOW_TEXT;

    for (i = 0; name != NULL; i++) {
        if (i == sizeof(names) / sizeof(names[0])) {
            return reel_ctl_fail(REEL_EXIT_USAGE, "--format is text, json or "
                                 "dot, not \"%s\"", name);
        }

        if (strcmp(names[i], name) == 0) {
            *form = (reel_show_form_t) i;
            break;
        }
    }

    return REEL_EXIT_OK;
}


static int
show(const reel_ctl_t *c, const reel_pipeline_t *p)
{
    int               rc;
    reel_buf_t        b;
    const char       *source = c->opt[REEL_OPT_SOURCE];
    reel_show_form_t  form;

    rc = form_of(c, &form);
    if (rc != REEL_EXIT_OK) {
        return rc;
    }

    reel_buf_init(&b, SHOWN_MAX);

    if (source != NULL) {
        rc = show_source(p, source, form, &b);

    } else if (reel_show_pipeline(&b, p, form) != REEL_OK) {
        rc = reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    if (rc == REEL_EXIT_OK) {
        (void) fwrite(b.data, 1, b.len, stdout);
        rc = reel_ctl_done();
    }

    reel_buf_release(&b);

    return rc;
}


static void
warn(void *arg, const reel_pipeline_t *p, const reel_node_t *n,
    const char *text)
{
    (void) arg;
    (void) p;
    (void) n;
    reel_ctl_warn("%s", text);
}


/* against what live workers have */
static int
check_fleet(reel_ctl_t *c, const reel_pipeline_t *p, json_t *report)
{
    int                rc;
    json_t            *live = NULL;
    reel_plan_t        plan = { 0 };
    reel_error_t       e = { "" };
    reel_source_t      s = { 0 };
    const char        *source = c->opt[REEL_OPT_SOURCE];
    reel_ctl_redis_t  *r = NULL;

    rc = source != NULL ? expand(p, source, &plan, &s) : REEL_EXIT_OK;

    if (rc == REEL_EXIT_OK) {
        rc = reel_ctl_queue_open(c, &r);
    }

    if (rc == REEL_EXIT_OK) {
        live = reel_ctl_fleet_live(reel_ctl_queue_workers(r, &e));
        if (live == NULL) {
            rc = reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "%s", e.text);
        } else {
            reel_ctl_fleet_report(report, live, p,
                                  source != NULL ? &plan : NULL);
        }
    }

    json_decref(live);
    reel_ctl_redis_close(r);
    reel_plan_release(&plan);
    reel_source_release(&s);

    return rc;
}


static int
check(reel_ctl_t *c, const reel_pipeline_t *p)
{
    int      rc = REEL_EXIT_OK, said;
    bool     met = true, asks = c->opt[REEL_OPT_REDIS] != NULL;
    json_t  *report = json_pack("{s:s, s:i, s:i}", "pipeline", p->name,
                                "renditions", (int) p->nrungs, "tasks",
                                (int) p->nnodes);

    reel_programs_check(p, c->argv[1], warn, NULL);

    if (asks) {
        rc = check_fleet(c, p, report);
    }

    if (rc != REEL_EXIT_OK) {
        json_decref(report);
        return rc;
    }

    if (c->json) {
        met = json_array_size(json_object_get(report, "unmet")) == 0;
        said = reel_ctl_put_json(report);

    } else {
        (void) printf("%s: %u renditions, %u tasks\n", p->name, p->nrungs,
                      p->nnodes);
        met = reel_ctl_fleet_print(report);
        json_decref(report);
        said = reel_ctl_done();
    }

    return said == REEL_EXIT_OK && !met ? REEL_EXIT_FAILED : said;
}


int
reel_ctl_cmd_pipeline(reel_ctl_t *c)
{
    int               rc;
    bool              wants_show = strcmp(c->argv[0], "show") == 0;
    reel_pipeline_t  *p;

    if (!wants_show && strcmp(c->argv[0], "check") != 0) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "pipeline check FILE, or "
                             "pipeline show FILE; not \"%s\"", c->argv[0]);
    }

    if (!wants_show && c->opt[REEL_OPT_SOURCE] != NULL
        && c->opt[REEL_OPT_REDIS] == NULL)
    {
        return reel_ctl_fail(REEL_EXIT_USAGE, "pipeline check --source needs "
                             "--redis: what the film needs is compared with "
                             "what workers have");
    }

    p = malloc(sizeof(*p));
    if (p == NULL) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "out of memory");
    }

    rc = read_pipeline(p, c->argv[1]);

    if (rc == REEL_EXIT_OK) {
        rc = wants_show ? show(c, p) : check(c, p);
    }

    free(p);

    return rc;
}

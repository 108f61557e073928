/* tasks that were tried as often as allowed: looked at, tried again, dropped */

#include <stdio.h>
#include <string.h>

#include "reelctl/http.h"
#include "reelctl/queue.h"


/* "label: text", nothing when there is none */
static void
put_field(const char *label, const char *text)
{
    if (text[0] != '\0') {
        (void) printf("%-9s ", label);
        reel_ctl_put_safe(stdout, text);
        (void) fputc('\n', stdout);
    }
}


void
reel_ctl_put_quarantine(const json_t *tasks, int64_t now)
{
    char     clock[24];
    size_t   i;
    json_t  *t;

    json_array_foreach(tasks, i, t) {
        reel_ctl_put_safe(stdout, reel_ctl_text(t, "job"));
        (void) fputc('/', stdout);
        reel_ctl_put_safe(stdout, reel_ctl_text(t, "task"));
        (void) printf("  %s ago, %lld tries, ",
                      reel_ctl_age(clock, now, reel_ctl_integer(t, "at_ms")),
                      (long long) reel_ctl_integer(t, "attempts"));
        reel_ctl_put_safe(stdout, reel_ctl_text(t, "code"));
        (void) fputs(" in ", stdout);
        reel_ctl_put_safe(stdout, reel_ctl_text(t, "stage"));
        (void) fputs(": ", stdout);
        reel_ctl_put_safe(stdout, reel_ctl_text(t, "detail"));
        (void) fputc('\n', stdout);
    }

    if (json_array_size(tasks) == 0) {
        (void) printf("nothing is in quarantine\n");
    }
}


/* a log's lines one by one, since none of them may have controls */
static void
put_log(const char *log)
{
    size_t  n;
    char    line[1024];

    for (; *log != '\0'; log += n + (log[n] != '\0')) {
        n = strcspn(log, "\n");
        (void) snprintf(line, sizeof(line), "%.*s", (int) n, log);
        (void) fputs("  ", stdout);
        reel_ctl_put_safe(stdout, line);
        (void) fputc('\n', stdout);
    }
}


static int
show(const reel_ctl_t *c, json_t *t, int64_t now)
{
    char  clock[24], text[64];

    static const char *const fields[] = {
        "job", "task", "type", "asset", "project", "pipeline", "worker",
        "code", "stage", "detail"
    };

    if (c->json) {
        return reel_ctl_put_json(json_incref(t));
    }

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        put_field(fields[i], reel_ctl_text(t, fields[i]));
    }

    (void) snprintf(text, sizeof(text), "%lld, the last %s ago",
                    (long long) reel_ctl_integer(t, "attempts"),
                    reel_ctl_age(clock, now, reel_ctl_integer(t, "at_ms")));
    put_field("tries", text);
    (void) printf("log\n");
    put_log(reel_ctl_text(t, "log"));

    return reel_ctl_done();
}


static int
release(const reel_ctl_t *c, reel_ctl_redis_t *r, const json_t *t,
    const char *what)
{
    reel_error_t  e = { "" };

    if (reel_ctl_queue_release(r, t, &e) != REEL_OK) {
        return reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "%s", e.text);
    }

    if (c->json) {
        return reel_ctl_put_json(json_pack("{s:s, s:b}", "job",
                                           reel_ctl_text(t, "job"), what, 1));
    }

    (void) printf("%s ", what);
    reel_ctl_put_safe(stdout, reel_ctl_text(t, "job"));
    (void) fputc('\n', stdout);

    return reel_ctl_done();
}


/* by the API, with a key of the asset's project: it writes to the store */
static int
retry(reel_ctl_t *c, reel_ctl_redis_t *r, const json_t *t)
{
    int          code;
    char         path[64];
    const char  *asset = reel_ctl_text(t, "asset");

    code = reel_ctl_asset_id(asset);
    if (code == REEL_EXIT_OK) {
        code = reel_ctl_key_of(c, reel_ctl_text(t, "project"));
    }
    if (code != REEL_EXIT_OK) {
        return code;
    }

    (void) snprintf(path, sizeof(path), "assets/%s/retry", asset);
    code = reel_ctl_api(c, "POST", path, "", NULL, NULL);

    return code == REEL_EXIT_OK ? release(c, r, t, "queued") : code;
}


/* "<job>" or "<job>/<task>"; NULL: none */
static json_t *
find(const json_t *tasks, const char *name)
{
    size_t       i, n;
    json_t      *t;
    const char  *job, *task;

    json_array_foreach(tasks, i, t) {
        job = reel_ctl_text(t, "job");
        task = reel_ctl_text(t, "task");
        n = strlen(job);

        if (strncmp(name, job, n) == 0
            && (name[n] == '\0'
                || (name[n] == '/' && strcmp(name + n + 1, task) == 0)))
        {
            return t;
        }
    }

    return NULL;
}


static int
act(reel_ctl_t *c, reel_ctl_redis_t *r, const json_t *tasks)
{
    json_t      *t = find(tasks, c->argv[1]);
    const char  *verb = c->argv[0];

    if (t == NULL) {
        return reel_ctl_fail(REEL_EXIT_NOTFOUND, "%s is not in quarantine",
                             c->argv[1]);
    }

    return strcmp(verb, "show") == 0 ? show(c, t, reel_ctl_queue_now(r))
           : strcmp(verb, "retry") == 0 ? retry(c, r, t)
           : release(c, r, t, "dropped");
}


static bool
usage_ok(const reel_ctl_t *c)
{
    static const char *const verbs[] = { "show", "retry", "drop" };

    for (size_t i = 0; c->argc == 2 && i < 3; i++) {
        if (strcmp(c->argv[0], verbs[i]) == 0) {
            return true;
        }
    }

    return c->argc == 0;
}


int
reel_ctl_cmd_quarantine(reel_ctl_t *c)
{
    int                code;
    json_t            *tasks;
    reel_error_t       e = { "" };
    reel_ctl_redis_t  *r;

    if (!usage_ok(c)) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "quarantine, or quarantine "
                             "show|retry|drop JOB[/TASK]");
    }

    code = reel_ctl_queue_open(c, &r);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    tasks = reel_ctl_queue_quarantine(r, &e);

    if (tasks == NULL) {
        code = reel_ctl_fail(REEL_EXIT_UNAVAILABLE, "%s", e.text);

    } else if (c->argc == 2) {
        code = act(c, r, tasks);

    } else if (c->json) {
        code = reel_ctl_put_json(json_pack("{s:O}", "quarantined", tasks));

    } else {
        reel_ctl_put_quarantine(tasks, reel_ctl_queue_now(r));
        code = reel_ctl_done();
    }

    json_decref(tasks);
    reel_ctl_redis_close(r);

    return code;
}

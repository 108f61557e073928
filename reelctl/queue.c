#include "reelctl/queue.h"

#include <stdlib.h>
#include <string.h>

#include "lib/job/keys.h"
#include "reelctl/merge.h"
#include "reelctl/progress.h"

#define QUARANTINE_MAX 1000


int
reel_ctl_queue_open(reel_ctl_t *c, reel_ctl_redis_t **r)
{
    const char    *address;
    reel_err_t     err;
    reel_error_t   e = { "" };

    address = reel_ctl_opt(c, REEL_OPT_REDIS, "REEL_REDIS", NULL);

    if (address == NULL) {
        return reel_ctl_fail(REEL_EXIT_USAGE, "where is Redis? --redis "
                             "unix:PATH or HOST:PORT, or REEL_REDIS");
    }

    err = reel_ctl_redis_open(c, address, r, &e);

    if (err != REEL_OK) {
        return reel_ctl_fail(err == REEL_DENIED ? REEL_EXIT_DENIED
                             : err == REEL_INVAL ? REEL_EXIT_USAGE
                             : REEL_EXIT_UNAVAILABLE, "%s", e.text);
    }

    return REEL_EXIT_OK;
}


/* a sorted set, the members of a set, or a hash */
static reel_err_t
read_key(reel_ctl_redis_t *r, const char *command, const char *kind,
    const char *id, bool scores, reel_ctl_strings_t *out, reel_error_t *e)
{
    reel_redis_key_t  key;
    const char       *argv[5] = { command, key, "0", "-1", "WITHSCORES" };

    *out = (reel_ctl_strings_t) { 0 };

    if (reel_ctl_redis_key(r, key, kind, id) != REEL_OK) {
        return reel_fail(e, REEL_INVAL, "\"%.60s\" is too long for a key",
                         id);
    }

    return reel_ctl_redis_call(r, out, e,
                               strcmp(command, "ZRANGE") != 0 ? 2
                               : scores ? 5 : 4, argv);
}


reel_err_t
reel_ctl_queue_hash(reel_ctl_redis_t *r, const char *kind, const char *id,
    reel_ctl_strings_t *out, reel_error_t *e)
{
    return read_key(r, "HGETALL", kind, id, false, out, e);
}


int64_t
reel_ctl_queue_now(reel_ctl_redis_t *r)
{
    int64_t              now = 0;
    const char          *argv[1] = { "TIME" };
    reel_error_t         e;
    reel_ctl_strings_t   t;

    if (reel_ctl_redis_call(r, &t, &e, 1, argv) == REEL_OK && t.n == 2) {
        now = reel_ctl_number(t.v[0]) * 1000 + reel_ctl_number(t.v[1]) / 1000;
    }

    reel_ctl_strings_release(&t);

    return now;
}


const char *
reel_ctl_age(char dst[24], int64_t now, int64_t then)
{
    reel_ctl_clock(dst, now > then ? (double) (now - then) / 1000 : 0);

    return dst;
}


static const char *
word_at(const char *text, unsigned n)
{
    for (; n > 0 && *text != '\0'; n--) {
        text += strcspn(text, " ");
        text += *text == ' ';
    }

    return text;
}


const char *
reel_ctl_queue_word(char dst[REEL_CTL_WORD], const char *text, unsigned n)
{
    text = word_at(text, n);
    (void) snprintf(dst, REEL_CTL_WORD, "%.*s", (int) strcspn(text, " "),
                    text);

    return dst;
}


int64_t
reel_ctl_queue_number(const char *text, unsigned n)
{
    return reel_ctl_number(word_at(text, n));
}


int64_t
reel_ctl_number(const char *z)
{
    return strtoll(z, NULL, 10);
}


int64_t
reel_ctl_integer(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}


/* all of it, or NULL */
static json_t *
whole(json_t *all, reel_err_t err)
{
    if (err != REEL_OK) {
        json_decref(all);
        return NULL;
    }

    return all;
}


const char *
reel_ctl_queue_lacks(const reel_ctl_strings_t *unmet, const char *queue)
{
    const char  *labels = strrchr(reel_ctl_strings_get(unmet, queue), ' ');

    return labels != NULL ? labels + 1 : NULL;
}


static reel_err_t
count_ready(reel_ctl_redis_t *r, const char *queue, int64_t *tasks,
    json_t *projects, reel_error_t *e)
{
    char                 name[256];
    reel_err_t           err;
    reel_redis_key_t     key;
    const char          *argv[2] = { "ZCARD", key };
    reel_ctl_strings_t   list, n;

    *tasks = 0;
    err = read_key(r, "ZRANGE", "ready:", queue, false, &list, e);

    for (size_t i = 0; err == REEL_OK && i < list.n; i++) {
        (void) snprintf(name, sizeof(name), "%s:%s", queue, list.v[i]);
        err = reel_ctl_redis_key(r, key, "ready:", name);
        if (err != REEL_OK) {
            (void) reel_fail(e, err, "a queue's name is too long");
            break;
        }

        err = reel_ctl_redis_call(r, &n, e, 2, argv);
        json_object_set_new(projects, list.v[i], json_true());
        *tasks += err == REEL_OK && n.n == 1 ? reel_ctl_number(n.v[0]) : 0;
        reel_ctl_strings_release(&n);
    }

    reel_ctl_strings_release(&list);

    return err;
}


static json_t *
ready_of(reel_ctl_redis_t *r, reel_error_t *e)
{
    json_t              *all = json_array(), *projects;
    int64_t              tasks;
    reel_err_t           err;
    reel_ctl_strings_t   list, unmet = { 0 };

    err = read_key(r, "SMEMBERS", "queues", "", false, &list, e);
    if (err == REEL_OK) {
        err = reel_ctl_queue_hash(r, "unmet", "", &unmet, e);
    }

    for (size_t i = 0; err == REEL_OK && i < list.n; i++) {
        projects = json_object();
        err = count_ready(r, list.v[i], &tasks, projects, e);
        json_array_append_new(all, json_pack("{s:s, s:I, s:o, s:s*}",
            "queue", list.v[i], "ready", (json_int_t) tasks,
            "names", projects,
            "lacks", reel_ctl_queue_lacks(&unmet, list.v[i])));
    }

    reel_ctl_strings_release(&unmet);
    reel_ctl_strings_release(&list);

    return whole(all, err);
}


static json_t *
worker_json(const char *id, const char *heard, const reel_ctl_strings_t *w)
{
    json_t  *j;

    static const char *const numbers[] = {
        "pid", "slots", "free", "cores", "cores_free", "memory_mib",
        "memory_free_mib", "started_ms"
    };
    static const char *const texts[] = {
        "host", "labels", "codecs", "version", "pipelines",
        "programs_lacking"
    };

    j = json_pack("{s:s, s:I, s:b}", "worker", id, "heard_ms",
                  (json_int_t) reel_ctl_number(heard), "alive", w->n > 0);

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        json_object_set_new(j, numbers[i], json_integer(
            reel_ctl_number(reel_ctl_strings_get(w, numbers[i]))));
    }

    json_object_set_new(j, "draining", json_boolean(strcmp(
        reel_ctl_strings_get(w, "draining"), "1") == 0));

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_object_set_new(j, texts[i],
                            json_string(reel_ctl_strings_get(w, texts[i])));
    }

    return j;
}


static json_t *
workers_of(reel_ctl_redis_t *r, reel_error_t *e)
{
    json_t              *all = json_array();
    reel_err_t           err;
    reel_ctl_strings_t   list, w;

    err = read_key(r, "ZRANGE", "workers", "", true, &list, e);

    for (size_t i = 0; err == REEL_OK && i + 1 < list.n; i += 2) {
        err = reel_ctl_queue_hash(r, "worker:", list.v[i], &w, e);
        json_array_append_new(all, worker_json(list.v[i], list.v[i + 1],
                                               &w));
        reel_ctl_strings_release(&w);
    }

    reel_ctl_strings_release(&list);

    return whole(all, err);
}


/* "<token>,<ms when it began>,<worker>" */
const char *
reel_ctl_queue_second(char dst[REEL_CTL_WORD], const char *task)
{
    const char  *second = word_at(task, REEL_CTL_TASK_SECOND);

    for (int i = 0; i < 2; i++) {
        second += strcspn(second, " ,");
        if (*second != ',') {
            return NULL;
        }
        second++;
    }

    return reel_ctl_queue_word(dst, second, 0);
}


/* member: "<job>/<task>" */
static reel_err_t
running_json(reel_ctl_redis_t *r, const char *member, const char *lease,
    json_t **j, reel_error_t *e)
{
    char                 job[REEL_CTL_WORD], name[REEL_CTL_WORD];
    char                 type[REEL_CTL_WORD], queue[REEL_CTL_WORD];
    char                 worker[REEL_CTL_WORD], second[REEL_CTL_WORD];
    const char          *task = strchr(member, '/'), *t;
    const char          *argv[3] = { "HGET" };
    reel_err_t           err;
    reel_redis_key_t     key;
    reel_ctl_strings_t   f;

    *j = NULL;

    if (task == NULL) {
        return REEL_OK;
    }

    (void) snprintf(job, sizeof(job), "%.*s", (int) (task - member), member);
    task++;

    if (reel_ctl_redis_key(r, key, "job:", job) != REEL_OK) {
        return REEL_OK;
    }

    argv[1] = key;
    argv[2] = name;
    (void) snprintf(name, sizeof(name), "%s:s", task);

    err = reel_ctl_redis_call(r, &f, e, 3, argv);

    if (err == REEL_OK && f.n == 1) {
        t = f.v[0];
        *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:I, s:I, s:I}",
            "job", job, "task", task,
            "type", reel_ctl_queue_word(type, t, REEL_CTL_TASK_TYPE),
            "queue", reel_ctl_queue_word(queue, t, REEL_CTL_TASK_QUEUE),
            "worker", reel_ctl_queue_word(worker, t, REEL_CTL_TASK_WORKER),
            "second", reel_ctl_queue_second(second, t),
            "attempt", (json_int_t)
                reel_ctl_queue_number(t, REEL_CTL_TASK_ATTEMPTS),
            "since_ms", (json_int_t)
                reel_ctl_queue_number(t, REEL_CTL_TASK_SINCE),
            "lease_ms", (json_int_t) reel_ctl_number(lease));
    }

    reel_ctl_strings_release(&f);

    return err;
}


static json_t *
running_of(reel_ctl_redis_t *r, reel_error_t *e)
{
    json_t              *all = json_array(), *j;
    reel_err_t           err;
    reel_ctl_strings_t   list;

    err = read_key(r, "ZRANGE", "lease", "", true, &list, e);

    for (size_t i = 0; err == REEL_OK && i + 1 < list.n; i += 2) {
        err = running_json(r, list.v[i], list.v[i + 1], &j, e);
        if (j != NULL) {
            json_array_append_new(all, j);
        }
    }

    reel_ctl_strings_release(&list);

    return whole(all, err);
}


/* entry: id, then names and values */
static json_t *
quarantine_json(const reel_ctl_strings_t *entry)
{
    json_t              *j = json_object();
    const char          *name;
    reel_ctl_strings_t   rest = { entry->v + 1, entry->n - 1 };

    json_object_set_new(j, "entry", json_string(entry->v[0]));
    json_object_set_new(j, "at_ms",
                        json_integer(reel_ctl_number(entry->v[0])));

    for (size_t i = 0; i + 1 < rest.n; i += 2) {
        name = rest.v[i];
        json_object_set_new(j, name, strcmp(name, "attempts") == 0
                            ? json_integer(reel_ctl_number(rest.v[i + 1]))
                            : json_string(rest.v[i + 1]));
    }

    return j;
}


static json_t *
quarantine_of(reel_ctl_redis_t *r, reel_error_t *e)
{
    char                 from[64] = "+";
    json_t              *all = json_array();
    reel_err_t           err = REEL_OK;
    reel_redis_key_t     key;
    reel_ctl_strings_t   x = { 0 };
    const char          *argv[6] = { "XREVRANGE", key, from, "-", "COUNT",
                                     "1" };

    (void) !reel_ctl_redis_key(r, key, "quarantine", "");

    for (int i = 0; i < QUARANTINE_MAX; i++) {
        err = reel_ctl_redis_call(r, &x, e, 6, argv);
        if (err != REEL_OK || x.n == 0) {
            break;
        }

        json_array_append_new(all, quarantine_json(&x));
        (void) snprintf(from, sizeof(from), "(%s", x.v[0]);
        reel_ctl_strings_release(&x);
    }

    reel_ctl_strings_release(&x);

    return whole(all, err);
}


/* "<worker> <job>/<task> <what it lacks>", or nothing */
static json_t *
lacking_of(reel_ctl_redis_t *r, reel_error_t *e)
{
    char                 word[2][2 * REEL_CTL_WORD];
    json_t              *all = json_array();
    reel_err_t           err;
    const char          *at;
    reel_ctl_strings_t   s;

    err = read_key(r, "GET", "lacks", "", false, &s, e);

    if (err == REEL_OK && s.n == 1) {
        at = s.v[0];
        for (int i = 0; i < 2; i++) {
            (void) snprintf(word[i], sizeof(word[i]), "%.*s",
                            (int) strcspn(at, " "), at);
            at += strcspn(at, " ");
            at += *at == ' ';
        }
        if (at[0] != '\0') {
            json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "worker",
                word[0], "task", word[1], "lacks", at));
        }
    }

    reel_ctl_strings_release(&s);

    return whole(all, err);
}


json_t *
reel_ctl_queue_lacking(reel_ctl_redis_t *r, reel_error_t *e)
{
    return reel_ctl_merge(r, lacking_of, e);
}


json_t *
reel_ctl_queue_ready(reel_ctl_redis_t *r, reel_error_t *e)
{
    return reel_ctl_merge_ready(reel_ctl_merge(r, ready_of, e));
}


json_t *
reel_ctl_queue_workers(reel_ctl_redis_t *r, reel_error_t *e)
{
    return reel_ctl_merge_workers(reel_ctl_merge(r, workers_of, e));
}


json_t *
reel_ctl_queue_running(reel_ctl_redis_t *r, reel_error_t *e)
{
    json_t  *all = reel_ctl_merge(r, running_of, e);

    reel_ctl_merge_sort(all, "lease_ms", false);

    return all;
}


json_t *
reel_ctl_queue_quarantine(reel_ctl_redis_t *r, reel_error_t *e)
{
    json_t  *all = reel_ctl_merge(r, quarantine_of, e);

    reel_ctl_merge_sort(all, "at_ms", true);

    return all;
}


reel_err_t
reel_ctl_queue_release(reel_ctl_redis_t *r, const json_t *task,
    reel_error_t *e)
{
    reel_err_t           err;
    reel_redis_key_t     key;
    const char          *argv[3] = { "XDEL", key,
                                     reel_ctl_text(task, "entry") };
    reel_ctl_strings_t   x;

    reel_ctl_redis_at(r, (unsigned) reel_ctl_integer(task, "shard"));

    (void) !reel_ctl_redis_key(r, key, "quarantine", "");
    err = reel_ctl_redis_call(r, &x, e, 3, argv);
    reel_ctl_strings_release(&x);

    return err;
}

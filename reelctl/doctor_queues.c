/* what `doctor` says of the queues and of webhooks: of work that stands */

#include "reelctl/doctor_impl.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "reelctl/merge.h"
#include "reelctl/progress.h"

/* a job that takes longer does not go on */
#define LATE_H 24

/* an event that waits longer has an endpoint that does not take it */
#define HOOK_LATE_S 3600


static void
check_workers(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    size_t         i, alive = 0, draining = 0;
    json_t        *all, *w;
    int64_t        cores = 0, unused = 0;
    reel_error_t   e = { "" };

    all = reel_ctl_queue_workers(r, &e);
    if (all == NULL) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "workers", "%s", e.text);
        return;
    }

    json_array_foreach(all, i, w) {
        if (!json_is_true(json_object_get(w, "alive"))) {
            continue;
        }

        /* it begins nothing any more */
        if (json_is_true(json_object_get(w, "draining"))) {
            draining++;
        } else {
            alive++;
            cores += reel_ctl_integer(w, "cores");
            unused += reel_ctl_integer(w, "cores_free");
        }
    }
    json_decref(all);

    if (alive == 0 && draining > 0) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "workers", "all that are "
                            "alive drain (%zu): jobs wait until another "
                            "workerd runs", draining);
    } else if (alive == 0) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "workers", "none is alive: "
                            "jobs wait until workerd runs");
    } else {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "workers", "%zu alive, %lld of "
                            "%lld cores are free", alive, (long long) unused,
                            (long long) cores);
    }
}


/* what a worker lacks waits for an hour (docs/pipelines.md) */
static void
check_lacking(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    size_t         i;
    json_t        *all, *t;
    reel_error_t   e = { "" };

    all = reel_ctl_queue_lacking(r, &e);

    json_array_foreach(all, i, t) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "tasks", "%s waits, %s lacks "
                            "what it needs: %s", reel_ctl_text(t, "task"),
                            reel_ctl_text(t, "worker"),
                            reel_ctl_text(t, "lacks"));
    }

    json_decref(all);
}


static json_t *
oldest_of(reel_ctl_redis_t *r, reel_error_t *e)
{
    json_t              *all;
    reel_redis_key_t     key;
    const char          *argv[5] = { "ZRANGE", key, "0", "0", "WITHSCORES" };
    reel_ctl_strings_t   oldest;

    if (reel_ctl_redis_key(r, key, "jobs", "") != REEL_OK
        || reel_ctl_redis_call(r, &oldest, e, 5, argv) != REEL_OK)
    {
        return NULL;
    }

    all = json_array();
    if (oldest.n == 2) {
        json_array_append_new(all, json_pack("{s:s, s:I}", "job", oldest.v[0],
            "submitted_ms", (json_int_t) reel_ctl_number(oldest.v[1])));
    }
    reel_ctl_strings_release(&oldest);

    return all;
}


static void
check_jobs(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    char           clock[24];
    json_t        *all, *oldest;
    int64_t        ms, hours;
    const char    *job;
    reel_error_t   e = { "" };

    all = reel_ctl_merge(r, oldest_of, &e);
    reel_ctl_merge_sort(all, "submitted_ms", false);
    oldest = json_array_get(all, 0);

    if (all == NULL) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "jobs", "%s", e.text);

    } else if (oldest == NULL) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "jobs", "none is unfinished");

    } else {
        ms = reel_ctl_queue_now(r) - reel_ctl_integer(oldest, "submitted_ms");
        hours = ms / 3600000;
        job = reel_ctl_text(oldest, "job");
        reel_ctl_clock(clock, ms > 0 ? (double) ms / 1000 : 0);

        if (hours < LATE_H) {
            reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "jobs", "the oldest "
                                "unfinished one was submitted %s ago", clock);
        } else {
            reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "jobs", "%s was "
                                "submitted %lld hours ago and did not end: "
                                "reelctl jobs %s", job, (long long) hours,
                                job);
        }
    }

    json_decref(all);
}


static json_t *
quarantine_of(reel_ctl_redis_t *r, reel_error_t *e)
{
    json_t              *all;
    reel_redis_key_t     key;
    const char          *argv[2] = { "XLEN", key };
    reel_ctl_strings_t   n;

    if (reel_ctl_redis_key(r, key, "quarantine", "") != REEL_OK
        || reel_ctl_redis_call(r, &n, e, 2, argv) != REEL_OK)
    {
        return NULL;
    }

    all = json_array();
    if (n.n == 1) {
        json_array_append_new(all, json_pack("{s:I}", "n",
            (json_int_t) reel_ctl_number(n.v[0])));
    }
    reel_ctl_strings_release(&n);

    return all;
}


static void
check_quarantine(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    size_t         i;
    json_t        *all, *j;
    int64_t        n = 0;
    reel_error_t   e = { "" };

    all = reel_ctl_merge(r, quarantine_of, &e);
    if (all == NULL) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "given-up", "%s", e.text);
        return;
    }

    json_array_foreach(all, i, j) {
        n += reel_ctl_integer(j, "n");
    }
    json_decref(all);

    if (n > 0) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "given-up", "%lld task%s in "
                            "quarantine: see reelctl quarantine, then retry "
                            "or drop", (long long) n, n == 1 ? "" : "s");
    } else {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "given-up", "no task is in "
                            "quarantine");
    }
}


/* labels that ready tasks ask for and no worker has */
static void
check_unmet(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    size_t         i;
    json_t        *all, *q;
    reel_error_t   e = { "" };

    all = reel_ctl_queue_ready(r, &e);
    if (all == NULL) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "ready", "%s", e.text);
        return;
    }

    json_array_foreach(all, i, q) {
        if (json_object_get(q, "lacks") != NULL) {
            reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "ready", "%lld tasks of "
                                "%s wait: no worker has %s",
                                (long long) reel_ctl_integer(q, "ready"),
                                reel_ctl_text(q, "queue"),
                                reel_ctl_text(q, "lacks"));
        }
    }

    json_decref(all);
}


/*
 * The user of an ACL may have no channels (docs/workerd.md, Redis).  A
 * connection that listens is good for nothing else.
 */
static void
check_channels(reel_ctl_doctor_t *d)
{
    reel_err_t           err;
    reel_error_t         e = { "" };
    reel_redis_key_t     key;
    const char          *argv[2] = { "SUBSCRIBE", key };
    reel_ctl_redis_t    *r;
    reel_ctl_strings_t   told;

    err = reel_ctl_redis_open(d->c, reel_ctl_opt(d->c, REEL_OPT_REDIS,
                                                 "REEL_REDIS", NULL), &r, &e);
    if (err != REEL_OK) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "redis", "%s", e.text);
        return;
    }

    for (unsigned k = 0; k < reel_ctl_redis_shards(r) && err == REEL_OK; k++)
    {
        reel_ctl_redis_at(r, k);
        err = reel_ctl_redis_key(r, key, "wake", "");
        if (err == REEL_OK) {
            err = reel_ctl_redis_call(r, &told, &e, 2, argv);
            reel_ctl_strings_release(&told);
        }
    }
    reel_ctl_redis_close(r);

    if (err == REEL_DENIED) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "redis", "this user may not "
                            "listen to %s: no job ends where workerd has it; "
                            "give it &reel1:* (%s)", key, e.text);
    }
}


void
reel_ctl_doctor_queues(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    check_channels(d);
    check_workers(d, r);
    check_unmet(d, r);
    check_lacking(d, r);
    check_quarantine(d, r);
    check_jobs(d, r);
}


/* an asset's folder changes with each event that comes or goes: how long none
   did */
static bool
look_at_hook(DIR *dir, const char *name, time_t now, double *age)
{
    struct stat  st;

    if (name[0] == '.' || fstatat(dirfd(dir), name, &st, 0) != 0
        || !S_ISDIR(st.st_mode))
    {
        return false;
    }

    *age = difftime(now, st.st_mtime);

    return true;
}


void
reel_ctl_doctor_hooks(reel_ctl_doctor_t *d, const char *store)
{
    DIR            *dir;
    bool            late;
    char            path[4096], clock[24];
    double          age, oldest = 0;
    size_t          n = 0;
    time_t          now = time(NULL);
    struct dirent  *e;

    (void) snprintf(path, sizeof(path), "%s/hooks", store);
    dir = opendir(path);

    if (dir == NULL) {
        if (errno != ENOENT) {
            reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "webhooks", "%s: %s",
                                path, strerror(errno));
        } else {
            reel_ctl_doctor_say(d, REEL_DOCTOR_SKIP, "webhooks", "none are "
                                "set up");
        }
        return;
    }

    while ((e = readdir(dir)) != NULL) {
        if (look_at_hook(dir, e->d_name, now, &age)) {
            n++;
            oldest = age > oldest ? age : oldest;
        }
    }
    (void) closedir(dir);

    reel_ctl_clock(clock, oldest);

    if (n == 0) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "webhooks", "all are told");
    } else {
        late = oldest > HOOK_LATE_S;
        reel_ctl_doctor_say(d, late ? REEL_DOCTOR_WARN : REEL_DOCTOR_OK,
                            "webhooks", "%zu asset%s what not every endpoint "
                            "was told, the oldest for %s%s", n,
                            n == 1 ? " has" : "s have", clock,
                            late ? ": workerd's log says which endpoint fails"
                                 : "");
    }
}

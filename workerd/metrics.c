#include "workerd/metrics.h"

#include "lib/job/task.h"

/* from a step of an idle Redis to the longest attempts */
static const uint64_t bounds_ms[REEL_METRICS_BOUNDS] = {
    10, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 120000,
    300000, 600000, 1800000
};


uint64_t
reel_histogram_bound_ms(unsigned i)
{
    return bounds_ms[i];
}


void
reel_histogram_add(reel_histogram_t *h, uint64_t ms)
{
    unsigned  i;

    for (i = 0; i < REEL_METRICS_BOUNDS && ms > bounds_ms[i]; i++) {
        /* void */
    }

    h->n[i]++;
    h->sum_ms += ms;
}


void
reel_metrics_claimed(reel_metrics_t *m, reel_task_type_t type,
    uint64_t wait_ms)
{
    reel_histogram_add(&m->wait[type], wait_ms);
}


void
reel_metrics_ran(reel_metrics_t *m, reel_task_type_t type, uint64_t run_ms)
{
    reel_histogram_add(&m->run[type], run_ms);
}


void
reel_metrics_ended(reel_metrics_t *m, reel_task_type_t type,
    reel_ending_t how, const char *code)
{
    size_t  i;

    if (type < REEL_TASK_TYPES) {
        m->ended[type][how]++;
    }

    if (code == NULL) {
        return;
    }

    i = (size_t) (reel_code_find(code) - reel_code_at(0));

    if (how == REEL_ENDED_RETRY || how == REEL_ENDED_RELEASE) {
        m->retries[i]++;
    } else if (how == REEL_ENDED_FAIL) {
        m->failures[i]++;
    }
}


void
reel_metrics_second(reel_metrics_t *m, reel_ending_t how)
{
    switch (how) {
    case REEL_ENDED_LOST:
        m->second[REEL_SECOND_LOST]++;
        break;
    case REEL_ENDED_RETRY:
    case REEL_ENDED_RELEASE:
    case REEL_ENDED_FAIL:
        m->second[REEL_SECOND_FAILED]++;
        break;
    default:
        m->second[REEL_SECOND_WON]++;
    }
}


void
reel_metrics_encoded(reel_metrics_t *m, reel_task_type_t type,
    uint64_t media_ms, uint64_t run_ms)
{
    if (media_ms != 0) {
        m->media_ms[type] += media_ms;
        m->encode_ms[type] += run_ms;
    }
}


/* returns the name, for the series that follow */
static const char *
head(reel_buf_t *b, const char *name, const char *type, const char *help)
{
    reel_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                    type);

    return name;
}


static void
count(reel_buf_t *b, const char *name, const char *type, const char *help,
    uint64_t v)
{
    head(b, name, type, help);
    reel_buf_printf(b, "%s %llu\n", name, (unsigned long long) v);
}


/* a label's value: the format escapes these three */
static void
label(reel_buf_t *b, const char *name, const char *value)
{
    reel_buf_printf(b, "%s=\"", name);

    for (; *value != '\0'; value++) {
        switch (*value) {
        case '\\':
            reel_buf_addz(b, "\\\\");
            break;
        case '"':
            reel_buf_addz(b, "\\\"");
            break;
        case '\n':
            reel_buf_addz(b, "\\n");
            break;
        default:
            reel_buf_add(b, value, 1);
        }
    }

    reel_buf_addz(b, "\"");
}


/* seconds of a number of ms, without needless zeros */
static void
seconds(reel_buf_t *b, uint64_t ms)
{
    unsigned  part = (unsigned) (ms % 1000), digits = 3;

    reel_buf_printf(b, "%llu", (unsigned long long) (ms / 1000));

    if (part != 0) {
        for (; part % 10 == 0; part /= 10) {
            digits--;
        }
        reel_buf_printf(b, ".%0*u", (int) digits, part);
    }
}


static void
time_of(reel_buf_t *b, const char *name, const char *type, const char *help,
    uint64_t ms)
{
    head(b, name, type, help);
    reel_buf_printf(b, "%s ", name);
    seconds(b, ms);
    reel_buf_addz(b, "\n");
}


static const char *
type_name(unsigned t)
{
    return reel_task_type_name((reel_task_type_t) t);
}


static void
print_histogram(reel_buf_t *b, const char *name, const reel_histogram_t *h,
    const char *type)
{
    uint64_t  n = 0;

    for (unsigned i = 0; i < REEL_METRICS_BOUNDS; i++) {
        n += h->n[i];
        reel_buf_printf(b, "%s_bucket{type=\"%s\",le=\"", name, type);
        seconds(b, bounds_ms[i]);
        reel_buf_printf(b, "\"} %llu\n", (unsigned long long) n);
    }

    n += h->n[REEL_METRICS_BOUNDS];
    reel_buf_printf(b, "%s_bucket{type=\"%s\",le=\"+Inf\"} %llu\n", name,
                    type, (unsigned long long) n);
    reel_buf_printf(b, "%s_sum{type=\"%s\"} ", name, type);
    seconds(b, h->sum_ms);
    reel_buf_printf(b, "\n%s_count{type=\"%s\"} %llu\n", name, type,
                    (unsigned long long) n);
}


static void
print_histograms(reel_buf_t *b, const char *name, const char *type,
    const char *help, const reel_histogram_t *h)
{
    head(b, name, type, help);

    for (unsigned t = 0; t < REEL_TASK_TYPES; t++) {
        print_histogram(b, name, &h[t], type_name(t));
    }
}


static void
print_daemon(reel_buf_t *b, const reel_gauges_t *g)
{
    const char  *name;

    name = head(b, "reel_build_info", "gauge", "This build; always 1.");
    reel_buf_printf(b, "%s{", name);
    label(b, "version", g->version);
    reel_buf_addz(b, ",");
    label(b, "encoders", g->encoders);
    reel_buf_addz(b, "} 1\n");

    count(b, "reel_redis_up", "gauge",
          "1 while this worker is connected to Redis, to all shards.",
          g->shards_up == g->shards);
    count(b, "reel_redis_shards", "gauge", "Shards of Redis.", g->shards);
    count(b, "reel_redis_shards_up", "gauge",
          "Shards that this worker is connected to.", g->shards_up);
    count(b, "reel_outbox_pending", "gauge",
          "Entries of pending/ when they were last looked at.", g->pending);
}


/* of each kind of queue; wait: how long, not how many */
static void
print_kinds(reel_buf_t *b, const char *name, const char *type,
    const char *help, const uint64_t *v, bool wait)
{
    static const char *const kinds[REEL_KINDS] = {
        [REEL_KIND_LIGHT] = "light",
        [REEL_KIND_SINGLE] = "single",
        [REEL_KIND_MULTI] = "multi"
    };

    head(b, name, type, help);

    for (unsigned k = 0; k < REEL_KINDS; k++) {
        reel_buf_printf(b, "%s{kind=\"%s\"} ", name, kinds[k]);
        if (wait) {
            seconds(b, v[k]);
        } else {
            reel_buf_printf(b, "%llu", (unsigned long long) v[k]);
        }
        reel_buf_addz(b, "\n");
    }
}


static void
print_depth(reel_buf_t *b, const reel_depth_t *d)
{
    print_kinds(b, "reel_ready_tasks", "gauge",
                "Tasks of all jobs that wait for a worker.", d->ready, false);
    print_kinds(b, "reel_ready_oldest_seconds", "gauge",
                "Longest wait among the tasks that come next.", d->wait_ms,
                true);
    count(b, "reel_running_tasks", "gauge",
          "Tasks that run, of all workers.", d->running);
    count(b, "reel_delayed_tasks", "gauge",
          "Tasks that wait to be tried again.", d->delayed);
    count(b, "reel_quarantined_tasks", "gauge",
          "Tasks that were tried as often as allowed.", d->quarantined);
    count(b, "reel_unfinished_jobs", "gauge", "Jobs that did not end.",
          d->jobs);
    time_of(b, "reel_unfinished_job_oldest_seconds", "gauge",
            "Time since the oldest of them was submitted.", d->job_ms);
    count(b, "reel_workers", "gauge",
          "Workers heard of within the last minute.", d->workers);
}


static void
print_use(reel_buf_t *b, const reel_gauges_t *g)
{
    const char  *name;

    count(b, "reel_cores", "gauge", "Cores of this worker for tasks.",
          g->cores);
    count(b, "reel_cores_used", "gauge", "Cores that its tasks hold.",
          g->use.cores);
    count(b, "reel_memory_bytes", "gauge",
          "Memory of this worker for tasks.", (uint64_t) g->memory_mib << 20);
    count(b, "reel_memory_used_bytes", "gauge",
          "Memory that its tasks said they need.",
          (uint64_t) g->use.memory_mib << 20);

    name = head(b, "reel_worker_tasks", "gauge",
                "Tasks that this worker has.");
    for (unsigned t = 0; t < REEL_TASK_TYPES; t++) {
        reel_buf_printf(b, "%s{type=\"%s\"} %u\n", name, type_name(t),
                        g->use.tasks[t]);
    }
}


static void
print_ended(reel_buf_t *b, const reel_metrics_t *m)
{
    const char  *name;

    static const char *const endings[REEL_ENDINGS] = {
        [REEL_ENDED_DONE] = "done",
        [REEL_ENDED_STOOD] = "stood",
        [REEL_ENDED_REUSED] = "reused",
        [REEL_ENDED_WITHOUT] = "without",
        [REEL_ENDED_RETRY] = "retry",
        [REEL_ENDED_RELEASE] = "release",
        [REEL_ENDED_FAIL] = "fail",
        [REEL_ENDED_LOST] = "lost"
    };

    name = head(b, "reel_tasks_ended_total", "counter",
                "Attempts of this worker by how they ended.");

    for (unsigned t = 0; t < REEL_TASK_TYPES; t++) {
        for (unsigned i = 0; i < REEL_ENDINGS; i++) {
            reel_buf_printf(b, "%s{type=\"%s\",outcome=\"%s\"} %llu\n", name,
                            type_name(t), endings[i],
                            (unsigned long long) m->ended[t][i]);
        }
    }
}


static void
print_second(reel_buf_t *b, const reel_metrics_t *m)
{
    const char  *name;

    static const char *const outcomes[REEL_SECONDS] = {
        [REEL_SECOND_WON] = "won",
        [REEL_SECOND_LOST] = "lost",
        [REEL_SECOND_FAILED] = "failed"
    };

    name = head(b, "reel_second_runs_total", "counter",
                "Second runs of stragglers by what became of them.");

    for (unsigned i = 0; i < REEL_SECONDS; i++) {
        reel_buf_printf(b, "%s{outcome=\"%s\"} %llu\n", name, outcomes[i],
                        (unsigned long long) m->second[i]);
    }
}


static void
print_hooks(reel_buf_t *b, const reel_metrics_t *m, const reel_gauges_t *g)
{
    const char  *name;

    static const char *const outcomes[REEL_HOOKED] = {
        [REEL_HOOKED_SENT] = "sent",
        [REEL_HOOKED_REFUSED] = "refused",
        [REEL_HOOKED_FAILED] = "failed"
    };

    name = head(b, "reel_webhook_attempts_total", "counter",
                "Tries of this worker to send an event to an endpoint.");

    for (unsigned i = 0; i < REEL_HOOKED; i++) {
        reel_buf_printf(b, "%s{outcome=\"%s\"} %llu\n", name, outcomes[i],
                        (unsigned long long) m->hooked[i]);
    }

    count(b, "reel_webhooks_given_up_total", "counter",
          "Events that an endpoint will not get.", m->hooks_given_up);
    count(b, "reel_webhook_backlog", "gauge",
          "Assets with events that not all endpoints have yet.", g->hooks);
}


static void
print_codes(reel_buf_t *b, const reel_metrics_t *m)
{
    const char         *name;
    const reel_code_t  *c;

    name = head(b, "reel_task_retries_total", "counter",
                "Attempts that are made again, by class and reason.");
    for (size_t i = 0; i < reel_code_count(); i++) {
        c = reel_code_at(i);
        reel_buf_printf(b, "%s{class=\"%s\",code=\"%s\"} %llu\n", name,
                        c->counted ? "retry" : "release", c->code,
                        (unsigned long long) m->retries[i]);
    }

    name = head(b, "reel_task_failures_total", "counter",
                "Attempts that ended their job, by reason.");
    for (size_t i = 0; i < reel_code_count(); i++) {
        reel_buf_printf(b, "%s{code=\"%s\"} %llu\n", name,
                        reel_code_at(i)->code,
                        (unsigned long long) m->failures[i]);
    }

    /* of whichever worker, by this one's sweeps */
    count(b, "reel_leases_lost_total", "counter",
          "Leases that this worker ended: nobody had renewed them.",
          m->leases_lost);
    count(b, "reel_deadlines_total", "counter",
          "Tasks and jobs that this worker ended: they took too long.",
          m->overdue);
}


static void
print_media(reel_buf_t *b, const char *name, const char *type,
    const char *help, const uint64_t *ms)
{
    static const reel_task_type_t  encodes[] = {
        REEL_TASK_ENCODE_VIDEO, REEL_TASK_ENCODE_AUDIO
    };

    head(b, name, type, help);

    for (size_t i = 0; i < sizeof(encodes) / sizeof(encodes[0]); i++) {
        reel_buf_printf(b, "%s{type=\"%s\"} ", name, type_name(encodes[i]));
        seconds(b, ms[encodes[i]]);
        reel_buf_addz(b, "\n");
    }
}


reel_err_t
reel_metrics_print(reel_buf_t *b, const reel_metrics_t *m,
    const reel_gauges_t *g)
{
    print_daemon(b, g);

    if (g->depth != NULL) {
        print_depth(b, g->depth);
    }

    print_use(b, g);
    print_histograms(b, "reel_task_wait_seconds", "histogram",
                     "From ready to claimed, of what this worker claimed.",
                     m->wait);
    print_histograms(b, "reel_task_run_seconds", "histogram",
                     "Lives of this worker's children, however they ended.",
                     m->run);
    print_ended(b, m);
    print_second(b, m);
    print_hooks(b, m, g);
    print_codes(b, m);
    print_media(b, "reel_encode_media_seconds_total", "counter",
                "Time of the films that was encoded.", m->media_ms);
    print_media(b, "reel_encode_seconds_total", "counter",
                "Time that encoding it took.", m->encode_ms);

    return reel_buf_err(b);
}

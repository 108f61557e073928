#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "workerd/metrics.h"

static reel_buf_t  text;


static int
teardown(void **state)
{
    (void) state;

    reel_buf_release(&text);

    return 0;
}


static void
print(const reel_metrics_t *m, const reel_gauges_t *gauges)
{
    reel_gauges_t  g = *gauges;

    g.version = g.version != NULL ? g.version : "v";
    g.encoders = g.encoders != NULL ? g.encoders : "e";

    reel_buf_init(&text, REEL_METRICS_MAX);
    assert_int_equal(reel_metrics_print(&text, m, &g), REEL_OK);
}


/* the line stands there once, whole */
static void
has(const char *line)
{
    char         whole[256];
    const char  *at;

    snprintf(whole, sizeof(whole), "\n%s\n", line);
    at = strstr(reel_buf_cstr(&text), whole);
    if (at == NULL) {
        fail_msg("no line %s", line);
    }
    if (strstr(at + 1, whole) != NULL) {
        fail_msg("two lines %s", line);
    }
}


static void
an_attempt_counts_in_its_bound(void **state)
{
    uint64_t          sum = 0, bound, last = 0;
    reel_histogram_t  h = { 0 };

    (void) state;

    for (unsigned i = 0; i < REEL_METRICS_BOUNDS; i++) {
        bound = reel_histogram_bound_ms(i);
        assert_true(bound > last);

        reel_histogram_add(&h, last + 1);
        reel_histogram_add(&h, bound);
        assert_int_equal(h.n[i], 2);

        sum += last + 1 + bound;
        last = bound;
    }

    reel_histogram_add(&h, last + 1);
    reel_histogram_add(&h, UINT32_MAX);
    assert_int_equal(h.n[REEL_METRICS_BOUNDS], 2);
    assert_int_equal(h.sum_ms, sum + last + 1 + UINT32_MAX);

    h = (reel_histogram_t) { 0 };
    reel_histogram_add(&h, 0);
    assert_int_equal(h.n[0], 1);
}


static void
histograms_are_cumulative(void **state)
{
    reel_metrics_t  m = { 0 };

    (void) state;

    reel_metrics_claimed(&m, REEL_TASK_PLAN, 0);
    reel_metrics_claimed(&m, REEL_TASK_PLAN, 60);
    reel_metrics_claimed(&m, REEL_TASK_PLAN, 2400);
    reel_metrics_claimed(&m, REEL_TASK_PLAN, 4000001);
    reel_metrics_ran(&m, REEL_TASK_EXEC, 1500);
    print(&m, &(reel_gauges_t) { .shards = 2, .shards_up = 1 });

    has("# TYPE reel_task_wait_seconds histogram");
    has("reel_task_wait_seconds_bucket{type=\"plan\",le=\"0.01\"} 1");
    has("reel_task_wait_seconds_bucket{type=\"plan\",le=\"0.05\"} 1");
    has("reel_task_wait_seconds_bucket{type=\"plan\",le=\"0.1\"} 2");
    has("reel_task_wait_seconds_bucket{type=\"plan\",le=\"2.5\"} 3");
    has("reel_task_wait_seconds_bucket{type=\"plan\",le=\"1800\"} 3");
    has("reel_task_wait_seconds_bucket{type=\"plan\",le=\"+Inf\"} 4");
    has("reel_task_wait_seconds_sum{type=\"plan\"} 4002.461");
    has("reel_task_wait_seconds_count{type=\"plan\"} 4");
    has("reel_task_wait_seconds_count{type=\"exec\"} 0");
    has("reel_task_run_seconds_sum{type=\"exec\"} 1.5");
    has("reel_task_run_seconds_sum{type=\"plan\"} 0");
}


static void
second_runs_are_counted_by_what_became_of_them(void **state)
{
    reel_metrics_t  m = { 0 };

    (void) state;

    reel_metrics_second(&m, REEL_ENDED_DONE);
    reel_metrics_second(&m, REEL_ENDED_STOOD);
    reel_metrics_second(&m, REEL_ENDED_REUSED);
    reel_metrics_second(&m, REEL_ENDED_LOST);
    reel_metrics_second(&m, REEL_ENDED_LOST);
    reel_metrics_second(&m, REEL_ENDED_RETRY);
    print(&m, &(reel_gauges_t) { 0 });

    has("# TYPE reel_second_runs_total counter");
    has("reel_second_runs_total{outcome=\"won\"} 3");
    has("reel_second_runs_total{outcome=\"lost\"} 2");
    has("reel_second_runs_total{outcome=\"failed\"} 1");
}


static void
attempts_are_counted_by_how_they_ended(void **state)
{
    reel_metrics_t  m = { 0 };

    (void) state;

    reel_metrics_ended(&m, REEL_TASK_POSTER, REEL_ENDED_DONE, NULL);
    reel_metrics_ended(&m, REEL_TASK_POSTER, REEL_ENDED_RETRY, "CRASHED");
    reel_metrics_ended(&m, REEL_TASK_POSTER, REEL_ENDED_RETRY, "CRASHED");
    reel_metrics_ended(&m, REEL_TASK_POSTER, REEL_ENDED_RELEASE, "NO_SPACE");
    reel_metrics_ended(&m, REEL_TASK_POSTER, REEL_ENDED_FAIL, "CRASHED");
    reel_metrics_ended(&m, REEL_TASK_POSTER, REEL_ENDED_LOST, "IO");
    /* a type that this worker does not know */
    reel_metrics_ended(&m, REEL_TASK_TYPES, REEL_ENDED_FAIL, "INTERNAL");
    print(&m, &(reel_gauges_t) { .shards = 2, .shards_up = 1 });

    has("reel_tasks_ended_total{type=\"poster\",outcome=\"done\"} 1");
    has("reel_tasks_ended_total{type=\"poster\",outcome=\"stood\"} 0");
    has("reel_tasks_ended_total{type=\"poster\",outcome=\"retry\"} 2");
    has("reel_tasks_ended_total{type=\"poster\",outcome=\"release\"} 1");
    has("reel_tasks_ended_total{type=\"poster\",outcome=\"fail\"} 1");
    has("reel_tasks_ended_total{type=\"poster\",outcome=\"lost\"} 1");
    has("reel_tasks_ended_total{type=\"exec\",outcome=\"fail\"} 0");
    has("reel_task_retries_total{class=\"retry\",code=\"CRASHED\"} 2");
    has("reel_task_retries_total{class=\"release\",code=\"NO_SPACE\"} 1");
    has("reel_task_retries_total{class=\"retry\",code=\"IO\"} 0");
    has("reel_task_failures_total{code=\"CRASHED\"} 1");
    has("reel_task_failures_total{code=\"INTERNAL\"} 1");
    has("reel_task_failures_total{code=\"IO\"} 0");
}


static void
encode_speed_is_of_encodes(void **state)
{
    reel_metrics_t  m = { 0 };

    (void) state;

    reel_metrics_encoded(&m, REEL_TASK_ENCODE_VIDEO, 12000, 3010);
    reel_metrics_encoded(&m, REEL_TASK_ENCODE_VIDEO, 500, 1);
    reel_metrics_encoded(&m, REEL_TASK_ENCODE_AUDIO, 0, 77);
    print(&m, &(reel_gauges_t) { .shards = 2, .shards_up = 1 });

    has("reel_encode_media_seconds_total{type=\"encode_video\"} 12.5");
    has("reel_encode_seconds_total{type=\"encode_video\"} 3.011");
    has("reel_encode_seconds_total{type=\"encode_audio\"} 0");
    assert_null(strstr(reel_buf_cstr(&text),
                       "reel_encode_seconds_total{type=\"plan\"}"));
}


static void
what_redis_did_not_tell_is_left_out(void **state)
{
    reel_depth_t          d = {
        .ready = { 1, 2, 3 }, .wait_ms = { 4, 5000, 60 }, .running = 7,
        .delayed = 8, .quarantined = 9, .jobs = 10, .job_ms = 11100,
        .workers = 12
    };
    const reel_metrics_t  m = {
        .leases_lost = 13, .overdue = 14, .hooked = { 19, 20, 21 },
        .hooks_given_up = 22
    };

    (void) state;

    print(&m, &(reel_gauges_t) {
        .shards = 3, .shards_up = 3, .depth = &d, .pending = 15, .cores = 16,
        .hooks = 23, .memory_mib = 5000,
        .use = { 17, 1, { [REEL_TASK_EXEC] = 18 } }
    });

    has("reel_redis_up 1");
    has("reel_redis_shards 3");
    has("reel_redis_shards_up 3");
    has("reel_ready_tasks{kind=\"light\"} 1");
    has("reel_ready_tasks{kind=\"single\"} 2");
    has("reel_ready_tasks{kind=\"multi\"} 3");
    has("reel_ready_oldest_seconds{kind=\"light\"} 0.004");
    has("reel_ready_oldest_seconds{kind=\"single\"} 5");
    has("reel_ready_oldest_seconds{kind=\"multi\"} 0.06");
    has("reel_running_tasks 7");
    has("reel_delayed_tasks 8");
    has("reel_quarantined_tasks 9");
    has("reel_unfinished_jobs 10");
    has("reel_unfinished_job_oldest_seconds 11.1");
    has("reel_workers 12");
    has("reel_leases_lost_total 13");
    has("reel_deadlines_total 14");
    has("reel_outbox_pending 15");
    has("reel_webhook_attempts_total{outcome=\"sent\"} 19");
    has("reel_webhook_attempts_total{outcome=\"refused\"} 20");
    has("reel_webhook_attempts_total{outcome=\"failed\"} 21");
    has("reel_webhooks_given_up_total 22");
    has("reel_webhook_backlog 23");
    has("reel_cores 16");
    has("reel_cores_used 17");
    has("reel_memory_bytes 5242880000");
    has("reel_memory_used_bytes 1048576");
    has("reel_worker_tasks{type=\"exec\"} 18");

    reel_buf_release(&text);
    print(&m, &(reel_gauges_t) { .shards = 2, .shards_up = 1 });

    has("reel_redis_up 0");
    assert_null(strstr(reel_buf_cstr(&text), "reel_ready_tasks"));
    assert_null(strstr(reel_buf_cstr(&text), "reel_workers"));
}


static void
labels_are_escaped(void **state)
{
    const reel_metrics_t  m = { 0 };

    (void) state;

    print(&m, &(reel_gauges_t) { .version = "1\n\"\\", .encoders = "x, y" });
    has("reel_build_info{version=\"1\\n\\\"\\\\\",encoders=\"x, y\"} 1");
}


/* every number of a great age */
static void
all_of_it_fits(void **state)
{
    char            fingerprint[128];
    reel_metrics_t  m;
    reel_depth_t    d;

    (void) state;

    memset(&m, 0x7f, sizeof(m));
    memset(&d, 0x7f, sizeof(d));
    memset(fingerprint, '"', sizeof(fingerprint) - 1);
    fingerprint[sizeof(fingerprint) - 1] = '\0';

    print(&m, &(reel_gauges_t) { .encoders = fingerprint, .depth = &d });
    assert_true(text.len < REEL_METRICS_MAX / 2);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(an_attempt_counts_in_its_bound),
        cmocka_unit_test_teardown(histograms_are_cumulative, teardown),
        cmocka_unit_test_teardown(attempts_are_counted_by_how_they_ended,
                                  teardown),
        cmocka_unit_test_teardown(
            second_runs_are_counted_by_what_became_of_them, teardown),
        cmocka_unit_test_teardown(encode_speed_is_of_encodes, teardown),
        cmocka_unit_test_teardown(what_redis_did_not_tell_is_left_out,
                                  teardown),
        cmocka_unit_test_teardown(labels_are_escaped, teardown),
        cmocka_unit_test_teardown(all_of_it_fits, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

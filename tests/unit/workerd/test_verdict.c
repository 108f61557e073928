/* how a try ended: what a child may say of it, and what it may not */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workerd/allowance.h"
#include "workerd/verdict.h"

#define ASSET "01h00000000000000000000000"
#define JOB   ASSET ".1"

static char            dir[] = "/tmp/reel-verdict-XXXXXX";
static reel_worker_t   worker;
static reel_attempt_t  a;


static int
group_setup(void **state)
{
    (void) state;

    return mkdtemp(dir) == NULL
           || reel_store_fs_open(dir, &worker.store, NULL) != REEL_OK;
}


static int
group_teardown(void **state)
{
    char  command[64];

    (void) state;

    reel_store_close(worker.store);
    snprintf(command, sizeof(command), "rm -rf %s", dir);

    return system(command);
}


static int
setup(void **state)
{
    (void) state;

    a = (reel_attempt_t) {
        .w = &worker, .ops = &reel_task_poster, .memfd = -1, .job = JOB,
        .asset = ASSET, .task = "v0.0", .token = "T", .timeout_s = 9
    };

    return 0;
}


static void
say(const char *class, const char *code)
{
    json_t  *v = json_pack("{s:s, s:s, s:s, s:s}", "class", class, "code",
                           code, "stage", "write", "detail", "what it said");

    assert_non_null(v);
    reel_verdict_said(&a, v);
    json_decref(v);
}


static void
ended(const char *code, bool retry, bool counted)
{
    assert_true(a.outcome.failed);
    assert_string_equal(a.outcome.code, code);
    assert_int_equal(a.outcome.retry, retry);
    assert_int_equal(reel_code_find(a.outcome.code)->counted, counted);
}


static void
a_word_of_its_own(void **state)
{
    (void) state;

    say("fail", "BAD_MEDIA");
    reel_verdict_exit(&a, REEL_EXIT_STATUS, 1);
    ended("BAD_MEDIA", false, true);
    assert_string_equal(a.outcome.stage, "write");
    assert_string_equal(a.outcome.detail, "what it said");

    say("retry", "BAD_MEDIA");
    ended("BAD_MEDIA", true, true);

    say("retry", "WHATEVER");
    ended("INTERNAL", true, true);
}


/* a program may refuse the film, in its own words; what reads films may not */
static void
a_program_rejects(void **state)
{
    (void) state;

    say("fail", "REJECTED");
    ended("INTERNAL", false, true);

    a.ops = &reel_task_exec;
    a.outcome = (reel_outcome_t) { 0 };
    say("retry", "REJECTED");
    ended("REJECTED", false, true);

    /* that is no extra that could not be made */
    a.payload = strdup("{\"tries\":1}");
    a.number = 1;
    reel_verdict_forgive(&a);
    ended("REJECTED", false, true);
    assert_false(a.forgiven);
    free(a.payload);
}


/* what a film can do without is given up, not tried for ever */
static void
an_optional_one_is_given_up(void **state)
{
    reel_key_t     key;
    reel_buf_t     b = { 0 };
    reel_answer_t  answer;

    (void) state;

    a.ops = &reel_task_storyboard;
    a.payload = strdup("{\"tries\":3}");
    snprintf(a.task, sizeof(a.task), "storyboard");
    memset(a.digest, 'a', 64);

    /* another try may mend it */
    a.number = 2;
    say("retry", "IO");
    reel_verdict_forgive(&a);
    ended("IO", true, true);

    /* nor are lost workers waited for until the last attempt */
    a.number = 4;
    assert_false(reel_verdict_hopeless(&a));
    a.number = 5;
    assert_true(reel_verdict_hopeless(&a));
    a.ops = &reel_task_poster;
    assert_false(reel_verdict_hopeless(&a));
    a.ops = &reel_task_storyboard;

    /* and what does not count is no try */
    a.number = 3;
    reel_outcome_fail(&a.outcome, "NO_SPACE", "store", "full");
    reel_verdict_forgive(&a);
    ended("NO_SPACE", true, false);

    say("retry", "IO");
    reel_verdict_forgive(&a);
    assert_false(a.outcome.failed);

    a.number = 1;
    say("fail", "BAD_MEDIA");
    reel_verdict_forgive(&a);
    assert_false(a.outcome.failed);

    assert_int_equal(reel_key_scratch(key, reel_str(JOB), "storyboard.json"),
                     REEL_OK);
    assert_int_equal(reel_store_get(worker.store, key, 4096, &b), REEL_OK);
    assert_int_equal(reel_answer_parse(&answer, reel_buf_cstr(&b), b.len,
                                       NULL), REEL_OK);
    assert_int_equal(answer.nstories + answer.nobjects, 0);
    assert_int_equal(answer.warnings.of[REEL_WARN_GIVEN_UP].count, 1);
    assert_string_equal(answer.warnings.of[REEL_WARN_GIVEN_UP].stage,
                        "storyboard");
    assert_non_null(strstr(answer.warnings.of[REEL_WARN_GIVEN_UP].where,
                           "storyboard (IO)"));
    reel_answer_release(&answer);
    reel_buf_release(&b);
    free(a.payload);
    a.payload = NULL;

    /* a poster is none of these */
    a.ops = &reel_task_poster;
    say("fail", "BAD_MEDIA");
    reel_verdict_forgive(&a);
    ended("BAD_MEDIA", false, true);
}


static void
a_word_without_sense(void **state)
{
    json_t  *v = json_pack("{s:i, s:[]}", "code", 7, "class");

    (void) state;

    reel_verdict_said(&a, v);
    ended("INTERNAL", true, true);
    reel_verdict_said(&a, json_null());
    ended("INTERNAL", true, true);
    json_decref(v);
}


/* it would be started again at once, without end */
static void
no_child_ends_the_daemon(void **state)
{
    (void) state;

    say("retry", "SHUTDOWN");
    ended("CRASHED", true, true);
    say("retry", "TWIN");
    ended("CRASHED", true, true);
    reel_verdict_exit(&a, REEL_EXIT_STATUS, 1);
    ended("CRASHED", true, true);
}


/* a user's word alone ends a job so */
static void
no_child_cancels(void **state)
{
    (void) state;

    say("retry", "CANCELLED");
    ended("CRASHED", true, true);
}


static void
the_daemon_ends_a_child(void **state)
{
    (void) state;

    reel_verdict_exit(&a, REEL_EXIT_KILLED, SIGKILL);
    ended("SHUTDOWN", true, false);
}


static bool
stands(const char *name)
{
    char  path[256];

    snprintf(path, sizeof(path), "%s/scratch/" JOB "/%s", dir, name);

    return access(path, F_OK) == 0;
}


static void
no_space_where_there_is_room_counts(void **state)
{
    reel_child_t  io = { .source_fd = -1 };

    (void) state;

    assert_int_equal(reel_attempt_outputs(&a, &io, 2), REEL_OK);
    assert_true(stands("v0.0-T.0") && stands("v0.0-T.1"));

    say("retry", "NO_SPACE");
    reel_verdict_exit(&a, REEL_EXIT_STATUS, 1);
    ended("IO", true, true);
    assert_string_equal(a.outcome.stage, "write");
    assert_non_null(strstr(a.outcome.detail, "has room: what it said"));

    /* its own outputs were given back first, and nothing else is left */
    assert_null(a.out[0]);
    assert_false(stands("v0.0-T.0") || stands("v0.0-T.1")
                 || stands("v0.0-T.room"));
}


/* a need that no medium satisfies stands for a full one */
static void
no_space_where_there_is_none_waits(void **state)
{
    int                fd;
    char               probe[64];
    const reel_grid_t  g = { .timescale = 1, .gop_ts = UINT32_MAX };

    (void) state;

    snprintf(probe, sizeof(probe), "%s/probe", dir);
    fd = open(probe, O_CREAT | O_RDWR, 0600);
    assert_true(fd >= 0);
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096) != 0) {
        print_message("skipped: fallocate in %s: %s\n", dir,
                      strerror(errno));
        close(fd);
        skip();
    }
    close(fd);

    reel_allowance_need(&a, &g, REEL_INDEX_MAX_FRAGMENTS, 1000000);
    say("retry", "NO_SPACE");
    reel_verdict_exit(&a, REEL_EXIT_STATUS, 1);
    ended("NO_SPACE", true, false);
    assert_string_equal(a.outcome.detail, "what it said");
    assert_false(stands("v0.0-T.room"));
}


/* what the store itself reported needs no second look */
static void
the_parent_s_own_no_space_is_true(void **state)
{
    (void) state;

    assert_int_equal(reel_attempt_store_fail(&a, REEL_NOSPACE, "put"),
                     REEL_NOSPACE);
    reel_verdict_exit(&a, REEL_EXIT_KILLED, SIGKILL);
    ended("NO_SPACE", true, false);
}


/* the rungs of a task make its need, as its payload has them */
static void
an_encode_needs_what_its_rungs_do(void **state)
{
    reel_buf_t           b;
    reel_child_t         io = { .source_fd = -1 };
    reel_encode_video_t  t = {
        .grid = { .timescale = 90000, .gop_ts = 180000, .fragments = 9,
                  .end_ts = 9 * 180000 },
        .tb = { 1, 90000 }, .rate = { 30, 1 }, .preset = "veryfast",
        .threads = 1, .frag_from = 1, .frag_to = 7, .nrungs = 2,
        .rungs = {
            { "v1080", 1920, 1080, 23, 7800, 11700 },
            { "v720", 1280, 720, 23, 4500, 6750 }
        }
    };

    (void) state;

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_video_print(&b, &t), REEL_OK);
    a.payload = reel_buf_take(&b, &a.payload_len);
    a.ops = &reel_task_video;
    assert_int_equal(reel_attempt_prepare(&a, &io), REEL_OK);

    /* 12 s at 2 × 12300 kbit/s; 4 KiB a fragment, 1 MiB a rung */
    assert_int_equal(a.need, 12 * 2 * 12300000 / 8
                     + 2 * (6 * 4096 + (1 << 20)));
    assert_int_equal(a.frags, 6);

    reel_multipart_abort(a.out[0]);
    reel_multipart_abort(a.out[1]);
    reel_answer_release(&a.answer);
    free(a.data);
    free(a.payload);
}


static void
ends_that_say_nothing(void **state)
{
    static const struct {
        reel_exit_t  how;
        int          detail;
        const char  *code, *text;
    } ends[] = {
        { REEL_EXIT_STATUS, 3, "CRASHED", "status 3" },
        { REEL_EXIT_SIGNAL, SIGSYS, "CRASHED", "signal 31" },
        { REEL_EXIT_TIMEOUT, 9, "TIMEOUT", "longer than 9 s" },
        { REEL_EXIT_BABBLE, 9, "INTERNAL", "more than 4096 bytes" },
        /* done, without an image */
        { REEL_EXIT_DONE, 0, "INTERNAL", "without an answer" }
    };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        setup(state);
        reel_verdict_exit(&a, ends[i].how, ends[i].detail);
        ended(ends[i].code, true, true);
        assert_non_null(strstr(a.outcome.detail, ends[i].text));
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup(a_word_of_its_own, setup),
        cmocka_unit_test_setup(a_program_rejects, setup),
        cmocka_unit_test_setup(an_optional_one_is_given_up, setup),
        cmocka_unit_test_setup(a_word_without_sense, setup),
        cmocka_unit_test_setup(no_child_ends_the_daemon, setup),
        cmocka_unit_test_setup(no_child_cancels, setup),
        cmocka_unit_test_setup(the_daemon_ends_a_child, setup),
        cmocka_unit_test_setup(no_space_where_there_is_room_counts, setup),
        cmocka_unit_test_setup(no_space_where_there_is_none_waits, setup),
        cmocka_unit_test_setup(the_parent_s_own_no_space_is_true, setup),
        cmocka_unit_test_setup(an_encode_needs_what_its_rungs_do, setup),
        cmocka_unit_test(ends_that_say_nothing)
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

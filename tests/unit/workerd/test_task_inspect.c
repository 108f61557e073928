/* the digest of a source: who may say it and when, and whether it pays */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workerd/attempt.h"
#include "workerd/source_sum.h"

/* of "abc": FIPS 180-4 */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OTHER "00000000000000000000000000000000" \
              "00000000000000000000000000000000"

static reel_worker_t   worker;
static reel_attempt_t  a;


static int
setup(void **state)
{
    (void) state;

    worker.conf.reuse = true;
    a = (reel_attempt_t) {
        .w = &worker, .ops = &reel_task_inspect, .timeout_s = 60
    };

    return 0;
}


static reel_err_t
say(const char *hex)
{
    json_t      *v = hex != NULL ? json_string(hex) : json_null();
    reel_err_t   err = a.ops->line(&a, "sha256", v, NULL);

    json_decref(v);

    return err;
}


static void
only_the_first_line_says_it(void **state)
{
    (void) state;

    assert_int_equal(say(ABC), REEL_OK);
    assert_string_equal(a.sha256, ABC);
    a.spoke = true;
    assert_int_equal(say(OTHER), REEL_BADDATA);
    assert_string_equal(a.sha256, ABC);
}


/* libav has run by the second line, whatever the first one said */
static void
none_stays_none(void **state)
{
    (void) state;

    assert_int_equal(say(NULL), REEL_OK);
    a.spoke = true;
    assert_int_equal(say(OTHER), REEL_BADDATA);
    assert_int_equal(say(NULL), REEL_BADDATA);
    assert_string_equal(a.sha256, "");
}


static void
what_was_not_asked_is_refused(void **state)
{
    (void) state;

    assert_int_equal(say("ba78"), REEL_BADDATA);

    snprintf(a.sha256, sizeof(a.sha256), ABC);          /* signed */
    assert_int_equal(say(OTHER), REEL_BADDATA);
    assert_string_equal(a.sha256, ABC);

    a.sha256[0] = '\0';
    worker.conf.reuse = false;
    assert_int_equal(say(OTHER), REEL_BADDATA);
    assert_int_equal(say(NULL), REEL_BADDATA);
}


/* the child's first line; what follows is libav's verdict on it */
static void
first_line(char *line, size_t cap, const char *source, int fd)
{
    int           ctl[2];
    ssize_t       n;
    FILE         *f;
    reel_child_t  c = { .source_fd = fd };

    assert_int_equal(pipe(ctl), 0);
    c.ctl_fd = ctl[1];

    if (source != NULL) {
        n = (ssize_t) strlen(source);
        assert_int_equal(pwrite(fd, source, (size_t) n, 0), n);
    }

    assert_int_not_equal(a.ops->run(&c, &a), 0);
    close(ctl[1]);

    f = fdopen(ctl[0], "r");
    assert_non_null(f);
    assert_non_null(fgets(line, (int) cap, f));
    fclose(f);
}


static void
the_child_always_begins_with_it(void **state)
{
    int   fd = memfd_create("source", MFD_CLOEXEC);
    char  line[1024];

    (void) state;

    assert_true(fd >= 0);
    first_line(line, sizeof(line), "abc", fd);
    assert_string_equal(line, "{\"sha256\":\"" ABC "\"}\n");
    close(fd);

    first_line(line, sizeof(line), NULL, -1);
    assert_string_equal(line, "{\"sha256\":null}\n");
}


static void
what_would_take_too_long_is_stopped(void **state)
{
    uint64_t  mib = 1u << 20;

    (void) state;

    /* what the first second gives is awaited */
    assert_true(reel_source_sum_pays(mib, 1000000 * mib, 999, 10000));
    assert_false(reel_source_sum_pays(mib, 1000000 * mib, 1000, 10000));

    assert_true(reel_source_sum_pays(100 * mib, 1000 * mib, 1000, 10000));
    assert_false(reel_source_sum_pays(100 * mib, 1001 * mib, 1000, 10000));
    assert_false(reel_source_sum_pays(0, 1000 * mib, 1000, 10000));
    assert_true(reel_source_sum_pays(1000 * mib, 1000 * mib, 10000, 10000));
    assert_false(reel_source_sum_pays(1000 * mib, 1000 * mib, 10001, 10000));

    /* more than any medium has */
    assert_false(reel_source_sum_pays(1, INT64_MAX, 1000, UINT32_MAX));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_the_first_line_says_it, setup),
        cmocka_unit_test_setup(none_stays_none, setup),
        cmocka_unit_test_setup(what_was_not_asked_is_refused, setup),
        cmocka_unit_test_setup(the_child_always_begins_with_it, setup),
        cmocka_unit_test_setup(what_would_take_too_long_is_stopped, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

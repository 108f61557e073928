#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "workerd/log.h"

#define MS 1700000000123


static void
line_has_all_parts(void **state)
{
    char    line[256];
    size_t  n;

    (void) state;

    n = reel_log_format(line, sizeof(line), MS, REEL_LOG_WARN, 7, "j.1",
                        "v0.0", "hello");

    assert_string_equal(line, "time=2023-11-14T22:13:20.123Z level=warn "
                        "pid=7 job=j.1 task=v0.0 msg=\"hello\"");
    assert_int_equal(n, strlen(line));
}


static void
job_and_task_may_be_missing(void **state)
{
    char  line[256];

    (void) state;

    assert_true(reel_log_format(line, sizeof(line), MS, REEL_LOG_INFO, 1,
                                NULL, NULL, "x") > 0);
    assert_null(strstr(line, "job="));
    assert_null(strstr(line, "task="));
}


/* a hostile file name must not forge a line or a key */
static void
text_is_escaped(void **state)
{
    char  line[256];

    (void) state;

    assert_true(reel_log_format(line, sizeof(line), MS, REEL_LOG_INFO, 1,
                                NULL, NULL, "a\nb\"c\\d\x1b[31m\x7f") > 0);
    assert_non_null(strstr(line, "msg=\"a\\nb\\\"c\\\\d\\x1b[31m\\x7f\""));
}


static void
long_text_is_cut_and_still_closed(void **state)
{
    char    text[4096], line[256];
    size_t  n;

    (void) state;

    memset(text, '\n', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';

    for (size_t cap = 1; cap <= sizeof(line); cap++) {
        memset(line, 'Z', sizeof(line));
        n = reel_log_format(line, cap, MS, REEL_LOG_INFO, 1, NULL, NULL,
                            text);
        assert_true(n < cap);
        assert_int_equal(line[n], '\0');
        if (n > 0) {
            assert_int_equal(line[n - 1], '"');
        }
        for (size_t i = cap; i < sizeof(line); i++) {
            assert_int_equal(line[i], 'Z');
        }
    }
}


static void
levels_by_name(void **state)
{
    reel_log_level_t  l;

    (void) state;

    assert_int_equal(reel_log_level_parse(&l, REEL_STR("error")), REEL_OK);
    assert_int_equal(l, REEL_LOG_ERROR);
    assert_int_equal(reel_log_level_parse(&l, REEL_STR("debug")), REEL_OK);
    assert_int_equal(l, REEL_LOG_DEBUG);
    assert_int_equal(reel_log_level_parse(&l, REEL_STR("loud")), REEL_INVAL);
    assert_int_equal(reel_log_level_parse(&l, REEL_STR("")), REEL_INVAL);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(line_has_all_parts),
        cmocka_unit_test(job_and_task_may_be_missing),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(long_text_is_cut_and_still_closed),
        cmocka_unit_test(levels_by_name)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

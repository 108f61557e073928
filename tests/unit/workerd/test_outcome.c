#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "workerd/outcome.h"


static void
every_code_has_a_sentence(void **state)
{
    const char  *s;

    (void) state;

    for (size_t i = 0; i < reel_code_count(); i++) {
        s = reel_code_at(i)->sentence;
        assert_true(strlen(s) > 10);
        assert_true(strchr(".)", s[strlen(s) - 1]) != NULL);
        assert_ptr_equal(reel_code_find(reel_code_at(i)->code),
                         reel_code_at(i));
        assert_true(strlen(reel_code_at(i)->code) < REEL_CODE_MAX);
    }
}


static void
what_the_file_is_to_blame_for_is_final(void **state)
{
    (void) state;

    assert_false(reel_code_find("NOT_A_VIDEO")->retry);
    assert_false(reel_code_find("FORBIDDEN_FORMAT")->retry);
    assert_false(reel_code_find("LIMIT_DURATION")->retry);
    assert_true(reel_code_find("CRASHED")->retry);
    assert_true(reel_code_find("MISMATCH")->retry);
    assert_true(reel_code_find("CRASHED")->counted);

    /* an operator can mend it, and the user's retry goes on from there */
    assert_false(reel_code_find("NOT_A_VIDEO")->retryable);
    assert_true(reel_code_find("CRASHED")->retryable);
    assert_false(reel_code_find("BAD_PIPELINE")->retry);
    assert_true(reel_code_find("BAD_PIPELINE")->retryable);
    assert_false(reel_code_find("NO_WORKER")->retry);
    assert_true(reel_code_find("NO_WORKER")->retryable);
    assert_false(reel_code_find("NO_SPACE")->counted);
    assert_false(reel_code_find("SHUTDOWN")->counted);
}


static void
unknown_code_is_internal(void **state)
{
    reel_outcome_t  o = { 0 };

    (void) state;

    assert_string_equal(reel_code_find("WHATEVER")->code, "INTERNAL");

    reel_outcome_fail(&o, "WHATEVER", "here", "%d", 7);
    assert_true(o.failed && o.retry);
    assert_string_equal(o.code, "INTERNAL");
    assert_string_equal(o.stage, "here");
    assert_string_equal(o.detail, "7");
}


static void
long_texts_are_cut(void **state)
{
    char            text[1000];
    reel_outcome_t  o = { 0 };

    (void) state;

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';

    reel_outcome_fail(&o, "IO", text, "%s", text);
    assert_int_equal(strlen(o.stage), sizeof(o.stage) - 1);
    assert_int_equal(strlen(o.detail), sizeof(o.detail) - 1);

    /* between two characters, and on one line */
    memset(text, ' ', sizeof(o.detail) - 2);
    memcpy(text + sizeof(o.detail) - 2, "\xe2\x82\xac", 4);
    text[0] = '\n';
    text[1] = '\033';
    reel_outcome_fail(&o, "IO", "a\rb", "%s", text);
    assert_string_equal(o.stage, "a b");
    assert_int_equal(strlen(o.detail), sizeof(o.detail) - 2);
    assert_int_equal(strspn(o.detail, " "), sizeof(o.detail) - 2);
}


static void
errors_map_to_codes(void **state)
{
    (void) state;

    assert_string_equal(reel_outcome_code(REEL_NOSPACE), "NO_SPACE");
    assert_string_equal(reel_outcome_code(REEL_NOMEM), "NO_MEMORY");
    assert_string_equal(reel_outcome_code(REEL_IO), "IO");
    assert_string_equal(reel_outcome_code(REEL_BADDATA), "INTERNAL");

    for (int e = REEL_NOMEM; e <= REEL_DENIED; e++) {
        assert_true(reel_code_find(reel_outcome_code(e))->retry);
    }
}


static void
backoff_doubles_within_bounds(void **state)
{
    unsigned  full;

    (void) state;

    for (unsigned n = 0; n < 40; n++) {
        full = n < 1 ? 1000 : n > 6 ? 60000 : 1000u << (n - 1);

        for (unsigned r = 0; r < 200000; r += 997) {
            assert_in_range(reel_backoff_ms(n, r), full / 4, full);
        }
    }

    assert_int_not_equal(reel_backoff_ms(3, 1), reel_backoff_ms(3, 2));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(every_code_has_a_sentence),
        cmocka_unit_test(what_the_file_is_to_blame_for_is_final),
        cmocka_unit_test(unknown_code_is_internal),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(errors_map_to_codes),
        cmocka_unit_test(backoff_doubles_within_bounds)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

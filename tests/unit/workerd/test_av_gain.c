/* a gain: how much, and what stays below full scale */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "workerd/av_gain.h"


static void
how_much(void **state)
{
    (void) state;
    assert_int_equal(reel_av_gain(-16, -2310), 710);
    assert_int_equal(reel_av_gain(-23, -1400), -900);
    assert_int_equal(reel_av_gain(-16, -1600), 0);
    /* noise is not made a film of */
    assert_int_equal(reel_av_gain(-16, -4900), 2000);
    assert_int_equal(reel_av_gain(-16, -5500), 0);
    assert_int_equal(reel_av_gain(-16, -10000), 0);
}


static void
what_is_loud_is_bent(void **state)
{
    int    i;
    float  x[201], last = -1;

    (void) state;

    for (i = 0; i <= 200; i++) {
        x[i] = (float) (i - 100) / 100;
    }

    reel_av_gain_apply(x, 201, 1200);

    for (i = 0; i <= 200; i++) {
        assert_true(x[i] >= last && fabsf(x[i]) < 0.8914f);
        assert_true(fabsf(x[i] + x[200 - i]) < 1e-6f);
        last = x[i];
    }

    /* 12 dB of what is quiet are 12 dB */
    assert_true(fabsf(x[110] - 0.1f * 3.98107f) < 1e-4f);
}


static void
without_a_gain_nothing_changes(void **state)
{
    float  x[] = { 0.5f, 0.71f, -0.9f, 1.0f, -1.2f };
    float  was[] = { 0.5f, 0.71f, -0.9f, 1.0f, -1.2f };

    (void) state;

    reel_av_gain_apply(x, sizeof(x) / sizeof(x[0]), 0);
    assert_memory_equal(x, was, sizeof(x));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_much),
        cmocka_unit_test(what_is_loud_is_bent),
        cmocka_unit_test(without_a_gain_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

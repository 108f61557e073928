#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/rescale.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
table(void **state)
{
    size_t  i;
    static const struct {
        int64_t  v;
        uint64_t num, den;
        int64_t  down, near, up;
    } t[] = {
        { 0, 1, 1, 0, 0, 0 },
        { 7, 0, 3, 0, 0, 0 },
        { 90000, 1, 90000, 1, 1, 1 },
        { 1, 1, 3, 0, 0, 1 },
        { 2, 1, 3, 0, 1, 1 },
        { 1, 1, 2, 0, 1, 1 },           /* half away from zero */
        { 3, 1, 2, 1, 2, 2 },
        { -1, 1, 3, -1, 0, 0 },
        { -2, 1, 3, -1, -1, 0 },
        { -1, 1, 2, -1, -1, 0 },
        { -3, 1, 2, -2, -2, -1 },
        { -6, 1, 3, -2, -2, -2 },

        /* 29.97: 60 frames of 1001 at 30000 in a clock of 48000 */
        { 60060, 48000, 30000, 96096, 96096, 96096 },
        { 1001, 90000, 24000, 3753, 3754, 3754 },
        { -1001, 90000, 24000, -3754, -3754, -3753 },

        /* the product needs 127 bits */
        { INT64_MAX, UINT64_MAX, UINT64_MAX, INT64_MAX, INT64_MAX,
          INT64_MAX },
        { INT64_MIN, UINT64_MAX, UINT64_MAX, INT64_MIN, INT64_MIN,
          INT64_MIN },
        { INT64_MAX, 1, 2, 4611686018427387903, 4611686018427387904,
          4611686018427387904 },
        { INT64_MIN, 1, 2, -4611686018427387904, -4611686018427387904,
          -4611686018427387904 },
        { INT64_MIN, 1, 1, INT64_MIN, INT64_MIN, INT64_MIN },

        /* saturation */
        { INT64_MAX, 2, 1, INT64_MAX, INT64_MAX, INT64_MAX },
        { INT64_MIN, 2, 1, INT64_MIN, INT64_MIN, INT64_MIN },
        { INT64_MAX, UINT64_MAX, 1, INT64_MAX, INT64_MAX, INT64_MAX },
        { INT64_MIN, UINT64_MAX, 1, INT64_MIN, INT64_MIN, INT64_MIN },
        { INT64_MIN + 1, 1, 1, INT64_MIN + 1, INT64_MIN + 1,
          INT64_MIN + 1 },

        /* a remainder near the largest divisor must not wrap */
        { 1, UINT64_MAX - 1, UINT64_MAX, 0, 1, 1 },
        { 1, UINT64_MAX / 2, UINT64_MAX, 0, 0, 1 },
        { 1, UINT64_MAX / 2 + 1, UINT64_MAX, 0, 1, 1 },
        { -1, UINT64_MAX / 2, UINT64_MAX, -1, 0, 0 },
        { 1, 1, UINT64_MAX, 0, 0, 1 },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_true(reel_rescale(t[i].v, t[i].num, t[i].den,
                                 REEL_ROUND_DOWN) == t[i].down);
        assert_true(reel_rescale(t[i].v, t[i].num, t[i].den,
                                 REEL_ROUND_NEAR) == t[i].near);
        assert_true(reel_rescale(t[i].v, t[i].num, t[i].den,
                                 REEL_ROUND_UP) == t[i].up);
    }
}


/* down(v) <= near(v) <= up(v), and down(-v) = -up(v) */
static void
relations(void **state)
{
    int64_t   v, down, near, up;
    uint64_t  den;

    (void) state;

    for (den = 1; den <= 13; den++) {
        for (v = -60; v <= 60; v++) {
            down = reel_rescale(v, 7, den, REEL_ROUND_DOWN);
            near = reel_rescale(v, 7, den, REEL_ROUND_NEAR);
            up = reel_rescale(v, 7, den, REEL_ROUND_UP);

            assert_true(down <= near && near <= up && up - down <= 1);
            assert_true(down * (int64_t) den <= v * 7);
            assert_true(up * (int64_t) den >= v * 7);
            assert_true(reel_rescale(-v, 7, den, REEL_ROUND_DOWN) == -up);
            assert_true(reel_rescale(-v, 7, den, REEL_ROUND_NEAR) == -near);
        }
    }
}


static void
gcd(void **state)
{
    (void) state;

    assert_int_equal(reel_gcd(0, 0), 0);
    assert_int_equal(reel_gcd(0, 7), 7);
    assert_int_equal(reel_gcd(7, 0), 7);
    assert_int_equal(reel_gcd(1920, 1080), 120);
    assert_int_equal(reel_gcd(30000, 1001), 1);
    assert_true(reel_gcd(UINT64_MAX, UINT64_MAX - 1) == 1);
    assert_true(reel_gcd(UINT64_MAX, 5) == 5);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(gcd),
        cmocka_unit_test(table),
        cmocka_unit_test(relations),
    };

    return cmocka_run_group_tests_name("rescale", tests, NULL, NULL);
}

/* constant or variable, and how fast */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "workerd/av_rate.h"


static int64_t  pts[5000];


/* n pictures at num/den a second, rounded down to ticks of 1/hz */
static void
steady(size_t n, int64_t num, int64_t den, int64_t hz)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        pts[i] = (int64_t) i * den * hz / num;
    }
}


static reel_rate_t
detect(size_t n, uint32_t hz, uint32_t hint_num, uint32_t hint_den)
{
    reel_rate_t      r;
    reel_rational_t  tb = { 1, hz }, hint = { hint_num, hint_den };

    reel_rate_detect(&r, pts, n, tb, &hint, 1);
    return r;
}


#define CHECK(r, is_constant, n, d, count)                                   \
    do {                                                                     \
        assert_int_equal((r).constant, is_constant);                         \
        assert_int_equal((r).rate.num, n);                                   \
        assert_int_equal((r).rate.den, d);                                   \
        assert_int_equal((r).frames, count);                                 \
    } while (0)


static void
test_known(void **state)
{
    unsigned     i;
    reel_rate_t  r;

    static const struct {
        uint32_t  num, den, hz;
    } rows[] = {
        { 24, 1, 12288 }, { 24000, 1001, 24000 }, { 25, 1, 90000 },
        { 30, 1, 1000 }, { 30000, 1001, 1000 }, { 30000, 1001, 90000 },
        { 24000, 1001, 1000 }, { 50, 1, 1000 }, { 60000, 1001, 1000 },
        { 60, 1, 1000 }, { 25, 2, 25000 }, { 15, 1, 1000 }, { 10, 1, 600 },
        { 1, 1, 1000 }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        steady(900, rows[i].num, rows[i].den, rows[i].hz);
        r = detect(900, rows[i].hz, 0, 1);
        CHECK(r, true, rows[i].num, rows[i].den, 900);
    }
}


/* a rate of nobody's: from the steps themselves */
static void
test_odd(void **state)
{
    reel_rate_t  r;

    (void) state;

    steady(300, 17, 1, 17000);
    r = detect(300, 17000, 0, 1);
    CHECK(r, true, 17, 1, 300);
}


/* the container's claim is a hint: wrong by far, or right in a near tie */
static void
test_hint(void **state)
{
    reel_rate_t  r;

    (void) state;

    steady(200, 30, 1, 1000);
    r = detect(200, 1000, 90000, 1);
    CHECK(r, true, 30, 1, 200);

    /* 10 pictures in ms may be either */
    steady(10, 24000, 1001, 1000);
    r = detect(10, 1000, 24000, 1001);
    CHECK(r, true, 24000, 1001, 10);
}


static void
test_jitter(void **state)
{
    size_t       i;
    reel_rate_t  r;

    (void) state;

    /* a third of a frame to and fro, as phones do */
    steady(600, 30, 1, 90000);
    for (i = 1; i < 600; i++) {
        pts[i] += (int64_t) (i * 7919 % 2000) - 1000;
    }

    r = detect(600, 90000, 0, 1);
    CHECK(r, true, 30, 1, 600);
}


static size_t
drop(size_t n, size_t every)
{
    size_t  i, k;

    for (i = 0, k = 0; i < n; i++) {
        if (i % every != every / 2) {
            pts[k++] = pts[i];
        }
    }

    return k;
}


static void
test_holes(void **state)
{
    size_t       n;
    reel_rate_t  r;

    (void) state;

    /* one in 50 is missing: slots count, they are filled */
    steady(1000, 25, 1, 90000);
    n = drop(1000, 50);
    assert_int_equal(n, 980);
    r = detect(n, 90000, 0, 1);
    CHECK(r, true, 25, 1, 1000);

    /* one in ten: a rate that is none */
    steady(1000, 25, 1, 90000);
    n = drop(1000, 10);
    r = detect(n, 90000, 25, 1);
    assert_false(r.constant);
    assert_int_equal(r.frames, 900);
    assert_in_range(r.rate.num * 100 / r.rate.den, 2240, 2260);
}


static void
test_variable(void **state)
{
    size_t       i;
    reel_rate_t  r;

    (void) state;

    for (i = 1, pts[0] = 0; i < 400; i++) {
        pts[i] = pts[i - 1] + 20 + (int64_t) (i * i % 97);
    }

    r = detect(400, 1000, 30, 1);
    assert_false(r.constant);
    assert_int_equal(r.frames, 400);
}


static void
test_fast(void **state)
{
    reel_rate_t  r;

    (void) state;

    steady(480, 120, 1, 90000);
    r = detect(480, 90000, 120, 1);
    CHECK(r, true, 60, 1, 241);

    steady(480, 240, 1, 90000);
    r = detect(480, 90000, 0, 1);
    CHECK(r, true, 60, 1, 121);

    /* 62 is no reason to halve */
    steady(300, 60, 1, 600);
    r = detect(300, 600, 0, 1);
    CHECK(r, true, 60, 1, 300);
}


static void
test_few(void **state)
{
    reel_rate_t  r;

    (void) state;

    pts[0] = 77;
    r = detect(1, 90000, 0, 1);
    CHECK(r, true, 25, 1, 1);

    r = detect(1, 90000, 30, 1);
    CHECK(r, true, 30, 1, 1);

    /* all at once */
    pts[1] = pts[2] = 77;
    r = detect(3, 90000, 90000, 1);
    CHECK(r, true, 25, 1, 1);

    pts[0] = 0;
    pts[1] = 40;
    r = detect(2, 1000, 0, 1);
    CHECK(r, true, 25, 1, 2);
}


/* far apart and with clocks at their bounds: no overflow, some answer */
static void
test_extremes(void **state)
{
    reel_rate_t      r;
    reel_rational_t  fine = { 1, 0x7fffffff }, coarse = { 0x7fffffff, 1 };
    reel_rational_t  hint = { 0xffffffff, 1 };

    (void) state;

    pts[0] = 0;
    pts[1] = 1;
    pts[2] = INT64_C(1) << 62;

    reel_rate_detect(&r, pts, 3, fine, &hint, 1);
    assert_false(r.constant);
    assert_true(r.rate.num > 0 && r.rate.den > 0);

    reel_rate_detect(&r, pts, 3, coarse, &hint, 1);
    assert_false(r.constant);
    assert_true(r.rate.num > 0 && r.rate.den > 0);
}


/* Theora: pictures that are missing are as the one before */
static void
test_fixed(void **state)
{
    int64_t      at[] = { 0, 1, 2, 5, 6, 10, 11 };
    reel_rate_t  r;

    static const reel_rational_t tb = { 1, 25 }, rate = { 25, 1 };
    static const reel_rational_t fast = { 1, 240 }, many = { 240, 1 };

    (void) state;

    assert_true(reel_rate_fixed(&r, at, 7, tb, rate));
    CHECK(r, true, 25, 1, 12);
    assert_int_equal(r.every, 1);

    assert_true(reel_rate_fixed(&r, at, 7, fast, many));
    CHECK(r, true, 60, 1, 4);
    assert_int_equal(r.every, 4);

    /* a slide show, one picture, a rate that is none */
    at[6] = 50;
    assert_false(reel_rate_fixed(&r, at, 7, tb, rate));
    assert_false(reel_rate_fixed(&r, at, 1, tb, rate));
    assert_false(reel_rate_fixed(&r, at, 6, tb, (reel_rational_t) { 0, 1 }));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_odd),
        cmocka_unit_test(test_hint),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_variable),
        cmocka_unit_test(test_fast),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_fixed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

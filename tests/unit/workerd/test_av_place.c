/* which tick a picture stands at, and what fills the ticks between */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "workerd/av_place.h"


/* 30 fps, GOPs of 60 frames, 3.5 of them */
static const reel_grid_t constant = {
    .timescale = 30000, .gop_ts = 60000, .frame_ts = 1000, .fragments = 4,
    .end_ts = 210000
};

static const reel_grid_t variable = {
    .timescale = 90000, .gop_ts = 180000, .frame_ts = 0, .fragments = 3,
    .end_ts = 450000
};

static const reel_rational_t ms = { 1, 1000 };


static void
test_slot(void **state)
{
    reel_place_t  p;

    (void) state;
    reel_place_init(&p, &constant, ms, 100, 0, 4);

    assert_int_equal(reel_place_of(&p, 100), 0);
    assert_int_equal(reel_place_of(&p, 133), 1000);
    assert_int_equal(reel_place_of(&p, 116), 0);
    assert_int_equal(reel_place_of(&p, 117), 1000);
    assert_int_equal(reel_place_of(&p, 67), -1000);
    assert_int_equal(reel_place_of(&p, 2100), 60000);
}


static void
test_snap(void **state)
{
    reel_place_t     p;
    reel_rational_t  tb = { 1, 90000 };

    (void) state;
    reel_place_init(&p, &variable, tb, 0, 0, 3);

    /* half a millisecond on either side of a grid instant */
    assert_int_equal(reel_place_of(&p, 179955), 180000);
    assert_int_equal(reel_place_of(&p, 179954), 179954);
    assert_int_equal(reel_place_of(&p, 180045), 180000);
    assert_int_equal(reel_place_of(&p, 180046), 180046);
    assert_int_equal(reel_place_of(&p, -45), 0);
    assert_int_equal(reel_place_of(&p, -46), -46);
    assert_int_equal(reel_place_of(&p, 12345), 12345);
}


static void
expect(reel_place_t *p, int64_t until, const int64_t *ticks, unsigned n)
{
    int64_t   tick;
    unsigned  i;

    for (i = 0; i < n; i++) {
        assert_true(reel_place_next(p, until, &tick));
        assert_int_equal(tick, ticks[i]);
    }

    assert_false(reel_place_next(p, until, &tick));
}


#define EXPECT(p, until, ...)                                                \
    do {                                                                     \
        const int64_t  t_[] = { __VA_ARGS__ };                               \
        expect(p, until, t_, sizeof(t_) / sizeof(t_[0]));                    \
    } while (0)


static void
test_fill_constant(void **state)
{
    reel_place_t  p;

    (void) state;
    reel_place_init(&p, &constant, ms, 0, 1, 2);

    assert_int_equal(p.from, 60000);
    assert_int_equal(p.to, 120000);

    /* what lies before the chunk is shown nowhere */
    expect(&p, 59000, NULL, 0);
    expect(&p, 60000, NULL, 0);

    /* one slot, then one that stands for an empty one too */
    EXPECT(&p, 61000, 60000);
    EXPECT(&p, 63000, 61000, 62000);
    assert_false(reel_place_done(&p));

    p.next = 118000;
    EXPECT(&p, INT64_MAX, 118000, 119000);
    assert_true(reel_place_done(&p));
}


/* the last fragment ends with the timeline */
static void
test_end(void **state)
{
    reel_place_t  p;

    (void) state;
    reel_place_init(&p, &constant, ms, 0, 3, 4);

    assert_int_equal(p.to, 210000);
    p.next = 208000;
    EXPECT(&p, 400000, 208000, 209000);
    assert_true(reel_place_done(&p));
}


/* as sound goes on behind copied pictures: a fragment of 1.5 GOPs */
static void
test_longer_end(void **state)
{
    reel_place_t  p;
    reel_grid_t   g = constant;

    (void) state;
    g.fragments = 3;
    reel_place_init(&p, &g, ms, 0, 1, 2);
    assert_int_equal(p.to, 120000);

    reel_place_init(&p, &g, ms, 0, 2, 3);
    assert_int_equal(p.to, 210000);
    p.next = 179000;
    EXPECT(&p, 181000, 179000, 180000);
    p.next = 209000;
    EXPECT(&p, INT64_MAX, 209000);
    assert_true(reel_place_done(&p));
}


static void
test_fill_variable(void **state)
{
    reel_place_t  p;

    (void) state;
    reel_place_init(&p, &variable, ms, 0, 0, 3);

    /* the first picture shows from the start, wherever it stands */
    EXPECT(&p, 40000, 0);
    EXPECT(&p, 180000, 40000);

    /* on the grid: no repeat; off it: the one before is repeated there */
    EXPECT(&p, 200000, 180000);
    EXPECT(&p, 365000, 200000, 360000);
    EXPECT(&p, INT64_MAX, 365000);
    assert_true(reel_place_done(&p));
}


/* a pause over several grid instants */
static void
test_pause(void **state)
{
    reel_place_t  p;

    (void) state;
    reel_place_init(&p, &variable, ms, 0, 1, 3);

    EXPECT(&p, INT64_MAX, 180000, 360000);
    assert_true(reel_place_done(&p));
}


static void
test_key(void **state)
{
    reel_place_t  p;

    (void) state;
    reel_place_init(&p, &constant, ms, 0, 0, 4);

    assert_true(reel_place_is_key(&p, 0));
    assert_true(reel_place_is_key(&p, 120000));
    assert_false(reel_place_is_key(&p, 121000));
}


/* pictures at these ticks, the last one to the film's end: those shown */
static void
thin(const int64_t *at, unsigned n, const char *want)
{
    char          got[16] = "";
    int64_t       tick;
    unsigned      i;
    reel_thin_t   t;
    reel_place_t  p;

    reel_place_init(&p, &variable, ms, 0, 0, 3);
    reel_thin_init(&t, &variable, (reel_rational_t) { 60, 1 }, 2);

    for (i = 0; i < n; i++) {
        p.next = at[i];
        assert_true(reel_place_next(&p, i + 1 < n ? at[i + 1] : INT64_MAX,
                                    &tick));
        got[i] = reel_thin_shows(&t, &p, tick) ? '#' : '.';
    }

    assert_string_equal(got, want);
}


#define THIN(want, ...)                                                      \
    do {                                                                     \
        const int64_t  t_[] = { __VA_ARGS__ };                               \
        thin(t_, sizeof(t_) / sizeof(t_[0]), want);                          \
    } while (0)


static void
test_thin(void **state)
{
    (void) state;

    /* every second of 60 a second, and of those that wander */
    THIN("#.#.#.#", 0, 1500, 3000, 4500, 6000, 7500, 9000);
    THIN("#.#.#.#", 0, 1900, 2900, 4100, 6100, 7600, 8500);
    /* slower ones all, and the last one before a pause */
    THIN("###", 0, 2300, 4600);
    THIN("#.###", 0, 1500, 3000, 4500, 20000);
    THIN("##", 0, 1500);
    /* a GOP begins with a picture */
    THIN("#.###", 0, 1500, 3000, 4500, 180000);
    THIN("#.#.#", 174000, 175500, 177000, 178500, 180000);
    THIN("#.#.#.#", 174000, 175500, 177000, 178500, 180000, 181500, 183000);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slot),
        cmocka_unit_test(test_snap),
        cmocka_unit_test(test_fill_constant),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_longer_end),
        cmocka_unit_test(test_fill_variable),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_thin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* who of several assets with the same source does a piece of work */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/crc32c.h"
#include "lib/store/twins.h"
#include "tests/unit/help/stores.h"

#define ONE  "01h00000000000000000000000"
#define TWO  "01h00000000000000000000001"
#define LIKE "01h0000000000000000000000m"     /* ONE in 8 bits of its CRC */
#define HASH "0123456789abcdef0123456789abcdef" \
             "0123456789abcdef0123456789abcdef"
#define ALSO "89abcdef0123456789abcdef01234567" \
             "0123456789abcdef0123456789abcdef"
#define WORK "fedcba9876543210fedcba9876543210" \
             "fedcba9876543210fedcba9876543210"
#define MORE "00000000000000000000000000000000" \
             "00000000000000000000000000000000"

#define LAST "ffffffffffffffffffffffffffffffff" \
             "ffffffffffffffffffffffffffffffff"

#define NOW INT64_C(1800000000)

/* on a store of memory, and on one of files */
#define TEST(f)  cmocka_unit_test_setup_teardown(f, mem_setup, store_teardown)
#define ON_FS(f) cmocka_unit_test_setup_teardown(f, fs_setup, store_teardown)

static uint32_t  for_s;


static void
one_at_a_time(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *a, *b;

    assert_int_equal(reel_twins_begin(s, HASH, WORK, ONE, NOW, &a, &for_s),
                     REEL_OK);
    assert_int_equal(reel_twins_begin(s, HASH, WORK, TWO, NOW + 7, &b,
                                      &for_s), REEL_AGAIN);
    assert_null(b);
    assert_int_equal(for_s, 7);

    /* its own asset does not wait for it */
    assert_int_equal(reel_twins_begin(s, HASH, WORK, ONE, NOW, &b, &for_s),
                     REEL_EXISTS);
    assert_null(b);

    reel_twins_end(a);
    assert_int_equal(reel_twins_begin(s, HASH, WORK, TWO, NOW + 8, &b,
                                      &for_s), REEL_OK);
    assert_int_equal(reel_twins_begin(s, HASH, WORK, ONE, NOW + 9, &a,
                                      &for_s), REEL_AGAIN);
    assert_int_equal(for_s, 1);
    reel_twins_end(b);
    reel_twins_end(NULL);
}


/* of few bits, another asset's lock looks like its own */
static void
which_asset_it_is(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *a, *b;

    assert_int_equal(reel_crc32c(0, ONE, 26) & 0xff,
                     reel_crc32c(0, LIKE, 26) & 0xff);

    assert_int_equal(reel_twins_begin(s, HASH, WORK, ONE, NOW, &a, &for_s),
                     REEL_OK);
    assert_int_equal(reel_twins_begin(s, HASH, WORK, LIKE, NOW + 3, &b,
                                      &for_s), REEL_AGAIN);
    assert_int_equal(for_s, 3);
    assert_int_equal(reel_twins_begin(s, HASH, WORK, ONE, NOW, &b, &for_s),
                     REEL_EXISTS);
    reel_twins_end(a);
}


/* the first and the last place that there is */
static void
a_lock_has_an_end(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *a, *b, *c;

    assert_int_equal(reel_twins_begin(s, MORE, MORE, ONE, NOW, &a, &for_s),
                     REEL_OK);
    assert_int_equal(reel_twins_begin(s, MORE, LAST, ONE, NOW, &b, &for_s),
                     REEL_OK);
    assert_int_equal(reel_twins_begin(s, MORE, LAST, TWO, NOW + 5, &c,
                                      &for_s), REEL_AGAIN);
    assert_int_equal(for_s, 5);
    reel_twins_end(b);
    assert_int_equal(reel_twins_begin(s, MORE, LAST, TWO, NOW, &b, &for_s),
                     REEL_OK);
    assert_int_equal(reel_twins_begin(s, MORE, MORE, TWO, NOW, &c, &for_s),
                     REEL_AGAIN);
    reel_twins_end(a);
    reel_twins_end(b);
}


static void
other_work_and_other_sources_go_on(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *a, *b, *c;

    assert_int_equal(reel_twins_begin(s, HASH, WORK, ONE, NOW, &a, &for_s),
                     REEL_OK);
    assert_int_equal(reel_twins_begin(s, HASH, MORE, TWO, NOW, &b, &for_s),
                     REEL_OK);
    assert_int_equal(reel_twins_begin(s, ALSO, WORK, TWO, NOW, &c, &for_s),
                     REEL_OK);
    reel_twins_end(b);

    /* its end was no one else's */
    assert_int_equal(reel_twins_begin(s, HASH, WORK, TWO, NOW, &b, &for_s),
                     REEL_AGAIN);
    assert_int_equal(reel_twins_begin(s, ALSO, WORK, ONE, NOW, &b, &for_s),
                     REEL_AGAIN);
    reel_twins_end(a);
    reel_twins_end(c);
}


/* as long as it may be, and with clocks that differ */
static void
since_when_it_is_done(void **state)
{
    int64_t            turn = (NOW >> 22) << 22;
    reel_store_t      *s = *state;
    reel_multipart_t  *a, *b;

    assert_int_equal(reel_twins_begin(s, HASH, WORK, ONE, turn - 10, &a,
                                      &for_s), REEL_OK);
    assert_int_equal(reel_twins_begin(s, HASH, WORK, TWO, turn + 20, &b,
                                      &for_s), REEL_AGAIN);
    assert_int_equal(for_s, 30);
    assert_int_equal(reel_twins_begin(s, HASH, WORK, TWO, turn + 2000000, &b,
                                      &for_s), REEL_AGAIN);
    assert_int_equal(for_s, 2000010);
    assert_int_equal(reel_twins_begin(s, HASH, WORK, TWO, turn - 30, &b,
                                      &for_s), REEL_AGAIN);
    assert_int_equal(for_s, 0);
    reel_twins_end(a);
}


static void
sums_are_in_hex(void **state)
{
    reel_multipart_t  *a;

    assert_int_equal(reel_twins_begin(*state, "0123456x", WORK, ONE, NOW, &a,
                                      &for_s), REEL_INVAL);
    assert_int_equal(reel_twins_begin(*state, HASH, "", ONE, NOW, &a,
                                      &for_s), REEL_INVAL);
    assert_null(a);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(one_at_a_time),
        TEST(which_asset_it_is),
        ON_FS(which_asset_it_is),
        TEST(a_lock_has_an_end),
        ON_FS(a_lock_has_an_end),
        TEST(other_work_and_other_sources_go_on),
        TEST(since_when_it_is_done),
        TEST(sums_are_in_hex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

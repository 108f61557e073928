#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/ulid.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define MS_MAX 0xffffffffffffu  /* 48 bits */


static void
table(void **state)
{
    char    id[REEL_ULID_LEN + 1];
    size_t  i;
    static const struct {
        uint64_t    ms;
        const char *random;
        const char *id;
    } t[] = {
        { 0, "\0\0\0\0\0\0\0\0\0\0", "00000000000000000000000000" },
        { 0, "\0\0\0\0\0\0\0\0\0\x1f", "0000000000000000000000000z" },
        { 1, "\x80\0\0\0\0\0\0\0\0\1", "0000000001g000000000000001" },
        { MS_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
          "7zzzzzzzzzzzzzzzzzzzzzzzzz" },

        /* the example of the specification: 1469918176385 */
        { 1469918176385, "\0\0\0\0\0\0\0\0\0\0",
          "01aryz6s410000000000000000" },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        reel_ulid(id, t[i].ms, (const uint8_t *) t[i].random);
        assert_string_equal(id, t[i].id);
        assert_true(reel_ulid_valid(reel_str(id)));
        assert_true(reel_ulid_ms(reel_str(id)) == t[i].ms);
    }
}


static void
refused(void **state)
{
    size_t  i;
    static const char *const  bad[] = {
        "", "0", "0000000000000000000000000", "000000000000000000000000000",
        "80000000000000000000000000", "0000000000000000000000000Z",
        "0000000000000000000000000i", "0000000000000000000000000l",
        "0000000000000000000000000o", "0000000000000000000000000u",
        "0000000000000000000000000/", "0000000000000000000000000.",
        "-0000000000000000000000000",
    };

    (void) state;

    for (i = 0; i < COUNT(bad); i++) {
        assert_false(reel_ulid_valid(reel_str(bad[i])));
    }

    /* a NUL inside is no digit, though strchr() would find one */
    assert_false(reel_ulid_valid(
        (reel_str_t) { "0000000000000000000000000\0", 26 }));
}


/* later is greater, and each random bit shows */
static void
order(void **state)
{
    char      a[REEL_ULID_LEN + 1], b[REEL_ULID_LEN + 1];
    uint8_t   rnd[10], top[10];
    unsigned  i;
    uint64_t  ms;

    (void) state;

    memset(rnd, 0, sizeof(rnd));
    memset(top, 0xff, sizeof(top));

    for (ms = 1; ms < MS_MAX; ms *= 3) {
        reel_ulid(a, ms, top);
        reel_ulid(b, ms + 1, rnd);
        assert_true(strcmp(a, b) < 0);
        assert_true(reel_ulid_ms(reel_str(a)) == ms);
    }

    reel_ulid(a, 1, rnd);

    for (i = 0; i < 80; i++) {
        rnd[i / 8] = (uint8_t) (1u << i % 8);
        reel_ulid(b, 1, rnd);
        assert_string_not_equal(a, b);
        assert_memory_equal(a, b, 10);
        rnd[i / 8] = 0;
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(refused),
        cmocka_unit_test(order),
    };

    return cmocka_run_group_tests_name("ulid", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/hex.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
round_trip(void **state)
{
    char      text[513];
    size_t    i;
    uint8_t   all[256], back[256];

    (void) state;

    for (i = 0; i < sizeof(all); i++) {
        all[i] = (uint8_t) i;
    }

    reel_hex(text, all, sizeof(all));
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102030405060708090a0b", 24);
    assert_string_equal(text + 504, "fcfdfeff");

    assert_int_equal(reel_unhex(back, sizeof(back), reel_str(text)),
                     REEL_OK);
    assert_memory_equal(all, back, sizeof(all));

    text[0] = 'x';
    reel_hex(text, all, 0);
    assert_string_equal(text, "");
}


static void
refused(void **state)
{
    int      c;
    char     text[2];
    size_t   i;
    uint8_t  out[4];
    static const char *const  bad[] = {
        "", "0", "000", "000000000", "0000000", "0000000g", "g0000000",
        "0x000000", " 0000000", "0000000 ", "+0000000",
    };

    (void) state;

    for (i = 0; i < COUNT(bad); i++) {
        assert_int_equal(reel_unhex(out, sizeof(out), reel_str(bad[i])),
                         REEL_INVAL);
    }

    assert_int_equal(reel_unhex(out, 4, REEL_STR("aAbBcCdD")), REEL_OK);
    assert_memory_equal(out, "\xaa\xbb\xcc\xdd", 4);

    /* n * 2 would overflow to what s has */
    assert_int_equal(reel_unhex(out, SIZE_MAX / 2 + 1, REEL_STR("")),
                     REEL_INVAL);

    /* 22 characters are digits, and no other */
    for (i = 0, c = 0; c < 256; c++) {
        text[0] = '0';
        text[1] = (char) c;
        i += reel_unhex(out, 1, (reel_str_t) { text, 2 }) == REEL_OK;
    }

    assert_int_equal(i, 22);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/base/utf8.h"


static void
test_len(void **state)
{
    static const struct {
        const char *bytes;
        size_t      want;
    } rows[] = {
        { "a", 1 }, { "\x7f", 1 }, { "\xc3\x9c", 2 }, { "\xe2\x82\xac", 3 },
        { "\xf0\x9f\x8e\xac", 4 }, { "\xf4\x8f\xbf\xbf", 4 },
        { "\x80", 0 }, { "\xc0\x80", 0 }, { "\xc1\xbf", 0 }, { "\xc3", 0 },
        { "\xc3x", 0 }, { "\xe0\x9f\xbf", 0 }, { "\xed\xa0\x80", 0 },
        { "\xe2\x82", 0 }, { "\xe2\x82x", 0 }, { "\xf0\x8f\xbf\xbf", 0 },
        { "\xf4\x90\x80\x80", 0 }, { "\xf5\x80\x80\x80", 0 }, { "\xff", 0 }
    };

    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(reel_utf8_len((const uint8_t *) rows[i].bytes,
                                       strlen(rows[i].bytes)), rows[i].want);
    }
}


/* every code there is, and none that is not */
static void
test_put(void **state)
{
    size_t    n;
    uint8_t   dst[4];
    uint32_t  code;

    (void) state;

    for (code = 0; code < 0x120000; code++) {
        n = reel_utf8_put(dst, code);

        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            assert_int_equal(n, 0);
            continue;
        }

        assert_int_equal(n, code < 0x80 ? 1 : code < 0x800 ? 2
                            : code < 0x10000 ? 3 : 4);
        assert_int_equal(reel_utf8_len(dst, n), n);
        assert_int_equal(reel_utf8_code(dst, n), code);
    }

    assert_int_equal(reel_utf8_put(dst, 0x20ac), 3);
    assert_memory_equal(dst, "\xe2\x82\xac", 3);
    assert_int_equal(reel_utf8_put(dst, 0x1f3ac), 4);
    assert_memory_equal(dst, "\xf0\x9f\x8e\xac", 4);
}


static void
clean(const char *src, size_t len, size_t cap, bool line, const char *want)
{
    char  dst[32];

    memset(dst, 'x', sizeof(dst));
    assert_int_equal(reel_utf8_clean(dst, cap, src, len, line),
                     strlen(want));
    assert_string_equal(dst, want);
}


static void
test_clean(void **state)
{
    (void) state;

    clean("", 0, 1, true, "");
    clean("abc", 3, 4, true, "abc");
    clean("abc", 3, 3, true, "ab");
    clean("\xe2\x82\xac\xe2\x82\xac", 6, 6, false, "\xe2\x82\xac");
    clean("a\377b\0c", 5, 32, false, "a\xef\xbf\xbd" "b\xef\xbf\xbd" "c");
    clean("a\n\033[31m\177\302\205\302\240", 12, 32, true,
          "a  [31m  \302\240");
    clean("a\n\tb", 4, 32, false, "a\n\tb");

    /* a character that was cut at either end */
    clean("\x82\xac" "a\xe2\x82", 5, 32, false,
          "\xef\xbf\xbd\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd");
    clean("\377\377", 2, 7, false, "\xef\xbf\xbd\xef\xbf\xbd");
    clean("\377\377", 2, 6, false, "\xef\xbf\xbd");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_len),
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

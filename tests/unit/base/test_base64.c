#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/base64.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


/* RFC 4648, 10, and the two characters beyond letters and digits */
static void
vectors(void **state)
{
    char     text[16];
    size_t   i, n;
    uint8_t  raw[8];
    static const struct {
        const char *raw, *text;
    } t[] = {
        { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "+/+/" },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        memset(text, 'x', sizeof(text));
        reel_base64(text, t[i].raw, strlen(t[i].raw));
        assert_string_equal(text, t[i].text);
        assert_int_equal(strlen(text), REEL_BASE64_LEN(strlen(t[i].raw)));

        assert_int_equal(reel_unbase64(raw, strlen(t[i].raw), &n,
                                       reel_str(t[i].text)), REEL_OK);
        assert_int_equal(n, strlen(t[i].raw));
        assert_memory_equal(raw, t[i].raw, n);
    }
}


static void
refused(void **state)
{
    size_t   i, n;
    uint8_t  raw[16];
    static const char  *bad[] = {
        "Z", "Zg", "Zg=", "Zg===", "=", "==", "===", "====", "Z===",
        "Zg==Zg==",                         /* padding in the middle */
        "Zg=v", "=g==", "Zm9vZg=\n", "Zg==\n", " Zg==", "Zm 9", "Zm9\n",
        "Zh==", "Zm9=",                     /* bits that no byte has */
        "-_-_", "Zm9\x7f", "Zm9\xff", "Zm9,",
    };

    (void) state;

    for (i = 0; i < COUNT(bad); i++) {
        if (reel_unbase64(raw, sizeof(raw), &n, reel_str(bad[i]))
            != REEL_INVAL)
        {
            fail_msg("%s was taken", bad[i]);
        }
    }

    assert_int_equal(reel_unbase64(raw, sizeof(raw), &n,
                                   (reel_str_t) { "Zm9\0", 4 }), REEL_INVAL);

    /* just too long */
    assert_int_equal(reel_unbase64(raw, 2, &n, REEL_STR("Zm9v")),
                     REEL_LIMIT);
    assert_int_equal(reel_unbase64(raw, 0, &n, REEL_STR("Zg==")),
                     REEL_LIMIT);
}


/* every length there and back; nothing is written beyond it */
static void
lengths(void **state)
{
    char     text[REEL_BASE64_LEN(100) + 2];
    size_t   i, len, n;
    uint8_t  raw[100], back[101];

    (void) state;

    for (i = 0; i < sizeof(raw); i++) {
        raw[i] = (uint8_t) (i * 73 + 5);
    }

    for (len = 0; len <= sizeof(raw); len++) {
        memset(text, '?', sizeof(text));
        reel_base64(text, raw, len);
        assert_int_equal(strlen(text), REEL_BASE64_LEN(len));
        assert_int_equal(text[REEL_BASE64_LEN(len) + 1], '?');

        back[len] = 0xa5;
        assert_int_equal(reel_unbase64(back, len, &n, reel_str(text)),
                         REEL_OK);
        assert_int_equal(n, len);
        assert_memory_equal(back, raw, len);
        assert_int_equal(back[len], 0xa5);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(refused),
        cmocka_unit_test(lengths),
    };

    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}

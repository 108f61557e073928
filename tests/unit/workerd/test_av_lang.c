/* languages of containers to BCP 47 and back */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "workerd/av_lang.h"


static void
test_bcp47(void **state)
{
    char      dst[36];
    unsigned  i;

    static const struct {
        const char  *tag, *want;
    } rows[] = {
        { "eng", "en" }, { "ENG", "en" }, { "deu", "de" }, { "ger", "de" },
        { "fra", "fr" }, { "fre", "fr" }, { "chi", "zh" }, { "zho", "zh" },
        { "en", "en" }, { "en-US", "en-US" }, { "zh-Hant-TW", "zh-Hant-TW" },
        { "gsw", "gsw" }, { "und", "" }, { "mul", "" }, { "zxx", "" },
        { "", "" }, { "e", "" }, { "english", "" }, { "e1g", "" },
        { "en-", "en" }, { "en--US", "en" }, { "en-<script>", "en" },
        { "en-abcdefghi", "en" },
        { "en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd", "" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reel_av_lang_bcp47(dst, sizeof(dst), rows[i].tag);
        assert_string_equal(dst, rows[i].want);
    }

    reel_av_lang_bcp47(dst, sizeof(dst), NULL);
    assert_string_equal(dst, "");
}


static void
test_iso(void **state)
{
    char      dst[4];
    unsigned  i;

    static const struct {
        const char  *tag, *want;
    } rows[] = {
        { "en", "eng" }, { "en-US", "eng" }, { "de", "deu" },
        { "zh-Hans", "zho" }, { "gsw", "gsw" }, { "", "und" },
        { "xx", "und" }, { "1", "und" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reel_av_lang_iso(dst, rows[i].tag);
        assert_string_equal(dst, rows[i].want);
    }

    reel_av_lang_iso(dst, NULL);
    assert_string_equal(dst, "und");
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bcp47),
        cmocka_unit_test(test_iso),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

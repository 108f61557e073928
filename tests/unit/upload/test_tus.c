#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/upload/tus.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ID       "00112233445566778899aabbccddeeff"


static void
metadata_is_read(void **state)
{
    char        text[32];
    size_t      i;
    reel_str_t  v;
    static const struct {
        const char  *metadata, *key, *value;
    } t[] = {
        { "filename YS5tcDQ=", "filename", "a.mp4" },
        { "filename w5wubXA0,filetype dmlkZW8vbXA0", "filetype",
          "video/mp4" },
        { "filename w5wubXA0, filetype dmlkZW8vbXA0", "filetype",
          "video/mp4" },
        { "filename w5wubXA0", "filename", "\xc3\x9c.mp4" },
        { "is_confidential", "is_confidential", "" },
        { "is_confidential ,x YQ==", "is_confidential", "" },
        { "x YQ==,is_confidential", "is_confidential", "" },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        v = reel_str(t[i].metadata);
        assert_int_equal(reel_tus_metadata_check(v, NULL), REEL_OK);
        assert_int_equal(reel_tus_metadata_get(v, t[i].key, text,
                                               sizeof(text)), REEL_OK);
        assert_string_equal(text, t[i].value);
        assert_int_equal(reel_tus_metadata_get(v, "file", text,
                                               sizeof(text)), REEL_NOTFOUND);
        assert_string_equal(text, "");
    }
}


static void
metadata_is_refused(void **state)
{
    size_t        i;
    reel_error_t  e;
    static const char  *bad[] = {
        "", ",", " ", "a,", ",a", "a,,b", "a YQ", "a Y Q==", "a  YQ==",
        "  a YQ==", "a YQ==,a", "a\tb YQ==", "\xc3\x9c YQ==", "a YQ==\n",
        "a YQ==, ", "a Yg==,b YQ==,a Yg==",
    };

    (void) state;

    for (i = 0; i < COUNT(bad); i++) {
        e.text[0] = '\0';
        assert_int_equal(reel_tus_metadata_check(reel_str(bad[i]), &e),
                         REEL_BADDATA);
        assert_true(e.text[0] != '\0');
    }
}


static void
metadata_has_limits(void **state)
{
    char    text[8], pairs[REEL_TUS_METADATA_MAX + 2];
    size_t  i, n;

    (void) state;

    memset(pairs, 'a', sizeof(pairs));
    assert_int_equal(reel_tus_metadata_check((reel_str_t) { pairs,
                                             REEL_TUS_METADATA_MAX }, NULL),
                     REEL_OK);
    assert_int_equal(reel_tus_metadata_check((reel_str_t) { pairs,
                                             REEL_TUS_METADATA_MAX + 1 },
                                             NULL), REEL_LIMIT);

    for (i = 0, n = 0; i <= REEL_TUS_METADATA_PAIRS; i++) {
        pairs[n++] = (char) ('A' + i / 26);
        pairs[n++] = (char) ('a' + i % 26);
        pairs[n++] = ',';
    }

    assert_int_equal(reel_tus_metadata_check((reel_str_t) { pairs, n - 1 },
                                             NULL), REEL_LIMIT);
    assert_int_equal(reel_tus_metadata_check((reel_str_t) { pairs, n - 4 },
                                             NULL), REEL_OK);

    /* "1234567" */
    assert_int_equal(reel_tus_metadata_get(REEL_STR("a MTIzNDU2Nw=="), "a",
                                           text, 8), REEL_OK);
    assert_string_equal(text, "1234567");
    assert_int_equal(reel_tus_metadata_get(REEL_STR("a MTIzNDU2Nw=="), "a",
                                           text, 7), REEL_LIMIT);
    assert_string_equal(text, "");
}


static void
values_are_text(void **state)
{
    char    text[16];
    size_t  i;
    static const char  *bad[] = {
        "a AA==", "a YQBi", "a YQpi", "a fw==", "a wyg=", "a 7aCA", "a /w==",
    };

    (void) state;

    for (i = 0; i < COUNT(bad); i++) {
        assert_int_equal(reel_tus_metadata_check(reel_str(bad[i]), NULL),
                         REEL_OK);
        assert_int_equal(reel_tus_metadata_get(reel_str(bad[i]), "a", text,
                                               sizeof(text)), REEL_BADDATA);
        assert_string_equal(text, "");
    }
}


static void
urls_are_read(void **state)
{
    size_t      i, n;
    reel_str_t  urls, id;
    static const struct {
        const char  *urls;
        size_t       n;
    } t[] = {
        { "", 0 }, { " ", 0 },
        { "/upload/video/.uploads/" ID, 1 },
        { "https://h/u/v/.uploads/" ID " /.uploads/" ID, 2 },
        { "/a/.uploads/b/.uploads/" ID "  /.uploads/" ID " ", 2 },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        urls = reel_str(t[i].urls);

        for (n = 0; reel_tus_concat_next(&urls, &id) == REEL_OK; n++) {
            assert_true(reel_str_eqz(id, ID));
        }

        assert_int_equal(n, t[i].n);
        assert_int_equal(reel_tus_concat_next(&urls, &id), REEL_NOTFOUND);
    }

    urls = REEL_STR("/upload/video/" ID);
    assert_int_equal(reel_tus_concat_next(&urls, &id), REEL_BADDATA);

    urls = REEL_STR("/.uploads");
    assert_int_equal(reel_tus_concat_next(&urls, &id), REEL_BADDATA);

    /* what follows is for others to judge */
    urls = REEL_STR("/.uploads/../x?y /.uploads/");
    assert_int_equal(reel_tus_concat_next(&urls, &id), REEL_OK);
    assert_true(reel_str_eqz(id, "../x?y"));
    assert_int_equal(reel_tus_concat_next(&urls, &id), REEL_OK);
    assert_true(reel_str_eqz(id, ""));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_is_read),
        cmocka_unit_test(metadata_is_refused),
        cmocka_unit_test(metadata_has_limits),
        cmocka_unit_test(values_are_text),
        cmocka_unit_test(urls_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

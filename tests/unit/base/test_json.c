#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "lib/base/json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
shape(void **state)
{
    reel_buf_t   b;
    reel_json_t  j;

    (void) state;

    reel_buf_init(&b, 1000);
    reel_json_init(&j, &b);

    reel_json_object(&j);
    reel_json_kstr(&j, "s", "x");
    reel_json_kint(&j, "min", INT64_MIN);
    reel_json_kuint(&j, "max", UINT64_MAX);
    reel_json_kbool(&j, "t", true);
    reel_json_key(&j, "a");
    reel_json_array(&j);
    reel_json_int(&j, -1);
    reel_json_uint(&j, 1);
    reel_json_bool(&j, false);
    reel_json_null(&j);
    reel_json_raw(&j, REEL_STR("{\"r\":[]}"));
    reel_json_object(&j);
    reel_json_end(&j, '}');
    reel_json_array(&j);
    reel_json_array(&j);
    reel_json_end(&j, ']');
    reel_json_end(&j, ']');
    reel_json_end(&j, ']');
    reel_json_key(&j, "o");
    reel_json_object(&j);
    reel_json_key(&j, "n");
    reel_json_null(&j);
    reel_json_end(&j, '}');
    reel_json_kstr(&j, "last", "");
    reel_json_end(&j, '}');

    assert_int_equal(reel_buf_err(&b), REEL_OK);
    assert_string_equal(reel_buf_cstr(&b),
        "{\"s\":\"x\",\"min\":-9223372036854775808,"
        "\"max\":18446744073709551615,\"t\":true,"
        "\"a\":[-1,1,false,null,{\"r\":[]},{},[[]]],"
        "\"o\":{\"n\":null},\"last\":\"\"}");
    assert_int_equal(j.depth, 0);

    reel_buf_release(&b);
}


static void
strings(void **state)
{
    size_t       i;
    reel_buf_t   b;
    reel_json_t  j;
    static const struct {
        reel_str_t  in;
        const char *out;
    } t[] = {
        { REEL_STR(""), "\"\"" },
        { REEL_STR("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"" },
        { REEL_STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
        { REEL_STR("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\"" },

        /* two, three and four bytes, first and last of each */
        { REEL_STR("\xc2\x80\xdf\xbf"), "\"\xc2\x80\xdf\xbf\"" },
        { REEL_STR("\xe0\xa0\x80\xef\xbf\xbf"),
          "\"\xe0\xa0\x80\xef\xbf\xbf\"" },
        { REEL_STR("\xed\x9f\xbf\xee\x80\x80"),
          "\"\xed\x9f\xbf\xee\x80\x80\"" },
        { REEL_STR("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
          "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"" },

        /* not UTF-8: each byte becomes one U+FFFD */
        { REEL_STR("\x80"), "\"\xef\xbf\xbd\"" },
        { REEL_STR("a\xff" "b"), "\"a\xef\xbf\xbd" "b\"" },
        { REEL_STR("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { REEL_STR("\xc1\xbf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { REEL_STR("\xe0\x9f\xbf"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { REEL_STR("\xed\xa0\x80"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { REEL_STR("\xf0\x8f\xbf\xbf"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { REEL_STR("\xf4\x90\x80\x80"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { REEL_STR("\xf5"), "\"\xef\xbf\xbd\"" },

        /* cut off, and cut off by what is no continuation */
        { REEL_STR("\xc3"), "\"\xef\xbf\xbd\"" },
        { REEL_STR("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { REEL_STR("\xf0\x9f\x98"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { REEL_STR("\xc3\""), "\"\xef\xbf\xbd\\\"\"" },
        { REEL_STR("\xe2\x82z"), "\"\xef\xbf\xbd\xef\xbf\xbdz\"" },
    };

    (void) state;

    reel_buf_init(&b, 1000);

    for (i = 0; i < COUNT(t); i++) {
        reel_buf_clear(&b);
        reel_json_init(&j, &b);
        reel_json_str(&j, t[i].in);
        assert_string_equal(reel_buf_cstr(&b), t[i].out);
    }

    reel_buf_release(&b);
}


/* whatever the bytes, a parser that is not ours takes what we print */
static void
parses(void **state)
{
    char         raw[4];
    json_t      *root;
    unsigned     i;
    reel_buf_t   b;
    reel_json_t  j;

    (void) state;

    reel_buf_init(&b, 1000);

    for (i = 0; i < 1u << 16; i++) {
        raw[0] = 'a';
        raw[1] = (char) (i >> 8);
        raw[2] = (char) i;
        raw[3] = (char) (i * 7);

        reel_buf_clear(&b);
        reel_json_init(&j, &b);
        reel_json_array(&j);
        reel_json_str(&j, (reel_str_t) { raw, sizeof(raw) });
        reel_json_end(&j, ']');

        root = json_loadb((const char *) b.data, b.len,
                          JSON_ALLOW_NUL, NULL);
        assert_non_null(root);
        assert_true(json_is_string(json_array_get(root, 0)));
        json_decref(root);
    }

    reel_buf_release(&b);
}


static void
keys_and_limits(void **state)
{
    unsigned     i;
    reel_buf_t   b;
    reel_json_t  j;

    (void) state;

    reel_buf_init(&b, 1000);
    reel_json_init(&j, &b);
    reel_json_object(&j);
    reel_json_kint(&j, "a\"\n\xff", 1);
    reel_json_end(&j, '}');
    assert_string_equal(reel_buf_cstr(&b),
                        "{\"a\\\"\\n\xef\xbf\xbd\":1}");

    /* as deep as it goes */
    reel_buf_clear(&b);
    reel_json_init(&j, &b);

    for (i = 0; i < 63; i++) {
        reel_json_array(&j);
    }

    reel_json_int(&j, 1);
    reel_json_int(&j, 2);

    for (i = 0; i < 63; i++) {
        reel_json_end(&j, ']');
    }

    assert_int_equal(b.len, 63 + 3 + 63);
    assert_memory_equal(b.data + 62, "[1,2]", 5);
    reel_buf_release(&b);

    /* the buffer's error is the writer's */
    reel_buf_init(&b, 10);
    reel_json_init(&j, &b);
    reel_json_array(&j);
    reel_json_str(&j, REEL_STR("12345678"));
    reel_json_end(&j, ']');
    assert_int_equal(reel_buf_err(&b), REEL_LIMIT);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(shape),
        cmocka_unit_test(strings),
        cmocka_unit_test(parses),
        cmocka_unit_test(keys_and_limits),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

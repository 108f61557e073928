#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/auth/query.h"


static void
test_encode(void **state)
{
    reel_buf_t  b;

    (void) state;

    reel_buf_init(&b, 256);
    reel_uri_encode(&b, REEL_STR("aZ09-_.~ /+%\xc3\xbc\x7f"), false);
    assert_string_equal(reel_buf_cstr(&b), "aZ09-_.~%20%2F%2B%25%C3%BC%7F");

    reel_buf_clear(&b);
    reel_uri_encode(&b, REEL_STR("a/b c/"), true);
    assert_string_equal(reel_buf_cstr(&b), "a/b%20c/");
    reel_buf_release(&b);

    reel_buf_init(&b, 5);
    reel_uri_encode(&b, REEL_STR("   "), false);
    assert_int_equal(reel_buf_err(&b), REEL_LIMIT);
    reel_buf_release(&b);
}


static void
test_decode(void **state)
{
    static const struct { const char *s, *want; } cases[] = {
        { "", "" }, { "a+b", "a+b" }, { "%61%2f%2F%c3%bc", "a//\xc3\xbc" },
        { "%", NULL }, { "%4", NULL }, { "a%4g", NULL }, { "%g4", NULL },
        { "%00", NULL }, { "a%00b", NULL }, { "%%41", NULL },
        { "%-1", NULL }, { "% 1", NULL },
    };

    size_t      i;
    reel_buf_t  b;

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reel_buf_init(&b, 64);

        if (cases[i].want == NULL) {
            assert_int_equal(reel_uri_decode(&b, reel_str(cases[i].s)),
                             REEL_BADDATA);
        } else {
            assert_int_equal(reel_uri_decode(&b, reel_str(cases[i].s)),
                             REEL_OK);
            assert_string_equal(reel_buf_cstr(&b), cases[i].want);
        }

        reel_buf_release(&b);
    }

    reel_buf_init(&b, 2);
    assert_int_equal(reel_uri_decode(&b, REEL_STR("abc")), REEL_LIMIT);
    reel_buf_release(&b);
}


static void
test_next(void **state)
{
    reel_str_t  q = REEL_STR("&&a=1&b&=x&c=&d==2=&"), name, value;

    static const struct { const char *name, *value; } want[] = {
        { "a", "1" }, { "b", "" }, { "", "x" }, { "c", "" }, { "d", "=2=" },
    };

    size_t  i;

    (void) state;

    for (i = 0; i < 5; i++) {
        assert_true(reel_query_next(&q, &name, &value));
        assert_true(reel_str_eqz(name, want[i].name));
        assert_true(reel_str_eqz(value, want[i].value));
        assert_non_null(value.p);
    }

    assert_false(reel_query_next(&q, &name, &value));
    assert_false(reel_query_next(&q, &name, &value));

    q = (reel_str_t) { NULL, 0 };
    assert_false(reel_query_next(&q, &name, &value));
}


static void
test_get(void **state)
{
    char        dst[8];
    reel_str_t  v, q = REEL_STR("ab=0&a=x%20y+z&a=2&%62=3&c=%4&d=1234567"
                                "&e=12345678&f=%00");

    (void) state;

    assert_true(reel_query_get(q, "a", &v));
    assert_true(reel_str_eqz(v, "x%20y+z"));
    assert_true(reel_query_get(q, "b", &v));
    assert_true(reel_str_eqz(v, "3"));
    assert_false(reel_query_get(q, "A", &v));
    assert_false(reel_query_get(q, "", &v));
    assert_false(reel_query_get(q, "abc", &v));

    assert_int_equal(reel_query_get_decoded(q, "a", dst, 8), REEL_OK);
    assert_string_equal(dst, "x y z");
    assert_int_equal(reel_query_get_decoded(q, "d", dst, 8), REEL_OK);
    assert_string_equal(dst, "1234567");
    assert_int_equal(reel_query_get_decoded(q, "e", dst, 8), REEL_LIMIT);
    assert_string_equal(dst, "");
    assert_int_equal(reel_query_get_decoded(q, "c", dst, 8), REEL_BADDATA);
    assert_int_equal(reel_query_get_decoded(q, "f", dst, 8), REEL_BADDATA);
    assert_string_equal(dst, "");
    assert_int_equal(reel_query_get_decoded(q, "g", dst, 8), REEL_NOTFOUND);
    assert_int_equal(reel_query_get_decoded(q, "a", dst, 0), REEL_LIMIT);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_get),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/str.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
equality(void **state)
{
    (void) state;

    assert_true(reel_str_eq(REEL_STR("ab"), REEL_STR("ab")));
    assert_false(reel_str_eq(REEL_STR("ab"), REEL_STR("abc")));
    assert_false(reel_str_eq(REEL_STR("ab"), REEL_STR("aB")));
    assert_true(reel_str_eq((reel_str_t) { NULL, 0 }, REEL_STR("")));
    assert_true(reel_str_eq(REEL_STR("a\0b"), REEL_STR("a\0b")));
    assert_false(reel_str_eq(REEL_STR("a\0b"), REEL_STR("a\0c")));

    assert_true(reel_str_eqz(REEL_STR("ab"), "ab"));
    assert_false(reel_str_eqz(REEL_STR("ab\0"), "ab"));
    assert_true(reel_str_eqz((reel_str_t) { NULL, 0 }, ""));
}


static void
prefix(void **state)
{
    (void) state;

    assert_true(reel_str_prefix(REEL_STR("abc"), "ab"));
    assert_true(reel_str_prefix(REEL_STR("abc"), "abc"));
    assert_true(reel_str_prefix(REEL_STR("abc"), ""));
    assert_true(reel_str_prefix((reel_str_t) { NULL, 0 }, ""));
    assert_false(reel_str_prefix(REEL_STR("abc"), "abcd"));
    assert_false(reel_str_prefix(REEL_STR("abc"), "b"));
    assert_false(reel_str_prefix((reel_str_t) { NULL, 0 }, "a"));
}


static void
in_csv(void **state)
{
    (void) state;

    assert_true(reel_str_in_csv(REEL_STR("a,bc,d"), "a"));
    assert_true(reel_str_in_csv(REEL_STR("a,bc,d"), "bc"));
    assert_true(reel_str_in_csv(REEL_STR("a,bc,d"), "d"));
    assert_true(reel_str_in_csv(REEL_STR("a"), "a"));
    assert_false(reel_str_in_csv(REEL_STR("a,bc,d"), "b"));
    assert_false(reel_str_in_csv(REEL_STR("a,bc,d"), "c,d"));
    assert_false(reel_str_in_csv(REEL_STR("a,bc,d"), ""));
    assert_false(reel_str_in_csv(REEL_STR(""), "a"));
    assert_false(reel_str_in_csv((reel_str_t) { NULL, 0 }, "a"));
}


static void
cut(void **state)
{
    size_t      i;
    reel_str_t  head, rest;
    static const struct {
        const char *s, *head, *rest;
    } t[] = {
        { "a/b/c", "a", "b/c" },
        { "a/", "a", "" },
        { "/a", "", "a" },
        { "/", "", "" },
        { "abc", "abc", NULL },
        { "", "", NULL },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        head = reel_str_cut(reel_str(t[i].s), '/', &rest);
        assert_true(reel_str_eqz(head, t[i].head));

        if (t[i].rest == NULL) {
            assert_null(rest.p);
            assert_int_equal(rest.len, 0);

        } else {
            assert_non_null(rest.p);
            assert_true(reel_str_eqz(rest, t[i].rest));
        }
    }

    head = reel_str_cut((reel_str_t) { NULL, 0 }, '/', &rest);
    assert_int_equal(head.len, 0);
    assert_null(rest.p);

    /* s and rest may be the same object */
    rest = REEL_STR("x.y");
    head = reel_str_cut(rest, '.', &rest);
    assert_true(reel_str_eqz(head, "x"));
    assert_true(reel_str_eqz(rest, "y"));
}


static void
numbers(void **state)
{
    size_t    i;
    uint64_t  v;
    static const struct {
        const char *s;
        uint64_t    max;
        reel_err_t  err;
        uint64_t    v;
    } t[] = {
        { "0", 0, REEL_OK, 0 },
        { "1", 0, REEL_LIMIT, 0 },
        { "10", 10, REEL_OK, 10 },
        { "11", 10, REEL_LIMIT, 0 },
        { "5", 3, REEL_LIMIT, 0 },
        { "007", 7, REEL_OK, 7 },
        { "18446744073709551615", UINT64_MAX, REEL_OK, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, REEL_LIMIT, 0 },
        { "18446744073709551620", UINT64_MAX, REEL_LIMIT, 0 },
        { "99999999999999999999999999", UINT64_MAX, REEL_LIMIT, 0 },
        { "9223372036854775808", INT64_MAX, REEL_LIMIT, 0 },
        { "", UINT64_MAX, REEL_INVAL, 0 },
        { "+1", UINT64_MAX, REEL_INVAL, 0 },
        { "-1", UINT64_MAX, REEL_INVAL, 0 },
        { " 1", UINT64_MAX, REEL_INVAL, 0 },
        { "1 ", UINT64_MAX, REEL_INVAL, 0 },
        { "0x1", UINT64_MAX, REEL_INVAL, 0 },
        { "1e3", UINT64_MAX, REEL_INVAL, 0 },
        { "99999999999999999999x", UINT64_MAX, REEL_INVAL, 0 },
        { "99x", 9, REEL_INVAL, 0 },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        v = 4711;
        assert_int_equal(reel_str_u64(reel_str(t[i].s), t[i].max, &v),
                         t[i].err);
        assert_int_equal(v, t[i].err == REEL_OK ? t[i].v : 4711);
    }

    assert_int_equal(reel_str_u64((reel_str_t) { "1\0", 2 }, 9, &v),
                     REEL_INVAL);
}


static void
copying(void **state)
{
    char  dst[4];

    (void) state;

    assert_int_equal(reel_str_copy(dst, sizeof(dst), REEL_STR("abc")),
                     REEL_OK);
    assert_string_equal(dst, "abc");

    assert_int_equal(reel_str_copy(dst, sizeof(dst), REEL_STR("abcd")),
                     REEL_LIMIT);
    assert_string_equal(dst, "");

    dst[0] = 'x';
    assert_int_equal(reel_str_copy(dst, sizeof(dst),
                                   (reel_str_t) { NULL, 0 }), REEL_OK);
    assert_string_equal(dst, "");

    dst[0] = 'x';
    assert_int_equal(reel_str_copy(dst, 0, REEL_STR("")), REEL_LIMIT);
    assert_int_equal(dst[0], 'x');

    assert_int_equal(reel_str_copy(dst, 1, REEL_STR("")), REEL_OK);
    assert_string_equal(dst, "");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(equality),
        cmocka_unit_test(prefix),
        cmocka_unit_test(cut),
        cmocka_unit_test(in_csv),
        cmocka_unit_test(numbers),
        cmocka_unit_test(copying),
    };

    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}

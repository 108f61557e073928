#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/sf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
unsigned_integers(void **state)
{
    size_t    i;
    uint64_t  v;
    static const struct {
        const char *s;
        bool        ok;
        uint64_t    v;
    } t[] = {
        { "0", true, 0 },
        { "42", true, 42 },
        { "007", true, 7 },
        { "-0", true, 0 },
        { " 42", true, 42 },
        { "42  ", true, 42 },
        { "999999999999999", true, 999999999999999 },
        { "42;a", true, 42 },
        { "42; a=1;b=?0;c=\"x;,\\\"\";d=:YQ==:;e=@12;f=%\"%c3\"", true, 42 },
        { "42;*k-1_.*=token/x:y", true, 42 },

        { "", false, 0 },
        { " ", false, 0 },
        { "1000000000000000", false, 0 },
        { "-1", false, 0 },
        { "+1", false, 0 },
        { "--1", false, 0 },
        { "-", false, 0 },
        { "1.0", false, 0 },
        { "1e3", false, 0 },
        { "0x10", false, 0 },
        { "4 2", false, 0 },
        { "4, 2", false, 0 },
        { "4,", false, 0 },
        { "\t42", false, 0 },
        { "42\t", false, 0 },
        { "42;", false, 0 },
        { "42;A=1", false, 0 },
        { "42;a=", false, 0 },
        { "42 ;a", false, 0 },
        { "?1", false, 0 },
        { "\"42\"", false, 0 },
        { "@42", false, 0 },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_sf_u64(reel_str(t[i].s), &v),
                         t[i].ok ? REEL_OK : REEL_BADDATA);

        if (t[i].ok) {
            assert_true(v == t[i].v);
        }
    }

    assert_int_equal(reel_sf_u64(REEL_STR("42\0"), &v), REEL_BADDATA);
    assert_int_equal(reel_sf_u64((reel_str_t) { NULL, 0 }, &v),
                     REEL_BADDATA);
}


static void
booleans(void **state)
{
    bool    v;
    size_t  i;
    static const char *const bad[] = {
        "", "?", "?2", "?10", "1", "0", "true", "?T", "??1", "? 1", "?1, ?0",
        "?1,", "\"?1\"", "(?1)", "?1;", "?1;a=b;", "?1\r"
    };

    (void) state;

    assert_int_equal(reel_sf_bool(REEL_STR("?1"), &v), REEL_OK);
    assert_true(v);
    assert_int_equal(reel_sf_bool(REEL_STR("?0"), &v), REEL_OK);
    assert_false(v);
    assert_int_equal(reel_sf_bool(REEL_STR(" ?1;foo=bar; x "), &v), REEL_OK);
    assert_true(v);

    for (i = 0; i < COUNT(bad); i++) {
        assert_int_equal(reel_sf_bool(reel_str(bad[i]), &v), REEL_BADDATA);
    }
}


static void
items(void **state)
{
    size_t          i;
    reel_sf_item_t  item;
    static const struct {
        const char     *s;
        reel_sf_type_t  type;
        int64_t         integer;
        const char     *text;
    } t[] = {
        { "-12;p", REEL_SF_INTEGER, -12, "-12" },
        { "1.5", REEL_SF_DECIMAL, 0, "1.5" },
        { "123456789012.123", REEL_SF_DECIMAL, 0, "123456789012.123" },
        { "\"a\\\\b\\\"\"", REEL_SF_STRING, 0, "\"a\\\\b\\\"\"" },
        { "*foo/bar;x", REEL_SF_TOKEN, 0, "*foo/bar" },
        { "::", REEL_SF_BYTES, 0, "::" },
        { ":aGk=:", REEL_SF_BYTES, 0, ":aGk=:" },
        { "?0", REEL_SF_BOOLEAN, 0, "?0" },
        { "@-5", REEL_SF_DATE, -5, "@-5" },
        { "%\"f%c3%bc\"", REEL_SF_DISPLAY, 0, "%\"f%c3%bc\"" },
    };
    static const char *const bad[] = {
        "1.", "1.2345", "1234567890123.1", ".5", "\"a", "\"\\n\"",
        "\"\x7f\"", "\"\xc3\xbc\"", ":a", ":a b:", "@1.5", "@", "%\"%C3\"",
        "%\"%c\"", "%x", "%\"", "(1 2)", "a b", "\xff", "&"
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_sf_item(reel_str(t[i].s), &item), REEL_OK);
        assert_int_equal(item.type, t[i].type);
        assert_true(item.integer == t[i].integer);
        assert_true(reel_str_eqz(item.text, t[i].text));
    }

    for (i = 0; i < COUNT(bad); i++) {
        assert_int_equal(reel_sf_item(reel_str(bad[i]), &item), REEL_BADDATA);
    }
}


static void
dictionaries(void **state)
{
    size_t   i;
    int64_t  v;
    static const struct {
        const char *s;
        reel_err_t  err;
        int64_t     v;
    } t[] = {
        { "max-size=5", REEL_OK, 5 },
        { "min-size=0, max-size=1234567890,\tmax-age=60", REEL_OK,
          1234567890 },
        { "max-size=1 , max-size=2", REEL_OK, 2 },
        { "a;x=\"max-size=1\", b=(1 \"max-size=3\";y);z, max-size=-4  ",
          REEL_OK, -4 },
        { "a=(), max-size=7;q", REEL_OK, 7 },
        { " max-size=8", REEL_OK, 8 },

        { "", REEL_NOTFOUND, 0 },
        { "  ", REEL_NOTFOUND, 0 },
        { "min-size=0", REEL_NOTFOUND, 0 },
        { "max-sizes=1, xmax-size=2", REEL_NOTFOUND, 0 },

        { "max-size", REEL_UNSUPPORTED, 0 },
        { "max-size=?1", REEL_UNSUPPORTED, 0 },
        { "max-size=1.5", REEL_UNSUPPORTED, 0 },
        { "max-size=(1)", REEL_UNSUPPORTED, 0 },
        { "max-size=1, max-size=many", REEL_UNSUPPORTED, 0 },

        { "max-size=1,", REEL_BADDATA, 0 },
        { "max-size=1,,b", REEL_BADDATA, 0 },
        { ",max-size=1", REEL_BADDATA, 0 },
        { "max-size=1 b=2", REEL_BADDATA, 0 },
        { "max-size=", REEL_BADDATA, 0 },
        { "max-size =1", REEL_BADDATA, 0 },
        { "max-size= 1", REEL_BADDATA, 0 },
        { "Max-Size=1", REEL_BADDATA, 0 },
        { "max-size=1, b=(1", REEL_BADDATA, 0 },
        { "max-size=1, b=(1,2)", REEL_BADDATA, 0 },
        { "max-size=1, b=(1\t2)", REEL_BADDATA, 0 },
        { "max-size=1, b=(\"x\"\"y\")", REEL_BADDATA, 0 },
        { "1=2", REEL_BADDATA, 0 },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_sf_member_integer(reel_str(t[i].s), "max-size",
                                                &v),
                         t[i].err);

        if (t[i].err == REEL_OK) {
            assert_true(v == t[i].v);
        }
    }

    assert_int_equal(reel_sf_member_integer((reel_str_t) { NULL, 0 }, "a",
                                            &v),
                     REEL_NOTFOUND);
}


static void
bare_members(void **state)
{
    reel_sf_item_t  item;

    (void) state;

    assert_int_equal(reel_sf_member(REEL_STR("a, b;x=1, c=(1 2);y"), "b",
                                    &item),
                     REEL_OK);
    assert_int_equal(item.type, REEL_SF_BOOLEAN);
    assert_true(item.integer == 1);
    assert_int_equal(item.text.len, 0);

    assert_int_equal(reel_sf_member(REEL_STR("a, b;x=1, c=(1 2);y"), "c",
                                    &item),
                     REEL_OK);
    assert_int_equal(item.type, REEL_SF_LIST);
    assert_true(reel_str_eqz(item.text, "(1 2)"));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsigned_integers),
        cmocka_unit_test(booleans),
        cmocka_unit_test(items),
        cmocka_unit_test(dictionaries),
        cmocka_unit_test(bare_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

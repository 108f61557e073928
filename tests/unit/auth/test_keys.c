#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/auth/keys.h"


#define S "secret-0123456789"
#define KEY(id, project, buckets)                                             \
    "{\"id\": \"" id "\", \"secret\": \"" S "\", \"project\": \"" project     \
    "\", \"buckets\": " buckets "}"
#define LIST(keys) "{\"access_keys\": [" keys "]}"
#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X128 X32 X32 X32 X32


static void
test_good(void **state)
{
    static const char  json[] = LIST(
        KEY("REEL1", "default", "[\"video\", \"Raw_2.x\"]") ","
        KEY("REEL2", "default", "[\"video\"]") ","
        "{\"id\": \"REEL3\", \"secret\": \"" S "\", \"project\":"
        " \"other-9\", \"buckets\": [\"films\"], \"max_open_uploads\": 5,"
        " \"max_open_bytes\": 9223372036854775807}");

    reel_error_t              e = { "" };
    reel_access_keys_t        k;
    const reel_access_key_t  *key;

    (void) state;

    assert_int_equal(reel_access_keys_parse(&k, json, sizeof(json) - 1, &e),
                     REEL_OK);
    assert_int_equal(k.nkeys, 3);

    key = reel_access_keys_find(&k, REEL_STR("REEL1"));
    assert_non_null(key);
    assert_string_equal(key->secret, S);
    assert_string_equal(key->project, "default");
    assert_true(key->max_open_uploads == 0 && key->max_open_bytes == 0);
    assert_true(reel_access_key_has_bucket(key, REEL_STR("video")));
    assert_true(reel_access_key_has_bucket(key, REEL_STR("Raw_2.x")));
    assert_false(reel_access_key_has_bucket(key, REEL_STR("films")));
    assert_false(reel_access_key_has_bucket(key, REEL_STR("vide")));
    assert_false(reel_access_key_has_bucket(key, REEL_STR("")));

    key = reel_access_keys_find(&k, REEL_STR("REEL3"));
    assert_non_null(key);
    assert_string_equal(key->project, "other-9");
    assert_true(key->max_open_uploads == 5);
    assert_true(key->max_open_bytes == INT64_MAX);

    assert_null(reel_access_keys_find(&k, REEL_STR("REEL4")));
    assert_null(reel_access_keys_find(&k, REEL_STR("REEL")));
    assert_null(reel_access_keys_find(&k, REEL_STR("")));

    reel_access_keys_release(&k);
    assert_int_equal(k.nkeys, 0);
    reel_access_keys_release(&k);
    assert_null(reel_access_keys_find(&k, REEL_STR("REEL1")));
}


static const struct {
    const char  *json;
    const char  *text;
} bad[] = {
#define QUOTA(name, value)                                                    \
    LIST("{\"id\": \"a\", \"secret\": \"" S "\", \"project\": \"p\","        \
         "\"buckets\": [\"b\"], \"" name "\": " value "}")
    { QUOTA("max_open_uploads", "0"), "max_open_uploads must be a whole" },
    { QUOTA("max_open_uploads", "-1"), "max_open_uploads must be a whole" },
    { QUOTA("max_open_uploads", "1.5"), "max_open_uploads must be a whole" },
    { QUOTA("max_open_bytes", "\"1G\""), "max_open_bytes must be a whole" },
    { QUOTA("max_open_byte", "1"), "unknown field" },
    { "", "line" },
    { "{\"access_keys\": [{\"secret\": \"" S, "line 1, column" },
    { "[]", "access_keys must be a list" },
    { "{}", "access_keys must be a list" },
    { "{\"access_keys\": {}}", "access_keys must be a list" },
    { LIST(""), "access_keys must be a list" },
    { LIST("1"), "access_keys[0] must be an object" },
    { LIST("{}"), "access_keys[0].id is missing" },
    { LIST("{\"id\": 1}"), "access_keys[0].id is missing" },
    { LIST("{\"id\": \"a\"}"), "access_keys[0].secret is missing" },
    { LIST("{\"id\": \"a\", \"secret\": \"" S "\"}"),
      "access_keys[0].project is missing" },
    { LIST("{\"id\": \"a\", \"secret\": \"" S "\", \"project\": \"p\"}"),
      "access_keys[0].buckets must be a list" },
    { LIST("{\"id\": \"a\", \"secret\": \"" S "\", \"project\": \"p\","
           "\"bukets\": [\"b\"]}"), "unknown field" },
    { LIST("{\"id\": \"a\", \"id\": \"b\"}"), "line" },
    { LIST("{\"id\": \"a\", \"secret\": \"123456789012345\"}"),
      "access_keys[0].secret must be 16 to 128" },
    { LIST("{\"id\": \"a\", \"secret\": \"" X128 "1\"}"),
      "access_keys[0].secret must be 16 to 128" },
    { LIST("{\"id\": \"a\", \"secret\": \"" S "\\n\"}"),
      "access_keys[0].secret must be" },
    { LIST(KEY("", "p", "[\"b\"]")), "access_keys[0].id must be" },
    { LIST(KEY("a b", "p", "[\"b\"]")), "access_keys[0].id must be" },
    { LIST(KEY("a/b", "p", "[\"b\"]")), "access_keys[0].id must be" },
    { LIST(KEY(X128 "x", "p", "[\"b\"]")), "access_keys[0].id must be" },
    { LIST(KEY("a", "", "[\"b\"]")), "access_keys[0].project must be" },
    { LIST(KEY("a", "P", "[\"b\"]")), "access_keys[0].project must be" },
    { LIST(KEY("a", X32 "x", "[\"b\"]")), "access_keys[0].project must be" },
    { LIST(KEY("a", "p", "[]")), "access_keys[0].buckets must be" },
    { LIST(KEY("a", "p", "\"b\"")), "access_keys[0].buckets must be" },
    { LIST(KEY("a", "p", "[\"b\", 1]")), "access_keys[0].buckets[1] must" },
    { LIST(KEY("a", "p", "[\"\"]")), "access_keys[0].buckets[0] must" },
    { LIST(KEY("a", "p", "[\"..\"]")), "access_keys[0].buckets[0] must" },
    { LIST(KEY("a", "p", "[\"a/b\"]")), "access_keys[0].buckets[0] must" },
    { LIST(KEY("a", "p", "[\"" X32 X32 "\"]")), "buckets[0] must" },
    { LIST(KEY("a", "p", "[\"b\", \"b\"]")), "buckets[1] is there twice" },
    { LIST(KEY("a", "p", "[\"b\"]") "," KEY("a", "p", "[\"c\"]")),
      "access_keys[1].id is that of access_keys[0]" },
    { LIST(KEY("a", "p", "[\"b\"]") "," KEY("c", "q", "[\"b\"]")),
      "access_keys[1].buckets: \"b\" belongs to the project of" },
};


static void
test_bad(void **state)
{
    size_t              i;
    reel_error_t        e;
    reel_access_keys_t  k;

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        e.text[0] = '\0';

        if (reel_access_keys_parse(&k, bad[i].json, strlen(bad[i].json), &e)
            != REEL_BADDATA
            || strstr(e.text, bad[i].text) == NULL)
        {
            fail_msg("%s: \"%s\"", bad[i].json, e.text);
        }

        assert_null(strstr(e.text, "secret-0123"));
        assert_int_equal(k.nkeys, 0);
        assert_null(k.keys);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

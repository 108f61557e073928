#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/auth/jwk.h"
#include "lib/auth/key_answer.h"
#include "lib/auth/keys.h"
#include "lib/auth/master_keys.h"
#include "lib/auth/secret_json.h"

#define SECRET "00112233445566778899aabbccddeeff" \
               "00112233445566778899aabbccddeeff"

/* the same as octets of a JWK */
#define K      "ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8"

#define watched(f)  cmocka_unit_test_setup_teardown(f, watch, unwatch)

/* a part of it: where a block begins, other things may have been written */
static const char  *looked_for;
static unsigned     seen;


void __real_free(void *p);
void __wrap_free(void *p);


/* the linker's --wrap: all that libreel gives back comes by here */
void
__wrap_free(void *p)
{
    if (p != NULL && looked_for != NULL
        && memmem(p, malloc_usable_size(p), looked_for, strlen(looked_for))
           != NULL)
    {
        seen++;
    }

    __real_free(p);
}


/* jansson's own free is not libreel's */
static int
watch(void **state)
{
    (void) state;

    json_set_alloc_funcs(malloc, __wrap_free);
    looked_for = SECRET + 32;
    seen = 0;

    return 0;
}


static int
unwatch(void **state)
{
    (void) state;
    looked_for = NULL;

    return 0;
}


static void
all_blocks_are_wiped(void **state)
{
    json_t       *root;
    const char    text[] = "{\"a\": [{\"b\": \"" SECRET "\"}, \"" SECRET
                           "\", \"\\u0020" SECRET "\"], \"" SECRET
                           "\": 1, \"d\": null}";

    (void) state;

    assert_int_equal(reel_secret_json(&root, text, strlen(text), "no", NULL),
                     REEL_OK);
    assert_int_equal(seen, 0);
    reel_secret_json_free(root);
    assert_int_equal(seen, 0);

    reel_secret_json_free(NULL);
}


/* what of it was parsed is freed by the parser */
static void
a_failing_parse_leaves_nothing(void **state)
{
    size_t              i;
    json_t             *root;
    static const char  *text[] = {
        "{\"key\": \"" SECRET "\", \"list\": [\"" SECRET "\"",
        "{\"key\": \"" SECRET "\", \"other\": \"" SECRET,
        "{\"key\": \"" SECRET "\", \"key\": \"" SECRET "\"}",
        "{\"" SECRET "\": 1, \"" SECRET "\": 2}",
        "[\"" SECRET "\", " SECRET "]",
    };

    (void) state;

    for (i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        assert_int_equal(reel_secret_json(&root, text[i], strlen(text[i]),
                                          "no", NULL), REEL_BADDATA);
        assert_int_equal(seen, 0);
    }
}


static void
printing_leaves_nothing(void **state)
{
    char    *text;
    json_t  *root;

    (void) state;

    reel_secret_json_begin();
    root = json_pack("{s:s, s:s}", "a", SECRET, "b", SECRET);
    text = json_dumps(root, JSON_INDENT(2));
    assert_non_null(text);
    explicit_bzero(text, strlen(text));
    free(text);
    reel_secret_json_free(root);
    reel_secret_json_end();

    assert_int_equal(seen, 0);
}


/* and the test sees what is not wiped: outside, others' functions are set */
static void
others_are_left_alone(void **state)
{
    json_t         *root;
    json_free_t     f;
    const char      text[] = "[\"" SECRET "\"]";
    json_malloc_t   m;

    (void) state;

    assert_int_equal(reel_secret_json(&root, text, strlen(text), "no", NULL),
                     REEL_OK);
    json_get_alloc_funcs(&m, &f);
    assert_true(m == malloc && f == __wrap_free);
    json_decref(root);
    assert_int_equal(seen, 1);

    root = json_loadb(text, strlen(text), 0, NULL);
    json_decref(root);
    assert_true(seen > 2);
}


static void
an_error_quotes_nothing(void **state)
{
    json_t       *root;
    reel_error_t  e;
    const char    text[] = "{\n\"key\": \"" SECRET "\" \"" SECRET "\"}";

    (void) state;

    assert_int_equal(reel_secret_json(&root, text, strlen(text),
                                      "the file is not", &e), REEL_BADDATA);
    assert_null(root);
    assert_null(strstr(e.text, "0011"));
    assert_int_equal(strncmp(e.text, "the file is not JSON: line 2, column ",
                             37), 0);
}


static void
keys_leave_nothing(void **state)
{
    uint8_t             key[REEL_KEY_ANSWER_LEN];
    reel_jwks_t         jwks;
    reel_error_t        e;
    reel_access_keys_t  access;
    reel_master_keys_t  master;
    const char          a[] = "{\"key\": \"" SECRET "\"}";
    const char          m[] = "{\"master_keys\": [{\"id\": 0, \"key\": \""
                              SECRET "\"}]}";
    const char          j[] = "{\"keys\": [{\"kty\": \"oct\", \"kid\": \"a\", "
                              "\"alg\": \"HS256\", \"k\": \"" K "\"}]}";
    const char          s[] = "{\"access_keys\": [{\"id\": \"AKIDEXAMPLE\", "
                              "\"secret\": \"" SECRET "\", \"project\": \"p\", "
                              "\"buckets\": [\"b\"]}]}";

    (void) state;

    assert_int_equal(reel_key_answer_parse(key, a, strlen(a), &e), REEL_OK);
    assert_int_equal(reel_master_keys_parse(&master, m, strlen(m), &e),
                     REEL_OK);
    reel_master_keys_release(&master);

    assert_int_equal(reel_access_keys_parse(&access, s, strlen(s), &e),
                     REEL_OK);
    reel_access_keys_release(&access);
    assert_int_equal(seen, 0);

    looked_for = K + 8;
    assert_int_equal(reel_jwks_parse(&jwks, j, strlen(j), &e), REEL_OK);
    reel_jwks_release(&jwks);
    assert_int_equal(seen, 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        watched(all_blocks_are_wiped),
        watched(a_failing_parse_leaves_nothing),
        watched(an_error_quotes_nothing),
        watched(keys_leave_nothing),
        watched(printing_leaves_nothing),
        watched(others_are_left_alone),     /* leaves some: it is the last */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

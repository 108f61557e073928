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

static const char  *looked_for;
static unsigned     seen;


/* is what is given back still the secret?  The parser's strings are whole */
static void
scan_and_free(void *p)
{
    if (p != NULL && strcmp(p, looked_for) == 0) {
        seen++;
    }

    free(p);
}


/* blocks that are zero beyond what is asked for: strcmp() ends within */
static void *
terminated(size_t n)
{
    return calloc(1, n + 1);
}


static int
watch(void **state)
{
    (void) state;

    json_set_alloc_funcs(terminated, scan_and_free);
    looked_for = SECRET;
    seen = 0;

    return 0;
}


static void
strings_at_any_depth_are_wiped(void **state)
{
    json_t       *root;
    const char    text[] = "{\"a\": [{\"b\": \"" SECRET "\"}, \"" SECRET
                           "\"], \"c\": 1, \"d\": null}";

    (void) state;

    assert_int_equal(reel_secret_json(&root, text, strlen(text), "no", NULL),
                     REEL_OK);
    reel_secret_json_free(root);
    assert_int_equal(seen, 0);

    reel_secret_json_free(NULL);

    /* what is not wiped is seen */
    assert_int_equal(reel_secret_json(&root, text, strlen(text), "no", NULL),
                     REEL_OK);
    json_decref(root);
    assert_int_equal(seen, 2);
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

    looked_for = K;
    assert_int_equal(reel_jwks_parse(&jwks, j, strlen(j), &e), REEL_OK);
    reel_jwks_release(&jwks);
    assert_int_equal(seen, 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(strings_at_any_depth_are_wiped, watch),
        cmocka_unit_test_setup(an_error_quotes_nothing, watch),
        cmocka_unit_test_setup(keys_leave_nothing, watch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

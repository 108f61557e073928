#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/auth/key_answer.h"

#define HALF "00112233445566778899aabbccddeeff"
#define HALF_BAD "00112233445566778899AABBCCDDEEFg"
#define HEX HALF "00112233445566778899AABBCCDDEEFF"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
test_answers(void **state)
{
    size_t        i;
    uint8_t       key[REEL_KEY_ANSWER_LEN], was[REEL_KEY_ANSWER_LEN];
    reel_err_t    err;
    reel_error_t  e;

    static const struct {
        const char *json;
        reel_err_t  err;
    } answers[] = {
        { "{\"key\":\"" HEX "\"}", REEL_OK },
        { " {\"x\":[1],\"key\":\"" HEX "\"} \n", REEL_OK },
        { "{\"key\":\"" HEX "0\"}", REEL_BADDATA },
        { "{\"key\":\"" HEX "00\"}", REEL_BADDATA },
        { "{\"key\":\"\"}", REEL_BADDATA },
        { "{\"key\":\"zz" "\"}", REEL_BADDATA },
        { "{\"key\":\"" HALF HALF_BAD "\"}", REEL_BADDATA },
        { "{\"key\":null}", REEL_BADDATA },
        { "{\"key\":\"" HEX "\",\"key\":\"" HEX "\"}", REEL_BADDATA },
        { "{\"key\":\"" HEX "\"", REEL_BADDATA },
        { "{}", REEL_BADDATA }, { "[]", REEL_BADDATA }, { "", REEL_BADDATA },
        { "\"" HEX "\"", REEL_BADDATA }, { "<html>", REEL_BADDATA },
    };

    (void) state;

    for (i = 0; i < COUNT(answers); i++) {
        e.text[0] = '\0';
        memset(key, 1, sizeof(key));
        memset(was, 1, sizeof(was));
        err = reel_key_answer_parse(key, answers[i].json,
                                    strlen(answers[i].json), &e);

        if (err != answers[i].err) {
            fail_msg("%s: %s", answers[i].json, reel_err_name(err));
        }

        assert_null(strstr(e.text, "0011"));

        if (err == REEL_OK) {
            assert_int_equal(key[0], 0);
            assert_int_equal(key[31], 0xff);

        } else {
            assert_memory_equal(key, was, sizeof(key));
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/err.h"


static void
texts(void **state)
{
    char          wide[400];
    reel_error_t  e;

    (void) state;

    assert_int_equal(reel_fail(&e, REEL_BADDATA, "stsz: %d left", 12),
                     REEL_BADDATA);
    assert_string_equal(e.text, "stsz: 12 left");

    /* nobody asked */
    assert_int_equal(reel_fail(NULL, REEL_IO, "%s", "x"), REEL_IO);

    /* cut to fit, and terminated */
    memset(wide, 'w', sizeof(wide));
    wide[sizeof(wide) - 1] = '\0';
    assert_int_equal(reel_fail(&e, REEL_LIMIT, "%s", wide), REEL_LIMIT);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}


static void
names(void **state)
{
    int  a, b;

    (void) state;

    assert_string_equal(reel_err_name(REEL_OK), "ok");
    assert_string_equal(reel_err_name(REEL_BADDATA), "baddata");
    assert_string_equal(reel_err_name(REEL_DENIED), "denied");
    assert_string_equal(reel_err_name((reel_err_t) (REEL_DENIED + 1)),
                        "unknown");
    assert_string_equal(reel_err_name((reel_err_t) -1), "unknown");

    for (a = REEL_OK; a <= REEL_DENIED; a++) {
        for (b = REEL_OK; b < a; b++) {
            assert_string_not_equal(reel_err_name((reel_err_t) a),
                                    reel_err_name((reel_err_t) b));
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}

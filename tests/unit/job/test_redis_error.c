#include "tests/unit/job/film.h"

#include "lib/job/redis_error.h"


static void
told(void **state)
{
    static const char *const rows[][2] = {
        { "ERR unknown command 'AUTH', with args beginning with: 'secret' ",
          "ERR unknown command 'AUTH'" },
        { "WRONGPASS invalid username-password pair or user is disabled.",
          "WRONGPASS invalid username-password pair or user is disabled." },
        { "", "" },
    };

    (void) state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(reel_str_eqz(reel_redis_error(reel_str(rows[i][0])),
                                 rows[i][1]));
    }

    assert_int_equal(reel_redis_error((reel_str_t) { NULL, 0 }).len, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

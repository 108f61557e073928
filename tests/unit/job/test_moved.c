#include "tests/unit/job/film.h"

#include "lib/job/moved.h"


static void
whereto(void **state)
{
    uint16_t    port;
    reel_str_t  host;

    static const struct {
        const char *error;
        const char *host;
        unsigned    port;
    } rows[] = {
        { "MOVED 3999 127.0.0.1:6381", "127.0.0.1", 6381 },
        { "MOVED 0 redis-2.example:1", "redis-2.example", 1 },
        { "MOVED 1 2001:db8::7:65535", "2001:db8::7", 65535 },
        { "MOVED 1 ::1:6379", "::1", 6379 },
    };

    (void) state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(reel_redis_moved(reel_str(rows[i].error), &host,
                                          &port), REEL_OK);
        assert_true(reel_str_eqz(host, rows[i].host));
        assert_int_equal(port, rows[i].port);
    }
}


static void
refused(void **state)
{
    uint16_t    port;
    reel_str_t  host;

    static const struct {
        const char *error;
        reel_err_t  err;
    } rows[] = {
        { "", REEL_NOTFOUND },
        { "MOVED", REEL_NOTFOUND },
        { "MOVEDX 1 a:1", REEL_NOTFOUND },
        { "ASK 3999 127.0.0.1:6381", REEL_NOTFOUND },
        { "MOVED ", REEL_INVAL },
        { "MOVED 3999", REEL_INVAL },
        { "MOVED 3999 ", REEL_INVAL },
        { "MOVED 3999 127.0.0.1", REEL_INVAL },
        { "MOVED 3999 127.0.0.1:", REEL_INVAL },
        { "MOVED 3999 127.0.0.1:0", REEL_INVAL },
        { "MOVED 3999 127.0.0.1:65536", REEL_INVAL },
        { "MOVED 3999 127.0.0.1:6381 x", REEL_INVAL },
        { "MOVED 3999 127.0.0.1:-1", REEL_INVAL },
        { "MOVED 3999 :6381", REEL_INVAL },         /* it does not know */
        { "MOVED 3999 6381", REEL_INVAL },
    };

    (void) state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(reel_redis_moved(reel_str(rows[i].error), &host,
                                          &port), rows[i].err);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whereto), cmocka_unit_test(refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/job/film.h"

#include "lib/job/redis_addr.h"


static void
read_and_printed(void **state)
{
    reel_redis_addr_t       a;
    reel_redis_addr_text_t  text;

    static const struct {
        const char *text, *socket, *host;
        unsigned    port;
    } rows[] = {
        { "[::1]:6379", "", "::1", 6379 },
        { "127.0.0.1:65535", "", "127.0.0.1", 65535 },
        { "redis-2.example:1", "", "redis-2.example", 1 },
        { "unix:/run/redis.sock", "/run/redis.sock", "", 0 },
        { "unix:r:1", "r:1", "", 0 },
    };

    (void) state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(reel_redis_addr_parse(&a, reel_str(rows[i].text)),
                         REEL_OK);
        assert_string_equal(a.socket, rows[i].socket);
        assert_string_equal(a.host, rows[i].host);
        assert_int_equal(a.port, rows[i].port);
        assert_string_equal(reel_redis_addr_print(&a, text), rows[i].text);
    }
}


static void
refused(void **state)
{
    reel_redis_addr_t  a;

    static const char *const rows[] = {
        "", "host", ":6379", "host:0", "host:65536", "host:6379x", "host:",
        "::1:6379", "[]:6379", "unix:"
    };

    (void) state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(reel_redis_addr_parse(&a, reel_str(rows[i])),
                         REEL_INVAL);
    }

    assert_int_equal(reel_redis_addr_parse(&a, REEL_STR("unix:/a\0b")),
                     REEL_INVAL);
}


static void
no_longer_than_it_may_be(void **state)
{
    char                    path[200] = "unix:/", host[400];
    reel_redis_addr_t       a;
    reel_redis_addr_text_t  text;

    (void) state;

    /* a unix path has 107 bytes at most */
    memset(path + 6, 'a', sizeof(path) - 6);
    assert_int_equal(reel_redis_addr_parse(&a, (reel_str_t) { path, 5 + 107 }),
                     REEL_OK);
    assert_int_equal(reel_redis_addr_parse(&a, (reel_str_t) { path, 5 + 108 }),
                     REEL_INVAL);

    memset(host, 'a', sizeof(host));
    memcpy(host + 255, ":65535", 7);
    assert_int_equal(reel_redis_addr_parse(&a, reel_str(host)), REEL_OK);
    assert_string_equal(reel_redis_addr_print(&a, text), host);
    memcpy(host + 255, "a:65535", 8);
    assert_int_equal(reel_redis_addr_parse(&a, reel_str(host)), REEL_INVAL);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(read_and_printed),
        cmocka_unit_test(refused),
        cmocka_unit_test(no_longer_than_it_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

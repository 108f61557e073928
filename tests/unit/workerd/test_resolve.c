#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "workerd/child.h"
#include "workerd/resolve.h"

static reel_loop_t   *loop;
static reel_timer_t   timer;
static unsigned       calls;
static char           got[64], reason[128];


static int
setup(void **state)
{
    (void) state;

    calls = 0;
    got[0] = '\0';
    reason[0] = '\0';
    loop = reel_loop_new();

    return loop == NULL || reel_children_init(loop) != REEL_OK;
}


static int
teardown(void **state)
{
    (void) state;

    reel_timer_stop(&timer);
    reel_loop_free(loop);

    return 0;
}


static void
on_address(void *arg, const char *address, const char *why)
{
    assert_ptr_equal(arg, &calls);

    calls++;
    snprintf(got, sizeof(got), "%s", address != NULL ? address : "none");
    snprintf(reason, sizeof(reason), "%s", address != NULL ? "" : why);
    reel_loop_stop(loop);
}


static void
resolve(const char *host)
{
    reel_resolve_t  *r;

    assert_int_equal(reel_resolve_start(loop, host, on_address, &calls, &r),
                     REEL_OK);
    assert_int_equal(calls, 0);
    reel_loop_run(loop);
    assert_int_equal(calls, 1);
}


static void
what_needs_no_dns(void **state)
{
    (void) state;

    assert_true(reel_resolve_numeric("127.0.0.1"));
    assert_true(reel_resolve_numeric("::1"));
    assert_true(reel_resolve_numeric("2001:db8::7"));
    assert_false(reel_resolve_numeric("localhost"));
    assert_false(reel_resolve_numeric("redis.example"));
    assert_false(reel_resolve_numeric("127.0.0.1.example"));
    assert_false(reel_resolve_numeric(""));
}


static void
the_address_arrives(void **state)
{
    (void) state;

    resolve("127.0.0.1");
    assert_string_equal(got, "127.0.0.1");
}


static void
so_does_one_of_ipv6(void **state)
{
    (void) state;

    resolve("::1");
    assert_string_equal(got, "::1");
}


/* an empty label is no name: no server is asked */
static void
what_is_no_name_says_why(void **state)
{
    (void) state;

    resolve("no..name");
    assert_string_equal(got, "none");
    assert_true(strlen(reason) > 5);
}


static void
a_name_too_long_is_refused(void **state)
{
    char             host[300];
    reel_resolve_t  *r;

    (void) state;

    memset(host, 'x', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    assert_int_equal(reel_resolve_start(loop, host, on_address, &calls, &r),
                     REEL_LIMIT);
}


static void
on_timer(void *arg)
{
    (void) arg;
    reel_loop_stop(loop);
}


static void
nobody_hears_of_a_cancelled_one(void **state)
{
    reel_resolve_t  *r;

    (void) state;

    assert_int_equal(reel_resolve_start(loop, "127.0.0.1", on_address,
                                        &calls, &r), REEL_OK);
    reel_resolve_cancel(r);
    reel_resolve_cancel(NULL);

    reel_timer_start(loop, &timer, 300, on_timer, NULL);
    reel_loop_run(loop);
    assert_int_equal(calls, 0);
}


#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        T(what_needs_no_dns), T(the_address_arrives),
        T(so_does_one_of_ipv6), T(what_is_no_name_says_why),
        T(a_name_too_long_is_refused), T(nobody_hears_of_a_cancelled_one)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

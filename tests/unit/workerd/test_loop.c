#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "workerd/loop.h"

static reel_loop_t   *loop;
static char           order[16];
static reel_timer_t   timers[4];
static int            fds[2];


static int
setup(void **state)
{
    (void) state;

    loop = reel_loop_new();
    memset(order, 0, sizeof(order));
    memset(timers, 0, sizeof(timers));

    return loop == NULL || pipe(fds) != 0;
}


static int
teardown(void **state)
{
    (void) state;

    for (int i = 0; i < 4; i++) {
        reel_timer_stop(&timers[i]);
    }
    close(fds[0]);
    close(fds[1]);
    reel_loop_free(loop);

    return 0;
}


static void
note(void *arg)
{
    order[strlen(order)] = *(const char *) arg;
}


static void
note_and_stop(void *arg)
{
    note(arg);
    reel_loop_stop(loop);
}


static void
timers_fire_in_their_order(void **state)
{
    int64_t  before = reel_loop_now();

    (void) state;

    reel_timer_start(loop, &timers[0], 30, note_and_stop, "c");
    reel_timer_start(loop, &timers[1], 10, note, "a");
    reel_timer_start(loop, &timers[2], 20, note, "b");
    assert_true(reel_timer_active(&timers[1]));

    reel_loop_run(loop);

    assert_string_equal(order, "abc");
    assert_true(reel_loop_now() - before >= 30);
    assert_false(reel_timer_active(&timers[1]));
}


static void
stopped_and_restarted(void **state)
{
    (void) state;

    reel_timer_start(loop, &timers[0], 5, note, "x");
    reel_timer_start(loop, &timers[1], 5, note, "y");
    reel_timer_start(loop, &timers[1], 15, note, "z");
    reel_timer_start(loop, &timers[2], 30, note_and_stop, "e");
    reel_timer_stop(&timers[0]);
    reel_timer_stop(&timers[0]);

    reel_loop_run(loop);

    assert_string_equal(order, "ze");
}


static void
stop_another(void *arg)
{
    (void) arg;

    note("s");
    reel_timer_stop(&timers[1]);
}


/* both are due in one turn */
static void
a_timer_may_stop_the_next(void **state)
{
    (void) state;

    reel_timer_start(loop, &timers[0], 1, stop_another, NULL);
    reel_timer_start(loop, &timers[1], 2, note, "!");
    reel_timer_start(loop, &timers[2], 30, note_and_stop, "e");
    usleep(5000);

    reel_loop_run(loop);

    assert_string_equal(order, "se");
}


static void
again(void *arg)
{
    if (strlen(order) < 3) {
        note(arg);
        reel_timer_start(loop, &timers[0], 1, again, arg);
    } else {
        reel_loop_stop(loop);
    }
}


static void
a_timer_may_restart_itself(void **state)
{
    (void) state;

    reel_timer_start(loop, &timers[0], 0, again, "r");
    reel_loop_run(loop);

    assert_string_equal(order, "rrr");
}


static void
on_readable(void *arg, short revents)
{
    char  c;

    assert_true(revents & POLLIN);
    assert_int_equal(read(fds[0], &c, 1), 1);
    order[strlen(order)] = c;

    if (c == 'q') {
        reel_loop_unwatch(loop, fds[0]);
        reel_timer_start(loop, &timers[0], 20, note_and_stop, arg);
    }
}


static void
descriptors_are_watched_until_unwatched(void **state)
{
    (void) state;

    assert_int_equal(reel_loop_watch(loop, fds[0], POLLIN, on_readable, "e"),
                     REEL_OK);
    assert_int_equal(write(fds[1], "aqz", 3), 3);

    reel_loop_run(loop);

    assert_string_equal(order, "aqe");      /* z was not read */
}


static void
many_descriptors(void **state)
{
    int  copies[40];

    (void) state;

    for (int i = 0; i < 40; i++) {
        copies[i] = dup(fds[1]);
        assert_int_equal(reel_loop_watch(loop, copies[i], 0, on_readable,
                                         NULL), REEL_OK);
    }

    assert_int_equal(reel_loop_watch(loop, fds[0], POLLIN, on_readable, "e"),
                     REEL_OK);
    assert_int_equal(write(fds[1], "q", 1), 1);
    reel_loop_run(loop);
    assert_string_equal(order, "qe");

    for (int i = 0; i < 40; i++) {
        reel_loop_unwatch(loop, copies[i]);
        close(copies[i]);
    }
}


static void
signals_run_in_the_loop(void **state)
{
    (void) state;

    assert_int_equal(reel_loop_signal(loop, SIGUSR1, note, "u"), REEL_OK);
    assert_int_equal(reel_loop_signal(loop, SIGUSR2, note_and_stop, "v"),
                     REEL_OK);
    assert_int_equal(reel_loop_signal(loop, 0, note, "x"), REEL_INVAL);

    raise(SIGUSR1);
    assert_string_equal(order, "");
    raise(SIGUSR2);

    reel_loop_run(loop);

    assert_string_equal(order, "uv");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_in_their_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(stopped_and_restarted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_timer_may_stop_the_next, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_timer_may_restart_itself, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            descriptors_are_watched_until_unwatched, setup, teardown),
        cmocka_unit_test_setup_teardown(many_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_run_in_the_loop, setup,
                                        teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

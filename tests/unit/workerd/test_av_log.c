/*
 * libav speaks from its decoders' threads, and is heard line by line.  A race
 * shows here when two meet; -fsanitize=thread tells of it each time.
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <libavutil/log.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "workerd/av_log.h"

#define THREADS  2
#define LINES    20000
#define LENGTH   200

static atomic_int  speaking = THREADS;


/* one letter throughout */
static void *
speak(void *letter)
{
    char  line[LENGTH + 1];

    memset(line, *(const char *) letter, LENGTH);
    line[LENGTH] = '\0';

    for (int i = 0; i < LINES; i++) {
        av_log(NULL, AV_LOG_ERROR, "%s", line);
    }

    speaking--;

    return NULL;
}


static void
test_lines_are_whole(void **state)
{
    int              torn = 0;
    size_t           n;
    const char      *last;
    pthread_t        thread[THREADS];
    static char      letters[THREADS] = { 'a', 'b' };

    (void) state;
    reel_av_log_init();

    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, speak, &letters[i]),
                         0);
    }

    while (speaking > 0) {
        last = reel_av_log_last();
        n = strlen(last);
        torn += n != 0 && (n != LENGTH || strspn(last, "a") % LENGTH != 0);
    }

    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }

    assert_int_equal(torn, 0);
    assert_int_equal(strlen(reel_av_log_last()), LENGTH);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_are_whole)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* cancels end with Redis away, all of them, also those that have to wait */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "lib/job/keys.h"
#include "lib/store/layout.h"
#include "workerd/cancels.h"
#include "workerd/final.h"
#include "workerd/outbox.h"
#include "workerd/shards.h"

/* far more than are taken in one turn */
#define MANY 300

/* waits for what comes at once, or in half a second */
#define LATE_MS 10000
#define POLL_MS 20

static reel_worker_t *w;
static unsigned       wanted;
static int64_t        late;
static reel_timer_t   poll_timer;


static char *
asset_of(unsigned i, char asset[27])
{
    (void) snprintf(asset, 27, "01h000000000000000%08u", i);

    return asset;
}


static char *
job_of(unsigned i, char job[REEL_JOB_ID_MAX])
{
    char  asset[27];

    (void) snprintf(job, REEL_JOB_ID_MAX, "%s.1", asset_of(i, asset));

    return job;
}


static void
put_cancelled(unsigned i)
{
    char        asset[27];
    reel_key_t  key;

    assert_int_equal(reel_key_asset_part(key, reel_str(asset_of(i, asset)),
                                         REEL_PART_REQUEST), REEL_OK);
    assert_int_equal(reel_store_replace(w->store, key, "{}", 2), REEL_OK);
    assert_int_equal(reel_key_cancel(key, reel_str(asset), 1), REEL_OK);
    assert_int_equal(reel_store_put_if_absent(w->store, key, NULL, 0),
                     REEL_OK);
}


static bool
ended(unsigned i)
{
    bool           is;
    char           asset[27];
    reel_result_t  r;

    is = reel_final_result(w->store, asset_of(i, asset), &r) == REEL_OK
         && reel_final_is_cancelled(&r, 1);
    reel_result_release(&r);

    return is;
}


static unsigned
count_ended(void)
{
    unsigned  n = 0;

    for (unsigned i = 0; i < MANY; i++) {
        n += ended(i);
    }

    return n;
}


static void
on_poll(void *arg)
{
    (void) arg;

    if (count_ended() == wanted || reel_loop_now() > late) {
        reel_loop_stop(w->loop);
    } else {
        reel_timer_start(w->loop, &poll_timer, POLL_MS, on_poll, NULL);
    }
}


/* runs the loop until so many ended */
static void
wait_for(unsigned n)
{
    wanted = n;
    late = reel_loop_now() + LATE_MS;
    reel_timer_start(w->loop, &poll_timer, POLL_MS, on_poll, NULL);
    reel_loop_run(w->loop);
    assert_int_equal(count_ended(), n);
}


static int
setup(void **state)
{
    (void) state;

    w = calloc(1, sizeof(*w));
    if (w == NULL || reel_store_mem_open(&w->store) != REEL_OK) {
        return -1;
    }

    reel_config_default(&w->conf);
    w->conf.outbox_s = 3600;            /* by itself too seldom to help */
    w->loop = reel_loop_new();
    w->shards = reel_shards_new(w, NULL, NULL);     /* never connected */
    w->outbox = reel_outbox_new(w);
    w->cancels = reel_cancels_new(w);

    return w->loop == NULL || w->shards == NULL || w->outbox == NULL
           || w->cancels == NULL;
}


static int
teardown(void **state)
{
    (void) state;

    reel_timer_stop(&poll_timer);
    reel_shards_free(w->shards);
    reel_cancels_free(w->cancels);
    reel_outbox_free(w->outbox);
    reel_loop_free(w->loop);
    reel_store_close(w->store);
    free(w);

    return 0;
}


static void
all_end_though_none_goes(void **state)
{
    bool  stands;
    char  job[REEL_JOB_ID_MAX];

    (void) state;

    for (unsigned i = MANY; i-- > 0;) {
        put_cancelled(i);
    }

    reel_outbox_look(w->outbox);
    wait_for(MANY);

    /* Redis does not know */
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(reel_final_cancelled(w->store, job_of(i, job),
                                              &stands), REEL_OK);
        assert_true(stands);
    }
}


static void
one_that_is_locked_is_looked_at_again(void **state)
{
    char               asset[27];
    reel_multipart_t  *lock;

    (void) state;

    put_cancelled(0);
    put_cancelled(1);
    assert_int_equal(reel_final_lock(w->store, asset_of(0, asset), true,
                                     &lock), REEL_OK);

    reel_cancels_look(w->cancels);
    wait_for(1);
    assert_false(ended(0));

    reel_multipart_close(lock);
    wait_for(2);
}


/* also when nobody looked at all of them */
static void
one_that_was_taken_by_itself_too(void **state)
{
    char               asset[27], job[REEL_JOB_ID_MAX];
    reel_multipart_t  *lock;

    (void) state;

    put_cancelled(0);
    assert_int_equal(reel_final_lock(w->store, asset_of(0, asset), true,
                                     &lock), REEL_OK);
    assert_int_equal(reel_cancels_take(w->cancels, job_of(0, job)),
                     REEL_AGAIN);
    assert_false(ended(0));

    reel_multipart_close(lock);
    wait_for(1);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(all_end_though_none_goes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_that_is_locked_is_looked_at_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_was_taken_by_itself_too,
                                        setup, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

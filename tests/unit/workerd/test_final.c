/* how a job's end gets into the store, on the store without rename */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/index/writer.h"
#include "lib/store/layout.h"
#include "tests/unit/workerd/records.h"
#include "workerd/final.h"

#define ASSET "01h00000000000000000000000"
#define JOB1  ASSET ".1"
#define JOB2  ASSET ".2"

static reel_store_t  *store;

static const reel_failure_t failure = {
    "BAD_MEDIA", "v3.0", "decode said no", "the end of stderr"
};


static int
setup(void **state)
{
    (void) state;

    if (reel_store_mem_open(&store) != REEL_OK) {
        return -1;
    }

    put_part(store, ASSET, REEL_PART_REQUEST, "{}", 2);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;
    reel_store_close(store);

    return 0;
}


static void
put_pending(uint32_t publication)
{
    reel_key_t  key;

    assert_int_equal(reel_key_pending(key, REEL_STR(ASSET), publication),
                     REEL_OK);
    assert_int_equal(reel_store_put_if_absent(store, key, NULL, 0), REEL_OK);
}


static bool
pending_stands(uint32_t publication)
{
    reel_key_t         key;
    reel_store_stat_t  st;

    assert_int_equal(reel_key_pending(key, REEL_STR(ASSET), publication),
                     REEL_OK);

    return reel_store_stat(store, key, &st) == REEL_OK;
}


/* the user gets the program's words, or that it was so */
static void
what_is_rejected_has_its_own_words(void **state)
{
    reel_result_t  r;

    (void) state;

    put_pending(1);
    assert_int_equal(reel_final_failed(store, JOB1, &(reel_failure_t) {
                     "REJECTED", "look", "not for us", "" }), REEL_OK);
    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_OK);
    assert_string_equal(r.code, "REJECTED");
    assert_string_equal(r.detail, "not for us");
    assert_false(r.retryable);
    reel_result_release(&r);

    put_pending(2);
    assert_int_equal(reel_final_failed(store, JOB2, &(reel_failure_t) {
                     "REJECTED", "look", "", "" }), REEL_OK);
    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_OK);
    assert_string_equal(r.detail, "The film was rejected.");
    reel_result_release(&r);
}


static void
a_failure_is_written_once(void **state)
{
    reel_result_t  r;

    (void) state;

    put_pending(1);
    assert_int_equal(reel_final_failed(store, JOB1, &failure), REEL_OK);
    assert_false(pending_stands(1));

    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_OK);
    assert_false(r.ready);
    assert_false(r.retryable);
    assert_int_equal(r.publication, 1);
    assert_string_equal(r.code, "BAD_MEDIA");
    assert_string_equal(r.stage, "v3.0");
    assert_string_equal(r.detail,
                        "The file is damaged and could not be decoded.");
    assert_string_equal(r.log, "decode said no\nthe end of stderr");
    reel_result_release(&r);

    /* another worker, another reason: the first one stays */
    assert_int_equal(reel_final_failed(store, JOB1, &(reel_failure_t) {
                     "CRASHED", "", "", "" }), REEL_OK);
    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_OK);
    assert_string_equal(r.code, "BAD_MEDIA");
    reel_result_release(&r);
}


static void
a_ready_asset_is_not_failed(void **state)
{
    reel_result_t  r;

    (void) state;

    put_result(store, ASSET, 1, true);
    put_index(store, ASSET, 1, false);
    put_pending(1);
    assert_int_equal(reel_final_failed(store, JOB1, &failure), REEL_OK);

    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_OK);
    assert_true(r.ready);
    reel_result_release(&r);
    assert_false(pending_stands(1));
}


static void
a_newer_publication_stays(void **state)
{
    reel_result_t  r;

    (void) state;

    put_result(store, ASSET, 2, true);
    put_pending(2);
    assert_int_equal(reel_final_failed(store, JOB1, &failure), REEL_OK);

    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_OK);
    assert_int_equal(r.publication, 2);
    reel_result_release(&r);
    assert_true(pending_stands(2));
}


static void
an_older_one_is_replaced(void **state)
{
    reel_result_t  r;

    (void) state;

    put_result(store, ASSET, 1, false);
    put_pending(2);
    assert_int_equal(reel_final_failed(store, JOB2, &failure), REEL_OK);

    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_OK);
    assert_int_equal(r.publication, 2);
    assert_string_equal(r.code, "BAD_MEDIA");
    reel_result_release(&r);
    assert_false(pending_stands(2));
}


static void
its_growing_index_goes(void **state)
{
    reel_standing_t  st;

    (void) state;

    put_index(store, ASSET, 1, true);
    assert_int_equal(reel_final_index(store, ASSET, &st), REEL_OK);
    assert_true(st.growing);
    assert_int_equal(st.created_ms, 77);
    assert_int_equal(st.salt[15], 0x5a);

    assert_int_equal(reel_final_failed(store, JOB1, &failure), REEL_OK);
    assert_int_equal(reel_final_index(store, ASSET, &st), REEL_NOTFOUND);
}


/* who wrote the result died before the index was taken away */
static void
its_growing_index_goes_later_too(void **state)
{
    reel_standing_t  st;

    (void) state;

    put_result(store, ASSET, 1, false);
    put_index(store, ASSET, 1, true);
    assert_int_equal(reel_final_failed(store, JOB1, &failure), REEL_OK);
    assert_int_equal(reel_final_index(store, ASSET, &st), REEL_NOTFOUND);
}


static void
a_complete_index_of_before_stays(void **state)
{
    reel_standing_t  st;

    (void) state;

    put_index(store, ASSET, 1, false);
    assert_int_equal(reel_final_failed(store, JOB2, &failure), REEL_OK);
    assert_int_equal(reel_final_index(store, ASSET, &st), REEL_OK);
    assert_int_equal(st.publication, 1);
}


static void
a_tombstone_wins(void **state)
{
    reel_result_t  r;

    (void) state;

    put_part(store, ASSET, REEL_PART_TOMBSTONE, "", 0);
    put_pending(1);
    assert_int_equal(reel_final_failed(store, JOB1, &failure), REEL_OK);
    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_NOTFOUND);
    assert_false(pending_stands(1));
}


static void
broken_records_count_as_none(void **state)
{
    reel_result_t    r;
    reel_standing_t  st;

    (void) state;

    put_part(store, ASSET, REEL_PART_RESULT, "{", 1);
    put_part(store, ASSET, REEL_PART_INDEX, "rubbish", 7);
    assert_int_equal(reel_final_index(store, ASSET, &st), REEL_NOTFOUND);
    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_NOTFOUND);

    assert_int_equal(reel_final_failed(store, JOB1, &failure), REEL_OK);
    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_OK);
    reel_result_release(&r);
}


static void
a_job_is_settled_once(void **state)
{
    (void) state;

    put_pending(1);
    assert_int_equal(reel_final_settle(store, JOB1), REEL_OK);
    assert_false(pending_stands(1));

    /* none: nothing to do */
    assert_int_equal(reel_final_settle(store, JOB1), REEL_OK);
    assert_int_equal(reel_final_settle(store, "no job"), REEL_INVAL);
}


/* the retry came when the result stood and its job was not yet settled */
static void
a_retry_is_not_settled_with_it(void **state)
{
    (void) state;

    put_pending(1);
    put_result(store, ASSET, 1, false);
    put_pending(2);

    assert_int_equal(reel_final_settle(store, JOB1), REEL_OK);
    assert_false(pending_stands(1));
    assert_true(pending_stands(2));

    /* nor by who settles it again, later */
    assert_int_equal(reel_final_failed(store, JOB1, &failure), REEL_OK);
    assert_true(pending_stands(2));

    assert_int_equal(reel_final_settle(store, JOB2), REEL_OK);
    assert_false(pending_stands(2));
}


static void
put_cancel(uint32_t publication)
{
    reel_key_t  key;

    assert_int_equal(reel_key_cancel(key, REEL_STR(ASSET), publication),
                     REEL_OK);
    assert_int_equal(reel_store_put_if_absent(store, key, NULL, 0), REEL_OK);
}


static bool
cancel_stands(const char *job)
{
    bool  stands;

    assert_int_equal(reel_final_cancelled(store, job, &stands), REEL_OK);

    return stands;
}


static void
expect_result(uint32_t publication, bool ready, const char *code)
{
    reel_result_t  r;

    assert_int_equal(reel_final_result(store, ASSET, &r), REEL_OK);
    assert_int_equal(r.publication, publication);
    assert_int_equal(r.ready, ready);
    if (!ready) {
        assert_string_equal(r.code, code);
    }
    assert_int_equal(reel_final_is_cancelled(&r, publication),
                     !ready && strcmp(code, "CANCELLED") == 0);
    reel_result_release(&r);
}


static void
what_is_cancelled_ends(void **state)
{
    reel_standing_t  st;

    (void) state;

    /* an upload's last steps: its entry comes with the end, or before */
    for (int i = 0; i < 2; i++) {
        put_cancel(1);
        put_index(store, ASSET, 1, true);
        assert_int_equal(reel_final_cancel(store, JOB1), REEL_OK);
        expect_result(1, false, "CANCELLED");
        assert_int_equal(reel_final_index(store, ASSET, &st), REEL_NOTFOUND);

        /* until Redis knows: whoever looks again changes nothing */
        assert_int_equal(reel_final_cancel(store, JOB1), REEL_OK);
        assert_true(pending_stands(1));
        assert_true(cancel_stands(JOB1));

        assert_int_equal(reel_final_settle(store, JOB1), REEL_OK);
        assert_false(pending_stands(1));
        assert_false(cancel_stands(JOB1));

        assert_int_equal(teardown(NULL), 0);
        assert_int_equal(setup(NULL), 0);
        put_pending(1);
    }
}


static void
a_cancelled_retry_replaces_what_failed(void **state)
{
    (void) state;

    put_result(store, ASSET, 1, false);
    put_pending(2);
    put_cancel(2);
    assert_int_equal(reel_final_cancel(store, JOB2), REEL_OK);
    expect_result(2, false, "CANCELLED");
    assert_true(pending_stands(2));
}


/* the cancel came too late, or twice: nothing is left of it */
static void
what_ended_is_not_cancelled(void **state)
{
    reel_key_t  key;

    (void) state;

    put_result(store, ASSET, 1, true);
    put_cancel(1);
    assert_int_equal(reel_final_cancel(store, JOB1), REEL_OK);
    expect_result(1, true, NULL);
    assert_false(cancel_stands(JOB1));
    assert_false(pending_stands(1));

    put_result(store, ASSET, 1, false);
    put_cancel(1);
    assert_int_equal(reel_final_cancel(store, JOB1), REEL_OK);
    expect_result(1, false, "CRASHED");
    assert_false(cancel_stands(JOB1));

    put_result(store, ASSET, 2, false);
    put_cancel(1);
    assert_int_equal(reel_final_cancel(store, JOB1), REEL_OK);
    expect_result(2, false, "CRASHED");
    assert_false(cancel_stands(JOB1));

    /* cancelled, and settled before */
    put_cancel(3);
    assert_int_equal(reel_final_cancel(store, ASSET ".3"), REEL_OK);
    assert_int_equal(reel_final_settle(store, ASSET ".3"), REEL_OK);
    put_cancel(3);
    assert_int_equal(reel_final_cancel(store, ASSET ".3"), REEL_OK);
    expect_result(3, false, "CANCELLED");
    assert_false(cancel_stands(ASSET ".3"));
    assert_false(pending_stands(3));

    put_part(store, ASSET, REEL_PART_TOMBSTONE, "{}", 2);
    put_cancel(4);
    assert_int_equal(reel_final_cancel(store, ASSET ".4"), REEL_OK);
    assert_false(cancel_stands(ASSET ".4"));

    assert_int_equal(reel_key_asset(key, REEL_STR(ASSET)), REEL_OK);
    assert_int_equal(reel_store_del_tree(store, key, NULL), REEL_OK);
    put_cancel(4);
    assert_int_equal(reel_final_cancel(store, ASSET ".4"), REEL_OK);
    assert_false(cancel_stands(ASSET ".4"));
    assert_false(pending_stands(4));
    assert_int_equal(reel_final_cancel(store, "no job"), REEL_INVAL);
}


/* publish writes just now: it is not waited for */
static void
a_cancel_does_not_wait(void **state)
{
    reel_multipart_t  *lock;

    (void) state;

    put_pending(1);
    put_cancel(1);
    assert_int_equal(reel_final_lock(store, ASSET, true, &lock), REEL_OK);
    assert_int_equal(reel_final_cancel(store, JOB1), REEL_AGAIN);
    reel_multipart_close(lock);
    assert_int_equal(reel_final_cancel(store, JOB1), REEL_OK);
    expect_result(1, false, "CANCELLED");
}


static void
what_is_ready_needs_no_task(void **state)
{
    (void) state;

    assert_false(reel_final_ready(store, ASSET, 1));
    put_index(store, ASSET, 1, true);
    assert_false(reel_final_ready(store, ASSET, 1));
    put_result(store, ASSET, 1, false);
    assert_false(reel_final_ready(store, ASSET, 1));
    put_index(store, ASSET, 1, false);
    put_result(store, ASSET, 1, true);
    assert_true(reel_final_ready(store, ASSET, 1));

    /* a retry makes all of it anew */
    assert_false(reel_final_ready(store, ASSET, 2));
    put_part(store, ASSET, REEL_PART_RESULT, "{", 1);
    assert_false(reel_final_ready(store, ASSET, 1));
}


static void
a_result_without_its_index_is_made_again(void **state)
{
    (void) state;

    put_result(store, ASSET, 1, true);
    assert_false(reel_final_ready(store, ASSET, 1));
}


#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        T(a_failure_is_written_once), T(what_is_rejected_has_its_own_words),
        T(a_ready_asset_is_not_failed),
        T(a_newer_publication_stays), T(an_older_one_is_replaced),
        T(its_growing_index_goes), T(its_growing_index_goes_later_too),
        T(a_complete_index_of_before_stays), T(a_tombstone_wins),
        T(broken_records_count_as_none), T(a_job_is_settled_once),
        T(a_retry_is_not_settled_with_it), T(what_is_cancelled_ends),
        T(a_cancelled_retry_replaces_what_failed),
        T(what_ended_is_not_cancelled), T(a_cancel_does_not_wait),
        T(what_is_ready_needs_no_task),
        T(a_result_without_its_index_is_made_again)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

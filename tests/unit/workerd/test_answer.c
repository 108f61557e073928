/* answers in scratch/, and which of two finished tries counts */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workerd/answer.h"

#define ASSET "01h00000000000000000000000"
#define JOB   ASSET ".1"

static reel_worker_t   worker;
static reel_attempt_t  one, two;


static void
begin(reel_attempt_t *a, char token)
{
    *a = (reel_attempt_t) { .w = &worker, .memfd = -1 };
    snprintf(a->job, sizeof(a->job), JOB);
    snprintf(a->asset, sizeof(a->asset), ASSET);
    snprintf(a->task, sizeof(a->task), "v0.0");
    snprintf(a->token, sizeof(a->token), "%c", token);
    memset(a->digest, 'd', 64);
}


/* puts an object of this try and adds it to its answer */
static void
make_object(reel_attempt_t *a, uint32_t from)
{
    reel_key_t      key;
    reel_encoded_t  o = {
        .frag_from = from, .nfrags = 1, .base = 1, .bytes = 3,
        .header_len = 1, .samples = 9, .kind = REEL_AUDIO,
        .timescale = 48000, .sample_rate = 48000, .channels = 2
    };

    snprintf(o.rendition, sizeof(o.rendition), "a128");
    snprintf(o.codec, sizeof(o.codec), "mp4a.40.2");
    snprintf(o.name, sizeof(o.name), "%u-%.8s.mp4", from, a->token);
    o.header = calloc(1, 1);
    o.frags = calloc(1, sizeof(*o.frags));
    o.frags[0] = (reel_ix_fragment_t) { 2, 9, 9, 0 };

    assert_int_equal(reel_key_object(key, REEL_STR(ASSET),
                                     reel_str(o.rendition),
                                     reel_str(o.name)), REEL_OK);
    assert_int_equal(reel_store_put_if_absent(worker.store, key, "abc", 3),
                     REEL_OK);
    assert_int_equal(reel_answer_add(&a->answer, &o), REEL_OK);
    a->published = a->answer.nobjects;
}


static bool
stands(const char *object)
{
    reel_key_t         key;
    reel_store_stat_t  st;

    assert_int_equal(reel_key_object(key, REEL_STR(ASSET), REEL_STR("a128"),
                                     reel_str(object)), REEL_OK);

    return reel_store_stat(worker.store, key, &st) == REEL_OK;
}


static int
setup(void **state)
{
    (void) state;

    begin(&one, 'A');
    begin(&two, 'B');

    return reel_store_mem_open(&worker.store) != REEL_OK;
}


static int
teardown(void **state)
{
    (void) state;

    reel_answer_release(&one.answer);
    reel_answer_release(&two.answer);
    reel_store_close(worker.store);

    return 0;
}


static void
the_first_answer_counts(void **state)
{
    reel_answer_t  a;

    (void) state;

    make_object(&one, 0);
    make_object(&two, 0);
    assert_int_equal(reel_answer_check(&one), REEL_OK);
    assert_int_equal(reel_answer_put(&one), REEL_OK);
    assert_int_equal(reel_answer_check(&two), REEL_EXISTS);

    assert_int_equal(reel_answer_put(&two), REEL_OK);
    assert_true(stands("0-A.mp4"));
    assert_false(stands("0-B.mp4"));

    assert_int_equal(reel_answer_read(worker.store, JOB, "v0.0.json", &a,
                                      NULL), REEL_OK);
    assert_string_equal(a.objects[0].name, "0-A.mp4");
    reel_answer_release(&a);
}


static void
an_answer_to_another_payload_is_replaced(void **state)
{
    (void) state;

    make_object(&one, 0);
    make_object(&two, 0);
    memset(two.digest, 'e', 64);
    assert_int_equal(reel_answer_put(&one), REEL_OK);
    assert_int_equal(reel_answer_check(&two), REEL_OK);
    assert_int_equal(reel_answer_put(&two), REEL_OK);
    assert_true(stands("0-B.mp4"));
    assert_int_equal(reel_answer_check(&two), REEL_EXISTS);
    assert_int_equal(reel_answer_check(&one), REEL_OK);
}


static void
an_answer_without_its_objects_is_replaced(void **state)
{
    reel_key_t  key;

    (void) state;

    make_object(&one, 0);
    make_object(&two, 0);
    assert_int_equal(reel_answer_put(&one), REEL_OK);
    assert_int_equal(reel_key_object(key, REEL_STR(ASSET), REEL_STR("a128"),
                                     REEL_STR("0-A.mp4")), REEL_OK);
    assert_int_equal(reel_store_replace(worker.store, key, "ab", 2),
                     REEL_OK);

    assert_int_equal(reel_answer_check(&two), REEL_OK);
    assert_int_equal(reel_answer_put(&two), REEL_OK);
    assert_true(stands("0-B.mp4"));
    assert_int_equal(reel_answer_check(&two), REEL_EXISTS);
}


static reel_err_t
open_fails(reel_store_t *s, const char *key, reel_object_t **o)
{
    (void) s;
    (void) key;
    (void) o;

    return REEL_IO;
}


/* publish may have read it: what cannot be read just now is no broken one */
static void
an_answer_that_cannot_be_read_is_not_replaced(void **state)
{
    reel_answer_t            a;
    reel_store_ops_t         broken = *worker.store->ops;
    const reel_store_ops_t  *ops = worker.store->ops;

    (void) state;

    make_object(&one, 0);
    make_object(&two, 0);
    assert_int_equal(reel_answer_put(&one), REEL_OK);

    broken.open = open_fails;
    worker.store->ops = &broken;
    assert_int_equal(reel_answer_end(&two, REEL_OK), REEL_IO);
    worker.store->ops = ops;

    assert_true(two.outcome.retry);
    assert_true(stands("0-A.mp4"));
    assert_false(stands("0-B.mp4"));
    assert_int_equal(reel_answer_read(worker.store, JOB, "v0.0.json", &a,
                                      NULL), REEL_OK);
    assert_string_equal(a.objects[0].name, "0-A.mp4");
    reel_answer_release(&a);
}


/*
 * One lost its lease, two resumed behind one's first object and was first;
 * what of one's two names must stay.
 */
static void
objects_that_another_built_on_stay(void **state)
{
    reel_encoded_t  o;
    reel_answer_t   part;

    (void) state;

    make_object(&one, 0);
    assert_int_equal(reel_answer_put_part(&one), REEL_OK);
    assert_int_equal(reel_answer_read(worker.store, JOB, "v0.0.part.json",
                                      &part, NULL), REEL_OK);
    o = part.objects[0];
    part.objects[0] = (reel_encoded_t) { 0 };
    reel_answer_release(&part);
    assert_int_equal(reel_answer_add(&two.answer, &o), REEL_OK);
    two.kept = two.published = 1;
    make_object(&two, 1);
    assert_int_equal(reel_answer_put(&two), REEL_OK);

    make_object(&one, 1);
    assert_int_equal(reel_answer_put(&one), REEL_OK);
    assert_true(stands("0-A.mp4"));
    assert_true(stands("1-B.mp4"));
    assert_false(stands("1-A.mp4"));
}


static void
withdrawn_objects_go_but_for_kept_ones(void **state)
{
    (void) state;

    make_object(&one, 0);
    one.kept = 1;
    make_object(&one, 1);
    reel_answer_withdraw(&one, NULL);
    assert_true(stands("0-A.mp4"));
    assert_false(stands("1-A.mp4"));
}


/* an earlier job's image, which the index may name */
static void
what_was_reused_is_not_withdrawn(void **state)
{
    reel_key_t         key;
    reel_store_stat_t  st;

    (void) state;

    make_object(&one, 0);
    assert_int_equal(reel_answer_put(&one), REEL_OK);

    snprintf(two.answer.image, sizeof(two.answer.image), "poster-0.jpg");
    two.answer.image_bytes = 3;
    two.answer.image_width = two.answer.image_height = 16;
    assert_int_equal(reel_key_object(key, REEL_STR(ASSET), REEL_STR("image"),
                                     REEL_STR("poster-0.jpg")), REEL_OK);
    assert_int_equal(reel_store_put_if_absent(worker.store, key, "abc", 3),
                     REEL_OK);

    two.reused = true;
    assert_int_equal(reel_answer_put(&two), REEL_OK);
    assert_int_equal(reel_store_stat(worker.store, key, &st), REEL_OK);

    two.reused = false;
    assert_int_equal(reel_answer_put(&two), REEL_OK);
    assert_int_equal(reel_store_stat(worker.store, key, &st),
                     REEL_NOTFOUND);
}


static void
a_line_must_sum_up(void **state)
{
    json_t          *v;
    reel_buf_t       b;
    reel_encoded_t   o;

    (void) state;

    make_object(&one, 0);
    reel_buf_init(&b, 10000);
    assert_int_equal(reel_encoded_print(&b, &one.answer.objects[0]),
                     REEL_OK);
    v = json_loadb((const char *) b.data, b.len, 0, NULL);
    assert_non_null(v);

    assert_int_equal(reel_answer_parse_object(&two, v, &o), REEL_OK);
    assert_int_equal(o.bytes, 3);
    reel_encoded_release(&o);

    json_object_set_new(v, "bytes", json_integer(4));
    assert_int_equal(reel_answer_parse_object(&two, v, &o), REEL_BADDATA);
    assert_true(two.outcome.failed);
    assert_string_equal(two.outcome.code, "INTERNAL");

    json_decref(v);
    reel_buf_release(&b);
}


static void
broken_answers_are_as_none(void **state)
{
    reel_key_t  key;

    (void) state;

    assert_int_equal(reel_key_scratch(key, REEL_STR(JOB),
                                      "v0.0.json"), REEL_OK);
    assert_int_equal(reel_store_replace(worker.store, key, "{\"", 2),
                     REEL_OK);
    assert_int_equal(reel_answer_check(&one), REEL_OK);
    make_object(&one, 0);
    assert_int_equal(reel_answer_put(&one), REEL_OK);
    assert_int_equal(reel_answer_check(&one), REEL_EXISTS);
}


#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        T(the_first_answer_counts),
        T(an_answer_to_another_payload_is_replaced),
        T(an_answer_without_its_objects_is_replaced),
        T(an_answer_that_cannot_be_read_is_not_replaced),
        T(objects_that_another_built_on_stay),
        T(withdrawn_objects_go_but_for_kept_ones),
        T(what_was_reused_is_not_withdrawn), T(a_line_must_sum_up),
        T(broken_answers_are_as_none)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* a twin's result: taken, waited for, and when it is neither */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/store/twins.h"
#include "workerd/answer.h"
#include "workerd/final.h"
#include "workerd/reuse.h"

#define ASSET "01h00000000000000000000000"
#define TWIN  "01h00000000000000000000001"
#define SUM   "0123456789abcdef0123456789abcdef" \
              "0123456789abcdef0123456789abcdef"

static reel_worker_t  worker;


static int
group_setup(void **state)
{
    (void) state;

    worker.conf.reuse = true;

    return reel_store_mem_open(&worker.store) != REEL_OK;
}


static int
group_teardown(void **state)
{
    (void) state;

    reel_store_close(worker.store);

    return 0;
}


static void
begin(reel_attempt_t *a, const char *asset, char digest)
{
    reel_key_t  key;

    *a = (reel_attempt_t) {
        .w = &worker, .ops = &reel_task_audio, .memfd = -1, .image = -1,
        .task = "a0", .project = "p", .timeout_s = 100
    };
    snprintf(a->asset, sizeof(a->asset), "%s", asset);
    snprintf(a->job, sizeof(a->job), "%s.%c", asset, digest);
    memset(a->digest, digest, 64);

    assert_int_equal(reel_key_asset_part(key, reel_str(asset),
                                         REEL_PART_REQUEST), REEL_OK);
    assert_int_equal(reel_store_replace(worker.store, key, "{}", 2),
                     REEL_OK);
    assert_int_equal(reel_reuse_join(a, SUM), REEL_OK);
}


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
    snprintf(o.name, sizeof(o.name), "%u-%c.mp4", from, a->digest[0]);
    o.header = calloc(1, 1);
    o.frags = calloc(1, sizeof(*o.frags));
    o.frags[0] = (reel_ix_fragment_t) { 2, 9, 9, 0 };

    assert_int_equal(reel_key_object(key, reel_str(a->asset),
                                     reel_str(o.rendition),
                                     reel_str(o.name)), REEL_OK);
    assert_int_equal(reel_store_put_if_absent(worker.store, key, "abc", 3),
                     REEL_OK);
    assert_int_equal(reel_answer_add(&a->answer, &o), REEL_OK);
}


/* what becomes of an answer of so many objects */
static reel_err_t
find(char digest, unsigned objects, bool *linked)
{
    char               name[32];
    reel_key_t         key;
    reel_err_t         err;
    reel_attempt_t     one, two;
    reel_store_stat_t  st;

    begin(&one, TWIN, digest);
    for (unsigned i = 0; i < objects; i++) {
        make_object(&one, i);
    }
    assert_int_equal(reel_answer_put(&one), REEL_OK);
    reel_answer_release(&one.answer);

    begin(&two, ASSET, digest);
    err = reel_reuse_find(&two);
    assert_int_equal(two.reused, err == REEL_EXISTS);
    assert_false(two.outcome.failed);
    reel_answer_release(&two.answer);
    reel_reuse_end(&two);

    snprintf(name, sizeof(name), "0-%c.mp4", digest);
    assert_int_equal(reel_key_object(key, REEL_STR(ASSET), REEL_STR("a128"),
                                     reel_str(name)), REEL_OK);
    *linked = reel_store_stat(worker.store, key, &st) == REEL_OK;

    return err;
}


/* who put the answer was killed before it kept it for others */
static void
a_standing_answer_is_kept(void **state)
{
    reel_key_t         key;
    reel_attempt_t     one, two;
    reel_store_stat_t  st;

    (void) state;

    begin(&one, TWIN, '7');
    make_object(&one, 0);
    assert_int_equal(reel_answer_put(&one), REEL_OK);

    assert_int_equal(reel_key_object(key, REEL_STR(TWIN),
                                     REEL_STR(REEL_FOLDER_PARTS),
                                     (reel_str_t) { one.digest, 48 }),
                     REEL_OK);
    assert_int_equal(reel_store_del(worker.store, key), REEL_OK);
    reel_answer_release(&one.answer);

    assert_int_equal(reel_answer_check(&one), REEL_EXISTS);
    assert_int_equal(reel_store_stat(worker.store, key, &st), REEL_OK);

    begin(&two, ASSET, '7');
    assert_int_equal(reel_answer_check(&two), REEL_EXISTS);
    assert_true(two.reused);
    reel_answer_release(&two.answer);
    reel_reuse_end(&two);
}


static void
the_loop_is_not_held(void **state)
{
    bool  linked;

    (void) state;

    assert_int_equal(find('1', 256, &linked), REEL_EXISTS);
    assert_true(linked);

    /* one more, and nothing is begun */
    assert_int_equal(find('2', 257, &linked), REEL_OK);
    assert_false(linked);
}


static void
what_a_twin_does_is_waited_for(void **state)
{
    reel_attempt_t  one, two;

    (void) state;

    begin(&one, TWIN, '3');
    begin(&two, ASSET, '3');
    assert_int_equal(reel_reuse_find(&one), REEL_OK);
    assert_int_equal(reel_reuse_find(&two), REEL_AGAIN);
    assert_string_equal(two.outcome.code, "TWIN");
    assert_true(two.outcome.retry);
    assert_in_range(two.again_ms, 1000, 2500);

    /* another run of the same asset's goes on */
    begin(&two, TWIN, '3');
    assert_int_equal(reel_reuse_find(&two), REEL_OK);
    assert_null(two.work);

    make_object(&one, 0);
    assert_int_equal(reel_answer_put(&one), REEL_OK);
    reel_answer_release(&one.answer);
    reel_reuse_end(&one);

    begin(&two, ASSET, '3');
    assert_int_equal(reel_reuse_find(&two), REEL_EXISTS);
    reel_answer_release(&two.answer);
    reel_reuse_end(&two);
}


/* a worker that sleeps: a minute longer than any try of the task */
static void
not_for_ever(void **state)
{
    char               hash[REEL_TWINS_HASH];
    uint32_t           for_s;
    reel_attempt_t     two;
    reel_multipart_t  *work;
    const struct {
        int64_t    ago_s;
        unsigned   from, to;
        reel_err_t err;
    } cases[] = {
        { 4, 4000, 6250, REEL_AGAIN }, { 150, 20000, 25000, REEL_AGAIN },
        { 170, 0, 0, REEL_OK }
    };

    (void) state;

    begin(&two, TWIN, '4');
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(&two, ASSET, '4');
        assert_int_equal(reel_twins_hash(worker.store, REEL_STR(ASSET), hash),
                         REEL_OK);
        assert_int_equal(reel_twins_begin(worker.store, hash, two.digest,
                                          TWIN, reel_unix_ms() / 1000
                                          - cases[i].ago_s, &work, &for_s),
                         REEL_OK);
        assert_int_equal(reel_reuse_find(&two), cases[i].err);
        assert_in_range(two.again_ms, cases[i].from, cases[i].to);
        assert_int_equal(two.outcome.failed, cases[i].err != REEL_OK);
        assert_null(two.work);
        reel_twins_end(work);
    }
}


/* what the log has got since, of so many bytes */
static size_t
logged(FILE *f, int was, char *text, size_t cap)
{
    size_t  n;

    assert_return_code(dup2(was, STDERR_FILENO), 0);
    rewind(f);
    n = fread(text, 1, cap - 1, f);
    text[n] = '\0';

    return n;
}


/* a store that has no locks to give: here, no digest to find their place by */
static void
that_it_cannot_be_known_is_said_once(void **state)
{
    int             was = dup(STDERR_FILENO);
    char            text[4096], *at;
    FILE           *f = tmpfile();
    reel_attempt_t  one;

    (void) state;

    assert_true(was != -1 && f != NULL);
    worker.lacks = (reel_lacks_t) { 0 };
    assert_return_code(dup2(fileno(f), STDERR_FILENO), 0);
    for (char digest = 'u'; digest <= 'z'; digest++) {
        begin(&one, ASSET, digest);
        assert_int_equal(reel_reuse_find(&one), REEL_OK);
        assert_null(one.work);
    }
    assert_in_range(logged(f, was, text, sizeof(text)), 1, sizeof(text) - 2);
    (void) fclose(f);
    (void) close(was);

    at = strstr(text, "twins may do the same at the same time: ");
    assert_non_null(at);
    assert_non_null(strstr(at, "; said once a minute"));
    assert_null(strstr(at + 1, "twins may do"));
}


/* both tasks of one asset at once; who sweeps it excludes them */
static void
names_are_given_side_by_side(void **state)
{
    reel_attempt_t     two;
    reel_multipart_t  *lock, *swept;

    (void) state;

    begin(&two, TWIN, '5');
    make_object(&two, 0);
    assert_int_equal(reel_answer_put(&two), REEL_OK);
    reel_answer_release(&two.answer);

    begin(&two, ASSET, '5');
    assert_int_equal(reel_final_lock_task(worker.store, ASSET, "another",
                                          &lock), REEL_OK);
    assert_int_equal(reel_final_lock_all(worker.store, ASSET, &swept),
                     REEL_AGAIN);
    assert_int_equal(reel_reuse_find(&two), REEL_EXISTS);
    reel_answer_release(&two.answer);
    reel_reuse_end(&two);
    reel_multipart_close(lock);

    begin(&two, ASSET, '5');
    assert_int_equal(reel_final_lock_all(worker.store, ASSET, &swept),
                     REEL_OK);
    assert_int_equal(reel_reuse_find(&two), REEL_OK);
    reel_reuse_end(&two);
    reel_multipart_close(swept);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_standing_answer_is_kept),
        cmocka_unit_test(the_loop_is_not_held),
        cmocka_unit_test(what_a_twin_does_is_waited_for),
        cmocka_unit_test(not_for_ever),
        cmocka_unit_test(that_it_cannot_be_known_is_said_once),
        cmocka_unit_test(names_are_given_side_by_side),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

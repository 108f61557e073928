/* objects in pieces that are opened again, locked, copied and cut */

#include <string.h>

#include "tests/unit/store/suite.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BLOCK    65536u         /* whole blocks of any file system */
#define FAR      (5ull << 40)


static reel_multipart_t *
start(reel_store_t *s, const char *staging)
{
    reel_multipart_t  *m;

    assert_int_equal(reel_multipart_create(s, staging, 0, &m), REEL_OK);

    return m;
}


static reel_multipart_t *
reopen(reel_store_t *s, const char *staging)
{
    reel_multipart_t  *m;

    assert_int_equal(reel_multipart_open(s, staging, &m), REEL_OK);
    assert_non_null(m);

    return m;
}


static void
fill(reel_multipart_t *m, uint64_t off, uint8_t byte, size_t n)
{
    size_t   i, step;
    uint8_t  buf[4096];

    memset(buf, byte, sizeof(buf));

    for (i = 0; i < n; i += step) {
        step = n - i < sizeof(buf) ? n - i : sizeof(buf);
        assert_int_equal(reel_multipart_write(m, off + i, buf, step),
                         REEL_OK);
    }
}


static void
assert_bytes(reel_multipart_t *m, uint64_t off, uint8_t byte, size_t n)
{
    size_t   i, at, step, got;
    uint8_t  buf[4096];

    for (i = 0; i < n; i += step) {
        step = n - i < sizeof(buf) ? n - i : sizeof(buf);
        assert_int_equal(reel_multipart_read(m, off + i, buf, step, &got),
                         REEL_OK);
        assert_int_equal(got, step);

        for (at = 0; at < step; at++) {
            assert_int_equal(buf[at], byte);
        }
    }
}


static void
assert_size(reel_multipart_t *m, uint64_t want)
{
    uint64_t  size = 1;

    assert_int_equal(reel_multipart_size(m, &size), REEL_OK);
    assert_true(size == want);
}


static void
open_again(void **state)
{
    char               buf[8];
    size_t             n;
    reel_store_t      *s = *state;
    reel_multipart_t  *a, *b;

    assert_int_equal(reel_multipart_open(s, "up/1/data", &a), REEL_NOTFOUND);
    assert_null(a);
    assert_int_equal(reel_multipart_open(s, "../x", &a), REEL_INVAL);
    assert_null(a);

    a = start(s, "up/1/data");
    assert_size(a, 0);
    assert_int_equal(reel_multipart_write(a, 0, "hello", 5), REEL_OK);
    reel_multipart_close(a);
    reel_multipart_close(NULL);
    assert_object(s, "up/1/data", "hello");

    a = reopen(s, "up/1/data");
    b = reopen(s, "up/1/data");
    assert_int_equal(reel_multipart_write(a, 5, " world", 6), REEL_OK);
    assert_size(b, 11);
    assert_int_equal(reel_multipart_read(b, 6, buf, sizeof(buf), &n),
                     REEL_OK);
    assert_int_equal(n, 5);
    assert_memory_equal(buf, "world", 5);
    assert_int_equal(reel_multipart_read(b, 11, buf, 1, &n), REEL_OK);
    assert_int_equal(n, 0);
    assert_int_equal(reel_multipart_sync(b), REEL_OK);
    reel_multipart_close(a);

    assert_int_equal(reel_multipart_complete(b, "a/source"), REEL_OK);
    assert_object(s, "a/source", "hello world");
    assert_absent(s, "up/1/data");

    /* a folder is no staged object, nor is what has nothing left */
    assert_int_equal(put(s, "up/2/x", "y"), REEL_OK);
    assert_true(reel_multipart_open(s, "up/2", &a) != REEL_OK);
    assert_null(a);
}


static void
publish(void **state)
{
    reel_store_t       *s = *state;
    reel_multipart_t   *m;
    reel_store_stat_t   a, b;

    m = start(s, "up/1/data");
    assert_int_equal(reel_multipart_write(m, 0, "bytes", 5), REEL_OK);
    assert_int_equal(put(s, "a/taken", "first"), REEL_OK);

    /* a failure costs nothing */
    assert_int_equal(reel_multipart_publish(m, "a/../x"), REEL_INVAL);
    assert_int_equal(reel_multipart_publish(m, "a/taken"), REEL_EXISTS);
    assert_object(s, "a/taken", "first");
    assert_object(s, "up/1/data", "bytes");

    assert_int_equal(reel_multipart_publish(m, "a/source"), REEL_OK);
    assert_object(s, "a/source", "bytes");
    assert_int_equal(reel_store_stat(s, "up/1/data", &a), REEL_OK);
    assert_int_equal(reel_store_stat(s, "a/source", &b), REEL_OK);
    assert_true(a.version == b.version);
    assert_int_equal(reel_store_stat(s, "a/taken", &b), REEL_OK);
    assert_true(a.version != b.version);

    /* again, by another that went on */
    reel_multipart_close(m);
    m = reopen(s, "up/1/data");
    assert_int_equal(reel_multipart_publish(m, "a/source"), REEL_EXISTS);
    reel_multipart_abort(m);
    assert_absent(s, "up/1/data");
    assert_object(s, "a/source", "bytes");

    m = start(s, "up/1/data");
    assert_int_equal(reel_store_del(s, "up/1/data"), REEL_OK);
    assert_int_equal(reel_multipart_publish(m, "a/new"), REEL_NOTFOUND);
    assert_absent(s, "a/new");
    reel_multipart_close(m);
}


static void
truncate_and_reserve(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    m = start(s, "up/1");
    assert_int_equal(reel_multipart_reserve(m, 0, 1 << 20), REEL_OK);
    assert_int_equal(reel_multipart_reserve(m, 5 << 20, 1 << 20), REEL_OK);
    assert_int_equal(reel_multipart_reserve(m, 5, 0), REEL_OK);
    assert_int_equal(reel_multipart_reserve(m, INT64_MAX, 1), REEL_INVAL);
    assert_size(m, 0);

    assert_int_equal(reel_multipart_write(m, 0, "0123456789", 10), REEL_OK);
    assert_int_equal(reel_multipart_truncate(m, 4), REEL_OK);
    assert_size(m, 4);

    /* what was cut off does not come back */
    assert_int_equal(reel_multipart_truncate(m, BLOCK + 3), REEL_OK);
    assert_bytes(m, 4, 0, BLOCK - 1);
    assert_size(m, BLOCK + 3);
    assert_int_equal(reel_multipart_truncate(m, UINT64_MAX), REEL_INVAL);
    assert_int_equal(reel_multipart_truncate(m, 4), REEL_OK);

    assert_int_equal(reel_multipart_complete(m, "a"), REEL_OK);
    assert_object(s, "a", "0123");
}


static void
far_away(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    m = start(s, "up/1");
    fill(m, FAR, 7, 10);
    assert_size(m, FAR + 10);
    assert_bytes(m, FAR - 100, 0, 100);
    assert_bytes(m, 5ull << 30, 0, 1000);
    assert_bytes(m, FAR, 7, 10);
    assert_int_equal(reel_multipart_copy(m, 0, m, FAR, 10), REEL_OK);
    assert_int_equal(reel_multipart_truncate(m, 10), REEL_OK);
    assert_bytes(m, 0, 7, 10);
    reel_multipart_abort(m);
}


static void
copy(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *a, *b;

    a = start(s, "up/a");
    b = start(s, "up/b");
    fill(a, 0, 1, 3 * BLOCK);
    fill(a, 3 * BLOCK, 2, 100);

    /* whole blocks, odd ones, none, behind the end */
    assert_int_equal(reel_multipart_copy(b, BLOCK, a, 0, 2 * BLOCK), REEL_OK);
    assert_int_equal(reel_multipart_copy(b, 3 * BLOCK, a, 3 * BLOCK - 7, 107),
                     REEL_OK);
    assert_int_equal(reel_multipart_copy(b, 0, a, 5, 0), REEL_OK);
    assert_size(b, 3 * BLOCK + 107);
    assert_bytes(b, 0, 0, BLOCK);
    assert_bytes(b, BLOCK, 1, 2 * BLOCK + 7);
    assert_bytes(b, 3 * BLOCK + 7, 2, 100);

    assert_int_equal(reel_multipart_copy(b, 0, a, 3 * BLOCK, 101), REEL_IO);
    assert_int_equal(reel_multipart_copy(b, 0, a, 9 * BLOCK, 1), REEL_IO);
    assert_int_equal(reel_multipart_copy(b, INT64_MAX, a, 0, 1), REEL_INVAL);

    /* within one: side by side only */
    assert_int_equal(reel_multipart_copy(a, 3 * BLOCK + 100, a, 3 * BLOCK,
                                         100), REEL_OK);
    assert_bytes(a, 3 * BLOCK, 2, 200);
    assert_int_equal(reel_multipart_copy(a, 0, a, 99, 100), REEL_INVAL);
    assert_int_equal(reel_multipart_copy(a, 99, a, 0, 100), REEL_INVAL);

    /* the copy is one of its own */
    fill(a, 0, 9, BLOCK);
    assert_bytes(b, BLOCK, 1, BLOCK);

    reel_multipart_abort(a);
    reel_multipart_abort(b);
}


static void
collapse(void **state)
{
    reel_err_t         err;
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    m = start(s, "up/1");
    fill(m, BLOCK, 3, BLOCK);
    fill(m, 2 * BLOCK, 4, 33);

    assert_int_equal(reel_multipart_collapse(m, 0), REEL_OK);
    assert_int_equal(reel_multipart_collapse(m, 3), REEL_UNSUPPORTED);
    assert_int_equal(reel_multipart_collapse(m, 4 * BLOCK),
                     REEL_UNSUPPORTED);
    assert_size(m, 2 * BLOCK + 33);
    assert_bytes(m, BLOCK, 3, BLOCK);

    err = reel_multipart_collapse(m, BLOCK);

    if (err == REEL_UNSUPPORTED) {
        assert_size(m, 2 * BLOCK + 33);
        reel_multipart_abort(m);
        print_message("skipped: collapse: not on this file system\n");
        skip();
    }

    assert_int_equal(err, REEL_OK);
    assert_size(m, BLOCK + 33);
    assert_bytes(m, 0, 3, BLOCK);
    assert_bytes(m, BLOCK, 4, 33);
    reel_multipart_abort(m);
}


/* a medium that cannot leaves them: but the others' are never touched */
static void
punch(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    m = start(s, "up/1");
    fill(m, 0, 3, 4 * BLOCK);

    reel_multipart_punch(m, 5, 0);
    reel_multipart_punch(m, INT64_MAX, 7);
    assert_bytes(m, 0, 3, 4 * BLOCK);

    reel_multipart_punch(m, BLOCK - 10, BLOCK + 20);
    assert_size(m, 4 * BLOCK);
    assert_bytes(m, 0, 3, BLOCK - 10);
    assert_bytes(m, BLOCK - 10, 0, BLOCK + 20);
    assert_bytes(m, 2 * BLOCK + 10, 3, 2 * BLOCK - 10);
    reel_multipart_abort(m);
}


static void
assert_holder(reel_multipart_t *m, uint64_t off, uint64_t len, uint64_t want)
{
    uint64_t  first = 0;

    assert_int_equal(reel_multipart_holder(m, off, len, &first), REEL_OK);
    assert_true(first == want);
}


static void
locks(void **state)
{
    uint64_t           first;
    reel_store_t      *s = *state;
    reel_multipart_t  *a, *b, *c;

    a = start(s, "up/1");
    b = reopen(s, "up/1");
    c = reopen(s, "up/1");

    assert_int_equal(reel_multipart_holder(b, 0, 100, &first),
                     REEL_NOTFOUND);
    assert_int_equal(reel_multipart_lock(a, 10, 1, false), REEL_OK);
    assert_int_equal(reel_multipart_lock(a, 10, 1, false), REEL_OK);
    assert_int_equal(reel_multipart_lock(b, 11, 1, false), REEL_OK);
    assert_int_equal(reel_multipart_lock(b, 20, 5, true), REEL_OK);

    assert_int_equal(reel_multipart_lock(b, 10, 1, false), REEL_AGAIN);
    assert_int_equal(reel_multipart_lock(c, 0, 11, false), REEL_AGAIN);
    assert_int_equal(reel_multipart_lock(c, 0, 10, false), REEL_OK);
    assert_int_equal(reel_multipart_lock(c, 12, 8, false), REEL_OK);
    assert_int_equal(reel_multipart_lock(c, 24, 1, false), REEL_AGAIN);
    assert_int_equal(reel_multipart_lock(c, 25, 1, false), REEL_OK);

    /* where the range begins that somebody else holds */
    assert_holder(c, 9, 5, 10);
    assert_holder(c, 22, 1, 20);
    assert_holder(a, 11, 100, 11);
    assert_int_equal(reel_multipart_holder(a, 10, 1, &first), REEL_NOTFOUND);
    assert_int_equal(reel_multipart_holder(a, 26, 100, &first),
                     REEL_NOTFOUND);

    /* out of the middle */
    reel_multipart_unlock(b, 22, 1);
    assert_int_equal(reel_multipart_lock(a, 22, 1, false), REEL_OK);
    assert_int_equal(reel_multipart_lock(a, 21, 1, false), REEL_AGAIN);
    assert_int_equal(reel_multipart_lock(a, 23, 1, false), REEL_AGAIN);
    assert_holder(a, 23, 1, 23);

    /* all of it goes with its handle */
    reel_multipart_close(b);
    assert_int_equal(reel_multipart_lock(a, 20, 5, false), REEL_OK);
    assert_int_equal(reel_multipart_lock(a, 11, 1, false), REEL_OK);
    assert_int_equal(reel_multipart_lock(c, 11, 1, false), REEL_AGAIN);
    reel_multipart_close(a);
    assert_int_equal(reel_multipart_lock(c, 0, 1000, false), REEL_OK);

    assert_int_equal(reel_multipart_lock(c, 5, 0, false), REEL_INVAL);
    assert_int_equal(reel_multipart_lock(c, INT64_MAX, 1, false),
                     REEL_INVAL);
    assert_int_equal(reel_multipart_holder(c, 5, 0, &first), REEL_INVAL);
    reel_multipart_abort(c);

    /* of another object: another matter */
    a = start(s, "up/1");
    b = start(s, "up/2");
    assert_int_equal(reel_multipart_lock(a, 0, 1, false), REEL_OK);
    assert_int_equal(reel_multipart_lock(b, 0, 1, false), REEL_OK);
    reel_multipart_abort(a);
    reel_multipart_abort(b);
}


int
store_suite_staged(const char *name, CMFixtureFunction setup,
    CMFixtureFunction teardown)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest  tests[] = {
        TEST(open_again),
        TEST(publish),
        TEST(truncate_and_reserve),
        TEST(far_away),
        TEST(copy),
        TEST(collapse),
        TEST(punch),
        TEST(locks),
    };
#undef TEST

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

/*
 * Several threads on one store of the fs back end.  cmocka's assertions
 * belong to the main thread: the others count what went wrong.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/help/stores.h"
#include "tests/unit/store/suite.h"

#define THREADS 4


typedef struct {
    reel_store_t *s;
    unsigned      id;
    atomic_uint  *won;          /* puts that were the first */
    atomic_uint  *wrong;
    atomic_bool  *stop;
} worker_t;

typedef void *(*worker_fn)(void *);


static void
all(worker_t *w, worker_fn fn)
{
    size_t      i;
    pthread_t   t[THREADS];

    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, fn, &w[i]), 0);
    }

    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
    }
}


static void
init(worker_t *w, reel_store_t *s, atomic_uint *won, atomic_uint *wrong,
    atomic_bool *stop)
{
    unsigned  i;

    atomic_init(won, 0);
    atomic_init(wrong, 0);
    atomic_init(stop, false);

    for (i = 0; i < THREADS; i++) {
        w[i] = (worker_t) { s, i, won, wrong, stop };
    }
}


static void *
put_same(void *arg)
{
    char         key[32];
    unsigned     i;
    worker_t    *w = arg;
    reel_err_t   err;

    for (i = 0; i < 50; i++) {
        (void) snprintf(key, sizeof(key), "a/%u/k", i);
        err = reel_store_put_if_absent(w->s, key, &w->id, sizeof(w->id));

        if (err == REEL_OK) {
            atomic_fetch_add(w->won, 1);

        } else if (err != REEL_EXISTS) {
            atomic_fetch_add(w->wrong, 1);
        }
    }

    return NULL;
}


/* of those who put one key, one is the first */
static void
one_winner(void **state)
{
    worker_t     w[THREADS];
    atomic_uint  won, wrong;
    atomic_bool  stop;

    init(w, *state, &won, &wrong, &stop);
    all(w, put_same);

    assert_int_equal(atomic_load(&wrong), 0);
    assert_int_equal(atomic_load(&won), 50);
}


static void *
complete_same(void *arg)
{
    char               staging[32], key[32];
    unsigned           i;
    worker_t          *w = arg;
    reel_err_t         err;
    reel_multipart_t  *m;

    for (i = 0; i < 30; i++) {
        (void) snprintf(staging, sizeof(staging), "s/%u/%u", i, w->id);
        (void) snprintf(key, sizeof(key), "b/%u", i);

        if (reel_multipart_create(w->s, staging, 4, &m) != REEL_OK) {
            atomic_fetch_add(w->wrong, 1);
            continue;
        }

        if (reel_multipart_write(m, 0, "data", 4) != REEL_OK) {
            atomic_fetch_add(w->wrong, 1);
        }

        err = reel_multipart_complete(m, key);

        if (err == REEL_OK) {
            atomic_fetch_add(w->won, 1);

        } else if (err != REEL_EXISTS) {
            atomic_fetch_add(w->wrong, 1);
        }
    }

    return NULL;
}


static void
one_publisher(void **state)
{
    worker_t     w[THREADS];
    atomic_uint  won, wrong;
    atomic_bool  stop;

    init(w, *state, &won, &wrong, &stop);
    all(w, complete_same);

    assert_int_equal(atomic_load(&wrong), 0);
    assert_int_equal(atomic_load(&won), 30);
    assert_list(*state, "s", "");
}


/* folders come and go under each other's hands */
static void *
put_and_delete(void *arg)
{
    char               key[64], staging[64];
    unsigned           i;
    worker_t          *w = arg;
    reel_multipart_t  *m;

    for (i = 0; i < 150; i++) {
        (void) snprintf(key, sizeof(key), "q/x/y/z/%u", w->id);
        (void) snprintf(staging, sizeof(staging), "q/x/u/%u", w->id);

        if (reel_store_put_if_absent(w->s, key, "x", 1) != REEL_OK
            || reel_store_replace(w->s, key, "y", 1) != REEL_OK
            || reel_store_del(w->s, key) != REEL_OK
            || reel_multipart_create(w->s, staging, 0, &m) != REEL_OK
            || reel_multipart_complete(m, key) != REEL_OK
            || reel_store_del(w->s, key) != REEL_OK)
        {
            atomic_fetch_add(w->wrong, 1);
        }
    }

    return NULL;
}


static void
vanishing_folders(void **state)
{
    worker_t     w[THREADS];
    atomic_uint  won, wrong;
    atomic_bool  stop;

    init(w, *state, &won, &wrong, &stop);
    all(w, put_and_delete);

    assert_int_equal(atomic_load(&wrong), 0);
    assert_list(*state, "q", "");
}


/* one replaces, the others must never see a mixture */
static void *
replace_or_read(void *arg)
{
    char         data[5000];
    size_t       i;
    unsigned     round;
    worker_t    *w = arg;
    reel_buf_t   b;

    for (round = 0; w->id == 0 && round < 200; round++) {
        memset(data, 'a' + (int) (round % 26), sizeof(data));

        if (reel_store_replace(w->s, "r/k", data, sizeof(data) - round)
            != REEL_OK)
        {
            atomic_fetch_add(w->wrong, 1);
        }
    }

    if (w->id == 0) {
        atomic_store(w->stop, true);
        return NULL;
    }

    do {
        if (reel_store_get(w->s, "r/k", sizeof(data), &b) != REEL_OK
            || b.len < sizeof(data) - 200)
        {
            atomic_fetch_add(w->wrong, 1);

        } else {
            for (i = 1; i < b.len && b.data[i] == b.data[0]; i++) {
                /* void */
            }

            if (i != b.len
                || (b.len != sizeof(data)
                    && (sizeof(data) - b.len) % 26 + 'a' != b.data[0]))
            {
                atomic_fetch_add(w->wrong, 1);
            }
        }

        reel_buf_release(&b);
        atomic_fetch_add(w->won, 1);

    } while (!atomic_load(w->stop));

    return NULL;
}


static void
no_mixture(void **state)
{
    char         data[5000];
    worker_t     w[THREADS];
    atomic_uint  won, wrong;
    atomic_bool  stop;

    memset(data, 'a', sizeof(data));
    assert_int_equal(reel_store_replace(*state, "r/k", data, sizeof(data)),
                     REEL_OK);

    init(w, *state, &won, &wrong, &stop);
    all(w, replace_or_read);

    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(atomic_load(&won) >= THREADS - 1);
    assert_list(*state, "r", "k");
}


/* pieces of one multipart from several threads, each at its offset */
typedef struct {
    reel_multipart_t *m;
    unsigned          id;
    unsigned          wrong;
} piece_t;


static void *
write_pieces(void *arg)
{
    char      data[1000];
    piece_t  *p = arg;
    unsigned  i;

    memset(data, 'a' + (int) p->id, sizeof(data));

    for (i = 0; i < 40; i++) {
        if (reel_multipart_write(p->m, (i * THREADS + p->id) * sizeof(data),
                                 data, sizeof(data))
            != REEL_OK)
        {
            p->wrong++;
        }
    }

    return NULL;
}


static void
parallel_pieces(void **state)
{
    size_t             i;
    piece_t            p[THREADS];
    pthread_t          t[THREADS];
    reel_buf_t         b;
    reel_multipart_t  *m;

    assert_int_equal(reel_multipart_create(*state, "u/1", 160000, &m),
                     REEL_OK);

    for (i = 0; i < THREADS; i++) {
        p[i] = (piece_t) { m, (unsigned) i, 0 };
        assert_int_equal(pthread_create(&t[i], NULL, write_pieces, &p[i]),
                         0);
    }

    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
        assert_int_equal(p[i].wrong, 0);
    }

    assert_int_equal(reel_multipart_complete(m, "k"), REEL_OK);
    assert_int_equal(reel_store_get(*state, "k", 1 << 20, &b), REEL_OK);
    assert_int_equal(b.len, 40 * THREADS * 1000);

    for (i = 0; i < b.len; i++) {
        assert_int_equal(b.data[i], 'a' + i / 1000 % THREADS);
    }

    reel_buf_release(&b);
}


int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fs_setup, store_teardown)
    const struct CMUnitTest  tests[] = {
        TEST(one_winner),
        TEST(one_publisher),
        TEST(vanishing_folders),
        TEST(no_mixture),
        TEST(parallel_pieces),
    };

    return cmocka_run_group_tests_name("fs race", tests, NULL, NULL);
}

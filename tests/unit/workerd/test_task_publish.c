/*
 * publish0 and publish as their child runs them, and what may happen while
 * they do.  The child tells its progress between the look at what stands
 * and the write; here nobody reads that line, so it raises SIGPIPE, and the
 * handler does meanwhile what another worker would.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/index/writer.h"
#include "lib/store/fs.h"
#include "lib/store/layout.h"
#include "tests/unit/workerd/records.h"
#include "workerd/attempt.h"
#include "workerd/final.h"

#define ASSET "01h00000000000000000000000"
#define CHUNK 2

static reel_worker_t   worker;
static reel_attempt_t  attempt;
static reel_publish_t  film;
static char            folder[] = "/tmp/reel-publish-XXXXXX";
static char            dir[sizeof(folder)];
static void          (*meanwhile)(void);


/* chunk c of the film, in scratch/ and as an object */
static void
put_chunk(uint32_t c)
{
    char                name[REEL_TASK_NAME + 8];
    uint8_t             bytes[256] = { 0 };
    reel_key_t          key;
    reel_buf_t          b;
    reel_ix_fragment_t  frags[CHUNK];
    reel_encoded_t      o = {
        .frag_from = c * CHUNK, .nfrags = CHUNK, .kind = REEL_VIDEO,
        .base = 4, .bytes = 4, .header = (uint8_t *) "head",
        .header_len = 4, .timescale = 30000, .width = 426, .height = 240,
        .rate = { 30, 1 }, .rendition = "v240", .codec = "avc1.64001f",
        .frags = frags
    };
    reel_answer_t       a = { .objects = &o, .nobjects = 1 };

    for (uint32_t k = 0; k < CHUNK; k++) {
        frags[k] = (reel_ix_fragment_t) {
            .size = 100, .samples = 60, .duration = 60000, .iframe = 10
        };
        o.bytes += frags[k].size;
        o.samples += frags[k].samples;
    }

    snprintf(o.name, sizeof(o.name), "%u-7-0123456789abcdef.mp4", c);
    memset(a.digest, 'd', 64);

    assert_int_equal(reel_key_object(key, REEL_STR(ASSET), REEL_STR("v240"),
                                     reel_str(o.name)), REEL_OK);
    assert_int_equal(reel_store_put_if_absent(worker.store, key, bytes,
                                              o.bytes), REEL_OK);

    snprintf(name, sizeof(name), "v%u.0.json", c);
    reel_buf_init(&b, 10000);
    assert_int_equal(reel_answer_print(&b, &a), REEL_OK);
    assert_int_equal(reel_key_scratch(key, reel_str(attempt.job), name),
                     REEL_OK);
    assert_int_equal(reel_store_replace(worker.store, key, b.data, b.len),
                     REEL_OK);
    reel_buf_release(&b);
}


/* a film of two chunks whose parts all stand, to be published as 1 */
static int
setup(void **state)
{
    reel_error_t  e = { "" };

    (void) state;

    memcpy(dir, folder, sizeof(folder));
    if (mkdtemp(dir) == NULL
        || reel_store_fs_open(dir, &worker.store, &e) != REEL_OK)
    {
        return -1;
    }

    snprintf(worker.conf.store, sizeof(worker.conf.store), "%s", dir);
    attempt = (reel_attempt_t) {
        .w = &worker, .job = ASSET ".1", .asset = ASSET, .publication = 1
    };
    film = (reel_publish_t) {
        .grid = { .timescale = 30000, .gop_ts = 60000, .frame_ts = 1000,
                  .fragments = 2 * CHUNK, .end_ts = 240000 },
        .frag_to = 2 * CHUNK, .chunks = 2, .first_groups = 1, .groups = 1,
        .frames = 240
    };
    meanwhile = NULL;

    put_part(worker.store, ASSET, REEL_PART_REQUEST, "{}", 2);
    put_chunk(0);
    put_chunk(1);

    return 0;
}


static int
teardown(void **state)
{
    int    status;
    pid_t  pid;

    (void) state;

    reel_store_close(worker.store);

    pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", dir, (char *) NULL);
        _exit(1);
    }

    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}


static void
on_progress(int signo)
{
    void  (*fn)(void) = meanwhile;

    (void) signo;

    meanwhile = NULL;
    if (fn != NULL) {
        fn();
    }
}


static void
in_child(void)
{
    int           fd[2];
    reel_child_t  io = { .source_fd = -1 };

    signal(SIGPIPE, on_progress);
    if (pipe(fd) != 0) {
        _exit(99);
    }
    close(fd[0]);
    io.ctl_fd = fd[1];

    if (reel_task_publish.run(&io, &attempt) != 0) {
        _exit(1);
    }

    /* else nothing happened meanwhile, and the test says nothing */
    _exit(meanwhile == NULL ? 0 : 98);
}


/* the exit status; fn runs between its look and its write */
static int
publish(bool growing, void (*fn)(void))
{
    int         status = 0;
    pid_t       pid;
    reel_buf_t  b;

    film.growing = growing;
    film.frag_to = growing ? CHUNK : 2 * CHUNK;
    meanwhile = fn;

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_publish_print(&b, &film), REEL_OK);
    attempt.payload = (char *) reel_buf_cstr(&b);
    attempt.payload_len = b.len;

    pid = fork();
    if (pid == 0) {
        in_child();
    }

    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    reel_buf_release(&b);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}


static void
index_is(uint32_t publication, bool growing)
{
    reel_standing_t  ix = { 0 };

    assert_int_equal(reel_final_index(worker.store, ASSET, &ix), REEL_OK);
    assert_int_equal(ix.publication, publication);
    assert_int_equal(ix.growing, growing);
}


static void
no_index(void)
{
    reel_standing_t  ix;

    assert_int_equal(reel_final_index(worker.store, ASSET, &ix),
                     REEL_NOTFOUND);
}


static void
the_job_ends_ready(void)
{
    put_index(worker.store, ASSET, 1, false);
    put_result(worker.store, ASSET, 1, true);
}


static void
the_next_publication_grows(void)
{
    put_index(worker.store, ASSET, 2, true);
}


static void
the_next_publication_ends(void)
{
    put_index(worker.store, ASSET, 2, false);
    put_result(worker.store, ASSET, 2, true);
}


static void
the_next_publication_fails(void)
{
    put_result(worker.store, ASSET, 2, false);
}


static void
the_job_fails(void)
{
    put_result(worker.store, ASSET, 1, false);
}


static void
the_asset_is_deleted(void)
{
    put_part(worker.store, ASSET, REEL_PART_TOMBSTONE, "", 0);
}


static void
first_growing_then_whole(void **state)
{
    reel_result_t    r;
    reel_standing_t  first = { 0 }, last = { 0 };

    (void) state;

    assert_int_equal(publish(true, NULL), 0);
    index_is(1, true);
    assert_int_equal(reel_final_index(worker.store, ASSET, &first), REEL_OK);
    assert_int_equal(reel_final_result(worker.store, ASSET, &r),
                     REEL_NOTFOUND);

    assert_int_equal(publish(false, NULL), 0);
    index_is(1, false);
    assert_int_equal(reel_final_index(worker.store, ASSET, &last), REEL_OK);
    assert_memory_equal(first.salt, last.salt, sizeof(first.salt));
    assert_int_equal(first.created_ms, last.created_ms);

    assert_int_equal(reel_final_result(worker.store, ASSET, &r), REEL_OK);
    assert_true(r.ready);
    assert_int_equal(r.duration_ms, 8000);
    reel_result_release(&r);
}


static void
a_late_growing_one_leaves_the_whole(void **state)
{
    (void) state;

    assert_int_equal(publish(true, the_job_ends_ready), 0);
    index_is(1, false);
}


static void
a_late_growing_one_leaves_a_newer(void **state)
{
    (void) state;

    assert_int_equal(publish(true, the_next_publication_grows), 0);
    index_is(2, true);
}


static void
a_late_whole_one_leaves_a_newer(void **state)
{
    reel_result_t  r;

    (void) state;

    assert_int_equal(publish(false, the_next_publication_ends), 0);
    index_is(2, false);
    assert_int_equal(reel_final_result(worker.store, ASSET, &r), REEL_OK);
    assert_int_equal(r.publication, 2);
    reel_result_release(&r);
}


static void
a_late_whole_one_leaves_a_newer_that_failed(void **state)
{
    reel_result_t  r;

    (void) state;

    assert_int_equal(publish(false, the_next_publication_fails), 0);
    no_index();
    assert_int_equal(reel_final_result(worker.store, ASSET, &r), REEL_OK);
    assert_int_equal(r.publication, 2);
    assert_false(r.ready);
    reel_result_release(&r);
}


/* the first to write it fixed its salt, of which content keys are made */
static void
a_late_whole_one_leaves_the_same(void **state)
{
    reel_standing_t  ix = { 0 };

    (void) state;

    assert_int_equal(publish(false, the_job_ends_ready), 0);
    assert_int_equal(reel_final_index(worker.store, ASSET, &ix), REEL_OK);
    assert_int_equal(ix.salt[0], 0x5a);
    assert_int_equal(ix.created_ms, 77);
}


/* another worker has begun to write and sleeps; it goes on in a moment */
static void
another_writes(void)
{
    int                fd[2];
    char               c;
    reel_error_t       e = { "" };
    reel_store_t      *s;
    reel_multipart_t  *lock;

    if (pipe(fd) != 0) {
        abort();
    }

    if (fork() == 0) {
        if (reel_store_fs_open(dir, &s, &e) != REEL_OK
            || reel_final_lock(s, ASSET, true, &lock) != REEL_OK
            || write(fd[1], "", 1) != 1)
        {
            _exit(1);
        }
        usleep(300000);
        put_index(worker.store, ASSET, 2, false);
        put_result(worker.store, ASSET, 2, true);
        _exit(0);
    }

    if (read(fd[0], &c, 1) != 1) {
        abort();
    }
}


static void
a_sleeping_writer_is_waited_for(void **state)
{
    reel_multipart_t  *lock;

    (void) state;

    assert_int_equal(publish(false, another_writes), 0);
    index_is(2, false);

    /* the main loop does not wait */
    assert_int_equal(reel_final_lock(worker.store, ASSET, false, &lock),
                     REEL_OK);
    assert_int_equal(reel_final_failed(worker.store, ASSET ".3",
                     &(reel_failure_t) { "CRASHED", "x", "", "" }),
                     REEL_AGAIN);
    reel_multipart_close(lock);
    assert_int_equal(reel_final_failed(worker.store, ASSET ".3",
                     &(reel_failure_t) { "CRASHED", "x", "", "" }), REEL_OK);
}


static void
a_failed_job_shows_nothing_late(void **state)
{
    (void) state;

    assert_int_equal(publish(true, the_job_fails), 0);
    no_index();

    /* and when it failed before the look */
    assert_int_equal(publish(true, NULL), 0);
    no_index();
}


static void
a_deleted_asset_shows_nothing_late(void **state)
{
    (void) state;

    assert_int_equal(publish(true, the_asset_is_deleted), 0);
    no_index();
}


static void
a_deleted_asset_is_not_published_late(void **state)
{
    reel_result_t  r;

    (void) state;

    assert_int_equal(publish(false, the_asset_is_deleted), 0);
    no_index();
    assert_int_equal(reel_final_result(worker.store, ASSET, &r),
                     REEL_NOTFOUND);
}


static void
the_whole_of_before_is_shown_meanwhile(void **state)
{
    (void) state;

    put_index(worker.store, ASSET, 1, false);
    put_result(worker.store, ASSET, 1, true);
    snprintf(attempt.job, sizeof(attempt.job), ASSET ".2");
    attempt.publication = 2;
    assert_int_equal(publish(true, NULL), 0);
    index_is(1, false);
}


#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        T(first_growing_then_whole), T(a_late_growing_one_leaves_the_whole),
        T(a_late_growing_one_leaves_a_newer),
        T(a_late_whole_one_leaves_a_newer),
        T(a_late_whole_one_leaves_a_newer_that_failed),
        T(a_late_whole_one_leaves_the_same),
        T(a_sleeping_writer_is_waited_for),
        T(a_failed_job_shows_nothing_late),
        T(a_deleted_asset_shows_nothing_late),
        T(a_deleted_asset_is_not_published_late),
        T(the_whole_of_before_is_shown_meanwhile)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

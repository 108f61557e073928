/* the sweep of assets, on the store without rename; time is a number here */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/index/writer.h"
#include "lib/job/record.h"
#include "lib/store/twins.h"
#include "workerd/final.h"
#include "workerd/sweep_pass.h"
#include "workerd/worker.h"

#define ASSET  "01h00000000000000000000000"
#define PREFIX "assets/00/" ASSET "/"
#define HOUR   3600000

static reel_store_t       *store;
static reel_sweep_pass_t   pass;
static bool                growing;     /* what put_index writes */


static int
setup(void **state)
{
    (void) state;

    pass = (reel_sweep_pass_t) {
        .now_ms = reel_unix_ms() + HOUR,
        .object_age_ms = 60000
    };

    return reel_store_mem_open(&store) != REEL_OK;
}


static int
teardown(void **state)
{
    (void) state;
    reel_store_close(store);

    return 0;
}


static void
put(const char *key, const char *text)
{
    assert_int_equal(reel_store_replace(store, key, text, strlen(text)),
                     REEL_OK);
}


static bool
stands(const char *key)
{
    reel_store_stat_t  st;

    return reel_store_stat(store, key, &st) == REEL_OK;
}


static bool                retryable;   /* what put_result writes */


static void
put_result(uint32_t publication, bool ready)
{
    reel_buf_t     b;
    reel_result_file_t  kept = { "words", "a.vtt", "0-7-ab", 1 };
    reel_result_t  r = {
        .files = &kept, .nfiles = ready,
        .asset = (char *) ASSET, .publication = publication, .ready = ready,
        .code = ready ? NULL : "CRASHED", .stage = ready ? NULL : "x",
        .detail = ready ? NULL : "x", .log = ready ? NULL : "",
        .retryable = retryable
    };

    reel_buf_init(&b, 10000);
    assert_int_equal(reel_result_print(&b, &r), REEL_OK);
    put(PREFIX "result.json", reel_buf_cstr(&b));
    reel_buf_release(&b);
}


/* names v240/0-1-00000000000000aa.mp4, v240/odd.mp4, image/p.jpg */
static void
put_index(uint32_t publication)
{
    reel_buf_t                 b;
    reel_error_t               e = { "" };
    static reel_index_t        ix;
    const reel_ix_fragment_t   f[2] = { { 10, 2000, 60, 5 },
                                        { 10, 2000, 60, 5 } };
    const reel_ix_object_t     o[2] = {
        { REEL_STR("0-1-00000000000000aa.mp4"), 0, 1, 1, &f[0] },
        { REEL_STR("odd.mp4"), 0, 1, 1, &f[1] }
    };
    const reel_ix_rendition_t  r = {
        .head = {
            .name = REEL_STR("v240"), .kind = REEL_VIDEO,
            .codec = REEL_STR("avc1.64001f"), .timescale = 1000,
            .width = 426, .height = 240, .rate_num = 30, .rate_den = 1
        },
        .nobjects = 2, .objects = o
    };

    ix = (reel_index_t) {
        .publication = publication, .timescale = 1000, .gop_ts = 2000,
        .fragments = 2, .end_ts = 4000, .nheaders = 1, .nimages = 1, .npictures = 1,
        .growing = growing
    };
    ix.headers[0] = REEL_STR("header");
    ix.pictures[0] = (reel_pictures_t) {
        .object = REEL_STR("s.jpgs"), .width = 16, .height = 9, .columns = 1,
        .rows = 1, .interval_ms = 2000, .count = 1,
        .size_bytes = REEL_STR("\x01")
    };
    ix.images[0] = (reel_image_t) { REEL_IMAGE_POSTER, REEL_STR("p.jpg"), 1,
                                    1, 1 };

    reel_buf_init(&b, 10000);
    assert_int_equal(reel_index_write(&b, &ix, &r, 1, &e), REEL_OK);
    assert_int_equal(reel_store_replace(store, PREFIX "index", b.data,
                                        b.len), REEL_OK);
    reel_buf_release(&b);
}


static void
put_objects(void)
{
    put(PREFIX "v240/0-1-00000000000000aa.mp4", "x");
    put(PREFIX "v240/odd.mp4", "x");
    put(PREFIX "v240/0-1-00000000000000ab.mp4", "x");
    put(PREFIX "v720/0-1-00000000000000aa.mp4", "x");
    put(PREFIX "image/p.jpg", "x");
    put(PREFIX "image/q.jpg", "x");
    put(PREFIX "file/0-7-ab", "x");
    put(PREFIX "file/1-7-ab", "x");
    put(PREFIX "image/s.jpgs", "x");
    put(PREFIX "source", "x");
    put(PREFIX "request.json", "{}");
    put("scratch/" ASSET ".1/v0.0.json", "{}");
}


static void
unnamed_ones_go(void **state)
{
    (void) state;

    put_objects();
    put_index(1);
    put_result(1, true);
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);

    assert_int_equal(pass.objects, 4);
    assert_int_equal(pass.jobs, 1);
    assert_true(stands(PREFIX "v240/0-1-00000000000000aa.mp4"));
    assert_true(stands(PREFIX "v240/odd.mp4"));
    assert_true(stands(PREFIX "image/p.jpg"));
    assert_true(stands(PREFIX "image/s.jpgs"));
    assert_true(stands(PREFIX "file/0-7-ab"));
    assert_false(stands(PREFIX "file/1-7-ab"));
    assert_true(stands(PREFIX "source"));
    assert_true(stands(PREFIX "index"));
    assert_false(stands(PREFIX "v240/0-1-00000000000000ab.mp4"));
    assert_false(stands(PREFIX "v720/0-1-00000000000000aa.mp4"));
    assert_false(stands(PREFIX "image/q.jpg"));
    assert_false(stands("scratch/" ASSET ".1/v0.0.json"));
}


static void
left_alone(unsigned objects)
{
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_int_equal(pass.objects, objects);
    assert_int_equal(pass.jobs, 0);
    assert_true(stands("scratch/" ASSET ".1/v0.0.json"));
    assert_true(stands(PREFIX "v720/0-1-00000000000000aa.mp4"));
}


static void
not_while_pending(void **state)
{
    (void) state;
    put_objects();
    put_index(1);
    put_result(1, true);
    put("pending/" ASSET ".1", "");
    left_alone(0);

    /* nor while a retry is: its number is the next */
    assert_int_equal(reel_store_del(store, "pending/" ASSET ".1"), REEL_OK);
    put("pending/" ASSET ".2", "");
    left_alone(0);

    assert_int_equal(reel_store_del(store, "pending/" ASSET ".2"), REEL_OK);
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_int_equal(pass.jobs, 1);
}


static void
not_before_its_end(void **state)
{
    (void) state;
    put_objects();
    put_index(1);
    left_alone(0);
}


static void
not_by_an_older_result(void **state)
{
    (void) state;
    put_objects();
    put_index(1);
    put_result(1, true);
    put("scratch/" ASSET ".2/v0.0.json", "{}");
    assert_int_equal(reel_store_del(store, "scratch/" ASSET
                                    ".1/v0.0.json"), REEL_OK);
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_int_equal(pass.objects + pass.jobs, 0);
}


static void
not_so_soon(void **state)
{
    (void) state;
    pass.now_ms = 30000;        /* this store's objects are of 1970 */
    put_objects();
    put_index(1);
    put_result(1, true);
    left_alone(0);
}


static void
not_without_the_index_of_a_ready_asset(void **state)
{
    (void) state;
    put_objects();
    put_result(1, true);
    left_alone(0);
}


static void
not_with_a_broken_index(void **state)
{
    (void) state;
    put_objects();
    put_result(1, true);
    put(PREFIX "index", "rubbish");
    left_alone(0);
}


static void
not_when_a_named_one_is_gone(void **state)
{
    (void) state;
    put_objects();
    put_index(1);
    put_result(1, true);
    assert_int_equal(reel_store_del(store, PREFIX "v240/odd.mp4"), REEL_OK);
    left_alone(0);
    assert_true(stands(PREFIX "image/q.jpg"));
}


static void
all_objects_of_an_errored_asset_go(void **state)
{
    (void) state;
    put_objects();
    put_result(1, false);
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_int_equal(pass.objects, 9);
    assert_true(stands(PREFIX "source"));
    assert_true(stands(PREFIX "result.json"));
}


static void
all_of_a_deleted_asset_goes(void **state)
{
    (void) state;
    put_objects();
    put_index(1);
    put(PREFIX "tombstone", "");
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_false(stands(PREFIX "source"));
    assert_false(stands(PREFIX "index"));
    assert_false(stands(PREFIX "v240/odd.mp4"));
    assert_true(stands(PREFIX "tombstone"));
    assert_int_equal(pass.jobs, 1);
}


/* what a child wrote while it was stopped goes with the next pass */
static void
a_deleted_asset_is_looked_at_until_its_tombstone_is_old(void **state)
{
    int64_t  now_ms = pass.now_ms;

    (void) state;
    put_objects();
    put(PREFIX "tombstone", "");
    pass.now_ms = 30000;
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_false(stands(PREFIX "source"));
    assert_int_equal(pass.jobs, 0);

    put(PREFIX "v240/late.mp4", "");
    pass.now_ms = now_ms;
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_false(stands(PREFIX "v240/late.mp4"));
    assert_false(stands("scratch/" ASSET ".1/v0.0.json"));
    assert_int_equal(pass.jobs, 1);
}


static void
what_is_no_job_is_no_job(void **state)
{
    (void) state;
    put("scratch/check-w", "");
    put("scratch/notes/x", "");
    put("scratch/" ASSET ".01/x", "");
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_true(stands("scratch/check-w"));
    assert_true(stands("scratch/notes/x"));
    assert_true(stands("scratch/" ASSET ".01/x"));
}


/* publish0 was late: the parts that its index does not name are the film */
static void
not_with_a_growing_index_of_a_ready_asset(void **state)
{
    (void) state;
    put_objects();
    growing = true;
    put_index(1);
    growing = false;
    put_result(1, true);
    left_alone(0);
    assert_true(stands(PREFIX "v240/0-1-00000000000000ab.mp4"));

    put_index(1);
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_int_equal(pass.jobs, 1);
}


/* reuse.h: what a retry need not make again */
static void
an_errored_asset_keeps_its_parts_for_a_retry(void **state)
{
    (void) state;
    put_objects();
    retryable = true;
    put_result(1, false);
    retryable = false;
    pass.retry_age_ms = pass.now_ms;
    left_alone(0);

    pass.retry_age_ms = HOUR;
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_int_equal(pass.objects, 9);
}


/* under the lock of who may just name what would be deleted */
static void
not_while_somebody_holds_the_lock(void **state)
{
    reel_multipart_t  *lock;

    (void) state;
    put_objects();
    put_result(1, false);
    assert_int_equal(reel_final_lock(store, ASSET, false, &lock), REEL_OK);
    left_alone(0);
    reel_multipart_close(lock);
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_int_equal(pass.objects, 9);
}


static void
put_part(const char *key, const char *poster)
{
    char  text[256];

    snprintf(text, sizeof(text), "{\"digest\":\"%064d\",\"objects\":[],"
             "\"image\":\"%s\",\"image_width\":1,\"image_height\":1,"
             "\"image_bytes\":1}", 0, poster);
    put(key, text);
}


static void
answers_go_with_their_objects(void **state)
{
    (void) state;
    put_objects();
    put_index(1);
    put_result(1, true);
    put_part(PREFIX "parts/named", "p.jpg");
    put_part(PREFIX "parts/unnamed", "q.jpg");
    put(PREFIX "parts/broken", "{");
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_int_equal(pass.objects, 4);
    assert_true(stands(PREFIX "parts/named"));
    assert_false(stands(PREFIX "parts/unnamed"));
    assert_false(stands(PREFIX "parts/broken"));
}


#define HASH  "ab00000000000000000000000000000000000000000000000000000000000000"
#define OTHER "01h00000000000000000000001"


/* those of whom nothing stands, or a tombstone */
static void
twins_that_are_gone_go(void **state)
{
    (void) state;
    put(PREFIX "request.json", "{}");
    assert_int_equal(reel_twins_join(store, REEL_STR(ASSET), HASH), REEL_OK);
    assert_int_equal(reel_twins_join(store, REEL_STR(OTHER), HASH), REEL_OK);

    pass.twins = 0xac;
    assert_int_equal(reel_sweep_twins(store, &pass), REEL_OK);
    assert_true(stands("twins/ab/" HASH "/" OTHER));
    pass.twins = 0xab;
    assert_int_equal(reel_sweep_twins(store, &pass), REEL_OK);
    assert_false(stands("twins/ab/" HASH "/" OTHER));
    assert_true(stands("twins/ab/" HASH "/" ASSET));

    put(PREFIX "tombstone", "");
    assert_int_equal(reel_sweep_twins(store, &pass), REEL_OK);
    assert_false(stands("twins/ab/" HASH "/" ASSET));
}


static void
a_deleted_asset_leaves_its_twins(void **state)
{
    (void) state;
    put_objects();
    assert_int_equal(reel_twins_join(store, REEL_STR(ASSET), HASH), REEL_OK);
    put(PREFIX "tombstone", "");
    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_false(stands("twins/ab/" HASH "/" ASSET));

    /* whatever its record says */
    put(PREFIX "twins", "../../x");
    assert_int_equal(reel_twins_leave(store, REEL_STR(ASSET)), REEL_OK);
}


#define FOLDER "scratch/" ASSET ".1/look-7-ab.d"


/* links and pipes are no objects of a store of files */
static void
folders_of_programs_go(void **state)
{
    char          dir[] = "/tmp/reel-sweep-XXXXXX", path[128];
    reel_error_t  e = { "" };

    (void) state;

    reel_store_close(store);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(reel_store_fs_open(dir, &store, &e), REEL_OK);
    pass.root = dir;

    put_objects();
    put_index(1);
    put_result(1, true);
    snprintf(path, sizeof(path), "%s/" FOLDER, dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/" FOLDER "/in", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/" FOLDER "/in/source", dir);
    assert_int_equal(symlink(dir, path), 0);

    assert_int_equal(reel_sweep_scratch(store, &pass), REEL_OK);
    assert_int_equal(pass.jobs, 1);
    assert_true(stands(PREFIX "source"));
    snprintf(path, sizeof(path), "%s/scratch/" ASSET ".1", dir);
    assert_int_equal(access(path, F_OK), -1);

    snprintf(path, sizeof(path), "rm -rf %s", dir);
    assert_int_equal(system(path), 0);
}


#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        T(unnamed_ones_go), T(not_while_pending), T(not_before_its_end),
        T(not_by_an_older_result), T(not_so_soon),
        T(not_without_the_index_of_a_ready_asset),
        T(not_with_a_broken_index), T(not_when_a_named_one_is_gone),
        T(all_objects_of_an_errored_asset_go),
        T(all_of_a_deleted_asset_goes),
        T(a_deleted_asset_is_looked_at_until_its_tombstone_is_old),
        T(what_is_no_job_is_no_job),
        T(not_with_a_growing_index_of_a_ready_asset),
        T(an_errored_asset_keeps_its_parts_for_a_retry),
        T(not_while_somebody_holds_the_lock),
        T(answers_go_with_their_objects), T(twins_that_are_gone_go),
        T(a_deleted_asset_leaves_its_twins), T(folders_of_programs_go)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

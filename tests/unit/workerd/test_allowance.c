/*
 * What a child may cost: the longest lines that honest children write, of a
 * film of twelve hours, and what they may be.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/job/record.h"
#include "workerd/allowance.h"

#define ASSET   "01h00000000000000000000000"
#define HOURS12 (12 * 3600)
#define KIB     1024

static reel_child_t  child;
static char         *said;              /* all that the child wrote */


static int
setup(void **state)
{
    (void) state;

    child = (reel_child_t) { .source_fd = -1 };
    child.ctl_fd = memfd_create("lines", MFD_CLOEXEC);

    return child.ctl_fd < 0;
}


static int
teardown(void **state)
{
    (void) state;

    free(said);
    said = NULL;
    close(child.ctl_fd);

    return 0;
}


/* bytes of the longest line, its newline too */
static size_t
longest(void)
{
    off_t    end = lseek(child.ctl_fd, 0, SEEK_END);
    size_t   n, most = 0;
    char    *p, *nl;

    assert_true(end > 0);
    said = malloc((size_t) end + 1);
    assert_non_null(said);
    assert_int_equal(pread(child.ctl_fd, said, (size_t) end, 0), end);
    said[end] = '\0';

    for (p = said; (nl = strchr(p, '\n')) != NULL; p = nl + 1) {
        n = (size_t) (nl - p) + 1;
        most = n > most ? n : most;
    }

    assert_int_equal(*p, '\0');

    return most;
}


static void
fits(reel_attempt_t *a, const reel_task_ops_t *ops, size_t max)
{
    size_t  n = longest();

    a->ops = ops;
    print_message("%s: %zu of %zu bytes\n", reel_task_type_name(ops->type),
                  n, reel_allowance_line(a));

    assert_true(n <= reel_allowance_line(a));
    assert_int_equal(reel_allowance_line(a), max);
}


/* 60 pictures a second, each a key frame, by a clock of nanoseconds */
static void
film_make(reel_source_t *s)
{
    size_t  n = 60 * HOURS12;

    *s = (reel_source_t) {
        .format = "matroska,webm", .bytes = 1,
        .video = {
            .codec = "h264", .tb = { 1, 1000000000 },
            .frames = n, .constant_rate = true, .rate = { 60, 1 },
            .width = 1920, .height = 1080, .nkeyframes = n,
            .last_dur = 1000000000 / 60
        },
        .audio = {
            .stream = 1, .codec = "aac", .tb = { 1, 48000 },
            .end_pts = 48000LL * HOURS12, .sample_rate = 48000,
            .channels = 2, .language = "en"
        }
    };

    s->video.keyframes = malloc(n * sizeof(int64_t));
    assert_non_null(s->video.keyframes);
    for (size_t i = 0; i < n; i++) {
        s->video.keyframes[i] = (int64_t) (i * 1000000000 / 60);
    }
    s->video.last_pts = s->video.keyframes[n - 1];
}


static void
facts_of_a_long_film(void **state)
{
    reel_source_t   s;
    reel_attempt_t  a = { 0 };

    (void) state;

    film_make(&s);
    assert_int_equal(reel_child_source(&child, &s), REEL_OK);
    reel_source_release(&s);
    fits(&a, &reel_task_inspect, 1024 * KIB);
}


/* as many as are printed, as far apart as time stamps can be */
static void
facts_of_any_film(void **state)
{
    reel_source_t   s;
    reel_attempt_t  a = { 0 };
    int64_t         step = REEL_PTS_MAX / (REEL_SOURCE_KEYFRAMES / 2);

    (void) state;

    film_make(&s);
    s.video.nkeyframes = REEL_SOURCE_KEYFRAMES - 1;
    for (size_t i = 0; i < s.video.nkeyframes; i++) {
        s.video.keyframes[i] = -REEL_PTS_MAX + (int64_t) i * step;
    }

    assert_int_equal(reel_child_source(&child, &s), REEL_OK);
    reel_source_release(&s);
    fits(&a, &reel_task_inspect, 1024 * KIB);
    assert_in_range(strlen(said), 900 * KIB, 1024 * KIB);
}


static void
make_object(reel_encoded_t *o, uint32_t frags, reel_ix_fragment_t f)
{
    *o = (reel_encoded_t) {
        .frag_from = UINT32_MAX, .nfrags = frags, .base = UINT64_MAX / 2,
        .bytes = UINT64_MAX / 2, .samples = UINT64_MAX / 2,
        .header_len = 16 * KIB, .timescale = UINT32_MAX,
        .width = UINT32_MAX, .height = UINT32_MAX,
        .rate = { UINT32_MAX, UINT32_MAX }, .kind = REEL_VIDEO
    };

    memset(o->rendition, 'r', sizeof(o->rendition) - 1);
    memset(o->codec, '"', sizeof(o->codec) - 1);
    o->header = calloc(1, o->header_len);
    o->frags = malloc(frags * sizeof(f));
    assert_true(o->header != NULL && o->frags != NULL);
    for (uint32_t i = 0; i < frags; i++) {
        o->frags[i] = f;
    }
}


/* a film with one key frame is one chunk */
static void
a_film_that_cannot_be_cut(void **state)
{
    reel_encoded_t  o;
    reel_attempt_t  a = { .frags = HOURS12 / 2 };

    (void) state;

    make_object(&o, a.frags, (reel_ix_fragment_t) {
        .size = UINT32_MAX, .duration = UINT32_MAX, .samples = 1u << 20,
        .iframe = UINT32_MAX
    });
    assert_int_equal(reel_child_object(&child, &o, 15, 0), REEL_OK);
    reel_encoded_release(&o);
    fits(&a, &reel_task_video, 64 * KIB + 48 * HOURS12 / 2);
}


static void
a_chunk_like_most(void **state)
{
    reel_encoded_t  o;
    reel_attempt_t  a = { .frags = 6 };

    (void) state;

    make_object(&o, a.frags, (reel_ix_fragment_t) { 2000000, 60060, 60,
                                                    100000 });
    assert_int_equal(reel_child_object(&child, &o, 0, 0), REEL_OK);
    reel_encoded_release(&o);
    fits(&a, &reel_task_video, 64 * KIB + 48 * 6);
}


/* the most that a pipeline can ask: 600 s an object, 500 ms a fragment */
static void
a_long_object_of_sound(void **state)
{
    reel_encoded_t  o;
    reel_attempt_t  a = { .frags = 1200 };

    (void) state;

    make_object(&o, a.frags, (reel_ix_fragment_t) {
        .size = UINT32_MAX, .duration = UINT32_MAX, .samples = 1u << 20
    });
    o.kind = REEL_AUDIO;
    memset(o.language, 'x', sizeof(o.language) - 1);
    assert_int_equal(reel_child_object(&child, &o, 0, UINT64_MAX / 2),
                     REEL_OK);
    reel_encoded_release(&o);
    fits(&a, &reel_task_audio, 64 * KIB + 48 * 1200);
}


static void
put(reel_store_t *s, const char *key, reel_buf_t *b)
{
    assert_int_equal(reel_store_replace(s, key, b->data, b->len), REEL_OK);
    reel_buf_release(b);
}


/* twelve hours in chunks of 12 s: publish waits for thousands of tasks */
static void
a_long_plan(void **state)
{
    char              dir[] = "/tmp/reel-allowance-XXXXXX", command[64];
    reel_buf_t        b;
    reel_store_t     *store;
    reel_worker_t     w = { .npipelines = 1 };
    reel_attempt_t    a = { .w = &w, .job = ASSET ".1", .asset = ASSET,
                            .pipeline = "default" };
    reel_source_t     s;
    reel_pipeline_t   pl;
    reel_request_t    rq = {
        .asset = (char *) ASSET, .project = (char *) "p",
        .pipeline = (char *) "default", .name = (char *) "film.mkv",
        .content_type = (char *) "video/x-matroska", .size = 1,
        .created_ms = 1
    };

    (void) state;

    reel_pipeline_default(&pl);
    w.pipelines = &pl;
    assert_non_null(mkdtemp(dir));
    snprintf(w.conf.store, sizeof(w.conf.store), "%s", dir);
    assert_int_equal(reel_store_fs_open(dir, &store, NULL), REEL_OK);

    film_make(&s);
    reel_buf_init(&b, REEL_ANSWER_MAX);
    assert_int_equal(reel_source_print(&b, &s), REEL_OK);
    reel_source_release(&s);
    put(store, "scratch/" ASSET ".1/inspect.json", &b);

    reel_buf_init(&b, REEL_RECORD_MAX);
    assert_int_equal(reel_request_print(&b, &rq), REEL_OK);
    put(store, "assets/00/" ASSET "/request.json", &b);
    reel_store_close(store);

    assert_int_equal(reel_task_plan.run(&child, &a), 0);
    fits(&a, &reel_task_plan, 512 * KIB);
    assert_non_null(strstr(said, " v2000.0 "));

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}


static void
images_and_errors_are_small(void **state)
{
    char            text[300];
    reel_attempt_t  a = { 0 };

    (void) state;

    /* each of these becomes six bytes */
    memset(text, '\x01', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';

    assert_int_equal(reel_child_image(&child, UINT32_MAX, UINT32_MAX,
                                      UINT32_MAX, UINT32_MAX), REEL_OK);
    assert_int_equal(reel_child_fail(&child, true, "UNSUPPORTED_CODEC",
                                     "inspect", "%s", text), 1);
    fits(&a, &reel_task_poster, 4 * KIB);
    free(said);
    fits(&a, &reel_task_publish, 4 * KIB);
    assert_non_null(strstr(said, "UNSUPPORTED_CODEC"));
}


static void
none_is_beyond_the_most(void **state)
{
    reel_attempt_t  a = { .ops = &reel_task_video, .frags = UINT32_MAX };

    (void) state;

    assert_int_equal(reel_allowance_line(&a), REEL_CHILD_LINE_MAX);
}


/* the sound of film [from, end) at 128 kbit/s, as the child is given it */
static uint64_t
memory_of_sound(reel_worker_t *w, uint32_t from)
{
    uint64_t             bytes;
    reel_buf_t           b;
    reel_child_t         io = { .source_fd = -1 };
    reel_attempt_t       a = {
        .w = w, .ops = &reel_task_audio, .memfd = -1, .job = ASSET ".1",
        .asset = ASSET, .task = "a1", .token = "T", .timeout_s = 7
    };
    reel_encode_audio_t  t = {
        .grid = { .timescale = 90000, .gop_ts = 180000,
                  .fragments = HOURS12 / 2,
                  .end_ts = 90000LL * HOURS12 },
        .stream = 1, .tb = { 1, 48000 }, .name = "a128", .kbps = 128,
        .channels = 2, .sample_rate = 48000, .object_frags = 30,
        .frag_from = from, .frag_to = HOURS12 / 2
    };

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_audio_print(&b, &t), REEL_OK);
    a.payload = reel_buf_take(&b, &a.payload_len);
    assert_int_equal(reel_attempt_prepare(&a, &io), REEL_OK);

    bytes = reel_allowance_limits(&a, 5).output_bytes;
    assert_int_equal(reel_allowance_limits(&a, 5).cpu_s, 7);
    assert_int_equal(a.frags, 30);

    close(a.memfd);
    free(a.data);
    free(a.payload);

    return bytes;
}


static void
memory_is_what_the_sound_can_need(void **state)
{
    reel_worker_t  w = { .conf = { .memory_mib = 4096, .output_mib = 16384 } };

    (void) state;

    assert_int_equal(reel_store_mem_open(&w.store), REEL_OK);

    /* 2 × 16000 bytes a second, 4 KiB a fragment, 1 MiB */
    assert_int_equal(memory_of_sound(&w, 0),
                     32000LL * HOURS12 + 4 * KIB * (HOURS12 / 2) + KIB * KIB);
    assert_int_equal(memory_of_sound(&w, HOURS12 / 2 - 2),
                     32000 * 4 + 4 * KIB * 2 + KIB * KIB);

    /* and never more than a file */
    w.conf.output_mib = 16;
    assert_int_equal(memory_of_sound(&w, 0), 16 * KIB * KIB);

    reel_store_close(w.store);
}


static void
a_file_has_the_limit_of_the_configuration(void **state)
{
    reel_worker_t   w = { .conf = { .memory_mib = 4096, .output_mib = 16 } };
    reel_attempt_t  a = { .w = &w, .memfd = -1, .need = 1 };

    (void) state;

    assert_int_equal(reel_allowance_limits(&a, 5).output_bytes, 16 * KIB * KIB);
    assert_int_equal(reel_allowance_limits(&a, 5).memory_bytes,
                     4096LL * KIB * KIB);
}


static void
a_program_has_the_memory_that_it_needs(void **state)
{
    reel_worker_t   w = { .conf = { .memory_mib = 4096 } };
    reel_attempt_t  a = { .w = &w, .memfd = -1, .memory_mib = 6000,
                          .timeout_s = 7, .slots = 3 };

    (void) state;

    /* of each thread */
    assert_int_equal(reel_allowance_limits(&a, 5).cpu_s, 21);

    a.ops = &reel_task_video;
    assert_int_equal(reel_allowance_limits(&a, 5).memory_bytes >> 20, 4096);
    assert_int_equal(reel_allowance_limits(&a, 5).files, 0);
    a.ops = &reel_task_exec;
    assert_int_equal(reel_allowance_limits(&a, 5).files, 1024);
    assert_int_equal(reel_allowance_limits(&a, 5).cpu_s,
                     7 * reel_config_cores());
    assert_int_equal(reel_allowance_limits(&a, 5).memory_bytes >> 20, 6000);
    a.memory_mib = 100;
    assert_int_equal(reel_allowance_limits(&a, 5).memory_bytes >> 20, 4096);
}


static void
threads_are_for_all_slots(void **state)
{
    reel_pipeline_t  pl[2];
    reel_worker_t    w = { .pipelines = pl, .npipelines = 2 };
    reel_attempt_t   a = { .w = &w, .memfd = -1 };

    (void) state;

    reel_pipeline_default(&pl[0]);
    reel_pipeline_default(&pl[1]);
    assert_int_equal(reel_allowance_limits(&a, 5).threads, 512 + 5 * 66);

    pl[0].encoder_threads = 4;
    assert_int_equal(reel_allowance_limits(&a, 5).threads, 512 + 5 * 168);
}


/* payloads come by way of Redis: no number in them overflows the sum */
static void
needs_do_not_overflow(void **state)
{
    reel_grid_t     g = { .timescale = 1, .gop_ts = UINT32_MAX };
    reel_attempt_t  a = { 0 };

    (void) state;

    for (int i = 0; i < REEL_TASK_RUNGS; i++) {
        uint64_t  before = a.need;

        reel_allowance_need(&a, &g, REEL_INDEX_MAX_FRAGMENTS, 1000000);
        assert_true(a.need > before);
    }
    assert_true(a.need < INT64_MAX);
}


#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        T(facts_of_a_long_film), T(facts_of_any_film),
        T(a_film_that_cannot_be_cut), T(a_chunk_like_most),
        T(a_long_object_of_sound), T(a_long_plan),
        T(images_and_errors_are_small), T(none_is_beyond_the_most),
        T(memory_is_what_the_sound_can_need),
        T(a_file_has_the_limit_of_the_configuration),
        T(a_program_has_the_memory_that_it_needs),
        T(threads_are_for_all_slots),
        T(needs_do_not_overflow)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

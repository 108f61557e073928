/*
 * Each allocation of ours fails once, in one run of a task after another:
 * either the answer is the same, or the try fails so that it is tried again.
 * No film is told that it is damaged, has lost a text or is not to be copied
 * for our want of memory.
 */

#include "av_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/job/plan.h"

static int          (*task)(reel_child_t *c);
static bool           armed;
static unsigned long  calls, refused_call;


void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);


static bool
refuse(void)
{
    return armed && ++calls == refused_call;
}


/* the linker's --wrap: what libreel and workerd ask for, not their libraries */
void *
__wrap_malloc(size_t n)
{
    return refuse() ? NULL : __real_malloc(n);
}


void *
__wrap_calloc(size_t n, size_t size)
{
    return refuse() ? NULL : __real_calloc(n, size);
}


void *
__wrap_realloc(void *p, size_t n)
{
    return refuse() ? NULL : __real_realloc(p, n);
}


void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return refuse() ? NULL : __real_reallocarray(p, n, size);
}


static int
run_armed(reel_child_t *c)
{
    int  status;

    calls = 0;
    armed = true;
    status = task(c);
    armed = false;

    return status;
}


/* its lines but the progress */
static json_t *
answer(const reel_buf_t *payload, const char *source, int *status)
{
    size_t          i;
    media_answer_t  a = media_run(run_armed, source, (char *) payload->data,
                                  payload->len, "nomem", 0, 0);

    for (i = json_array_size(a.lines); i-- > 0; /* void */ ) {
        if (json_object_get(json_array_get(a.lines, i), "progress") != NULL) {
            assert_int_equal(json_array_remove(a.lines, i), 0);
        }
    }

    *status = a.status;
    return a.lines;
}


static void
check_refused(const json_t *want, const json_t *got, int status,
    const char *source)
{
    const json_t  *e;
    const char    *class;

    if (status == 0) {
        if (!json_equal(want, got)) {
            fail_msg("%s: without allocation %lu: %s instead of %s", source,
                     refused_call, json_dumps(got, 0), json_dumps(want, 0));
        }
        return;
    }

    /* one that cannot say it is CRASHED, which is tried again, too */
    e = json_object_get(json_array_get(got, json_array_size(got) - 1),
                        "error");
    class = json_string_value(json_object_get(e, "class"));

    if (class != NULL && strcmp(class, "retry") != 0) {
        fail_msg("%s: without allocation %lu: %s", source, refused_call,
                 json_dumps(got, 0));
    }
}


static void
check(int (*f)(reel_child_t *), const char *source, const reel_buf_t *payload)
{
    int      status;
    json_t  *want, *got;

    task = f;
    refused_call = 0;
    want = answer(payload, source, &status);
    assert_int_equal(status, 0);
    assert_true(calls > 0);

    for (refused_call = 1; calls >= refused_call || refused_call == 1;
         refused_call++)
    {
        got = answer(payload, source, &status);
        if (calls >= refused_call) {
            check_refused(want, got, status, source);
        }
        json_decref(got);
    }

    json_decref(want);
}



/* what loudness is told is what the encode is */
static void
check_loudness(const char *source, const reel_pipeline_t *pl)
{
    size_t         i = 0;
    reel_plan_t    p;
    reel_buf_t     payload;
    reel_source_t  s = { 0 };

    media_inspect(&s, source);
    assert_int_equal(reel_plan(&p, pl, &s, 0, NULL), REEL_OK);

    while (p.tasks[i].type != REEL_TASK_ENCODE_AUDIO) {
        i++;
        assert_true(i < p.ntasks);
    }

    reel_buf_init(&payload, REEL_PAYLOAD_MAX);
    reel_buf_addz(&payload, p.tasks[i].payload);
    assert_int_equal(reel_buf_err(&payload), REEL_OK);
    check(reel_av_loudness, source, &payload);
    reel_buf_release(&payload);
    reel_plan_release(&p);
    reel_source_release(&s);
}


/* of each type of task that the planner has for the film, the first */
static void
check_tasks(const char *source, const reel_pipeline_t *pl, unsigned want)
{
    size_t         i, k;
    unsigned       seen = 0;
    reel_plan_t    p;
    reel_buf_t     payload;
    reel_source_t  s = { 0 };

    static const struct {
        reel_task_type_t  type;
        int             (*run)(reel_child_t *c);
    } rows[] = {
        { REEL_TASK_ENCODE_VIDEO, reel_av_encode_video },
        { REEL_TASK_ENCODE_AUDIO, reel_av_encode_audio },
        { REEL_TASK_POSTER, reel_av_poster },
        { REEL_TASK_STORYBOARD, reel_av_storyboard },
        { REEL_TASK_SUBTITLES, reel_av_subtitles }
    };

    media_inspect(&s, source);
    assert_int_equal(reel_plan(&p, pl, &s, 0, NULL), REEL_OK);

    for (i = 0; i < p.ntasks; i++) {
        for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
            if (p.tasks[i].type == rows[k].type && !(seen & 1u << k)) {
                seen |= 1u << k;
                reel_buf_init(&payload, REEL_PAYLOAD_MAX);
                reel_buf_addz(&payload, p.tasks[i].payload);
                assert_int_equal(reel_buf_err(&payload), REEL_OK);
                check(rows[k].run, source, &payload);
                reel_buf_release(&payload);
            }
        }
    }

    assert_int_equal(seen, want);
    reel_plan_release(&p);
    reel_source_release(&s);
}


static int
setup(void **state)
{
    static const char  srt[] = "1\n00:00:00,100 --> 00:00:00,400\none\n\n"
                               "2\n00:00:00,500 --> 00:00:00,900\ntwo\n\n";
    char               args[512];

    if (media_setup(state) != 0) {
        return -1;
    }

    media_write("t.srt", srt, sizeof(srt) - 1);
    (void) snprintf(args, sizeof(args), "-f lavfi -i testsrc2=s=64x64:r=25:d=1 "
                    "-f lavfi -i anoisesrc=d=1 -i '%s' -map 0 -map 1 -map 2 "
                    "-c:v libx264 -preset ultrafast -bf 0 -pix_fmt yuv420p "
                    "-c:a aac -b:a 32k", media_path("t.srt"));
    media_make("avc.mkv", args);
    media_make("hevc.mp4", "-f lavfi -i testsrc2=s=64x64:r=25:d=1 -c:v "
               "libx265 -preset ultrafast -x265-params "
               "log-level=none:bframes=0 -pix_fmt yuv420p -tag:v hvc1");

    return 0;
}


static void
test_inspect(void **state)
{
    reel_buf_t  none = { 0 };

    (void) state;

    check(reel_av_inspect, "avc.mkv", &none);
    check(reel_av_inspect, "hevc.mp4", &none);
}


static void
test_encoded(void **state)
{
    reel_pipeline_t  pl;

    (void) state;

    reel_pipeline_default(&pl);
    pl.audio_lufs = -16;
    check_tasks("avc.mkv", &pl, 0x1f);
    check_loudness("avc.mkv", &pl);
}


static void
test_copied(void **state)
{
    reel_pipeline_t  pl;

    (void) state;

    reel_pipeline_default(&pl);
    pl.copy_max_kbps = 100000;
    pl.audio_copy_max_kbps = 1000;
    pl.copy_codecs = 1u << REEL_VIDEO_H264 | 1u << REEL_VIDEO_HEVC;
    check_tasks("avc.mkv", &pl, 0x1f);
    check_tasks("hevc.mp4", &pl, 0xd);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_encoded),
        cmocka_unit_test(test_copied),
    };

    return cmocka_run_group_tests(tests, setup, media_teardown);
}

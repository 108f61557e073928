/* complexity: what trial encodes tell of films that differ */

#include "av_media.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"

/* a picture of twice the width and height shows no more than it does */
#define BLOWN  "-f lavfi -i testsrc2=s=160x96:r=25:d=2,scale=320:192:"        \
               "flags=bilinear,format=yuv420p -c:v libx264 -qp 1 -g 25"

/* each pixel is its own */
#define NOISE  "-f lavfi -i color=gray:s=320x192:r=25:d=2,noise=alls=40:"     \
               "allf=t:all_seed=1,format=yuv420p -c:v libx264 -qp 10 -g 25"

/* a second of black, then noise, all of one GOP */
#define OPENING  "-f lavfi -i color=gray:s=320x192:r=5:d=22,noise=alls=40:"   \
                 "allf=t:all_seed=1,fade=in:5:1,format=yuv420p "              \
                 "-c:v libx264 -preset ultrafast -qp 10 -g 200 "              \
                 "-x264-params scenecut=0"

/* two fields of different instants, and nobody says so */
#define COMBED "-f lavfi -i testsrc2=s=320x192:r=50:d=2,interlace,"           \
               "format=yuv420p -c:v mpeg2video -q:v 2 -flags +ilme+ildct"


static reel_trials_t
run(const char *source, const char *payload)
{
    char            *text;
    reel_trials_t    t;
    media_answer_t   a;

    a = media_run(reel_av_complexity, source, payload, strlen(payload), NULL,
                  0, 0);
    assert_int_equal(a.status, 0);

    text = json_dumps(media_line(&a, "complexity"), 0);
    assert_non_null(text);
    assert_int_equal(reel_trials_parse(&t, text, strlen(text), NULL),
                     REEL_OK);
    free(text);
    json_decref(a.lines);

    return t;
}


static reel_trials_t
try(const char *source)
{
    reel_buf_t          b;
    reel_source_t       s;
    reel_trials_t       t;
    reel_complexity_t   c;

    media_inspect(&s, source);
    c = (reel_complexity_t) {
        .stream = s.video.stream, .tb = s.video.tb, .rate = s.video.rate,
        .interlaced = s.video.interlaced, .combed = s.video.combed,
        .tries = 1, .frames = 12, .nsamples = 2,
        .samples = {
            { s.video.first_pts, s.video.first_pts },
            { s.video.first_pts,
              s.video.first_pts + (int64_t) s.video.tb.den / s.video.tb.num },
        },
        .trials = { .n = 3, .v = {
            { .width = 320, .height = 192, .crf = 23 },
            { .width = 160, .height = 96, .crf = 23 },
            { .width = 160, .height = 96, .crf = 29 },
        } }
    };

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_complexity_print(&b, &c), REEL_OK);
    t = run(source, reel_buf_cstr(&b));
    assert_int_equal(t.n, 3);

    /* worse is smaller, and what is larger takes more */
    assert_true(t.v[2].kbps < t.v[1].kbps && t.v[1].kbps < t.v[0].kbps);
    assert_true(t.v[2].loss > t.v[1].loss && t.v[1].loss > 0);
    assert_int_equal(t.v[1].soft, REEL_LOSS_ALL);

    reel_buf_release(&b);
    reel_source_release(&s);

    return t;
}


static void
films_differ(void **state)
{
    reel_trials_t  blown, noise, again;

    (void) state;
    media_make("blown.mkv", BLOWN);
    media_make("noise.mkv", NOISE);

    blown = try("blown.mkv");
    noise = try("noise.mkv");
    again = try("blown.mkv");

    assert_true(noise.v[0].kbps > 4 * blown.v[0].kbps);
    assert_true(noise.v[0].loss > blown.v[0].loss);
    assert_true(blown.v[0].soft < 10000);
    assert_true(noise.v[0].soft > 200000);

    /* the same film, the same answer */
    assert_memory_equal(&again, &blown, sizeof(blown));
}


/* what the planner has tried of it is not the black, and nothing is dropped */
static void
opening_is_not_the_film(void **state)
{
    reel_plan_t      p;
    reel_source_t    s;
    reel_pipeline_t  pl;

    (void) state;
    media_make("opening.mkv", OPENING);
    media_inspect(&s, "opening.mkv");
    assert_int_equal(s.video.nkeyframes, 1);

    reel_pipeline_default(&pl);
    pl.title_ssim = 980;
    pl.nrungs = 2;
    pl.rungs[0].short_side = 192;
    pl.rungs[1].short_side = 96;

    assert_int_equal(reel_plan_begin(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_int_equal(p.tasks[0].type, REEL_TASK_COMPLEXITY);
    s.trials = run("opening.mkv", p.tasks[0].payload);
    reel_plan_release(&p);

    assert_true(s.trials.v[0].loss > 1000 && s.trials.v[0].soft > 100000);

    assert_int_equal(reel_plan(&p, &pl, &s, 0, NULL), REEL_OK);
    assert_int_equal(p.nrungs, 2);
    assert_int_equal(p.rungs[0].height, 192);
    assert_true(p.rungs[0].max_kbps > 500);
    reel_plan_release(&p);
    reel_source_release(&s);
}


static void
combs_are_not_tried(void **state)
{
    reel_trials_t  t;

    (void) state;
    media_make("combed.mpg", COMBED);

    t = try("combed.mpg");

    /* combs would be lost when they are scaled */
    assert_true(t.v[0].soft < 150000);
}


static void
what_is_no_film(void **state)
{
    json_t         *error;
    media_answer_t  a;
    static const char payload[] =
        "{\"stream\":0,\"tb\":[1,1000],\"rate\":[25,1],\"rotation\":0,"
        "\"hflip\":false,\"vflip\":false,\"interlaced\":false,\"tries\":1,"
        "\"frames\":5,\"samples\":[0,0],\"trials\":[64,64,23,0,0,0,"
        "64,64,29,0,0,0]}";

    (void) state;
    media_write("none.mkv", "no film", 7);
    a = media_run(reel_av_complexity, "none.mkv", payload, strlen(payload),
                  NULL, 0, 0);
    assert_int_not_equal(a.status, 0);
    error = media_line(&a, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")),
                        "NOT_A_VIDEO");
    json_decref(a.lines);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(films_differ),
        cmocka_unit_test(opening_is_not_the_film),
        cmocka_unit_test(combs_are_not_tried),
        cmocka_unit_test(what_is_no_film),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

/*
 * Films of high dynamic range that keep it: what inspect finds, and what
 * the renditions say and show, beside one that is mapped to SDR.
 */

#include "av_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mp4/cmaf.h"

#define GREY  600               /* of 10 bits in limited range */

/* P3 in D65 on 1000 cd/m2, as x265 takes it */
#define DISPLAY  "master-display=G(13250,34500)B(7500,3000)R(34000,16000)"   \
                 "WP(15635,16450)L(10000000,50):max-cll=800,300:"

static const reel_hdr_t  display = {
    .mastering = true,
    .primaries = { { 13250, 34500 }, { 7500, 3000 }, { 34000, 16000 } },
    .white = { 15635, 16450 },
    .max_luminance = 10000000,
    .min_luminance = 50,
    .light = true,
    .max_cll = 800,
    .max_fall = 300
};


static void
make_grey(const char *name, const char *curve, const char *more)
{
    char  args[1024];

    (void) snprintf(args, sizeof(args), "-f lavfi -i \"color=gray:s=160x64:"
                    "r=25:d=2.2,format=yuv420p10le,geq=lum=%d:cb=512:cr=512\""
                    " -c:v libx265 -preset ultrafast -x265-params "
                    "'%scolorprim=bt2020:transfer=%s:colormatrix=bt2020nc:"
                    "log-level=error'", GREY, more, curve);
    media_make(name, args);
}


/* the middle of the first picture of a file, in 10 bits */
static int
luma(const char *name)
{
    char      command[512];
    FILE     *fp;
    uint8_t   row[320];

    (void) snprintf(command, sizeof(command), "ffmpeg -v error -i '%s' "
                    "-frames:v 1 -pix_fmt yuv420p10le -f rawvideo -",
                    media_path(name));
    fp = popen(command, "r");
    assert_non_null(fp);
    assert_int_equal(fread(row, 1, sizeof(row), fp), sizeof(row));
    (void) pclose(fp);

    return row[160] | row[161] << 8;
}


/* the rung of an output: what its header says, and its grey */
static void
check_output(const media_answer_t *a, unsigned output, const char *codec,
    reel_video_range_t range, const reel_hdr_t *told)
{
    char               *text;
    size_t              i;
    json_t             *line, *o = NULL;
    reel_error_t        e = { "" };
    reel_encoded_t      x;
    reel_cmaf_track_t   t;

    json_array_foreach(a->lines, i, line) {
        if (json_integer_value(json_object_get(line, "output"))
            == (json_int_t) output && json_object_get(line, "object"))
        {
            o = json_object_get(line, "object");
        }
    }

    text = json_dumps(o, JSON_COMPACT);
    assert_int_equal(reel_encoded_parse(&x, text, strlen(text), &e),
                     REEL_OK);
    assert_int_equal(reel_cmaf_read_header(&t, x.header, x.header_len, &e),
                     REEL_OK);

    assert_string_equal(x.codec, codec);
    assert_int_equal(t.transfer, range == REEL_RANGE_PQ ? 16
                                 : range == REEL_RANGE_HLG ? 18 : 1);
    assert_int_equal(t.primaries, range == REEL_RANGE_SDR ? 1 : 9);
    assert_int_equal(t.matrix, range == REEL_RANGE_SDR ? 1 : 9);
    assert_false(t.full_range);
    assert_memory_equal(&t.hdr, told, sizeof(*told));

    reel_encoded_release(&x);
    free(text);

    (void) remove(media_path("one.mp4"));
    media_join(a, output, "c", "one.mp4");

    if (range == REEL_RANGE_SDR) {
        assert_true(luma("one.mp4") < 1000);
    } else {
        assert_in_range(luma("one.mp4"), GREY - 4, GREY + 4);
    }
}


/* both chunks of a film of one grey, in two rungs that keep it and one that
   does not */
static void
check_film(const char *source, reel_video_range_t range,
    const reel_hdr_t *told, const char *hevc, const char *av1)
{
    uint32_t              chunk;
    reel_buf_t            b;
    reel_source_t         s;
    media_answer_t        a;
    reel_encode_video_t   t;
    static const reel_hdr_t  none;

    media_inspect(&s, source);
    assert_int_equal(s.video.light.range, range);
    assert_memory_equal(&s.video.light.told, told, sizeof(*told));

    for (chunk = 0; chunk < 2; chunk++) {
        media_video_task(&t, &s, chunk, chunk + 1);
        t.light = s.video.light;
        t.nrungs = 3;
        t.rungs[2] = t.rungs[1] = t.rungs[0];
        t.rungs[0].codec = REEL_VIDEO_HEVC;
        t.rungs[1].codec = REEL_VIDEO_AV1;
        t.rungs[0].hdr = t.rungs[1].hdr = true;
        t.rungs[0].height = t.rungs[1].height = 64;
        (void) snprintf(t.rungs[1].preset, 16, "12");

        reel_buf_init(&b, REEL_PAYLOAD_MAX);
        assert_int_equal(reel_encode_video_print(&b, &t), REEL_OK);
        a = media_run(reel_av_encode_video, source, (char *) b.data, b.len,
                      "c", 0, 0);
        assert_int_equal(a.status, 0);
        reel_buf_release(&b);

        check_output(&a, 0, hevc, range, told);
        check_output(&a, 1, av1, range, told);
        check_output(&a, 2, "avc1.640015", REEL_RANGE_SDR, &none);
        json_decref(a.lines);
    }

    reel_source_release(&s);
}


static void
test_pq(void **state)
{
    (void) state;

    make_grey("pq.mp4", "smpte2084", DISPLAY);
    check_film("pq.mp4", REEL_RANGE_PQ, &display, "hvc1.2.4.L90.90",
               "av01.0.00M.10.0.110.09.16.09.0");
}


static void
test_hlg(void **state)
{
    static const reel_hdr_t  none;

    (void) state;

    make_grey("hlg.mkv", "arib-std-b67", "");
    check_film("hlg.mkv", REEL_RANGE_HLG, &none, "hvc1.2.4.L90.90",
               "av01.0.00M.10.0.110.09.18.09.0");
}


static void
test_sdr(void **state)
{
    reel_source_t  s;

    (void) state;

    make_grey("sdr.mp4", "bt709", DISPLAY);
    media_inspect(&s, "sdr.mp4");
    assert_int_equal(s.video.light.range, REEL_RANGE_SDR);
    assert_false(s.video.light.told.mastering);
    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_pq),
        cmocka_unit_test(test_hlg),
        cmocka_unit_test(test_sdr),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

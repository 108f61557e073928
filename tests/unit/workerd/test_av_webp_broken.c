/* animated WebP: what is damaged, hostile, or none of it */

#include "av_media.h"
#include "webp.h"

#include <stdlib.h>
#include <string.h>

#include "workerd/av_open.h"

#define W  WEBP_W
#define H  WEBP_H


/* one that cannot be decoded: those beside it can, and it is told */
static void
test_damaged(void **state)
{
    size_t               len;
    char                *text;
    uint32_t             even[8] = { 100, 100, 100, 100, 100, 100, 100, 100 };
    reel_buf_t           b, payload;
    reel_av_webp_t       w;
    reel_source_t        s;
    reel_encode_video_t  t;
    media_answer_t       a;

    (void) state;

    webp_plain(&b, 3, even, 8);
    assert_string_equal(webp_open(&w, &b, b.len), "");
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(reel_av_webp_show(&w, i), i != 3);
    }
    assert_int_equal(reel_av_webp_show(&w, 3), 0);
    reel_av_webp_close(&w);

    media_inspect(&s, "f.webp");
    assert_int_equal(s.video.frames, 8);
    media_video_task(&t, &s, 0, 1);

    reel_buf_init(&payload, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_video_print(&payload, &t), REEL_OK);
    text = reel_buf_take(&payload, &len);
    a = media_run(reel_av_encode_video, "f.webp", text, len, "d", 0, 0);
    assert_int_equal(a.status, 0);
    assert_string_equal(json_string_value(json_object_get(
                            media_line(&a, "warning"), "code")), "DAMAGED");
    assert_int_equal(json_integer_value(json_object_get(
                         media_line(&a, "warning"), "at_ms")), 300);
    assert_string_equal(json_string_value(json_object_get(
                            media_line(&a, "warning"), "where")),
                        "track 0 (webp)");

    json_decref(a.lines);
    free(text);
    reel_source_release(&s);
    reel_buf_release(&b);
}


/* those that show what lies below a broken one are broken, up to a key */
static void
test_damage_goes_on(void **state)
{
    uint32_t        seed = 9;
    reel_buf_t      b;
    reel_av_webp_t  w;
    webp_picture_t  all = { .w = W, .h = H, .dur_ms = 50, .alpha = 255 };
    webp_picture_t  part = { .w = 8, .h = 8, .dur_ms = 50, .alpha = 90 };

    (void) state;

    webp_begin(&b, W, H);
    webp_add(&b, &all, &seed);
    webp_add_data(&b, &part, "VP8L\x08\0\0\0garbage!", 16);
    webp_add(&b, &part, &seed);
    webp_add(&b, &all, &seed);
    webp_add(&b, &part, &seed);
    webp_end(&b);

    assert_string_equal(webp_open(&w, &b, b.len), "");
    assert_int_equal(reel_av_webp_show(&w, 0), 1);
    assert_int_equal(reel_av_webp_show(&w, 1), 0);
    assert_int_equal(reel_av_webp_show(&w, 2), 0);
    assert_int_equal(reel_av_webp_show(&w, 4), 1);
    assert_int_equal(reel_av_webp_show(&w, 2), 0);

    reel_av_webp_close(&w);
    reel_buf_release(&b);
}


/* ends anywhere: what is whole is shown */
static void
test_truncated(void **state)
{
    size_t          len;
    uint32_t        before = 0;
    const char     *code;
    reel_buf_t      b;
    reel_source_t   s;
    reel_av_webp_t  w;

    (void) state;

    webp_plain(&b, UINT32_MAX, webp_durs, WEBP_DURS);

    for (len = REEL_AV_WEBP_HEAD; len < b.len; len++) {
        code = webp_open(&w, &b, len);

        if (*code != '\0') {
            assert_string_equal(code, "TRUNCATED");
            assert_int_equal(before, 0);
            reel_av_webp_close(&w);
            continue;
        }

        /* but for the pad byte of the last one */
        assert_true(w.cut || len + 1 == b.len);
        assert_true(w.n == before || w.n == before + 1);
        assert_int_equal(reel_av_webp_show(&w, w.n - 1), 1);
        before = w.n;
        reel_av_webp_close(&w);
    }

    media_write("cut.webp", b.data, b.len * 3 / 4);
    media_inspect(&s, "cut.webp");
    assert_int_equal(s.warnings.of[REEL_WARN_ENDS_EARLY].count, 1);

    reel_source_release(&s);
    reel_buf_release(&b);
}


/* a size of ~0 is of one that was streamed: it ends where the file does */
static void
test_streamed(void **state)
{
    reel_buf_t      b;
    reel_source_t   s;
    reel_av_webp_t  w;

    (void) state;

    webp_plain(&b, UINT32_MAX, webp_durs, WEBP_DURS);
    memset(b.data + 4, 0xff, 4);
    media_write("streamed.webp", b.data, b.len);
    media_inspect(&s, "streamed.webp");
    assert_int_equal(s.video.frames, WEBP_DURS);
    assert_false(reel_warnings_any(&s.warnings));
    reel_source_release(&s);

    /* within a picture, it is seen all the same */
    assert_string_equal(webp_open(&w, &b, b.len - 9), "");
    assert_int_equal(w.n, WEBP_DURS - 1);
    assert_true(w.cut);
    reel_av_webp_close(&w);
    reel_buf_release(&b);
}


static void
check_refused(reel_buf_t *b, const char *code)
{
    webp_end(b);
    media_write("r.webp", b->data, b->len);
    assert_string_equal(media_error(reel_av_inspect, "r.webp"), code);
    reel_buf_release(b);
}


static void
test_refused(void **state)
{
    uint32_t        seed = 2;
    reel_buf_t      b;
    webp_picture_t  p = { .w = W, .h = H, .alpha = 255 };
    webp_picture_t  out = { .x = 2, .w = W, .h = H, .alpha = 255 };

    (void) state;

    /* no picture at all; a still one behind the flag; a canvas twice */
    webp_begin(&b, W, H);
    check_refused(&b, "NOT_A_VIDEO");
    webp_begin(&b, W, H);
    reel_buf_add(&b, "VP8X\x0a\0\0\0\x12\0\0\0\0\0\0\0\0\0", 18);
    check_refused(&b, "BAD_MEDIA");

    /* too large, by either side */
    webp_begin(&b, 16383, 16383);
    webp_add(&b, &p, &seed);
    check_refused(&b, "LIMIT_PIXELS");
    webp_begin(&b, 1 << 24, 1);
    webp_add(&b, &p, &seed);
    check_refused(&b, "LIMIT_PIXELS");

    /* the only picture lies beyond the canvas, or has no room for itself */
    webp_begin(&b, W, H);
    webp_add(&b, &out, &seed);
    check_refused(&b, "BAD_MEDIA");
    webp_begin(&b, W, H);
    reel_buf_add(&b, "ANMF\x08\0\0\0\0\0\0\0\0\0\0\0", 16);
    check_refused(&b, "BAD_MEDIA");
}


static void
test_too_many(void **state)
{
    reel_buf_t      b;
    webp_picture_t  p = { .w = 1, .h = 1, .dur_ms = 40 };

    (void) state;

    webp_begin(&b, 1, 1);
    for (unsigned i = 0; i <= 1 << 18; i++) {
        webp_add_data(&b, &p, "", 0);
    }
    check_refused(&b, "LIMIT_DURATION");

    webp_begin(&b, 1, 1);
    for (unsigned i = 0; i <= 1 << 20; i++) {
        reel_buf_add(&b, "junk\0\0\0\0", 8);
    }
    check_refused(&b, "BAD_MEDIA");
}


/* a few bytes each, all as large as pictures may be */
static void
test_large(void **state)
{
    size_t          all;
    reel_buf_t      b;
    reel_av_webp_t  w;
    webp_picture_t  p = { .w = 1, .h = 1, .dur_ms = 40 };

    (void) state;

    webp_begin(&b, 8192, 8192);
    for (unsigned i = 0; i < 4096; i++) {
        webp_add_data(&b, &p, "", 0);
    }
    all = b.len;
    webp_add_data(&b, &p, "", 0);
    webp_end(&b);

    assert_string_equal(webp_open(&w, &b, all), "");
    assert_int_equal(w.n, 4096);
    reel_av_webp_close(&w);
    assert_string_equal(webp_open(&w, &b, b.len), "LIMIT_DURATION");
    reel_av_webp_close(&w);
    reel_buf_release(&b);
}


/* a picture that does not move is none of ours */
static void
test_still(void **state)
{
    (void) state;

    media_make("s.webp", "-f lavfi -i testsrc2=s=64x64 -frames:v 1");
    assert_string_equal(media_error(reel_av_inspect, "s.webp"),
                        "NOT_A_VIDEO");
}


/* bytes that are wrong anywhere: an end, and no more than there is */
static void
test_mutated(void **state)
{
    size_t          at;
    uint8_t        *was;
    uint32_t        seed = 8, shown = 0;
    reel_buf_t      b;
    reel_av_webp_t  w;

    (void) state;

    webp_make(&b, W, H, 12, 3);
    was = malloc(b.len);
    assert_non_null(was);
    memcpy(was, b.data, b.len);

    for (unsigned k = 0; k < 400; k++) {
        for (unsigned i = 0; i < 1 + k % 8; i++) {
            /* heads of chunks more often */
            at = webp_random(&seed, k % 2 ? 64 : (uint32_t) b.len);
            b.data[at] = (uint8_t) webp_random(&seed, 256);
        }

        if (*webp_open(&w, &b, b.len) == '\0') {
            assert_in_range(w.n, 1, 12);
            assert_in_range((uint64_t) w.width * w.height, 1,
                            REEL_AV_MAX_PIXELS);

            for (uint32_t i = w.width * w.height > 1 << 22 ? w.n : 0;
                 i < w.n; i++)
            {
                shown += reel_av_webp_show(&w, i) == 1;
            }
        }

        reel_av_webp_close(&w);
        memcpy(b.data, was, b.len);
    }

    assert_true(shown > 0);
    free(was);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_damage_goes_on),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_streamed),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_still),
        cmocka_unit_test(test_mutated),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

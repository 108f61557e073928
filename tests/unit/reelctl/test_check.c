/* what reelctl check reads: MPDs, headers and segments, by reel's writers */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/mp4/cmaf.h"
#include "reelctl/check.h"
#include "reelctl/rules.h"


static const char  avcc[] =
    "\x01\x64\x00\x1f\xff\xe1\x00\x19\x67\x64\x00\x1f\xac\xd9\x40\x50\x05"
    "\xbb\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\xc0\xf1\x83\x19\x60"
    "\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0";


static void
write_header(reel_buf_t *b)
{
    reel_cmaf_track_t  t = {
        .codec = REEL_CODEC_AVC, .track_id = REEL_TRACK_VIDEO,
        .timescale = 30000, .config = { avcc, sizeof(avcc) - 1 },
        .language = "und", .width = 1280, .height = 720, .primaries = 9,
        .transfer = 16, .matrix = 9
    };

    reel_buf_init(b, 1 << 16);
    assert_int_equal(reel_cmaf_header(b, &t), REEL_OK);
}


static void
test_header(void **state)
{
    size_t              n;
    reel_buf_t          b;
    reel_check_init_t   i;

    (void) state;

    write_header(&b);
    reel_check_init(&i, b.data, b.len);
    assert_string_equal(i.fault, "");
    assert_string_equal(i.codec, "avc1.64001f");
    assert_string_equal(i.language, "und");
    assert_int_equal(i.timescale, 30000);
    assert_int_equal(i.width, 1280);
    assert_int_equal(i.height, 720);
    assert_int_equal(i.transfer, 16);
    assert_int_equal(i.nal_size, 4);
    assert_int_equal(i.tracks, 1);
    assert_true(i.cmaf && i.fragmented && !i.samples && !i.encrypted);

    /* wherever it ends, it is a fault and no read beyond */
    for (n = 0; n < b.len; n++) {
        uint8_t  *copy = test_malloc(n + 1);

        memcpy(copy, b.data, n);
        reel_check_init(&i, copy, n);
        assert_string_not_equal(i.fault, "");
        test_free(copy);
    }

    reel_buf_release(&b);
}


static void
write_segment(reel_buf_t *b, bool idr)
{
    unsigned            k;
    reel_cmaf_sample_t  s[2] = {
        { .size = 9, .duration = 1000, .cts_offset = 1000, .sync = true },
        { .size = 6, .duration = 1000, .cts_offset = 500 }
    };

    reel_buf_init(b, 1 << 16);

    for (k = 0; k < 2; k++) {
        assert_int_equal(reel_cmaf_fragment(b, REEL_TRACK_VIDEO, k + 1,
                                            90000 + 2000 * k, s, 2), REEL_OK);
        /* an SEI, then the slice */
        reel_buf_add(b, "\0\0\0\x01\x06", 5);
        reel_buf_add(b, "\0\0\0\0", 4);
        reel_buf_add(b, "\0\0\0\x02\x41\x9a", 6);
    }

    /* the first sample's own: one NAL unit of five bytes */
    for (k = 0; k + 8 < b->len; k++) {
        if (memcmp(b->data + k, "mdat", 4) == 0) {
            memcpy(b->data + k + 4, idr ? "\0\0\0\x05\x65" : "\0\0\0\x05\x41",
                   5);
        }
    }
}


static void
test_segment(void **state)
{
    size_t               n;
    reel_buf_t           head, b;
    reel_check_init_t    i;
    reel_check_media_t   m;

    (void) state;

    write_header(&head);
    reel_check_init(&i, head.data, head.len);
    write_segment(&b, true);

    reel_check_moofs(&m, &i, b.data, b.len, false);
    assert_string_equal(m.fault, "");
    assert_string_equal(m.style, "");
    assert_int_equal(m.dts, 90000);
    assert_int_equal(m.pts, 91000);
    assert_int_equal(m.duration, 4000);
    assert_int_equal(m.shown, 94500 - 91000);
    assert_int_equal(m.latest, 93500);

    /* what a segment may be told to last: decoded, or shown; else the first */
    m.timescale = 1000;
    assert_int_equal(reel_rule_length_us(&m, 3600000), 3500000);
    assert_int_equal(reel_rule_length_us(&m, 3900000), 4000000);
    m.timescale = 90000;
    assert_int_equal(m.samples, 4);
    assert_int_equal(m.fragments, 2);
    assert_int_equal(m.sync_gap, 2000);
    assert_true(m.sync && m.keyframe);

    for (n = 1; n < b.len; n++) {
        uint8_t  *copy = test_malloc(n);

        memcpy(copy, b.data, n);
        reel_check_moofs(&m, &i, copy, n, false);
        assert_true(m.fault[0] != '\0' || m.style[0] != '\0'
                    || m.fragments == 1);
        reel_check_moofs(&m, &i, copy, n, true);
        test_free(copy);
    }

    reel_buf_release(&b);
    write_segment(&b, false);
    reel_check_moofs(&m, &i, b.data, b.len, false);
    assert_false(m.keyframe);

    reel_buf_release(&b);
    reel_buf_release(&head);
}


static void
test_vtt(void **state)
{
    size_t               k;
    reel_check_media_t   m;

    static const struct {
        const char  *text;
        bool         sound, map;
        unsigned     cues;
    } rows[] = {
        { "WEBVTT", true, false, 0 },
        { "WEBVTT a\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\n"
          "1\n00:01.000 --> 00:02.000 line:0\nx\n\n"
          "00:00:02.000 --> 01:00:02.500\ny\n", true, true, 2 },
        { "\xef\xbb\xbfWEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\nx\r\n", true,
          false, 1 },
        { "WEBVTT\n\nX-TIMESTAMP-MAP=LOCAL:0,MPEGTS:0\n", true, false, 0 },
        { "WEBVTTX", false, false, 0 },
        { "WEBVTT\n\n1.000 --> 2.000\n", false, false, 0 },
        { "WEBVTT\n\n00:02.000 --> 00:01.000\n", false, false, 0 },
        { "WEBVTT\n\n00:02.00 --> 00:03.000\n", false, false, 0 },
    };

    (void) state;

    for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        reel_check_vtt(&m, (const uint8_t *) rows[k].text,
                       strlen(rows[k].text));
        assert_int_equal(m.fault[0] == '\0', rows[k].sound);
        assert_int_equal(m.timestamp_map, rows[k].map);
        assert_int_equal(m.samples, rows[k].sound ? rows[k].cues : 0);
    }
}


static void
test_mpd(void **state)
{
    int          i;
    int64_t      us;
    uint64_t     v;
    reel_mpd_t   m;

    (void) state;

    assert_int_equal(reel_mpd_read(&m, REEL_STR(
        "<?xml version='1.0'?>\n<MPD xmlns='x'>\n<Period><S d='1'/>\n"
        "<S d='2' t='7'/></Period><Period id='p'/>\n<BaseURL>a/</BaseURL>"
        "</MPD>")), REEL_OK);
    assert_int_equal(m.n, 6);
    i = reel_mpd_child(&m, 0, "Period", -1);
    assert_int_equal(i, 1);
    assert_int_equal(m.nodes[i].line, 3);
    i = reel_mpd_child(&m, i, "S", reel_mpd_child(&m, i, "S", -1));
    assert_true(reel_mpd_number(&m, i, "t", &v) && v == 7);
    assert_false(reel_mpd_number(&m, i, "r", &v));
    assert_int_equal(reel_mpd_child(&m, 1, "S", i), -1);
    i = reel_mpd_child(&m, 0, "Period", 1);
    assert_true(reel_str_eqz(reel_mpd_get(&m, i, "id"), "p"));
    i = reel_mpd_child(&m, 0, NULL, i);
    assert_true(reel_str_eqz(m.nodes[i].text, "a/"));
    reel_mpd_release(&m);

    assert_int_equal(reel_mpd_read(&m, REEL_STR("<MPD><a></MPD>")),
                     REEL_BADDATA);
    assert_string_not_equal(m.fault, "");
    reel_mpd_release(&m);

    assert_true(reel_mpd_duration(REEL_STR("PT1H2M3.5S"), &us)
                && us == 3723500000);
    assert_true(reel_mpd_duration(REEL_STR("P1DT0S"), &us)
                && us == 86400000000);
    assert_false(reel_mpd_duration(REEL_STR("P1M"), &us));
    assert_false(reel_mpd_duration(REEL_STR("PT5"), &us));
    assert_false(reel_mpd_duration(REEL_STR("5S"), &us));
    assert_false(reel_mpd_duration(REEL_STR("PT99999999999999H"), &us));
}


/* whatever a file says, rules reckon without an overflow (UBSan watches) */
static void
test_absurd_times(void **state)
{
    unsigned               n;
    reel_check_segment_t   s[3];
    reel_check_track_t     t = { .segments = s, .nsegments = 3 };

    (void) state;

    assert_true(reel_check_us(INT64_MAX, 1) == INT64_C(1) << 57);
    assert_true(reel_check_us(INT64_MIN, 1) == -(INT64_C(1) << 57));
    assert_true(reel_check_us(90000, 90000) == 1000000);
    assert_true(reel_check_us(7, 0) == 0);
    assert_true(reel_check_add(INT64_C(1) << 60, INT64_C(1) << 57)
                == INT64_C(1) << 60);
    assert_true(reel_check_add(2, -5) == -3);

    for (n = 0; n < 3; n++) {
        s[n] = (reel_check_segment_t) {
            .sized = true, .size = INT64_MAX,
            .duration_us = reel_check_time(INT64_MAX)
        };
        t.duration_us = reel_check_add(t.duration_us, s[n].duration_us);
    }

    reel_check_rates(&t, INT64_C(100000) * 1000000);
    assert_true(t.peak != 0);
}


/* bytes that are no text are told as what they are */
static void
test_json(void **state)
{
    size_t   n;
    json_t  *j;

    static const struct {
        const char *in, *out;
    } rows[] = {
        { "", "" }, { "plain", "plain" }, { "gr\xc3\xb6\xc3\x9f", NULL },
        { "a\xff z", "a\\xff z" }, { "\xc3\xb6\x80", "\\xc3\\xb6\\x80" }
    };

    (void) state;

    for (n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        j = reel_check_json(rows[n].in);
        assert_non_null(j);
        assert_string_equal(json_string_value(j), rows[n].out != NULL
                                                  ? rows[n].out : rows[n].in);
        json_decref(j);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_absurd_times),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_segment),
        cmocka_unit_test(test_vtt),
        cmocka_unit_test(test_mpd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* WebVTT: what is a cue, and which of them a segment has */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/text/webvtt.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char film[] =
    "WEBVTT - a film\n"
    "Kind: captions\n"
    "\n"
    "STYLE\n"
    "::cue { color: red }\n"
    "\n"
    "NOTE nothing\n"
    "\n"
    "00:01.000 --> 00:03.500\n"
    "one\n"
    "\n"
    "second\n"
    "00:00:03.500 --> 00:00:10.000 line:0 align:start\n"
    "two <i>of</i>\n"
    "three &amp; four\n"
    "\n"
    "\n"
    "100:00:00.000\t-->\t100:00:01.001  \n"
    "late\n";


static void
cues_are_read(void **state)
{
    size_t          i;
    reel_vtt_t      v;
    reel_vtt_cue_t  c;

    static const reel_vtt_cue_t want[] = {
        { 1000, 3500, { "", 0 }, { "one", 3 } },
        { 3500, 10000, { "line:0 align:start", 18 },
          { "two <i>of</i>\nthree &amp; four", 30 } },
        { 360000000, 360001001, { "", 0 }, { "late", 4 } },
    };

    (void) state;

    assert_int_equal(reel_vtt_open(&v, reel_str(film), NULL), REEL_OK);

    for (i = 0; i < COUNT(want); i++) {
        assert_int_equal(reel_vtt_next(&v, &c, NULL), REEL_OK);
        assert_int_equal(c.start_ms, want[i].start_ms);
        assert_int_equal(c.end_ms, want[i].end_ms);
        assert_true(reel_str_eq(c.settings, want[i].settings));
        assert_true(reel_str_eq(c.text, want[i].text));
    }

    assert_int_equal(reel_vtt_next(&v, &c, NULL), REEL_NOTFOUND);
    assert_int_equal(reel_vtt_next(&v, &c, NULL), REEL_NOTFOUND);
}


/* all three ends of a line, a byte-order mark, no end at all */
static void
ends_of_lines(void **state)
{
    size_t          i;
    reel_vtt_t      v;
    reel_vtt_cue_t  c;

    static const char *const rows[] = {
        "WEBVTT\r\n\r\n00:00.000 --> 00:01.000\r\na\r\n\r\n",
        "WEBVTT\r\r00:00.000 --> 00:01.000\ra",
        "\xef\xbb\xbfWEBVTT\n\n00:00.000 --> 00:01.000\na",
        "WEBVTT\n\n\n\nid\n00:00.000 --> 00:01.000\na\n",
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(reel_vtt_open(&v, reel_str(rows[i]), NULL), REEL_OK);
        assert_int_equal(reel_vtt_next(&v, &c, NULL), REEL_OK);
        assert_int_equal(c.end_ms, 1000);
        assert_true(reel_str_eqz(c.text, "a"));
        assert_int_equal(reel_vtt_next(&v, &c, NULL), REEL_NOTFOUND);
    }
}


static void
refused(void **state)
{
    size_t          i;
    char            text[128];
    reel_vtt_t      v;
    reel_error_t    e;
    reel_vtt_cue_t  c;

    static const char *const files[] = {
        "", "WEBVT", "WEBVTTX\n", "1\n00:00.000 --> 00:01.000\n",
        " WEBVTT\n"
    };
    static const char *const times[] = {
        "00:00.000 --> ", "--> 00:01.000", "0:00.000 --> 00:01.000",
        "00:00.00 --> 00:01.000", "00:00.0000 --> 00:01.000",
        "00:60.000 --> 01:01.000", "60:00.000x --> 61:00.000",
        "00:60:00.000 --> 01:01:00.000", "00:01.000 --> 00:01.000",
        "00:02.000 --> 00:01.000", "00:00.000 --> 00:01.000x",
        "00:00.000 --> 00:01.000 --> 00:02.000", "-1:00.000 --> 00:01.000",
        "1234567890:00:00.000 --> 1234567891:00:00.000",
        "999999999:00:00.000 --> 999999999:00:01.000",
        "00:00,000 --> 00:01,000",
    };

    (void) state;

    for (i = 0; i < COUNT(files); i++) {
        assert_int_equal(reel_vtt_open(&v, reel_str(files[i]), &e),
                         REEL_BADDATA);
    }

    for (i = 0; i < COUNT(times); i++) {
        (void) snprintf(text, sizeof(text), "WEBVTT\n\n%s\na\n", times[i]);
        assert_int_equal(reel_vtt_open(&v, reel_str(text), &e), REEL_OK);

        if (reel_vtt_next(&v, &c, &e) != REEL_BADDATA) {
            fail_msg("\"%s\" was taken", times[i]);
        }
        assert_int_equal(reel_vtt_next(&v, &c, &e), REEL_NOTFOUND);
    }
}


static void
cut(const char *want, int64_t from, int64_t to, uint64_t mpegts)
{
    reel_buf_t  b;

    reel_buf_init(&b, 4096);
    assert_int_equal(reel_vtt_cut(&b, reel_str(film), from, to, mpegts,
                                  NULL), REEL_OK);
    assert_string_equal(reel_buf_cstr(&b), want);
    reel_buf_release(&b);
}


/* a cue stands in every segment in which it is seen, and in no other */
static void
segments(void **state)
{
#define HEAD "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n"
#define ONE  "00:00:01.000 --> 00:00:03.500\none\n\n"
#define TWO  "00:00:03.500 --> 00:00:10.000 line:0 align:start\n"            \
             "two <i>of</i>\nthree &amp; four\n\n"

    (void) state;

    cut(HEAD, 0, 1000, 0);
    cut(HEAD ONE, 0, 1001, 0);
    cut(HEAD ONE, 3499, 3500, 0);
    cut(HEAD TWO, 3500, 3501, 0);
    cut(HEAD ONE TWO, 0, 6000, 0);
    cut(HEAD TWO, 6000, 12000, 0);
    cut(HEAD, 10000, 12000, 0);
    cut(HEAD "100:00:00.000 --> 100:00:01.001\nlate\n\n", 10000, INT64_MAX,
        0);
    cut("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n", 10000,
        12000, 900000);
}


static void
clip(const char *want, int64_t from, int64_t to)
{
    reel_buf_t  b;

    reel_buf_init(&b, 4096);
    assert_int_equal(reel_vtt_clip(&b, reel_str(film), from, to, NULL),
                     REEL_OK);
    assert_string_equal(reel_buf_cstr(&b), want);
    reel_buf_release(&b);
}


/* a clip's times count from its start, and end with it */
static void
clips(void **state)
{
    (void) state;

    clip("WEBVTT\n\n", 0, 1000);
    clip("WEBVTT\n\n00:00:00.000 --> 00:00:00.001\none\n\n", 1000, 1001);
    clip("WEBVTT\n\n00:00:00.500 --> 00:00:03.000\none\n\n", 500, 3500);
    clip("WEBVTT\n\n00:00:00.000 --> 00:00:00.500\none\n\n"
         "00:00:00.500 --> 00:00:02.000 line:0 align:start\n"
         "two <i>of</i>\nthree &amp; four\n\n", 3000, 5000);
    clip("WEBVTT\n\n00:00:01.000 --> 00:00:02.001\nlate\n\n", 359999000,
         INT64_MAX);
}


static void
a_segment_too_large(void **state)
{
    reel_buf_t  b;

    (void) state;

    reel_buf_init(&b, 60);
    assert_int_equal(reel_vtt_cut(&b, reel_str(film), 0, 6000, 0, NULL),
                     REEL_LIMIT);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cues_are_read),
        cmocka_unit_test(ends_of_lines),
        cmocka_unit_test(refused),
        cmocka_unit_test(segments),
        cmocka_unit_test(clips),
        cmocka_unit_test(a_segment_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

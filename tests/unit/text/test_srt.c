/* SubRip as WebVTT */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/text/srt.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
becomes_webvtt(void **state)
{
    size_t        i;
    reel_buf_t    b;
    reel_error_t  e;

    static const struct {
        const char *srt;
        const char *vtt;
    } all[] = {
        { "1\n00:00:01,000 --> 00:00:02,500\none\ntwo\n\n"
          "2\n00:00:03,000 --> 00:00:04,000\nthree\n",
          "00:00:01.000 --> 00:00:02.500\none\ntwo\n\n"
          "00:00:03.000 --> 00:00:04.000\nthree\n\n" },
        /* a mark, CR LF, no number, a dot, short parts, a place */
        { "\xef\xbb\xbf\r\n0:0:1.5 --> 100:00:02,25  X1:5 X2:9\r\nhi\r\n\r\n",
          "00:00:01.500 --> 100:00:02.250\nhi\n\n" },
        /* in the order of their starts */
        { "1\n00:00:03,000 --> 00:00:04,000\nb\n\n"
          "2\n00:00:01,000 --> 00:00:04,000\na\n\n"
          "3\n00:00:03,000 --> 00:00:05,000\nc\n",
          "00:00:01.000 --> 00:00:04.000\na\n\n"
          "00:00:03.000 --> 00:00:04.000\nb\n\n"
          "00:00:03.000 --> 00:00:05.000\nc\n\n" },
        /* tags, and what only looks like one */
        { "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<i>a</i> & <font "
          "color=\"red\">b</font> <q> 1 < 2 {c}\n--> \n",
          "00:00:01.000 --> 00:00:02.000\n<i>a</i> &amp; b &lt;q&gt; 1 &lt; 2"
          " {c}\n--&gt;\n\n" },
        /* no blank line between two; a number that is said; one of nothing */
        { "1\n00:00:01,000 --> 00:00:02,000\n42\n2\n"
          "00:00:02,000 --> 00:00:03,000\nx\n\n"
          "3\n00:00:04,000 --> 00:00:05,000\n\n"
          "4\n00:00:06,000 --> 00:00:05,000\nbackwards\n",
          "00:00:01.000 --> 00:00:02.000\n42\n\n"
          "00:00:02.000 --> 00:00:03.000\nx\n\n" },
        { "1\n00:00:01,000 --> 00:00:02,000\na\x01{\\b}\n{\\i1}\nb<font",
          "00:00:01.000 --> 00:00:02.000\na\nb&lt;font\n\n" }
    };

    (void) state;

    for (i = 0; i < COUNT(all); i++) {
        reel_buf_init(&b, 4096);
        assert_int_equal(reel_srt_vtt(&b, reel_str(all[i].srt), &e),
                         REEL_OK);
        reel_buf_u8(&b, '\0');
        assert_string_equal((char *) b.data + strlen("WEBVTT\n\n"),
                            all[i].vtt);
        assert_memory_equal(b.data, "WEBVTT\n\n", 8);
        assert_int_equal(reel_vtt_check((reel_str_t) { (char *) b.data,
                                                       b.len - 1 }, &e),
                         REEL_OK);
        reel_buf_release(&b);
    }
}


/* a mark that begins no tag is what somebody says, however far the end is */
static void
tags_are_short(void **state)
{
    char          file[1024];
    size_t        n;
    reel_buf_t    b;
    reel_error_t  e;

    (void) state;

    memcpy(file, "0:0:1 --> 0:0:2\n{\\", n = 18);
    memset(file + n, 'a', 300);
    memcpy(file + n + 300, "}x", 2);

    reel_buf_init(&b, 4096);
    assert_int_equal(reel_srt_vtt(&b, (reel_str_t) { file, n + 302 }, &e),
                     REEL_OK);
    reel_buf_u8(&b, '\0');
    assert_non_null(strstr((char *) b.data, "\n{\\aaa"));
    reel_buf_release(&b);
}


static void
is_refused(void **state)
{
    size_t        i;
    reel_buf_t    b;
    reel_error_t  e;

    static const struct {
        const char *srt;
        const char *text;
    } all[] = {
        { "", "it has no cue" },
        { "1\n00:00:01 -> 00:00:02\nx\n", "it has no cue" },
        { "1\n00:60:01,0 --> 00:61:02,0\nx\n", "it has no cue" },
        { "1\n00:00:01,000 --> 00:00:02,000\nGr\xfc\xdf", "byte 34 is 0xfc: "
          "it is not UTF-8" }
    };

    (void) state;

    for (i = 0; i < COUNT(all); i++) {
        reel_buf_init(&b, 4096);
        assert_int_equal(reel_srt_vtt(&b, reel_str(all[i].srt), &e),
                         REEL_BADDATA);
        assert_string_equal(e.text, all[i].text);
        reel_buf_release(&b);
    }

    assert_int_equal(reel_vtt_check(REEL_STR("WEBVTT\n\n"), &e),
                     REEL_BADDATA);
    assert_string_equal(e.text, "it has no cue");
    assert_int_equal(reel_vtt_check(REEL_STR("WEBVTT\n\n00:01.000 --> "
                                             "00:02.000\n\xff\n"), &e),
                     REEL_BADDATA);
    assert_int_equal(reel_vtt_check(REEL_STR("WEBVTT\n\n00:01.000 --> "
                                             "later\nx\n"), &e),
                     REEL_BADDATA);
    assert_int_equal(reel_vtt_check(REEL_STR("1\n"), &e), REEL_BADDATA);

    /* more than the buffer may hold */
    reel_buf_init(&b, 16);
    assert_int_equal(reel_srt_vtt(&b, REEL_STR("00:00:01,0 --> 00:00:02,0\n"
                                               "x\n"), &e), REEL_LIMIT);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(becomes_webvtt),
        cmocka_unit_test(tags_are_short),
        cmocka_unit_test(is_refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* extract_subtitles: cues of every kind of text, at the film's times */

#include "av_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/index/index.h"
#include "lib/job/plan.h"

#define PICTURE "-f lavfi -i testsrc=s=64x36:r=25:d=6 "

static const char srt[] =
    "1\n00:00:00,500 --> 00:00:01,500\nfirst <i>slanted</i>\n\n"
    "2\n00:00:03,000 --> 00:00:05,000\nsecond & <b>bold</b>\nline is two\n\n"
    "3\n00:00:02,000 --> 00:00:03,500\nout of order\n\n"
    "4\n00:00:05,500 --> 00:00:09,000\nto the end\n\n";

static const char want[] =
    "WEBVTT\n\n"
    "00:00:00.500 --> 00:00:01.500\nfirst <i>slanted</i>\n\n"
    "00:00:02.000 --> 00:00:03.500\nout of order\n\n"
    "00:00:03.000 --> 00:00:05.000\nsecond &amp; <b>bold</b>\n"
    "line is two\n\n"
    "00:00:05.500 --> 00:00:06.000\nto the end\n\n";


/* the planner's task for the texts of a source */
static void
plan(reel_subtitles_t *t, reel_buf_t *payload, const reel_source_t *s)
{
    size_t           i;
    reel_plan_t      p;
    reel_pipeline_t  pl;

    reel_pipeline_default(&pl);
    assert_int_equal(reel_plan(&p, &pl, s, 0, NULL), REEL_OK);

    for (i = 0; i < p.ntasks && strcmp(p.tasks[i].name, "t0") != 0; i++) {
        /* void */
    }

    assert_true(i < p.ntasks);
    reel_buf_init(payload, REEL_PAYLOAD_MAX);
    reel_buf_addz(payload, p.tasks[i].payload);
    assert_int_equal(reel_subtitles_parse(t, (char *) payload->data,
                                          payload->len, NULL), REEL_OK);
    reel_plan_release(&p);
}


static void
check_output(const char *name, const char *text)
{
    char  *got = media_read(name, NULL);

    assert_string_equal(got, text);
    free(got);
}


/* runs the task on a file: output 0 must be text, and its slots fit it */
static void
check(const char *source, const char *text, reel_source_t *s)
{
    char             *object;
    size_t            at = 0;
    reel_buf_t        b;
    reel_error_t      e;
    media_answer_t    a;
    reel_encoded_t    o;
    reel_subtitles_t  t;

    media_inspect(s, source);
    plan(&t, &b, s);
    a = media_run(reel_av_subtitles, source, (char *) b.data, b.len, "t", 0,
                  0);
    assert_int_equal(a.status, 0);
    check_output("t.0", text);

    object = json_dumps(media_line(&a, "object"), 0);
    assert_non_null(object);
    assert_int_equal(reel_encoded_parse(&o, object, strlen(object), &e),
                     REEL_OK);
    assert_int_equal(o.kind, REEL_TEXT);
    assert_string_equal(o.rendition, t.texts[0].name);
    assert_int_equal(o.nfrags, t.grid.fragments);
    assert_int_equal(o.bytes, strlen(text));

    /* the cues of slot k begin in it */
    for (uint32_t k = 0; k < o.nfrags; k++) {
        const char  *p = text + at;

        for (uint32_t c = 0; c < o.frags[k].samples; c++) {
            int  h, m, sec;

            p = strstr(p, "-->") - 13;
            h = (int) strtol(p, NULL, 10);
            m = (int) strtol(p + 3, NULL, 10);
            sec = (int) strtol(p + 6, NULL, 10);
            assert_int_equal((h * 60 + m) * 60 + sec, (int) (k * 2)
                             + (sec - (int) (k * 2)) % 2);
            p += 16;
            assert_true(p < text + at + o.frags[k].size);
        }
        at += o.frags[k].size;
    }

    assert_int_equal(at, strlen(text));
    reel_encoded_release(&o);
    free(object);
    json_decref(a.lines);
    reel_buf_release(&b);
}


static void
test_kinds(void **state)
{
    size_t         i;
    char           args[512], text[sizeof(want)];
    reel_source_t  s;

    static const struct {
        const char *name;
        const char *codec;
        const char *label;
        bool        apart;      /* none may show together */
    } rows[] = {
        { "k.mkv", "srt", "The label" },
        { "k.mp4", "mov_text", "", true },
        { "a.mkv", "ass", "The label" },
        { "w.mkv", "webvtt", "The label" },
    };

    (void) state;

    media_write("s.srt", srt, sizeof(srt) - 1);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void) snprintf(args, sizeof(args), PICTURE "-i %s -c:v libx264 "
                        "-c:s %s -metadata:s:s:0 language=ger "
                        "-metadata:s:s:0 title='The label'",
                        media_path("s.srt"), rows[i].codec);
        media_make(rows[i].name, args);
        memcpy(text, want, sizeof(text));
        if (rows[i].apart) {
            memcpy(strstr(text, "00:00:03.500"), "00:00:03.000", 12);
        }
        check(rows[i].name, text, &s);
        assert_int_equal(s.ntexts, 1);
        assert_string_equal(s.texts[0].language, "de");
        if (rows[i].label[0] != '\0') {
            assert_string_equal(s.texts[0].label, rows[i].label);
        }
        assert_int_equal(s.texts[0].roles & REEL_ROLE_DEFAULT, 0);
        reel_source_release(&s);
    }
}


/* timeline 0 is not the file's: picture and cues begin 10 s late */
static void
test_origin(void **state)
{
    char           args[512];
    reel_source_t  s;

    (void) state;

    media_write("s.srt", srt, sizeof(srt) - 1);
    (void) snprintf(args, sizeof(args), PICTURE "-i %s -c:v libx264 "
                    "-c:s srt -output_ts_offset 10", media_path("s.srt"));
    media_make("late.mkv", args);
    check("late.mkv", want, &s);
    assert_string_equal(s.texts[0].language, "");
    reel_source_release(&s);
}


/* several: names of their own, roles, and one without cues has no output */
static void
test_several(void **state)
{
    char              args[1024], *text;
    reel_buf_t        b;
    reel_source_t     s;
    media_answer_t    a;
    reel_subtitles_t  t;

    (void) state;

    media_write("s.srt", srt, sizeof(srt) - 1);
    media_write("e.srt", "1\n00:01:00,000 --> 00:01:01,000\nnever\n\n", 39);
    (void) snprintf(args, sizeof(args), PICTURE "-i %s -i %s -i %s "
                    "-map 0 -map 1 -map 2 -map 3 "
                    "-c:v libx264 -c:s srt -metadata:s:s:0 language=eng "
                    "-metadata:s:s:1 language=eng "
                    "-metadata:s:s:2 language=pt-BR "
                    "-disposition:s:0 0 "
                    "-disposition:s:1 hearing_impaired "
                    "-disposition:s:2 forced+default",
                    media_path("s.srt"), media_path("s.srt"),
                    media_path("e.srt"));
    media_make("many.mkv", args);
    media_inspect(&s, "many.mkv");
    assert_int_equal(s.ntexts, 3);
    plan(&t, &b, &s);
    assert_string_equal(t.texts[0].name, "t-en");
    assert_string_equal(t.texts[1].name, "t-en-2");
    assert_string_equal(t.texts[2].name, "t-pt-br");
    assert_int_equal(t.texts[0].roles, 0);
    assert_int_equal(t.texts[1].roles, REEL_ROLE_CAPTIONS);
    assert_int_equal(t.texts[2].roles,
                     REEL_ROLE_FORCED | REEL_ROLE_DEFAULT);

    a = media_run(reel_av_subtitles, "many.mkv", (char *) b.data, b.len, "m",
                  0, 0);
    assert_int_equal(a.status, 0);
    check_output("m.0", want);
    check_output("m.1", want);
    check_output("m.2", "");
    text = json_dumps(a.lines, 0);
    assert_non_null(strstr(text, "t-en-2"));
    assert_null(strstr(text, "t-pt-br"));
    free(text);
    json_decref(a.lines);
    reel_buf_release(&b);
    reel_source_release(&s);
}


/* more than anybody reads is left out, and the film's record says so */
static void
test_too_many(void **state)
{
    char              args[512];
    json_t           *w;
    reel_buf_t        b;
    reel_source_t     s;
    media_answer_t    a;
    reel_subtitles_t  t;

    (void) state;

    reel_buf_init(&b, 8u << 20);

    for (unsigned i = 0; i < 1100; i++) {
        reel_buf_printf(&b, "%u\n00:00:0%u,%03u --> 00:00:05,900\n%04000u\n\n",
                        i + 1, i / 250, i % 250 * 4, i);
    }

    assert_int_equal(reel_buf_err(&b), REEL_OK);
    media_write("long.srt", b.data, b.len);
    media_write("s.srt", srt, sizeof(srt) - 1);
    reel_buf_release(&b);

    (void) snprintf(args, sizeof(args), PICTURE "-i %s -i %s -map 0 -map 1 "
                    "-map 2 -c:v libx264 -c:s srt "
                    "-metadata:s:s:0 language=eng "
                    "-metadata:s:s:1 language=ger", media_path("long.srt"),
                    media_path("s.srt"));
    media_make("long.mkv", args);
    media_inspect(&s, "long.mkv");
    plan(&t, &b, &s);

    a = media_run(reel_av_subtitles, "long.mkv", (char *) b.data, b.len, "l",
                  0, 0);
    assert_int_equal(a.status, 0);
    check_output("l.0", "");
    check_output("l.1", want);

    w = media_line(&a, "warning");
    assert_non_null(w);
    assert_string_equal(json_string_value(json_object_get(w, "code")),
                        "TEXT_LEFT_OUT");
    assert_string_equal(json_string_value(json_object_get(w, "where")),
                        "track 1 (subrip)");
    assert_int_equal(json_integer_value(json_object_get(w, "count")), 1);

    json_decref(a.lines);
    reel_buf_release(&b);
    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

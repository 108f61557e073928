/* conditions: what holds for a film, and what is refused where */

#include "tests/unit/help/files.h"
#include "tests/unit/job/film.h"

#include <stdio.h>
#include <string.h>

#include "lib/job/when.h"


static void
make(reel_source_t *s)
{
    film_t f = { .num = 30000, .den = 1001, .frames = 300, .key_every = 30,
                 .audio_len = 10 };

    film_make(s, &f);
    s->bytes = 5000000;
}


static void
holds(void **state)
{
    size_t        i;
    unsigned      column;
    reel_error_t  e;
    reel_source_t s;

    static const struct {
        const char *text;
        bool        want;
    } rows[] = {
        { "true", true },
        { "false", false },
        { "not false", true },
        { "height >= 1080 and duration < 600", true },
        { "height>1080", false },
        { "width == 1920", true },
        { "short_side <= 1079.999", false },
        { "duration == 10.01", true },      /* 300 frames; sound has 10 s */
        { "fps == 29.97", true },
        { "fps != 30", true },
        { "kbps >= 3996 and kbps < 3997", true },
        { "bytes > 4999999.999", true },
        { "video and audio", true },
        { "not video or interlaced", false },
        { "video_codec == 'h264'", true },
        { "video_codec == \"hevc\" or audio_codec != 'aac'", false },
        { "format == 'synthetic'", true },
        { "language == 'en' and subtitles == 0", true },
        { "audio_tracks == 1 and channels == 2", true },
        { "sample_rate == 48000 and rotation == 0", true },
        { "constant_rate == true", true },
        /* "and" binds closer than "or", "not" closest */
        { "true or false and false", true },
        { "(true or false) and false", false },
        { "not true or true", true },
        { "not (true or true)", false },
        { "not not video", true },
        { "600 > duration", true },
    };

    (void) state;
    make(&s);

    for (i = 0; i < COUNT(rows); i++) {
        if (reel_when_check(rows[i].text, strlen(rows[i].text), &column, &e)
            != REEL_OK)
        {
            fail_msg("%s: %u: %s", rows[i].text, column, e.text);
        }
        if (reel_when_holds(rows[i].text, strlen(rows[i].text), &s)
            != rows[i].want)
        {
            fail_msg("%s is not %d", rows[i].text, rows[i].want);
        }
    }

    assert_true(reel_when_holds("", 0, &s));
    reel_source_release(&s);
}


/* a film without pictures has none of their facts */
static void
sound_only(void **state)
{
    film_t        f = { .audio_len = 5 };
    reel_source_t s;

    (void) state;
    film_make(&s, &f);

#define HOLDS(text) reel_when_holds(text, strlen(text), &s)
    assert_true(HOLDS("not video and height == 0 and fps == 0"));
    assert_true(HOLDS("video_codec == '' and duration == 5"));
#undef HOLDS

    reel_source_release(&s);
}


static void
refused(void **state)
{
    size_t       i;
    char         deep[200];
    unsigned     column;
    reel_error_t e;

    static const struct {
        const char *text;
        unsigned    column;
        const char *what;
    } rows[] = {
        { "", 1, "expected" },
        { "heigth > 3", 1, "no such fact" },
        { "height > 3 and colour == 'red'", 16, "no such fact" },
        { "height", 1, "must be compared" },
        { "height > ", 10, "expected" },
        { "height => 3", 8, "an operator is" },
        { "height = 3", 8, "an operator is" },
        { "height > 'x'", 10, "both sides" },
        { "video > true", 9, "only numbers" },
        { "video_codec < 'h265'", 15, "only numbers" },
        { "video_codec == 'h264", 16, "closing quote" },
        { "(video", 7, "\")\" is missing" },
        { "video)", 6, "the end" },
        { "video audio", 7, "the end" },
        { "height > 3 && video", 12, "the end" },
        { "duration < 1.2345", 12, "decimals" },
        { "duration < 1.", 12, "decimals" },
        { "bytes < 99999999999999999999", 9, "too large" },
        { "not", 4, "expected" },
        { "video and", 10, "expected" },
        { "width > -1", 9, "expected" },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(reel_when_check(rows[i].text, strlen(rows[i].text),
                                         &column, &e), REEL_INVAL);
        if (column != rows[i].column || !strstr(e.text, rows[i].what)) {
            fail_msg("%s: %u: %s", rows[i].text, column, e.text);
        }
    }

    memset(deep, '(', sizeof(deep));
    assert_int_equal(reel_when_check(deep, sizeof(deep), &column, &e),
                     REEL_INVAL);
    assert_int_equal(column, REEL_WHEN_DEPTH + 1);
    assert_int_equal(reel_when_check(deep, REEL_WHEN_MAX + 1, &column, &e),
                     REEL_INVAL);
}


/* docs/pipelines.md has every fact */
static void
facts_are_told(void **state)
{
    char   *text, name[40];
    size_t  i;

    (void) state;
    text = file_read("docs/pipelines.md", NULL);

    for (i = 0; reel_when_fact(i) != NULL; i++) {
        (void) snprintf(name, sizeof(name), "`%s`", reel_when_fact(i));
        if (strstr(text, name) == NULL) {
            fail_msg("%s is not told of", name);
        }
    }

    assert_true(i > 15);
    free(text);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds),
        cmocka_unit_test(sound_only),
        cmocka_unit_test(refused),
        cmocka_unit_test(facts_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* facts of a source: round trip, bounds, and lists that are thinned */

#include "tests/unit/job/film.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/index/index.h"

#define LINE_MAX_BYTES (1u << 20)       /* docs/child-contract.md */


static void
copy(reel_source_t *out, const reel_source_t *in)
{
    reel_buf_t   b;
    reel_error_t e = { "" };

    reel_buf_init(&b, LINE_MAX_BYTES - 100);
    assert_int_equal(reel_source_print(&b, in), REEL_OK);

    if (reel_source_parse(out, (char *) b.data, b.len, &e) != REEL_OK) {
        fail_msg("%s", e.text);
    }

    reel_buf_release(&b);
}


static void
round_trip(void **state)
{
    size_t         i;
    reel_source_t  a, b;
    static const film_t films[] = {
        { .num = 24, .den = 1, .frames = 720, .key_every = 7,
          .audio_len = 30, .video_start = -0.5, .audio_start = -1 },
        { .audio_len = 5 },
        { .num = 30000, .den = 1001, .frames = 1 },
    };

    (void) state;

    for (i = 0; i < COUNT(films); i++) {
        film_make(&a, &films[i]);
        a.video.rotation = 270;
        a.video.hflip = a.video.interlaced = true;
        a.video.combed = REEL_COMBED_BOTTOM;
        a.video.light = (reel_source_light_t) {
            .range = i == 0 ? REEL_RANGE_PQ : REEL_RANGE_HLG,
            .told = { .light = i == 0, .max_cll = i == 0 ? 1000 : 0 }
        };
        a.video.jumps = (reel_jumps_t) { 2, { { 9, 1, -5 }, { 99, 2, 7 } } };
        a.cover = (reel_source_cover_t) { .stream = 7, .tb = { 1, 90000 },
                                          .width = i != 1 ? 0 : 300,
                                          .height = i != 1 ? 0 : 200 };

        if (a.audio.stream >= 0) {
            a.audio.ends = i == 0;
            a.nmore = 2;
            a.more[0] = a.more[1] = a.audio;
            a.more[1].stream = 5;
            a.more[1].roles = REEL_ROLE_COMMENTARY;
            memcpy(a.more[1].language, "pt-BR", 6);
            memcpy(a.more[1].label, "Coment\xc3\xa1rio", 12);
        }

        copy(&b, &a);
        assert_int_equal(b.nmore, a.nmore);
        assert_memory_equal(b.more, a.more, sizeof(a.more));
        assert_string_equal(b.format, a.format);
        assert_int_equal(b.cover.width, a.cover.width);

        if (i == 1) {
            assert_memory_equal(&b.cover, &a.cover, sizeof(a.cover));
        }

        assert_int_equal(b.video.stream, a.video.stream);
        assert_int_equal(b.audio.stream, a.audio.stream);

        if (a.video.stream >= 0) {
            assert_int_equal(b.video.nkeyframes, a.video.nkeyframes);
            assert_memory_equal(b.video.keyframes, a.video.keyframes,
                                a.video.nkeyframes * sizeof(int64_t));
            free(a.video.keyframes);
            free(b.video.keyframes);
            a.video.keyframes = b.video.keyframes = NULL;
            assert_string_equal(b.video.codec, "h264");
            assert_int_equal(b.video.first_pts, a.video.first_pts);
            assert_int_equal(b.video.last_pts, a.video.last_pts);
            assert_int_equal(b.video.last_dur, a.video.last_dur);
            assert_int_equal(b.video.rate.num, a.video.rate.num);
            assert_int_equal(b.video.rotation, 270);
            assert_int_equal(b.video.jumps.n, 2);
            assert_memory_equal(b.video.jumps.jump, a.video.jumps.jump,
                                2 * sizeof(reel_jump_t));
            assert_int_equal(b.video.combed, REEL_COMBED_BOTTOM);
            assert_memory_equal(&b.video.light, &a.video.light,
                                sizeof(a.video.light));
            assert_true(b.video.hflip && b.video.interlaced
                        && !b.video.vflip);
        }

        if (a.audio.stream >= 0) {
            assert_int_equal(b.audio.end_pts, a.audio.end_pts);
            assert_int_equal(b.audio.ends, a.audio.ends);
            assert_string_equal(b.audio.language, "en");
        }
    }
}


/* inspect.json of before there were several sounds */
static void
older_facts(void **state)
{
    reel_source_t      s;
    static const char  json[] =
        "{\"format\":\"ogg\",\"bytes\":9,\"audio\":{\"stream\":3,"
        "\"codec\":\"opus\",\"tb\":[1,48000],\"first_pts\":0,"
        "\"end_pts\":960,\"sample_rate\":48000,\"channels\":2,"
        "\"language\":\"fr\"}}";

    (void) state;

    assert_int_equal(reel_source_parse(&s, json, strlen(json), NULL),
                     REEL_OK);
    assert_int_equal(s.audio.stream, 3);
    assert_string_equal(s.audio.language, "fr");
    assert_int_equal(s.audio.roles, 0);
    assert_int_equal(s.nmore, 0);
    reel_source_release(&s);
}


/* every picture a key frame for 25 hours: thinned evenly, one line */
static void
thinned(void **state)
{
    size_t        i;
    reel_source_t a, b;

    (void) state;

    film_make(&a, &(film_t) { .num = 50, .den = 1, .key_every = 1,
                              .frames = 50LL * 25 * 3600 });
    copy(&b, &a);
    assert_in_range(b.video.nkeyframes, REEL_SOURCE_KEYFRAMES / 2,
                    REEL_SOURCE_KEYFRAMES);

    for (i = 0; i < b.video.nkeyframes; i++) {
        assert_int_equal(b.video.keyframes[i],
                         a.video.keyframes[i * 128]);
    }

    reel_source_release(&b);

    /* one below the limit is left alone */
    a.video.nkeyframes = REEL_SOURCE_KEYFRAMES - 1;
    copy(&b, &a);
    assert_int_equal(b.video.nkeyframes, REEL_SOURCE_KEYFRAMES - 1);
    reel_source_release(&b);
    reel_source_release(&a);
}


static void
doubled_key_frames_are_one(void **state)
{
    reel_source_t a, b;

    (void) state;

    film_make(&a, &(film_t) { .num = 25, .den = 1, .frames = 100,
                              .key_every = 25 });
    a.video.keyframes[2] = a.video.keyframes[1];
    copy(&b, &a);
    assert_int_equal(b.video.nkeyframes, 3);
    assert_int_equal(b.video.keyframes[2], a.video.keyframes[3]);
    reel_source_release(&b);
    reel_source_release(&a);
}


/* facts of before there was copying have none, and are read */
static void
copied_or_not(void **state)
{
    reel_buf_t    b;
    reel_source_t s, r;

    (void) state;

    film_make(&s, &(film_t) { .num = 25, .den = 1, .frames = 100 });
    reel_buf_init(&b, 4096);
    assert_int_equal(reel_source_print(&b, &s), REEL_OK);
    assert_null(strstr(reel_buf_cstr(&b), "copy"));
    assert_int_equal(reel_source_parse(&r, reel_buf_cstr(&b), b.len, NULL),
                     REEL_OK);
    assert_false(r.video.copy.known);
    reel_source_release(&r);

    reel_buf_clear(&b);
    s.video.copy = (reel_source_copy_t) { true, "", 50, 2, 900 };
    assert_int_equal(reel_source_print(&b, &s), REEL_OK);
    assert_int_equal(reel_source_parse(&r, reel_buf_cstr(&b), b.len, NULL),
                     REEL_OK);
    assert_memory_equal(&r.video.copy, &s.video.copy, sizeof(r.video.copy));
    reel_source_release(&r);

    reel_buf_clear(&b);
    s.video.copy = (reel_source_copy_t) { true, "it is odd", 0, 0, 0 };
    assert_int_equal(reel_source_print(&b, &s), REEL_OK);
    assert_int_equal(reel_source_parse(&r, reel_buf_cstr(&b), b.len, NULL),
                     REEL_OK);
    assert_string_equal(r.video.copy.refused, "it is odd");
    reel_source_release(&r);
    reel_source_release(&s);
    reel_buf_release(&b);
}


static void
refused(void **state)
{
    char          text[4096];
    char         *at;
    size_t        i;
    reel_buf_t    b;
    reel_error_t  e;
    reel_source_t s;
    static const struct {
        const char *from, *to, *text;
    } rows[] = {
        { "\"width\":1920", "\"width\":0", "\"width\" is 0" },
        { "\"rotation\":0", "\"rotation\":45", "multiple of 90" },
        { "\"tb\":[1,25000]", "\"tb\":[1,0]", "\"tb\" is 0" },
        { "\"tb\":[1,25000]", "\"tb\":[1]", "not an integer" },
        { "\"tb\":[1,25000]", "\"tb\":[1,2,3]", "too many" },
        { "\"last_pts\":99000", "\"last_pts\":-1", "before the first" },
        { "\"last_pts\":99000", "\"last_pts\":9223372036854775807",
          "not within" },
        { "\"last_dur\":1000", "\"last_dur\":0", "\"last_dur\" is 0" },
        { "\"keyframes\":[0,25000", "\"keyframes\":[0,0", "\"keyframes\"" },
        { "\"keyframes\":[0,25000",
          "\"keyframes\":[1152921504606846976,25000", "too far" },
        { "\"hflip\":false", "\"hflip\":0", "neither true nor false" },
        { "\"codec\":\"h264\"", "\"codec\":\"" "0123456789012345678901234567"
          "89012\"", "too long" },
        { "\"video\":{", "\"video\":[{", "source:" },
    };

    (void) state;

    film_make(&s, &(film_t) { .num = 25, .den = 1, .frames = 100,
                              .key_every = 25 });
    reel_buf_init(&b, sizeof(text) - 1);
    assert_int_equal(reel_source_print(&b, &s), REEL_OK);
    reel_source_release(&s);

    for (i = 0; i < COUNT(rows); i++) {
        const char *in = reel_buf_cstr(&b);
        size_t      head, tail = strlen(rows[i].to);

        at = strstr(in, rows[i].from);
        assert_non_null(at);
        head = (size_t) (at - in);
        memcpy(text, in, head);
        memcpy(text + head, rows[i].to, tail);
        at += strlen(rows[i].from);
        memcpy(text + head + tail, at, strlen(at) + 1);

        assert_int_equal(reel_source_parse(&s, text, strlen(text), &e),
                         REEL_BADDATA);
        assert_non_null(strstr(e.text, rows[i].text));
        assert_null(s.video.keyframes);
        assert_int_equal(s.video.stream, -1);
    }

    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(older_facts),
        cmocka_unit_test(thinned),
        cmocka_unit_test(doubled_key_frames_are_one),
        cmocka_unit_test(copied_or_not),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

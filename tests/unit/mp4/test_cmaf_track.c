#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/mp4/tracks.h"


static void
assert_same(const reel_cmaf_track_t *a, const reel_cmaf_track_t *b)
{
    assert_int_equal(a->codec, b->codec);
    assert_int_equal(a->track_id, b->track_id);
    assert_int_equal(a->timescale, b->timescale);
    assert_int_equal(a->config.len, b->config.len);
    assert_memory_equal(a->config.p, b->config.p, a->config.len);
    assert_string_equal(a->language, b->language);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->primaries, b->primaries);
    assert_int_equal(a->transfer, b->transfer);
    assert_int_equal(a->matrix, b->matrix);
    assert_int_equal(a->full_range, b->full_range);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->sample_rate, b->sample_rate);
    assert_int_equal(a->bitrate, b->bitrate);

    assert_int_equal(a->hdr.mastering, b->hdr.mastering);
    assert_memory_equal(a->hdr.primaries, b->hdr.primaries,
                        sizeof(a->hdr.primaries));
    assert_memory_equal(a->hdr.white, b->hdr.white, sizeof(a->hdr.white));
    assert_int_equal(a->hdr.max_luminance, b->hdr.max_luminance);
    assert_int_equal(a->hdr.min_luminance, b->hdr.min_luminance);
    assert_int_equal(a->hdr.light, b->hdr.light);
    assert_int_equal(a->hdr.max_cll, b->hdr.max_cll);
    assert_int_equal(a->hdr.max_fall, b->hdr.max_fall);
}


/* what the writer printed, the reader reads; cut anywhere, it is refused */
static void
round_trip(const reel_cmaf_track_t *t)
{
    char               *cut;
    size_t              n;
    reel_buf_t          b;
    reel_error_t        e;
    reel_cmaf_track_t   got;

    reel_buf_init(&b, 16384);
    assert_int_equal(reel_cmaf_header(&b, t), REEL_OK);
    assert_int_equal(reel_cmaf_read_header(&got, b.data, b.len, &e), REEL_OK);
    assert_same(t, &got);

    /* what lies behind is not looked at */
    n = b.len;
    reel_buf_addz(&b, "\1\2\3");
    assert_int_equal(reel_cmaf_read_header(&got, b.data, b.len, &e), REEL_OK);
    assert_same(t, &got);

    while (n-- > 0) {
        cut = malloc(n + 1);
        assert_non_null(cut);
        memcpy(cut, b.data, n);
        e.text[0] = '\0';
        assert_int_equal(reel_cmaf_read_header(&got, cut, n, &e),
                         REEL_BADDATA);
        assert_string_not_equal(e.text, "");
        free(cut);
    }

    reel_buf_release(&b);
}


static void
round_trips(void **state)
{
    size_t             i;
    reel_cmaf_track_t  t = track_video();

    (void) state;

    round_trip(&t);

    t.primaries = t.matrix = 9;
    t.transfer = 16;
    t.full_range = true;
    t.track_id = 77;
    round_trip(&t);

    t = track_audio();
    round_trip(&t);

    /* 96 kHz does not fit the entry: it comes from the configuration */
    t.config = REEL_STR("\x10\x10");
    t.sample_rate = 96000;
    round_trip(&t);

    for (i = 0; i < track_ncases; i++) {
        round_trip(&track_cases[i].track);
    }
}


/* without a box for them, colours are what the parameter sets tell */
static void
colours(void **state)
{
    reel_buf_t         b;
    reel_cmaf_track_t  t = track_video(), got;

    (void) state;

    t.primaries = t.transfer = t.matrix = 2;
    reel_buf_init(&b, 16384);
    assert_int_equal(reel_cmaf_header(&b, &t), REEL_OK);
    assert_int_equal(reel_cmaf_read_header(&got, b.data, b.len, NULL),
                     REEL_OK);
    assert_int_equal(got.primaries, 1);
    assert_int_equal(got.transfer, 1);
    assert_int_equal(got.matrix, 1);
    reel_buf_release(&b);
}


/* overwrites bytes at a place of a box's payload, then reads */
static void
changed(const char *path, size_t off, const char *bytes, size_t n,
    reel_err_t err, const char *text)
{
    reel_buf_t          b;
    reel_str_t          x;
    reel_error_t        e = { "" };
    reel_cmaf_track_t   t = track_audio(), got;

    reel_buf_init(&b, 16384);
    assert_int_equal(reel_cmaf_header(&b, &t), REEL_OK);

    x = find_box((reel_str_t) { (char *) b.data, b.len }, path);
    assert_non_null(x.p);
    memcpy(b.data + (x.p - (char *) b.data) + off, bytes, n);

    assert_int_equal(reel_cmaf_read_header(&got, b.data, b.len, &e), err);
    assert_string_equal(e.text, text);
    reel_buf_release(&b);
}


static void
refused(void **state)
{
    (void) state;

    changed("moov/trak/tkhd", 12, "\0\0\0", 4, REEL_BADDATA, "tkhd: track 0");
    changed("moov/trak/mdia/mdhd", 12, "\0\0\0", 4, REEL_BADDATA,
            "mdhd: timescale 0");
    changed("moov/trak/mdia/hdlr", 8, "vide", 4, REEL_BADDATA,
            "hdlr: another kind than its sample entry");
    changed("moov/trak/mdia/minf/stbl/stsd", 7, "\2", 1, REEL_UNSUPPORTED,
            "stsd: not one sample entry");
    changed("moov/trak/mdia/mdhd", 20, "\0\0", 2, REEL_OK, "");
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(colours),
        cmocka_unit_test(refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/codec/mp3.h"
#include "lib/mp4/box.h"
#include "lib/mp4/sample_entry.h"
#include "tests/unit/mp4/tracks.h"

#define TYPE(z)  REEL_FOURCC((z)[0], (z)[1], (z)[2], (z)[3])


/* an entry's payload, in bytes of their own */
static reel_err_t
read_entry(reel_cmaf_track_t *t, uint32_t type, const reel_buf_t *b)
{
    uint8_t       *copy = malloc(b->len + 1);
    reel_err_t     err;
    reel_error_t   e = { "" };
    reel_reader_t  r;

    assert_non_null(copy);
    memcpy(copy, b->data, b->len);
    reel_reader_init(&r, copy, b->len);
    *t = (reel_cmaf_track_t) { 0 };

    err = reel_mp4_read_entry(t, type, &r, &e);
    assert_true(err == REEL_OK || e.text[0] != '\0');
    t->config.p = NULL;
    free(copy);

    return err;
}


/* the fields of a QuickTime sound entry, ISO's if version is 0 */
static void
put_sound(reel_buf_t *b, uint16_t version)
{
    reel_buf_zero(b, 6);
    reel_buf_u16(b, 1);
    reel_buf_u16(b, version);
    reel_buf_zero(b, 6);
    reel_buf_u16(b, version == 2 ? 3 : 2);
    reel_buf_u16(b, 16);
    reel_buf_zero(b, 4);
    reel_buf_u32(b, 44100u << 16);

    /* samples a packet, bytes a packet, a frame, a sample; or 72 and so on */
    if (version == 1) {
        reel_buf_u32(b, 1024);
        reel_buf_zero(b, 12);
    } else if (version == 2) {
        reel_buf_u32(b, 72);
        reel_buf_u32(b, 0x40e58880);
        reel_buf_u32(b, 0);
        reel_buf_u32(b, 2);
        reel_buf_zero(b, 20);
    }
}


/* esds as our own entry has it */
static void
put_esds(reel_buf_t *b)
{
    reel_buf_t         own;
    reel_cmaf_track_t  t = track_audio();

    reel_buf_init(&own, 4096);
    reel_mp4_write_entry(&own, &t);
    reel_buf_add(b, own.data + 36, own.len - 36);
    reel_buf_release(&own);
}


static void
sound(void **state)
{
    size_t             wave, box;
    unsigned           version, wrapped;
    reel_buf_t         b;
    reel_cmaf_track_t  t;

    (void) state;

    for (version = 0; version <= 2; version++) {
        for (wrapped = 0; wrapped <= 1; wrapped++) {
            reel_buf_init(&b, 4096);
            put_sound(&b, (uint16_t) version);
            wave = wrapped ? reel_box_begin(&b, TYPE("wave")) : 0;

            if (wrapped) {
                box = reel_box_begin(&b, TYPE("frma"));
                reel_buf_addz(&b, "mp4a");
                reel_box_end(&b, box);
                box = reel_box_begin(&b, TYPE("mp4a"));
                reel_buf_u32(&b, 0);
                reel_box_end(&b, box);
            }

            put_esds(&b);

            if (wrapped) {
                reel_buf_u32(&b, 8);    /* an atom of type 0 is the end … */
                reel_buf_u32(&b, 0);
                reel_box_end(&b, wave);
                reel_buf_u32(&b, 0);    /* … and so is a zero */
            }

            assert_int_equal(read_entry(&t, TYPE("mp4a"), &b), REEL_OK);
            assert_int_equal(t.codec, REEL_CODEC_AAC);
            assert_int_equal(t.channels, 2);
            assert_int_equal(t.sample_rate, track_audio().sample_rate);
            reel_buf_release(&b);
        }
    }
}


/* cut anywhere it is refused, or what is cut off was the end of a list */
static void
cut(void **state)
{
    size_t             n, whole;
    reel_buf_t         b;
    reel_cmaf_track_t  t;

    (void) state;

    reel_buf_init(&b, 4096);
    put_sound(&b, 1);
    put_esds(&b);
    whole = b.len;
    reel_buf_u32(&b, 0);

    for (n = 0; n <= whole + 4; n++) {
        b.len = n;
        assert_int_equal(read_entry(&t, TYPE("mp4a"), &b) == REEL_OK,
                         n >= whole);
    }

    reel_buf_release(&b);
}


/* written, then read: esds without a configuration */
static void
mp3(void **state)
{
    char               string[REEL_CODEC_STRING];
    unsigned           i;
    reel_buf_t         b;
    reel_err_t         err;
    reel_reader_t      r;
    reel_cmaf_track_t  t, back = { 0 };

    static const char *const  types[] = { "\x6b", "\x69" };
    static const char *const  strings[] = { "mp4a.6B", "mp4a.69" };

    (void) state;

    for (i = 0; i < 2; i++) {
        t = track_audio();
        t.codec = REEL_CODEC_MP3;
        t.config = (reel_str_t) { types[i], 1 };
        t.channels = 1;
        t.sample_rate = 22050;

        reel_buf_init(&b, 4096);
        reel_mp4_write_entry(&b, &t);
        reel_reader_init(&r, b.data + 8, b.len - 8);
        err = reel_mp4_read_entry(&back, TYPE("mp4a"), &r, NULL);
        assert_int_equal(err, REEL_OK);
        assert_int_equal(back.codec, REEL_CODEC_MP3);
        assert_int_equal(back.channels, 1);
        assert_int_equal(back.sample_rate, 22050);
        assert_true(reel_str_eq(back.config, t.config));

        err = reel_mp4_codec(back.codec)->string(string, sizeof(string),
                                                 back.config);
        assert_int_equal(err, REEL_OK);
        assert_string_equal(string, strings[i]);
        reel_buf_release(&b);
    }

    assert_int_equal(reel_mp3_codec_string(string, sizeof(string),
                                           (reel_str_t) { "\x40", 1 }),
                     REEL_BADDATA);
}


/* pixels that are not square, in an entry of other people's name */
static void
picture(void **state)
{
    reel_buf_t         b;
    reel_err_t         err;
    reel_reader_t      r;
    reel_cmaf_track_t  t = track_video(), back = { 0 };

    (void) state;

    t.sar_num = 4;
    t.sar_den = 3;
    reel_buf_init(&b, 65536);
    reel_mp4_write_entry(&b, &t);
    reel_buf_u32(&b, 0);

    reel_reader_init(&r, b.data + 8, b.len - 8);
    err = reel_mp4_read_entry(&back, TYPE("avc3"), &r, NULL);
    assert_int_equal(err, REEL_OK);
    assert_int_equal(back.codec, REEL_CODEC_AVC);
    assert_int_equal(back.sar_num, 4);
    assert_int_equal(back.sar_den, 3);
    assert_int_equal(reel_cmaf_shown_width(&back), t.width * 4 / 3);

    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(sound), cmocka_unit_test(cut), cmocka_unit_test(mp3),
        cmocka_unit_test(picture)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

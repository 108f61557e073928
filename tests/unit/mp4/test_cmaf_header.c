#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/mp4/sample_entry.h"
#include "tests/unit/golden.h"
#include "tests/unit/mp4/tracks.h"


static reel_str_t
header(reel_buf_t *b, const reel_cmaf_track_t *t)
{
    reel_buf_init(b, 16384);
    assert_int_equal(reel_cmaf_header(b, t), REEL_OK);

    return (reel_str_t) { (const char *) b->data, b->len };
}


/* sizes nest without a byte left over */
static void
assert_nested(reel_str_t in)
{
    size_t  size;

    while (in.len != 0) {
        assert_true(in.len >= 8);
        size = be32(in.p);
        assert_true(size >= 8 && size <= in.len);

        if (strchr("mtds", in.p[4]) != NULL
            && (memcmp(in.p + 4, "moov", 4) == 0
                || memcmp(in.p + 4, "trak", 4) == 0
                || memcmp(in.p + 4, "mdia", 4) == 0
                || memcmp(in.p + 4, "minf", 4) == 0
                || memcmp(in.p + 4, "dinf", 4) == 0
                || memcmp(in.p + 4, "stbl", 4) == 0
                || memcmp(in.p + 4, "mvex", 4) == 0))
        {
            assert_nested((reel_str_t) { in.p + 8, size - 8 });
        }

        in.p += size;
        in.len -= size;
    }
}


static void
video(void **state)
{
    reel_str_t         h, x;
    reel_buf_t         b;
    reel_cmaf_track_t  t = track_video();

    (void) state;

    h = header(&b, &t);
    golden_check("video.init.mp4", h.p, h.len);
    assert_nested(h);

    x = find_box(h, "ftyp");
    assert_int_equal(x.len, 28);
    assert_memory_equal(x.p, "iso6\0\0\0\0iso6cmfccmf2dashcfsd", 28);

    x = find_box(h, "moov/trak/tkhd");
    assert_int_equal(be32(x.p), 3);             /* enabled, in the movie */
    assert_int_equal(be32(x.p + 12), REEL_TRACK_VIDEO);
    assert_int_equal(be32(x.p + 76), 640 << 16);
    assert_int_equal(be32(x.p + 80), 360 << 16);

    x = find_box(h, "moov/trak/mdia/mdhd");
    assert_int_equal(be32(x.p + 12), 90000);
    assert_memory_equal(x.p + 20, "\x55\xc4", 2);   /* und */

    x = find_box(h, "moov/trak/mdia/minf/stbl/stsd/avc1/avcC");
    assert_int_equal(x.len, t.config.len);
    assert_memory_equal(x.p, t.config.p, x.len);

    x = find_box(h, "moov/trak/mdia/minf/stbl/stsd/avc1/colr");
    assert_int_equal(x.len, 11);
    assert_memory_equal(x.p, "nclx\0\1\0\1\0\1\0", 11);

    x = find_box(h, "moov/trak/mdia/minf/dinf/dref/url ");
    assert_int_equal(be32(x.p), 1);             /* in this file */

    x = find_box(h, "moov/mvex/trex");
    assert_int_equal(be32(x.p + 4), REEL_TRACK_VIDEO);
    assert_int_equal(be32(x.p + 8), 1);

    assert_null(find_box(h, "moov/trak/edts").p);
    assert_int_equal(find_box(h, "moov/trak/mdia/minf/stbl/stsz").len, 12);
    assert_int_equal(find_box(h, "moov/trak/mdia/minf/stbl/stco").len, 8);

    reel_buf_release(&b);
}


/* no description, no box; any of the three, or full range, is kept */
static void
colours(void **state)
{
    reel_str_t         x;
    reel_buf_t         b;
    reel_cmaf_track_t  t = track_video();

    (void) state;

    t.primaries = 2;
    t.transfer = 2;
    t.matrix = 2;
    t.full_range = true;
    x = header(&b, &t);
    assert_null(find_box(x, "moov/trak/mdia/minf/stbl/stsd/avc1/colr").p);
    reel_buf_release(&b);

    t.primaries = 9;
    t.transfer = 16;
    t.matrix = 9;
    x = find_box(header(&b, &t),
                 "moov/trak/mdia/minf/stbl/stsd/avc1/colr");
    assert_int_equal(x.len, 11);
    assert_memory_equal(x.p, "nclx\0\x09\0\x10\0\x09\x80", 11);
    reel_buf_release(&b);
}


static void
audio(void **state)
{
    reel_str_t         h, x;
    reel_buf_t         b;
    reel_cmaf_track_t  t = track_audio();

    (void) state;

    h = header(&b, &t);
    golden_check("audio.init.mp4", h.p, h.len);
    assert_nested(h);

    x = find_box(h, "moov/trak/tkhd");
    assert_memory_equal(x.p + 36, "\1\0", 2);   /* volume */
    assert_int_equal(be32(x.p + 76), 0);

    x = find_box(h, "moov/trak/mdia/mdhd");
    assert_int_equal(be32(x.p + 12), 48000);
    assert_memory_equal(x.p + 20, "\x15\xc7", 2);   /* eng */

    x = find_box(h, "moov/trak/mdia/minf/stbl/stsd/mp4a");
    assert_memory_equal(x.p + 16, "\0\2\0\x10", 4);
    assert_int_equal(be32(x.p + 24), (uint32_t) 48000 << 16);

    x = find_box(h, "moov/trak/mdia/minf/stbl/stsd/mp4a/esds");
    assert_int_equal(x.len, 31);
    assert_memory_equal(x.p, "\0\0\0\0\x03\x19\0\0\0\x04\x11\x40\x15\0\0\0"
                        "\0\1\xf4\0\0\1\xf4\0\x05\x02\x11\x90\x06\x01\x02",
                        31);

    assert_int_equal(find_box(h, "moov/trak/mdia/minf/smhd").len, 8);
    reel_buf_release(&b);

    /* what 16.16 cannot say is left to esds */
    t.sample_rate = 96000;
    x = find_box(header(&b, &t), "moov/trak/mdia/minf/stbl/stsd/mp4a");
    assert_int_equal(be32(x.p + 24), 0);
    reel_buf_release(&b);
}


/* each other codec: golden, its string, and what its entry says */
static void
codecs(void **state)
{
    char               name[64], got[REEL_CODEC_STRING];
    size_t             i;
    reel_str_t         h;
    reel_buf_t         b;

    const reel_mp4_codec_t   *c;
    const reel_cmaf_track_t  *t;

    (void) state;

    for (i = 0; i < track_ncases; i++) {
        t = &track_cases[i].track;
        h = header(&b, t);
        snprintf(name, sizeof(name), "%s.init.mp4", track_cases[i].name);
        golden_check(name, h.p, h.len);
        assert_nested(h);

        c = reel_mp4_codec(t->codec);
        assert_non_null(c);
        assert_int_equal(c->string(got, sizeof(got), t->config), REEL_OK);
        assert_string_equal(got, track_cases[i].string);

        snprintf(name, sizeof(name), "moov/trak/mdia/minf/stbl/stsd/%s/%s",
                 c->entry, c->box);
        assert_non_null(find_box(h, name).p);
        reel_buf_release(&b);
    }
}


static void
entries(void **state)
{
    reel_str_t         x;
    reel_buf_t         b;
    reel_cmaf_track_t  t = track_cases[0].track;

    (void) state;

    x = find_box(header(&b, &t), "moov/trak/mdia/minf/stbl/stsd/hvc1/mdcv");
    assert_int_equal(x.len, 24);
    assert_memory_equal(x.p, "\x33\xc2\x86\xc4\x1d\x4c\x0b\xb8\x84\xd0\x3e"
                        "\x80\x3d\x13\x40\x42\0\x98\x96\x80\0\0\0\1", 24);
    x = find_box((reel_str_t) { (char *) b.data, b.len },
                 "moov/trak/mdia/minf/stbl/stsd/hvc1/clli");
    assert_int_equal(x.len, 4);
    assert_memory_equal(x.p, "\x03\xe8\x01\x90", 4);
    reel_buf_release(&b);

    t.hdr = (reel_hdr_t) { .mastering = false };
    x = header(&b, &t);
    assert_null(find_box(x, "moov/trak/mdia/minf/stbl/stsd/hvc1/mdcv").p);
    assert_null(find_box(x, "moov/trak/mdia/minf/stbl/stsd/hvc1/clli").p);
    reel_buf_release(&b);

    /* FLAC of 96 kHz: 24 bit a sample, and half the rate */
    t = track_cases[track_ncases - 1].track;
    x = find_box(header(&b, &t), "moov/trak/mdia/minf/stbl/stsd/fLaC");
    assert_memory_equal(x.p + 16, "\0\2\0\x18", 4);
    assert_int_equal(be32(x.p + 24), (uint32_t) 48000 << 16);
    reel_buf_release(&b);
}


static void
refused(void **state)
{
    char               asc[65] = "\x11\x90";
    reel_buf_t         b;
    reel_cmaf_track_t  good = track_video(), t;

    (void) state;

    reel_buf_init(&b, 16384);

#define REFUSED(change, err)                                                  \
    t = good;                                                                 \
    change;                                                                   \
    assert_int_equal(reel_cmaf_header(&b, &t), err);                          \
    assert_int_equal(b.len, 0)

    REFUSED(t.timescale = 0, REEL_INVAL);
    REFUSED(t.track_id = 0, REEL_INVAL);
    REFUSED(t.track_id = UINT32_MAX, REEL_INVAL);
    REFUSED(t.width = 0, REEL_INVAL);
    REFUSED(t.height = 0, REEL_INVAL);
    REFUSED(t.config.len = 6, REEL_BADDATA);
    REFUSED(t.config = REEL_STR("\0\0\0\1\x67\x64\0"), REEL_BADDATA);
    REFUSED(t.language[2] = '\0', REEL_INVAL);
    REFUSED(t.language[0] = 'E', REEL_INVAL);
    REFUSED(t.codec = (reel_codec_t) 77, REEL_UNSUPPORTED);

    good = track_audio();
    REFUSED(t.channels = 0, REEL_INVAL);
    REFUSED(t.sample_rate = 0, REEL_INVAL);
    REFUSED(t.config.len = 1, REEL_BADDATA);
    REFUSED((t.config = (reel_str_t) { asc, 65 }), REEL_INVAL);

    reel_buf_release(&b);

    /* the longest configuration, and a buffer that is too small */
    t.config.len = 64;
    reel_buf_init(&b, 16384);
    assert_int_equal(reel_cmaf_header(&b, &t), REEL_OK);
    reel_buf_release(&b);

    reel_buf_init(&b, 500);
    assert_int_equal(reel_cmaf_header(&b, &t), REEL_LIMIT);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(video),
        cmocka_unit_test(colours),
        cmocka_unit_test(audio),
        cmocka_unit_test(codecs),
        cmocka_unit_test(entries),
        cmocka_unit_test(refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

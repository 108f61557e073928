#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/hex.h"
#include "lib/codec/avc.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* 640x360 of x264 */
#define SPS "6764001eacd940a02ff97016a02020280000030008000003018078b16cb0"
#define PPS "68ebe3cb22c0"
#define CODE4 "00000001"
#define CODE3 "000001"
#define BASE_SPS "6742c00bd9030578888c0440000003004000000c83c50a92"
#define BASE_PPS "68cb83cb20"


static size_t
unhex(uint8_t *dst, size_t cap, const char *hex)
{
    size_t  n = strlen(hex) / 2;

    assert_true(n <= cap);
    assert_int_equal(reel_unhex(dst, n, reel_str(hex)), REEL_OK);

    return n;
}


static const struct {
    const char *annexb;
    reel_err_t  err;
    const char *sample;
    unsigned    slices;
} samples[] = {

    /* 4- and 3-byte start codes; AUD, SPS, PPS, SEI, filler left out */
    { CODE4 "0910" CODE4 SPS CODE4 PPS CODE3 "0605ff80" CODE3 "65b80411"
      CODE3 "0cffff80", REEL_OK, "0000000465b80411", 1 },

    /* three slices; a non-reference one */
    { CODE4 "41aa" CODE3 "41bb00cc" CODE4 "01dd", REEL_OK,
      "0000000241aa" "0000000441bb00cc" "0000000201dd", 3 },

    /* zeros before, between and behind are not of the NAL units */
    { "0000" CODE4 "65880000000000" CODE3 "4199000000", REEL_OK,
      "000000026588" "000000024199", 2 },

    /* an escaped start code stays as it is */
    { CODE4 "65000003000003010203", REEL_OK,
      "0000000a65000003000003010203", 1 },

    /* data partitions: A opens the slice, B and C belong to it */
    { CODE4 "42aa" CODE4 "43bb" CODE4 "44cc", REEL_OK,
      "0000000242aa" "0000000243bb" "0000000244cc", 1 },

    /* subset SPS and SPS extension are parameter sets; 10 and 11 are not */
    { CODE4 "6f11" CODE4 "6d22" CODE4 "41aa" CODE4 "0a" CODE4 "0b", REEL_OK,
      "0000000241aa" "000000010a" "000000010b", 1 },

    { CODE4 "0910", REEL_OK, "", 0 },

    { "", REEL_BADDATA, "", 0 },
    { "000000", REEL_BADDATA, "", 0 },
    { "65b80411", REEL_BADDATA, "", 0 },
    { "aa" CODE4 "65b8", REEL_BADDATA, "", 0 },
    { CODE4, REEL_BADDATA, "", 0 },
    { CODE4 CODE4 "65b8", REEL_BADDATA, "", 0 },
    { CODE4 "0000", REEL_BADDATA, "", 0 },
    { CODE4 "e5b8", REEL_BADDATA, "", 0 }
};


static void
to_sample(void **state)
{
    size_t      i, n, want;
    uint8_t     in[256], sample[256];
    unsigned    slices;
    reel_buf_t  b;

    (void) state;

    for (i = 0; i < COUNT(samples); i++) {
        n = unhex(in, sizeof(in), samples[i].annexb);
        want = unhex(sample, sizeof(sample), samples[i].sample);

        reel_buf_init(&b, sizeof(in) * 2);
        reel_buf_u8(&b, 0xee);              /* it appends */
        assert_int_equal(reel_avc_to_sample(&b, in, n, &slices),
                         samples[i].err);

        if (samples[i].err == REEL_OK) {
            assert_int_equal(b.len, want + 1);
            assert_memory_equal(b.data + 1, sample, want);
            assert_int_equal(slices, samples[i].slices);
        }

        reel_buf_release(&b);
    }

    /* the caller's bound holds */
    n = unhex(in, sizeof(in), samples[0].annexb);
    reel_buf_init(&b, 7);
    assert_int_equal(reel_avc_to_sample(&b, in, n, &slices), REEL_LIMIT);
    reel_buf_release(&b);
}


/* a stream of any bytes is found again whatever stands before it */
static void
scan(void **state)
{
    size_t      i, k, n;
    uint8_t     in[64];
    unsigned    slices;
    reel_buf_t  b;

    (void) state;

    for (i = 0; i < 40; i++) {
        for (k = 0; k < 3; k++) {
            memset(in, 0, sizeof(in));
            n = 4;
            in[3] = 1;
            in[n++] = 0x41;
            memset(in + n, (int) k, i);
            n += i;
            in[n++] = 0xff;
            memcpy(in + n, "\0\0\1\x65\x80", 5);
            n += 5;

            reel_buf_init(&b, 256);
            assert_int_equal(reel_avc_to_sample(&b, in, n, &slices),
                             REEL_OK);
            assert_int_equal(slices, 2);
            assert_int_equal(b.len, 4 + 2 + i + 4 + 2);
            assert_memory_equal(b.data + 4, in + 4, 2 + i);
            assert_memory_equal(b.data + 6 + i, "\0\0\0\2\x65\x80", 6);
            reel_buf_release(&b);
        }
    }
}


static void
config(void **state)
{
    size_t      n, want;
    char        codec[12];
    uint8_t     in[512], avcc[256];
    reel_buf_t  b;

    (void) state;

    /* x264's global header: SPS, PPS, an SEI; sets that repeat count once */
    n = unhex(in, sizeof(in), CODE4 SPS CODE4 PPS CODE3 "0605ff80"
              CODE4 SPS CODE4 PPS);
    want = unhex(avcc, sizeof(avcc), "0164001effe1001e" SPS "010006" PPS
                 "fdf8f800");

    reel_buf_init(&b, 1024);
    assert_int_equal(reel_avc_config(&b, in, n), REEL_OK);
    assert_int_equal(b.len, want);
    assert_memory_equal(b.data, avcc, want);

    assert_int_equal(reel_avc_codec_string(codec, sizeof(codec),
                     (reel_str_t) { (char *) b.data, b.len }), REEL_OK);
    assert_string_equal(codec, "avc1.64001e");
    assert_int_equal(reel_avc_codec_string(codec, 11,
                     (reel_str_t) { (char *) b.data, b.len }), REEL_INVAL);

    /* an avcC is taken as it is */
    reel_buf_clear(&b);
    assert_int_equal(reel_avc_config(&b, avcc, want), REEL_OK);
    assert_int_equal(b.len, want);
    assert_memory_equal(b.data, avcc, want);

    /* … but for another length size, or when it is cut or says nonsense */
    avcc[4] = 0xfd;
    assert_int_equal(reel_avc_config(&b, avcc, want), REEL_UNSUPPORTED);
    avcc[4] = 0xff;

    for (n = 0; n < want - 4; n++) {
        assert_int_equal(reel_avc_config(&b, avcc, n), REEL_BADDATA);
    }

    avcc[5] = 0xe0;
    assert_int_equal(reel_avc_config(&b, avcc, want), REEL_BADDATA);
    avcc[5] = 0xe1;
    avcc[8] = 0x68;
    assert_int_equal(reel_avc_config(&b, avcc, want), REEL_BADDATA);

    reel_buf_release(&b);
}


/* Baseline: the record ends before the formats */
static void
config_baseline(void **state)
{
    size_t      n, want;
    uint8_t     in[512], avcc[256];
    reel_buf_t  b;

    (void) state;

    n = unhex(in, sizeof(in), CODE3 BASE_SPS CODE3 BASE_PPS CODE3
              "68cb83cb40");
    want = unhex(avcc, sizeof(avcc), "0142c00bffe10018" BASE_SPS "020005"
                 BASE_PPS "000568cb83cb40");

    reel_buf_init(&b, 1024);
    assert_int_equal(reel_avc_config(&b, in, n), REEL_OK);
    assert_int_equal(b.len, want);
    assert_memory_equal(b.data, avcc, want);
    reel_buf_release(&b);
}


static void
config_refused(void **state)
{
    size_t      n, i;
    uint8_t     in[70000];
    reel_buf_t  b;

    (void) state;

    reel_buf_init(&b, 1 << 20);

    assert_int_equal(reel_avc_config(&b, in, 0), REEL_BADDATA);

    n = unhex(in, sizeof(in), CODE4 SPS);
    assert_int_equal(reel_avc_config(&b, in, n), REEL_BADDATA);

    n = unhex(in, sizeof(in), CODE4 PPS);
    assert_int_equal(reel_avc_config(&b, in, n), REEL_BADDATA);

    n = unhex(in, sizeof(in), CODE4 "6764" CODE4 PPS);
    assert_int_equal(reel_avc_config(&b, in, n), REEL_BADDATA);

    /* 256 different PPS do not fit their count */
    n = unhex(in, sizeof(in), CODE4 SPS);

    for (i = 0; i < 256; i++) {
        memcpy(in + n, "\0\0\1\x68", 4);
        in[n + 4] = (uint8_t) i;
        in[n + 5] = 0x80;
        n += 6;
    }

    assert_int_equal(reel_avc_config(&b, in, n - 6), REEL_OK);
    assert_int_equal(reel_avc_config(&b, in, n), REEL_LIMIT);

    memset(in + n, 0, sizeof(in) - n);
    assert_int_equal(reel_avc_config(&b, in, sizeof(in)), REEL_LIMIT);

    reel_buf_release(&b);
}


/* the NAL units of samples of other makers */
static void
sample(void **state)
{
    size_t             i, n;
    uint8_t            in[64];
    reel_buf_t         b;
    reel_avc_sample_t  s;

    static const struct {
        const char *hex;
        unsigned    slices, idr;
        bool        sets;
        reel_err_t  err;
    } rows[] = {
        /* AUD, SEI, two slices of an IDR picture */
        { "0000000209f00000000206050000000165000000026588", 2, 2,
          false, REEL_OK },
        { "000000024101", 1, 0, false, REEL_OK },
        { "000000016700000001680000000165", 1, 1, true, REEL_OK },
        { "", 0, 0, false, REEL_OK },
        { "000000034101", 0, 0, false, REEL_BADDATA },
        { "00000000", 0, 0, false, REEL_BADDATA },
        { "000000", 0, 0, false, REEL_BADDATA },
        { "ffffffff41", 0, 0, false, REEL_BADDATA },
    };

    (void) state;
    reel_buf_init(&b, sizeof(in));

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        n = unhex(in, sizeof(in), rows[i].hex);
        assert_int_equal(reel_avc_sample(&s, in, n), rows[i].err);

        if (rows[i].err == REEL_OK) {
            assert_int_equal(s.slices, rows[i].slices);
            assert_int_equal(s.idr, rows[i].idr);
            assert_int_equal(s.sets, rows[i].sets);
        }

        reel_buf_clear(&b);
        assert_int_equal(reel_avc_copy_sample(&b, in, n), rows[i].err);

        if (i == 0) {
            assert_int_equal(b.len, n - 6);
            assert_memory_equal(b.data, in + 6, n - 6);
        }
    }

    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_sample),
        cmocka_unit_test(scan),
        cmocka_unit_test(config),
        cmocka_unit_test(config_baseline),
        cmocka_unit_test(config_refused),
        cmocka_unit_test(sample)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

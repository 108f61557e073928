#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/codec/slices.h"
#include "tests/unit/codec/bitw.h"

#define NAL_MAX  2048


/*
 * Slices of x264 and x265, and where ffmpeg's trace_headers sees the end of
 * their headers.
 */
typedef struct {
    const char   *name;
    reel_codec_t  codec;
    const char   *sps, *pps, *slice;
    uint32_t      clear;
} vector_t;

static const vector_t  vectors[] = {
    { "H.264, B, references in another order, an escape", REEL_CODEC_AVC,
        "6764000cac76110c11b011000003000100000300320f14298460",
        "68e8438f2c8b",
        "4107a697c46ea04081016d6d6d6d68873c0453808a0a808c0cc04514000003022b"
        "ffe2f9a20bbfaf6cf6c2", 34 },
    { "H.264, interlaced", REEL_CODEC_AVC,
        "67640015ac5624308d808800000300080000030190f8a14c4c",
        "68f88a3cb22c",
        "419af7ae7d2dadad9111ffaeb751e0a0e9d93e7d", 11 },
    { "H.265, B, the second slice segment, weights", REEL_CODEC_HEVC,
        "42010101600000030090000003000003003ca018202059676224932bc05a020000"
        "030002000003003210",
        "4401c172b64240",
        "0201e1232555d57cb0f8403450e439c2e60ec3b612c0fe7e0be08f32378aad", 22 },
    { "H.265, 256 entry points", REEL_CODEC_HEVC,
        "420101016000000300900000030000030078a0102001001659596af0bc05a02000"
        "000300200000030321",
        "4401c073c189",
        "0001e024ffe8902300800c8358128078087ff80e80a7f282c80b7fe8057f681680"
        "57fd81280a7f88048037fa7f38027f281881b7fa80c8067f380b7fd7f78037f881"
        "180780b8018057fc80b7f680080280e80680281680d81b8068027f17fb80980780"
        "280c80c7fb80e8088007fb7fc80f7ec80a81380780a8187fc80180380380580680"
        "d7fc7fc7ff7fa80a7fa7fe81c81480a8098067f680781481f7f38027f38077fc80"
        "98007f77f77ed80c81b8027fc8027f87f980480a81280c80580d80a8138068037f"
        "a80c7fc7fd8098098028088177fa80180d7fe7ef80480580480780b7f881080080"
        "f7fd80c7fe7fd80080680a80380980f80180880f7f480480180d7fd80d80880d80"
        "b7ff7ff81181e7f88048057fd7ea8018067fb7f27ff7f87fe7fd8178127fc80180"
        "b80a8128117fc8138098098077fe7fe8008007fd7f98168027f281c80480180380"
        "17f580580180480b80b8058017f98068098037ff8138098008018028088157f480"
        "88048057fe80180380980680880280480580a7f28067f780b7ec7f38077f782e3f"
        "9e6c6d78a3ffff", 394 }
};


static uint32_t
unhex(uint8_t *dst, const char *hex)
{
    size_t  n = strlen(hex) / 2;

    assert_true(n <= NAL_MAX);
    assert_int_equal(reel_unhex(dst, n, reel_str(hex)), REEL_OK);

    return (uint32_t) n;
}


/* as a sample has it: the look of a NAL unit grows until it is enough */
static void
add(reel_slices_t *s, const uint8_t *nal, uint32_t size)
{
    uint32_t  n;

    assert_int_equal(reel_slices_clear(s, nal, size, size, &n), REEL_OK);
    assert_int_equal(n, size);
}


/* every shorter look says that it wants more */
static void
assert_clear(reel_slices_t *s, const uint8_t *nal, uint32_t have,
    uint32_t size, uint32_t want)
{
    uint32_t  n, k;

    for (k = 0; k < have; k++) {
        if (k < want) {
            assert_int_equal(reel_slices_clear(s, nal, k, size, &n),
                             REEL_AGAIN);
        } else {
            assert_int_equal(reel_slices_clear(s, nal, k, size, &n), REEL_OK);
            assert_int_equal(n, want);
        }
    }
}


static void
real_ones(void **state)
{
    size_t           i;
    uint8_t          nal[NAL_MAX];
    uint32_t         n;
    reel_slices_t   *s;
    const vector_t  *v;

    (void) state;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        v = &vectors[i];
        print_message("%s\n", v->name);

        s = reel_slices_new(v->codec, reel_str(""));
        assert_non_null(s);

        /* whose parameter sets are not there */
        n = unhex(nal, v->slice);
        assert_int_equal(reel_slices_clear(s, nal, n, 1000, &n), REEL_OK);
        assert_int_equal(n, v->codec == REEL_CODEC_AVC ? 92 : 284);
        assert_int_equal(reel_slices_clear(s, nal, 20, 20, &n), REEL_OK);
        assert_int_equal(n, 20);

        add(s, nal, unhex(nal, v->sps));
        add(s, nal, unhex(nal, v->pps));
        n = unhex(nal, v->slice);
        assert_clear(s, nal, n, 10000, v->clear);
        reel_slices_free(s);
    }
}


/* a configuration of one SPS and one PPS: avcC, or hvcC */
static void
with_config(void **state)
{
    size_t           i;
    uint8_t          nal[NAL_MAX];
    uint32_t         n;
    unsigned         k;
    reel_buf_t       b;
    reel_slices_t   *s;
    const vector_t  *v;

    (void) state;

    for (i = 0; i < 4; i += 2) {
        v = &vectors[i];
        reel_buf_init(&b, 4096);

        for (k = 0; k < (v->codec == REEL_CODEC_AVC ? 5u : 22u); k++) {
            reel_buf_u8(&b, 1);
        }

        if (v->codec == REEL_CODEC_HEVC) {
            reel_buf_u8(&b, 2);
        }

        for (k = 0; k < 2; k++) {
            n = unhex(nal, k == 0 ? v->sps : v->pps);

            if (v->codec == REEL_CODEC_HEVC) {
                reel_buf_u8(&b, 33 + k);
                reel_buf_u16(&b, 1);
            } else {
                reel_buf_u8(&b, k == 0 ? 0xe1 : 1);
            }

            reel_buf_u16(&b, n);
            reel_buf_add(&b, nal, n);
        }

        s = reel_slices_new(v->codec,
                            (reel_str_t) { (char *) b.data, b.len });
        assert_non_null(s);
        n = unhex(nal, v->slice);
        assert_clear(s, nal, n, 10000, v->clear);
        reel_slices_free(s);
        reel_buf_release(&b);
    }

    assert_null(reel_slices_new(REEL_CODEC_AV1, reel_str("")));
}


/* baseline in fields, planes apart … whatever makes a header longer */
static uint32_t
longest_sets(uint8_t *nal, unsigned pps)
{
    bitw_t  w = { { 0 }, 0 };

    if (pps) {
        bitw_ue(&w, 255);               /* id */
        bitw_ue(&w, 31);
        bitw_u(&w, 1, 1);               /* CABAC */
        bitw_u(&w, 1, 1);               /* both orders */
        bitw_ue(&w, 1);                 /* two slice groups */
        bitw_ue(&w, 4);                 /* that change … */
        bitw_u(&w, 1, 0);
        bitw_ue(&w, 9);                 /* by ten */
        bitw_ue(&w, 0);
        bitw_ue(&w, 0);
        bitw_u(&w, 1, 1);
        bitw_u(&w, 2, 1);               /* weights */
        bitw_se(&w, 0);
        bitw_se(&w, 0);
        bitw_se(&w, 0);
        bitw_u(&w, 1, 1);               /* deblocking */
        bitw_u(&w, 1, 0);
        bitw_u(&w, 1, 1);               /* redundant pictures */

        return (uint32_t) bitw_nal(&w, nal, 0x68);
    }

    bitw_u(&w, 24, 88 << 16 | 40);      /* extended */
    bitw_ue(&w, 31);
    bitw_ue(&w, 12);                    /* frame_num: 16 bits */
    bitw_ue(&w, 1);                     /* order by cycles */
    bitw_u(&w, 1, 0);
    bitw_se(&w, 0);
    bitw_se(&w, 0);
    bitw_ue(&w, 0);
    bitw_ue(&w, 16);
    bitw_u(&w, 1, 0);
    bitw_ue(&w, 9);                     /* 10 x 10 map units */
    bitw_ue(&w, 9);
    bitw_u(&w, 1, 0);                   /* frames or fields */
    bitw_u(&w, 3, 2);
    bitw_u(&w, 1, 0);
    bitw_u(&w, 1, 0);

    return (uint32_t) bitw_nal(&w, nal, 0x67);
}


static void
longest_slice(bitw_t *w)
{
    unsigned  list, i, k;

    bitw_ue(w, 100);                    /* first_mb_in_slice */
    bitw_ue(w, 6);                      /* B */
    bitw_ue(w, 255);
    bitw_u(w, 16, 0);
    bitw_u(w, 1, 0);                    /* a frame */
    bitw_se(w, -1000000);
    bitw_se(w, 1000000);
    bitw_ue(w, 127);                    /* redundant_pic_cnt */
    bitw_u(w, 1, 1);
    bitw_u(w, 1, 1);                    /* 32 references, */
    bitw_ue(w, 31);
    bitw_ue(w, 31);

    for (list = 0; list < 2; list++) {
        bitw_u(w, 1, 1);                /* all in another order */

        for (i = 0; i < 33; i++) {
            bitw_ue(w, i % 3);
            bitw_ue(w, 70000);
        }

        bitw_ue(w, 3);
    }

    bitw_ue(w, 7);                      /* and weighted */
    bitw_ue(w, 7);

    for (i = 0; i < 64; i++) {
        bitw_u(w, 1, 1);
        bitw_se(w, -128);
        bitw_se(w, 127);
        bitw_u(w, 1, 1);

        for (k = 0; k < 4; k++) {
            bitw_se(w, -128);
        }
    }

    bitw_u(w, 1, 1);                    /* marking */

    for (i = 0; i < 65; i++) {
        bitw_ue(w, 3);
        bitw_ue(w, 70000);
        bitw_ue(w, 15);
    }

    bitw_ue(w, 0);
    bitw_ue(w, 2);                      /* cabac_init_idc */
    bitw_se(w, -26);
    bitw_ue(w, 0);
    bitw_se(w, 6);
    bitw_se(w, -6);
    bitw_u(w, 4, 9);                    /* slice group change cycle: 0 … 10 */
}


static void
longest(void **state)
{
    bitw_t          w = { { 0 }, 0 };
    uint8_t         nal[NAL_MAX];
    uint32_t        n, size, head;
    reel_slices_t  *s;

    (void) state;

    s = reel_slices_new(REEL_CODEC_AVC, reel_str(""));
    assert_non_null(s);
    add(s, nal, longest_sets(nal, 0));
    add(s, nal, longest_sets(nal, 1));

    longest_slice(&w);

    /* the stop bit of bitw_nal() is slice data */
    size = (uint32_t) bitw_nal(&w, nal, 0x21);
    assert_in_range(size, 1000, NAL_MAX);
    assert_int_equal(reel_slices_clear(s, nal, REEL_SLICES_LOOK, 9999, &n),
                     REEL_AGAIN);
    memset(nal + size, 0x55, NAL_MAX - size);
    head = size - (w.bit % 8 == 1);
    assert_clear(s, nal, size + 9, 9999, head);

    /* partition A has its number behind it */
    w = (bitw_t) { { 0 }, 0 };
    longest_slice(&w);
    bitw_ue(&w, 70000);
    size = (uint32_t) bitw_nal(&w, nal, 0x22);
    memset(nal + size, 0x55, NAL_MAX - size);
    assert_true(size > head + 2);
    assert_clear(s, nal, size + 9, 9999, size - (w.bit % 8 == 1));

    reel_slices_free(s);
}


static void
others(void **state)
{
    uint8_t         sei[] = { 6, 5 }, part[] = { 3, 0x80 }, layer[] = { 1, 9 };
    uint32_t        n;
    reel_slices_t  *s;

    (void) state;

    s = reel_slices_new(REEL_CODEC_AVC, reel_str(""));
    assert_non_null(s);
    assert_int_equal(reel_slices_clear(s, sei, 2, 70000, &n), REEL_OK);
    assert_int_equal(n, 70000);
    assert_int_equal(reel_slices_clear(s, part, 2, 70000, &n), REEL_OK);
    assert_int_equal(n, 24);
    assert_int_equal(reel_slices_clear(s, part, 2, 9, &n), REEL_OK);
    assert_int_equal(n, 9);
    assert_int_equal(reel_slices_clear(s, part, 0, 9, &n), REEL_AGAIN);
    assert_int_equal(reel_slices_clear(s, part, 0, 0, &n), REEL_OK);
    assert_int_equal(n, 0);
    reel_slices_free(s);

    /* of another layer, whose headers have more */
    s = reel_slices_new(REEL_CODEC_HEVC, reel_str(""));
    assert_non_null(s);
    assert_int_equal(reel_slices_clear(s, layer, 2, 2, &n), REEL_OK);
    assert_int_equal(n, 2);
    reel_slices_free(s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(real_ones),
        cmocka_unit_test(with_config),
        cmocka_unit_test(longest),
        cmocka_unit_test(others)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

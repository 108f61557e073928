/* samples of H.265 as other makers have them */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/codec/hevc.h"
#include "tests/unit/codec/vectors.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* of x265, 320x180 at level 2 */
#define VPS "40010c01ffff01600000030090000003000003003c959409"
#define SPS "42010101600000030090000003000003003ca00a080c1f3e5959" \
            "52930bc05a020000030002000003003010"
#define PPS "4401c073c189"
#define PPS_1 "440150"          /* id 1 */
#define HEAD "0101600000009000000000003cf000fcfdf8f800000f"
#define SETS "a0000100" "18" VPS "a1000100" "2b" SPS

/* NAL units with their lengths: IDR, CRA, BLA, RASL, another, SEI */
#define IDR  "00000004" "2801ac74"
#define CRA  "00000004" "2a01ac74"
#define BLA  "00000004" "2001ac74"
#define RASL "00000004" "1201ac74"
#define NEXT "00000004" "02012233"
#define SEI  "00000004" "4e01ff80"
#define AUD  "00000003" "460110"
#define FILL "00000003" "4c01ff"


static void
sample(void **state)
{
    size_t              i, n;
    reel_buf_t          b;
    reel_str_t          hvcc, in, want;
    reel_hevc_sample_t  s;

    static const struct {
        const char        *in;
        reel_err_t         err;
        reel_hevc_sample_t s;
        const char        *copied;
    } rows[] = {
        { AUD SEI IDR NEXT FILL, REEL_OK, { 2, true, false, false, false },
          SEI IDR NEXT },
        { CRA, REEL_OK, { 1, true, true, false, false }, CRA },
        { BLA, REEL_OK, { 1, true, false, false, false }, BLA },
        { RASL, REEL_OK, { 1, false, false, false, false }, RASL },
        { NEXT, REEL_OK, { 1, false, false, false, false }, NEXT },
        /* sets that the hvcC has, and such as it has not */
        { "00000018" VPS "0000002b" SPS "00000006" PPS IDR, REEL_OK,
          { 1, true, false, false, false }, IDR },
        { "00000006" "4401c073c188" IDR, REEL_OK,
          { 1, true, false, true, false }, IDR },
        /* a second view */
        { IDR "00000004" "0209aabb", REEL_OK,
          { 2, true, false, false, true }, IDR "00000004" "0209aabb" },
        /* end of sequence is a header alone */
        { NEXT "00000002" "4a01", REEL_OK,
          { 1, false, false, false, false }, NEXT "00000002" "4a01" },
        { "", REEL_OK, { 0, false, false, false, false }, "" },
        { NEXT "00000001" "26", REEL_BADDATA, { .slices = 1 }, "" },
        { "00000004" "a801ac74", REEL_BADDATA, { .slices = 0 }, "" },
        { "00000005" "2801ac74", REEL_BADDATA, { .slices = 0 }, "" },
        { IDR "0000", REEL_BADDATA, { 1, true, false, false, false }, "" },
    };

    (void) state;

    hvcc = vector(HEAD "03" SETS "a2000100" "06" PPS);

    for (i = 0; i < COUNT(rows); i++) {
        in = vector(rows[i].in);
        want = vector(rows[i].copied);

        assert_int_equal(reel_hevc_sample(&s, hvcc, (const uint8_t *) in.p,
                                          in.len), rows[i].err);
        if (rows[i].err == REEL_OK) {
            assert_int_equal(s.slices, rows[i].s.slices);
            assert_int_equal(s.irap, rows[i].s.irap);
            assert_int_equal(s.cra, rows[i].s.cra);
            assert_int_equal(s.changed, rows[i].s.changed);
            assert_int_equal(s.layers, rows[i].s.layers);
        }

        reel_buf_init(&b, 1000);
        assert_int_equal(reel_hevc_copy_sample(&b, (const uint8_t *) in.p,
                                               in.len), rows[i].err);
        if (rows[i].err == REEL_OK) {
            assert_int_equal(b.len, want.len);
            assert_memory_equal(b.data == NULL ? in.p : (char *) b.data,
                                want.p, want.len);
        }

        reel_buf_release(&b);
        free((char *) in.p);
        free((char *) want.p);
    }

    /* a broken record has no sets: those of the sample are others */
    in = vector("00000006" PPS IDR);
    for (n = 0; n < hvcc.len; n++) {
        reel_str_t  cut = { hvcc.p, n };

        assert_int_equal(reel_hevc_sample(&s, cut, (const uint8_t *) in.p,
                                          in.len), REEL_OK);
        assert_true(s.changed);
    }

    free((char *) in.p);
    free((char *) hvcc.p);
}


/* of an hvcC with sets, which are its, and of one without */
static void
config_of(void **state)
{
    size_t      i;
    reel_buf_t  b;
    reel_str_t  told, in, want;

    static const struct {
        const char *told, *in;
        reel_err_t  err;
    } rows[] = {
        { HEAD "03" SETS "a2000100" "06" PPS, NEXT, REEL_OK },
        { HEAD "00", AUD "00000018" VPS "0000002b" SPS "00000006" PPS IDR,
          REEL_OK },
        { HEAD "01" "27000100" "04" "4e01ff80", "00000018" VPS "0000002b" SPS
          "00000006" PPS SEI IDR, REEL_OK },
        { HEAD "00", "00000018" VPS "0000002b" SPS IDR, REEL_BADDATA },
        { HEAD "00", IDR, REEL_BADDATA },
        { HEAD "00", "00000018" VPS "0000002b" SPS "00000007" PPS,
          REEL_BADDATA },
        { "0101600000009000000000003cf000fcfdf8f800000d00",
          "00000018" VPS "0000002b" SPS "00000006" PPS IDR, REEL_UNSUPPORTED },
        { "0101", IDR, REEL_BADDATA },
    };

    (void) state;

    want = vector(HEAD "03" SETS "a2000100" "06" PPS);

    for (i = 0; i < COUNT(rows); i++) {
        told = vector(rows[i].told);
        in = vector(rows[i].in);
        reel_buf_init(&b, 1000);

        assert_int_equal(reel_hevc_has_sets(told), i == 0);
        assert_int_equal(reel_hevc_config_of(&b, told,
                             (const uint8_t *) in.p, in.len), rows[i].err);
        if (rows[i].err == REEL_OK) {
            assert_int_equal(b.len, want.len);
            assert_memory_equal(b.data, want.p, want.len);
        }

        reel_buf_release(&b);
        free((char *) in.p);
        free((char *) told.p);
    }

    free((char *) want.p);
}


/* a head that tells of another profile and level than its SPS */
static void
head(void **state)
{
    size_t      i;
    char        text[REEL_CODEC_STRING];
    reel_buf_t  b;
    reel_str_t  told, in;

    static const char *const heads[] = {
        HEAD, "0103e0000000b0000000000" "0fff123fdfefafb19190f",
        "01ff000000000000000000000" "0f000fcfcffff00000f"
    };

    (void) state;

    in = vector(NEXT);

    for (i = 0; i < COUNT(heads); i++) {
        char  hex[1000];

        snprintf(hex, sizeof(hex), "%s%s", heads[i],
                 "03" SETS "a2000100" "06" PPS);
        told = vector(hex);
        reel_buf_init(&b, 1000);
        assert_int_equal(reel_hevc_config_of(&b, told,
                             (const uint8_t *) in.p, in.len), REEL_OK);
        assert_int_equal(b.len, told.len);
        assert_int_equal(reel_hevc_codec_string(text, sizeof(text),
                             (reel_str_t) { (const char *) b.data, b.len }),
                         REEL_OK);
        assert_string_equal(text, "hvc1.1.6.L60.90");

        reel_buf_release(&b);
        free((char *) told.p);
    }

    free((char *) in.p);
}


static void
add_sets(reel_buf_t *b, unsigned size, unsigned n, const char *set)
{
    reel_str_t  pps = vector(set);

    while (n-- > 0) {
        if (size == 4) {
            reel_buf_u32(b, (uint32_t) pps.len);
        } else {
            reel_buf_u16(b, (uint16_t) pps.len);
        }
        reel_buf_adds(b, pps);
    }

    free((char *) pps.p);
}


/* more sets than there are ids, in the hvcC and in a sample */
static void
many_sets(void **state)
{
    unsigned            i;
    reel_buf_t          hvcc, out, in;
    reel_str_t          told;
    reel_hevc_sample_t  s;

    (void) state;

    for (i = 126; i <= 127; i++) {
        reel_hevc_sps_t  sps;

        /* SEI beside them */
        told = vector(HEAD "04" SETS "a2000100" "06" PPS);
        reel_buf_init(&hvcc, 1 << 16);
        reel_buf_adds(&hvcc, told);
        reel_buf_u8(&hvcc, 0x27);
        reel_buf_u16(&hvcc, (uint16_t) (i - 1));
        add_sets(&hvcc, 2, i - 1, "4e01ff80");
        assert_int_equal(reel_hevc_only_sps(&sps,
                             (reel_str_t) { (char *) hvcc.data, hvcc.len }),
                         i == 126 ? REEL_OK : REEL_UNSUPPORTED);
        reel_buf_release(&hvcc);
        free((char *) told.p);
    }

    /* as many as a record holds: refused when it is taken */
    told = vector(HEAD "03" SETS);
    reel_buf_init(&hvcc, 1 << 16);
    reel_buf_init(&out, 1 << 16);
    reel_buf_init(&in, 1 << 20);
    reel_buf_adds(&hvcc, told);
    reel_buf_u8(&hvcc, 0xa2);
    reel_buf_u16(&hvcc, 12000);
    add_sets(&hvcc, 2, 12000, PPS_1);
    add_sets(&in, 4, 1, "02012233");
    assert_int_equal(reel_hevc_config_of(&out,
                         (reel_str_t) { (char *) hvcc.data, hvcc.len },
                         in.data, in.len), REEL_UNSUPPORTED);
    reel_buf_release(&out);
    free((char *) told.p);

    /* those of a sample that all are in the record, and such as become one */
    told = vector(HEAD "03" SETS "a2000100" "06" PPS);
    for (i = 128; i <= 129; i++) {
        reel_buf_release(&in);
        reel_buf_init(&in, 1 << 20);
        add_sets(&in, 4, i, PPS);
        assert_int_equal(reel_hevc_sample(&s, told, in.data, in.len),
                         REEL_OK);
        assert_int_equal(s.changed, i > 128);
    }
    free((char *) told.p);

    told = vector(HEAD "00");
    reel_buf_init(&out, 1 << 16);
    assert_int_equal(reel_hevc_config_of(&out, told, in.data, in.len),
                     REEL_UNSUPPORTED);

    reel_buf_release(&in);
    reel_buf_release(&out);
    reel_buf_release(&hvcc);
    free((char *) told.p);
}


static void
only_sps(void **state)
{
    size_t           i, n;
    reel_str_t       in, cut;
    reel_hevc_sps_t  sps;

    static const struct {
        const char *hvcc;
        reel_err_t  err;
    } rows[] = {
        { HEAD "03" SETS "a2000100" "06" PPS, REEL_OK },
        { HEAD "03" SETS "a2000200" "06" PPS "0003" PPS_1, REEL_OK },
        { HEAD "03" SETS "a2000200" "06" PPS "0006" PPS, REEL_UNSUPPORTED },
        { HEAD "04" SETS "a1000100" "2b" SPS "a2000100" "06" PPS,
          REEL_UNSUPPORTED },
        { HEAD "04" SETS "a0000100" "18" VPS "a2000100" "06" PPS,
          REEL_UNSUPPORTED },
        { HEAD "02" SETS, REEL_UNSUPPORTED },
        { HEAD "00", REEL_UNSUPPORTED },
        { HEAD "03" SETS "a2000100" "02" "4401", REEL_BADDATA },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        in = vector(rows[i].hvcc);
        assert_int_equal(reel_hevc_only_sps(&sps, in), rows[i].err);
        free((char *) in.p);
    }

    in = vector(rows[0].hvcc);
    assert_int_equal(reel_hevc_only_sps(&sps, in), REEL_OK);
    assert_int_equal(sps.width, 320);
    assert_int_equal(sps.height, 180);

    for (n = 0; n < in.len; n++) {
        cut = (reel_str_t) { malloc(n + 1), n };
        memcpy((char *) cut.p, in.p, n);
        assert_int_not_equal(reel_hevc_only_sps(&sps, cut), REEL_OK);
        free((char *) cut.p);
    }

    free((char *) in.p);
}


static void
level_holds(void **state)
{
    size_t  i;

    static const struct {
        uint8_t  level;
        uint32_t width, height, num, den;
        bool     held;
    } rows[] = {
        { 30, 192, 192, 15, 1, true },
        { 30, 192, 192, 16, 1, false },
        { 30, 200, 192, 1, 1, false },
        { 30, 544, 64, 1, 1, false },           /* sqrt(8 × 36864) = 543 */
        { 93, 1280, 720, 30, 1, true },
        { 93, 1280, 736, 60, 1, false },
        { 120, 1920, 1088, 30000, 1001, true },
        { 120, 1920, 1088, 60, 1, false },
        { 123, 1920, 1088, 60, 1, true },
        { 150, 3840, 2160, 30, 1, true },
        { 153, 3840, 2160, 60, 1, true },
        { 153, 4096, 2304, 60, 1, false },
        { 186, 8192, 4320, 120, 1, true },
        { 186, 65528, 65528, UINT32_MAX, 1, false },
        { 186, 64, 64, UINT32_MAX, 1, false },
        { 186, 64, 64, 25, 0, false },
        { 124, 64, 64, 25, 1, false },          /* none of the table */
        { 0, 64, 64, 25, 1, false },
        { 255, 64, 64, 25, 1, false },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        reel_hevc_sps_t  sps = { .ptl = { .level = rows[i].level },
                                 .coded_width = rows[i].width,
                                 .coded_height = rows[i].height };

        assert_int_equal(reel_hevc_level_holds(&sps, rows[i].num,
                                               rows[i].den), rows[i].held);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample),
        cmocka_unit_test(config_of),
        cmocka_unit_test(head),
        cmocka_unit_test(many_sets),
        cmocka_unit_test(only_sps),
        cmocka_unit_test(level_holds)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/hex.h"
#include "tests/unit/mp4/tracks.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* one sample of 16 bytes, all fields as defaults */
#define MFHD "00000010" "6d666864" "00000000" "00000001"
#define TFHD "0000001c" "74666864" "00020038" "00000001" "00000400"           \
             "00000010" "02000000"
#define TFDT "00000014" "74666474" "01000000" "0000000000000000"
#define TRUN "00000014" "7472756e" "01000001" "00000001"    /* offset */
#define MDAT "00000018" "6d646174"


static const struct {
    const char *hex;
    reel_err_t  err;
    const char *text;           /* what the error says */
} cases[] = {

    { "0000006c" "6d6f6f66" MFHD "00000054" "74726166" TFHD TFDT
      "0000001c" "7472756e" "01000101" "00000002" "00000074" "00000400"
      "00000400" "00000028" "6d646174", REEL_OK, "" },

    /* another order, and boxes of later days between */
    { "0000007c" "6d6f6f66" "00000058" "74726166" TRUN "00000084" "0000000c"
      "73656e63" "00000000" TFDT TFHD "0000000c" "66726565" "00000000" MFHD
      MDAT, REEL_OK, "" },

    /* the samples lie elsewhere, or the mdat has another size or type */
    { "00000064" "6d6f6f66" MFHD "0000004c" "74726166" TFHD TFDT TRUN
      "0000006c" MDAT, REEL_OK, "" },
    { "00000064" "6d6f6f66" MFHD "0000004c" "74726166" TFHD TFDT TRUN
      "0000006b" MDAT, REEL_BADDATA, "samples of 16 from 107" },
    { "00000064" "6d6f6f66" MFHD "0000004c" "74726166" TFHD TFDT TRUN
      "0000006c" "00000019" "6d646174", REEL_BADDATA, "mdat: 25 bytes" },
    { "00000064" "6d6f6f66" MFHD "0000004c" "74726166" TFHD TFDT TRUN
      "0000006c" "00000018" "66726565", REEL_BADDATA, "no mdat" },

    /* a field that only trex would tell */
    { "00000060" "6d6f6f66" MFHD "00000048" "74726166" "00000018" "74666864"
      "00020018" "00000001" "00000400" "00000010" TFDT TRUN "00000068"
      MDAT, REEL_BADDATA, "flags of samples missing" },

    { "", REEL_AGAIN, "" },
    { "00000068", REEL_AGAIN, "" },
    { "00000068" "6d6f6f66", REEL_AGAIN, "" },
    { "01ffffff" "6d6f6f66", REEL_AGAIN, "" },
    { "03000000" "6d6f6f66", REEL_BADDATA, "no moof" },
    { "00000001" "6d6f6f66", REEL_BADDATA, "no moof" },
    { "00000068" "6d6f6f76", REEL_BADDATA, "no moof" },

    { "00000008" "6d6f6f66", REEL_BADDATA, "moof: no mfhd" },
    { "00000018" "6d6f6f66" MFHD, REEL_BADDATA, "moof: no traf" },
    { "00000020" "6d6f6f66" MFHD "00000008" "74726166", REEL_BADDATA,
      "traf: no tfhd" },
    { "00000028" "6d6f6f66" MFHD MFHD, REEL_BADDATA, "mfhd at 24: a second" },
    { "00000014" "6d6f6f66" "0000000c" "6d666864" "00000000", REEL_BADDATA,
      "mfhd at 8: cut short" },
    { "00000010" "6d6f6f66" "00000009" "6d666864", REEL_BADDATA,
      "box at 8 does not fit" },
    { "00000010" "6d6f6f66" "00000007" "6d666864", REEL_BADDATA,
      "box at 8 does not fit" },
    { "0000000c" "6d6f6f66" "00000010", REEL_BADDATA,
      "box at 8 does not fit" },

    /* offsets from the file's start: not ours */
    { "00000020" "6d6f6f66" "00000018" "74726166" "00000010" "74666864"
      "00000000" "00000001", REEL_BADDATA, "not from the moof" },
    { "00000020" "6d6f6f66" "00000018" "74726166" "00000010" "74666864"
      "00020001" "00000001", REEL_BADDATA, "not from the moof" },

    { "00000024" "6d6f6f66" "0000001c" "74726166" "00000014" "74666474"
      "01000000" "8000000000000000", REEL_BADDATA, "2^63" },

    { "00000024" "6d6f6f66" "0000001c" "74726166" "00000014" "7472756e"
      "01000001" "00000000" "00000000", REEL_BADDATA, "0 samples" },
    { "00000024" "6d6f6f66" "0000001c" "74726166" "00000014" "7472756e"
      "01000001" "00100001" "00000000", REEL_BADDATA, "1048577 samples" },
    { "00000024" "6d6f6f66" "0000001c" "74726166" "00000014" "7472756e"
      "01000f01" "00000001" "00000000", REEL_BADDATA,
      "1 samples need 16 bytes, 0 left" },
    { "00000020" "6d6f6f66" "00000018" "74726166" "00000010" "7472756e"
      "01000000" "00000001", REEL_BADDATA, "no data offset" }
};


static void
table(void **state)
{
    size_t            i, n;
    uint8_t           in[256];
    reel_err_t        err;
    reel_error_t      e;
    reel_cmaf_moof_t  m;

    (void) state;

    for (i = 0; i < COUNT(cases); i++) {
        n = strlen(cases[i].hex) / 2;
        assert_true(n <= sizeof(in));
        assert_int_equal(reel_unhex(in, n, reel_str(cases[i].hex)), REEL_OK);

        e.text[0] = '\0';
        err = reel_cmaf_read_moof(&m, in, n, NULL, NULL, &e);

        if (err != cases[i].err
            || strstr(e.text, cases[i].text) == NULL)
        {
            print_error("case %zu: %s, \"%s\"\n", i, reel_err_name(err),
                        e.text);
            fail();
        }
    }
}


static reel_err_t
count(void *arg, const reel_cmaf_sample_t *s)
{
    (void) s;
    ++*(unsigned *) arg;

    return REEL_OK;
}


static reel_err_t
stop(void *arg, const reel_cmaf_sample_t *s)
{
    (void) s;

    return ++*(unsigned *) arg == 3 ? REEL_NOSPACE : REEL_OK;
}


static size_t
fragment(uint8_t *dst, size_t cap)
{
    size_t              n;
    unsigned            i;
    reel_buf_t          b;
    reel_cmaf_sample_t  s[6];

    for (i = 0; i < 6; i++) {
        s[i] = (reel_cmaf_sample_t) { 100 + i, 3000 + i, (int) i - 2,
                                      i % 3 == 0 };
    }

    reel_buf_init(&b, cap);
    assert_int_equal(reel_cmaf_fragment(&b, 1, 1, 90000, s, 6), REEL_OK);
    memcpy(dst, b.data, b.len);
    n = b.len;
    reel_buf_release(&b);

    return n;
}


/* no prefix is whole, and no sample is told of a fragment that is not */
static void
cut(void **state)
{
    size_t            i, n;
    uint8_t           in[512], *copy;
    unsigned          calls = 0;
    reel_cmaf_moof_t  m;

    (void) state;

    n = fragment(in, sizeof(in));

    for (i = 0; i < n; i++) {
        copy = malloc(i + 1);               /* so that sanitizers see */
        assert_non_null(copy);
        memcpy(copy, in, i);
        assert_int_equal(reel_cmaf_read_moof(&m, copy, i, count, &calls,
                                             NULL), REEL_AGAIN);
        free(copy);
    }

    assert_int_equal(calls, 0);
    assert_int_equal(reel_cmaf_read_moof(&m, in, n, count, &calls, NULL),
                     REEL_OK);
    assert_int_equal(calls, 6);

    /* the caller's error ends the walk */
    calls = 0;
    assert_int_equal(reel_cmaf_read_moof(&m, in, n, stop, &calls, NULL),
                     REEL_NOSPACE);
    assert_int_equal(calls, 3);
}


/* any byte changed: refused, or still one whole fragment */
static void
changed(void **state)
{
    size_t            i, n;
    uint8_t           in[512], was;
    unsigned          v, calls, kept = 0;
    reel_err_t        err;
    reel_error_t      e;
    reel_cmaf_moof_t  m;

    (void) state;

    n = fragment(in, sizeof(in));

    for (i = 0; i < n; i++) {
        was = in[i];

        for (v = 1; v < 256; v++) {
            in[i] = (uint8_t) (was ^ v);
            calls = 0;
            e.text[0] = '\0';
            err = reel_cmaf_read_moof(&m, in, n, count, &calls, &e);

            if (err == REEL_OK) {
                kept++;
                assert_int_equal(calls, m.nsamples);
                assert_int_equal(m.moof_size + 8, m.data_offset);
            } else {
                assert_int_equal(calls, 0);
                assert_true(err == REEL_AGAIN || e.text[0] != '\0');
            }
        }

        in[i] = was;
    }

    assert_true(kept > 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(cut),
        cmocka_unit_test(changed)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

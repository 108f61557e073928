#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/mp4/box_reader.h"
#include "lib/mp4/stbl.h"
#include "tests/unit/mp4/moov.h"
#include "tests/unit/mp4/tracks.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


/* the tables of the only trak; b holds what they borrow */
static void
read_trak(reel_trak_t *t, reel_buf_t *b, const moov_track_t *track)
{
    uint32_t       type;
    reel_error_t   e;
    reel_reader_t  r, body;

    reel_buf_init(b, 1 << 16);
    moov_make(b, track, 1);
    assert_int_equal(b->err, REEL_OK);

    reel_reader_init(&r, b->data, b->len);
    assert_true(reel_box_next(&r, &type, &body));
    assert_true(reel_box_next(&r, &type, &body));
    assert_int_equal(reel_mp4_read_trak(t, &body, &e), REEL_OK);
}


static void
walks(void **state)
{
    size_t              i;
    reel_buf_t          b;
    reel_stbl_t         s;
    reel_trak_t         t;
    reel_error_t        e;
    reel_stbl_sample_t  q;

    /* three chunks of 2, 2 and 1; the second sample is shown last */
    const moov_track_t  track = {
        track_video(), { 0 }, {
            { "stts", WORDS(3, 2, 10, 0, 77, 3, 20), 0 },
            { "ctts", WORDS(2, 1, 5, 4, (uint32_t) -3), 1 },
            { "stss", WORDS(2, 1, 4), 0 },
            { "stsz", WORDS(0, 5, 100, 200, 300, 400, 500), 0 },
            { "stsc", WORDS(2, 1, 2, 1, 3, 1, 1), 0 },
            { "stco", WORDS(3, 1000, 5000, 2000), 0 }
        }
    };

    static const reel_stbl_sample_t  want[] = {
        { 1000, 100, 10, 0, 5, true }, { 1100, 200, 10, 10, -3, false },
        { 5000, 300, 20, 20, -3, false }, { 5300, 400, 20, 40, -3, true },
        { 2000, 500, 20, 60, -3, false }
    };

    (void) state;

    read_trak(&t, &b, &track);
    assert_int_equal(reel_stbl_init(&s, &t, &e), REEL_OK);
    assert_int_equal(s.samples, COUNT(want));

    for (i = 0; i < COUNT(want); i++) {
        assert_int_equal(reel_stbl_read(&s, &q, 1), 1);
        assert_int_equal(q.offset, want[i].offset);
        assert_int_equal(q.size, want[i].size);
        assert_int_equal(q.duration, want[i].duration);
        assert_int_equal(q.dts, want[i].dts);
        assert_int_equal(q.cts_offset, want[i].cts_offset);
        assert_int_equal(q.sync, want[i].sync);
    }

    assert_int_equal(reel_stbl_read(&s, &q, 1), 0);
    assert_int_equal(s.err, REEL_OK);
    reel_buf_release(&b);
}


/* sizes of 4, 8 and 16 bits, of 64-bit offsets; without stss all are sync */
static void
compact(void **state)
{
    size_t              i, k;
    reel_buf_t          b;
    reel_stbl_t         s;
    reel_trak_t         t;
    reel_error_t        e;
    reel_stbl_sample_t  q;

    static const struct {
        uint32_t bits, words[2];
        uint32_t want[3];
    } cases[] = {
        { 4, { 0x12300000, 0 }, { 1, 2, 3 } },
        { 8, { 0x01ff0300, 0 }, { 1, 255, 3 } },
        { 16, { 0x0001ffff, 0x00030000 }, { 1, 65535, 3 } }
    };

    (void) state;

    for (i = 0; i < COUNT(cases); i++) {
        const uint32_t      sizes[] = { cases[i].bits, 3, cases[i].words[0],
                                        cases[i].words[1] };
        const moov_track_t  track = {
            track_audio(), { 0 }, {
                { "stts", WORDS(1, 3, 1024), 0 },
                { "stz2", 4, sizes, 0 },
                { "stsc", WORDS(1, 1, 3, 1), 0 },
                { "co64", WORDS(1, 7, 1), 0 }
            }
        };

        read_trak(&t, &b, &track);
        assert_int_equal(reel_stbl_init(&s, &t, &e), REEL_OK);

        for (k = 0; k < 3; k++) {
            assert_int_equal(reel_stbl_read(&s, &q, 1), 1);
            assert_int_equal(q.size, cases[i].want[k]);
            assert_true(q.sync);

            if (k == 0) {
                assert_int_equal(q.offset, (UINT64_C(7) << 32) + 1);
            }
        }

        assert_int_equal(reel_stbl_read(&s, &q, 1), 0);
        assert_int_equal(s.err, REEL_OK);
        reel_buf_release(&b);
    }
}


static const moov_table_t  good[] = {
    { "stts", WORDS(1, 4, 10), 0 },
    { "ctts", WORDS(1, 4, 0), 0 },
    { "stss", WORDS(2, 1, 3), 0 },
    { "stsz", WORDS(0, 4, 1, 2, 3, 4), 0 },
    { "stsc", WORDS(1, 1, 2, 1), 0 },
    { "stco", WORDS(2, 100, 200), 0 }
};

/* each of them: the code, and what the text names */
static const struct {
    unsigned     which;
    moov_table_t instead;
    reel_err_t   err;
    const char  *text;
} cases[] = {
    { 0, { "free", WORDS(0), 0 }, REEL_BADDATA, "no stts" },
    { 0, { "stts", WORDS(2, 4, 10), 0 }, REEL_BADDATA,
      "stts: 2 entries need 16" },
    { 0, { "stts", WORDS(0xffffffff, 4, 10), 0 }, REEL_BADDATA, "stts" },
    { 0, { "stts", WORDS(1, 3, 10), 0 }, REEL_BADDATA,
      "end before sample 3 of 4" },
    { 1, { "ctts", WORDS(1, 1, 0), 0 }, REEL_BADDATA, "end before" },
    { 1, { "ctts", WORDS(9, 1, 0), 0 }, REEL_BADDATA, "ctts: 9" },
    { 2, { "stss", WORDS(2, 3, 3), 0 }, REEL_BADDATA,
      "sample 3 behind 3" },
    { 2, { "stss", WORDS(1, 0), 0 }, REEL_BADDATA, "sample 0 behind 0" },
    { 2, { "stss", WORDS(7, 1), 0 }, REEL_BADDATA, "stss: 7" },
    { 3, { "stsz", WORDS(0, 5, 1, 2, 3, 4), 0 }, REEL_BADDATA,
      "stsz: 5 entries need 20 bytes, 16 left" },
    { 3, { "stsz", WORDS(1, 0xffffffff), 0 }, REEL_LIMIT, "stsz: 429" },
    { 3, { "stsz", WORDS(0), 0 }, REEL_BADDATA, "cut short" },
    { 3, { "stz2", WORDS(5, 4, 0), 0 }, REEL_BADDATA, "odd field" },
    { 4, { "stsc", WORDS(1, 2, 2, 1), 0 }, REEL_BADDATA, "chunk 1" },
    { 4, { "stsc", WORDS(1, 1, 0, 1), 0 }, REEL_BADDATA, "empty" },
    { 4, { "stsc", WORDS(2, 1, 1, 1, 1, 2, 1), 0 }, REEL_BADDATA,
      "do not ascend" },
    { 4, { "stsc", WORDS(0), 0 }, REEL_BADDATA, "chunk 1" },
    { 5, { "stco", WORDS(1, 100), 0 }, REEL_BADDATA,
      "stco: 1 chunks hold 2 of 4" },
    { 5, { "stco", WORDS(3, 100, 200), 0 }, REEL_BADDATA, "stco: 3" },
    { 5, { "co64", WORDS(2, 0x80000000, 1, 0, 2), 0 }, REEL_BADDATA,
      "beyond" }
};


static void
refused(void **state)
{
    size_t              i, k;
    uint32_t            step, n, got;
    reel_buf_t          b;
    reel_err_t          err;
    reel_stbl_t         s;
    reel_trak_t         t;
    reel_error_t        e;
    moov_track_t        track;
    reel_stbl_sample_t  q[4];

    (void) state;

    /* each of them one by one, then at once */
    for (i = 0; i < 2 * (COUNT(cases) + 1); i++) {
        step = i <= COUNT(cases) ? 1 : COUNT(q);
        k = i % (COUNT(cases) + 1);
        track = (moov_track_t) { .track = track_video() };
        memcpy(track.tables, good, sizeof(good));

        if (k < COUNT(cases)) {
            track.tables[cases[k].which] = cases[k].instead;
        }

        read_trak(&t, &b, &track);
        err = reel_stbl_init(&s, &t, &e);

        for (n = 0; err == REEL_OK && n <= 4; n += got) {
            got = reel_stbl_read(&s, q, step);
            if (got == 0) {
                break;
            }
        }

        assert_true(n <= 4);

        err = err != REEL_OK ? err : s.err;

        if (k == COUNT(cases)) {
            assert_int_equal(err, REEL_OK);
        } else {
            assert_int_equal(err, cases[k].err);
            assert_non_null(strstr(e.text, cases[k].text));
        }

        reel_buf_release(&b);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(walks), cmocka_unit_test(compact),
        cmocka_unit_test(refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

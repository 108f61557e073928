#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "lib/index/name.h"
#include "lib/index/packed.h"
#include "tests/unit/index/facts.h"

#define TWO_HOURS 3600          /* fragments */


static void
parse(reel_index_t *ix, reel_buf_t *b, const facts_t *f)
{
    facts_write(b, f);
    assert_int_equal(reel_index_parse(ix, b->data, b->len, NULL), REEL_OK);
}


static void
packed(void **state)
{
    size_t         i, n, skip;
    uint64_t       v[100];
    reel_buf_t     b;
    reel_packed_t  p;

    (void) state;

    srand(3);

    for (n = 0; n < 100; n++) {
        reel_buf_init(&b, 4096);

        for (i = 0; i < n; i++) {
            v[i] = ((uint64_t) rand() << 33 ^ (uint64_t) rand())
                   >> rand() % 64;
            v[i] = i == 7 ? UINT64_MAX : v[i];
            reel_buf_varint(&b, v[i]);
        }

        for (skip = 0; skip <= n; skip++) {
            p = reel_packed((reel_str_t) { (char *) b.data, b.len });
            reel_packed_skip(&p, skip);

            for (i = skip; i < n; i++) {
                assert_int_equal(reel_packed_next(&p), v[i]);
            }

            assert_ptr_equal(p.p, p.end);
        }

        /* past the end there are zeros */
        reel_packed_skip(&p, 5);
        assert_int_equal(reel_packed_next(&p), 0);
        reel_buf_release(&b);
    }
}


static void
runs(void **state)
{
    reel_str_t   s = REEL_STR("\x05\x02\x07\x01\x05\x80\x01");
    reel_runs_t  r = reel_runs(s);

    (void) state;

    assert_int_equal(reel_runs_next(&r), 5);
    assert_int_equal(reel_runs_sum(&r, 3), 5 + 7 + 5);
    assert_int_equal(reel_runs_next(&r), 5);
    assert_int_equal(reel_runs_sum(&r, 1000), 126 * 5);
    assert_int_equal(reel_runs_next(&r), 0);
    assert_int_equal(reel_runs_sum(&r, 2), 0);

    assert_int_equal(reel_runs_at(s, 1), 5);
    assert_int_equal(reel_runs_at(s, 2), 7);
    assert_int_equal(reel_runs_at(s, 130), 5);
    assert_int_equal(reel_runs_at(s, 131), 0);
}


static void
names(void **state)
{
    char            dst[REEL_INDEX_OBJECT_NAME + 1];
    size_t          i;
    reel_ix_name_t  n;

    static const char *const  same[] = {
        "0-0-0000000000000000.mp4",
        "12-1732358400000001-0123456789abcdef.mp4",
        "4294967295-9223372036854775807-ffffffffffffffff.mp4"
    };

    static const char *const  other[] = {
        "", "-", "0", "0-0", "0-0-", "0-0-0000000000000000",
        "0-0-0000000000000000.mp", "0-0-0000000000000000.mp4x",
        "00-0-0000000000000000.mp4", "0-01-0000000000000000.mp4",
        "0-0-000000000000000.mp4", "0-0-00000000000000000.mp4",
        "0-0-ABCDEF0000000000.mp4", "4294967296-0-0000000000000000.mp4",
        "0-9223372036854775808-0000000000000000.mp4",
        "-1-0-0000000000000000.mp4", "0-0-0-000000000000000.mp4",
        "0--0000000000000000.mp4", "a-0-0000000000000000.mp4"
    };

    (void) state;

    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        assert_true(reel_ix_name_parse(&n, reel_str(same[i])));
        reel_ix_name_print(dst, &n);
        assert_string_equal(dst, same[i]);
    }

    for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        assert_false(reel_ix_name_parse(&n, reel_str(other[i])));
    }
}


/* any stretch: the same bytes as fragment by fragment, in fewest pieces */
static void
locate(void **state)
{
    facts_t                  f;
    uint32_t                 first, count, i;
    uint64_t                 size;
    unsigned                 n, one, k;
    reel_buf_t               b;
    reel_err_t               err;
    reel_index_t             ix;
    reel_extent_t            ext[REEL_EXTENTS_MAX], x[REEL_EXTENTS_MAX];
    const reel_rendition_t  *r;

    (void) state;

    facts_random(&f, 5, 41, 2, 4);
    parse(&ix, &b, &f);
    r = &ix.renditions[1];

    for (first = 0; first < 41; first++) {
        for (count = 1; count <= 41 - first; count++) {

            err = reel_index_locate(&ix, r, first, count, ext, &n);

            if (err == REEL_LIMIT) {
                assert_true(count > 4 * (REEL_EXTENTS_MAX - 1));
                continue;
            }

            assert_int_equal(err, REEL_OK);
            size = 0;
            k = 0;

            for (i = 0; i < count; i++) {
                assert_int_equal(reel_index_locate(&ix, r, first + i, 1, x,
                                                   &one), REEL_OK);
                assert_int_equal(one, 1);

                if (i != 0 && x[0].offset != ext[k].offset + size) {
                    assert_int_equal(ext[k].size, size);
                    size = 0;
                    k++;
                }

                assert_true(k < n);
                assert_true(reel_str_eq(x[0].object, ext[k].object));
                assert_int_equal(x[0].header, ext[k].header);
                assert_int_equal(x[0].offset, ext[k].offset + size);
                size += x[0].size;
            }

            assert_int_equal(ext[k].size, size);
            assert_int_equal(k + 1, n);
        }
    }

    assert_int_equal(reel_index_locate(&ix, r, 2, 3, ext, &n), REEL_OK);
    assert_int_equal(n, 2);
    assert_int_equal(reel_index_locate(&ix, r, 3, 4, ext, &n), REEL_OK);
    assert_int_equal(n, 1);

    assert_int_equal(reel_index_locate(&ix, r, 0, 0, ext, &n), REEL_NOTFOUND);
    assert_int_equal(reel_index_locate(&ix, r, 41, 1, ext, &n),
                     REEL_NOTFOUND);
    assert_int_equal(reel_index_locate(&ix, r, 40, 2, ext, &n),
                     REEL_NOTFOUND);
    assert_int_equal(reel_index_locate(&ix, r, 1, UINT32_MAX, ext, &n),
                     REEL_NOTFOUND);
    assert_int_equal(n, 0);

    reel_buf_release(&b);
    facts_release(&f);
}


/* eight pieces at most */
static void
pieces(void **state)
{
    facts_t        f;
    unsigned       n;
    reel_buf_t     b;
    reel_index_t   ix;
    reel_extent_t  ext[REEL_EXTENTS_MAX];

    (void) state;

    facts_random(&f, 6, 20, 1, 1);
    parse(&ix, &b, &f);

    /* the first chunk has three fragments, the others one */
    assert_int_equal(reel_index_locate(&ix, &ix.renditions[0], 0, 10, ext,
                                       &n), REEL_OK);
    assert_int_equal(n, REEL_EXTENTS_MAX);
    assert_int_equal(reel_index_locate(&ix, &ix.renditions[0], 0, 11, ext,
                                       &n), REEL_LIMIT);

    reel_buf_release(&b);
    facts_release(&f);
}


static void
segments(void **state)
{
    facts_t           f;
    int64_t           ts;
    uint32_t          per, number, i;
    uint64_t          size, duration;
    unsigned          q;
    reel_buf_t        b;
    reel_index_t      ix;
    reel_segments_t   s;
    reel_fragments_t  w;

    (void) state;

    facts_random(&f, 8, 50, 2, 5);
    parse(&ix, &b, &f);

    for (per = 1; per <= 60; per++) {
        assert_int_equal(reel_index_segments(&ix, per),
                         (50 + per - 1) / per);

        for (q = 0; q < ix.nrenditions; q++) {
            reel_segments_init(&s, &ix, &ix.renditions[q], per);
            reel_fragments_init(&w, &ix, &ix.renditions[q]);

            for (number = 0, ts = 0; reel_segments_next(&s); number++) {
                size = 0;
                duration = 0;

                for (i = 0; i < per && reel_fragments_next(&w); i++) {
                    size += w.size;
                    duration += w.duration;
                }

                assert_int_equal(s.number, number);
                assert_int_equal(s.size, size);
                assert_int_equal(s.duration, duration);
                assert_int_equal(s.start_ts, ts);
                ts += (int64_t) duration;
            }

            assert_int_equal(number, reel_index_segments(&ix, per));
            assert_false(reel_fragments_next(&w));
        }
    }

    assert_int_equal(reel_index_segments(&ix, 0), 0);
    reel_buf_release(&b);
    facts_release(&f);
}


/* one rendition of n fragments, of these sizes and durations (90 kHz) */
static reel_bitrate_t
rate_of(const uint32_t *sizes, const uint32_t *durations, unsigned n,
    uint32_t per)
{
    unsigned             i;
    reel_buf_t           b;
    reel_index_t         ix;
    reel_bitrate_t       rate;
    reel_ix_object_t     o = { .name = REEL_STR("0-1.mp4"), .nfragments = n };
    reel_ix_fragment_t   x[16];
    reel_ix_rendition_t  q = { .nobjects = 1, .objects = &o };
    facts_t              f = { .renditions = &q, .n = 1 };

    for (i = 0; i < n; i++) {
        x[i] = (reel_ix_fragment_t) { sizes[i], durations[i], 1, 1 };
    }

    o.fragments = x;
    q.head = (reel_rendition_t) {
        .name = REEL_STR("v"), .kind = REEL_VIDEO, .codec = REEL_STR("c"),
        .timescale = 90000, .width = 1, .height = 1, .rate_num = 1,
        .rate_den = 1
    };
    f.ix.publication = 1;
    f.ix.timescale = 90000;
    f.ix.gop_ts = 180000;
    f.ix.fragments = n;
    f.ix.nheaders = 1;
    f.ix.headers[0] = REEL_STR("h");

    parse(&ix, &b, &f);
    rate = reel_index_bitrate(&ix, &ix.renditions[0], per);
    reel_buf_release(&b);

    return rate;
}


static void
bitrate(void **state)
{
    reel_bitrate_t  r;

    (void) state;

#define RATE(per, n, ...)                                                     \
    r = rate_of(((const uint32_t[2][n]) { __VA_ARGS__ })[0],                  \
                ((const uint32_t[2][n]) { __VA_ARGS__ })[1], n, per)

    /* 1000 bytes in 2 s */
    RATE(3, 1, { 1000 }, { 180000 });
    assert_int_equal(r.peak, 4000);
    assert_int_equal(r.average, 4000);

    /* rounded up: 8000 bits in 3 s */
    RATE(1, 1, { 1000 }, { 270000 });
    assert_int_equal(r.peak, 2667);
    assert_int_equal(r.average, 2667);

    /* the peak is that of a segment, not of a fragment */
    RATE(2, 4, { 1000, 3000, 1000, 1000 },
         { 180000, 180000, 180000, 180000 });
    assert_int_equal(r.peak, 8000);
    assert_int_equal(r.average, 6000);

    /* the last one is short, and dense: judged with the one before it */
    RATE(1, 3, { 1000, 1000, 2000 }, { 180000, 180000, 45000 });
    assert_int_equal(r.peak, 9600);         /* 24000 bits in 2.5 s; it alone
                                               would have 32000 */
    assert_int_equal(r.average, 7112);

    /* … which does not hide that one's own rate */
    RATE(1, 3, { 1000, 9000, 10 }, { 180000, 180000, 45000 });
    assert_int_equal(r.peak, 36000);

    /* half the length is long enough to count */
    RATE(1, 3, { 1000, 1000, 2000 }, { 180000, 180000, 90000 });
    assert_int_equal(r.peak, 16000);

    /* the same bytes in less time; a longer one with more */
    RATE(1, 3, { 1000, 1000, 1500 }, { 180000, 170000, 340000 });
    assert_int_equal(r.peak, 4236);

    /* no overflow */
    RATE(2, 4, { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX },
         { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX });
    assert_int_equal(r.peak, 720000);
    assert_int_equal(r.average, 720000);
}


/* within 1 % of every segment's own rate, and never below */
static void
bitrate_bounds(void **state)
{
    facts_t          f;
    double           rate, top;
    unsigned         q, turn;
    reel_buf_t       b;
    reel_index_t     ix;
    reel_bitrate_t   got;
    reel_segments_t  s;

    (void) state;

    for (turn = 0; turn < 20; turn++) {
        facts_random(&f, 100 + turn, 60 + turn * 3, 3, 6);
        parse(&ix, &b, &f);

        for (q = 0; q < ix.nrenditions; q++) {
            top = 0;
            reel_segments_init(&s, &ix, &ix.renditions[q], 3);

            while (reel_segments_next(&s)) {
                rate = (double) s.size * 8 * ix.renditions[q].timescale
                       / (double) s.duration;
                top = rate > top ? rate : top;
            }

            got = reel_index_bitrate(&ix, &ix.renditions[q], 3);
            assert_true((double) got.peak >= top);
            assert_true((double) got.peak <= top * 1.01 + 1);
            assert_true(got.average <= got.peak);
        }

        reel_buf_release(&b);
        facts_release(&f);
    }
}


/*
 * The bound of docs/index-format.md, with the chunks of the default
 * pipeline (12 s).  Times are printed, not judged: a machine may be busy.
 */
static void
two_hours(void **state)
{
    facts_t                  f;
    uint32_t                 i;
    uint64_t                 sum = 0;
    unsigned                 n;
    reel_buf_t               b;
    reel_index_t             ix;
    reel_extent_t            ext[REEL_EXTENTS_MAX];
    struct timespec          t0, t1, t2, t3;
    const reel_rendition_t  *r;

    (void) state;

    facts_random(&f, 9, TWO_HOURS, 5, 6);
    parse(&ix, &b, &f);
    assert_true(b.len <= 160 * 1000);

    r = &ix.renditions[4];
    clock_gettime(CLOCK_MONOTONIC, &t0);

    for (i = 0; i < 1000; i++) {
        assert_int_equal(reel_index_locate(&ix, r, TWO_HOURS - 3, 3, ext, &n),
                         REEL_OK);
        sum += ext[0].offset;
    }

    clock_gettime(CLOCK_MONOTONIC, &t1);

    for (i = 0; i < 1000; i++) {
        assert_int_equal(reel_index_reparse(&ix, b.data, b.len), REEL_OK);
        sum += ix.nrenditions;
    }

    clock_gettime(CLOCK_MONOTONIC, &t2);

    for (i = 0; i < 100; i++) {
        sum += reel_index_bitrate(&ix, r, 3).peak;
    }

    clock_gettime(CLOCK_MONOTONIC, &t3);

    assert_true(sum != 0);

#define US(a, b, n) (((double) (b.tv_sec - a.tv_sec) * 1e9                    \
                      + (double) (b.tv_nsec - a.tv_nsec)) / 1e3 / (n))

    print_message("2 h x 6 renditions: %zu bytes; last segment located in "
                  "%.2f us, reparsed in %.2f us, bit rate in %.1f us\n",
                  b.len, US(t0, t1, 1000), US(t1, t2, 1000),
                  US(t2, t3, 100));

    reel_buf_release(&b);
    facts_release(&f);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed),
        cmocka_unit_test(runs),
        cmocka_unit_test(names),
        cmocka_unit_test(locate),
        cmocka_unit_test(pieces),
        cmocka_unit_test(segments),
        cmocka_unit_test(bitrate),
        cmocka_unit_test(bitrate_bounds),
        cmocka_unit_test(two_hours)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

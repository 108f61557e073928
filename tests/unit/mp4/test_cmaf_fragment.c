#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/mp4/tracks.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MANY     2000


typedef struct {
    reel_cmaf_sample_t s[MANY];
    uint32_t           n;
} seen_t;


static reel_err_t
see(void *arg, const reel_cmaf_sample_t *s)
{
    seen_t  *seen = arg;

    assert_true(seen->n < MANY);
    seen->s[seen->n++] = *s;

    return REEL_OK;
}


static void
assert_samples(const reel_cmaf_sample_t *a, const reel_cmaf_sample_t *b,
    uint32_t n)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {
        assert_int_equal(a[i].size, b[i].size);
        assert_int_equal(a[i].duration, b[i].duration);
        assert_int_equal(a[i].cts_offset, b[i].cts_offset);
        assert_int_equal(a[i].sync, b[i].sync);
    }
}


/* what the writer printed is read back, whatever fields it chose */
static void
round_trip_one(const reel_cmaf_sample_t *s, uint32_t n, int64_t ts)
{
    uint32_t           i;
    uint64_t           bytes = 0;
    reel_buf_t         b;
    reel_error_t       e;
    reel_cmaf_moof_t   m;
    reel_cmaf_shape_t  shape = { 0 };

    seen_t  *seen = calloc(1, sizeof(seen_t));

    assert_non_null(seen);

    for (i = 0; i < n; i++) {
        bytes += s[i].size;
        reel_cmaf_shape_add(&shape, &s[i]);
    }

    reel_buf_init(&b, 1 << 20);
    reel_buf_addz(&b, "before");
    assert_int_equal(reel_cmaf_fragment(&b, 7, 42, ts, s, n), REEL_OK);

    assert_int_equal(reel_cmaf_read_moof(&m, b.data + 6, b.len - 6, see, seen,
                                         &e), REEL_OK);
    assert_int_equal(m.track_id, 7);
    assert_int_equal(m.sequence, 42);
    assert_int_equal(m.decode_ts, ts);
    assert_int_equal(m.nsamples, n);
    assert_int_equal(m.moof_size + 8, b.len - 6);
    assert_int_equal(m.data_offset, b.len - 6);
    assert_int_equal(reel_cmaf_fragment_size(&shape), b.len - 6);
    assert_int_equal(m.mdat_size, bytes + 8);
    assert_int_equal(seen->n, n);
    assert_samples(seen->s, s, n);

    reel_buf_release(&b);
    free(seen);
}


static void
round_trip(void **state)
{
    unsigned            i, turn, kind;
    uint32_t            n;
    reel_cmaf_sample_t  s[64];

    (void) state;

    srand(1);

    for (turn = 0; turn < 2000; turn++) {
        n = 1 + (uint32_t) rand() % COUNT(s);
        kind = (unsigned) rand();

        for (i = 0; i < n; i++) {
            s[i].size = kind & 1 ? 1000 : (uint32_t) rand() % 70000;
            s[i].duration = kind & 2 ? 3750 : (uint32_t) rand() % 9000;
            s[i].cts_offset = kind & 4 ? 0 : rand() % 20000 - 10000;
            s[i].sync = kind & 8 ? i == 0
                        : kind & 16 ? true : (rand() & 1) != 0;
        }

        round_trip_one(s, n, kind & 32 ? 0 : (int64_t) rand() << 31);
    }

    s[0] = (reel_cmaf_sample_t) { UINT32_MAX - 8, UINT32_MAX, INT32_MIN,
                                  false };
    round_trip_one(s, 1, INT64_MAX);
    s[0].cts_offset = INT32_MAX;
    s[1] = (reel_cmaf_sample_t) { 0, 0, -1, true };
    round_trip_one(s, 2, INT64_MAX);
}


/* one GOP of video: only sizes and offsets need a field for each sample */
static void
video_boxes(void **state)
{
    unsigned            i;
    reel_str_t          f, x;
    reel_buf_t          b;
    reel_cmaf_sample_t  s[4] = {
        { 9000, 3750, 0, true }, { 500, 3750, 7500, false },
        { 300, 3750, -3750, false }, { 200, 3750, -3750, false }
    };

    (void) state;

    reel_buf_init(&b, 4096);
    assert_int_equal(reel_cmaf_fragment(&b, 1, 3, 360000, s, 4), REEL_OK);
    f = (reel_str_t) { (char *) b.data, b.len };

    assert_int_equal(be32(find_box(f, "moof/mfhd").p + 4), 3);

    x = find_box(f, "moof/traf/tfhd");
    assert_int_equal(x.len, 16);
    assert_int_equal(be32(x.p), 0x020028);
    assert_int_equal(be32(x.p + 4), 1);
    assert_int_equal(be32(x.p + 8), 3750);
    assert_int_equal(be32(x.p + 12), 0x01010000);

    x = find_box(f, "moof/traf/tfdt");
    assert_int_equal(be32(x.p), 0x01000000);
    assert_int_equal(be32(x.p + 4), 0);
    assert_int_equal(be32(x.p + 8), 360000);

    x = find_box(f, "moof/traf/trun");
    assert_int_equal(be32(x.p), 0x01000a05);
    assert_int_equal(be32(x.p + 4), 4);
    assert_int_equal(be32(x.p + 8), b.len);
    assert_int_equal(be32(x.p + 12), 0x02000000);

    for (i = 0; i < 4; i++) {
        assert_int_equal(be32(x.p + 16 + 8 * i), s[i].size);
        assert_int_equal((int32_t) be32(x.p + 20 + 8 * i), s[i].cts_offset);
    }

    /* the mdat's header, and nothing behind it */
    assert_int_equal(be32((char *) b.data + b.len - 8), 10008);
    assert_memory_equal(b.data + b.len - 4, "mdat", 4);

    reel_buf_release(&b);
}


/* sound: all sync, one duration; each access unit costs four bytes */
static void
audio_boxes(void **state)
{
    reel_str_t          f, x;
    reel_buf_t          b;
    reel_cmaf_sample_t  s[2] = {
        { 341, 1024, 0, true }, { 342, 1024, 0, true }
    };

    (void) state;

    reel_buf_init(&b, 4096);
    assert_int_equal(reel_cmaf_fragment(&b, 2, 1, 0, s, 2), REEL_OK);
    f = (reel_str_t) { (char *) b.data, b.len };

    x = find_box(f, "moof/traf/tfhd");
    assert_int_equal(be32(x.p), 0x020028);
    assert_int_equal(be32(x.p + 8), 1024);
    assert_int_equal(be32(x.p + 12), 0x02000000);

    x = find_box(f, "moof/traf/trun");
    assert_int_equal(be32(x.p), 0x01000201);
    assert_int_equal(x.len, 12 + 2 * 4);

    reel_buf_release(&b);
}


static void
refused(void **state)
{
    reel_buf_t           b;
    reel_cmaf_sample_t   s[2] = { { 1, 1, 0, true }, { 1, 1, 0, true } };
    reel_cmaf_sample_t  *many;

    (void) state;

    reel_buf_init(&b, 64 << 20);
    assert_int_equal(reel_cmaf_fragment(&b, 0, 1, 0, s, 1), REEL_INVAL);
    assert_int_equal(reel_cmaf_fragment(&b, 1, 1, -1, s, 1), REEL_INVAL);
    assert_int_equal(reel_cmaf_fragment(&b, 1, 1, 0, NULL, 1u << 21), REEL_INVAL);

    s[0].size = UINT32_MAX - 8;
    assert_int_equal(reel_cmaf_fragment(&b, 1, 1, 0, s, 2), REEL_LIMIT);
    assert_int_equal(b.len, 0);

    /* as many samples as may be, and one more */
    many = calloc((1 << 20) + 1, sizeof(reel_cmaf_sample_t));
    assert_non_null(many);
    assert_int_equal(reel_cmaf_fragment(&b, 1, 1, 0, many, (1 << 20) + 1),
                     REEL_INVAL);
    many[3].cts_offset = -1;
    many[3].sync = true;
    assert_int_equal(reel_cmaf_fragment(&b, 1, 1, 0, many, 1 << 20), REEL_OK);

    reel_cmaf_moof_t  m;
    assert_int_equal(reel_cmaf_read_moof(&m, b.data, b.len, NULL, NULL, NULL),
                     REEL_OK);
    assert_int_equal(m.nsamples, 1 << 20);

    free(many);
    reel_buf_release(&b);

    reel_buf_init(&b, 100);
    s[0].size = 1;
    assert_int_equal(reel_cmaf_fragment(&b, 1, 1, 0, s, 2), REEL_LIMIT);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(video_boxes),
        cmocka_unit_test(audio_boxes),
        cmocka_unit_test(refused)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

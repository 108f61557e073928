#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/reader.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static const uint8_t  bytes[] = {
    0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c,
    0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92,
};


static void
big_endian(void **state)
{
    reel_reader_t  r;

    (void) state;

    reel_reader_init(&r, bytes, sizeof(bytes));
    assert_int_equal(reel_read_u8(&r), 0x81);
    assert_int_equal(reel_read_u16(&r), 0x8283);
    assert_int_equal(reel_read_u24(&r), 0x848586);
    assert_int_equal(reel_read_u32(&r), 0x8788898a);
    assert_true(reel_read_u64(&r) == 0x8b8c8d8e8f909192);
    assert_int_equal(reel_reader_pos(&r), sizeof(bytes));
    assert_int_equal(reel_reader_left(&r), 0);
    assert_int_equal(r.err, REEL_OK);
}


static void
little_endian(void **state)
{
    reel_reader_t  r;

    (void) state;

    reel_reader_init(&r, bytes, sizeof(bytes));
    assert_int_equal(reel_read_u16le(&r), 0x8281);
    assert_int_equal(reel_read_u32le(&r), 0x86858483);
    assert_true(reel_read_u64le(&r) == 0x8e8d8c8b8a898887);
    assert_int_equal(reel_reader_left(&r), 4);
    assert_int_equal(r.err, REEL_OK);
}


/* each reading function with one byte less than it needs */
static uint64_t
read_nth(reel_reader_t *r, size_t i)
{
    switch (i) {
    case 0:  return reel_read_u8(r);
    case 1:  return reel_read_u16(r);
    case 2:  return reel_read_u24(r);
    case 3:  return reel_read_u32(r);
    case 4:  return reel_read_u64(r);
    case 5:  return reel_read_u16le(r);
    case 6:  return reel_read_u32le(r);
    default: return reel_read_u64le(r);
    }
}


static void
short_reads(void **state)
{
    size_t         i;
    reel_reader_t  r;
    static const size_t  need[] = { 1, 2, 3, 4, 8, 2, 4, 8 };

    (void) state;

    for (i = 0; i < COUNT(need); i++) {
        reel_reader_init(&r, bytes, need[i]);
        assert_true(read_nth(&r, i) != 0);
        assert_int_equal(r.err, REEL_OK);

        reel_reader_init(&r, bytes, need[i] - 1);
        assert_true(read_nth(&r, i) == 0);
        assert_int_equal(r.err, REEL_BADDATA);
    }
}


static void
sticky(void **state)
{
    reel_str_t     s;
    reel_reader_t  r, sub;

    (void) state;

    reel_reader_init(&r, bytes, 3);
    assert_int_equal(reel_read_u32(&r), 0);
    assert_int_equal(reel_read_u8(&r), 0);
    assert_int_equal(reel_reader_left(&r), 0);
    assert_int_equal(reel_reader_pos(&r), 0);

    s = reel_read_bytes(&r, 0);
    assert_null(s.p);
    assert_int_equal(s.len, 0);

    sub = reel_read_sub(&r, 1);
    assert_int_equal(sub.err, REEL_BADDATA);
    assert_int_equal(reel_read_u8(&sub), 0);

    reel_read_skip(&r, 0);
    assert_int_equal(r.err, REEL_BADDATA);
}


static void
varints(void **state)
{
    size_t         i;
    uint64_t       v;
    reel_reader_t  r;
    static const struct {
        const char *bytes;
        size_t      len;
        reel_err_t  err;
        uint64_t    v;
    } t[] = {
        { "\x00", 1, REEL_OK, 0 },
        { "\x7f", 1, REEL_OK, 127 },
        { "\x80\x01", 2, REEL_OK, 128 },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9, REEL_OK, INT64_MAX },
        { "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 10, REEL_OK,
          (uint64_t) 1 << 63 },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, REEL_OK,
          UINT64_MAX },

        /* bit 64, bits 64 to 69, an eleventh byte */
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, REEL_BADDATA, 0 },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, REEL_BADDATA, 0 },
        { "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x81\x00", 11,
          REEL_BADDATA, 0 },

        /* the same number in more bytes than it needs */
        { "\x80\x00", 2, REEL_BADDATA, 0 },
        { "\xff\x80\x00", 3, REEL_BADDATA, 0 },
        { "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10, REEL_BADDATA, 0 },

        /* cut off */
        { "", 0, REEL_BADDATA, 0 },
        { "\x80", 1, REEL_BADDATA, 0 },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9, REEL_BADDATA, 0 },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        reel_reader_init(&r, t[i].bytes, t[i].len);
        v = reel_read_varint(&r);
        assert_int_equal(r.err, t[i].err);
        assert_true(v == t[i].v);

        if (t[i].err == REEL_OK) {
            assert_int_equal(reel_reader_left(&r), 0);
        }
    }
}


/* the same with more behind it: then short ones are read without a loop */
static void
varints_in_a_row(void **state)
{
    size_t         i;
    uint64_t       v;
    reel_reader_t  r;
    static const struct {
        const char *bytes;
        size_t      len;
        size_t      left;       /* 0 after an error */
        reel_err_t  err;
        uint64_t    v;
    } t[] = {
        { "\x00\x55\x55", 3, 2, REEL_OK, 0 },
        { "\x7f\x55\x55", 3, 2, REEL_OK, 127 },
        { "\x80\x01\x55", 3, 1, REEL_OK, 128 },
        { "\xff\x7f\x55", 3, 1, REEL_OK, 16383 },
        { "\x80\x80\x01", 3, 0, REEL_OK, 16384 },
        { "\xff\xff\x7f", 3, 0, REEL_OK, 2097151 },
        { "\x80\x80\x80\x01", 4, 0, REEL_OK, 2097152 },
        { "\x80\x00\x55", 3, 0, REEL_BADDATA, 0 },
        { "\x80\x80\x00\x55", 4, 0, REEL_BADDATA, 0 },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        reel_reader_init(&r, t[i].bytes, t[i].len);
        v = reel_read_varint(&r);
        assert_int_equal(r.err, t[i].err);
        assert_true(v == t[i].v);
        assert_int_equal(reel_reader_left(&r), t[i].left);
    }
}


/* what the writer wrote, the reader reads */
static void
varint_round_trip(void **state)
{
    int            delta;
    unsigned       bit;
    uint64_t       v;
    reel_buf_t     b;
    reel_reader_t  r;

    (void) state;

    reel_buf_init(&b, 10);

    for (bit = 0; bit < 64; bit++) {
        for (delta = -1; delta <= 1; delta++) {
            v = ((uint64_t) 1 << bit) + (uint64_t) (int64_t) delta;

            reel_buf_clear(&b);
            reel_buf_varint(&b, v);
            reel_reader_init(&r, b.data, b.len);
            assert_true(reel_read_varint(&r) == v);
            assert_int_equal(r.err, REEL_OK);
            assert_int_equal(reel_reader_left(&r), 0);
        }
    }

    reel_buf_release(&b);
}


static void
bounds(void **state)
{
    reel_str_t     s;
    reel_reader_t  r;

    (void) state;

    reel_reader_init(&r, "\x05\x06", 2);
    assert_int_equal(reel_read_varint_max(&r, 5), 5);
    assert_int_equal(r.err, REEL_OK);
    assert_int_equal(reel_read_varint_max(&r, 5), 0);
    assert_int_equal(r.err, REEL_BADDATA);

    reel_reader_init(&r, "\x03" "abcd", 5);
    s = reel_read_string(&r, 3);
    assert_true(reel_str_eqz(s, "abc"));
    assert_int_equal(reel_reader_left(&r), 1);

    /* longer than allowed, though it is there */
    reel_reader_init(&r, "\x03" "abcd", 5);
    s = reel_read_string(&r, 2);
    assert_null(s.p);
    assert_int_equal(r.err, REEL_BADDATA);

    /* longer than what is there, though allowed */
    reel_reader_init(&r, "\x05" "abcd", 5);
    s = reel_read_string(&r, 100);
    assert_null(s.p);
    assert_int_equal(s.len, 0);
    assert_int_equal(r.err, REEL_BADDATA);

    reel_reader_init(&r, "\x00", 1);
    s = reel_read_string(&r, 100);
    assert_non_null(s.p);
    assert_int_equal(s.len, 0);
}


static void
lengths(void **state)
{
    size_t         i;
    reel_reader_t  r, sub;
    static const uint64_t  over[] = {
        4, 5, INT64_MAX, UINT64_MAX - 3, UINT64_MAX,
    };

    (void) state;

    for (i = 0; i < COUNT(over); i++) {
        reel_reader_init(&r, bytes, 3);
        reel_read_skip(&r, over[i]);
        assert_int_equal(r.err, REEL_BADDATA);

        reel_reader_init(&r, bytes, 3);
        assert_null(reel_read_bytes(&r, over[i]).p);

        reel_reader_init(&r, bytes, 3);
        sub = reel_read_sub(&r, over[i]);
        assert_int_equal(sub.err, REEL_BADDATA);
    }

    reel_reader_init(&r, bytes, 10);
    reel_read_skip(&r, 2);
    sub = reel_read_sub(&r, 3);
    assert_int_equal(reel_reader_left(&sub), 3);
    assert_int_equal(reel_reader_pos(&sub), 0);
    assert_int_equal(reel_read_u8(&sub), 0x83);
    reel_read_skip(&sub, 2);
    assert_int_equal(reel_read_u8(&sub), 0);
    assert_int_equal(sub.err, REEL_BADDATA);

    /* its error is not r's */
    assert_int_equal(reel_read_u8(&r), 0x86);
    assert_int_equal(r.err, REEL_OK);

    reel_reader_init(&r, NULL, 0);
    assert_int_equal(reel_reader_left(&r), 0);
    assert_non_null(reel_read_bytes(&r, 0).p);
    assert_int_equal(r.err, REEL_OK);
    assert_int_equal(reel_read_u8(&r), 0);
    assert_int_equal(r.err, REEL_BADDATA);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(big_endian),
        cmocka_unit_test(little_endian),
        cmocka_unit_test(short_reads),
        cmocka_unit_test(sticky),
        cmocka_unit_test(varints),
        cmocka_unit_test(varints_in_a_row),
        cmocka_unit_test(varint_round_trip),
        cmocka_unit_test(bounds),
        cmocka_unit_test(lengths),
    };

    return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}

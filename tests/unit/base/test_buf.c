#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/buf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
integers(void **state)
{
    reel_buf_t  b;
    static const uint8_t  want[] = {
        0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
        0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
        0x02, 0x01, 0x06, 0x05, 0x04, 0x03, 0x00, 0x00, 0x00,
    };

    (void) state;

    reel_buf_init(&b, 100);
    reel_buf_u8(&b, 0x01);
    reel_buf_u16(&b, 0x0203);
    reel_buf_u24(&b, 0xff040506);       /* the upper byte is not written */
    reel_buf_u32(&b, 0x0708090a);
    reel_buf_u64(&b, 0x1112131415161718);
    reel_buf_u16le(&b, 0x0102);
    reel_buf_u32le(&b, 0x03040506);
    reel_buf_zero(&b, 3);

    assert_int_equal(reel_buf_err(&b), REEL_OK);
    assert_int_equal(b.len, sizeof(want));
    assert_memory_equal(b.data, want, sizeof(want));

    reel_buf_patch32(&b, 23, 0xa1a2a3a4);
    reel_buf_patch32(&b, 0, 0xb1b2b3b4);
    assert_memory_equal(b.data, "\xb1\xb2\xb3\xb4\x05", 5);
    assert_memory_equal(b.data + 22, "\x04\xa1\xa2\xa3\xa4", 5);

    reel_buf_release(&b);
}


static void
varints(void **state)
{
    size_t      i;
    reel_buf_t  b;
    static const struct {
        uint64_t    v;
        size_t      len;
        const char *bytes;
    } t[] = {
        { 0, 1, "\x00" },
        { 1, 1, "\x01" },
        { 127, 1, "\x7f" },
        { 128, 2, "\x80\x01" },
        { 300, 2, "\xac\x02" },
        { 16383, 2, "\xff\x7f" },
        { 16384, 3, "\x80\x80\x01" },
        { UINT32_MAX, 5, "\xff\xff\xff\xff\x0f" },
        { (uint64_t) 1 << 63, 10,
          "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01" },
        { UINT64_MAX, 10, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" },
    };

    (void) state;

    reel_buf_init(&b, 10);

    for (i = 0; i < COUNT(t); i++) {
        reel_buf_clear(&b);
        reel_buf_varint(&b, t[i].v);
        assert_int_equal(reel_buf_err(&b), REEL_OK);
        assert_int_equal(b.len, t[i].len);
        assert_memory_equal(b.data, t[i].bytes, t[i].len);
    }

    reel_buf_release(&b);
}


static void
limit(void **state)
{
    size_t      max, i;
    reel_buf_t  b;
    static const size_t  sizes[] = { 0, 1, 255, 256, 257, 5000 };

    (void) state;

    for (i = 0; i < COUNT(sizes); i++) {
        max = sizes[i];
        reel_buf_init(&b, max);

        while (b.len < max) {
            reel_buf_u8(&b, 'x');
            assert_int_equal(reel_buf_err(&b), REEL_OK);
        }

        assert_int_equal(strlen(reel_buf_cstr(&b)), max);

        reel_buf_u8(&b, 'y');
        assert_int_equal(reel_buf_err(&b), REEL_LIMIT);
        assert_null(b.data);
        assert_int_equal(b.len, 0);
        assert_string_equal(reel_buf_cstr(&b), "");

        /* sticky, until it is cleared */
        reel_buf_add(&b, "", 0);
        reel_buf_patch32(&b, 0, 1);
        assert_int_equal(reel_buf_err(&b), REEL_LIMIT);
        assert_null(reel_buf_take(&b, NULL));

        reel_buf_clear(&b);
        assert_int_equal(reel_buf_err(&b), REEL_OK);
        reel_buf_zero(&b, max);
        assert_int_equal(b.len, max);
        reel_buf_release(&b);
    }
}


static void
huge(void **state)
{
    reel_buf_t  b;

    (void) state;

    /* the sum would overflow: nothing is read from p, nothing allocated */
    reel_buf_init(&b, 100);
    reel_buf_addz(&b, "abc");
    reel_buf_add(&b, "x", SIZE_MAX);
    assert_int_equal(reel_buf_err(&b), REEL_LIMIT);
    reel_buf_release(&b);

    reel_buf_init(&b, SIZE_MAX);
    reel_buf_add(&b, "x", SIZE_MAX);
    assert_int_equal(reel_buf_err(&b), REEL_LIMIT);
    reel_buf_release(&b);

    reel_buf_init(&b, SIZE_MAX);
    reel_buf_addz(&b, "abc");
    reel_buf_add(&b, "x", SIZE_MAX - 3);
    assert_int_equal(reel_buf_err(&b), REEL_LIMIT);
    reel_buf_release(&b);
}


static void
printing(void **state)
{
    size_t      i;
    reel_buf_t  b;

    (void) state;

    reel_buf_init(&b, 100000);

    /* every length across a growth of the buffer */
    for (i = 0; i < 400; i++) {
        reel_buf_clear(&b);
        reel_buf_addz(&b, "<");
        reel_buf_printf(&b, "%0*d", (int) i + 1, 0);
        reel_buf_printf(&b, "%s", ">");
        assert_int_equal(reel_buf_err(&b), REEL_OK);
        assert_int_equal(b.len, i + 3);
        assert_int_equal(b.data[b.len - 1], '>');
        assert_int_equal(strlen(reel_buf_cstr(&b)), b.len);
        reel_buf_release(&b);
    }

    reel_buf_printf(&b, "%s", "");
    assert_int_equal(b.len, 0);
    assert_int_equal(reel_buf_err(&b), REEL_OK);
    reel_buf_release(&b);

    reel_buf_init(&b, 5);
    reel_buf_printf(&b, "%s", "12345");
    assert_string_equal(reel_buf_cstr(&b), "12345");
    reel_buf_printf(&b, "%s", "6");
    assert_int_equal(reel_buf_err(&b), REEL_LIMIT);
    reel_buf_release(&b);
}


static void
taking(void **state)
{
    char       *z;
    size_t      len = 99;
    reel_buf_t  b = { 0 };

    (void) state;

    reel_buf_release(&b);               /* a zeroed one may be */

    reel_buf_init(&b, 10);
    reel_buf_adds(&b, REEL_STR("a\0b"));
    z = reel_buf_take(&b, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(z, "a\0b", 4);
    assert_null(b.data);
    free(z);

    /* and is empty, but usable */
    z = reel_buf_take(&b, &len);
    assert_int_equal(len, 0);
    assert_string_equal(z, "");
    free(z);

    reel_buf_addz(&b, "0123456789");
    z = reel_buf_take(&b, NULL);
    assert_string_equal(z, "0123456789");
    free(z);

    reel_buf_addz(&b, "0123456789a");
    assert_null(reel_buf_take(&b, &len));
    assert_int_equal(len, 0);
    assert_int_equal(reel_buf_err(&b), REEL_LIMIT);
    reel_buf_release(&b);
    assert_int_equal(reel_buf_err(&b), REEL_OK);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(varints),
        cmocka_unit_test(limit),
        cmocka_unit_test(huge),
        cmocka_unit_test(printing),
        cmocka_unit_test(taking),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

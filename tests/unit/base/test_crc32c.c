#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/crc32c.h"


/* RFC 3720 B.4 and the check value of the catalogue */
static void
vectors(void **state)
{
    size_t   i;
    uint8_t  buf[32];

    (void) state;

    assert_int_equal(reel_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(reel_crc32c(0, NULL, 0), 0);

    memset(buf, 0, sizeof(buf));
    assert_int_equal(reel_crc32c(0, buf, 32), 0x8a9136aa);

    memset(buf, 0xff, sizeof(buf));
    assert_int_equal(reel_crc32c(0, buf, 32), 0x62a8ab43);

    for (i = 0; i < 32; i++) {
        buf[i] = (uint8_t) i;
    }

    assert_int_equal(reel_crc32c(0, buf, 32), 0x46dd794e);

    for (i = 0; i < 32; i++) {
        buf[i] = (uint8_t) (31 - i);
    }

    assert_int_equal(reel_crc32c(0, buf, 32), 0x113fdb5c);
}


/* bit by bit, as the polynomial says */
static uint32_t
slow(const uint8_t *p, size_t len)
{
    unsigned  bit;
    uint32_t  crc = 0xffffffff;

    while (len-- > 0) {
        crc ^= *p++;

        for (bit = 0; bit < 8; bit++) {
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
        }
    }

    return ~crc;
}


static void
pieces(void **state)
{
    size_t    i, at, len;
    uint8_t   buf[80];
    uint32_t  crc, want;

    (void) state;

    for (i = 0; i < sizeof(buf); i++) {
        buf[i] = (uint8_t) (i * 37 + 11);
    }

    /* every length and every place to go on, at odd addresses too */
    for (len = 0; len < sizeof(buf) - 1; len++) {
        want = slow(buf + 1, len);

        for (at = 0; at <= len; at++) {
            crc = reel_crc32c(0, buf + 1, at);
            crc = reel_crc32c(crc, buf + 1 + at, len - at);
            assert_int_equal(crc, want);

            crc = reel_crc32c_soft(0, buf + 1, at);
            crc = reel_crc32c_soft(crc, buf + 1 + at, len - at);
            assert_int_equal(crc, want);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(pieces),
    };

    return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}

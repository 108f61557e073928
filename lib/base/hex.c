#include "lib/base/hex.h"


void
reel_hex(char *dst, const void *src, size_t n)
{
    size_t          i;
    const uint8_t  *p = src;
    static const char  digits[] = "0123456789abcdef";

    for (i = 0; i < n; i++) {
        *dst++ = digits[p[i] >> 4];
        *dst++ = digits[p[i] & 0xf];
    }

    *dst = '\0';
}


static int
nibble(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }

    return -1;
}


reel_err_t
reel_unhex(uint8_t *dst, size_t n, reel_str_t s)
{
    int     hi, lo;
    size_t  i;

    if (s.len % 2 != 0 || s.len / 2 != n) {
        return REEL_INVAL;
    }

    for (i = 0; i < n; i++) {
        hi = nibble(s.p[2 * i]);
        lo = nibble(s.p[2 * i + 1]);

        if (hi < 0 || lo < 0) {
            return REEL_INVAL;
        }

        dst[i] = (uint8_t) (hi << 4 | lo);
    }

    return REEL_OK;
}

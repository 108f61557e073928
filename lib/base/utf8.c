#include "lib/base/utf8.h"

#include <string.h>


size_t
reel_utf8_len(const uint8_t *p, size_t left)
{
    size_t   i, n;
    uint8_t  lo = 0x80, hi = 0xbf;

    if (p[0] < 0x80) {
        return 1;
    }

    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }

    n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    switch (p[0]) {
    case 0xe0: lo = 0xa0; break;
    case 0xed: hi = 0x9f; break;
    case 0xf0: lo = 0x90; break;
    case 0xf4: hi = 0x8f; break;
    }

    if (n > left || p[1] < lo || p[1] > hi) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}


size_t
reel_utf8_put(uint8_t dst[4], uint32_t code)
{
    if (code < 0x80) {
        dst[0] = (uint8_t) code;
        return 1;
    }

    if (code < 0x800) {
        dst[0] = (uint8_t) (0xc0 | code >> 6);
        dst[1] = (uint8_t) (0x80 | (code & 0x3f));
        return 2;
    }

    if (code < 0x10000) {
        if (code >= 0xd800 && code < 0xe000) {
            return 0;
        }

        dst[0] = (uint8_t) (0xe0 | code >> 12);
        dst[1] = (uint8_t) (0x80 | (code >> 6 & 0x3f));
        dst[2] = (uint8_t) (0x80 | (code & 0x3f));
        return 3;
    }

    if (code > 0x10ffff) {
        return 0;
    }

    dst[0] = (uint8_t) (0xf0 | code >> 18);
    dst[1] = (uint8_t) (0x80 | (code >> 12 & 0x3f));
    dst[2] = (uint8_t) (0x80 | (code >> 6 & 0x3f));
    dst[3] = (uint8_t) (0x80 | (code & 0x3f));

    return 4;
}


uint32_t
reel_utf8_code(const uint8_t *p, size_t n)
{
    size_t    i;
    uint32_t  code = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));

    for (i = 1; i < n; i++) {
        code = code << 6 | (p[i] & 0x3f);
    }

    return code;
}


static bool
is_control(const uint8_t *p, size_t n)
{
    return (n == 1 && (p[0] < 0x20 || p[0] == 0x7f))
           || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}


size_t
reel_utf8_clean(char *dst, size_t cap, const char *src, size_t len,
    bool line)
{
    size_t          n, take, out = 0;
    const char     *c;
    const uint8_t  *p;

    for (size_t i = 0; i < len; i += n) {
        p = (const uint8_t *) src + i;
        c = (const char *) p;
        n = *p == 0 ? 0 : reel_utf8_len(p, len - i);
        take = n;

        if (n == 0) {
            c = REEL_UTF8_REPLACEMENT;
            take = strlen(c);
            n = 1;

        } else if (line && is_control(p, n)) {
            c = " ";
            take = 1;
        }

        if (take >= cap - out) {
            break;
        }

        memcpy(dst + out, c, take);
        out += take;
    }

    dst[out] = '\0';

    return out;
}

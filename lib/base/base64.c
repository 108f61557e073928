#include "lib/base/base64.h"


static const char  alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz"
                                "0123456789+/";

static const char  url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "abcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_";

/* value of each byte; 64: it is none of the alphabet */
static const uint8_t  url_digits[256] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
    64,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63,
    64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64
};


void
reel_base64(char *dst, const void *src, size_t n)
{
    size_t          left;
    uint32_t        v;
    const uint8_t  *p = src;

    for (left = n; left >= 3; left -= 3, p += 3) {
        v = (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];
        *dst++ = alphabet[v >> 18];
        *dst++ = alphabet[v >> 12 & 63];
        *dst++ = alphabet[v >> 6 & 63];
        *dst++ = alphabet[v & 63];
    }

    if (left != 0) {
        v = (uint32_t) p[0] << 16 | (left == 2 ? (uint32_t) p[1] << 8 : 0);
        *dst++ = alphabet[v >> 18];
        *dst++ = alphabet[v >> 12 & 63];
        *dst++ = left == 2 ? alphabet[v >> 6 & 63] : '=';
        *dst++ = '=';
    }

    *dst = '\0';
}


/* 0 … 63, or more when c is none of the alphabet */
static uint32_t
digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (uint32_t) (c - 'A');
    }

    if (c >= 'a' && c <= 'z') {
        return (uint32_t) (c - 'a') + 26;
    }

    if (c >= '0' && c <= '9') {
        return (uint32_t) (c - '0') + 52;
    }

    return c == '+' ? 62 : c == '/' ? 63 : 64;
}


/* four characters of which the last npad are padding */
static reel_err_t
quad(uint8_t dst[3], const char *p, size_t npad)
{
    size_t    i;
    uint32_t  d, v = 0;

    for (i = 0; i < 4; i++) {
        d = i < 4 - npad ? digit(p[i]) : 0;
        if (d > 63) {
            return REEL_INVAL;
        }

        v = v << 6 | d;
    }

    /* what the padding stands for must be zero */
    if ((v & ((1u << 8 * npad) - 1)) != 0) {
        return REEL_INVAL;
    }

    dst[0] = (uint8_t) (v >> 16);
    dst[1] = (uint8_t) (v >> 8);
    dst[2] = (uint8_t) v;

    return REEL_OK;
}


reel_err_t
reel_unbase64(uint8_t *dst, size_t cap, size_t *n, reel_str_t s)
{
    size_t   i, npad, len, take;
    uint8_t  b[3];

    if (s.len % 4 != 0) {
        return REEL_INVAL;
    }

    npad = s.len != 0 && s.p[s.len - 1] == '=';
    npad += npad == 1 && s.p[s.len - 2] == '=';
    len = s.len / 4 * 3 - npad;

    if (len > cap) {
        return REEL_LIMIT;
    }

    for (i = 0; i < s.len; i += 4) {
        if (quad(b, s.p + i, i + 4 == s.len ? npad : 0) != REEL_OK) {
            return REEL_INVAL;
        }

        take = len - i / 4 * 3;
        memcpy(dst + i / 4 * 3, b, take > 3 ? 3 : take);
    }

    *n = len;

    return REEL_OK;
}


void
reel_base64url(char *dst, const void *src, size_t n)
{
    size_t          i;
    uint32_t        acc = 0;
    unsigned        bits = 0;
    const uint8_t  *p = src;

    for (i = 0; i < n; i++) {
        acc = acc << 8 | p[i];
        bits += 8;

        while (bits >= 6) {
            bits -= 6;
            *dst++ = url_alphabet[acc >> bits & 63];
        }

        acc &= (1u << bits) - 1;
    }

    if (bits != 0) {
        *dst++ = url_alphabet[acc << (6 - bits) & 63];
    }

    *dst = '\0';
}


reel_err_t
reel_unbase64url(uint8_t *dst, size_t cap, size_t *n, reel_str_t s)
{
    size_t    i;
    uint32_t  acc = 0, bad = 0;
    unsigned  d, bits = 0;

    if (s.len % 4 == 1) {
        return REEL_INVAL;
    }

    if (s.len / 4 * 3 + (s.len % 4) * 3 / 4 > cap) {
        return REEL_LIMIT;
    }

    for (i = 0; i < s.len; i++) {
        d = url_digits[(uint8_t) s.p[i]];
        bad |= d;
        acc = acc << 6 | (d & 63);
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            *dst++ = (uint8_t) (acc >> bits);
        }
    }

    *n = s.len / 4 * 3 + (s.len % 4) * 3 / 4;

    return (bad & 64) != 0 || (acc & ((1u << bits) - 1)) != 0 ? REEL_INVAL
                                                              : REEL_OK;
}

#include <string.h>

#include "lib/base/crc.h"


/* the functions of this file but the last three work on the inverted value */


static inline uint64_t
load64le(const uint8_t *p)
{
    return (uint64_t) p[0] | (uint64_t) p[1] << 8 | (uint64_t) p[2] << 16
           | (uint64_t) p[3] << 24 | (uint64_t) p[4] << 32
           | (uint64_t) p[5] << 40 | (uint64_t) p[6] << 48
           | (uint64_t) p[7] << 56;
}


static uint64_t
by_table(const reel_crc_t *k, uint64_t c, const uint8_t *p, size_t len)
{
    const uint64_t  (*t)[256] = k->table;

    for (; len >= 8; len -= 8, p += 8) {
        c ^= load64le(p);
        c = t[7][c & 255] ^ t[6][c >> 8 & 255] ^ t[5][c >> 16 & 255]
            ^ t[4][c >> 24 & 255] ^ t[3][c >> 32 & 255]
            ^ t[2][c >> 40 & 255] ^ t[1][c >> 48 & 255] ^ t[0][c >> 56];
    }

    while (len-- > 0) {
        c = t[0][(c ^ *p++) & 255] ^ c >> 8;
    }

    return c;
}


#if defined(__x86_64__)

#define FOLD_MIN 64             /* what it starts with */
#define CLMUL    __attribute__((target("pclmul,sse2")))

typedef long long  pair_t __attribute__((vector_size(16)));


CLMUL static inline pair_t
load(const uint8_t *p)
{
    pair_t  x;

    memcpy(&x, p, sizeof(x));

    return x;
}


/* moves x ahead by as many bits as f stands for, onto what is there */
CLMUL static inline pair_t
fold(pair_t x, pair_t f, pair_t there)
{
    pair_t  low, high;

    low = __builtin_ia32_pclmulqdq128(x, f, 0x00);
    high = __builtin_ia32_pclmulqdq128(x, f, 0x11);

    return there ^ low ^ high;
}


/*
 * "Fast CRC computation for generic polynomials using PCLMULQDQ" (Intel,
 * 2009), but that the last 16 bytes go through the tables.  len >= 64.
 */
CLMUL static uint64_t
by_clmul(const reel_crc_t *k, uint64_t c, const uint8_t *p, size_t len)
{
    pair_t   f, x0, x1, x2, x3;
    uint8_t  rest[16];

    x0 = load(p) ^ (pair_t) { (long long) c, 0 };
    x1 = load(p + 16);
    x2 = load(p + 32);
    x3 = load(p + 48);
    memcpy(&f, k->fold512, sizeof(f));

    for (p += 64, len -= 64; len >= 64; p += 64, len -= 64) {
        x0 = fold(x0, f, load(p));
        x1 = fold(x1, f, load(p + 16));
        x2 = fold(x2, f, load(p + 32));
        x3 = fold(x3, f, load(p + 48));
    }

    memcpy(&f, k->fold128, sizeof(f));
    x0 = fold(x0, f, x1);
    x0 = fold(x0, f, x2);
    x0 = fold(x0, f, x3);

    for (; len >= 16; p += 16, len -= 16) {
        x0 = fold(x0, f, load(p));
    }

    memcpy(rest, &x0, sizeof(rest));

    return by_table(k, by_table(k, 0, rest, 16), p, len);
}

#endif


uint64_t
reel_crc_soft(const reel_crc_t *k, uint64_t crc, const void *data, size_t len)
{
    return by_table(k, crc ^ k->mask, data, len) ^ k->mask;
}


uint64_t
reel_crc(const reel_crc_t *k, uint64_t crc, const void *data, size_t len)
{
#if defined(__x86_64__)
    if (len >= FOLD_MIN && __builtin_cpu_supports("pclmul")) {
        return by_clmul(k, crc ^ k->mask, data, len) ^ k->mask;
    }
#endif

    return reel_crc_soft(k, crc, data, len);
}


/* a x b modulo the polynomial */
static uint64_t
multiply(const reel_crc_t *k, uint64_t a, uint64_t b)
{
    uint64_t  bit, r = 0, poly = k->table[0][0x80];

    for (bit = k->mask ^ k->mask >> 1; bit != 0; bit >>= 1) {
        if (a & bit) {
            r ^= b;
        }

        b = b & 1 ? b >> 1 ^ poly : b >> 1;
    }

    return r;
}


/* a x x^(8 len_b) + b: inversions cancel out */
uint64_t
reel_crc_combine(const reel_crc_t *k, uint64_t a, uint64_t b, uint64_t len_b)
{
    uint64_t  power;

    for (power = (k->mask ^ k->mask >> 1) >> 8; len_b != 0; len_b >>= 1) {
        if (len_b & 1) {
            a = multiply(k, a, power);
        }

        power = multiply(k, power, power);
    }

    return a ^ b;
}

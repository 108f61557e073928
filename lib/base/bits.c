#include "lib/base/bits.h"


void
reel_bits_init(reel_bits_t *b, const void *data, size_t len)
{
    b->p = data;
    b->bit = 0;
    b->nbits = 0;
    b->err = REEL_OK;

    if (len > UINT64_MAX / 8) {
        b->err = REEL_BADDATA;
        return;
    }

    b->nbits = (uint64_t) len * 8;
}


uint32_t
reel_bits_u(reel_bits_t *b, unsigned n)
{
    uint64_t  v = 0;
    unsigned  got = 0, take, off;

    if (b->err != REEL_OK) {
        return 0;
    }

    if (n > 32 || n > b->nbits - b->bit) {
        b->err = REEL_BADDATA;
        return 0;
    }

    while (got < n) {
        off = (unsigned) (b->bit & 7);
        take = 8 - off;

        if (take > n - got) {
            take = n - got;
        }

        v = v << take
            | ((b->p[b->bit >> 3] >> (8 - off - take)) & ((1u << take) - 1));
        got += take;
        b->bit += take;
    }

    return (uint32_t) v;
}


/* 2^32 - 1 takes 32 zeros; the all-ones suffix of it would not fit */
uint32_t
reel_bits_ue(reel_bits_t *b)
{
    uint64_t  v;
    unsigned  zeros = 0;

    while (b->err == REEL_OK && reel_bits_u(b, 1) == 0) {
        if (b->err != REEL_OK) {
            return 0;
        }

        if (++zeros > 32) {
            b->err = REEL_BADDATA;
            return 0;
        }
    }

    v = ((uint64_t) 1 << zeros) - 1 + reel_bits_u(b, zeros);

    if (b->err != REEL_OK) {
        return 0;
    }

    if (v > UINT32_MAX) {
        b->err = REEL_BADDATA;
        return 0;
    }

    return (uint32_t) v;
}


uint32_t
reel_bits_ue_max(reel_bits_t *b, uint32_t max)
{
    uint32_t  v = reel_bits_ue(b);

    if (v > max && b->err == REEL_OK) {
        b->err = REEL_BADDATA;
        return 0;
    }

    return v;
}


/* 9.1.1: odd codes are positive; 2^32 - 1 would be 2^31, out of range */
int32_t
reel_bits_se(reel_bits_t *b)
{
    uint32_t  k;

    k = reel_bits_ue(b);

    if (k == UINT32_MAX) {
        b->err = REEL_BADDATA;
        return 0;
    }

    return k & 1 ? (int32_t) (k / 2 + 1) : -(int32_t) (k / 2);
}


void
reel_bits_skip_se(reel_bits_t *b, unsigned n)
{
    while (n-- != 0) {
        reel_bits_se(b);
    }
}


unsigned
reel_bits_for(uint64_t n)
{
    unsigned  bits = 0;

    while (((uint64_t) 1 << bits) < n) {
        bits++;
    }

    return bits;
}

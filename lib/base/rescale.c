#include <assert.h>
#include <stdbool.h>

#include "lib/base/rescale.h"


/* |v| * num has at most 127 bits: |v| <= 2^63, num < 2^64 */
int64_t
reel_rescale(int64_t v, uint64_t num, uint64_t den, reel_round_t r)
{
    bool               neg = v < 0, up;
    unsigned __int128  q, rem, p;

    assert(den > 0);

    p = neg ? (unsigned __int128) -(__int128) v : (unsigned __int128) v;
    p *= num;
    q = p / den;
    rem = p % den;

    switch (r) {
    case REEL_ROUND_DOWN:
        up = neg && rem != 0;
        break;
    case REEL_ROUND_UP:
        up = !neg && rem != 0;
        break;
    default:
        up = rem >= den - rem;
    }

    q += up;

    if (neg) {
        return q > (unsigned __int128) INT64_MAX ? INT64_MIN : -(int64_t) q;
    }

    return q > (unsigned __int128) INT64_MAX ? INT64_MAX : (int64_t) q;
}


uint64_t
reel_gcd(uint64_t a, uint64_t b)
{
    uint64_t  t;

    while (b != 0) {
        t = a % b;
        a = b;
        b = t;
    }

    return a;
}

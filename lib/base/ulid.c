#include "lib/base/ulid.h"


static const char  alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";


static int
value(char c)
{
    const char  *at;

    at = c != '\0' ? strchr(alphabet, c) : NULL;

    return at != NULL ? (int) (at - alphabet) : -1;
}


/* 26 digits hold 130 bits: the first carries three, so it is at most '7' */
void
reel_ulid(char *dst, uint64_t unix_ms, const uint8_t random[10])
{
    int                i;
    unsigned __int128  v;

    v = unix_ms & 0xffffffffffff;

    for (i = 0; i < 10; i++) {
        v = v << 8 | random[i];
    }

    dst[REEL_ULID_LEN] = '\0';

    for (i = REEL_ULID_LEN - 1; i >= 0; i--) {
        dst[i] = alphabet[(unsigned) v & 31];
        v >>= 5;
    }
}


bool
reel_ulid_valid(reel_str_t s)
{
    size_t  i;

    if (s.len != REEL_ULID_LEN || s.p[0] > '7') {
        return false;
    }

    for (i = 0; i < s.len; i++) {
        if (value(s.p[i]) < 0) {
            return false;
        }
    }

    return true;
}


uint64_t
reel_ulid_ms(reel_str_t valid)
{
    size_t    i;
    uint64_t  ms = 0;

    for (i = 0; i < 10 && i < valid.len; i++) {
        ms = ms << 5 | (uint64_t) value(valid.p[i]);
    }

    return ms;
}

#include "lib/base/str.h"


bool
reel_str_eq(reel_str_t a, reel_str_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}


bool
reel_str_eqz(reel_str_t a, const char *z)
{
    return reel_str_eq(a, reel_str(z));
}


bool
reel_str_prefix(reel_str_t s, const char *z)
{
    size_t  n = strlen(z);

    return n == 0 || (n <= s.len && memcmp(s.p, z, n) == 0);
}


reel_str_t
reel_str_cut(reel_str_t s, char sep, reel_str_t *rest)
{
    const char  *at;
    size_t       n;

    at = s.len ? memchr(s.p, sep, s.len) : NULL;

    if (at == NULL) {
        *rest = (reel_str_t) { NULL, 0 };
        return s;
    }

    n = (size_t) (at - s.p);
    *rest = (reel_str_t) { at + 1, s.len - n - 1 };

    return (reel_str_t) { s.p, n };
}


bool
reel_str_in_csv(reel_str_t csv, const char *word)
{
    while (csv.p != NULL) {
        if (reel_str_eqz(reel_str_cut(csv, ',', &csv), word)) {
            return true;
        }
    }

    return false;
}


reel_err_t
reel_str_u64(reel_str_t s, uint64_t max, uint64_t *v)
{
    bool      over = false;
    size_t    i;
    uint64_t  n = 0, d;

    if (s.len == 0) {
        return REEL_INVAL;
    }

    for (i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return REEL_INVAL;
        }

        d = (uint64_t) (s.p[i] - '0');

        if (d > max || n > (max - d) / 10) {
            /* read on: "99x" is no number, whatever max is */
            over = true;
            continue;
        }

        n = n * 10 + d;
    }

    if (over) {
        return REEL_LIMIT;
    }

    *v = n;

    return REEL_OK;
}


reel_err_t
reel_str_copy(char *dst, size_t cap, reel_str_t s)
{
    if (cap == 0) {
        return REEL_LIMIT;
    }

    if (s.len >= cap) {
        dst[0] = '\0';
        return REEL_LIMIT;
    }

    if (s.len) {
        memcpy(dst, s.p, s.len);
    }

    dst[s.len] = '\0';

    return REEL_OK;
}

#include <string.h>

#include "lib/auth/query.h"
#include "lib/base/hex.h"


static bool
unreserved(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9')
           || c == '-' || c == '_' || c == '.' || c == '~';
}


/* the byte that s begins with, and how long it stands there; 0: broken */
static size_t
decode_byte(reel_str_t s, bool plus_is_space, uint8_t *c)
{
    if (s.p[0] != '%') {
        *c = plus_is_space && s.p[0] == '+' ? ' ' : (uint8_t) s.p[0];
        return 1;
    }

    if (s.len < 3
        || reel_unhex(c, 1, (reel_str_t) { s.p + 1, 2 }) != REEL_OK
        || *c == 0)
    {
        return 0;
    }

    return 3;
}


static reel_str_t
skip(reel_str_t s, size_t n)
{
    return (reel_str_t) { s.p + n, s.len - n };
}


void
reel_uri_encode(reel_buf_t *b, reel_str_t s, bool keep_slash)
{
    static const char  digits[] = "0123456789ABCDEF";

    size_t   i;
    uint8_t  c;

    for (i = 0; i < s.len; i++) {
        c = (uint8_t) s.p[i];

        if (unreserved(c) || (keep_slash && c == '/')) {
            reel_buf_u8(b, c);

        } else {
            reel_buf_u8(b, '%');
            reel_buf_u8(b, (uint8_t) digits[c >> 4]);
            reel_buf_u8(b, (uint8_t) digits[c & 15]);
        }
    }
}


reel_err_t
reel_uri_decode(reel_buf_t *b, reel_str_t s)
{
    size_t   n;
    uint8_t  c;

    for ( /* void */ ; s.len != 0; s = skip(s, n)) {
        n = decode_byte(s, false, &c);
        if (n == 0) {
            return REEL_BADDATA;
        }

        reel_buf_u8(b, c);
    }

    return reel_buf_err(b);
}


bool
reel_query_next(reel_str_t *query, reel_str_t *name, reel_str_t *value)
{
    reel_str_t  part;

    do {
        if (query->p == NULL || query->len == 0) {
            return false;
        }

        part = reel_str_cut(*query, '&', query);

    } while (part.len == 0);

    *name = reel_str_cut(part, '=', value);

    if (value->p == NULL) {
        *value = (reel_str_t) { part.p + part.len, 0 };
    }

    return true;
}


static bool
name_is(reel_str_t raw, const char *name)
{
    size_t   n;
    uint8_t  c;

    for ( /* void */ ; raw.len != 0 && *name != '\0'; raw = skip(raw, n)) {
        n = decode_byte(raw, true, &c);

        if (n == 0 || c != (uint8_t) *name++) {
            return false;
        }
    }

    return raw.len == 0 && *name == '\0';
}


bool
reel_query_get(reel_str_t query, const char *name, reel_str_t *value)
{
    reel_str_t  n;

    while (reel_query_next(&query, &n, value)) {
        if (name_is(n, name)) {
            return true;
        }
    }

    return false;
}


reel_err_t
reel_query_get_decoded(reel_str_t query, const char *name, char *dst,
    size_t cap)
{
    size_t      n, len = 0;
    uint8_t     c;
    reel_str_t  v;

    if (cap == 0) {
        return REEL_LIMIT;
    }

    dst[0] = '\0';

    if (!reel_query_get(query, name, &v)) {
        return REEL_NOTFOUND;
    }

    for ( /* void */ ; v.len != 0; v = skip(v, n)) {
        n = decode_byte(v, true, &c);

        if (n == 0 || len == cap - 1) {
            dst[0] = '\0';
            return n == 0 ? REEL_BADDATA : REEL_LIMIT;
        }

        dst[len++] = (char) c;
    }

    dst[len] = '\0';

    return REEL_OK;
}

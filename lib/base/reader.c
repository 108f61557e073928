#include "lib/base/reader.h"


void
reel_reader_init(reel_reader_t *r, const void *data, size_t len)
{
    /* an empty NULL is made a real pointer: p == NULL means an error */
    r->start = len != 0 || data != NULL ? data : (const uint8_t *) "";
    r->p = r->start;
    r->end = r->start + len;
    r->err = REEL_OK;
}


size_t
reel_reader_left(const reel_reader_t *r)
{
    return r->err == REEL_OK ? (size_t) (r->end - r->p) : 0;
}


size_t
reel_reader_pos(const reel_reader_t *r)
{
    return (size_t) (r->p - r->start);
}


static const uint8_t *
take(reel_reader_t *r, uint64_t n)
{
    const uint8_t  *p = r->p;

    if (r->err != REEL_OK) {
        return NULL;
    }

    if (n > (uint64_t) (r->end - r->p)) {
        r->err = REEL_BADDATA;
        return NULL;
    }

    r->p += n;

    return p;
}


static uint64_t
read_be(reel_reader_t *r, unsigned n)
{
    unsigned        i;
    uint64_t        v = 0;
    const uint8_t  *p;

    p = take(r, n);
    if (p == NULL) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        v = v << 8 | p[i];
    }

    return v;
}


static uint64_t
read_le(reel_reader_t *r, unsigned n)
{
    uint64_t        v = 0;
    const uint8_t  *p;

    p = take(r, n);
    if (p == NULL) {
        return 0;
    }

    while (n > 0) {
        v = v << 8 | p[--n];
    }

    return v;
}


uint8_t
reel_read_u8(reel_reader_t *r)
{
    return (uint8_t) read_be(r, 1);
}


uint16_t
reel_read_u16(reel_reader_t *r)
{
    return (uint16_t) read_be(r, 2);
}


uint32_t
reel_read_u24(reel_reader_t *r)
{
    return (uint32_t) read_be(r, 3);
}


uint32_t
reel_read_u32(reel_reader_t *r)
{
    return (uint32_t) read_be(r, 4);
}


uint64_t
reel_read_u64(reel_reader_t *r)
{
    return read_be(r, 8);
}


uint16_t
reel_read_u16le(reel_reader_t *r)
{
    return (uint16_t) read_le(r, 2);
}


uint32_t
reel_read_u32le(reel_reader_t *r)
{
    return (uint32_t) read_le(r, 4);
}


uint64_t
reel_read_u64le(reel_reader_t *r)
{
    return read_le(r, 8);
}


/*
 * A value has one form only: a last byte of zero after others, and bits
 * beyond the 64th, are refused.
 */
uint64_t
reel_read_varint_any(reel_reader_t *r)
{
    unsigned        shift;
    uint64_t        v = 0;
    const uint8_t  *p;

    for (shift = 0; shift < 70; shift += 7) {
        p = take(r, 1);
        if (p == NULL) {
            return 0;
        }

        if (shift == 63 && *p > 1) {
            break;
        }

        v |= (uint64_t) (*p & 0x7f) << shift;

        if ((*p & 0x80) == 0) {
            if (*p == 0 && shift != 0) {
                break;
            }

            return v;
        }
    }

    r->err = REEL_BADDATA;

    return 0;
}


reel_str_t
reel_read_bytes(reel_reader_t *r, uint64_t n)
{
    const uint8_t  *p;

    p = take(r, n);

    return (reel_str_t) { (const char *) p, p != NULL ? (size_t) n : 0 };
}


reel_str_t
reel_read_string(reel_reader_t *r, uint64_t max)
{
    uint64_t  n;

    n = reel_read_varint_max(r, max);

    return reel_read_bytes(r, n);
}


void
reel_read_skip(reel_reader_t *r, uint64_t n)
{
    (void) take(r, n);
}


reel_reader_t
reel_read_sub(reel_reader_t *r, uint64_t n)
{
    reel_reader_t   sub;
    const uint8_t  *p;

    p = take(r, n);

    reel_reader_init(&sub, p, p != NULL ? (size_t) n : 0);
    sub.err = r->err;

    return sub;
}

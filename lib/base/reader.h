/*
 * reel_reader_t: a bounds-checked reader over borrowed bytes.  An error is
 * sticky: a read past the end sets err to REEL_BADDATA and returns zero,
 * and so does every later one.  Check once a header.
 */

#ifndef REEL_BASE_READER_H
#define REEL_BASE_READER_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

typedef struct {
    const uint8_t *p;
    const uint8_t *end;
    const uint8_t *start;
    reel_err_t     err;
} reel_reader_t;

/* data is borrowed; bytes that are left, and that were read */
void reel_reader_init(reel_reader_t *r, const void *data, size_t len);
size_t reel_reader_left(const reel_reader_t *r);
size_t reel_reader_pos(const reel_reader_t *r);

/* big-endian, then little-endian */
uint8_t  reel_read_u8(reel_reader_t *r);
uint16_t reel_read_u16(reel_reader_t *r);
uint32_t reel_read_u24(reel_reader_t *r);
uint32_t reel_read_u32(reel_reader_t *r);
uint64_t reel_read_u64(reel_reader_t *r);

uint16_t reel_read_u16le(reel_reader_t *r);
uint32_t reel_read_u32le(reel_reader_t *r);
uint64_t reel_read_u64le(reel_reader_t *r);

/* of bytes that were seen to be there */
static inline uint32_t
reel_be32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}

/* reel_read_varint() of any length */
uint64_t reel_read_varint_any(reel_reader_t *r);

/*
 * LEB128, at most 10 bytes and 64 bits; over-long is REEL_BADDATA.  An index
 * has tens of thousands, nearly all of three bytes at most: those go without
 * a call.
 */
static inline uint64_t
reel_read_varint(reel_reader_t *r)
{
    const uint8_t  *p = r->p;

    if (r->err == REEL_OK && r->end - p >= 3) {
        if (p[0] < 0x80) {
            r->p = p + 1;
            return p[0];
        }

        if (p[1] < 0x80 && p[1] != 0) {
            r->p = p + 2;
            return (uint64_t) (p[0] & 0x7f) | (uint64_t) p[1] << 7;
        }

        if (p[1] >= 0x80 && p[2] < 0x80 && p[2] != 0) {
            r->p = p + 3;
            return (uint64_t) (p[0] & 0x7f) | (uint64_t) (p[1] & 0x7f) << 7
                   | (uint64_t) p[2] << 14;
        }
    }

    return reel_read_varint_any(r);
}

/* a varint that must not exceed max, else err = REEL_BADDATA */
static inline uint64_t
reel_read_varint_max(reel_reader_t *r, uint64_t max)
{
    uint64_t  v = reel_read_varint(r);

    if (v > max) {
        r->err = REEL_BADDATA;
        return 0;
    }

    return v;
}

/* borrows n bytes; p == NULL on error */
reel_str_t reel_read_bytes(reel_reader_t *r, uint64_t n);

/* a varint length, then that many bytes; longer than max is an error */
reel_str_t reel_read_string(reel_reader_t *r, uint64_t max);

void reel_read_skip(reel_reader_t *r, uint64_t n);

/* a reader over the next n bytes, which r skips */
reel_reader_t reel_read_sub(reel_reader_t *r, uint64_t n);

#endif

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

void reel_reader_init(reel_reader_t *r, const void *data, size_t len);
size_t reel_reader_left(const reel_reader_t *r);
size_t reel_reader_pos(const reel_reader_t *r);

uint8_t  reel_read_u8(reel_reader_t *r);
uint16_t reel_read_u16(reel_reader_t *r);
uint32_t reel_read_u24(reel_reader_t *r);
uint32_t reel_read_u32(reel_reader_t *r);
uint64_t reel_read_u64(reel_reader_t *r);

uint16_t reel_read_u16le(reel_reader_t *r);
uint32_t reel_read_u32le(reel_reader_t *r);
uint64_t reel_read_u64le(reel_reader_t *r);

/* LEB128, at most 10 bytes and 64 bits; over-long is REEL_BADDATA */
uint64_t reel_read_varint(reel_reader_t *r);

/* a varint that must not exceed max, else err = REEL_BADDATA */
uint64_t reel_read_varint_max(reel_reader_t *r, uint64_t max);

/* borrows n bytes; p == NULL on error */
reel_str_t reel_read_bytes(reel_reader_t *r, uint64_t n);

/* a varint length, then that many bytes; longer than max is an error */
reel_str_t reel_read_string(reel_reader_t *r, uint64_t max);

void reel_read_skip(reel_reader_t *r, uint64_t n);

/* a reader over the next n bytes, which r skips */
reel_reader_t reel_read_sub(reel_reader_t *r, uint64_t n);

#endif

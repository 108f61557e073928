/*
 * reel_buf_t: a growing byte buffer, born with its maximum.  Errors are
 * sticky: after the first one the buffer is freed and empty, every later
 * call is a no-op, and reel_buf_err() tells.  So a printer checks once, at
 * its end.  A zeroed object may be released.
 */

#ifndef REEL_BASE_BUF_H
#define REEL_BASE_BUF_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/large.h"
#include "lib/base/str.h"

typedef struct {
    uint8_t   *data;            /* owned; NULL while empty */
    size_t     len;
    size_t     cap;
    size_t     max;             /* len never exceeds it */
    reel_err_t err;             /* OK, NOMEM or LIMIT */
    const reel_large_t *large;  /* NULL: malloc; else it may not be taken */
    size_t     held;            /* what that gave */
} reel_buf_t;

void reel_buf_init(reel_buf_t *b, size_t max);
void reel_buf_init_large(reel_buf_t *b, size_t max,
    const reel_large_t *large);
void reel_buf_release(reel_buf_t *b);
void reel_buf_clear(reel_buf_t *b);         /* len = 0, err = OK */

void reel_buf_add(reel_buf_t *b, const void *p, size_t n);
void reel_buf_addz(reel_buf_t *b, const char *z);
void reel_buf_adds(reel_buf_t *b, reel_str_t s);
void reel_buf_printf(reel_buf_t *b, const char *fmt, ...) REEL_PRINTF(2, 3);

/*
 * Room for n bytes behind what is there, to be counted in len by who fills
 * it; NULL: b is in error.  Asked for before all that follows, it spares
 * growing.
 */
uint8_t *reel_buf_grow(reel_buf_t *b, size_t n);

static inline uint8_t *
reel_buf_room(reel_buf_t *b, size_t n)
{
    return n < b->cap - b->len ? b->data + b->len : reel_buf_grow(b, n);
}

/* big-endian integers, as ISO 14496-12 has them */
void reel_buf_u8(reel_buf_t *b, uint8_t v);
void reel_buf_u16(reel_buf_t *b, uint16_t v);
void reel_buf_u24(reel_buf_t *b, uint32_t v);
void reel_buf_u32(reel_buf_t *b, uint32_t v);
void reel_buf_u64(reel_buf_t *b, uint64_t v);
void reel_buf_zero(reel_buf_t *b, size_t n);

/* little-endian integers and LEB128 varint, as the index has them */
void reel_buf_u16le(reel_buf_t *b, uint16_t v);
void reel_buf_u32le(reel_buf_t *b, uint32_t v);
void reel_buf_varint(reel_buf_t *b, uint64_t v);

#define REEL_VARINT_MAX 10      /* bytes of one */

/* the same where there is room: behind it */
static inline uint8_t *
reel_put_varint(uint8_t *p, uint64_t v)
{
    for ( ; v > 0x7f; v >>= 7) {
        *p++ = (uint8_t) (v | 0x80);
    }

    *p++ = (uint8_t) v;

    return p;
}

/* overwrites 4 big-endian bytes at off, which must lie inside */
void reel_buf_patch32(reel_buf_t *b, size_t off, uint32_t v);

/* the first error: NOMEM, or LIMIT where max was passed */
reel_err_t reel_buf_err(const reel_buf_t *b) REEL_WARN_UNUSED;

/*
 * Terminates (not counted in len) and gives up ownership: free() it.
 * NULL when the buffer is in error.  *len may be NULL.
 */
char *reel_buf_take(reel_buf_t *b, size_t *len) REEL_WARN_UNUSED;

/* terminates and lends; "" when empty or in error */
const char *reel_buf_cstr(reel_buf_t *b);

#endif

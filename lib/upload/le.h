/* little-endian integers into fixed places; reading is reel_reader_t's */

#ifndef REEL_UPLOAD_LE_H
#define REEL_UPLOAD_LE_H

#include <stdint.h>

static inline void
reel_put_u32le(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t) v;
    p[1] = (uint8_t) (v >> 8);
    p[2] = (uint8_t) (v >> 16);
    p[3] = (uint8_t) (v >> 24);
}


static inline void
reel_put_u64le(uint8_t *p, uint64_t v)
{
    reel_put_u32le(p, (uint32_t) v);
    reel_put_u32le(p + 4, (uint32_t) (v >> 32));
}

#endif

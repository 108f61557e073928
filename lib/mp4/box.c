#include "lib/mp4/box.h"


size_t
reel_box_begin(reel_buf_t *b, uint32_t type)
{
    size_t  start = b->len;

    reel_buf_u32(b, 0);
    reel_buf_u32(b, type);

    return start;
}


size_t
reel_full_box_begin(reel_buf_t *b, uint32_t type, uint8_t version,
    uint32_t flags)
{
    size_t  start = reel_box_begin(b, type);

    reel_buf_u8(b, version);
    reel_buf_u24(b, flags);

    return start;
}


void
reel_box_end(reel_buf_t *b, size_t start)
{
    if (b->err != REEL_OK) {
        return;
    }

    if (b->len - start > UINT32_MAX) {
        /* no box but mdat grows so large, and its size is not patched */
        reel_buf_release(b);
        b->err = REEL_LIMIT;
        return;
    }

    reel_buf_patch32(b, start, (uint32_t) (b->len - start));
}

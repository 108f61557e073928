#include "lib/codec/codec.h"


void
reel_hdr_mastering(reel_hdr_t *h, reel_reader_t *r)
{
    unsigned  i;

    for (i = 0; i < 3; i++) {
        h->primaries[i][0] = reel_read_u16(r);
        h->primaries[i][1] = reel_read_u16(r);
    }

    h->white[0] = reel_read_u16(r);
    h->white[1] = reel_read_u16(r);
    h->max_luminance = reel_read_u32(r);
    h->min_luminance = reel_read_u32(r);
    h->mastering = r->err == REEL_OK;
}

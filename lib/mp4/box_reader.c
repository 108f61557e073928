#include "lib/mp4/box.h"
#include "lib/mp4/box_reader.h"


bool
reel_box_next(reel_reader_t *r, uint32_t *type, reel_reader_t *body)
{
    uint32_t  size;

    if (reel_reader_left(r) == 0) {
        return false;
    }

    size = reel_read_u32(r);
    *type = reel_read_u32(r);

    if (r->err == REEL_OK && size < 2) {
        r->err = REEL_UNSUPPORTED;

    } else if (r->err == REEL_OK && size < REEL_BOX_HEAD) {
        r->err = REEL_BADDATA;
    }

    if (r->err != REEL_OK) {
        return false;
    }

    *body = reel_read_sub(r, size - REEL_BOX_HEAD);

    return r->err == REEL_OK;
}

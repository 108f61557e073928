#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/base/reader.h"
#include "lib/upload/le.h"
#include "lib/upload/slot.h"


#define CRC_AT (REEL_UPLOAD_SLOT_LEN - 4)

static const uint8_t  magic[8] = "REELUPL1";


void
reel_upload_slot_print(uint8_t dst[REEL_UPLOAD_SLOT_LEN],
    const reel_upload_slot_t *s)
{
    memset(dst, 0, REEL_UPLOAD_SLOT_LEN);
    memcpy(dst, magic, sizeof(magic));
    reel_put_u64le(dst + 8, s->seq);
    reel_put_u32le(dst + 16, (uint32_t) s->state.phase);
    reel_put_u32le(dst + 20, s->state.nparts);
    reel_put_u64le(dst + 24, s->state.length);
    reel_put_u64le(dst + 32, s->state.offset);
    reel_put_u64le(dst + 40, s->state.durable);
    reel_put_u64le(dst + 48, s->state.part_size);
    reel_put_u64le(dst + 56, (uint64_t) s->state.touched_ms);
    reel_put_u64le(dst + 64, s->state.base);
    reel_put_u32le(dst + 72, s->state.joined);
    memcpy(dst + 80, s->boot, sizeof(s->boot));
    reel_put_u32le(dst + CRC_AT, reel_crc32c(0, dst, CRC_AT));
}


/* what no writer of ours says, though its sum be right */
static bool
sound(const reel_upload_state_t *st, uint32_t phase, uint32_t joined)
{
    if (phase > REEL_UPLOAD_EXPIRED || joined > 1
        || st->nparts > REEL_UPLOAD_PARTS_MAX)
    {
        return false;
    }

    if (st->length != REEL_UPLOAD_UNKNOWN
        && (st->length > INT64_MAX || st->offset > st->length))
    {
        return false;
    }

    return st->offset <= INT64_MAX && st->durable <= st->offset
           && st->part_size <= INT64_MAX && st->base <= INT64_MAX
           && st->touched_ms >= 0;
}


reel_err_t
reel_upload_slot_parse(reel_upload_slot_t *s,
    const uint8_t src[REEL_UPLOAD_SLOT_LEN])
{
    uint32_t        phase, joined, sum;
    reel_str_t      boot;
    reel_reader_t   r;

    *s = (reel_upload_slot_t) { 0 };

    reel_reader_init(&r, src + CRC_AT, 4);
    sum = reel_read_u32le(&r);

    if (memcmp(src, magic, sizeof(magic)) != 0
        || sum != reel_crc32c(0, src, CRC_AT))
    {
        return REEL_BADDATA;
    }

    reel_reader_init(&r, src, CRC_AT);
    reel_read_skip(&r, sizeof(magic));
    s->seq = reel_read_u64le(&r);
    phase = reel_read_u32le(&r);
    s->state.nparts = reel_read_u32le(&r);
    s->state.length = reel_read_u64le(&r);
    s->state.offset = reel_read_u64le(&r);
    s->state.durable = reel_read_u64le(&r);
    s->state.part_size = reel_read_u64le(&r);
    s->state.touched_ms = (int64_t) reel_read_u64le(&r);
    s->state.base = reel_read_u64le(&r);
    joined = reel_read_u32le(&r);
    reel_read_skip(&r, 4);
    boot = reel_read_bytes(&r, sizeof(s->boot));

    if (r.err != REEL_OK || s->seq == 0 || !sound(&s->state, phase, joined)) {
        *s = (reel_upload_slot_t) { 0 };
        return REEL_BADDATA;
    }

    s->state.phase = (reel_upload_phase_t) phase;
    s->state.joined = joined != 0;
    memcpy(s->boot, boot.p, sizeof(s->boot));

    return REEL_OK;
}

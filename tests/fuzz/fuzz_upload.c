/*
 * What an upload's folder is read from.  The first byte chooses: 0
 * upload.json, 1 a slot of state, 2 the log of parts, then one is placed.
 */

#include "tests/fuzz/round_trip.h"

#include "lib/job/upload_record.h"
#include "lib/upload/part_log.h"
#include "lib/upload/slot.h"

FORMAT(upload_facts, reel_upload_facts_release)


static void
slot(const uint8_t *data, size_t size)
{
    uint8_t             raw[REEL_UPLOAD_SLOT_LEN] = { 0 };
    uint8_t             again[REEL_UPLOAD_SLOT_LEN];
    reel_upload_slot_t  s, t;

    memcpy(raw, data, size < sizeof(raw) ? size : sizeof(raw));

    if (reel_upload_slot_parse(&s, raw) != REEL_OK) {
        need(s.seq == 0);
        return;
    }

    need(s.seq != 0 && s.state.durable <= s.state.offset
         && s.state.offset <= s.state.length);
    reel_upload_slot_print(again, &s);
    need(reel_upload_slot_parse(&t, again) == REEL_OK);
    need(t.seq == s.seq && t.state.offset == s.state.offset
         && t.state.length == s.state.length
         && t.state.phase == s.state.phase);
}


/*
 * The sums of records are made right here: what is behind them is of
 * interest.  The part to be placed is in the first 12 bytes.
 */
static void
parts(const uint8_t *data, size_t size)
{
    size_t                i;
    uint8_t               raw[REEL_UPLOAD_RECORD_LEN];
    uint32_t              number;
    uint64_t              bytes, part_size = 0, off;
    reel_upload_table_t   t = { 0 };
    reel_upload_record_t  r;

    if (size < 12) {
        return;
    }

    memcpy(&number, data, 4);
    memcpy(&bytes, data + 4, 8);
    number = 1 + number % REEL_UPLOAD_PARTS_MAX;
    bytes &= INT64_MAX;

    for (i = 12; size - i >= 32; i += 32) {
        memset(&r, 0, sizeof(r));
        r.kind = (reel_upload_part_kind_t) (data[i] & 3);
        r.part.number = data[i + 1] | (uint32_t) data[i + 2] << 8;
        memcpy(&r.part.offset, data + i + 8, 8);
        memcpy(&r.part.size, data + i + 16, 8);
        memcpy(&part_size, data + i + 24, 8);
        reel_upload_record_print(raw, &r);

        if (data[i] & 4) {
            raw[data[i + 3] % sizeof(raw)] ^= data[i + 4];
        }

        if (reel_upload_record_parse(&r, raw) == REEL_OK) {
            need(r.part.number >= 1
                 && r.part.number <= REEL_UPLOAD_PARTS_MAX
                 && r.part.size <= INT64_MAX - r.part.offset);
        }

        if (reel_upload_table_add(&t, raw) != REEL_OK) {
            break;
        }
    }

    part_size &= INT64_MAX;

    if (reel_upload_table_place(&t, number, bytes, &part_size, &off)
        == REEL_OK)
    {
        need(off <= INT64_MAX && bytes <= INT64_MAX - off);
        need(reel_upload_table_free(&t, number, off, bytes));
    }

    reel_upload_table_release(&t);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_upload_facts_t  f;
    static const format_t  json = ROW(upload_facts);

    if (size == 0) {
        return 0;
    }

    switch (data[0] % 3) {
    case 0:
        (void) round_trip(&json, &f, data + 1, size - 1);
        break;
    case 1:
        slot(data + 1, size - 1);
        break;
    default:
        parts(data + 1, size - 1);
    }

    return 0;
}

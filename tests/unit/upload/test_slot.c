/* the bytes of `state`: as documented, and nothing else is believed */

#include "tests/unit/upload/fixture.h"

#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/base/hex.h"
#include "lib/upload/le.h"
#include "lib/upload/slot.h"

#define LEN REEL_UPLOAD_SLOT_LEN

static const reel_upload_slot_t  sample = {
    .seq = 0x0102030405060708,
    .state = {
        .phase = REEL_UPLOAD_COMPLETING, .length = 0x1112131415161718,
        .offset = 0x0122232425262728, .durable = 0x0032333435363738,
        .part_size = 0x4142434445464748, .touched_ms = 0x5152535455565758,
        .nparts = 0x2021, .base = 0x6162636465666768, .joined = true,
    },
    .boot = "0123456789abcdef",
};


static void
layout(void **state)
{
    char                hex[2 * LEN + 1];
    uint8_t             raw[LEN];
    reel_upload_slot_t  s;

    (void) state;

    reel_upload_slot_print(raw, &sample);
    reel_hex(hex, raw, LEN);
    assert_string_equal(hex,
        "5245454c55504c31" "0807060504030201" "01000000" "21200000"
        "1817161514131211" "2827262524232201" "3837363534333200"
        "4847464544434241" "5857565554535251" "6867666564636261"
        "01000000" "00000000" "30313233343536373839616263646566"
        "00000000000000000000000000000000000000000000000000000000"
        "34bfaf44");

    OK(reel_upload_slot_parse(&s, raw));
    assert_memory_equal(&s.boot, sample.boot, sizeof(s.boot));
    assert_true(s.seq == sample.seq);
    assert_int_equal(s.state.phase, sample.state.phase);
    assert_true(s.state.length == sample.state.length);
    assert_true(s.state.offset == sample.state.offset);
    assert_true(s.state.durable == sample.state.durable);
    assert_true(s.state.part_size == sample.state.part_size);
    assert_true(s.state.touched_ms == sample.state.touched_ms);
    assert_true(s.state.base == sample.state.base);
    assert_int_equal(s.state.nparts, sample.state.nparts);
    assert_true(s.state.joined);
}


static void
torn(void **state)
{
    size_t              i;
    uint8_t             raw[LEN], bad[LEN];
    reel_upload_slot_t  s;

    (void) state;
    reel_upload_slot_print(raw, &sample);

    for (i = 0; i < LEN; i++) {
        memcpy(bad, raw, LEN);
        bad[i] ^= 0x10;
        IS(REEL_BADDATA, reel_upload_slot_parse(&s, bad));

        /* only the first i bytes came */
        memcpy(bad, raw, LEN);
        memset(bad + i, 0, LEN - i);
        IS(REEL_BADDATA, reel_upload_slot_parse(&s, bad));
        assert_true(s.seq == 0);
    }
}


/* a right sum does not make it right */
static void
unsound(void **state)
{
    size_t              i;
    uint8_t             raw[LEN];
    reel_upload_slot_t  s;
    static const struct {
        size_t    at;
        bool      wide;
        uint64_t  v;
    } t[] = {
        { 8, true, 0 },                         /* seq */
        { 16, false, 5 },                       /* phase */
        { 20, false, 10001 },                   /* nparts */
        { 24, true, 1ull << 63 },               /* length … */
        { 24, true, 0x0122232425262727 },       /* … below offset */
        { 32, true, 0x0032333435363737 },       /* offset below durable */
        { 48, true, 1ull << 63 },               /* part_size */
        { 56, true, UINT64_MAX },               /* touched */
        { 64, true, 1ull << 63 },               /* base */
        { 72, false, 2 },                       /* joined */
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        reel_upload_slot_print(raw, &sample);

        if (t[i].wide) {
            reel_put_u64le(raw + t[i].at, t[i].v);
        } else {
            reel_put_u32le(raw + t[i].at, (uint32_t) t[i].v);
        }

        reel_put_u32le(raw + LEN - 4, reel_crc32c(0, raw, LEN - 4));
        IS(REEL_BADDATA, reel_upload_slot_parse(&s, raw));
    }

    reel_upload_slot_print(raw, &sample);
    reel_put_u64le(raw + 24, UINT64_MAX);
    reel_put_u32le(raw + LEN - 4, reel_crc32c(0, raw, LEN - 4));
    OK(reel_upload_slot_parse(&s, raw));
    assert_true(s.state.length == REEL_UPLOAD_UNKNOWN);
}


static void
read_slots(reel_store_t *s, uint8_t a[LEN], uint8_t b[LEN])
{
    size_t             n;
    reel_multipart_t  *m;

    OK(reel_multipart_open(s, "uploads/" ID "/state", &m));
    memset(a, 0, LEN);
    memset(b, 0, LEN);
    OK(reel_multipart_read(m, 0, a, LEN, &n));
    OK(reel_multipart_read(m, 4096, b, LEN, &n));
    reel_multipart_close(m);
}


/* the slot that was synced last is not touched until the other one is */
static void
which(void **state)
{
    uint8_t               a[LEN], b[LEN], a2[LEN], b2[LEN];
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_upload_slot_t    slot;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    u = create(s, &f, 1000);
    read_slots(s, a, b);
    OK(reel_upload_slot_parse(&slot, a));
    IS(REEL_BADDATA, reel_upload_slot_parse(&slot, b));

    append(u, 1);
    append(u, 1);
    append(u, 1);
    read_slots(s, a2, b2);
    assert_memory_equal(a, a2, LEN);
    OK(reel_upload_slot_parse(&slot, b2));
    assert_int_equal(slot.state.offset, 3);

    OK(reel_upload_settle(u, NOW));
    read_slots(s, a, b);
    assert_memory_equal(a, a2, LEN);
    append(u, 1);
    append(u, 1);
    read_slots(s, a2, b2);
    assert_memory_equal(b, b2, LEN);
    OK(reel_upload_slot_parse(&slot, a2));
    assert_int_equal(slot.state.offset, 5);
    assert_int_equal(slot.state.durable, 3);
    reel_upload_close(u);
}


/* one slot torn: the other counts; both: it is broken */
static void
torn_on_disk(void **state)
{
    reel_store_t         *s = *state;
    reel_upload_t        *u;
    reel_multipart_t     *m;
    reel_upload_facts_t   f = facts_of(REEL_UPLOAD_TUS);

    u = create(s, &f, 1000);
    append(u, 10);
    OK(reel_upload_settle(u, NOW));
    append(u, 10);
    reel_upload_close(u);

    OK(reel_multipart_open(s, "uploads/" ID "/state", &m));
    OK(reel_multipart_write(m, 40, "\xff", 1));
    u = claim(s, ID, &bob);
    assert_int_equal(u->state.offset, 10);
    append(u, 10);
    reel_upload_close(u);

    u = open_id(s, ID);
    assert_int_equal(u->state.offset, 20);
    reel_upload_close(u);

    OK(reel_multipart_write(m, 40, "\xff", 1));
    OK(reel_multipart_write(m, 4096 + 40, "\xff", 1));
    IS(REEL_BADDATA, reel_upload_open(s, REEL_STR(ID), &u));
    reel_multipart_close(m);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(layout),
        cmocka_unit_test(torn),
        cmocka_unit_test(unsound),
        BOTH(which),
        BOTH(torn_on_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

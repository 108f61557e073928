#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/index/samples.h"

#define FRAGMENTS 200


static uint32_t
draw(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;

    return (*seed >> 8) % n;
}


/* sample i of fragment k: the same whenever it is asked for */
static reel_sample_t
sample(uint32_t k, uint32_t i, uint64_t *offset)
{
    uint32_t       seed = k * 7919 + i;
    reel_sample_t  q;

    if (draw(&seed, 4) == 0) {
        *offset += draw(&seed, 1 << 20);
        *offset -= draw(&seed, 2) != 0 && *offset > (1u << 19) ? 1u << 19 : 0;
    }

    q.offset = *offset;
    q.size = draw(&seed, 3) == 0 ? 0 : draw(&seed, 1 << 22);
    q.duration = 250 * (1 + draw(&seed, 3));
    q.cts_offset = 250 * ((int32_t) draw(&seed, 9) - 4);
    q.sync = draw(&seed, 5) == 0;
    *offset += q.size;

    return q;
}


static void
round_trip(void **state)
{
    int64_t                 ts = 0;
    int64_t                 starts[FRAGMENTS];
    uint32_t                i, k, n, turn, seed = 1;
    uint64_t                offset = 1000, offsets[FRAGMENTS];
    reel_sample_t           want, got;
    reel_samples_t          s;
    reel_samples_writer_t   w;
    reel_samples_cursor_t   c;

    (void) state;

    reel_samples_writer_init(&w, 250, true, 1 << 20, NULL);

    for (k = 0; k < FRAGMENTS; k++) {
        offsets[k] = offset;
        starts[k] = ts;
        reel_samples_begin(&w, ts);

        for (i = 0; i < k % 7; i++) {
            want = sample(k, i, &offset);
            reel_samples_add(&w, &want);
            ts += want.duration;
        }
    }

    assert_int_equal(reel_samples_end(&w), REEL_OK);
    assert_int_equal(w.anchors.len, FRAGMENTS * REEL_SAMPLES_ANCHOR);

    s = (reel_samples_t) {
        .unit = 250, .offsets = true, .anchors = FRAGMENTS,
        .anchor_bytes = { (char *) w.anchors.data, w.anchors.len },
        .sample_bytes = { (char *) w.samples.data, w.samples.len }
    };

    /* in any order: a fragment does not depend on those before it */
    for (turn = 0; turn < 3 * FRAGMENTS; turn++) {
        k = draw(&seed, FRAGMENTS);
        offset = offsets[k];
        n = 0;
        reel_samples_seek(&c, &s, k);
        assert_int_equal(c.decode_ts, starts[k]);

        while (reel_samples_next(&c, &got)) {
            want = sample(k, n++, &offset);
            assert_int_equal(got.offset, want.offset);
            assert_int_equal(got.size, want.size);
            assert_int_equal(got.duration, want.duration);
            assert_int_equal(got.cts_offset, want.cts_offset);
            assert_int_equal(got.sync, want.sync);
        }

        assert_int_equal(n, k % 7);
    }

    reel_samples_writer_release(&w);
}


/* an anchor that points behind the list, or promises more than it has */
static void
damaged(void **state)
{
    unsigned               n;
    uint8_t                anchor[REEL_SAMPLES_ANCHOR] = { 0 };
    reel_sample_t          q;
    reel_samples_t         s = {
        .unit = 1, .anchors = 1,
        .anchor_bytes = { (char *) anchor, sizeof(anchor) },
        .sample_bytes = REEL_STR("\x08\x08")
    };
    reel_samples_cursor_t  c;

    (void) state;

    anchor[20] = 200;
    reel_samples_seek(&c, &s, 0);
    for (n = 0; reel_samples_next(&c, &q); n++) { /* void */ }
    assert_int_equal(n, 2);

    anchor[16] = 3;
    reel_samples_seek(&c, &s, 0);
    assert_false(reel_samples_next(&c, &q));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(damaged)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

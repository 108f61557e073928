/*
 * Any bytes as parameter sets and slices: never more is clear than there is,
 * and what is clear does not depend on how much of a slice was seen at first.
 * Input: a byte, odd for H.265, then NAL units with 2-byte lengths.
 */

#include <stdlib.h>

#include "lib/base/reader.h"
#include "lib/codec/slices.h"
#include "tests/fuzz/harness.h"


static void
look(reel_slices_t *s, const uint8_t *nal, uint32_t size)
{
    uint32_t    have, n, whole;
    reel_err_t  err;

    for (have = 1; have < size; have *= 2) {
        err = reel_slices_clear(s, nal, have, size, &n);
        need(err == REEL_OK || err == REEL_AGAIN);

        if (err == REEL_OK) {
            need(n <= size);
            need(reel_slices_clear(s, nal, size, size, &whole) == REEL_OK);
            need(n == whole);
        }
    }

    need(reel_slices_clear(s, nal, size, size, &n) == REEL_OK);
    need(n <= size);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_str_t      nal;
    reel_reader_t   r;
    reel_slices_t  *s;

    reel_reader_init(&r, data, size);

    s = reel_slices_new(reel_read_u8(&r) & 1 ? REEL_CODEC_HEVC
                                             : REEL_CODEC_AVC,
                        (reel_str_t) { (const char *) data, size });
    if (s == NULL) {
        return 0;
    }

    while (r.err == REEL_OK) {
        nal = reel_read_bytes(&r, reel_read_u16(&r));

        if (r.err == REEL_OK) {
            look(s, (const uint8_t *) nal.p, (uint32_t) nal.len);
        }
    }

    reel_slices_free(s);

    return 0;
}

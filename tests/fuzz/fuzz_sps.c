/*
 * Any bytes as an SPS, as an encoder's global header and as an access unit.
 * A header that is accepted gives an avcC, which is accepted as it is and
 * has a codec string.
 */

#include "lib/codec/avc.h"
#include "tests/fuzz/harness.h"


static void
sps(const uint8_t *data, size_t size)
{
    reel_avc_sps_t  s;

    if (reel_avc_sps(&s, data, size) != REEL_OK) {
        return;
    }

    need(s.width > 0 && s.width <= UINT16_MAX);
    need(s.height > 0 && s.height <= UINT16_MAX);
    need(s.vui.sar_num > 0 && s.vui.sar_den > 0);
    need(s.chroma_format <= 3);
    need(s.bit_depth >= 8 && s.bit_depth <= 14);
    need(s.chroma_depth >= 8 && s.chroma_depth <= 14);
}


static void
config(const uint8_t *data, size_t size)
{
    char        codec[12];
    reel_buf_t  one, two;

    reel_buf_init(&one, 1 << 20);
    reel_buf_init(&two, 1 << 20);

    if (reel_avc_config(&one, data, size) == REEL_OK) {
        need(reel_avc_config(&two, one.data, one.len) == REEL_OK);
        need(one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
        need(reel_avc_codec_string(codec, sizeof(codec), (reel_str_t) {
                                   (char *) one.data, one.len }) == REEL_OK);
        need(strlen(codec) == 11);
    }

    reel_buf_release(&one);
    reel_buf_release(&two);
}


/* lengths lead from the first NAL unit to the end, exactly */
static void
sample(const uint8_t *data, size_t size)
{
    size_t      at, n;
    unsigned    slices, nals = 0;
    reel_buf_t  b;

    reel_buf_init(&b, 2 * size + 16);

    if (reel_avc_to_sample(&b, data, size, &slices) == REEL_OK) {
        for (at = 0; at < b.len; at += 4 + n, nals++) {
            need(b.len - at > 4);
            n = (size_t) b.data[at] << 24 | (size_t) b.data[at + 1] << 16
                | (size_t) b.data[at + 2] << 8 | b.data[at + 3];
            need(n > 0 && n <= b.len - at - 4);
            need(b.data[at + 3 + n] != 0);
        }

        need(slices <= nals);
    }

    reel_buf_release(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sps(data, size);
    config(data, size);
    sample(data, size);

    return 0;
}

#include <stdbool.h>

#include "lib/base/bits.h"
#include "lib/codec/vp9_frame.h"


#define SYNC_CODE   0x498342
#define CS_RGB      7
#define REFS        3           /* of a frame that is predicted */

typedef struct {
    unsigned profile;
    bool     resilient;
    uint32_t width, height;
    unsigned refresh;           /* bits of references that it becomes */
} frame_t;


/* color_config(), 6.2.2 */
static void
skip_colours(const frame_t *f, reel_bits_t *b)
{
    if (f->profile >= 2) {
        reel_bits_u(b, 1);
    }

    if (reel_bits_u(b, 3) != CS_RGB) {
        reel_bits_u(b, 1);
        reel_bits_u(b, f->profile & 1 ? 3 : 0);

    } else {
        reel_bits_u(b, f->profile & 1);
    }
}


static void
skip_render_size(reel_bits_t *b)
{
    if (reel_bits_u(b, 1)) {
        reel_bits_u(b, 32);
    }
}


static void
read_size(frame_t *f, reel_bits_t *b)
{
    f->width = reel_bits_u(b, 16) + 1;
    f->height = reel_bits_u(b, 16) + 1;
    skip_render_size(b);
}


/* frame_size_with_refs() and what is before it, 6.2.5 */
static void
read_inter(frame_t *f, reel_bits_t *b, const reel_vp9_refs_t *refs)
{
    bool      found = false;
    unsigned  i, at[REFS];

    f->refresh = reel_bits_u(b, 8);

    for (i = 0; i < REFS; i++) {
        at[i] = reel_bits_u(b, 3);
        reel_bits_u(b, 1);
    }

    for (i = 0; i < REFS && !found; i++) {
        found = reel_bits_u(b, 1);

        if (found) {
            f->width = refs->width[at[i]];
            f->height = refs->height[at[i]];
        }
    }

    if (found) {
        skip_render_size(b);
    } else {
        read_size(f, b);
    }

    if (f->width == 0 && b->err == REEL_OK) {
        b->err = REEL_BADDATA;
    }

    reel_bits_u(b, 1);                  /* allow_high_precision_mv */

    if (!reel_bits_u(b, 1)) {           /* is_filter_switchable */
        reel_bits_u(b, 2);
    }
}


/* what key frames, frames of intra only and others begin with */
static void
read_kind(frame_t *f, reel_bits_t *b, const reel_vp9_refs_t *refs)
{
    bool  key, shown, intra;

    key = !reel_bits_u(b, 1);
    shown = reel_bits_u(b, 1);
    f->resilient = reel_bits_u(b, 1);
    intra = !key && !shown && reel_bits_u(b, 1);

    if (!key && !f->resilient) {
        reel_bits_u(b, 2);              /* reset_frame_context */
    }

    if (!key && !intra) {
        read_inter(f, b, refs);
        return;
    }

    if (reel_bits_u(b, 24) != SYNC_CODE && b->err == REEL_OK) {
        b->err = REEL_BADDATA;
    }

    if (key || f->profile > 0) {
        skip_colours(f, b);
    }

    f->refresh = key ? 0xff : reel_bits_u(b, 8);
    read_size(f, b);
}


/* loop_filter_params() and quantization_params(), 6.2.8 and 6.2.9 */
static void
skip_filters(reel_bits_t *b)
{
    unsigned  i;

    reel_bits_u(b, 9);

    if (reel_bits_u(b, 1) && reel_bits_u(b, 1)) {
        for (i = 0; i < 6; i++) {
            if (reel_bits_u(b, 1)) {
                reel_bits_u(b, 7);
            }
        }
    }

    reel_bits_u(b, 8);

    for (i = 0; i < 3; i++) {
        if (reel_bits_u(b, 1)) {
            reel_bits_u(b, 5);
        }
    }
}


static void
skip_probabilities(reel_bits_t *b, unsigned n)
{
    while (n-- != 0) {
        if (reel_bits_u(b, 1)) {
            reel_bits_u(b, 8);
        }
    }
}


/* segmentation_params(), 6.2.11 */
static void
skip_segmentation(reel_bits_t *b)
{
    unsigned  i, k;

    static const unsigned  bits[] = { 8 + 1, 6 + 1, 2, 0 };

    if (!reel_bits_u(b, 1)) {
        return;
    }

    if (reel_bits_u(b, 1)) {
        skip_probabilities(b, 7);

        if (reel_bits_u(b, 1)) {
            skip_probabilities(b, 3);
        }
    }

    if (!reel_bits_u(b, 1)) {
        return;
    }

    reel_bits_u(b, 1);

    for (i = 0; i < 8; i++) {
        for (k = 0; k < sizeof(bits) / sizeof(bits[0]); k++) {
            if (reel_bits_u(b, 1)) {
                reel_bits_u(b, bits[k]);
            }
        }
    }
}


/* tile_info(), 6.2.13 */
static void
skip_tiles(const frame_t *f, reel_bits_t *b)
{
    unsigned  least = 0, most = 1, blocks = (f->width + 63) / 64;

    while ((64u << least) < blocks) {
        least++;
    }

    while (blocks >> most >= 4) {
        most++;
    }

    for (most--; least < most && reel_bits_u(b, 1); least++) {
        /* increment_tile_cols_log2 */
    }

    if (reel_bits_u(b, 1)) {
        reel_bits_u(b, 1);
    }
}


static void
skip_header(frame_t *f, reel_bits_t *b, const reel_vp9_refs_t *refs)
{
    if (reel_bits_u(b, 2) != 2 && b->err == REEL_OK) {
        b->err = REEL_BADDATA;
    }

    f->profile = reel_bits_u(b, 1);
    f->profile |= reel_bits_u(b, 1) << 1;

    if (f->profile == 3) {
        reel_bits_u(b, 1);
    }

    if (reel_bits_u(b, 1)) {            /* show_existing_frame */
        reel_bits_u(b, 3);
        return;
    }

    read_kind(f, b, refs);

    if (!f->resilient) {
        reel_bits_u(b, 2);
    }

    reel_bits_u(b, 2);                  /* frame_context_idx */
    skip_filters(b);
    skip_segmentation(b);
    skip_tiles(f, b);
    reel_bits_u(b, 16);                 /* header_size_in_bytes */
}


reel_err_t
reel_vp9_frame_header(size_t *n, reel_vp9_refs_t *refs, const uint8_t *p,
    size_t len)
{
    frame_t      f = { 0 };
    unsigned     i;
    reel_bits_t  b;

    reel_bits_init(&b, p, len);
    skip_header(&f, &b, refs);

    if (b.err != REEL_OK) {
        return b.err;
    }

    for (i = 0; i < REEL_VP9_REFS; i++) {
        if (f.refresh >> i & 1) {
            refs->width[i] = f.width;
            refs->height[i] = f.height;
        }
    }

    *n = (size_t) ((b.bit + 7) / 8);

    return REEL_OK;
}


/* annex B: its index begins and ends with the same byte */
unsigned
reel_vp9_superframe(uint32_t sizes[REEL_VP9_FRAMES], const uint8_t *tail,
    size_t len, uint32_t size)
{
    size_t    index;
    uint8_t   mark;
    uint64_t  sum = 0;
    unsigned  i, k, n, bytes;

    sizes[0] = size;

    if (len == 0 || (tail[len - 1] & 0xe0) != 0xc0) {
        return 1;
    }

    mark = tail[len - 1];
    n = (mark & 7u) + 1;
    bytes = (mark >> 3 & 3u) + 1;
    index = 2 + (size_t) n * bytes;

    if (index > len || tail[len - index] != mark) {
        return 1;
    }

    tail += len - index + 1;

    for (i = 0; i < n; i++) {
        sizes[i] = 0;

        for (k = 0; k < bytes; k++) {
            sizes[i] |= (uint32_t) *tail++ << 8 * k;
        }

        sum += sizes[i];
    }

    if (sum > size - index) {
        sizes[0] = size;
        return 1;
    }

    return n;
}

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/bits.h"
#include "lib/codec/avc.h"
#include "lib/codec/nal.h"


/*
 * The longest part read is offset_for_ref_frame: 255 codes of at most 63
 * bits.  What lies behind (HRD parameters and the rest of the VUI) is not
 * needed, so a longer SPS is cut, not refused.
 */
#define RBSP_MAX     4096

#define MBS_MAX      4096       /* 65536 samples a side */


/* 7.3.2.1.1: profiles with chroma format, depths and scaling matrix */
static bool
high_profile(uint8_t profile)
{
    static const uint8_t  high[] = {
        100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135
    };

    size_t  i;

    for (i = 0; i < sizeof(high); i++) {
        if (high[i] == profile) {
            return true;
        }
    }

    return false;
}


/* 7.3.2.1.1.1; only walked */
static void
skip_scaling_list(reel_bits_t *b, unsigned size)
{
    int32_t   delta, last = 8, next = 8;
    unsigned  i;

    for (i = 0; i < size && b->err == REEL_OK; i++) {

        if (next != 0) {
            delta = reel_bits_se(b);

            if (delta < -128 || delta > 127) {
                b->err = REEL_BADDATA;
                return;
            }

            next = (last + delta + 256) % 256;
        }

        last = next == 0 ? last : next;
    }
}


static void
read_formats(reel_avc_sps_t *sps, reel_bits_t *b)
{
    unsigned  i, lists;

    sps->chroma_format = 1;
    sps->array_type = 1;
    sps->bit_depth = 8;
    sps->chroma_depth = 8;

    if (!high_profile(sps->profile)) {
        return;
    }

    sps->chroma_format = (uint8_t) reel_bits_ue_max(b, 3);
    sps->planes_apart = sps->chroma_format == 3 && reel_bits_u(b, 1);
    sps->array_type = sps->planes_apart ? 0 : sps->chroma_format;

    sps->bit_depth = (uint8_t) (8 + reel_bits_ue_max(b, 6));
    sps->chroma_depth = (uint8_t) (8 + reel_bits_ue_max(b, 6));

    reel_bits_u(b, 1);          /* qpprime_y_zero_transform_bypass_flag */

    if (reel_bits_u(b, 1)) {
        lists = sps->chroma_format == 3 ? 12 : 8;

        for (i = 0; i < lists; i++) {
            if (reel_bits_u(b, 1)) {
                skip_scaling_list(b, i < 6 ? 16 : 64);
            }
        }
    }
}


static void
read_order_count(reel_avc_sps_t *sps, reel_bits_t *b)
{
    uint32_t  i, n;

    sps->frame_num_bits = (uint8_t) (4 + reel_bits_ue_max(b, 12));
    sps->order_type = (uint8_t) reel_bits_ue_max(b, 2);

    switch (sps->order_type) {

    case 0:
        sps->order_bits = (uint8_t) (4 + reel_bits_ue_max(b, 12));
        break;

    case 1:
        sps->order_fixed = reel_bits_u(b, 1);
        reel_bits_se(b);
        reel_bits_se(b);
        n = reel_bits_ue_max(b, 255);

        for (i = 0; i < n && b->err == REEL_OK; i++) {
            reel_bits_se(b);
        }

        break;

    default:
        break;
    }
}


/* size in samples less the cropping window, 7.4.2.1.1 */
static void
read_size(reel_avc_sps_t *sps, reel_bits_t *b)
{
    bool      frame_mbs_only;
    uint64_t  w, h, unit_x, unit_y, crop_x, crop_y;

    w = 16 * ((uint64_t) reel_bits_ue_max(b, MBS_MAX - 1) + 1);
    h = 16 * ((uint64_t) reel_bits_ue_max(b, MBS_MAX - 1) + 1);

    sps->map_units = (uint32_t) (w / 16 * (h / 16));

    frame_mbs_only = reel_bits_u(b, 1);
    sps->interlaced = !frame_mbs_only;

    if (!frame_mbs_only) {
        h *= 2;
        reel_bits_u(b, 1);      /* mb_adaptive_frame_field_flag */
    }

    reel_bits_u(b, 1);          /* direct_8x8_inference_flag */

    if (reel_bits_u(b, 1)) {
        unit_x = sps->array_type == 1 || sps->array_type == 2 ? 2 : 1;
        unit_y = (sps->array_type == 1 ? 2u : 1u) * (frame_mbs_only ? 1u : 2u);

        crop_x = reel_bits_ue(b);
        crop_x = unit_x * (crop_x + reel_bits_ue(b));
        crop_y = reel_bits_ue(b);
        crop_y = unit_y * (crop_y + reel_bits_ue(b));

        if (crop_x >= w || crop_y >= h) {
            b->err = REEL_BADDATA;
            return;
        }

        w -= crop_x;
        h -= crop_y;
    }

    if (w > UINT16_MAX || h > UINT16_MAX) {
        b->err = b->err == REEL_OK ? REEL_LIMIT : b->err;
        return;
    }

    sps->width = (uint32_t) w;
    sps->height = (uint32_t) h;
}


reel_err_t
reel_avc_sps(reel_avc_sps_t *sps, const uint8_t *nal, size_t len)
{
    size_t       n;
    uint8_t      rbsp[RBSP_MAX];
    reel_bits_t  b;

    *sps = (reel_avc_sps_t) { .vui = REEL_VUI_UNTOLD };

    if (len < 4 || (nal[0] & 0x9f) != REEL_NAL_SPS) {
        return REEL_BADDATA;
    }

    n = reel_nal_unescape(rbsp, sizeof(rbsp), nal + 1, len - 1);
    reel_bits_init(&b, rbsp, n);

    sps->profile = (uint8_t) reel_bits_u(&b, 8);
    sps->compat = (uint8_t) reel_bits_u(&b, 8);
    sps->level = (uint8_t) reel_bits_u(&b, 8);
    sps->id = (uint8_t) reel_bits_ue_max(&b, 31);

    read_formats(sps, &b);
    read_order_count(sps, &b);
    reel_bits_ue_max(&b, 16);             /* max_num_ref_frames */
    reel_bits_u(&b, 1);         /* gaps_in_frame_num_value_allowed_flag */

    read_size(sps, &b);

    if (reel_bits_u(&b, 1)) {
        reel_nal_vui(&b, &sps->vui);
    }

    return b.err;
}

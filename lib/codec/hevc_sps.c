#include <stddef.h>

#include "lib/base/bits.h"
#include "lib/codec/hevc.h"
#include "lib/codec/nal.h"


/*
 * As for H.264: what lies behind the colours is not needed, so a longer SPS
 * is cut, not refused.  64 sets of 16 pictures of two codes stand before.
 */
#define RBSP_MAX        8192

#define SUB_LAYERS_MAX  6       /* sps_max_sub_layers_minus1 */


static void
skip(reel_bits_t *b, unsigned n)
{
    while (n > 32) {
        reel_bits_u(b, 32);
        n -= 32;
    }

    reel_bits_u(b, n);
}


/* profile_tier_level(1, sub_layers_minus1), 7.3.3 */
static void
read_ptl(reel_hevc_ptl_t *p, reel_bits_t *b, unsigned sub_layers_minus1)
{
    unsigned  i, profiles = 0, levels = 0;

    p->space = (uint8_t) reel_bits_u(b, 2);
    p->high_tier = reel_bits_u(b, 1);
    p->profile = (uint8_t) reel_bits_u(b, 5);
    p->compat = reel_bits_u(b, 32);

    for (i = 0; i < sizeof(p->constraints); i++) {
        p->constraints[i] = (uint8_t) reel_bits_u(b, 8);
    }

    p->level = (uint8_t) reel_bits_u(b, 8);

    for (i = 0; i < sub_layers_minus1; i++) {
        profiles += reel_bits_u(b, 1);
        levels += reel_bits_u(b, 1);
    }

    if (sub_layers_minus1 > 0) {
        skip(b, 2 * (8 - sub_layers_minus1));
    }

    skip(b, profiles * 88 + levels * 8);
}


/* sizes and the window of what is shown, 7.4.3.2.1 */
static void
read_size(reel_hevc_sps_t *sps, reel_bits_t *b)
{
    uint64_t  w, h, unit_x, unit_y, crop_x, crop_y;

    sps->chroma_format = (uint8_t) reel_bits_ue_max(b, 3);

    sps->coding.planes_apart = sps->chroma_format == 3 && reel_bits_u(b, 1);
    sps->coding.chroma = sps->chroma_format != 0 && !sps->coding.planes_apart;

    w = reel_bits_ue_max(b, UINT16_MAX);
    h = reel_bits_ue_max(b, UINT16_MAX);
    sps->coded_width = (uint32_t) w;
    sps->coded_height = (uint32_t) h;

    if (reel_bits_u(b, 1)) {
        unit_x = sps->chroma_format == 1 || sps->chroma_format == 2 ? 2 : 1;
        unit_y = sps->chroma_format == 1 ? 2 : 1;

        crop_x = reel_bits_ue(b);
        crop_x = unit_x * (crop_x + reel_bits_ue(b));
        crop_y = reel_bits_ue(b);
        crop_y = unit_y * (crop_y + reel_bits_ue(b));

        w = crop_x < w ? w - crop_x : 0;
        h = crop_y < h ? h - crop_y : 0;
    }

    if (b->err == REEL_OK && (w == 0 || h == 0)) {
        b->err = REEL_BADDATA;
    }

    sps->width = (uint32_t) w;
    sps->height = (uint32_t) h;
    sps->bit_depth = (uint8_t) (8 + reel_bits_ue_max(b, 8));
    sps->chroma_depth = (uint8_t) (8 + reel_bits_ue_max(b, 8));
}


void
reel_hevc_skip_scaling_lists(reel_bits_t *b)
{
    unsigned  size, matrix, i, n;

    for (size = 0; size < 4; size++) {
        for (matrix = 0; matrix < 6; matrix += size == 3 ? 3 : 1) {

            if (!reel_bits_u(b, 1)) {
                reel_bits_ue(b);
                continue;
            }

            n = size == 0 ? 16 : 64;

            if (size > 1) {
                reel_bits_se(b);
            }

            for (i = 0; i < n && b->err == REEL_OK; i++) {
                reel_bits_se(b);
            }
        }
    }
}


/* the pictures that slices may refer to */
static void
read_references(reel_hevc_coding_t *c, reel_bits_t *b)
{
    unsigned  i;

    c->sets = (uint8_t) reel_bits_ue_max(b, REEL_HEVC_RPS_MAX);

    for (i = 0; i < c->sets && b->err == REEL_OK; i++) {
        reel_hevc_rps_read(&c->rps[i], b, c->rps, i, false);
    }

    c->long_term = reel_bits_u(b, 1);

    if (!c->long_term) {
        return;
    }

    c->long_terms = (uint8_t) reel_bits_ue_max(b, REEL_HEVC_LT_MAX);

    for (i = 0; i < c->long_terms; i++) {
        reel_bits_u(b, c->order_bits);
        c->long_used |= reel_bits_u(b, 1) << i;
    }
}


/* from log2_max_pic_order_cnt_lsb_minus4 to the VUI, 7.3.2.2.1 */
static void
read_coding(reel_hevc_sps_t *sps, reel_bits_t *b, unsigned sub_layers_minus1)
{
    unsigned             i, block;
    reel_hevc_coding_t  *c = &sps->coding;

    c->order_bits = (uint8_t) (4 + reel_bits_ue_max(b, 12));
    i = reel_bits_u(b, 1) ? 0 : sub_layers_minus1;

    for ( ; i <= sub_layers_minus1; i++) {
        reel_bits_ue(b);
        reel_bits_ue(b);
        reel_bits_ue(b);
    }

    block = 3 + reel_bits_ue_max(b, 12);
    block += reel_bits_ue_max(b, 12);           /* CtbLog2SizeY */
    c->blocks = (uint32_t) ((((uint64_t) sps->coded_width - 1) >> block) + 1)
                * (uint32_t) ((((uint64_t) sps->coded_height - 1) >> block)
                              + 1);

    for (i = 0; i < 4; i++) {
        reel_bits_ue(b);                        /* sizes and depths */
    }

    if (reel_bits_u(b, 1) && reel_bits_u(b, 1)) {
        reel_hevc_skip_scaling_lists(b);
    }

    skip(b, 1);                                 /* amp */
    c->sao = reel_bits_u(b, 1);

    if (reel_bits_u(b, 1)) {                    /* pcm */
        skip(b, 8);
        reel_bits_ue(b);
        reel_bits_ue(b);
        skip(b, 1);
    }

    read_references(c, b);
    c->temporal_mvp = reel_bits_u(b, 1);
    skip(b, 1);                 /* strong intra smoothing */
}


reel_err_t
reel_hevc_sps(reel_hevc_sps_t *sps, const uint8_t *nal, size_t len)
{
    size_t       n;
    uint8_t      rbsp[RBSP_MAX];
    uint32_t     minus1;
    reel_bits_t  b;

    *sps = (reel_hevc_sps_t) { .vui = REEL_VUI_UNTOLD };

    if (len < 4 || (nal[0] & 0xfe) != REEL_HEVC_SPS << 1) {
        return REEL_BADDATA;
    }

    n = reel_nal_unescape(rbsp, sizeof(rbsp), nal + 2, len - 2);
    reel_bits_init(&b, rbsp, n);

    reel_bits_u(&b, 4);         /* sps_video_parameter_set_id */
    minus1 = reel_bits_u(&b, 3);
    sps->nesting = reel_bits_u(&b, 1);

    if (minus1 > SUB_LAYERS_MAX) {
        return REEL_BADDATA;
    }

    sps->sub_layers = (uint8_t) (minus1 + 1);
    read_ptl(&sps->ptl, &b, minus1);
    sps->id = (uint8_t) reel_bits_ue_max(&b, REEL_HEVC_SPS_MAX - 1);
    read_size(sps, &b);
    read_coding(sps, &b, minus1);

    if (reel_bits_u(&b, 1)) {
        reel_nal_vui(&b, &sps->vui);
    }

    return b.err;
}

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
#define RPS_MAX         64      /* short-term reference picture sets */
#define DPB_MAX         16      /* pictures in one of them */
#define LT_REF_MAX      32


/* a short-term reference picture set: first the earlier pictures */
typedef struct {
    unsigned earlier, later;
    int32_t  delta[DPB_MAX];
} rps_t;


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

    if (sps->chroma_format == 3) {
        reel_bits_u(b, 1);      /* separate_colour_plane_flag */
    }

    w = reel_bits_ue_max(b, UINT16_MAX);
    h = reel_bits_ue_max(b, UINT16_MAX);

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


/* scaling_list_data(), 7.3.4; only walked */
static void
skip_scaling_lists(reel_bits_t *b)
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


static void
add_picture(rps_t *s, reel_bits_t *b, int32_t delta)
{
    if (s->earlier + s->later == DPB_MAX) {
        b->err = REEL_BADDATA;
        return;
    }

    s->delta[s->earlier + s->later] = delta;

    if (delta < 0) {
        s->earlier++;
    } else {
        s->later++;
    }
}


/*
 * (7-61) and (7-62): a set made of the one before it, shifted; its earlier
 * pictures, then (sign 1) the later ones, each from the nearest.
 */
static void
shift_set(rps_t *s, reel_bits_t *b, const rps_t *from, int32_t shift,
    const bool *use, int32_t sign)
{
    int       i;
    int32_t   d;
    unsigned  n = from->earlier + from->later;
    unsigned  first = sign < 0 ? from->earlier : 0;     /* walked downwards */
    unsigned  last = sign < 0 ? n : from->earlier;

    for (i = (int) last - 1; i >= (int) first; i--) {
        d = from->delta[i] + shift;

        if (d * sign > 0 && use[i]) {
            add_picture(s, b, d);
        }
    }

    if (shift * sign > 0 && use[n]) {
        add_picture(s, b, shift);
    }

    first = sign < 0 ? 0 : from->earlier;
    last = sign < 0 ? from->earlier : n;

    for (i = (int) first; i < (int) last; i++) {
        d = from->delta[i] + shift;

        if (d * sign > 0 && use[i]) {
            add_picture(s, b, d);
        }
    }
}


static void
read_shifted_set(rps_t *s, reel_bits_t *b, const rps_t *from)
{
    bool      use[DPB_MAX + 1];
    int32_t   shift;
    unsigned  i, sign;

    sign = reel_bits_u(b, 1);
    shift = (int32_t) reel_bits_ue_max(b, 0x7fff) + 1;

    for (i = 0; i <= from->earlier + from->later; i++) {
        use[i] = true;

        if (!reel_bits_u(b, 1)) {               /* used_by_curr_pic_flag */
            use[i] = reel_bits_u(b, 1);
        }
    }

    shift = sign ? -shift : shift;
    shift_set(s, b, from, shift, use, -1);
    shift_set(s, b, from, shift, use, 1);
}


/* st_ref_pic_set(), 7.3.7; from is the set before it, or NULL */
static void
read_set(rps_t *s, reel_bits_t *b, const rps_t *from)
{
    int32_t   delta;
    unsigned  i, n[2], side;

    *s = (rps_t) { 0 };

    if (from != NULL && reel_bits_u(b, 1)) {
        read_shifted_set(s, b, from);
        return;
    }

    n[0] = reel_bits_ue_max(b, DPB_MAX);
    n[1] = reel_bits_ue_max(b, DPB_MAX - n[0]);

    for (side = 0; side < 2; side++) {
        delta = 0;

        for (i = 0; i < n[side] && b->err == REEL_OK; i++) {
            delta += (int32_t) reel_bits_ue_max(b, 0x7fff) + 1;
            add_picture(s, b, side == 0 ? -delta : delta);
            reel_bits_u(b, 1);                  /* used_by_curr_pic */
        }
    }
}


static void
skip_references(reel_bits_t *b, unsigned poc_bits)
{
    rps_t     sets[2];
    uint32_t  i, n;

    n = reel_bits_ue_max(b, RPS_MAX);

    for (i = 0; i < n && b->err == REEL_OK; i++) {
        read_set(&sets[i & 1], b, i == 0 ? NULL : &sets[(i - 1) & 1]);
    }

    if (reel_bits_u(b, 1)) {                    /* long-term ones */
        n = reel_bits_ue_max(b, LT_REF_MAX);
        skip(b, n * (poc_bits + 1));
    }
}


/* from log2_max_pic_order_cnt_lsb_minus4 to the VUI, 7.3.2.2.1 */
static void
skip_coding(reel_bits_t *b, unsigned sub_layers_minus1)
{
    unsigned  i, poc_bits;

    poc_bits = 4 + reel_bits_ue_max(b, 12);
    i = reel_bits_u(b, 1) ? 0 : sub_layers_minus1;

    for ( ; i <= sub_layers_minus1; i++) {
        reel_bits_ue(b);
        reel_bits_ue(b);
        reel_bits_ue(b);
    }

    for (i = 0; i < 6; i++) {
        reel_bits_ue(b);                        /* block sizes and depths */
    }

    if (reel_bits_u(b, 1) && reel_bits_u(b, 1)) {
        skip_scaling_lists(b);
    }

    skip(b, 2);                                 /* amp, sao */

    if (reel_bits_u(b, 1)) {                    /* pcm */
        skip(b, 8);
        reel_bits_ue(b);
        reel_bits_ue(b);
        skip(b, 1);
    }

    skip_references(b, poc_bits);
    skip(b, 2);                 /* temporal mvp, strong intra smoothing */
}


/* the beginning of vui_parameters(), E.2.1 */
static void
read_vui(reel_hevc_sps_t *sps, reel_bits_t *b)
{
    reel_nal_sar(b, &sps->sar_num, &sps->sar_den);

    if (reel_bits_u(b, 1)) {
        skip(b, 1);             /* overscan_appropriate_flag */
    }

    if (reel_bits_u(b, 1)) {
        skip(b, 3);             /* video_format */
        sps->full_range = (uint8_t) reel_bits_u(b, 1);

        if (reel_bits_u(b, 1)) {
            sps->primaries = (uint8_t) reel_bits_u(b, 8);
            sps->transfer = (uint8_t) reel_bits_u(b, 8);
            sps->matrix = (uint8_t) reel_bits_u(b, 8);
        }
    }
}


reel_err_t
reel_hevc_sps(reel_hevc_sps_t *sps, const uint8_t *nal, size_t len)
{
    size_t       n;
    uint8_t      rbsp[RBSP_MAX];
    uint32_t     minus1;
    reel_bits_t  b;

    *sps = (reel_hevc_sps_t) {
        .sar_num = 1, .sar_den = 1,
        .primaries = 2, .transfer = 2, .matrix = 2
    };

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
    reel_bits_ue_max(&b, 15);   /* sps_seq_parameter_set_id */
    read_size(sps, &b);
    skip_coding(&b, minus1);

    if (reel_bits_u(&b, 1)) {
        read_vui(sps, &b);
    }

    return b.err;
}

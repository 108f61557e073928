/* parameter sets of H.265, as far as slice headers depend on them */

#include <stddef.h>

#include "lib/base/reader.h"
#include "lib/codec/hevc_slice.h"
#include "lib/codec/nal.h"


#define PPS_MAX     4096        /* bytes; it may have scaling lists */
#define TILES_MAX   1024        /* columns or rows of them */

#define HVCC_HEAD   22          /* bytes before the number of arrays */

/* profiles with tools for screen content, whose headers have more */
#define SCREEN      9
#define SCREEN_HIGH 11


static void
skip_tiles(reel_bits_t *b)
{
    uint32_t  i, n;

    n = reel_bits_ue_max(b, TILES_MAX);
    n += reel_bits_ue_max(b, TILES_MAX);

    if (!reel_bits_u(b, 1)) {           /* uniform_spacing_flag */
        for (i = 0; i < n && b->err == REEL_OK; i++) {
            reel_bits_ue(b);
        }
    }

    reel_bits_u(b, 1);
}


static void
read_deblocking(reel_hevc_pps_t *pps, reel_bits_t *b)
{
    if (!reel_bits_u(b, 1)) {
        return;
    }

    pps->deblocking_override = reel_bits_u(b, 1);
    pps->deblocking_off = reel_bits_u(b, 1);

    if (!pps->deblocking_off) {
        reel_bits_se(b);
        reel_bits_se(b);
    }
}


/* pps_range_extension(), 7.3.2.3.2; REEL_UNSUPPORTED: there are others */
static void
read_extension(reel_hevc_pps_t *pps, reel_bits_t *b, bool transform_skip)
{
    bool  range;

    if (!reel_bits_u(b, 1)) {
        return;
    }

    range = reel_bits_u(b, 1);

    if (reel_bits_u(b, 3) != 0) {       /* multilayer, 3d, screen content */
        b->err = REEL_UNSUPPORTED;
        return;
    }

    reel_bits_u(b, 4);

    if (range) {
        if (transform_skip) {
            reel_bits_ue(b);
        }

        reel_bits_u(b, 1);              /* cross component prediction */
        pps->qp_list = reel_bits_u(b, 1);
    }
}


/* pps_cb_qp_offset to entropy_coding_sync, and tiles */
static void
read_middle(reel_hevc_pps_t *pps, reel_bits_t *b)
{
    bool  tiles;

    reel_bits_se(b);                    /* pps_cb_qp_offset */
    reel_bits_se(b);                    /* pps_cr_qp_offset */
    pps->chroma_qp = reel_bits_u(b, 1);
    pps->weighted = reel_bits_u(b, 1);
    pps->weighted_b = reel_bits_u(b, 1);
    reel_bits_u(b, 1);                  /* transquant_bypass_enabled_flag */
    tiles = reel_bits_u(b, 1);
    pps->entry_points = reel_bits_u(b, 1) | tiles;

    if (tiles) {
        skip_tiles(b);
    }

    pps->across = reel_bits_u(b, 1);
    read_deblocking(pps, b);
}


static void
add_pps(reel_hevc_sets_t *s, const uint8_t *nal, size_t len)
{
    bool             transform_skip;
    uint8_t          rbsp[PPS_MAX];
    unsigned         id;
    reel_bits_t      b;
    reel_hevc_pps_t  pps = { .known = true };

    reel_bits_init(&b, rbsp,
                   reel_nal_unescape(rbsp, sizeof(rbsp), nal + 2, len - 2));

    id = reel_bits_ue_max(&b, REEL_HEVC_PPS_MAX - 1);
    pps.sps = (uint8_t) reel_bits_ue_max(&b, REEL_HEVC_SPS_MAX - 1);
    pps.dependent = reel_bits_u(&b, 1);
    pps.output = reel_bits_u(&b, 1);
    pps.extra_bits = (uint8_t) reel_bits_u(&b, 3);
    reel_bits_u(&b, 1);                 /* sign_data_hiding_enabled_flag */
    pps.cabac_init = reel_bits_u(&b, 1);
    pps.refs[0] = (uint8_t) reel_bits_ue_max(&b, REEL_HEVC_REFS_MAX - 1);
    pps.refs[1] = (uint8_t) reel_bits_ue_max(&b, REEL_HEVC_REFS_MAX - 1);
    reel_bits_se(&b);                   /* init_qp_minus26 */
    reel_bits_u(&b, 1);                 /* constrained_intra_pred_flag */
    transform_skip = reel_bits_u(&b, 1);

    if (reel_bits_u(&b, 1)) {
        reel_bits_ue(&b);               /* diff_cu_qp_delta_depth */
    }

    read_middle(&pps, &b);

    if (reel_bits_u(&b, 1)) {
        reel_hevc_skip_scaling_lists(&b);
    }

    pps.modification = reel_bits_u(&b, 1);
    reel_bits_ue(&b);                   /* log2_parallel_merge_level_minus2 */
    pps.extension = reel_bits_u(&b, 1);
    read_extension(&pps, &b, transform_skip);

    if (b.err == REEL_OK) {
        s->pps[id] = pps;
    }
}


static void
add_sps(reel_hevc_sets_t *s, const uint8_t *nal, size_t len)
{
    reel_hevc_sps_t  sps;

    if (reel_hevc_sps(&sps, nal, len) != REEL_OK || sps.ptl.profile == SCREEN
        || sps.ptl.profile == SCREEN_HIGH)
    {
        return;
    }

    s->sps[sps.id] = sps.coding;
    s->sps_known[sps.id] = true;
}


void
reel_hevc_sets_add(reel_hevc_sets_t *s, const uint8_t *nal, size_t len)
{
    if (len < 3 || !reel_hevc_is_base(nal)) {
        return;
    }

    switch (nal[0] >> 1 & 0x3f) {

    case REEL_HEVC_SPS:
        add_sps(s, nal, len);
        break;

    case REEL_HEVC_PPS:
        add_pps(s, nal, len);
        break;

    default:
        break;
    }
}


void
reel_hevc_walk_init(reel_hevc_walk_t *w, reel_str_t hvcc)
{
    reel_reader_init(&w->r, hvcc.p, hvcc.len);
    reel_read_skip(&w->r, HVCC_HEAD);
    w->arrays = reel_read_u8(&w->r);
    w->left = 0;
}


bool
reel_hevc_walk_next(reel_hevc_walk_t *w, reel_str_t *nal)
{
    while (w->left == 0 && w->arrays > 0 && w->r.err == REEL_OK) {
        w->arrays--;
        reel_read_skip(&w->r, 1);
        w->left = reel_read_u16(&w->r);
    }

    if (w->left == 0 || w->r.err != REEL_OK) {
        return false;
    }

    w->left--;
    *nal = reel_read_bytes(&w->r, reel_read_u16(&w->r));

    return w->r.err == REEL_OK;
}


void
reel_hevc_sets_read(reel_hevc_sets_t *s, reel_str_t hvcc)
{
    reel_str_t        nal;
    reel_hevc_walk_t  w;

    reel_hevc_walk_init(&w, hvcc);

    while (reel_hevc_walk_next(&w, &nal)) {
        reel_hevc_sets_add(s, (const uint8_t *) nal.p, nal.len);
    }
}

#include <stddef.h>

#include "lib/codec/avc_slice.h"
#include "lib/codec/nal.h"


#define HEADER_MAX   2048       /* longer than any slice header */

#define MODS_MAX     (REEL_AVC_REFS_MAX + 1)
#define MARKS_MAX    66         /* of dec_ref_pic_marking(), and its end */

enum { SLICE_P, SLICE_B, SLICE_I, SLICE_SP, SLICE_SI };

/* what of a header decides on the rest of it */
typedef struct {
    const reel_avc_sps_t *sps;
    const reel_avc_pps_t *pps;
    unsigned  nal_type, ref_idc;
    unsigned  type;
    unsigned  refs[2];          /* num_ref_idx_l*_active_minus1 */
} slice_t;


/* frame_num to redundant_pic_cnt */
static void
skip_order(const slice_t *s, reel_bits_t *b)
{
    bool                   field = false;
    const reel_avc_sps_t  *sps = s->sps;

    if (sps->planes_apart) {
        reel_bits_u(b, 2);
    }

    reel_bits_u(b, sps->frame_num_bits);

    if (sps->interlaced) {
        field = reel_bits_u(b, 1);
        reel_bits_u(b, field);          /* bottom_field_flag */
    }

    if (s->nal_type == REEL_NAL_IDR) {
        reel_bits_ue(b);
    }

    if (sps->order_type == 0) {
        reel_bits_u(b, sps->order_bits);

        if (s->pps->order_present && !field) {
            reel_bits_se(b);
        }

    } else if (sps->order_type == 1 && !sps->order_fixed) {
        reel_bits_se(b);

        if (s->pps->order_present && !field) {
            reel_bits_se(b);
        }
    }

    if (s->pps->redundant) {
        reel_bits_ue(b);
    }
}


/* how many lists of references the slice has */
static unsigned
lists(const slice_t *s)
{
    return s->type == SLICE_B ? 2
           : s->type == SLICE_P || s->type == SLICE_SP ? 1 : 0;
}


static void
read_reference_counts(slice_t *s, reel_bits_t *b)
{
    unsigned  i;

    for (i = 0; i < 2; i++) {
        s->refs[i] = s->pps->refs[i];
    }

    if (s->type == SLICE_B) {
        reel_bits_u(b, 1);              /* direct_spatial_mv_pred_flag */
    }

    if (lists(s) == 0 || !reel_bits_u(b, 1)) {
        return;
    }

    for (i = 0; i < lists(s); i++) {
        s->refs[i] = reel_bits_ue_max(b, REEL_AVC_REFS_MAX - 1);
    }
}


/* ref_pic_list_modification(), 7.3.3.1 */
static void
skip_modifications(const slice_t *s, reel_bits_t *b)
{
    unsigned  list, i;

    for (list = 0; list < lists(s); list++) {
        if (!reel_bits_u(b, 1)) {
            continue;
        }

        for (i = 0; reel_bits_ue_max(b, 3) != 3 && b->err == REEL_OK; i++) {
            reel_bits_ue(b);

            if (i == MODS_MAX) {
                b->err = REEL_BADDATA;
            }
        }
    }
}


/* pred_weight_table(), 7.3.3.2 */
static void
skip_weights(const slice_t *s, reel_bits_t *b)
{
    unsigned  list, i, chroma = s->sps->array_type != 0;

    reel_bits_ue(b);

    if (chroma) {
        reel_bits_ue(b);
    }

    for (list = 0; list < lists(s); list++) {
        for (i = 0; i <= s->refs[list] && b->err == REEL_OK; i++) {
            reel_bits_skip_se(b, reel_bits_u(b, 1) ? 2 : 0);

            if (chroma) {
                reel_bits_skip_se(b, reel_bits_u(b, 1) ? 4 : 0);
            }
        }
    }
}


/* dec_ref_pic_marking(), 7.3.3.3 */
static void
skip_marking(const slice_t *s, reel_bits_t *b)
{
    unsigned  i, op;

    if (s->nal_type == REEL_NAL_IDR) {
        reel_bits_u(b, 2);
        return;
    }

    if (!reel_bits_u(b, 1)) {
        return;
    }

    for (i = 0; b->err == REEL_OK; i++) {
        op = reel_bits_ue_max(b, i == MARKS_MAX ? 0 : 6);

        if (op == 0) {
            return;
        }

        if (op != 5) {
            reel_bits_ue(b);
        }

        if (op == 3) {
            reel_bits_ue(b);
        }
    }
}


/* cabac_init_idc to the end */
static void
skip_rest(const slice_t *s, reel_bits_t *b)
{
    const reel_avc_pps_t  *pps = s->pps;

    if (pps->cabac && lists(s) != 0) {
        reel_bits_ue(b);
    }

    reel_bits_se(b);                    /* slice_qp_delta */

    if (s->type == SLICE_SP) {
        reel_bits_u(b, 1);
    }

    if (s->type == SLICE_SP || s->type == SLICE_SI) {
        reel_bits_se(b);
    }

    if (pps->deblocking && reel_bits_ue(b) != 1) {
        reel_bits_skip_se(b, 2);
    }

    /* 7.4.3: Ceil(Log2(PicSizeInMapUnits / SliceGroupChangeRate + 1)) */
    if (pps->change_rate != 0) {
        reel_bits_u(b, reel_bits_for(((uint64_t) s->sps->map_units
                                      + pps->change_rate - 1)
                                     / pps->change_rate + 1));
    }
}


static void
skip_header(slice_t *s, const reel_avc_sets_t *sets, reel_bits_t *b)
{
    reel_bits_ue(b);                    /* first_mb_in_slice */
    s->type = reel_bits_ue_max(b, 9) % 5;
    s->pps = &sets->pps[reel_bits_ue_max(b, REEL_AVC_PPS_MAX - 1)];
    s->sps = &sets->sps[s->pps->sps];

    if (b->err != REEL_OK) {
        return;
    }

    if (!s->pps->known || !sets->sps_known[s->pps->sps]) {
        b->err = REEL_NOTFOUND;
        return;
    }

    skip_order(s, b);
    read_reference_counts(s, b);
    skip_modifications(s, b);

    if ((s->pps->weighted && lists(s) == 1)
        || (s->pps->weighted_b == 1 && s->type == SLICE_B))
    {
        skip_weights(s, b);
    }

    if (s->ref_idc != 0) {
        skip_marking(s, b);
    }

    skip_rest(s, b);

    if (s->nal_type == REEL_NAL_PARTITION_A) {
        reel_bits_ue(b);                /* slice_id, behind the header */
    }
}


reel_err_t
reel_avc_slice_header(size_t *n, const reel_avc_sets_t *sets,
    const uint8_t *nal, size_t len)
{
    slice_t      s = { 0 };
    uint8_t      rbsp[HEADER_MAX];
    reel_bits_t  b;

    if (len == 0) {
        return REEL_BADDATA;
    }

    s.nal_type = nal[0] & 0x1f;
    s.ref_idc = nal[0] >> 5 & 3;

    if (!reel_avc_is_slice(s.nal_type)) {
        return REEL_INVAL;
    }

    reel_bits_init(&b, rbsp,
                   reel_nal_unescape(rbsp, sizeof(rbsp), nal + 1, len - 1));
    skip_header(&s, sets, &b);

    if (b.err != REEL_OK) {
        return b.err;
    }

    *n = 1 + reel_nal_escaped(nal + 1, len - 1, (size_t) ((b.bit + 7) / 8));

    return REEL_OK;
}

#include <stddef.h>

#include "lib/codec/hevc_slice.h"
#include "lib/codec/nal.h"


/* the longest has an entry point of 32 bits for each of some hundred tiles */
#define HEADER_MAX    4096
#define EXTENSION_MAX 256

#define NAL_IRAP      16        /* to 23: pictures that playing may begin at */
#define NAL_IRAP_END  23
#define NAL_IDR       19
#define NAL_IDR_N     20

enum { SLICE_B, SLICE_P, SLICE_I };

/* what of a header decides on the rest of it */
typedef struct {
    const reel_hevc_coding_t *sps;
    const reel_hevc_pps_t    *pps;
    unsigned  nal_type;
    unsigned  type;
    bool      temporal_mvp;
    bool      filtered;         /* SAO of luma or chroma, or deblocked */
    unsigned  pictures;         /* NumPicTotalCurr */
    unsigned  refs[2];          /* num_ref_idx_l*_active_minus1 */
} slice_t;


static void
read_long_terms(slice_t *s, reel_bits_t *b)
{
    bool      used;
    uint32_t  i, n, of_sps = 0, at;

    if (s->sps->long_terms != 0) {
        of_sps = reel_bits_ue_max(b, REEL_HEVC_LT_MAX);
    }

    n = of_sps + reel_bits_ue_max(b, REEL_HEVC_LT_MAX);

    for (i = 0; i < n && b->err == REEL_OK; i++) {

        if (i < of_sps) {
            at = reel_bits_u(b, reel_bits_for(s->sps->long_terms));
            used = at < REEL_HEVC_LT_MAX && (s->sps->long_used >> at & 1);

        } else {
            reel_bits_u(b, s->sps->order_bits);
            used = reel_bits_u(b, 1);
        }

        s->pictures += used;

        if (reel_bits_u(b, 1)) {
            reel_bits_ue(b);            /* delta_poc_msb_cycle_lt */
        }
    }
}


/* slice_pic_order_cnt_lsb to slice_temporal_mvp_enabled_flag */
static void
read_references(slice_t *s, reel_bits_t *b)
{
    unsigned                   at;
    reel_hevc_rps_t            own;
    const reel_hevc_rps_t     *rps = &own;
    const reel_hevc_coding_t  *sps = s->sps;

    reel_bits_u(b, sps->order_bits);

    if (!reel_bits_u(b, 1)) {
        reel_hevc_rps_read(&own, b, sps->rps, sps->sets, true);

    } else {
        at = reel_bits_u(b, reel_bits_for(sps->sets));

        if (at >= sps->sets) {
            b->err = REEL_BADDATA;
            return;
        }

        rps = &sps->rps[at];
    }

    s->pictures = rps->used;

    if (sps->long_term) {
        read_long_terms(s, b);
    }

    s->temporal_mvp = sps->temporal_mvp && reel_bits_u(b, 1);
}


/* pred_weight_table(), 7.3.6.3 */
static void
skip_weights(const slice_t *s, reel_bits_t *b)
{
    bool      chroma = s->sps->chroma;
    uint32_t  luma_of, chroma_of;
    unsigned  list, i, n;

    reel_bits_ue(b);

    if (chroma) {
        reel_bits_se(b);
    }

    for (list = 0; list < (s->type == SLICE_B ? 2u : 1u); list++) {
        n = s->refs[list] + 1;
        luma_of = reel_bits_u(b, n);
        chroma_of = chroma ? reel_bits_u(b, n) : 0;

        for (i = n; i-- != 0 && b->err == REEL_OK; ) {
            reel_bits_skip_se(b, luma_of >> i & 1 ? 2 : 0);
            reel_bits_skip_se(b, chroma_of >> i & 1 ? 4 : 0);
        }
    }
}


/* ref_pic_lists_modification(), 7.3.6.2 */
static void
skip_modification(const slice_t *s, reel_bits_t *b)
{
    unsigned  list, i;

    for (list = 0; list < (s->type == SLICE_B ? 2u : 1u); list++) {
        if (!reel_bits_u(b, 1)) {
            continue;
        }

        for (i = 0; i <= s->refs[list]; i++) {
            reel_bits_u(b, reel_bits_for(s->pictures));
        }
    }
}


static void
skip_collocated(const slice_t *s, reel_bits_t *b)
{
    unsigned  list = 0;

    if (!s->temporal_mvp) {
        return;
    }

    if (s->type == SLICE_B) {
        list = reel_bits_u(b, 1) ? 0 : 1;
    }

    if (s->refs[list] > 0) {
        reel_bits_ue(b);
    }
}


/* num_ref_idx_active_override_flag to five_minus_max_num_merge_cand */
static void
skip_prediction(slice_t *s, reel_bits_t *b)
{
    s->refs[0] = s->pps->refs[0];
    s->refs[1] = s->pps->refs[1];

    if (reel_bits_u(b, 1)) {
        s->refs[0] = reel_bits_ue_max(b, REEL_HEVC_REFS_MAX - 1);

        if (s->type == SLICE_B) {
            s->refs[1] = reel_bits_ue_max(b, REEL_HEVC_REFS_MAX - 1);
        }
    }

    if (s->pps->modification && s->pictures > 1) {
        skip_modification(s, b);
    }

    if (s->type == SLICE_B) {
        reel_bits_u(b, 1);              /* mvd_l1_zero_flag */
    }

    if (s->pps->cabac_init) {
        reel_bits_u(b, 1);
    }

    skip_collocated(s, b);

    if (s->type == SLICE_P ? s->pps->weighted : s->pps->weighted_b) {
        skip_weights(s, b);
    }

    reel_bits_ue(b);
}


/* slice_qp_delta to slice_loop_filter_across_slices_enabled_flag */
static void
skip_filters(slice_t *s, reel_bits_t *b)
{
    bool                    off = s->pps->deblocking_off;
    const reel_hevc_pps_t  *pps = s->pps;

    reel_bits_skip_se(b, pps->chroma_qp ? 3 : 1);

    if (pps->qp_list) {
        reel_bits_u(b, 1);
    }

    if (pps->deblocking_override && reel_bits_u(b, 1)) {
        off = reel_bits_u(b, 1);
        reel_bits_skip_se(b, off ? 0 : 2);
    }

    if (pps->across && (s->filtered || !off)) {
        reel_bits_u(b, 1);
    }
}


/* of a slice segment that does not depend on another */
static void
skip_slice(slice_t *s, reel_bits_t *b)
{
    reel_bits_u(b, s->pps->extra_bits);
    s->type = reel_bits_ue_max(b, SLICE_I);

    if (s->pps->output) {
        reel_bits_u(b, 1);
    }

    if (s->sps->planes_apart) {
        reel_bits_u(b, 2);
    }

    if (s->nal_type != NAL_IDR && s->nal_type != NAL_IDR_N) {
        read_references(s, b);
    }

    if (s->sps->sao) {
        s->filtered = reel_bits_u(b, 1);

        if (s->sps->chroma) {
            s->filtered |= reel_bits_u(b, 1);
        }
    }

    if (s->type != SLICE_I) {
        skip_prediction(s, b);
    }

    skip_filters(s, b);
}


static void
skip_end(const slice_t *s, reel_bits_t *b)
{
    uint32_t  n;
    unsigned  bits;

    if (s->pps->entry_points) {
        n = reel_bits_ue(b);
        bits = n != 0 ? 1 + reel_bits_ue_max(b, 31) : 0;

        while (n-- != 0 && b->err == REEL_OK) {
            reel_bits_u(b, bits);
        }
    }

    if (s->pps->extension) {
        for (n = reel_bits_ue_max(b, EXTENSION_MAX); n != 0; n--) {
            reel_bits_u(b, 8);
        }
    }

    /* byte_alignment(): a one at least */
    reel_bits_u(b, 1);
}


static void
skip_header(slice_t *s, const reel_hevc_sets_t *sets, reel_bits_t *b)
{
    bool  first, dependent = false;

    first = reel_bits_u(b, 1);

    if (s->nal_type >= NAL_IRAP && s->nal_type <= NAL_IRAP_END) {
        reel_bits_u(b, 1);              /* no_output_of_prior_pics_flag */
    }

    s->pps = &sets->pps[reel_bits_ue_max(b, REEL_HEVC_PPS_MAX - 1)];
    s->sps = &sets->sps[s->pps->sps];

    if (b->err != REEL_OK) {
        return;
    }

    if (!s->pps->known || !sets->sps_known[s->pps->sps]) {
        b->err = REEL_NOTFOUND;
        return;
    }

    if (!first) {
        dependent = s->pps->dependent && reel_bits_u(b, 1);
        reel_bits_u(b, reel_bits_for(s->sps->blocks));
    }

    if (!dependent) {
        skip_slice(s, b);
    }

    skip_end(s, b);
}


reel_err_t
reel_hevc_slice_header(size_t *n, const reel_hevc_sets_t *sets,
    const uint8_t *nal, size_t len)
{
    slice_t      s = { 0 };
    uint8_t      rbsp[HEADER_MAX];
    reel_bits_t  b;

    if (len < 3) {
        return REEL_BADDATA;
    }

    if (!reel_hevc_is_base(nal)) {
        return REEL_NOTFOUND;
    }

    s.nal_type = nal[0] >> 1 & 0x3f;

    reel_bits_init(&b, rbsp,
                   reel_nal_unescape(rbsp, sizeof(rbsp), nal + 2, len - 2));
    skip_header(&s, sets, &b);

    if (b.err != REEL_OK) {
        return b.err;
    }

    *n = 2 + reel_nal_escaped(nal + 2, len - 2, (size_t) ((b.bit + 7) / 8));

    return REEL_OK;
}

/* parameter sets of H.264, as far as slice headers depend on them */

#include <stddef.h>

#include "lib/base/reader.h"
#include "lib/codec/avc_slice.h"
#include "lib/codec/nal.h"


#define PPS_MAX  1024           /* bytes that are read; scaling lists follow */


/* slice groups, 7.3.2.2; only walked but for how they change */
static void
read_groups(reel_avc_pps_t *pps, reel_bits_t *b)
{
    unsigned  i, groups, bits;
    uint32_t  n;

    groups = reel_bits_ue_max(b, 7) + 1;

    if (groups == 1) {
        return;
    }

    switch (reel_bits_ue_max(b, 6)) {

    case 0:
        for (i = 0; i < groups; i++) {
            reel_bits_ue(b);
        }

        break;

    case 2:
        for (i = 0; i < 2 * (groups - 1); i++) {
            reel_bits_ue(b);
        }

        break;

    case 3:
    case 4:
    case 5:
        reel_bits_u(b, 1);
        pps->change_rate = reel_bits_ue_max(b, UINT32_MAX - 1) + 1;
        break;

    case 6:
        bits = reel_bits_for(groups);

        for (n = reel_bits_ue(b) + 1; n != 0 && b->err == REEL_OK; n--) {
            reel_bits_u(b, bits);
        }

        break;

    default:
        break;
    }
}


static void
add_pps(reel_avc_sets_t *s, const uint8_t *nal, size_t len)
{
    uint8_t         rbsp[PPS_MAX];
    unsigned        id;
    reel_bits_t     b;
    reel_avc_pps_t  pps = { .known = true };

    reel_bits_init(&b, rbsp,
                   reel_nal_unescape(rbsp, sizeof(rbsp), nal + 1, len - 1));

    id = reel_bits_ue_max(&b, REEL_AVC_PPS_MAX - 1);
    pps.sps = (uint8_t) reel_bits_ue_max(&b, REEL_AVC_SPS_MAX - 1);
    pps.cabac = reel_bits_u(&b, 1);
    pps.order_present = reel_bits_u(&b, 1);
    read_groups(&pps, &b);
    pps.refs[0] = (uint8_t) reel_bits_ue_max(&b, REEL_AVC_REFS_MAX - 1);
    pps.refs[1] = (uint8_t) reel_bits_ue_max(&b, REEL_AVC_REFS_MAX - 1);
    pps.weighted = reel_bits_u(&b, 1);
    pps.weighted_b = (uint8_t) reel_bits_u(&b, 2);
    reel_bits_se(&b);           /* pic_init_qp_minus26 */
    reel_bits_se(&b);           /* pic_init_qs_minus26 */
    reel_bits_se(&b);           /* chroma_qp_index_offset */
    pps.deblocking = reel_bits_u(&b, 1);
    reel_bits_u(&b, 1);         /* constrained_intra_pred_flag */
    pps.redundant = reel_bits_u(&b, 1);

    if (b.err == REEL_OK) {
        s->pps[id] = pps;
    }
}


void
reel_avc_sets_add(reel_avc_sets_t *s, const uint8_t *nal, size_t len)
{
    reel_avc_sps_t  sps;

    if (len < 2) {
        return;
    }

    switch (nal[0] & 0x1f) {

    case REEL_NAL_SPS:
        if (reel_avc_sps(&sps, nal, len) == REEL_OK) {
            s->sps[sps.id] = sps;
            s->sps_known[sps.id] = true;
        }

        break;

    case REEL_NAL_PPS:
        add_pps(s, nal, len);
        break;

    default:
        break;
    }
}


/* 14496-15, 5.3.3.1.2 */
void
reel_avc_sets_read(reel_avc_sets_t *s, reel_str_t avcc)
{
    unsigned       kind, n;
    reel_str_t     nal;
    reel_reader_t  r;

    reel_reader_init(&r, avcc.p, avcc.len);
    reel_read_skip(&r, 5);

    for (kind = 0; kind < 2; kind++) {
        n = reel_read_u8(&r) & (kind == 0 ? 0x1f : 0xff);

        for ( /* void */ ; n != 0 && r.err == REEL_OK; n--) {
            nal = reel_read_bytes(&r, reel_read_u16(&r));
            reel_avc_sets_add(s, (const uint8_t *) nal.p, nal.len);
        }
    }
}

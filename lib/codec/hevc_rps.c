/* short-term reference picture sets of H.265: ISO 23008-2, 7.3.7 and 7.4.8 */

#include "lib/codec/hevc.h"


static void
add_picture(reel_hevc_rps_t *s, reel_bits_t *b, int32_t delta, bool used)
{
    if (s->earlier + s->later == REEL_HEVC_DPB_MAX || delta < INT16_MIN
        || delta > INT16_MAX)
    {
        b->err = REEL_BADDATA;
        return;
    }

    s->delta[s->earlier + s->later] = (int16_t) delta;
    s->used += used;

    if (delta < 0) {
        s->earlier++;
    } else {
        s->later++;
    }
}


/* how a picture of another set is taken over */
typedef enum { NOT, KEPT, USED } use_t;

/* if it is kept, and on the side of sign */
static void
add_shifted(reel_hevc_rps_t *s, reel_bits_t *b, int32_t delta, use_t use,
    int32_t sign)
{
    if (delta * sign > 0 && use != NOT) {
        add_picture(s, b, delta, use == USED);
    }
}


/*
 * (7-61) and (7-62): a set made of another one, shifted; its earlier
 * pictures, then (sign 1) the later ones, each from the nearest.
 */
static void
shift_set(reel_hevc_rps_t *s, reel_bits_t *b, const reel_hevc_rps_t *from,
    int32_t shift, const use_t *use, int32_t sign)
{
    int       i;
    unsigned  n = (unsigned) from->earlier + from->later;
    unsigned  first = sign < 0 ? from->earlier : 0;     /* walked downwards */
    unsigned  last = sign < 0 ? n : from->earlier;

    for (i = (int) last - 1; i >= (int) first; i--) {
        add_shifted(s, b, from->delta[i] + shift, use[i], sign);
    }

    add_shifted(s, b, shift, use[n], sign);

    first = sign < 0 ? 0 : from->earlier;
    last = sign < 0 ? from->earlier : n;

    for (i = (int) first; i < (int) last; i++) {
        add_shifted(s, b, from->delta[i] + shift, use[i], sign);
    }
}


static void
read_shifted_set(reel_hevc_rps_t *s, reel_bits_t *b,
    const reel_hevc_rps_t *from)
{
    use_t     use[REEL_HEVC_DPB_MAX + 1];
    int32_t   shift;
    unsigned  i, sign;

    sign = reel_bits_u(b, 1);
    shift = (int32_t) reel_bits_ue_max(b, 0x7fff) + 1;

    for (i = 0; i <= (unsigned) from->earlier + from->later; i++) {
        use[i] = USED;

        if (!reel_bits_u(b, 1)) {               /* used_by_curr_pic_flag */
            use[i] = reel_bits_u(b, 1) ? KEPT : NOT;
        }
    }

    shift = sign ? -shift : shift;
    shift_set(s, b, from, shift, use, -1);
    shift_set(s, b, from, shift, use, 1);
}


void
reel_hevc_rps_read(reel_hevc_rps_t *s, reel_bits_t *b,
    const reel_hevc_rps_t *sets, unsigned at, bool in_slice)
{
    int32_t   delta;
    unsigned  i, n[2], side, back = 1;

    *s = (reel_hevc_rps_t) { 0 };

    if (at != 0 && reel_bits_u(b, 1)) {

        if (in_slice) {
            back += reel_bits_ue_max(b, at - 1);
        }

        read_shifted_set(s, b, &sets[at - back]);
        return;
    }

    n[0] = reel_bits_ue_max(b, REEL_HEVC_DPB_MAX);
    n[1] = reel_bits_ue_max(b, REEL_HEVC_DPB_MAX - n[0]);

    for (side = 0; side < 2; side++) {
        delta = 0;

        for (i = 0; i < n[side] && b->err == REEL_OK; i++) {
            delta += (int32_t) reel_bits_ue_max(b, 0x7fff) + 1;
            add_picture(s, b, side == 0 ? -delta : delta, reel_bits_u(b, 1));
        }
    }
}

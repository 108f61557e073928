#include "lib/codec/nal.h"


#define EXTENDED_SAR 255


/* aspect_ratio_idc 1 to 16 */
static const uint8_t  sar_table[][2] = {
    { 1, 1 }, { 12, 11 }, { 10, 11 }, { 16, 11 }, { 40, 33 }, { 24, 11 },
    { 20, 11 }, { 32, 11 }, { 80, 33 }, { 18, 11 }, { 15, 11 }, { 64, 33 },
    { 160, 99 }, { 4, 3 }, { 3, 2 }, { 2, 1 }
};


/* the next 00 00 01 in [p, end), or end */
static const uint8_t *
start_code(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 3) {

        /* the third byte tells how far the next candidate is */
        if (p[2] > 1) {
            p += 3;
        } else if (p[2] == 0) {
            p++;
        } else if (p[0] == 0 && p[1] == 0) {
            return p;
        } else {
            p += 3;
        }
    }

    return end;
}


/* 14496-10, B.1.1: nothing but zero bytes may stand before the first one */
reel_err_t
reel_annexb_init(reel_annexb_t *a, const uint8_t *data, size_t len)
{
    const uint8_t  *p, *code;

    a->end = data + len;
    code = start_code(data, a->end);

    if (code == a->end) {
        return REEL_BADDATA;
    }

    for (p = data; p < code; p++) {
        if (*p != 0) {
            return REEL_BADDATA;
        }
    }

    a->p = code + 3;

    return REEL_OK;
}


bool
reel_annexb_next(reel_annexb_t *a, reel_str_t *nal)
{
    const uint8_t  *code, *last;

    if (a->p == NULL) {
        return false;
    }

    code = start_code(a->p, a->end);

    /* a NAL unit never ends in a zero: trailing_zero_8bits, or the first
       byte of a 4-byte start code */
    for (last = code; last > a->p && last[-1] == 0; last--) { /* void */ }

    nal->p = (const char *) a->p;
    nal->len = (size_t) (last - a->p);

    a->p = code == a->end ? NULL : code + 3;

    return true;
}


bool
reel_annexb_repeated(reel_annexb_t a, reel_str_t nal)
{
    reel_str_t  other;

    while (reel_annexb_next(&a, &other) && other.p != nal.p) {
        if (reel_str_eq(other, nal)) {
            return true;
        }
    }

    return false;
}


bool
reel_nal_valid(reel_str_t nal)
{
    return nal.len != 0 && ((uint8_t) nal.p[0] & 0x80) == 0;
}


bool
reel_nal_next(reel_reader_t *r, reel_str_t *nal)
{
    if (r->err != REEL_OK || reel_reader_left(r) == 0) {
        return false;
    }

    *nal = reel_read_bytes(r, reel_read_u32(r));

    if (r->err == REEL_OK && !reel_nal_valid(*nal)) {
        r->err = REEL_BADDATA;
    }

    return r->err == REEL_OK;
}


size_t
reel_nal_unescape(uint8_t *dst, size_t cap, const uint8_t *p, size_t len)
{
    size_t    i, n = 0;
    unsigned  zeros = 0;

    for (i = 0; i < len && n < cap; i++) {

        if (zeros >= 2 && p[i] == 3) {
            zeros = 0;
            continue;
        }

        zeros = p[i] == 0 ? zeros + 1 : 0;
        dst[n++] = p[i];
    }

    return n;
}


size_t
reel_nal_escaped(const uint8_t *p, size_t len, size_t n)
{
    size_t    i;
    unsigned  zeros = 0;

    for (i = 0; i < len && n != 0; i++) {

        if (zeros >= 2 && p[i] == 3) {
            zeros = 0;
            continue;
        }

        zeros = p[i] == 0 ? zeros + 1 : 0;
        n--;
    }

    return i;
}


/* table E-1 */
static void
read_sar(reel_bits_t *b, reel_vui_t *v)
{
    uint32_t  idc, n, d;

    if (!reel_bits_u(b, 1)) {
        return;
    }

    idc = reel_bits_u(b, 8);

    if (idc == EXTENDED_SAR) {
        n = reel_bits_u(b, 16);
        d = reel_bits_u(b, 16);

    } else if (idc >= 1 && idc <= sizeof(sar_table) / 2) {
        n = sar_table[idc - 1][0];
        d = sar_table[idc - 1][1];

    } else {
        return;
    }

    if (n != 0 && d != 0) {
        v->sar_num = n;
        v->sar_den = d;
    }
}


void
reel_nal_vui(reel_bits_t *b, reel_vui_t *v)
{
    read_sar(b, v);

    if (reel_bits_u(b, 1)) {
        reel_bits_u(b, 1);      /* overscan_appropriate_flag */
    }

    if (reel_bits_u(b, 1)) {
        reel_bits_u(b, 3);      /* video_format */
        v->full_range = (uint8_t) reel_bits_u(b, 1);

        if (reel_bits_u(b, 1)) {
            v->primaries = (uint8_t) reel_bits_u(b, 8);
            v->transfer = (uint8_t) reel_bits_u(b, 8);
            v->matrix = (uint8_t) reel_bits_u(b, 8);
        }
    }
}

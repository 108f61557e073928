#include <stdio.h>

#include "lib/base/reader.h"
#include "lib/codec/avc.h"
#include "lib/codec/nal.h"


/* 14496-10, table 7-1 */
#define NAL_FILLER        12
#define NAL_SPS_EXT       13
#define NAL_SUBSET_SPS    15

#define AVCC_HEAD         5     /* version … lengthSizeMinusOne */
#define AVCC_SPS_MAX      31    /* 5 bits, 14496-15 5.3.3.1.2 */
#define AVCC_PPS_MAX      255
#define AVCC_NAL_MAX      0xffff


static unsigned
nal_type(reel_str_t nal)
{
    return (uint8_t) nal.p[0] & 0x1f;
}


reel_err_t
reel_avc_to_sample(reel_buf_t *out, const uint8_t *annexb, size_t len,
    unsigned *slices)
{
    reel_str_t     nal;
    reel_annexb_t  a;

    *slices = 0;

    if (reel_annexb_init(&a, annexb, len) != REEL_OK) {
        return REEL_BADDATA;
    }

    while (reel_annexb_next(&a, &nal)) {

        if (!reel_nal_valid(nal)) {
            return REEL_BADDATA;
        }

        switch (nal_type(nal)) {

        case REEL_NAL_AUD:
        case REEL_NAL_SEI:
        case REEL_NAL_SPS:
        case REEL_NAL_PPS:
        case NAL_SPS_EXT:
        case NAL_SUBSET_SPS:
        case NAL_FILLER:
            continue;

        default:
            *slices += reel_avc_is_slice(nal_type(nal));
            break;
        }

        if (nal.len > UINT32_MAX) {
            return REEL_LIMIT;
        }

        reel_buf_u32(out, (uint32_t) nal.len);
        reel_buf_adds(out, nal);
    }

    return reel_buf_err(out);
}


reel_err_t
reel_avc_sample(reel_avc_sample_t *s, const uint8_t *p, size_t len)
{
    unsigned       type;
    reel_str_t     nal;
    reel_reader_t  r;

    *s = (reel_avc_sample_t) { 0 };
    reel_reader_init(&r, p, len);

    while (reel_nal_next(&r, &nal)) {
        type = nal_type(nal);

        s->slices += reel_avc_is_slice(type);
        s->idr += type == REEL_NAL_IDR;
        s->sets |= type == REEL_NAL_SPS || type == REEL_NAL_PPS
                   || type == NAL_SPS_EXT || type == NAL_SUBSET_SPS;
    }

    return r.err == REEL_OK ? REEL_OK : REEL_BADDATA;
}


reel_err_t
reel_avc_copy_sample(reel_buf_t *out, const uint8_t *p, size_t len)
{
    reel_str_t     nal;
    reel_reader_t  r;

    reel_reader_init(&r, p, len);

    while (reel_nal_next(&r, &nal)) {
        if (nal_type(nal) != REEL_NAL_AUD) {
            reel_buf_u32(out, (uint32_t) nal.len);
            reel_buf_adds(out, nal);
        }
    }

    return r.err == REEL_OK ? reel_buf_err(out) : REEL_BADDATA;
}


/* counts the distinct NAL units of a type, and prints them when b is given */
static reel_err_t
parameter_sets(reel_buf_t *b, reel_annexb_t first, unsigned type, unsigned *n,
    reel_str_t *one)
{
    reel_annexb_t    a = first;
    reel_str_t  nal;

    *n = 0;

    while (reel_annexb_next(&a, &nal)) {

        if (!reel_nal_valid(nal)) {
            return REEL_BADDATA;
        }

        if (nal_type(nal) != type || reel_annexb_repeated(first, nal)) {
            continue;
        }

        if (nal.len > AVCC_NAL_MAX) {
            return REEL_LIMIT;
        }

        if ((*n)++ == 0 && one != NULL) {
            *one = nal;
        }

        if (b != NULL) {
            reel_buf_u16(b, (uint16_t) nal.len);
            reel_buf_adds(b, nal);
        }
    }

    return REEL_OK;
}


/* 14496-15, 5.3.3.1.2: the profiles whose record ends before the formats */
static bool
short_record(uint8_t profile)
{
    return profile == 66 || profile == 77 || profile == 88;
}


static reel_err_t
config_from_annexb(reel_buf_t *b, const uint8_t *data, size_t len)
{
    reel_annexb_t        a;
    unsigned        nsps, npps;
    reel_err_t      err;
    reel_str_t      first;
    reel_avc_sps_t  sps;

    err = reel_annexb_init(&a, data, len);
    if (err != REEL_OK) {
        return err;
    }

    err = parameter_sets(NULL, a, REEL_NAL_SPS, &nsps, &first);
    if (err != REEL_OK) {
        return err;
    }

    err = parameter_sets(NULL, a, REEL_NAL_PPS, &npps, NULL);
    if (err != REEL_OK) {
        return err;
    }

    if (nsps == 0 || npps == 0) {
        return REEL_BADDATA;
    }

    if (nsps > AVCC_SPS_MAX || npps > AVCC_PPS_MAX) {
        return REEL_LIMIT;
    }

    err = reel_avc_sps(&sps, (const uint8_t *) first.p, first.len);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_u8(b, 1);
    reel_buf_u8(b, sps.profile);
    reel_buf_u8(b, sps.compat);
    reel_buf_u8(b, sps.level);
    reel_buf_u8(b, 0xfc | 3);                   /* 4-byte lengths */
    reel_buf_u8(b, (uint8_t) (0xe0 | nsps));

    err = parameter_sets(b, a, REEL_NAL_SPS, &nsps, NULL);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_u8(b, (uint8_t) npps);

    err = parameter_sets(b, a, REEL_NAL_PPS, &npps, NULL);
    if (err != REEL_OK) {
        return err;
    }

    if (!short_record(sps.profile)) {
        reel_buf_u8(b, 0xfc | sps.chroma_format);
        reel_buf_u8(b, (uint8_t) (0xf8 | (sps.bit_depth - 8)));
        reel_buf_u8(b, (uint8_t) (0xf8 | (sps.chroma_depth - 8)));
        reel_buf_u8(b, 0);                      /* no SPS extensions */
    }

    return reel_buf_err(b);
}


/* an avcC from elsewhere: as we can use it, and whole? */
static reel_err_t
check_avcc(reel_reader_t *r)
{
    unsigned    i, n, type;
    reel_str_t  nal;

    reel_read_skip(r, 4);

    if ((reel_read_u8(r) & 3) != 3 && r->err == REEL_OK) {
        return REEL_UNSUPPORTED;                /* not 4-byte lengths */
    }

    for (type = REEL_NAL_SPS; type <= REEL_NAL_PPS; type++) {

        n = reel_read_u8(r);
        n &= type == REEL_NAL_SPS ? 0x1f : 0xff;

        if (n == 0) {
            return REEL_BADDATA;
        }

        for (i = 0; i < n; i++) {
            nal = reel_read_bytes(r, reel_read_u16(r));

            if (r->err != REEL_OK || !reel_nal_valid(nal)
                || nal_type(nal) != type)
            {
                return REEL_BADDATA;
            }
        }
    }

    return r->err;
}


reel_err_t
reel_avc_config(reel_buf_t *avcc, const uint8_t *extradata, size_t len)
{
    reel_err_t     err;
    reel_reader_t  r;

    if (len > REEL_EXTRADATA_MAX) {
        return REEL_LIMIT;
    }

    if (len == 0 || extradata[0] != 1) {
        return config_from_annexb(avcc, extradata, len);
    }

    reel_reader_init(&r, extradata, len);

    err = check_avcc(&r);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_add(avcc, extradata, len);

    return reel_buf_err(avcc);
}


reel_err_t
reel_avc_facts(reel_codec_facts_t *f, reel_str_t avcc)
{
    reel_str_t      nal;
    reel_err_t      err;
    reel_reader_t   r;
    reel_avc_sps_t  sps;

    reel_reader_init(&r, avcc.p, avcc.len);

    if (reel_read_u8(&r) != 1) {
        return REEL_BADDATA;
    }

    reel_read_skip(&r, 4);

    if ((reel_read_u8(&r) & 0x1f) == 0) {
        return REEL_BADDATA;
    }

    nal = reel_read_bytes(&r, reel_read_u16(&r));

    err = reel_avc_sps(&sps, (const uint8_t *) nal.p, nal.len);
    if (err != REEL_OK) {
        return err;
    }

    *f = (reel_codec_facts_t) {
        .profile = sps.profile, .level = sps.level,
        .width = sps.width, .height = sps.height,
        .chroma_format = sps.chroma_format, .bit_depth = sps.bit_depth,
        .primaries = sps.vui.primaries, .transfer = sps.vui.transfer,
        .matrix = sps.vui.matrix, .full_range = sps.vui.full_range
    };

    return REEL_OK;
}


reel_err_t
reel_avc_codec_string(char *dst, size_t cap, reel_str_t avcc)
{
    const uint8_t  *p = (const uint8_t *) avcc.p;

    if (avcc.len < AVCC_HEAD || p[0] != 1) {
        return REEL_BADDATA;
    }

    if (snprintf(dst, cap, "avc1.%02x%02x%02x", p[1], p[2], p[3])
        >= (int) cap)
    {
        return REEL_INVAL;
    }

    return REEL_OK;
}

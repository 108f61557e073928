#include <stdio.h>

#include "lib/base/reader.h"
#include "lib/codec/hevc.h"
#include "lib/codec/nal.h"


/* 23008-2, table 7-1 */
#define NAL_AUD       35
#define NAL_FILLER    38
#define NAL_SEI       39
#define NAL_SEI_END   41        /* behind prefix and suffix */

/* SEI payloads, D.2.1 */
#define SEI_MASTERING 137
#define SEI_LIGHT     144
#define SEI_MAX       4096

#define ARRAYS        3         /* VPS, SPS, PPS, in that order */
#define COMPLETE      0x80      /* array_completeness */
#define ARRAYS_MAX    16
#define NAL_MAX       0xffff


/* the fixed part of a record, and its first SPS */
typedef struct {
    reel_hevc_ptl_t ptl;
    uint8_t         length_size;
    reel_str_t      sps;
    reel_hdr_t      hdr;
} record_t;


/* with its header of two bytes */
static bool
nal_valid(reel_str_t nal)
{
    return reel_nal_valid(nal) && nal.len > 2;
}


/* does a sample of hvc1 hold NAL units of this type? */
static bool
in_sample(unsigned type)
{
    if (type >= REEL_HEVC_VPS && type <= NAL_AUD) {
        return false;
    }

    return type != NAL_FILLER && (type < NAL_SEI || type >= NAL_SEI_END);
}


reel_err_t
reel_hevc_to_sample(reel_buf_t *out, const uint8_t *annexb, size_t len,
    unsigned *slices)
{
    unsigned       type;
    reel_str_t     nal;
    reel_annexb_t  a;

    *slices = 0;

    if (reel_annexb_init(&a, annexb, len) != REEL_OK) {
        return REEL_BADDATA;
    }

    while (reel_annexb_next(&a, &nal)) {

        /* end of sequence and of bitstream are a header and no more */
        if (!reel_nal_valid(nal) || nal.len < 2) {
            return REEL_BADDATA;
        }

        type = reel_hevc_type(nal);
        *slices += type < REEL_HEVC_VCL_END;

        if (!in_sample(type)) {
            continue;
        }

        if (nal.len > UINT32_MAX) {
            return REEL_LIMIT;
        }

        reel_buf_u32(out, (uint32_t) nal.len);
        reel_buf_adds(out, nal);
    }

    return reel_buf_err(out);
}


/* counts the distinct NAL units of a type, and prints them when b is given */
static reel_err_t
parameter_sets(reel_buf_t *b, reel_annexb_t first, unsigned type, unsigned *n,
    reel_str_t *one)
{
    reel_str_t     nal;
    reel_annexb_t  a = first;

    *n = 0;

    while (reel_annexb_next(&a, &nal)) {

        if (!nal_valid(nal)) {
            return REEL_BADDATA;
        }

        if (reel_hevc_type(nal) != type || reel_annexb_repeated(first, nal)) {
            continue;
        }

        if (nal.len > NAL_MAX || *n == NAL_MAX) {
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

    return *n == 0 ? REEL_BADDATA : REEL_OK;
}


/* segmentation, parallelism and frame rates are 0: not said */
void
reel_hevc_head(reel_buf_t *b, const reel_hevc_sps_t *sps)
{
    const reel_hevc_ptl_t  *p = &sps->ptl;

    reel_buf_u8(b, 1);
    reel_buf_u8(b, (uint8_t) (p->space << 6 | p->high_tier << 5 | p->profile));
    reel_buf_u32(b, p->compat);
    reel_buf_add(b, p->constraints, sizeof(p->constraints));
    reel_buf_u8(b, p->level);
    reel_buf_u16(b, 0xf000);                    /* min_spatial_segmentation */
    reel_buf_u8(b, 0xfc);                       /* parallelismType */
    reel_buf_u8(b, 0xfc | sps->chroma_format);
    reel_buf_u8(b, (uint8_t) (0xf8 | (sps->bit_depth - 8)));
    reel_buf_u8(b, (uint8_t) (0xf8 | (sps->chroma_depth - 8)));
    reel_buf_u16(b, 0);                         /* avgFrameRate */
    reel_buf_u8(b, (uint8_t) (sps->sub_layers << 3 | sps->nesting << 2 | 3));
}


static reel_err_t
config_from_annexb(reel_buf_t *b, const uint8_t *data, size_t len)
{
    unsigned         i, n[ARRAYS];
    reel_err_t       err;
    reel_str_t       first[ARRAYS];
    reel_annexb_t    a;
    reel_hevc_sps_t  sps;

    err = reel_annexb_init(&a, data, len);
    if (err != REEL_OK) {
        return err;
    }

    for (i = 0; i < ARRAYS; i++) {
        err = parameter_sets(NULL, a, REEL_HEVC_VPS + i, &n[i], &first[i]);
        if (err != REEL_OK) {
            return err;
        }
    }

    err = reel_hevc_sps(&sps, (const uint8_t *) first[1].p, first[1].len);
    if (err != REEL_OK) {
        return err;
    }

    if (sps.bit_depth > 15 || sps.chroma_depth > 15) {
        return REEL_UNSUPPORTED;                /* three bits in the record */
    }

    reel_hevc_head(b, &sps);
    reel_buf_u8(b, ARRAYS);

    for (i = 0; i < ARRAYS; i++) {
        reel_buf_u8(b, (uint8_t) (COMPLETE | (REEL_HEVC_VPS + i)));
        reel_buf_u16(b, (uint16_t) n[i]);

        err = parameter_sets(b, a, REEL_HEVC_VPS + i, &n[i], NULL);
        if (err != REEL_OK) {
            return err;
        }
    }

    return reel_buf_err(b);
}


static void
read_record_head(record_t *c, reel_reader_t *r)
{
    uint8_t     byte;
    reel_str_t  bytes;

    if (reel_read_u8(r) != 1 && r->err == REEL_OK) {
        r->err = REEL_BADDATA;
    }

    byte = reel_read_u8(r);
    c->ptl.space = byte >> 6;
    c->ptl.high_tier = byte >> 5 & 1;
    c->ptl.profile = byte & 0x1f;
    c->ptl.compat = reel_read_u32(r);

    bytes = reel_read_bytes(r, sizeof(c->ptl.constraints));

    if (bytes.p != NULL) {
        memcpy(c->ptl.constraints, bytes.p, bytes.len);
    }

    c->ptl.level = reel_read_u8(r);
    reel_read_skip(r, 2 + 1 + 1 + 1 + 1 + 2);
    c->length_size = (reel_read_u8(r) & 3) + 1;
}


/* payload type and size: bytes of 255, and one below, 7.3.5 */
static uint32_t
read_sei_number(reel_reader_t *r)
{
    uint8_t   byte;
    uint32_t  v = 0;

    do {
        byte = reel_read_u8(r);
        v += byte;
    } while (byte == 0xff);

    return v;
}


/* what SEI messages tell of high dynamic range; broken ones tell nothing */
static void
read_sei(reel_hdr_t *h, reel_str_t nal)
{
    size_t         n;
    uint8_t        rbsp[SEI_MAX];
    uint32_t       type;
    reel_reader_t  r, body;

    n = reel_nal_unescape(rbsp, sizeof(rbsp), (const uint8_t *) nal.p + 2,
                          nal.len - 2);
    reel_reader_init(&r, rbsp, n);

    /* the last byte is the stop bit */
    while (reel_reader_left(&r) > 2) {
        type = read_sei_number(&r);
        body = reel_read_sub(&r, read_sei_number(&r));

        if (type == SEI_MASTERING) {
            reel_hdr_mastering(h, &body);

        } else if (type == SEI_LIGHT) {
            h->max_cll = reel_read_u16(&body);
            h->max_fall = reel_read_u16(&body);
            h->light = body.err == REEL_OK;
        }
    }
}


/* one array of NAL units; copy (may be NULL) is told that it is complete */
static void
read_array(record_t *c, reel_reader_t *r, unsigned *seen, uint8_t *copy)
{
    unsigned    n, type;
    reel_str_t  nal;

    type = reel_read_u8(r) & 0x3f;
    n = reel_read_u16(r);

    if (type >= REEL_HEVC_VPS && type <= REEL_HEVC_PPS && n != 0) {
        *seen |= 1u << (type - REEL_HEVC_VPS);

        if (copy != NULL && r->err == REEL_OK) {
            copy[reel_reader_pos(r) - 3] |= COMPLETE;
        }
    }

    while (n-- > 0 && r->err == REEL_OK) {
        nal = reel_read_bytes(r, reel_read_u16(r));

        if (r->err == REEL_OK
            && (!nal_valid(nal) || reel_hevc_type(nal) != type))
        {
            r->err = REEL_BADDATA;
        }

        if (type == REEL_HEVC_SPS && c->sps.p == NULL) {
            c->sps = nal;
        }

        if (type == NAL_SEI && r->err == REEL_OK) {
            read_sei(&c->hdr, nal);
        }
    }
}


/* copy (may be NULL) is a record of the same bytes to be made complete */
static reel_err_t
read_record(record_t *c, reel_str_t hvcc, uint8_t *copy)
{
    unsigned       n, seen = 0;
    reel_reader_t  r;

    *c = (record_t) { 0 };
    reel_reader_init(&r, hvcc.p, hvcc.len);
    read_record_head(c, &r);

    n = reel_read_u8(&r);

    if (n > ARRAYS_MAX) {
        return REEL_BADDATA;
    }

    while (n-- > 0 && r.err == REEL_OK) {
        read_array(c, &r, &seen, copy);
    }

    if (r.err != REEL_OK) {
        return r.err;
    }

    if (c->length_size != 4) {
        return REEL_UNSUPPORTED;
    }

    return seen == 7 ? REEL_OK : REEL_BADDATA;
}


reel_err_t
reel_hevc_config(reel_buf_t *hvcc, const uint8_t *extradata, size_t len)
{
    size_t              start = hvcc->len;
    record_t            c;
    reel_err_t          err;
    reel_str_t          in = { (const char *) extradata, len };
    reel_codec_facts_t  f;

    if (len > REEL_EXTRADATA_MAX) {
        return REEL_LIMIT;
    }

    if (len == 0 || extradata[0] != 1) {
        return config_from_annexb(hvcc, extradata, len);
    }

    err = reel_hevc_facts(&f, in);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_adds(hvcc, in);

    err = reel_buf_err(hvcc);
    if (err != REEL_OK) {
        return err;
    }

    return read_record(&c, in, hvcc->data + start);
}


reel_err_t
reel_hevc_facts(reel_codec_facts_t *f, reel_str_t hvcc)
{
    record_t         c;
    reel_err_t       err;
    reel_hevc_sps_t  sps;

    err = read_record(&c, hvcc, NULL);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_hevc_sps(&sps, (const uint8_t *) c.sps.p, c.sps.len);
    if (err != REEL_OK) {
        return err;
    }

    *f = (reel_codec_facts_t) {
        .profile = c.ptl.profile, .level = c.ptl.level,
        .high_tier = c.ptl.high_tier,
        .width = sps.width, .height = sps.height,
        .chroma_format = sps.chroma_format, .bit_depth = sps.bit_depth,
        .primaries = sps.vui.primaries, .transfer = sps.vui.transfer,
        .matrix = sps.vui.matrix, .full_range = sps.vui.full_range,
        .hdr = c.hdr
    };

    return REEL_OK;
}


/* the first bit of the field becomes the lowest, 14496-15 annex E.3 */
static uint32_t
reversed(uint32_t v)
{
    unsigned  i;
    uint32_t  out = 0;

    for (i = 0; i < 32; i++) {
        out = out << 1 | (v >> i & 1);
    }

    return out;
}


/* 14496-15, annex E.3: constraint bytes without the zeros at their end */
reel_err_t
reel_hevc_codec_string(char *dst, size_t cap, reel_str_t hvcc)
{
    int         n;
    record_t    c;
    unsigned    i, bytes = sizeof(c.ptl.constraints);
    reel_err_t  err;

    static const char *const  spaces[] = { "", "A", "B", "C" };

    err = read_record(&c, hvcc, NULL);
    if (err != REEL_OK) {
        return err;
    }

    n = snprintf(dst, cap, "hvc1.%s%u.%X.%c%u", spaces[c.ptl.space],
                 c.ptl.profile, (unsigned) reversed(c.ptl.compat),
                 c.ptl.high_tier ? 'H' : 'L', c.ptl.level);

    while (bytes > 0 && c.ptl.constraints[bytes - 1] == 0) {
        bytes--;
    }

    for (i = 0; i < bytes && n < (int) cap; i++) {
        n += snprintf(dst + n, cap - (size_t) n, ".%X", c.ptl.constraints[i]);
    }

    return n < (int) cap ? REEL_OK : REEL_INVAL;
}

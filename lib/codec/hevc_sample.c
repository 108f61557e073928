/* samples of H.265 that somebody else has made: may they stand as they are? */

#include <string.h>

#include "lib/codec/hevc_slice.h"
#include "lib/codec/nal.h"


/* 23008-2, table 7-1 */
#define NAL_BLA       16        /* to 18 */
#define NAL_CRA       21
#define NAL_AUD       35
#define NAL_FILLER    38

/* NAL units of an hvcC, and parameter sets of a sample, which has a VPS, an
   SPS and 64 PPS at most: each of these is looked for among those */
#define NALS_MAX      128

/* byte of an hvcC whose last bits are lengthSizeMinusOne */
#define LENGTHS       21


static bool
is_set(unsigned type)
{
    return type >= REEL_HEVC_VPS && type <= REEL_HEVC_PPS;
}


static bool
has_set(reel_str_t hvcc, reel_str_t set)
{
    reel_str_t        nal;
    reel_hevc_walk_t  w;

    reel_hevc_walk_init(&w, hvcc);

    while (reel_hevc_walk_next(&w, &nal)) {
        if (reel_str_eq(nal, set)) {
            return true;
        }
    }

    return false;
}


/* as reel_nal_next(), with its header of two bytes */
static bool
next_nal(reel_reader_t *r, reel_str_t *nal)
{
    if (!reel_nal_next(r, nal)) {
        return false;
    }

    if (nal->len < 2) {
        r->err = REEL_BADDATA;
    }

    return r->err == REEL_OK;
}


reel_err_t
reel_hevc_sample(reel_hevc_sample_t *s, reel_str_t hvcc, const uint8_t *p,
    size_t len)
{
    unsigned       type, sets = 0;
    reel_str_t     nal;
    reel_reader_t  r;

    *s = (reel_hevc_sample_t) { 0 };
    reel_reader_init(&r, p, len);

    while (next_nal(&r, &nal)) {
        type = reel_hevc_type(nal);

        s->slices += type < REEL_HEVC_VCL_END;
        s->irap |= type >= NAL_BLA && type <= NAL_CRA;
        s->cra |= type == NAL_CRA;

        if (is_set(type) && !s->changed) {
            s->changed = ++sets > NALS_MAX || !has_set(hvcc, nal);
        }

        s->layers |= !reel_hevc_is_base((const uint8_t *) nal.p);
    }

    return r.err == REEL_OK ? REEL_OK : REEL_BADDATA;
}


reel_err_t
reel_hevc_copy_sample(reel_buf_t *out, const uint8_t *p, size_t len)
{
    unsigned       type;
    reel_str_t     nal;
    reel_reader_t  r;

    reel_reader_init(&r, p, len);

    while (next_nal(&r, &nal)) {
        type = reel_hevc_type(nal);

        if (!is_set(type) && type != NAL_AUD && type != NAL_FILLER) {
            reel_buf_u32(out, (uint32_t) nal.len);
            reel_buf_adds(out, nal);
        }
    }

    return r.err == REEL_OK ? reel_buf_err(out) : REEL_BADDATA;
}


bool
reel_hevc_has_sets(reel_str_t hvcc)
{
    reel_str_t        nal;
    reel_hevc_walk_t  w;

    reel_hevc_walk_init(&w, hvcc);

    while (reel_hevc_walk_next(&w, &nal)) {
        if (nal.len > 0 && is_set(reel_hevc_type(nal))) {
            return true;
        }
    }

    return false;
}


/* the parameter sets of a sample behind start codes */
static reel_err_t
add_annexb(reel_buf_t *b, const uint8_t *p, size_t len)
{
    unsigned       sets = 0;
    reel_str_t     nal;
    reel_reader_t  r;

    reel_reader_init(&r, p, len);

    while (next_nal(&r, &nal)) {
        if (is_set(reel_hevc_type(nal))) {
            if (++sets > NALS_MAX) {
                return REEL_UNSUPPORTED;
            }

            reel_buf_u32(b, 1);
            reel_buf_adds(b, nal);
        }
    }

    return r.err == REEL_OK ? reel_buf_err(b) : REEL_BADDATA;
}


static reel_err_t
read_config(reel_buf_t *hvcc, reel_str_t told, const uint8_t *sample,
    size_t len)
{
    reel_err_t  err;
    reel_buf_t  sets;

    if (told.len <= LENGTHS || told.p[0] != 1) {
        return REEL_BADDATA;
    }

    if (reel_hevc_has_sets(told)) {
        return reel_hevc_config(hvcc, (const uint8_t *) told.p, told.len);
    }

    if (((uint8_t) told.p[LENGTHS] & 3) != 3) {
        return REEL_UNSUPPORTED;
    }

    reel_buf_init(&sets, REEL_EXTRADATA_MAX);
    err = add_annexb(&sets, sample, len);

    if (err == REEL_OK) {
        err = sets.len == 0 ? REEL_BADDATA
              : reel_hevc_config(hvcc, sets.data, sets.len);
    }

    reel_buf_release(&sets);

    return err;
}


/* pps_pic_parameter_set_id, 7.3.2.3.1; from REEL_HEVC_PPS_MAX on: broken */
static unsigned
pps_id(reel_str_t nal)
{
    uint8_t      head[8];
    unsigned     id;
    reel_bits_t  b;

    reel_bits_init(&b, head, reel_nal_unescape(head, sizeof(head),
                                               (const uint8_t *) nal.p + 2,
                                               nal.len - 2));
    id = reel_bits_ue(&b);

    return b.err == REEL_OK ? id : REEL_HEVC_PPS_MAX;
}


reel_err_t
reel_hevc_only_sps(reel_hevc_sps_t *sps, reel_str_t hvcc)
{
    unsigned          id, all = 0, n[3] = { 0 };
    uint64_t          seen = 0;
    reel_str_t        nal, one = { NULL, 0 };
    reel_hevc_walk_t  w;

    reel_hevc_walk_init(&w, hvcc);

    while (reel_hevc_walk_next(&w, &nal)) {
        if (nal.len <= 2) {
            return REEL_BADDATA;
        }

        if (++all > NALS_MAX) {
            return REEL_UNSUPPORTED;
        }

        if (!is_set(reel_hevc_type(nal))) {
            continue;
        }

        n[reel_hevc_type(nal) - REEL_HEVC_VPS]++;

        if (reel_hevc_type(nal) == REEL_HEVC_SPS) {
            one = nal;

        } else if (reel_hevc_type(nal) == REEL_HEVC_PPS) {
            id = pps_id(nal);

            if (id >= REEL_HEVC_PPS_MAX || (seen >> id & 1)) {
                return REEL_UNSUPPORTED;
            }

            seen |= (uint64_t) 1 << id;
        }
    }

    if (w.r.err != REEL_OK || n[0] != 1 || n[1] != 1 || n[2] == 0) {
        return REEL_UNSUPPORTED;
    }

    return reel_hevc_sps(sps, (const uint8_t *) one.p, one.len);
}


/* the head of the hvcC that begins at byte `start`, by its SPS */
static reel_err_t
set_head(reel_buf_t *hvcc, size_t start)
{
    reel_err_t       err;
    reel_str_t       in = { (const char *) hvcc->data + start,
                            hvcc->len - start };
    reel_buf_t       head;
    reel_hevc_sps_t  sps;

    err = reel_hevc_only_sps(&sps, in);
    if (err != REEL_OK) {
        return err;
    }

    if (sps.bit_depth > 15 || sps.chroma_depth > 15) {
        return REEL_UNSUPPORTED;                /* three bits in the head */
    }

    reel_buf_init(&head, LENGTHS + 1);
    reel_hevc_head(&head, &sps);
    err = reel_buf_err(&head);

    if (err == REEL_OK) {
        memcpy(hvcc->data + start, head.data, head.len);
    }

    reel_buf_release(&head);

    return err;
}


reel_err_t
reel_hevc_config_of(reel_buf_t *hvcc, reel_str_t told, const uint8_t *sample,
    size_t len)
{
    size_t      start = hvcc->len;
    reel_err_t  err = read_config(hvcc, told, sample, len);

    return err == REEL_OK ? set_head(hvcc, start) : err;
}


/* tables A.8 and A.9: samples of luma, of a picture and a second, at most */
static const struct {
    uint8_t  level;
    uint32_t picture;
    uint64_t second;
} levels[] = {
    { 30, 36864, 552960 },
    { 60, 122880, 3686400 },
    { 63, 245760, 7372800 },
    { 90, 552960, 16588800 },
    { 93, 983040, 33177600 },
    { 120, 2228224, 66846720 },
    { 123, 2228224, 133693440 },
    { 150, 8912896, 267386880 },
    { 153, 8912896, 534773760 },
    { 156, 8912896, 1069547520 },
    { 180, 35651584, 1069547520 },
    { 183, 35651584, 2139095040 },
    { 186, 35651584, 4278190080 },
};


bool
reel_hevc_level_holds(const reel_hevc_sps_t *sps, uint32_t num, uint32_t den)
{
    size_t    i;
    uint64_t  w = sps->coded_width, h = sps->coded_height, most;

    for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (levels[i].level == sps->ptl.level) {
            break;
        }
    }

    if (i == sizeof(levels) / sizeof(levels[0]) || den == 0) {
        return false;
    }

    /* neither side is longer than that of eight squares, A.4.1 */
    most = 8 * (uint64_t) levels[i].picture;

    return w * w <= most && h * h <= most && w * h <= levels[i].picture
           && w * h * num <= levels[i].second * den;
}

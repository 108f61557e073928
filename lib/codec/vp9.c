#include <stdio.h>

#include "lib/base/bits.h"
#include "lib/base/reader.h"
#include "lib/codec/vp9.h"


#define SYNC_CODE  0x498342
#define CS_RGB     7

/* chromaSubsampling of vpcC */
#define SS_420_LEFT 0
#define SS_420      1
#define SS_422      2
#define SS_444      3

#define UNSPECIFIED 2


typedef struct {
    uint8_t profile, level, bit_depth, chroma;
    uint8_t primaries, transfer, matrix;
    bool    full_range;
} config_t;


/* 7.2.2: color_space as code points of ISO 23091-2 */
static const uint8_t  spaces[8][3] = {
    { 2, 2, 2 }, { 5, 6, 5 }, { 1, 1, 1 }, { 6, 6, 6 }, { 7, 7, 7 },
    { 9, 2, 9 }, { 2, 2, 2 }, { 1, 13, 0 }
};

/* the specification's annex A: level, luma samples a second and a picture */
static const struct {
    uint8_t  level;
    uint64_t rate;
    uint32_t size;
} levels[] = {
    { 10, 829440, 36864 }, { 11, 2764800, 73728 }, { 20, 4608000, 122880 },
    { 21, 9216000, 245760 }, { 30, 20736000, 552960 },
    { 31, 36864000, 983040 }, { 40, 83558400, 2228224 },
    { 41, 160432128, 2228224 }, { 50, 311951360, 8912896 },
    { 51, 588251136, 8912896 }, { 52, 1176502272, 8912896 },
    { 60, 1176502272, 35651584 }, { 61, 2353004544u, 35651584 },
    { 62, 4706009088u, 35651584 }
};

#define NLEVELS (sizeof(levels) / sizeof(levels[0]))


/* color_config(), 6.2.2 */
static void
read_colours(config_t *c, reel_bits_t *b)
{
    uint8_t  space;

    c->bit_depth = 8;

    if (c->profile >= 2) {
        c->bit_depth = reel_bits_u(b, 1) ? 12 : 10;
    }

    space = (uint8_t) reel_bits_u(b, 3);
    c->primaries = spaces[space][0];
    c->transfer = spaces[space][1];
    c->matrix = spaces[space][2];
    c->chroma = space == CS_RGB ? SS_444 : SS_420;
    c->full_range = space == CS_RGB || reel_bits_u(b, 1);

    if (!(c->profile & 1)) {
        if (space == CS_RGB) {
            b->err = REEL_BADDATA;
        }

        return;
    }

    if (space != CS_RGB) {
        switch (reel_bits_u(b, 2)) {
        case 0: c->chroma = SS_444; break;
        case 2: c->chroma = SS_422; break;
        default: b->err = b->err == REEL_OK ? REEL_UNSUPPORTED : b->err;
        }
    }

    reel_bits_u(b, 1);
}


static reel_err_t
read_frame(config_t *c, reel_codec_facts_t *f, reel_bits_t *b)
{
    if (reel_bits_u(b, 2) != 2) {
        return REEL_BADDATA;                /* frame_marker */
    }

    c->profile = (uint8_t) reel_bits_u(b, 1);
    c->profile |= (uint8_t) (reel_bits_u(b, 1) << 1);

    if (c->profile == 3 && reel_bits_u(b, 1)) {
        return REEL_UNSUPPORTED;
    }

    if (reel_bits_u(b, 1) || reel_bits_u(b, 1)) {
        return b->err != REEL_OK ? b->err : REEL_UNSUPPORTED;
    }

    reel_bits_u(b, 2);                      /* shown; error resilient */

    if (reel_bits_u(b, 24) != SYNC_CODE) {
        return REEL_BADDATA;
    }

    read_colours(c, b);
    f->width = reel_bits_u(b, 16) + 1;
    f->height = reel_bits_u(b, 16) + 1;

    return b->err;
}


static uint8_t
level_of(const reel_codec_facts_t *f, uint32_t num, uint32_t den)
{
    size_t    i;
    uint64_t  size = (uint64_t) f->width * f->height;

    /* size < 2^32 and num < 2^32 */
    for (i = 0; i + 1 < NLEVELS; i++) {
        if (size <= levels[i].size && size * num <= levels[i].rate * den) {
            break;
        }
    }

    return levels[i].level;
}


/* version 1 of the box: 8 bytes, none of them for initialization */
static void
write_vpcc(reel_buf_t *b, const config_t *c)
{
    reel_buf_u32(b, 0x01000000);
    reel_buf_u8(b, c->profile);
    reel_buf_u8(b, c->level);
    reel_buf_u8(b, (uint8_t) (c->bit_depth << 4 | c->chroma << 1
                              | c->full_range));
    reel_buf_u8(b, c->primaries);
    reel_buf_u8(b, c->transfer);
    reel_buf_u8(b, c->matrix);
    reel_buf_u16(b, 0);
}


static void
fill(reel_codec_facts_t *f, const config_t *c)
{
    f->profile = c->profile;
    f->level = c->level;
    f->bit_depth = c->bit_depth;
    f->chroma_format = c->chroma == SS_420_LEFT ? 1 : c->chroma;
    f->primaries = c->primaries;
    f->transfer = c->transfer;
    f->matrix = c->matrix;
    f->full_range = c->full_range;
}


reel_err_t
reel_vp9_config(reel_buf_t *vpcc, reel_codec_facts_t *f, const uint8_t *frame,
    size_t len, uint32_t rate_num, uint32_t rate_den)
{
    config_t     c;
    reel_err_t   err;
    reel_bits_t  b;

    if (rate_num == 0 || rate_den == 0) {
        return REEL_INVAL;
    }

    reel_bits_init(&b, frame, len);

    err = read_frame(&c, f, &b);
    if (err != REEL_OK) {
        return err;
    }

    c.level = level_of(f, rate_num, rate_den);

    if (f->primaries != UNSPECIFIED && f->transfer != UNSPECIFIED
        && f->matrix != UNSPECIFIED)
    {
        c.primaries = f->primaries;
        c.transfer = f->transfer;
        c.matrix = f->matrix;
    }

    fill(f, &c);
    write_vpcc(vpcc, &c);

    return reel_buf_err(vpcc);
}


static reel_err_t
read_vpcc(config_t *c, reel_str_t vpcc)
{
    uint8_t        packed;
    reel_reader_t  r;

    reel_reader_init(&r, vpcc.p, vpcc.len);

    if (reel_read_u32(&r) != 0x01000000) {
        return r.err != REEL_OK ? r.err : REEL_UNSUPPORTED;
    }

    c->profile = reel_read_u8(&r);
    c->level = reel_read_u8(&r);
    packed = reel_read_u8(&r);
    c->bit_depth = packed >> 4;
    c->chroma = packed >> 1 & 7;
    c->full_range = packed & 1;
    c->primaries = reel_read_u8(&r);
    c->transfer = reel_read_u8(&r);
    c->matrix = reel_read_u8(&r);
    reel_read_skip(&r, reel_read_u16(&r));

    if (r.err != REEL_OK || c->profile > 3 || c->chroma > SS_444
        || (c->bit_depth != 8 && c->bit_depth != 10 && c->bit_depth != 12))
    {
        return REEL_BADDATA;
    }

    return REEL_OK;
}


reel_err_t
reel_vp9_facts(reel_codec_facts_t *f, reel_str_t vpcc)
{
    config_t    c;
    reel_err_t  err;

    err = read_vpcc(&c, vpcc);
    if (err != REEL_OK) {
        return err;
    }

    *f = (reel_codec_facts_t) { 0 };
    fill(f, &c);

    return REEL_OK;
}


/* is what stands behind the bit depth the default, or nothing known? */
static bool
plain(const config_t *c)
{
    return c->chroma == SS_420 && !c->full_range
           && c->primaries == c->transfer && c->primaries == c->matrix
           && (c->primaries == 1 || c->primaries == UNSPECIFIED);
}


/* the optional fields stand all or not at all */
reel_err_t
reel_vp9_codec_string(char *dst, size_t cap, reel_str_t vpcc)
{
    int         n;
    config_t    c;
    reel_err_t  err;

    err = read_vpcc(&c, vpcc);
    if (err != REEL_OK) {
        return err;
    }

    n = snprintf(dst, cap, "vp09.%02u.%02u.%02u", c.profile, c.level,
                 c.bit_depth);

    if (n < (int) cap && !plain(&c)) {
        n += snprintf(dst + n, cap - (size_t) n, ".%02u.%02u.%02u.%02u.%02u",
                      c.chroma, c.primaries, c.transfer, c.matrix,
                      c.full_range);
    }

    return n < (int) cap ? REEL_OK : REEL_INVAL;
}

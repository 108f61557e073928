#include <stdio.h>

#include "lib/base/reader.h"
#include "lib/codec/av1.h"


/* 6.2.2 */
#define OBU_SEQUENCE  1
#define OBU_DELIMITER 2
#define OBU_TILE_LIST 8
#define OBU_PADDING   15

#define OBU_FORBIDDEN 0x80
#define OBU_EXTENSION 0x04
#define OBU_HAS_SIZE  0x02

#define AV1C_HEAD     4
#define AV1C_FIRST    0x81      /* marker and version 1 */
#define CONFIG_MAX    (64 * 1024)


typedef struct {
    uint8_t    header;
    uint8_t    type;
    uint8_t    extension;
    reel_str_t payload;
} obu_t;


/* 4.10.5; unlike reel_read_varint it may be longer than it must */
static uint64_t
read_leb128(reel_reader_t *r)
{
    uint8_t   byte;
    uint64_t  v = 0;
    unsigned  i;

    for (i = 0; i < 8; i++) {
        byte = reel_read_u8(r);
        v |= (uint64_t) (byte & 0x7f) << (7 * i);

        if (!(byte & 0x80)) {
            return v;
        }
    }

    r->err = REEL_BADDATA;

    return 0;
}


/* 5.3; the last one of a unit may go without its size.  False at the end */
static bool
next_obu(obu_t *o, reel_reader_t *r)
{
    uint64_t  n;

    if (reel_reader_left(r) == 0) {
        return false;
    }

    o->header = reel_read_u8(r);
    o->type = o->header >> 3 & 0xf;

    if (o->header & OBU_FORBIDDEN) {
        r->err = REEL_BADDATA;
        return false;
    }

    o->extension = o->header & OBU_EXTENSION ? reel_read_u8(r) : 0;
    n = o->header & OBU_HAS_SIZE ? read_leb128(r) : reel_reader_left(r);
    o->payload = reel_read_bytes(r, n);

    return r->err == REEL_OK;
}


static void
write_obu(reel_buf_t *b, const obu_t *o)
{
    reel_buf_u8(b, o->header | OBU_HAS_SIZE);

    if (o->header & OBU_EXTENSION) {
        reel_buf_u8(b, o->extension);
    }

    reel_buf_varint(b, o->payload.len);
    reel_buf_adds(b, o->payload);
}


reel_err_t
reel_av1_to_sample(reel_buf_t *out, const uint8_t *tu, size_t len)
{
    obu_t          o;
    reel_reader_t  r;

    reel_reader_init(&r, tu, len);

    while (next_obu(&o, &r)) {

        if (o.type == OBU_TILE_LIST) {
            return REEL_UNSUPPORTED;
        }

        if (o.type != OBU_DELIMITER && o.type != OBU_PADDING) {
            write_obu(out, &o);
        }
    }

    return r.err != REEL_OK ? r.err : reel_buf_err(out);
}


/* the first sequence header among OBUs */
static reel_err_t
find_sequence(obu_t *o, reel_av1_sequence_t *s, reel_str_t obus)
{
    reel_reader_t  r;

    reel_reader_init(&r, obus.p, obus.len);

    while (next_obu(o, &r)) {
        if (o->type == OBU_SEQUENCE) {
            return reel_av1_sequence(s, (const uint8_t *) o->payload.p,
                                     o->payload.len);
        }
    }

    return r.err != REEL_OK ? r.err : REEL_NOTFOUND;
}


/*
 * An av1C payload: what it says itself, then what its sequence header says
 * where it has one; they must agree (2.3.4).
 */
static reel_err_t
read_av1c(reel_av1_sequence_t *s, reel_str_t av1c)
{
    obu_t                o;
    uint8_t              one, two;
    reel_err_t           err;
    reel_reader_t        r;
    reel_av1_sequence_t  head;

    reel_reader_init(&r, av1c.p, av1c.len);

    if (reel_read_u8(&r) != AV1C_FIRST) {
        return REEL_BADDATA;
    }

    one = reel_read_u8(&r);
    two = reel_read_u8(&r);
    reel_read_skip(&r, 1);

    if (r.err != REEL_OK || one >> 5 > 2) {
        return REEL_BADDATA;
    }

    head = (reel_av1_sequence_t) {
        .profile = one >> 5, .level = one & 0x1f, .tier = two >> 7,
        .bit_depth = two & 0x40 ? two & 0x20 ? 12 : 10 : 8,
        .monochrome = two & 0x10, .subsampling_x = two >> 3 & 1,
        .subsampling_y = two >> 2 & 1, .chroma_position = two & 3,
        .primaries = 2, .transfer = 2, .matrix = 2
    };

    err = find_sequence(&o, s, (reel_str_t) { av1c.p + AV1C_HEAD,
                                              av1c.len - AV1C_HEAD });
    if (err == REEL_NOTFOUND) {
        *s = head;
        return REEL_OK;
    }

    if (err != REEL_OK) {
        return err;
    }

    return s->profile == head.profile && s->level == head.level
           && s->tier == head.tier && s->bit_depth == head.bit_depth
           ? REEL_OK : REEL_BADDATA;
}


reel_err_t
reel_av1_config(reel_buf_t *av1c, const uint8_t *obus, size_t len)
{
    obu_t                o;
    reel_err_t           err;
    reel_str_t           in = { (const char *) obus, len };
    reel_av1_sequence_t  s;

    if (len != 0 && obus[0] == AV1C_FIRST) {
        err = len > CONFIG_MAX ? REEL_LIMIT : read_av1c(&s, in);
        if (err != REEL_OK) {
            return err;
        }

        reel_buf_adds(av1c, in);

        return reel_buf_err(av1c);
    }

    err = find_sequence(&o, &s, in);
    if (err != REEL_OK) {
        return err == REEL_NOTFOUND ? REEL_BADDATA : err;
    }

    if (o.payload.len > CONFIG_MAX / 2) {
        return REEL_LIMIT;
    }

    reel_buf_u8(av1c, AV1C_FIRST);
    reel_buf_u8(av1c, (uint8_t) (s.profile << 5 | s.level));
    reel_buf_u8(av1c, (uint8_t) (s.tier << 7 | (s.bit_depth > 8) << 6
                                 | (s.bit_depth > 10) << 5 | s.monochrome << 4
                                 | s.subsampling_x << 3 | s.subsampling_y << 2
                                 | s.chroma_position));
    reel_buf_u8(av1c, 0);               /* no initial presentation delay */
    write_obu(av1c, &o);

    return reel_buf_err(av1c);
}


reel_err_t
reel_av1_facts(reel_codec_facts_t *f, reel_str_t av1c)
{
    reel_err_t           err;
    reel_av1_sequence_t  s;

    err = read_av1c(&s, av1c);
    if (err != REEL_OK) {
        return err;
    }

    *f = (reel_codec_facts_t) {
        .profile = s.profile, .level = s.level, .high_tier = s.tier,
        .width = s.width, .height = s.height,
        .chroma_format = s.monochrome ? 0
                         : (uint8_t) (3 - s.subsampling_x - s.subsampling_y),
        .bit_depth = s.bit_depth,
        .primaries = s.primaries, .transfer = s.transfer, .matrix = s.matrix,
        .full_range = s.full_range
    };

    return REEL_OK;
}


/* is what stands behind the bit depth the default, or nothing known? */
static bool
plain(const reel_av1_sequence_t *s)
{
    return !s->monochrome && s->subsampling_x && s->subsampling_y
           && s->chroma_position == 0 && !s->full_range
           && s->primaries == s->transfer && s->primaries == s->matrix
           && (s->primaries == 1 || s->primaries == 2);
}


/* AV1-ISOBMFF, 5: the optional fields stand all or not at all */
reel_err_t
reel_av1_codec_string(char *dst, size_t cap, reel_str_t av1c)
{
    int                  n;
    reel_err_t           err;
    reel_av1_sequence_t  s;

    err = read_av1c(&s, av1c);
    if (err != REEL_OK) {
        return err;
    }

    n = snprintf(dst, cap, "av01.%u.%02u%c.%02u", s.profile, s.level,
                 s.tier ? 'H' : 'M', s.bit_depth);

    if (n < (int) cap && !plain(&s)) {
        n += snprintf(dst + n, cap - (size_t) n,
                      ".%u.%u%u%u.%02u.%02u.%02u.%u", s.monochrome,
                      s.subsampling_x, s.subsampling_y,
                      s.subsampling_x && s.subsampling_y ? s.chroma_position
                                                         : 0,
                      s.primaries, s.transfer, s.matrix, s.full_range);
    }

    return n < (int) cap ? REEL_OK : REEL_INVAL;
}

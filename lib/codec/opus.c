#include "lib/base/reader.h"
#include "lib/codec/opus.h"


/* the fields of both forms */
typedef struct {
    uint8_t    channels, family;
    uint16_t   pre_skip, gain;
    uint32_t   input_rate;
    reel_str_t mapping;         /* streams, coupled ones, a byte a channel */
} config_t;


/* family 0 has no table: one stream of one or two channels */
static reel_err_t
read_mapping(config_t *c, reel_reader_t *r)
{
    uint8_t  streams, coupled;

    c->family = reel_read_u8(r);

    if (r->err != REEL_OK || c->channels == 0) {
        return REEL_BADDATA;
    }

    if (c->family == 0) {
        return c->channels <= 2 ? REEL_OK : REEL_BADDATA;
    }

    c->mapping = reel_read_bytes(r, 2 + (uint64_t) c->channels);

    if (r->err != REEL_OK) {
        return REEL_BADDATA;
    }

    streams = (uint8_t) c->mapping.p[0];
    coupled = (uint8_t) c->mapping.p[1];

    return streams != 0 && coupled <= streams && streams <= 255 - coupled
           ? REEL_OK : REEL_BADDATA;
}


static reel_err_t
read_dops(config_t *c, reel_str_t dops)
{
    reel_reader_t  r;

    *c = (config_t) { 0 };
    reel_reader_init(&r, dops.p, dops.len);

    if (reel_read_u8(&r) != 0) {
        return REEL_UNSUPPORTED;            /* a version to come */
    }

    c->channels = reel_read_u8(&r);
    c->pre_skip = reel_read_u16(&r);
    c->input_rate = reel_read_u32(&r);
    c->gain = reel_read_u16(&r);

    return read_mapping(c, &r);
}


reel_err_t
reel_opus_config(reel_buf_t *dops, const uint8_t *head, size_t len)
{
    config_t       c = { 0 };
    reel_err_t     err;
    reel_str_t     magic;
    reel_reader_t  r;

    reel_reader_init(&r, head, len);
    magic = reel_read_bytes(&r, 8);

    if (r.err != REEL_OK || !reel_str_eqz(magic, "OpusHead")) {
        return REEL_BADDATA;
    }

    if (reel_read_u8(&r) > 15) {
        return REEL_UNSUPPORTED;            /* RFC 7845, 5.1: incompatible */
    }

    c.channels = reel_read_u8(&r);
    c.pre_skip = reel_read_u16le(&r);
    c.input_rate = reel_read_u32le(&r);
    c.gain = reel_read_u16le(&r);

    err = read_mapping(&c, &r);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_u8(dops, 0);
    reel_buf_u8(dops, c.channels);
    reel_buf_u16(dops, c.pre_skip);
    reel_buf_u32(dops, c.input_rate);
    reel_buf_u16(dops, c.gain);
    reel_buf_u8(dops, c.family);
    reel_buf_adds(dops, c.mapping);

    return reel_buf_err(dops);
}


reel_err_t
reel_opus_facts(reel_codec_facts_t *f, reel_str_t dops)
{
    config_t    c;
    reel_err_t  err;

    err = read_dops(&c, dops);
    if (err != REEL_OK) {
        return err;
    }

    *f = (reel_codec_facts_t) {
        .sample_rate = REEL_OPUS_RATE, .channels = c.channels
    };

    return REEL_OK;
}


reel_err_t
reel_opus_codec_string(char *dst, size_t cap, reel_str_t dops)
{
    config_t    c;
    reel_err_t  err;

    err = read_dops(&c, dops);
    if (err != REEL_OK) {
        return err;
    }

    return reel_str_copy(dst, cap, REEL_STR("opus")) == REEL_OK ? REEL_OK
                                                                 : REEL_INVAL;
}

#include "lib/base/bits.h"
#include "lib/base/reader.h"
#include "lib/codec/aac.h"
#include "lib/ts/ts_impl.h"


#define RATE_STATED 15          /* in 24 bits; ADTS has the index alone */


/* appends `count` parameter sets to mem, each behind a start code */
static size_t
copy_sets(reel_reader_t *r, unsigned count, uint8_t *mem)
{
    size_t      at = 0;
    reel_str_t  set;

    static const uint8_t  code[4] = { 0, 0, 0, 1 };

    while (count-- != 0) {
        set = reel_read_bytes(r, reel_read_u16(r));

        if (r->err != REEL_OK) {
            return 0;
        }

        memcpy(mem + at, code, sizeof(code));
        at += sizeof(code);

        if (set.len != 0) {
            memcpy(mem + at, set.p, set.len);
            at += set.len;
        }
    }

    return at;
}


/* 14496-15, 5.3.3.1.2 */
static reel_err_t
read_avcc(reel_ts_config_t *c, reel_str_t config, uint8_t *mem)
{
    size_t         len;
    uint8_t        lengths;
    reel_reader_t  r;

    reel_reader_init(&r, config.p, config.len);

    if (reel_read_u8(&r) != 1) {
        return REEL_BADDATA;
    }

    reel_read_skip(&r, 3);
    lengths = reel_read_u8(&r) & 3;

    len = copy_sets(&r, reel_read_u8(&r) & 0x1f, mem);
    len += copy_sets(&r, reel_read_u8(&r), mem + len);

    if (r.err != REEL_OK) {
        return REEL_BADDATA;
    }

    c->sets = (reel_str_t) { (char *) mem, len };

    return lengths == 3 ? REEL_OK : REEL_UNSUPPORTED;
}


/*
 * ADTS says what a decoder of AAC-LC finds: SBR and PS lie in the frames,
 * and the rate that stands first is the one without them.
 */
static reel_err_t
read_asc(reel_ts_config_t *c, reel_str_t config)
{
    uint32_t           type, rate, channels;
    reel_err_t         err;
    reel_bits_t        b;
    reel_aac_config_t  aac;

    err = reel_aac_config(&aac, config);
    if (err != REEL_OK) {
        return err;
    }

    reel_bits_init(&b, config.p, config.len);

    type = reel_bits_u(&b, 5);
    rate = reel_bits_u(&b, 4);

    if (rate == RATE_STATED) {
        return REEL_UNSUPPORTED;
    }

    channels = reel_bits_u(&b, 4);

    if (type == REEL_AAC_SBR || type == REEL_AAC_PS) {
        if (reel_bits_u(&b, 4) == RATE_STATED) {
            reel_bits_u(&b, 24);
        }

        type = reel_bits_u(&b, 5);
    }

    if (b.err != REEL_OK || type < 1 || type > 4 || channels < 1
        || channels > 7)
    {
        return REEL_UNSUPPORTED;
    }

    c->asc = config;
    c->aac = aac.object_type;

    /* MPEG-4, no CRC; a buffer of a variable rate, one block */
    c->adts[0] = 0xff;
    c->adts[1] = 0xf1;
    c->adts[2] = (uint8_t) ((type - 1) << 6 | rate << 2 | channels >> 2);
    c->adts[3] = (uint8_t) (channels << 6);
    c->adts[4] = 0;
    c->adts[5] = 0x1f;
    c->adts[6] = 0xfc;

    return REEL_OK;
}


reel_err_t
reel_ts_config(reel_ts_config_t *c, reel_ts_codec_t codec, reel_str_t config,
    uint8_t *mem)
{
    *c = (reel_ts_config_t) { .codec = codec };

    return codec == REEL_TS_AVC ? read_avcc(c, config, mem)
                                : read_asc(c, config);
}

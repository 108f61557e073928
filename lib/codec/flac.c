#include "lib/base/bits.h"
#include "lib/base/reader.h"
#include "lib/codec/flac.h"


#define STREAMINFO      34
#define STREAMINFO_LAST 0x80    /* block type 0, and no other follows */


static reel_err_t
read_streaminfo(reel_codec_facts_t *f, const uint8_t *p, size_t len)
{
    uint32_t     min, max;
    reel_bits_t  b;

    if (len != STREAMINFO) {
        return REEL_BADDATA;
    }

    reel_bits_init(&b, p, len);
    *f = (reel_codec_facts_t) { 0 };

    min = reel_bits_u(&b, 16);
    max = reel_bits_u(&b, 16);
    reel_bits_u(&b, 24);
    reel_bits_u(&b, 24);

    f->frame = (uint16_t) max;
    f->sample_rate = reel_bits_u(&b, 20);
    f->channels = (uint16_t) (reel_bits_u(&b, 3) + 1);
    f->bit_depth = (uint8_t) (reel_bits_u(&b, 5) + 1);

    return max >= 16 && min <= max && f->sample_rate != 0 && f->bit_depth >= 4
           ? REEL_OK : REEL_BADDATA;
}


reel_err_t
reel_flac_config(reel_buf_t *dfla, const uint8_t *extradata, size_t len)
{
    reel_err_t          err;
    reel_str_t          info = { (const char *) extradata, len };
    reel_reader_t       r;
    reel_codec_facts_t  f;

    reel_reader_init(&r, extradata, len);

    if (reel_str_prefix(info, "fLaC")) {
        reel_read_skip(&r, 4);

        if ((reel_read_u8(&r) & 0x7f) != 0) {
            return REEL_BADDATA;            /* STREAMINFO is the first */
        }

        info = reel_read_bytes(&r, reel_read_u24(&r));
    }

    err = read_streaminfo(&f, (const uint8_t *) info.p, info.len);
    if (err != REEL_OK) {
        return err;
    }

    reel_buf_u32(dfla, 0);                  /* version and flags */
    reel_buf_u8(dfla, STREAMINFO_LAST);
    reel_buf_u24(dfla, STREAMINFO);
    reel_buf_adds(dfla, info);

    return reel_buf_err(dfla);
}


reel_err_t
reel_flac_facts(reel_codec_facts_t *f, reel_str_t dfla)
{
    reel_str_t     info;
    reel_reader_t  r;

    reel_reader_init(&r, dfla.p, dfla.len);

    if (reel_read_u32(&r) != 0) {
        return REEL_UNSUPPORTED;
    }

    if ((reel_read_u8(&r) & 0x7f) != 0) {
        return REEL_BADDATA;
    }

    info = reel_read_bytes(&r, reel_read_u24(&r));

    return read_streaminfo(f, (const uint8_t *) info.p, info.len);
}


reel_err_t
reel_flac_codec_string(char *dst, size_t cap, reel_str_t dfla)
{
    reel_err_t          err;
    reel_codec_facts_t  f;

    err = reel_flac_facts(&f, dfla);
    if (err != REEL_OK) {
        return err;
    }

    return reel_str_copy(dst, cap, REEL_STR("fLaC")) == REEL_OK ? REEL_OK
                                                                 : REEL_INVAL;
}

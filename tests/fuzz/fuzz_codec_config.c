/*
 * The first byte chooses a codec or a conversion, the others are its bytes.
 * A configuration that has facts has a string, a CMAF header can be made of
 * it, and what is read from that header is the same track; what a conversion
 * makes, is such a configuration.  The last case reads a header of any bytes.
 */

#include "lib/codec/ac3.h"
#include "lib/codec/av1.h"
#include "lib/codec/flac.h"
#include "lib/codec/hevc.h"
#include "lib/codec/opus.h"
#include "lib/codec/vp9.h"
#include "lib/mp4/sample_entry.h"
#include "tests/fuzz/harness.h"

#define MADE_MAX (1 << 18)


typedef reel_err_t (*make_fn)(reel_buf_t *out, const uint8_t *p, size_t len);


static reel_err_t
make_vp9(reel_buf_t *out, const uint8_t *p, size_t len)
{
    reel_codec_facts_t  f = { .primaries = 2 };

    return reel_vp9_config(out, &f, p, len, 30000, 1001);
}


static const struct {
    reel_codec_t codec;
    make_fn      make;
} conversions[] = {
    { REEL_CODEC_HEVC, reel_hevc_config }, { REEL_CODEC_AV1, reel_av1_config },
    { REEL_CODEC_VP9, make_vp9 }, { REEL_CODEC_OPUS, reel_opus_config },
    { REEL_CODEC_AC3, reel_ac3_config }, { REEL_CODEC_EAC3, reel_eac3_config },
    { REEL_CODEC_FLAC, reel_flac_config }
};

#define NCONVERSIONS (sizeof(conversions) / sizeof(conversions[0]))


static void
header(reel_codec_t codec, reel_str_t config, const reel_codec_facts_t *f)
{
    reel_buf_t         b;
    reel_err_t         err;
    reel_cmaf_track_t  got, t = {
        .codec = codec, .track_id = 1, .timescale = 1, .config = config,
        .language = "und", .width = 16, .height = 16,
        .primaries = f->primaries, .transfer = f->transfer,
        .matrix = f->matrix, .full_range = f->full_range, .hdr = f->hdr,
        .channels = f->channels,
        .sample_rate = f->sample_rate != 0 ? f->sample_rate : 8000
    };

    reel_buf_init(&b, 1 << 20);
    err = reel_cmaf_header(&b, &t);
    need(err == REEL_OK
         || (err == REEL_INVAL
             && config.len > reel_mp4_codec(codec)->config_max));

    if (err == REEL_OK) {
        need(reel_cmaf_read_header(&got, b.data, b.len, NULL) == REEL_OK);
        need(got.codec == codec && reel_str_eq(got.config, config));
        need(got.width == (f->channels ? 0 : 16));
        need(got.channels == f->channels);
    }

    reel_buf_release(&b);
}


static void
config(reel_codec_t codec, reel_str_t s, bool made)
{
    char                string[REEL_CODEC_STRING];
    reel_err_t          err;
    reel_codec_facts_t  f;

    const reel_mp4_codec_t  *c = reel_mp4_codec(codec);

    err = c->facts(&f, s);
    need(err == REEL_OK || !made);

    if (err == REEL_OK) {
        need(c->string(string, sizeof(string), s) == REEL_OK);
        need(strlen(string) >= 4);

        if (codec == REEL_CODEC_MP3) {
            f.channels = 2;         /* as the sample entry has them */
        }
        need((c->track == REEL_TRACK_AUDIO) == (f.channels != 0));
        header(codec, s, &f);
    }
}


static void
convert(reel_codec_t codec, make_fn make, const uint8_t *p, size_t len)
{
    reel_buf_t  b;

    reel_buf_init(&b, MADE_MAX);

    if (make(&b, p, len) == REEL_OK) {
        config(codec, (reel_str_t) { (char *) b.data, b.len }, true);
    }

    reel_buf_release(&b);
}


/* a sample is its own sample: nothing is left to be taken out */
static void
unit(const uint8_t *p, size_t len)
{
    unsigned    slices;
    reel_buf_t  one, two;

    reel_buf_init(&one, 4 * len + 16);
    reel_buf_init(&two, 4 * len + 16);

    if (reel_av1_to_sample(&one, p, len) == REEL_OK) {
        need(reel_av1_to_sample(&two, one.data, one.len) == REEL_OK);
        need(one.len == two.len
             && (one.len == 0 || memcmp(one.data, two.data, one.len) == 0));
    }

    reel_buf_clear(&one);

    if (reel_hevc_to_sample(&one, p, len, &slices) == REEL_OK) {
        need(one.len <= 2 * len);
    }

    reel_buf_release(&one);
    reel_buf_release(&two);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t            which;
    reel_error_t       e;
    reel_cmaf_track_t  t;

    if (size == 0) {
        return 0;
    }

    which = data[0];
    data++;
    size--;

    if (which < 0x20) {
        if (reel_mp4_codec((reel_codec_t) which) != NULL) {
            config((reel_codec_t) which, (reel_str_t) { (char *) data, size },
                   false);
        }

    } else if (which - 0x20u < NCONVERSIONS) {
        convert(conversions[which - 0x20].codec,
                conversions[which - 0x20].make, data, size);

    } else if (which == 0x40) {
        unit(data, size);

    } else if (reel_cmaf_read_header(&t, data, size, &e) == REEL_OK) {
        need(t.config.p >= (const char *) data
             && t.config.p + t.config.len <= (const char *) data + size);
        need(t.timescale != 0 && t.track_id != 0);
    }

    return 0;
}

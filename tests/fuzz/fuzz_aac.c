/*
 * Any bytes as an AudioSpecificConfig.  One that is accepted has a codec
 * string, and a CMAF header can be made of it when it is not too long.
 */

#include "lib/codec/aac.h"
#include "lib/mp4/cmaf.h"
#include "tests/fuzz/harness.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char               codec[12];
    reel_str_t         asc = { (const char *) data, size };
    reel_buf_t         b;
    reel_err_t         err;
    reel_aac_config_t  c;

    err = reel_aac_config(&c, asc);
    need(reel_aac_codec_string(codec, sizeof(codec), asc) == err);

    if (err != REEL_OK) {
        return 0;
    }

    need(c.object_type == 2 || c.object_type == 5 || c.object_type == 29);
    need(c.channels >= 1 && c.channels <= 24 && c.sample_rate > 0);

    reel_buf_init(&b, 4096);
    err = reel_cmaf_header(&b, &(reel_cmaf_track_t) {
        .codec = REEL_CODEC_AAC, .track_id = REEL_TRACK_AUDIO,
        .timescale = c.sample_rate, .config = asc, .language = "und",
        .channels = c.channels, .sample_rate = c.sample_rate
    });
    need(err == (size <= 64 ? REEL_OK : REEL_INVAL));
    reel_buf_release(&b);

    return 0;
}

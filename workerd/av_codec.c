#include "workerd/av_codec.h"

#include <stdio.h>
#include <stdlib.h>

#include <libavutil/opt.h>

#include "lib/codec/av1.h"
#include "lib/codec/avc.h"
#include "lib/codec/hevc.h"
#include "lib/job/wants.h"
#include "workerd/av_light.h"


/*
 * One slice, closed GOPs, key frames where the grid has them and nowhere
 * else.  stitchable: headers that do not depend on content, so that the
 * chunks of a rung share them.
 */
#define X264_PARAMS                                                          \
    "open-gop=0:scenecut=0:sliced-threads=0:slices=1:aud=0:stitchable=1"

/* the same; its headers do not depend on content */
#define X265_PARAMS                                                          \
    "open-gop=0:scenecut=0:slices=1:aud=0:info=0:repeat-headers=0:hrd=0"     \
    ":log-level=error"

/* closed GOPs; scenes make no key frames; the bound is not for going half
   beyond it */
#define SVT_PARAMS "scd=0:irefresh-type=2:mbr-overshoot-pct=0"


static int
set_x264(AVCodecContext *enc, uint32_t threads, const reel_hdr_t *h)
{
    int  rc;

    (void) threads;                     /* thread_count says it */
    (void) h;

    rc = av_opt_set(enc->priv_data, "profile", "high", 0);
    if (rc >= 0) {
        rc = av_opt_set_int(enc->priv_data, "forced-idr", 1, 0);
    }
    if (rc >= 0) {
        rc = av_opt_set(enc->priv_data, "x264-params", X264_PARAMS, 0);
    }

    return rc;
}


static int
set_x265(AVCodecContext *enc, uint32_t threads, const reel_hdr_t *h)
{
    int   rc;
    char  params[512], light[256], pools[16] = "none";

    /* one thread alone has no pool, and no rows that wait for one another */
    if (threads > 1) {
        (void) snprintf(pools, sizeof(pools), "%u", threads);
    }

    reel_av_light_x265(light, sizeof(light), h);
    (void) snprintf(params, sizeof(params), X265_PARAMS ":frame-threads=1"
                    ":pools=%s:wpp=%d%s", pools, threads > 1, light);

    rc = av_opt_set_int(enc->priv_data, "forced-idr", 1, 0);

    return rc >= 0 ? av_opt_set(enc->priv_data, "x265-params", params, 0)
                   : rc;
}


static int
set_svt(AVCodecContext *enc, uint32_t threads, const reel_hdr_t *h)
{
    char  params[512], light[256];

    /* it tells of itself on stderr, whose end is kept for what went wrong */
    (void) setenv("SVT_LOG", "1", 0);
    reel_av_light_svt(light, sizeof(light), h);
    (void) snprintf(params, sizeof(params), SVT_PARAMS ":lp=%u%s", threads,
                    light);

    return av_opt_set(enc->priv_data, "svtav1-params", params, 0);
}


static uint32_t
delay_x264(const AVCodecContext *enc)
{
    return (uint32_t) enc->has_b_frames;
}


/* libavcodec does not say: as many as a pyramid of B frames needs */
static uint32_t
delay_x265(const AVCodecContext *enc)
{
    return enc->max_b_frames == 0 ? 0 : 2;
}


/* a temporal unit shows one picture, in their order */
static uint32_t
delay_none(const AVCodecContext *enc)
{
    (void) enc;

    return 0;
}


/* its parameter sets are never among the pictures */
static reel_err_t
avc_config_of(reel_buf_t *b, reel_str_t told, const uint8_t *sample,
    size_t len)
{
    (void) sample;
    (void) len;

    return reel_avc_config(b, (const uint8_t *) told.p, told.len);
}


static reel_err_t
av1_to_sample(reel_buf_t *b, const uint8_t *p, size_t len, unsigned *slices)
{
    *slices = 1;

    return reel_av1_to_sample(b, p, len);
}


static const reel_av_codec_t codecs[REEL_VIDEO_CODECS] = {
    [REEL_VIDEO_H264] = {
        .encoder = REEL_ENCODER_H264,
        .name = "x264",
        .codec = REEL_CODEC_AVC,
        .warm = REEL_AV_WARM,
        .delay = delay_x264,
        .set = set_x264,
        .config = reel_avc_config,
        .to_sample = reel_avc_to_sample,
        .string = reel_avc_codec_string,
        .config_of = avc_config_of,
        .copy_sample = reel_avc_copy_sample
    },
    [REEL_VIDEO_HEVC] = {
        .encoder = REEL_ENCODER_HEVC,
        .name = "x265",
        .codec = REEL_CODEC_HEVC,
        .warm = REEL_AV_WARM,
        .delay = delay_x265,
        .set = set_x265,
        .config = reel_hevc_config,
        .to_sample = reel_hevc_to_sample,
        .string = reel_hevc_codec_string,
        .config_of = reel_hevc_config_of,
        .copy_sample = reel_hevc_copy_sample
    },
    [REEL_VIDEO_AV1] = {
        .encoder = REEL_ENCODER_AV1,
        .name = "SVT-AV1",
        .codec = REEL_CODEC_AV1,
        .delay = delay_none,
        .set = set_svt,
        .config = reel_av1_config,
        .to_sample = av1_to_sample,
        .string = reel_av1_codec_string
    },
};


const reel_av_codec_t *
reel_av_codec(reel_video_codec_t c)
{
    return &codecs[c];
}

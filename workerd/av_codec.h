/*
 * The encoders of pictures: what libavcodec calls them, what they are told,
 * and how their bytes become samples.
 */

#ifndef REEL_WORKERD_AV_CODEC_H
#define REEL_WORKERD_AV_CODEC_H

#include <libavcodec/avcodec.h>

#include "lib/base/buf.h"
#include "lib/codec/codec.h"
#include "lib/job/task.h"

#define REEL_AV_WARM  3         /* a key frame, and what shows what it takes */

typedef struct {
    const char   *encoder;      /* libavcodec's name */
    const char   *name;         /* in errors */
    reel_codec_t  codec;

    /* pictures that it gets twice at the start of a chunk, see av_rung.h */
    unsigned      warm;

    /* of the open encoder: pictures that are decoded ahead of their time */
    uint32_t    (*delay)(const AVCodecContext *enc);

    /* private options, before it is opened; libavcodec's error or >= 0.
       h: of pictures that are kept in PQ, else empty */
    int         (*set)(AVCodecContext *enc, uint32_t threads,
        const reel_hdr_t *h);

    /* the encoder's global header as a sample entry has it */
    reel_err_t  (*config)(reel_buf_t *b, const uint8_t *p, size_t len);

    /* an access unit, appended; *slices: of its picture, 1 if not counted */
    reel_err_t  (*to_sample)(reel_buf_t *b, const uint8_t *p, size_t len,
        unsigned *slices);
    reel_err_t  (*string)(char *dst, size_t cap, reel_str_t config);

    /* of somebody else's track, whose container tells `told`, from a key
       frame on; NULL: it is never copied */
    reel_err_t  (*config_of)(reel_buf_t *b, reel_str_t told,
        const uint8_t *sample, size_t len);

    /* … and a sample of it, appended */
    reel_err_t  (*copy_sample)(reel_buf_t *b, const uint8_t *p, size_t len);
} reel_av_codec_t;

const reel_av_codec_t *reel_av_codec(reel_video_codec_t c);

#endif

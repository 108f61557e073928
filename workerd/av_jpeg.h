/* pictures as JPEG, one encoder for any number of one size */

#ifndef REEL_WORKERD_AV_JPEG_H
#define REEL_WORKERD_AV_JPEG_H

#include <libavcodec/avcodec.h>

#include "workerd/av_fault.h"

/* the pixel format of what goes in: 4:2:0 in full range */
#define REEL_AV_JPEG_FORMAT "yuvj420p"

typedef struct {
    AVCodecContext *enc;
    AVPacket       *pkt;        /* of reel_av_jpeg_encode */
} reel_av_jpeg_t;

/* j zeroed before; it may be closed after a failure */
int reel_av_jpeg_open(reel_av_jpeg_t *j, int width, int height,
    reel_av_fault_t *f);

/* j->pkt holds the file, until the next call */
int reel_av_jpeg_encode(reel_av_jpeg_t *j, AVFrame *frame,
    reel_av_fault_t *f);

void reel_av_jpeg_close(reel_av_jpeg_t *j);

#endif

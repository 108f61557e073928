/*
 * What a film says of its high dynamic range: the curve, and of PQ the
 * display it was mastered on and its brightest pictures, in the units of
 * reel_hdr_t.
 */

#ifndef REEL_WORKERD_AV_LIGHT_H
#define REEL_WORKERD_AV_LIGHT_H

#include <libavformat/avformat.h>
#include <libavutil/frame.h>

#include "lib/job/source.h"

/* by its first picture f, else by what the container says of st */
void reel_av_light_see(reel_source_light_t *l, const AVFrame *f,
    const AVStream *st);

/* the curve of kept pictures; of SDR AVCOL_TRC_RESERVED0 */
enum AVColorTransferCharacteristic reel_av_light_curve(
    reel_video_range_t range);

/*
 * Both as encoders are told: in x265's words, or in those of SVT-AV1, each
 * beginning with a colon.  "" where nothing is known.
 */
void reel_av_light_x265(char *dst, size_t cap, const reel_hdr_t *h);
void reel_av_light_svt(char *dst, size_t cap, const reel_hdr_t *h);

#endif

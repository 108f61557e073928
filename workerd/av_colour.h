/*
 * What must happen to a picture's colours before it can be a rung of 4:2:0
 * in limited range: alpha, high dynamic range, RGB.
 */

#ifndef REEL_WORKERD_AV_COLOUR_H
#define REEL_WORKERD_AV_COLOUR_H

#include <stdbool.h>
#include <stdint.h>

#include <libavutil/frame.h>

#include "lib/base/buf.h"

/* PQ (SMPTE ST 2084) or HLG (ARIB STD-B67) */
bool reel_av_colour_is_hdr(const AVFrame *f);

/* R, G and B, or a palette of them: in full range by nature */
bool reel_av_colour_is_rgb(const AVFrame *f);

/* whether its samples use all of their range */
bool reel_av_colour_is_full(const AVFrame *f);

/*
 * Each adds filters, with a comma behind it, for pictures like f, or nothing.
 * Alpha is laid over black:
 */
void reel_av_colour_flatten(reel_buf_t *b, const AVFrame *f);

/* HDR is scaled to width × height, the largest that is wanted, and mapped to
   BT.709 in limited range */
void reel_av_colour_map(reel_buf_t *b, const AVFrame *f, uint32_t width,
    uint32_t height);

/*
 * What is not of that curve in BT.2020 and limited range becomes so, at that
 * size.
 */
void reel_av_colour_keep(reel_buf_t *b, const AVFrame *f,
    enum AVColorTransferCharacteristic curve, uint32_t width,
    uint32_t height);

#endif

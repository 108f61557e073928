/*
 * How like one another two series of pictures are: the mean SSIM of their
 * luma.  Pictures of both meet by their pts.
 */

#ifndef REEL_WORKERD_AV_METER_H
#define REEL_WORKERD_AV_METER_H

#include <libavfilter/avfilter.h>
#include <libavutil/frame.h>

#include "workerd/av_fault.h"

typedef struct {
    AVFilterGraph   *graph;
    AVFilterContext *in[2], *out;
    AVFrame         *frame;
    double           sum;
    unsigned         n;
} reel_av_meter_t;

/*
 * 4:2:0 of 8 bits; the second ones are scaled to the first ones' size.  m is
 * zeroed before; it may be released after a failure.
 */
int reel_av_meter_open(reel_av_meter_t *m, int width, int height,
    int second_width, int second_height, reel_av_fault_t *f);

/* which: 0 or 1; NULL: no more follow.  The frame stays the caller's */
int reel_av_meter_push(reel_av_meter_t *m, unsigned which, AVFrame *frame,
    reel_av_fault_t *f);

/* 1 - SSIM in millionths, of the pictures that met; all if none did */
uint32_t reel_av_meter_loss(const reel_av_meter_t *m);

void reel_av_meter_release(reel_av_meter_t *m);

#endif

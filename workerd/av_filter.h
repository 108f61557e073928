/*
 * Filter graphs with one input and one output per rung, rebuilt when the
 * picture's size or format changes in mid-stream.
 */

#ifndef REEL_WORKERD_AV_FILTER_H
#define REEL_WORKERD_AV_FILTER_H

#include <stdint.h>

#include <libavfilter/avfilter.h>
#include <libavutil/frame.h>

#include "workerd/av_fault.h"
#include "workerd/av_mark.h"

typedef struct {
    AVFilterGraph   *graph;
    AVFilterContext *in;
    AVFilterContext *out[REEL_TASK_RUNGS];
    unsigned         nout;
    AVRational       tb;        /* of what goes in and comes out */
    AVFilterContext *mark;      /* the watermark's input; NULL: none */
    int              width, height, format, range, transfer;    /* of the
                                                                   input */
} reel_av_graph_t;

typedef struct {
    uint32_t width, height;
    /* RESERVED0: in SDR; else in this curve, BT.2020 and 10 bit */
    enum AVColorTransferCharacteristic keep;
} reel_av_size_t;

/* all replace what g held; g zeroed before the first time */

/* one frame out for each in, a frame late; flushed by a NULL frame */
int reel_av_graph_deinterlace(reel_av_graph_t *g, const AVFrame *like,
    AVRational tb, reel_av_fault_t *f);

/* looks for combs: each frame comes out with idet's counts as metadata */
int reel_av_graph_detect(reel_av_graph_t *g, const AVFrame *like,
    AVRational tb, reel_av_fault_t *f);

/*
 * orient, split, scale to square pixels, 8 bit 4:2:0 in limited range, SDR;
 * format: the pixel format's name of the outputs, "yuv420p" or "yuvj420p";
 * of those that keep HDR it is yuv420p10le.
 * mark: over each output, which are yuv420p then; NULL: none
 */
int reel_av_graph_ladder(reel_av_graph_t *g, const AVFrame *like,
    AVRational tb, int rotation, bool hflip, bool vflip,
    const reel_av_size_t *sizes, unsigned n, const char *format,
    const reel_av_mark_t *mark, reel_av_fault_t *f);

void reel_av_graph_release(reel_av_graph_t *g);

/* whether g was built for pictures like this one */
bool reel_av_graph_fits(const reel_av_graph_t *g, const AVFrame *frame);

/* the graph takes a reference of its own; NULL = no more follow */
int reel_av_graph_push(reel_av_graph_t *g, AVFrame *frame,
    reel_av_fault_t *f);

/* 1: frame is filled, 0: nothing yet, -1 */
int reel_av_graph_pull(reel_av_graph_t *g, unsigned i, AVFrame *frame,
    reel_av_fault_t *f);

#endif

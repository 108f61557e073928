/*
 * Whether the access units of a sound can stand in the output as they are:
 * what is seen of all of them while the source is walked through.
 */

#ifndef REEL_WORKERD_AV_UNITS_H
#define REEL_WORKERD_AV_UNITS_H

#include <stdint.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "lib/job/source.h"

/* zeroed before */
typedef struct {
    const char *refused;        /* why they cannot; NULL so far */
    int64_t     first_pts;
    uint64_t    n;
    uint64_t    bytes;
} reel_av_units_t;

/* the next packet of st */
void reel_av_units_see(reel_av_units_t *u, const AVStream *st,
    const AVPacket *pkt);

/* the end.  dec: the track's decoder, which has heard its beginning */
void reel_av_units_end(const reel_av_units_t *u, reel_source_units_t *s,
    const AVStream *st, const AVCodecContext *dec);

#endif

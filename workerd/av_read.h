/* The packets of a source, their times as the film's. */

#ifndef REEL_WORKERD_AV_READ_H
#define REEL_WORKERD_AV_READ_H

#include "workerd/av_open.h"

/*
 * 1: pkt is the next one, its times shifted by `jumps`.  0: the end, or too
 * much cannot be read.  -1: fault.
 */
int reel_av_source_read(reel_av_source_t *s, AVPacket *pkt,
    reel_av_fault_t *f);

/*
 * Where the packets stand that are shown about `ts`, or before: by halving
 * the file between two jumps.  s->jumps is not NULL.  What is read next are
 * packets from there on.  -1: it cannot be reached.
 */
int reel_av_source_seek_bytes(reel_av_source_t *s, int stream, int64_t ts);

/* nothing, of a packet without times */
void reel_av_packet_shift(AVPacket *pkt, int64_t shift);

#endif

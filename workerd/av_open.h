/*
 * Opening a source under allow-lists: the demuxers and decoders below, no
 * protocol at all, and bounds on what a hostile header may ask for.
 */

#ifndef REEL_WORKERD_AV_OPEN_H
#define REEL_WORKERD_AV_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "lib/job/source.h"
#include "workerd/av_fault.h"
#include "workerd/av_io.h"

#define REEL_AV_MAX_STREAMS 64
#define REEL_AV_MAX_PIXELS  (8192 * 8192)
#define REEL_AV_TS_MAX      (INT64_C(1) << 59)

typedef struct {
    reel_av_io_t        io;
    AVFormatContext    *fmt;
    const reel_jumps_t *jumps;  /* NULL: none; borrowed */
    /* of the packet of a stream that was read last, or of one before it
       where a PES packet holds several */
    int64_t             pos[REEL_AV_MAX_STREAMS];
    unsigned            errors; /* packets that could not be read */
} reel_av_source_t;

/* s may be released after a failure; -1 with f filled */
int reel_av_source_open(reel_av_source_t *s, int fd, reel_av_fault_t *f);

/* whether it is an ISO file that ends before or within its index */
bool reel_av_source_is_cut(const reel_av_source_t *s);

void reel_av_source_close(reel_av_source_t *s);

/* the others' packets are skipped; NULL + fault when there is no such */
AVStream *reel_av_source_only(reel_av_source_t *s, int stream,
    reel_av_fault_t *f);

/* opens s, which is closed or zeroed, for one stream; jumps as s->jumps has */
AVStream *reel_av_source_open_only(reel_av_source_t *s, int fd, int stream,
    const reel_jumps_t *jumps, reel_av_fault_t *f);

/* the decoder that may read this codec; NULL = none is allowed */
const AVCodec *reel_av_decoder_find(const AVCodecParameters *par);

/* what a track is of, in words: libavcodec's name, but of a WebP */
const char *reel_av_source_codec(const reel_av_source_t *s,
    const AVStream *st);

/* an opened decoder for st, or NULL + fault */
AVCodecContext *reel_av_decoder_open(const AVStream *st, uint32_t threads,
    reel_av_fault_t *f);

/*
 * pts, or dts where the container gives no pts; AV_NOPTS_VALUE when there
 * is neither, or one beyond ±REEL_AV_TS_MAX
 */
int64_t reel_av_packet_ts(const AVPacket *pkt);

/*
 * Program streams leave a pts out here and there.  Where all packets that
 * have one lie equally far ahead of their dts (nothing is reordered), those
 * without are given theirs.  One for all of a stream, zeroed before.
 */
typedef struct {
    bool    known;
    bool    varies;
    int64_t lead;
} reel_av_lead_t;

void reel_av_packet_fill(reel_av_lead_t *l, AVPacket *pkt);

#endif

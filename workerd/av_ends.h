/*
 * Whether the times of a Vorbis track are where its frames end, as old
 * muxers (libavformat 53) wrote them.  A frame's length is a matter of its
 * block and the one before; where it changes, the step from one time to the
 * next is the length of the first of both frames, if times are starts, and
 * of the second, if they are ends.
 */

#ifndef REEL_WORKERD_AV_ENDS_H
#define REEL_WORKERD_AV_ENDS_H

#include <stdbool.h>
#include <stdint.h>

#include <libavcodec/vorbis_parser.h>
#include <libavformat/avformat.h>

/* zeroed before; of one track */
typedef struct {
    AVVorbisParseContext *parser;       /* owned */
    bool                  broken;       /* its headers are; all are starts */
    int64_t               pts;          /* of the packet before … */
    int                   samples;      /* … and its length; 0 = not known */
    uint64_t              starts;       /* changes that speak for either */
    uint64_t              ends;
} reel_av_ends_t;

/* the next packet of st; does nothing when it is not Vorbis */
void reel_av_ends_see(reel_av_ends_t *e, const AVStream *st,
    const AVPacket *pkt);

/* what was seen says so clearly */
bool reel_av_ends_found(const reel_av_ends_t *e);

void reel_av_ends_release(reel_av_ends_t *e);

#endif

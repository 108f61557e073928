/*
 * Whether pictures can stand in the output as they are, by codec: what one
 * packet tells, and what the parameter sets do.
 */

#ifndef REEL_WORKERD_AV_FIT_H
#define REEL_WORKERD_AV_FIT_H

#include <stdbool.h>

#include <libavformat/avformat.h>

#include "lib/base/buf.h"
#include "lib/job/source.h"

/* no reason of the film's: there was no memory to look at it */
extern const char reel_av_fit_nomem[];

/*
 * What this packet of st is refused for, or NULL.  Where all packets are not,
 * those that are called key frames, and no others, are IDR pictures; of H.265
 * all that decoding can begin with (IRAP), CRA pictures that are not called
 * so aside.  config, zeroed before, becomes a copy of the hvcC, with the
 * parameter sets of key frames where it has none; the caller releases it.
 */
const char *reel_av_fit_packet(reel_buf_t *config, const AVStream *st,
    const AVPacket *pkt);

/* of a track none of whose packets was refused.  v: of all other facts */
const char *reel_av_fit_format(const reel_source_video_t *v,
    const AVStream *st, const reel_buf_t *config);

/*
 * Are its pictures of a base layer of which nobody but a decoder of Dolby
 * Vision knows the colours (profile 5; bl_signal_compatibility_id 0)?
 */
bool reel_av_fit_dolby_alone(const AVStream *st);

#endif

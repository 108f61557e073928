/*
 * Whether the packets of a picture track can stand in the output as they
 * are: what is seen of all of them while the source is walked through.
 */

#ifndef REEL_WORKERD_AV_GOPS_H
#define REEL_WORKERD_AV_GOPS_H

#include <stdint.h>

#include <libavformat/avformat.h>

#include "lib/base/buf.h"
#include "lib/job/source.h"

/* pictures; more than 6 s at any rate that is one */
#define REEL_AV_GOP_MAX 2048

/* zeroed before */
typedef struct {
    const char *refused;        /* why they cannot; NULL so far */
    uint32_t    delay;
    uint64_t    kbps;
    reel_buf_t  config;         /* owned: of H.265, its parameter sets */

    /* the GOP that is open, in the order of its packets */
    int64_t     pts[REEL_AV_GOP_MAX];
    uint32_t    n;
    uint64_t    bytes;
    int64_t     last;           /* pts of all before it, and its own */
} reel_av_gops_t;

void reel_av_gops_release(reel_av_gops_t *g);

/* the next packet of st; REEL_NOMEM */
reel_err_t reel_av_gops_see(reel_av_gops_t *g, const AVStream *st,
    const AVPacket *pkt) REEL_WARN_UNUSED;

/*
 * The end: v's other facts are known.  shown: the pts of all pictures, n of
 * them; keys: those of key frames; ascending.  REEL_NOMEM
 */
reel_err_t reel_av_gops_end(reel_av_gops_t *g, reel_source_video_t *v,
    const AVStream *st, const int64_t *shown, size_t n, const int64_t *keys,
    size_t nkeys) REEL_WARN_UNUSED;

#endif

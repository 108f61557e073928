/*
 * One rung of the ladder: an encoder whose output goes into fragments
 * of the grid.  Every chunk of a rung must have the same parameter sets, so
 * nothing here depends on the pictures but their colour tags.
 *
 * At the start of a film an encoder knows nothing of what its pictures take,
 * in the middle it does.  So that a chunk's first picture is no worse than
 * in one piece, an encoder gets the first few twice: ahead of their time,
 * which is thrown away, and at it.
 */

#ifndef REEL_WORKERD_AV_RUNG_H
#define REEL_WORKERD_AV_RUNG_H

#include <libavcodec/avcodec.h>

#include "lib/job/task.h"
#include "workerd/av_codec.h"
#include "workerd/av_frag.h"

typedef struct {
    const reel_encode_video_t *task;    /* borrowed */
    const reel_video_rung_t   *rung;
    const reel_av_codec_t     *codec;
    AVCodecContext            *enc;
    AVPacket                  *pkt;
    AVFrame                   *frame;
    reel_av_frag_t             out;
    uint32_t                   gop;     /* the fragment that is open */
    uint32_t                   unit;    /* ticks of one of enc's pts */

    AVFrame                   *held[REEL_AV_WARM];  /* those, owned */
    unsigned                   nheld;
    bool                       warmed;  /* none are held any more */
    int64_t                    first;   /* enc's pts of what is kept */
} reel_av_rung_t;

/* r zeroed before; like: a picture as it comes out of the filter */
int reel_av_rung_open(reel_av_rung_t *r, const reel_encode_video_t *task,
    const reel_video_rung_t *rung, const AVFrame *like, int fd,
    reel_av_fault_t *f);
void reel_av_rung_close(reel_av_rung_t *r);

/* encodes picture at tick; key: it starts a GOP.  picture stays untouched */
int reel_av_rung_encode(reel_av_rung_t *r, const AVFrame *picture,
    int64_t tick, bool key, reel_av_fault_t *f);

/* the end of the chunk: drains the encoder, fills o (borrows r's memory) */
int reel_av_rung_finish(reel_av_rung_t *r, reel_encoded_t *o,
    reel_av_fault_t *f);

/* what its header says of the light: of pictures not kept in HDR nothing */
reel_hdr_t reel_av_rung_hdr(const reel_video_rung_t *r,
    const reel_encode_video_t *t);

/* what else o tells, of a rung whose codec has this configuration */
int reel_av_rung_tell(reel_encoded_t *o, const reel_encode_video_t *t,
    const reel_video_rung_t *r, reel_str_t config, reel_av_fault_t *f);

#endif

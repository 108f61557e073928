/*
 * One trial encode: pictures of a size at a CRF, in haste, decoded again
 * and compared with what went in.  Nothing of it is kept but two numbers.
 */

#ifndef REEL_WORKERD_AV_TRIAL_H
#define REEL_WORKERD_AV_TRIAL_H

#include <libavcodec/avcodec.h>

#include "lib/job/source.h"
#include "workerd/av_meter.h"

typedef struct {
    AVCodecContext  *enc, *dec;
    AVPacket        *pkt;
    AVFrame         *frame;
    reel_av_meter_t  meter;
    uint64_t         bytes;
    uint64_t         pictures;
} reel_av_trial_t;

/* t is zeroed before; it may be released after a failure */
int reel_av_trial_open(reel_av_trial_t *t, const reel_trial_t *what,
    reel_rational_t rate, reel_av_fault_t *f);

/* pts rise by one; key: a piece begins.  The picture stays the caller's */
int reel_av_trial_push(reel_av_trial_t *t, AVFrame *picture, bool key,
    reel_av_fault_t *f);

/* no more follow: kbps and loss of `what` */
int reel_av_trial_finish(reel_av_trial_t *t, reel_trial_t *what,
    reel_rational_t rate, reel_av_fault_t *f);

void reel_av_trial_release(reel_av_trial_t *t);

#endif

/*
 * One stream of the source, decoded from a chosen instant on.  Damage in
 * the middle is stepped over: what cannot be decoded is missing, and the
 * caller holds the last picture or pads with silence.
 */

#ifndef REEL_WORKERD_AV_READER_H
#define REEL_WORKERD_AV_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/job/source.h"
#include "workerd/av_open.h"

#define REEL_AV_PENDING 64

typedef struct {
    int              fd;
    int              stream;
    uint32_t         threads;
    const reel_jumps_t *jumps;  /* borrowed */
    reel_av_source_t src;
    AVStream        *st;        /* borrowed of src */
    AVCodecContext  *dec;
    AVPacket        *pkt;
    AVFrame         *frame;

    bool             whole;     /* reads from the start of the file */
    bool             used;      /* something was read since it was opened */
    bool             wait_key;  /* after a seek: skip to a key frame */
    unsigned         skipped;
    int64_t          floor;     /* pts of that key frame: what is shown
                                   before it may lack its references */
    int64_t          skip_before;   /* pictures that nothing refers to and
                                       that stand before it are left out */
    int64_t          feed_from; /* packets before it are not decoded */
    bool             draining;
    bool             peeked;    /* frame holds the next picture already */
    reel_av_lead_t   lead;
    reel_combed_t    combed;    /* what to say of each picture, if not NO */
    unsigned         errors;    /* of the decoder, at the end */
    uint64_t         decoded;   /* frames, over all starts */

    /* what was damaged since the start, in [judge_from, judge_to) */
    int64_t          judge_from, judge_to;
    uint32_t         damaged;   /* packets and frames */
    int64_t          damaged_at;        /* pts of the first one */
    int64_t          fed_ts;            /* of the last packet */

    /*
     * Containers without pts.  H.264: the n-th picture shown has the n-th
     * smallest dts.  The older codecs lag by exactly one packet where they
     * reorder, and drop pictures that lack a reference: what a packet
     * pushes out is shown at the time of the packet before.
     */
    bool             by_order;
    bool             order_known;
    int64_t          last_ts;   /* of the last packet that was fed */
    int64_t          prev_ts;   /* and of the one before */
    int64_t          pending[REEL_AV_PENDING];      /* ascending */
    unsigned         npending;
} reel_av_reader_t;

/* r is zeroed before; it may be closed after a failure */
int reel_av_reader_open(reel_av_reader_t *r, int fd, int stream,
    const reel_jumps_t *jumps, uint32_t threads, reel_av_fault_t *f);

/*
 * Decoding from a key frame to what is wanted costs less without the
 * pictures in between that no other needs.
 */
void reel_av_reader_skip_before(reel_av_reader_t *r, int64_t pts);

/*
 * For formats whose seeks are rough: packets are read on from here, and those
 * before pts are not decoded.
 */
void reel_av_reader_pass(reel_av_reader_t *r, int64_t pts);

void reel_av_reader_close(reel_av_reader_t *r);

/*
 * What lies outside of it is another's to complain of.  Tells the parent,
 * in times of the film, what was damaged; 0 or -1.
 */
void reel_av_reader_judge(reel_av_reader_t *r, int64_t from, int64_t to);
int reel_av_reader_tell(const reel_av_reader_t *r, reel_child_t *c,
    int64_t origin, reel_av_fault_t *f);

/*
 * Goes to the key frame at or before ts.  ok() is asked about the first
 * frame's pts that comes out; as long as it says no, an earlier place is
 * tried, at last the start of the file.  This covers demuxers that seek
 * roughly, key frames that are none, and streams that need a recovery.
 */
int reel_av_reader_start(reel_av_reader_t *r, int64_t ts,
    bool (*ok)(void *arg, int64_t pts), void *arg, reel_av_fault_t *f);

/*
 * 1: *frame is the next one, in order of presentation, r's own until the
 * next call; its pts may be AV_NOPTS_VALUE.  0: the end.  -1: fault.
 */
int reel_av_reader_next(reel_av_reader_t *r, AVFrame **frame,
    reel_av_fault_t *f);

#endif

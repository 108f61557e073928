/*
 * A staged output that grows by CMAF fragments: samples are gathered until
 * the fragment is complete, then moof and mdat are written at once.  Holds
 * one fragment in memory.
 */

#ifndef REEL_WORKERD_AV_FRAG_H
#define REEL_WORKERD_AV_FRAG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/job/task.h"
#include "lib/mp4/cmaf.h"
#include "workerd/av_fault.h"

typedef struct {
    int                 fd;         /* borrowed */
    reel_cmaf_track_t   track;      /* its config lies in config */
    uint32_t            delay;      /* frames that decoding runs ahead, … */
    uint32_t            frame_ts;   /* … and their ticks */
    reel_buf_t          config;     /* owned copy of the codec's */
    reel_buf_t          header;     /* the CMAF header */

    reel_buf_t          data;       /* of the fragment that is open */
    size_t              mark;       /* bytes of it that have their sample */
    reel_cmaf_sample_t *samples;
    int64_t            *pts;        /* ticks */
    int64_t            *sorted;
    uint32_t            nsamples;
    uint32_t            cap;

    uint64_t            written;    /* bytes in fd */
    uint64_t            object;     /* where the current object begins */
    reel_ix_fragment_t *frags;      /* of the current object */
    uint32_t            nfrags;
    uint32_t            frags_cap;
    uint64_t            total;      /* samples in it */
} reel_av_frag_t;

/*
 * w zeroed before; config is copied.  Where pictures are reordered (at a
 * constant rate only) the caller sets delay and frame_ts.
 */
int reel_av_frag_init(reel_av_frag_t *w, int fd,
    const reel_cmaf_track_t *track, reel_av_fault_t *f);
void reel_av_frag_release(reel_av_frag_t *w);

/* begins an object: writes the CMAF header */
int reel_av_frag_begin(reel_av_frag_t *w, reel_av_fault_t *f);

/*
 * One sample, in decode order, at presentation tick pts.  The bytes are
 * those appended to w->data since the last call.
 */
int reel_av_frag_add(reel_av_frag_t *w, int64_t pts, bool sync,
    reel_av_fault_t *f);

/*
 * Completes fragment `number`, which presents [start, end), the first
 * sample at start.
 */
int reel_av_frag_close(reel_av_frag_t *w, uint32_t number, int64_t start,
    int64_t end, reel_av_fault_t *f);

/* the same of a fragment of the grid */
int reel_av_frag_close_gop(reel_av_frag_t *w, const reel_grid_t *g,
    uint32_t number, reel_av_fault_t *f);

/*
 * Makes the object durable and fills o's header, base, bytes, frags,
 * nfrags and samples, borrowed from w until reel_av_frag_next.
 */
int reel_av_frag_end(reel_av_frag_t *w, reel_encoded_t *o,
    reel_av_fault_t *f);

/* forgets the object that ended; another may begin behind it */
void reel_av_frag_next(reel_av_frag_t *w);

#endif

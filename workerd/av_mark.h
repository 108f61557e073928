/*
 * A watermark: an image over each picture of each rendition, as wide as a
 * part of it.
 */

#ifndef REEL_WORKERD_AV_MARK_H
#define REEL_WORKERD_AV_MARK_H

#include <libavutil/frame.h>

#include "lib/base/buf.h"
#include "lib/job/pipeline.h"
#include "workerd/av_fault.h"

typedef struct {
    const reel_mark_t *how;         /* borrowed */
    AVFrame           *picture;     /* as it is in the file; owned */
} reel_av_mark_t;

/* m zeroed before, and its `how` set; fd: a PNG, read from its start */
int reel_av_mark_read(reel_av_mark_t *m, int fd, reel_av_fault_t *f);
void reel_av_mark_release(reel_av_mark_t *m);

/*
 * Of a graph's description: "[m]" over "[b]", a picture of that size, to
 * "[o]", each with the number i behind its letter.  bt709: the matrix of b,
 * else it is 601's.
 */
void reel_av_mark_print(reel_buf_t *b, const reel_av_mark_t *m, unsigned i,
    uint32_t width, uint32_t height, bool bt709);

#endif

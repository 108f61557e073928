/*
 * Interlaced pictures of which nothing says that they are: two fields of
 * different instants, woven into one.  libavfilter's idet looks at the first
 * pictures of a film.
 */

#ifndef REEL_WORKERD_AV_COMB_H
#define REEL_WORKERD_AV_COMB_H

#include <stdbool.h>

#include <libavformat/avformat.h>

#include "lib/job/source.h"
#include "workerd/av_filter.h"

typedef struct {
    reel_av_graph_t  graph;
    reel_av_fault_t  fault;     /* if any, the film goes on as it says */
    AVFrame         *out;
    unsigned         seen, top, bottom, progressive, repeated;
} reel_comb_t;

/* whether its codec, size and rate are those of old tapes and broadcasts */
bool reel_comb_may_be(const AVStream *st);

/* c zeroed before the first; frame stays the caller's */
void reel_comb_see(reel_comb_t *c, AVFrame *frame, AVRational tb);

/* whether the end will be REEL_COMBED_NO, whatever the rest of `most` pictures
   is */
bool reel_comb_settled(const reel_comb_t *c, unsigned most);

/* what all of them say together; c is of no more use */
reel_combed_t reel_comb_end(reel_comb_t *c);

void reel_comb_release(reel_comb_t *c);

#endif

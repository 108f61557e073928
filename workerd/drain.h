/*
 * The end of a daemon: it claims nothing more, gives back at once what a
 * claim under way still brings, lets its children finish for up to drain_s,
 * then kills them and gives their tasks back; the loop stops when all is
 * told to Redis and no claim is unanswered, or 5 s later.
 */

#ifndef REEL_WORKERD_DRAIN_H
#define REEL_WORKERD_DRAIN_H

#include "workerd/worker.h"

/* a second call does not wait for the children */
void reel_drain(reel_worker_t *w);

#endif

/*
 * The end of a daemon: it claims nothing more, lets its children finish for
 * up to drain_s, then kills them and gives their tasks back; the loop stops
 * when all is told to Redis, or 5 s later.
 */

#ifndef REEL_WORKERD_DRAIN_H
#define REEL_WORKERD_DRAIN_H

#include "workerd/worker.h"

/* a second call does not wait for the children */
void reel_drain(reel_worker_t *w);

#endif

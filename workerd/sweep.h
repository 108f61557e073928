/*
 * Sweeps the store every sweep_s, in a child: a pass may list and delete
 * for long, and the main loop must not.
 */

#ifndef REEL_WORKERD_SWEEP_H
#define REEL_WORKERD_SWEEP_H

#include "workerd/worker.h"

reel_sweep_t *reel_sweep_new(reel_worker_t *w);     /* NULL: no memory */
void reel_sweep_free(reel_sweep_t *s);              /* NULL is fine */

#endif

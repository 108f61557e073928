/* how much work there is, of all workers: asked of the shards, by depth.lua */

#ifndef REEL_WORKERD_DEPTH_H
#define REEL_WORKERD_DEPTH_H

#include "workerd/worker.h"

/* d: of the shards that told; NULL: none did */
typedef void (*reel_depth_fn)(void *arg, const reel_depth_t *d);

typedef struct {
    reel_depth_fn fn;
    void         *arg;
    unsigned      awaited;      /* answers of shards, … */
    unsigned      told;         /* … those that came, … */
    reel_depth_t  depth;        /* … and their sum */
} reel_depth_ask_t;

/*
 * ask->fn is called once, from the loop; ask is the caller's and stands until
 * then.  REEL_AGAIN, REEL_NOMEM: it will not be.
 */
reel_err_t reel_depth_ask(const reel_shards_t *shards, reel_depth_ask_t *ask)
    REEL_WARN_UNUSED;

#endif

/* how much work there is, of all workers: asked of Redis, by depth.lua */

#ifndef REEL_WORKERD_DEPTH_H
#define REEL_WORKERD_DEPTH_H

#include "workerd/worker.h"

/* d: NULL when Redis did not tell */
typedef void (*reel_depth_fn)(void *arg, const reel_depth_t *d);

typedef struct {
    reel_depth_fn fn;
    void         *arg;
} reel_depth_ask_t;

/*
 * ask->fn is called once, from the loop; ask is the caller's and stands until
 * then.  REEL_AGAIN, REEL_NOMEM: it will not be.
 */
reel_err_t reel_depth_ask(reel_redis_t *redis, reel_depth_ask_t *ask)
    REEL_WARN_UNUSED;

#endif

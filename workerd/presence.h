/*
 * A worker's place in the worker queue of each shard: K:workers and
 * K:worker:<id>, told every 10 s with Redis's own clock; what it has free,
 * and that it drains, within a second of each change.  At each connect it also
 * looks at what kind of Redis that is.
 */

#ifndef REEL_WORKERD_PRESENCE_H
#define REEL_WORKERD_PRESENCE_H

#include "workerd/worker.h"

reel_presence_t *reel_presence_new(reel_worker_t *w);   /* NULL: no memory */
void reel_presence_free(reel_presence_t *p);            /* NULL is fine */

/* tells what changed since it was told last, now */
void reel_presence_look(reel_presence_t *p);

/* w's pipelines are others now */
void reel_presence_pipelines(reel_presence_t *p);

/*
 * The worker ends: it leaves the queue, with its first call, and is heard of
 * no more.  true: no shard is to answer that any more.
 */
bool reel_presence_leave(reel_presence_t *p);

/* a shard is connected */
void reel_presence_up(reel_presence_t *p, reel_redis_t *r);

#endif

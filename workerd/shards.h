/*
 * The shards of Redis: a connection each.  Everything of an asset lies in the
 * one that its id says (lib/job/keys.h); one that is away keeps nobody from
 * the others.
 *
 * Each shard holds for how many it was set up.  The first is asked first; the
 * others are set up by what it says.  One that holds another number than the
 * configuration refuses this worker, which then ends.
 */

#ifndef REEL_WORKERD_SHARDS_H
#define REEL_WORKERD_SHARDS_H

#include "workerd/worker.h"

/* up: connected, and of our number of shards */
typedef void (*reel_shards_fn)(reel_worker_t *w, reel_redis_t *r);
typedef void (*reel_shards_wake_fn)(reel_worker_t *w, reel_redis_t *r,
    reel_str_t message);

/* as w->conf.redis says.  NULL: no memory.  Nothing happens yet */
reel_shards_t *reel_shards_new(reel_worker_t *w, reel_shards_fn up,
    reel_shards_wake_fn wake);
void reel_shards_free(reel_shards_t *s);        /* NULL is fine */

/* connects */
void reel_shards_start(reel_shards_t *s);

unsigned reel_shards_count(const reel_shards_t *s);
unsigned reel_shards_up(const reel_shards_t *s);        /* so many are */

/* k-th of them; the one that id, an asset's or a job's, lies in */
reel_redis_t *reel_shards_at(const reel_shards_t *s, unsigned k);
reel_redis_t *reel_shards_of(const reel_shards_t *s, reel_str_t id);

/* a shard holds so many, which are not ours: the worker ends */
void reel_shards_refused(reel_shards_t *s, unsigned held);

#endif

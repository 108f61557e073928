/* what the shards say of the queues, as one (docs/redis-keys.md) */

#ifndef REEL_CTL_MERGE_H
#define REEL_CTL_MERGE_H

#include "reelctl/queue.h"

/*
 * fn of each shard, one array behind the other, each object with the "shard"
 * it is of when there are several.  NULL and e: one cannot be read.
 */
typedef json_t *(*reel_ctl_shard_fn)(reel_ctl_redis_t *r, reel_error_t *e);
json_t *reel_ctl_merge(reel_ctl_redis_t *r, reel_ctl_shard_fn fn,
    reel_error_t *e);

/* each queue once, with the tasks of all shards; projects: by "names" */
json_t *reel_ctl_merge_ready(json_t *all);

/* each worker once: it is in all shards */
json_t *reel_ctl_merge_workers(json_t *all);

/* by an integer, or from its end; what is equal stays in order; NULL is fine */
void reel_ctl_merge_sort(json_t *all, const char *name, bool down);

#endif

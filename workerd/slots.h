/*
 * The slots of a daemon: what it can run at once.  Each takes a task by
 * `step`, runs it in a child, tells Redis and takes the next in the same
 * call.  A task holds as many cores as it needs (room.h), a light one none;
 * there are slots besides for those, so that inspecting, planning and
 * publishing never wait for an encode to end.
 *
 * Leases of all slots are renewed together every lease / 3.  Without Redis
 * children go on, and what they made is told when it is back; a lease that
 * was lost meanwhile shows at the next renew, and the child is killed.
 */

#ifndef REEL_WORKERD_SLOTS_H
#define REEL_WORKERD_SLOTS_H

#include "workerd/worker.h"

/* n cores.  NULL: no memory */
reel_slots_t *reel_slots_new(reel_worker_t *w, unsigned n);
void reel_slots_free(reel_slots_t *s);          /* NULL is fine */

/* claims, from any shard that may have something (claim.c) */
void reel_slots_wake(reel_slots_t *s);

/* a shard has, or all may have, what they had not when they were asked */
void reel_slots_heard(reel_slots_t *s, unsigned shard);
void reel_slots_heard_all(reel_slots_t *s);

/* a message of K:wake says that a job ended: true, and its tasks are looked after */
bool reel_slots_ended(reel_slots_t *s, reel_str_t message);

/* a shard is back: leases are renewed, what was not told is told */
void reel_slots_up(reel_slots_t *s, reel_redis_t *r);

/* slots that run something or have something to tell */
unsigned reel_slots_busy(const reel_slots_t *s);
unsigned reel_slots_count(const reel_slots_t *s);

/* a claim is unanswered: it may bring a task that nobody else gets */
bool reel_slots_claiming(const reel_slots_t *s);

/* kills the children; their tasks are given back at once */
void reel_slots_give_back(reel_slots_t *s);

#endif

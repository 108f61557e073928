/*
 * What this worker has for tasks, in all and free at the moment: what a
 * claim tells Redis, which answers with a task that fits (step.lua).
 *
 * Free is what the running tasks leave of it by their needs, and never more
 * than the machine and the control group really have now: their limits may
 * change, and others run there too.  When the store's disk is nearly full
 * nothing fits but light tasks, and when a task found it full nothing does,
 * for a while.
 */

#ifndef REEL_WORKERD_ROOM_H
#define REEL_WORKERD_ROOM_H

#include "workerd/slot.h"

/* memory for tasks, MiB: the configuration's, else most of what there is */
uint32_t reel_room_memory(const reel_config_t *c);

/*
 * MiB that a control group could still have: what its limit leaves, and the
 * cache in what it uses, as far as the machine has one; half of either, for
 * not all of it gives way.
 */
uint64_t reel_room_group(uint64_t limit, uint64_t used, uint64_t cached);

/* a queue's name (docs/redis-keys.md) -> what its tasks need */
reel_err_t reel_room_needs(reel_str_t queue, uint32_t *slots,
    uint32_t *memory_mib) REEL_WARN_UNUSED;

/* light tasks at once: one has its place, more take what cores leave idle */
#define REEL_ROOM_LIGHTS(cores) ((cores) + 1)

/*
 * As if the tasks that leave (slot.h) were gone.  What steps that are under
 * way may take is not free.
 */
reel_room_t reel_room_free(reel_slots_t *s);

/* room without what a task of a queue takes of it, as step.lua counts; true:
   it is a light one */
bool reel_room_shrink(reel_room_t *room, reel_str_t queue);

/* what no task holds: for who looks on, to whom a claim that may yet bring
   nothing (an idle worker asks all the time) is no work */
reel_room_t reel_room_unused(reel_slots_t *s);

/* cores for tasks in all, as reel_room_free found them: a quota may shrink */
uint32_t reel_room_cores(const reel_slots_t *s);

/* MiB that the store must have for anything beside an encode's need: an
   index, an image */
#define REEL_ROOM_STORE_MIB 64

/* a task found no room in the store: unless it has REEL_ROOM_STORE_MIB (the
   task was only too large) nothing is free until it has, 10 s at most */
void reel_room_spend(reel_slots_t *s);
bool reel_room_spent(reel_slots_t *s);

/* what its tasks hold */
reel_use_t reel_room_use(const reel_slots_t *s);

#endif

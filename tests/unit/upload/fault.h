/*
 * A store that dies: it counts what changes the one below it, and from the
 * n-th change on does nothing any more but fail, as for a process that was
 * killed there.  fault_power_loss() then also forgets some of what was
 * written into staged objects and not synced, in any order, some of it torn.
 */

#ifndef REEL_TESTS_UPLOAD_FAULT_H
#define REEL_TESTS_UPLOAD_FAULT_H

#include "lib/store/store.h"

/* n == 0: it never dies */
reel_store_t *fault_new(reel_store_t *inner, unsigned n);
void fault_free(reel_store_t *s);

/* the next sync of a key with this end fails, and what it was to write is
   lost, though the cache shows it, whatever is synced later */
void fault_fail_sync(reel_store_t *s, const char *end);

/* from now on it cannot cut off a beginning */
void fault_no_collapse(reel_store_t *s);

bool fault_dead(const reel_store_t *s);

/* after all handles were closed; seed chooses what is lost */
void fault_power_loss(reel_store_t *s, unsigned seed);

#endif

/*
 * What a child may cost its parent (docs/child-contract.md): whatever a
 * child does, taken over by its source or not, the daemon beside it must
 * not run out of memory, nor stand still over what the child says.
 */

#ifndef REEL_WORKERD_ALLOWANCE_H
#define REEL_WORKERD_ALLOWANCE_H

#include <stddef.h>

#include "workerd/attempt.h"
#include "workerd/sandbox.h"

/*
 * Bytes that a line of a's child may have, its newline too; at most
 * REEL_CHILD_LINE_MAX.  Of an encode: after prepare.
 */
size_t reel_allowance_line(const reel_attempt_t *a);

/*
 * Adds to a->need what n fragments at a bit rate can have: twice the bytes
 * that rate and time make, and room for boxes.
 */
void reel_allowance_need(reel_attempt_t *a, const reel_grid_t *g, uint32_t n,
    uint32_t kbps);

/*
 * Limits of a's child, after prepare.  A file has the configuration's; an
 * output in memory no more than it needs, since memory is what it costs.
 * slots: children that may run at once, all of which share the threads.
 */
reel_limits_t reel_allowance_limits(const reel_attempt_t *a, unsigned slots);

#endif

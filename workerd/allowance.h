/*
 * What a child may cost its parent (docs/child-contract.md): whatever a
 * child does, taken over by its source or not, the daemon beside it must
 * not run out of memory, nor stand still over what the child says.
 */

#ifndef REEL_WORKERD_ALLOWANCE_H
#define REEL_WORKERD_ALLOWANCE_H

#include <stddef.h>

#include "workerd/attempt.h"

/*
 * Bytes that a line of a's child may have, its newline too; at most
 * REEL_CHILD_LINE_MAX.  Of an encode: after prepare.
 */
size_t reel_allowance_line(const reel_attempt_t *a);

#endif

/*
 * How many processes and threads a program has.  Found by a walk from parent
 * to child in /proc, so it costs what the program has, not what the machine
 * has; without CONFIG_PROC_CHILDREN, or where /proc hides it, it finds none.
 */

#ifndef REEL_WORKERD_EXEC_COUNT_H
#define REEL_WORKERD_EXEC_COUNT_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Threads of all processes that descend from `from`, but neither its own nor
 * those of its child `but`.  Zombies count.  What moves meanwhile may count
 * twice or not at all.  It stops beyond most, and is more than that then.
 */
uint32_t reel_exec_count(pid_t from, pid_t but, uint32_t most);

#endif

/* the control group that this process runs in (version 2 only) */

#ifndef REEL_WORKERD_CGROUP_H
#define REEL_WORKERD_CGROUP_H

#include <stddef.h>

/*
 * The first line of a file of it ("cpu.max"), without its newline; what lies
 * at the root that we see when our own group's cannot be found.  NULL: none.
 */
char *reel_cgroup_line(char *dst, size_t cap, const char *file);

#endif

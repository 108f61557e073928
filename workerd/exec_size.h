/*
 * How much a program's folder holds.  Found by a walk of it, so what is
 * removed while a descriptor holds it is not counted.
 */

#ifndef REEL_WORKERD_EXEC_SIZE_H
#define REEL_WORKERD_EXEC_SIZE_H

#include <stdint.h>

/*
 * Bytes on the medium of all that stands in folder; what its links lead to
 * does not.  What goes away meanwhile, or cannot be listed, counts as
 * nothing.  The working directory is left as it was.
 */
uint64_t reel_exec_size(const char *folder);

#endif

/*
 * A ruleset of landlock with all that the running kernel can forbid, whatever
 * the headers know: those of Debian 12 end at ABI 2.
 */

#ifndef REEL_WORKERD_LANDLOCK_H
#define REEL_WORKERD_LANDLOCK_H

#include <stdint.h>

#include "lib/base/err.h"

/* rights of files behind those of ABI 1, and the ABI that has them first */
#define REEL_LANDLOCK_REFER      (UINT64_C(1) << 13)    /* 2 */
#define REEL_LANDLOCK_TRUNCATE   (UINT64_C(1) << 14)    /* 3 */
#define REEL_LANDLOCK_IOCTL_DEV  (UINT64_C(1) << 15)    /* 5 */

typedef struct {
    int      fd;                /* the caller closes it */
    uint64_t handled;           /* rights of files */
} reel_landlock_t;

/*
 * What is handled and has no rule is forbidden: everything is, and as far as
 * the kernel can TCP, abstract sockets and signals to others.
 * REEL_UNSUPPORTED: it has no landlock; else REEL_IO.
 */
reel_err_t reel_landlock_open(reel_landlock_t *l) REEL_WARN_UNUSED;

/* irrevocable, for this thread and those to come; REEL_IO */
reel_err_t reel_landlock_restrict(const reel_landlock_t *l) REEL_WARN_UNUSED;

#endif

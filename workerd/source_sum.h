/*
 * The SHA-256 of a source, taken in the child before libav sees a byte of
 * it: by it twins are found (docs/store.md, Twins).
 */

#ifndef REEL_WORKERD_SOURCE_SUM_H
#define REEL_WORKERD_SOURCE_SUM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/crypt/digest.h"

/*
 * false: it cannot be read, or not within limit_ms.  The latter shows after
 * a second or so, and then is not waited for.
 */
bool reel_source_sum(uint8_t sum[REEL_SHA256_LEN], int fd, uint64_t limit_ms);

/* whether of `size` bytes, `done` of them after ms, all are done in limit_ms */
bool reel_source_sum_pays(uint64_t done, uint64_t size, uint64_t ms,
    uint64_t limit_ms);

#endif

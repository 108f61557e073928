/*
 * Object names of the form "<chunk>-<fence>-<nonce>.mp4", which workerd
 * gives (docs/redis-keys.md: token), are most of an index when they stand
 * as text.  Packed they take less than half.
 */

#ifndef REEL_INDEX_NAME_H
#define REEL_INDEX_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"
#include "lib/index/index.h"

#define REEL_IX_NONCE     8
#define REEL_IX_CHUNK_MAX UINT32_MAX
#define REEL_IX_FENCE_MAX ((uint64_t) INT64_MAX)

typedef struct {
    uint64_t chunk;             /* decimal */
    uint64_t fence;             /* decimal */
    uint8_t  nonce[REEL_IX_NONCE];      /* as 16 hex digits */
} reel_ix_name_t;

/* false when s is not exactly what reel_ix_name_print would make of it */
bool reel_ix_name_parse(reel_ix_name_t *n, reel_str_t s);

/* the values are within their bounds, so it always fits */
void reel_ix_name_print(char dst[REEL_INDEX_OBJECT_NAME + 1],
    const reel_ix_name_t *n);

#endif

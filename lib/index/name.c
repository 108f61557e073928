#include <inttypes.h>
#include <stdio.h>

#include "lib/base/hex.h"
#include "lib/index/name.h"


bool
reel_ix_name_parse(reel_ix_name_t *n, reel_str_t s)
{
    char        again[REEL_INDEX_OBJECT_NAME + 1];
    reel_str_t  chunk, fence, nonce, rest, suffix;

    chunk = reel_str_cut(s, '-', &rest);
    fence = reel_str_cut(rest, '-', &rest);
    nonce = reel_str_cut(rest, '.', &suffix);

    if (suffix.p == NULL
        || reel_str_u64(chunk, REEL_IX_CHUNK_MAX, &n->chunk) != REEL_OK
        || reel_str_u64(fence, REEL_IX_FENCE_MAX, &n->fence) != REEL_OK
        || reel_unhex(n->nonce, REEL_IX_NONCE, nonce) != REEL_OK)
    {
        return false;
    }

    /* leading zeros, upper case, another suffix */
    reel_ix_name_print(again, n);

    return reel_str_eqz(s, again);
}


void
reel_ix_name_print(char dst[REEL_INDEX_OBJECT_NAME + 1],
    const reel_ix_name_t *n)
{
    char  nonce[2 * REEL_IX_NONCE + 1];

    reel_hex(nonce, n->nonce, REEL_IX_NONCE);

    (void) snprintf(dst, REEL_INDEX_OBJECT_NAME + 1,
                    "%" PRIu64 "-%" PRIu64 "-%s.mp4", n->chunk, n->fence,
                    nonce);
}

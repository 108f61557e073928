#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "lib/manifest/manifest.h"


#define FORM         2          /* of what is hashed */
#define SCHEME_CLEAR 0


static void
put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t) (v >> 24);
    p[1] = (uint8_t) (v >> 16);
    p[2] = (uint8_t) (v >> 8);
    p[3] = (uint8_t) v;
}


/*
 * All that decides what "<n>.m4s" holds.  Not the number of fragments: a
 * growing publication keeps its names.  The salt goes in so that a hash
 * cannot be guessed from the counters, and must not come out: hence a
 * cryptographic one.
 */
void
reel_version_hash(char *dst, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    uint8_t  in[2 + 4 + REEL_INDEX_SALT + 4 * 4], out[REEL_SHA256_LEN];

    in[0] = FORM;
    in[1] = SCHEME_CLEAR;
    put32(in + 2, ix->publication);
    memcpy(in + 6, ix->salt, REEL_INDEX_SALT);
    put32(in + 6 + REEL_INDEX_SALT, ix->timescale);
    put32(in + 10 + REEL_INDEX_SALT, ix->gop_ts);
    put32(in + 14 + REEL_INDEX_SALT, o->per);
    put32(in + 18 + REEL_INDEX_SALT, (uint32_t) o->container);

    if (reel_sha256(out, in, sizeof(in)) != REEL_OK) {
        dst[0] = '\0';
        return;
    }

    reel_hex(dst, out, REEL_VERSION_HASH / 2);
}

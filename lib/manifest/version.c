#include "lib/base/hex.h"
#include "lib/crypt/digest.h"
#include "lib/manifest/protection.h"


#define FORM         2          /* of what is hashed */
#define CLEAR        (2 + 4 + REEL_INDEX_SALT + 4 * 4)


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
 * growing publication keeps its names; nor, with opts.salt, the longest
 * segment of a file that grows.  The salt goes in so that a hash
 * cannot be guessed from the counters, and must not come out: hence a
 * cryptographic one.
 */
void
reel_version_hash(char *dst, const reel_index_t *ix,
    const reel_manifest_opts_t *o)
{
    size_t                    n = CLEAR;
    uint8_t                   in[CLEAR + 8 + REEL_KEY];
    uint8_t                   out[REEL_SHA256_LEN];
    const reel_protection_t  *p = o->protection;

    in[0] = FORM;
    in[1] = (uint8_t) reel_protection_scheme(p);
    put32(in + 2, ix->publication);
    memcpy(in + 6, o->salt != NULL ? o->salt : ix->salt, REEL_INDEX_SALT);
    put32(in + 6 + REEL_INDEX_SALT, ix->timescale);
    put32(in + 10 + REEL_INDEX_SALT, o->salt != NULL ? 0 : ix->gop_ts);
    put32(in + 14 + REEL_INDEX_SALT, o->per);
    put32(in + 18 + REEL_INDEX_SALT, (uint32_t) o->container);

    if (p != NULL) {
        put32(in + n, p->period);
        put32(in + n + 4, p->variant);
        n += 8 + REEL_KEY;
    }

    if ((p != NULL
         && reel_key_iv(in + n - REEL_KEY, &p->keys, REEL_STR("version"), 0)
            != REEL_OK)
        || reel_sha256(out, in, n) != REEL_OK)
    {
        dst[0] = '\0';
        return;
    }

    reel_hex(dst, out, REEL_VERSION_HASH / 2);
}

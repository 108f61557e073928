/*
 * Content keys: derived, never stored.  Everything follows from a master key,
 * the salt of a publication and words that say what a key is for, so nodes
 * that have the same master key need to tell each other nothing.
 *
 *   key = HKDF-SHA256(master key, salt, "reel1 key <scheme> <asset> <track> <period>")
 *   iv  = the same with "iv": constant IVs of cbcs
 *   KID = 12 bytes of HKDF-SHA256(master key, salt, "reel1 kid <scheme> <asset> <track>"),
 *         then the period as 32 bits, big-endian
 *
 * so whoever is asked for the key of a KID finds its period there.  A salt
 * belongs to one publication of one asset, so the project needs no word.
 */

#ifndef REEL_CRYPT_KEYS_H
#define REEL_CRYPT_KEYS_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_MASTER_KEY  32
#define REEL_KEY         16
#define REEL_KID         16
#define REEL_TRACK_MAX   96     /* bytes of `track` below */

typedef enum {
    REEL_SCHEME_CLEAR,
    REEL_SCHEME_AES128,         /* whole segments: RFC 8216, METHOD=AES-128 */
    REEL_SCHEME_CENC,           /* ISO 23001-7, 10.1: AES-CTR, subsamples */
    REEL_SCHEME_CBCS            /* 10.4: AES-CBC, pattern 1:9; in transport
                                   streams Apple's SAMPLE-AES */
} reel_scheme_t;

#define REEL_SCHEMES  4

/* "clear", "aes-128", "cenc", "cbcs" */
const char *reel_scheme_name(reel_scheme_t scheme);

typedef struct {
    const uint8_t *master;      /* REEL_MASTER_KEY bytes */
    const uint8_t *salt;        /* 16 */
    reel_str_t     asset;       /* id */
    reel_scheme_t  scheme;
} reel_key_source_t;

typedef struct {
    uint8_t key[REEL_KEY];
    uint8_t kid[REEL_KID];
} reel_content_key_t;

/*
 * track: what shares a key, "video" or "audio"; with AES-128, whose IVs are
 * sequence numbers, all that decides the bytes of a segment of that number.
 * REEL_INVAL: asset or track are too long.
 */
reel_err_t reel_key_derive(reel_content_key_t *k, const reel_key_source_t *s,
    reel_str_t track, uint32_t period) REEL_WARN_UNUSED;

/* an IV that no other track, here a rendition, has with this key */
reel_err_t reel_key_iv(uint8_t iv[REEL_KEY], const reel_key_source_t *s,
    reel_str_t track, uint32_t period) REEL_WARN_UNUSED;

/* its KID alone */
reel_err_t reel_key_kid(uint8_t kid[REEL_KID], const reel_key_source_t *s,
    reel_str_t track, uint32_t period) REEL_WARN_UNUSED;

/* are they of one track, of whatever periods? */
bool reel_kid_is_track(const uint8_t a[REEL_KID], const uint8_t b[REEL_KID]);

/*
 * The same by KID: REEL_NOTFOUND when it is not one of that track, or of a
 * period from `periods` on.
 */
reel_err_t reel_key_find(reel_content_key_t *k, const reel_key_source_t *s,
    reel_str_t track, const uint8_t kid[REEL_KID], uint32_t periods)
    REEL_WARN_UNUSED;

/* "0123…-…" of RFC 9562: 36 characters and a terminator */
void reel_kid_print(char dst[37], const uint8_t kid[REEL_KID]);

#endif

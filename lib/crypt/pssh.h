/*
 * What license systems are told beside the media: pssh boxes (ISO 23001-7,
 * 8.1) of Widevine, PlayReady and of the W3C's common form, which ClearKey
 * uses.  All of it follows from KIDs.
 */

#ifndef REEL_CRYPT_PSSH_H
#define REEL_CRYPT_PSSH_H

#include "lib/base/buf.h"
#include "lib/crypt/keys.h"

typedef enum {
    REEL_SYSTEM_COMMON,         /* W3C cenc init data: ClearKey */
    REEL_SYSTEM_WIDEVINE,
    REEL_SYSTEM_PLAYREADY
} reel_system_t;

#define REEL_SYSTEMS  3

/* "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b" */
const char *reel_system_id(reel_system_t system);

/*
 * Appends the box of one system for n keys (scheme cenc or cbcs).  PlayReady:
 * a header object of version 4.3, which names schemes and several KIDs; its
 * license server is the player's to know.
 */
void reel_pssh(reel_buf_t *b, reel_system_t system, reel_scheme_t scheme,
    const reel_content_key_t *keys, unsigned n);

/* the same without the box around it: PlayReady's mspr:pro */
void reel_pssh_playready(reel_buf_t *b, reel_scheme_t scheme,
    const reel_content_key_t *keys, unsigned n);

#endif

/*
 * The file of master keys, which content keys are derived from: JSON,
 *
 *   {"master_keys": [{"id": 0, "key": "<64 hexadecimal digits>"}]}
 *
 * An index names the id of its key; what does not say one has 0.  Parsed from
 * bytes; the caller reads the file.
 */

#ifndef REEL_AUTH_MASTER_KEYS_H
#define REEL_AUTH_MASTER_KEYS_H

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/crypt/keys.h"

#define REEL_MASTER_KEYS_MAX  64

typedef struct {
    uint32_t id;
    uint8_t  key[REEL_MASTER_KEY];
} reel_master_key_t;

typedef struct {
    reel_master_key_t keys[REEL_MASTER_KEYS_MAX];
    size_t            n;
} reel_master_keys_t;

/* REEL_BADDATA with a text that names entry and field, never a key's bytes */
reel_err_t reel_master_keys_parse(reel_master_keys_t *k, const char *json,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;

/* wipes the keys */
void reel_master_keys_release(reel_master_keys_t *k);

/* NULL: there is none of that id */
const uint8_t *reel_master_keys_find(const reel_master_keys_t *k,
    uint32_t id);

#endif

/*
 * The access-key file: JSON,
 *
 *   {"access_keys": [{"id": "REEL…", "secret": "…", "project": "default",
 *                     "buckets": ["video"]}]}
 *
 * and beside "buckets", in a key with quotas, numbers from 1 on:
 *
 *   "max_open_uploads": 100, "max_open_bytes": 1099511627776
 *
 * ids are unique in the file and [A-Za-z0-9._-]{1,128}; a project is
 * [a-z0-9-]{1,32}, a secret 16 … 128 bytes, a bucket [A-Za-z0-9._-]{1,63}
 * without a leading dot.  A bucket belongs to one project; keys of that
 * project may share it, so that one can replace another.  Parsed from bytes;
 * the caller reads the file.
 */

#ifndef REEL_AUTH_KEYS_H
#define REEL_AUTH_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

typedef struct {
    char    *id;
    char    *secret;
    char    *project;
    char   **buckets;
    size_t   nbuckets;
    uint64_t max_open_uploads;      /* 0: no quota */
    uint64_t max_open_bytes;
} reel_access_key_t;

typedef struct {
    reel_access_key_t *keys;
    size_t             nkeys;
} reel_access_keys_t;

/*
 * REEL_BADDATA with a text that names entry and field, never a secret's
 * bytes.  On success release it.
 */
reel_err_t reel_access_keys_parse(reel_access_keys_t *k, const char *json,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;

/* wipes the secrets; a zeroed object may be released */
void reel_access_keys_release(reel_access_keys_t *k);

/* NULL: no such key; borrowed from k */
const reel_access_key_t *reel_access_keys_find(const reel_access_keys_t *k,
    reel_str_t id);
bool reel_access_key_has_bucket(const reel_access_key_t *k, reel_str_t b);

#endif

/* SHA-256 and HMAC-SHA256 over OpenSSL's EVP */

#ifndef REEL_CRYPT_DIGEST_H
#define REEL_CRYPT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

#define REEL_SHA256_LEN 32

typedef struct reel_sha256_s reel_sha256_t;

reel_sha256_t *reel_sha256_new(void);                   /* NULL: no memory */
reel_err_t reel_sha256_update(reel_sha256_t *h, const void *p, size_t n)
    REEL_WARN_UNUSED;
/* finishes and frees h */
reel_err_t reel_sha256_final(reel_sha256_t *h,
    uint8_t out[REEL_SHA256_LEN]) REEL_WARN_UNUSED;
void reel_sha256_free(reel_sha256_t *h);                /* NULL is fine */

/* of n bytes at once */
reel_err_t reel_sha256(uint8_t out[REEL_SHA256_LEN], const void *p, size_t n)
    REEL_WARN_UNUSED;

/* of n parts, one behind the other: what keeps them apart is in them */
reel_err_t reel_sha256_parts(uint8_t out[REEL_SHA256_LEN],
    const reel_str_t *parts, size_t n) REEL_WARN_UNUSED;

reel_err_t reel_hmac_sha256(uint8_t out[REEL_SHA256_LEN], const void *key,
    size_t key_len, const void *p, size_t n) REEL_WARN_UNUSED;

/* constant time */
int reel_memeq(const void *a, const void *b, size_t n);

#endif

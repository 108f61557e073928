/* AES-128 over OpenSSL's EVP: runs of bytes, a call each */

#ifndef REEL_CRYPT_AES_H
#define REEL_CRYPT_AES_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define REEL_AES_BLOCK  16

typedef enum {
    REEL_AES_CTR,               /* any lengths */
    REEL_AES_CBC                /* whole blocks, no padding */
} reel_aes_mode_t;

typedef struct reel_aes_s  reel_aes_t;

/* NULL: no memory */
reel_aes_t *reel_aes_new(reel_aes_mode_t mode, const uint8_t key[16]);
void reel_aes_free(reel_aes_t *a);              /* NULL is fine */

/* begins a chain of blocks; what follows continues it */
reel_err_t reel_aes_begin(reel_aes_t *a, const uint8_t iv[16])
    REEL_WARN_UNUSED;

/* encrypts; out and in are the same or do not overlap */
reel_err_t reel_aes_run(reel_aes_t *a, uint8_t *out, const uint8_t *in,
    size_t n) REEL_WARN_UNUSED;

#endif

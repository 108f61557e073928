/*
 * The signature of the Standard Webhooks specification, version v1: an
 * HMAC-SHA256 over "<id>.<timestamp>.<body>", in base64 behind "v1,".
 */

#ifndef REEL_HOOK_SIGN_H
#define REEL_HOOK_SIGN_H

#include <stdint.h>

#include "lib/base/buf.h"

#define REEL_HOOK_SECRET_MIN 24         /* bytes, as the specification says */
#define REEL_HOOK_SECRET_MAX 64
#define REEL_HOOK_SECRETS    4          /* more than one while they change */

typedef struct {
    uint8_t key[REEL_HOOK_SECRET_MAX];
    size_t  len;
} reel_hook_secret_t;

typedef struct {
    reel_hook_secret_t secret[REEL_HOOK_SECRETS];
    size_t             n;
} reel_hook_secrets_t;

/*
 * A file of secrets, one a line as "whsec_<base64>"; empty lines and those
 * that begin with '#' are passed over.  REEL_BADDATA names the line, never
 * what stands in it.  Clear s with explicit_bzero.
 */
reel_err_t reel_hook_secrets_parse(reel_hook_secrets_t *s, const char *text,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;

/* appends the header's value, "v1,<base64>" for each secret, by blanks */
reel_err_t reel_hook_sign(reel_buf_t *b, const reel_hook_secrets_t *s,
    const char *id, int64_t timestamp_s, const void *body, size_t len)
    REEL_WARN_UNUSED;

#endif

/*
 * Bearer tokens of the API: JSON Web Tokens (RFC 7519), HS256 with an access
 * key's secret (kid = the key's id).  Own code over EVP and jansson because
 * no one API of libjwt spans Debian 12 (1.10) to sid (3.x).  Tokens of
 * playback are play_token.h.
 */

#ifndef REEL_AUTH_JWT_H
#define REEL_AUTH_JWT_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_JWT_MAX     4096   /* bytes of a token: REEL_JWS_MAX */
#define REEL_JWT_LEEWAY_S  60

typedef struct {
    char    kid[129];           /* "" when absent */
    char    sub[129];
    char    aud[65];
    int64_t exp;                /* Unix seconds; required */
    int64_t nbf;                /* 0 when absent */
} reel_jwt_t;

/*
 * Parses without checking: to learn kid.  REEL_BADDATA for anything but
 * three base64url parts with alg HS256 (alg none, RS256 … are
 * REEL_UNSUPPORTED), REEL_LIMIT over REEL_JWT_MAX.
 */
reel_err_t reel_jwt_peek(reel_jwt_t *t, reel_str_t token, reel_error_t *e)
    REEL_WARN_UNUSED;

/*
 * Checks signature, exp and nbf (with the leeway), aud (one of a list
 * will do; NULL: any).  REEL_DENIED with a reason in e: "signature",
 * "expired", "not yet valid", "wrong audience"; else as reel_jwt_peek.
 */
reel_err_t reel_jwt_verify(reel_jwt_t *t, reel_str_t token,
    reel_str_t secret, const char *aud, int64_t now_s, reel_error_t *e)
    REEL_WARN_UNUSED;

/* appends a signed token with t's claims */
reel_err_t reel_jwt_sign(reel_buf_t *out, const reel_jwt_t *t,
    reel_str_t secret) REEL_WARN_UNUSED;

#endif

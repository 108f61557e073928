/*
 * Keys of tokens: a JWK Set (RFC 7517), of kty oct, RSA, EC on P-256 and OKP
 * on Ed25519 (RFC 7518, 6; RFC 8037, 2).  A key has one algorithm, that of
 * its kind, and checks or makes signatures of no other (RFC 8725, 3.1).
 * Parsed from bytes; the caller reads the file.
 */

#ifndef REEL_AUTH_JWK_H
#define REEL_AUTH_JWK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_JWK_KID_MAX  128
#define REEL_JWK_SIG_MAX  512   /* of RSA with 4096 bits */
#define REEL_JWKS_MAX     1000  /* keys of a set */

typedef enum {
    REEL_ALG_HS256 = 1,
    REEL_ALG_RS256,
    REEL_ALG_ES256,
    REEL_ALG_EDDSA
} reel_alg_t;

typedef struct {
    char               *kid;
    reel_alg_t          alg;
    bool                signs;          /* has the private part */
    uint8_t            *secret;         /* HS256 */
    size_t              secret_len;
    struct evp_pkey_st *pkey;           /* the others */
} reel_jwk_t;

typedef struct {
    reel_jwk_t *keys;
    size_t      nkeys;
    uint8_t     digest[32];             /* of the file: other keys, another */
} reel_jwks_t;

/*
 * Every key needs a kid, unique in the set; "use" other than "sig" and
 * "alg" other than the kind's are refused, as are secrets under 32 bytes
 * and RSA under 2048 bits (RFC 7518, 3.2, 3.3).  REEL_BADDATA with a text
 * that names entry and member, never a key's bytes.  On success release it.
 */
reel_err_t reel_jwks_parse(reel_jwks_t *k, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;

/* wipes what is secret; a zeroed object may be released */
void reel_jwks_release(reel_jwks_t *k);

/* NULL: none; an empty kid means the only key of a set of one */
const reel_jwk_t *reel_jwks_find(const reel_jwks_t *k, reel_str_t kid);

/* "HS256", as headers have it */
const char *reel_alg_name(reel_alg_t alg);

/*
 * REEL_DENIED when sig is not the key's over input (RFC 7515, 5.2); compares
 * in constant time.
 */
reel_err_t reel_jwk_verify(const reel_jwk_t *k, reel_str_t input,
    const uint8_t *sig, size_t len) REEL_WARN_UNUSED;

/* writes at most REEL_JWK_SIG_MAX bytes; REEL_INVAL: k has no private part */
reel_err_t reel_jwk_sign(const reel_jwk_t *k, reel_str_t input,
    uint8_t sig[REEL_JWK_SIG_MAX], size_t *len) REEL_WARN_UNUSED;

#endif

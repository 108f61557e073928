/*
 * The outside of tokens: three parts of base64url (RFC 7515, 7.1), of which
 * the first two are JSON objects.  For jwt.c and play_token.c.
 */

#ifndef REEL_AUTH_JWS_H
#define REEL_AUTH_JWS_H

#include <jansson.h>
#include <stdint.h>

#include "lib/auth/jwk.h"
#include "lib/base/buf.h"

#define REEL_JWS_MAX       4096 /* bytes of a token */
#define REEL_JWS_TIME_MAX  INT64_C(253402300799)    /* 9999-12-31T23:59:59Z */

typedef struct {
    reel_str_t  header;
    reel_str_t  payload;
    reel_str_t  signature;
    reel_str_t  input;          /* what was signed: header '.' payload */
} reel_jws_t;

/* cuts a token; REEL_LIMIT over REEL_JWS_MAX, else REEL_BADDATA */
reel_err_t reel_jws_split(reel_jws_t *p, reel_str_t token, reel_error_t *e)
    REEL_WARN_UNUSED;

/*
 * A part that is a JSON object in which no name stands twice; NULL with *err
 * set.  what: names it in the text.
 */
json_t *reel_jws_load(reel_str_t part, const char *what, reel_err_t *err,
    reel_error_t *e);

/*
 * alg and kid of a header ("" when absent); "crit" is REEL_UNSUPPORTED, as
 * no extension is understood (RFC 7515, 4.1.11).
 */
reel_err_t reel_jws_header(reel_str_t part, char *alg, size_t alg_cap,
    char *kid, size_t kid_cap, reel_error_t *e) REEL_WARN_UNUSED;

/* an optional string member; REEL_BADDATA when it is not one or too long */
reel_err_t reel_jws_string(char *dst, size_t cap, json_t *v,
    const char *name, reel_error_t *e) REEL_WARN_UNUSED;

/* NumericDate (RFC 7519, 2), 0 when absent; a fraction is dropped */
reel_err_t reel_jws_time(int64_t *dst, json_t *claims, const char *name,
    reel_error_t *e) REEL_WARN_UNUSED;

/* appends '.'-joined header, payload (JSON both) and signature */
reel_err_t reel_jws_sign(reel_buf_t *out, reel_str_t header,
    reel_str_t payload, const reel_jwk_t *key) REEL_WARN_UNUSED;

#endif

/*
 * License requests and licenses of ClearKey (W3C Encrypted Media Extensions,
 * 9.1.3 and 9.1.4): which keys are wanted, and a JWK set of them.
 */

#ifndef REEL_AUTH_LICENSE_H
#define REEL_AUTH_LICENSE_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/crypt/keys.h"

#define REEL_LICENSE_BODY  (16 * 1024)
#define REEL_LICENSE_KIDS  128

typedef struct {
    uint8_t  kids[REEL_LICENSE_KIDS][REEL_KID];
    unsigned n;
    bool     persistent;        /* type: persistent-license */
} reel_license_t;

/* REEL_BADDATA with a text; REEL_LIMIT: too many */
reel_err_t reel_license_parse(reel_license_t *l, const char *json,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;

/* appends the license that gives n keys */
void reel_license_print(reel_buf_t *b, const reel_license_t *l,
    const reel_content_key_t *keys, unsigned n);

#endif

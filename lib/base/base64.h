/* base64 with padding (RFC 4648, 4), and base64url without (5) */

#ifndef REEL_BASE_BASE64_H
#define REEL_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* characters that n bytes take, without the terminator */
#define REEL_BASE64_LEN(n)  (((n) + 2) / 3 * 4)

/* writes REEL_BASE64_LEN(n) characters and a terminator */
void reel_base64(char *dst, const void *src, size_t n);

/*
 * Decodes the whole of s into dst; *n is how many bytes came of it.
 * REEL_INVAL for white space, an alphabet other than RFC 4648's first,
 * padding that is missing, too much or not at the end, and for bits set
 * that no byte has: of each value there is one form.  REEL_LIMIT when it is
 * more than cap bytes.  dst is then undefined.
 */
reel_err_t reel_unbase64(uint8_t *dst, size_t cap, size_t *n, reel_str_t s)
    REEL_WARN_UNUSED;

/* characters that n bytes take in base64url, without the terminator */
#define REEL_BASE64URL_LEN(n)  (((n) * 4 + 2) / 3)

/* writes REEL_BASE64URL_LEN(n) characters and a terminator */
void reel_base64url(char *dst, const void *src, size_t n);

/* as reel_unbase64; here padding is what is refused */
reel_err_t reel_unbase64url(uint8_t *dst, size_t cap, size_t *n,
    reel_str_t s) REEL_WARN_UNUSED;

#endif

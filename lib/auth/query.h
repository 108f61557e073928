/* query strings and percent-encoding, RFC 3986 */

#ifndef REEL_AUTH_QUERY_H
#define REEL_AUTH_QUERY_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/* appends s, all but unreserved characters as %XX; '/' kept on request */
void reel_uri_encode(reel_buf_t *b, reel_str_t s, bool keep_slash);

/*
 * Appends s with %XX decoded; '+' stays, as in a path.  REEL_BADDATA on a
 * broken or %00 escape.
 */
reel_err_t reel_uri_decode(reel_buf_t *b, reel_str_t s) REEL_WARN_UNUSED;

/* takes the next name=value off *query, raw; false at the end */
bool reel_query_next(reel_str_t *query, reel_str_t *name, reel_str_t *value);

/*
 * Raw value of the first parameter of that (unencoded) name.  Names are
 * compared decoded, so that no escape hides a parameter.
 */
bool reel_query_get(reel_str_t query, const char *name, reel_str_t *value);

/*
 * The same, decoded into dst[cap] and terminated; '+' is a space, as it is
 * to the signature.  REEL_NOTFOUND, REEL_BADDATA (escape), REEL_LIMIT (does
 * not fit); then dst is empty.
 */
reel_err_t reel_query_get_decoded(reel_str_t query, const char *name,
    char *dst, size_t cap) REEL_WARN_UNUSED;

#endif

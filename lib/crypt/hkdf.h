/* HKDF with SHA-256 (RFC 5869) */

#ifndef REEL_CRYPT_HKDF_H
#define REEL_CRYPT_HKDF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_HKDF_INFO_MAX  256
#define REEL_HKDF_OUT_MAX   (255 * 32)

/*
 * Extracts from key and salt, expands with info: n bytes to out.  An empty
 * salt is that of 2.2.  REEL_INVAL: info or n are too long.
 */
reel_err_t reel_hkdf_sha256(uint8_t *out, size_t n, reel_str_t key,
    reel_str_t salt, reel_str_t info) REEL_WARN_UNUSED;

#endif

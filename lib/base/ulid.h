/*
 * Asset and upload ids: ULID as 26 characters of lower-case Crockford
 * base32 (48 bits of milliseconds, 80 random bits).  The caller brings the
 * clock and the randomness.
 */

#ifndef REEL_BASE_ULID_H
#define REEL_BASE_ULID_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

#define REEL_ULID_LEN 26

/* dst has REEL_ULID_LEN + 1 bytes */
void reel_ulid(char *dst, uint64_t unix_ms, const uint8_t random[10]);
bool reel_ulid_valid(reel_str_t s);
uint64_t reel_ulid_ms(reel_str_t valid);

#endif

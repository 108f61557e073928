/* lower-case hexadecimal */

#ifndef REEL_BASE_HEX_H
#define REEL_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* writes 2 * n characters and a terminator */
void reel_hex(char *dst, const void *src, size_t n);

/* both cases accepted; s.len must be 2 * n, else REEL_INVAL */
reel_err_t reel_unhex(uint8_t *dst, size_t n, reel_str_t s) REEL_WARN_UNUSED;

#endif

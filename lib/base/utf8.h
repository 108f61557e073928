/* UTF-8 as the Unicode standard defines it (table 3-7) */

#ifndef REEL_BASE_UTF8_H
#define REEL_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define REEL_UTF8_REPLACEMENT "\xef\xbf\xbd"    /* U+FFFD */

/*
 * Length of the well-formed sequence at p, of which left > 0 bytes are there:
 * 1 … 4; 0 when there is none (surrogates and over-long forms are none).
 */
size_t reel_utf8_len(const uint8_t *p, size_t left);

/*
 * Writes code as 1 … 4 bytes; 0, and nothing written, when it is a surrogate
 * or beyond U+10FFFF.
 */
size_t reel_utf8_put(uint8_t dst[4], uint32_t code);

/* the code of a well-formed sequence of n bytes, 1 … 4 */
uint32_t reel_utf8_code(const uint8_t *p, size_t n);

#endif

/* UTF-8 as the Unicode standard defines it (table 3-7) */

#ifndef REEL_BASE_UTF8_H
#define REEL_BASE_UTF8_H

#include <stdbool.h>
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

/*
 * dst (cap > 0 bytes) gets as much of src as fits, in whole characters, and is
 * terminated.  What is no UTF-8, and NUL, becomes U+FFFD; of a line control
 * characters (C0, DEL, C1) become spaces.  The length of dst; 3 × len + 1 bytes
 * hold it whole.
 */
size_t reel_utf8_clean(char *dst, size_t cap, const char *src, size_t len,
    bool line);

#endif

/*
 * reel_bits_t: MSB-first bit reader with Exp-Golomb (ISO 14496-10, 9.1)
 * over bytes from which emulation prevention was already removed.  Sticky
 * error, like reel_reader_t.
 */

#ifndef REEL_BASE_BITS_H
#define REEL_BASE_BITS_H

#include <stdint.h>

#include "lib/base/err.h"

typedef struct {
    const uint8_t *p;
    uint64_t       bit;         /* next bit */
    uint64_t       nbits;
    reel_err_t     err;
} reel_bits_t;

void reel_bits_init(reel_bits_t *b, const void *data, size_t len);
uint32_t reel_bits_u(reel_bits_t *b, unsigned n);       /* n <= 32 */
/* Exp-Golomb: 0 and err on one of more than 32 bits */
uint32_t reel_bits_ue(reel_bits_t *b);

/* one that must not exceed max, else err = REEL_BADDATA */
uint32_t reel_bits_ue_max(reel_bits_t *b, uint32_t max);

/* signed; and n of them, unread */
int32_t  reel_bits_se(reel_bits_t *b);
void     reel_bits_skip_se(reel_bits_t *b, unsigned n);

/* how many bits tell n values apart: Ceil(Log2(n)); n <= 2^63 */
unsigned reel_bits_for(uint64_t n);

#endif

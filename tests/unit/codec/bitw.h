/* a bit writer, the opposite of reel_bits_t: SPS are made by hand with it */

#ifndef REEL_TESTS_BITW_H
#define REEL_TESTS_BITW_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t bytes[2048];
    size_t  bit;
} bitw_t;

void bitw_u(bitw_t *w, unsigned n, uint32_t v);
void bitw_ue(bitw_t *w, uint32_t v);
void bitw_se(bitw_t *w, int32_t v);

/* the stop bit; then escapes into dst (14496-10, 7.3.1), returns its size */
size_t bitw_nal(bitw_t *w, uint8_t *dst, uint8_t head);

#endif

/*
 * The one rescale function: media time is int64_t ticks of a uint32_t
 * timescale, and every change of timescale goes through here, so that one
 * boundary is never rounded in two ways.
 */

#ifndef REEL_BASE_RESCALE_H
#define REEL_BASE_RESCALE_H

#include <stdint.h>

typedef enum { REEL_ROUND_DOWN, REEL_ROUND_UP, REEL_ROUND_NEAR } reel_round_t;

/*
 * v * num / den in 128 bits; DOWN is toward minus infinity, UP toward plus
 * infinity, NEAR half away from zero.  den > 0, num >= 0.  Saturates.
 */
int64_t reel_rescale(int64_t v, uint64_t num, uint64_t den, reel_round_t r);

/* the greatest common divisor; of a number and 0 the number */
uint64_t reel_gcd(uint64_t a, uint64_t b);

#endif

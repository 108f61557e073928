/*
 * Constant or variable frame rate, from the pictures' times alone: what
 * containers claim (r_frame_rate of a phone's clip) is a hint, no more.
 */

#ifndef REEL_WORKERD_AV_RATE_H
#define REEL_WORKERD_AV_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/job/source.h"

/* a source above this is shown at half its rate (or a quarter, …) */
#define REEL_RATE_MAX 62

typedef struct {
    bool            constant;
    reel_rational_t rate;       /* average when variable */
    uint64_t        frames;     /* slots when constant, else pictures */
    unsigned        every;      /* picture that is kept: 1 all, 2 each 2nd, … */
} reel_rate_t;

/*
 * pts: n > 0 times in ticks of tb, ascending.  Constant: every picture
 * falls into a slot of its own, round((pts - first) * rate), and at most
 * one slot in 200 is empty or holds two; where the times are exact, one in
 * 25 may be empty.
 */
void reel_rate_detect(reel_rate_t *r, const int64_t *pts, size_t n,
    reel_rational_t tb, const reel_rational_t *hints, unsigned nhints);

/*
 * The same of a codec that counts pictures at a rate of its own, and leaves
 * out those that are as the one before (Theora).  false: so few are there
 * that they are told by their times alone.
 */
bool reel_rate_fixed(reel_rate_t *r, const int64_t *pts, size_t n,
    reel_rational_t tb, reel_rational_t rate);

#endif

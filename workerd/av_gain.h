/*
 * A sound made louder or quieter, the same over all of its length.  What
 * would go beyond full scale is bent, sample by sample: no state, so that
 * it does not matter where an encode is cut.  Pure.
 */

#ifndef REEL_WORKERD_AV_GAIN_H
#define REEL_WORKERD_AV_GAIN_H

#include <stddef.h>

/*
 * Hundredths of dB from what was measured (hundredths of LUFS) to lufs; 0 for
 * what is nearly silent, and 20 dB at most.
 */
int reel_av_gain(int lufs, int clufs);

/* in place; what would clip is bent below full scale.  0 changes nothing */
void reel_av_gain_apply(float *samples, size_t n, int gain_cdb);

#endif

#include "workerd/av_gain.h"

#include <math.h>

#define SILENT_CLUFS (-5500)
#define MOST_CDB     2000

/* of full scale: up to here a sample stays as it is, and none gets beyond */
#define KNEE     0.7f
#define CEILING  0.89f          /* -1 dB */


int
reel_av_gain(int lufs, int clufs)
{
    int  gain = lufs * 100 - clufs;

    if (clufs <= SILENT_CLUFS) {
        return 0;
    }

    return gain > MOST_CDB ? MOST_CDB : gain;
}


static float
bend(float x)
{
    float  y = fabsf(x);

    if (y <= KNEE) {
        return x;
    }

    y = KNEE + (CEILING - KNEE) * tanhf((y - KNEE) / (CEILING - KNEE));

    return x < 0 ? -y : y;
}


void
reel_av_gain_apply(float *samples, size_t n, int gain_cdb)
{
    float  factor = powf(10.0f, (float) gain_cdb / 2000.0f);

    /* what needs no gain is left alone, however high its peaks */
    if (gain_cdb == 0) {
        return;
    }

    for (size_t i = 0; i < n; i++) {
        samples[i] = bend(samples[i] * factor);
    }
}

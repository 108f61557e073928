/* the encoders' build, as a string without control characters */

#ifndef REEL_WORKERD_FINGERPRINT_H
#define REEL_WORKERD_FINGERPRINT_H

#include <stddef.h>

/*
 * All workers of one store should print the same: chunks of two builds may
 * not fit together (publish then says MISMATCH).
 */
void reel_av_fingerprint(char *dst, size_t cap);

/* csv of the encoders that pipelines may ask for and this build has */
void reel_av_codecs(char *dst, size_t cap);

#endif

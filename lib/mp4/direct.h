/*
 * Is a movie fit to be played as it is, by whatever plays H.264 and AAC?  An
 * upload that is needs no encode before it is seen.
 */

#ifndef REEL_MP4_DIRECT_H
#define REEL_MP4_DIRECT_H

#include <stddef.h>

#include "lib/base/err.h"

/* a longer segment, for want of key frames, keeps a player waiting */
#define REEL_DIRECT_SEGMENT_S 20

/*
 * Looks at the tracks of a moov (its payload): the first picture is H.264 of
 * 8 bits and 4:2:0, of standard range, upright and in use; all that is heard
 * is AAC.  REEL_UNSUPPORTED: e says what is otherwise; REEL_BADDATA.
 */
reel_err_t reel_movie_direct(const void *moov, size_t len, reel_error_t *e)
    REEL_WARN_UNUSED;

#endif

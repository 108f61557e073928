/*
 * Transport and program streams may set their clock anew in the middle: a
 * recorder that was paused, two recordings one behind the other.  The walk
 * over a source finds where (reel_jumps_t of lib/job/source.h), and who
 * reads it later shifts its packets by what was found.
 *
 * A track's time has jumped when it goes back by more than a second, or
 * ahead of all tracks by more than ten.  It goes on where it was, or, so
 * that picture and sound stay together, by the shift of a track that has
 * jumped there before.
 */

#ifndef REEL_WORKERD_AV_CLOCK_H
#define REEL_WORKERD_AV_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/job/source.h"
#include "workerd/av_open.h"

typedef struct {
    reel_jumps_t jumps;
    bool         known;         /* end is */
    int64_t      end;           /* of what was shown or heard; shifted */
} reel_av_track_clock_t;

/* zeroed before */
typedef struct {
    reel_av_track_clock_t track[REEL_AV_MAX_STREAMS];
    const reel_jump_t    *last;         /* of any track, or NULL */
} reel_av_clock_t;

/*
 * Shifts the next packet that was read, of any track, in the order of the
 * file.  Of containers whose clock cannot jump nothing is shifted.  -1 and
 * BAD_MEDIA: more than REEL_SOURCE_JUMPS in one track.
 */
int reel_av_clock_see(reel_av_clock_t *c, const reel_av_source_t *src,
    AVPacket *pkt, reel_av_fault_t *f);

#endif

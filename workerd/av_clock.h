/*
 * Transport and program streams may set their clock anew in the middle: a
 * recorder that was paused, two recordings one behind the other.  The walk
 * over a source finds where (reel_jumps_t of lib/job/source.h), and who
 * reads it later shifts its packets by what was found.
 *
 * A track's decode times have jumped when they go back by more than a
 * second, or ahead of all tracks by more than ten, and more than twice as
 * far as they ever went.  The track goes on by a shift that fits of those
 * before: back from a damaged time, or where another track has jumped, so
 * that picture and sound stay together.  If none does, it goes on where it
 * was.
 */

#ifndef REEL_WORKERD_AV_CLOCK_H
#define REEL_WORKERD_AV_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/job/source.h"
#include "workerd/av_open.h"

typedef struct {
    reel_jumps_t jumps;
    unsigned     seen;          /* packets with times, no more than 2 */
    int64_t      last;          /* the last one's time, shifted */
    int64_t      step;          /* the longest one between two of them */
    int64_t      end;           /* where the next one is awaited */
    bool         full;          /* one jump more than jumps can have */
} reel_av_track_clock_t;

/* zeroed before */
typedef struct {
    reel_av_track_clock_t track[REEL_AV_MAX_STREAMS];
    const reel_jump_t    *last;         /* of any track, or NULL */
} reel_av_clock_t;

/*
 * Shifts the next packet that was read, of any track, in the order of the
 * file.  Of containers whose clock cannot jump nothing is shifted; of a
 * track that jumps more than REEL_SOURCE_JUMPS times the rest is shifted as
 * after the last one.
 */
void reel_av_clock_see(reel_av_clock_t *c, const reel_av_source_t *src,
    AVPacket *pkt);

#endif

/* How loud a sound is by EBU R128. */

#ifndef REEL_WORKERD_AV_LOUDNESS_H
#define REEL_WORKERD_AV_LOUDNESS_H

#include "lib/job/task.h"
#include "workerd/av_fault.h"

/*
 * The sound that t describes, over the whole length of the film, whatever its
 * fragments are: hundredths of LUFS, REEL_CLUFS_MIN of silence.  -1 with f
 * filled.
 */
int reel_av_loudness_measure(int source_fd, const reel_encode_audio_t *t,
    int *clufs, reel_av_fault_t *f);

#endif

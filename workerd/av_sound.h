/*
 * The sound's encoder, AAC or Opus: a unit's samples in, access units of the
 * audio grid out, gathered into fragments and objects.  With units of n
 * samples unit k presents [n k, n (k + 1)): AAC's priming unit in front of
 * the first is dropped, and Opus, whose delay is not a whole unit, is given
 * samples that lie ahead by it.
 */

#ifndef REEL_WORKERD_AV_SOUND_H
#define REEL_WORKERD_AV_SOUND_H

#include <libavcodec/avcodec.h>

#include "lib/job/task.h"
#include "workerd/av_frag.h"

/*
 * Access units that run ahead of the first one kept when resuming, and
 * behind the last one when more follow: the windows of neighbours overlap,
 * and the encoder looks ahead.
 */
#define REEL_AV_PREROLL_AUS  2
#define REEL_AV_POSTROLL_AUS 2
#define REEL_AV_PREROLL_OPUS 4      /* 80 ms, as a decoder wants */

typedef struct {
    reel_child_t              *child;   /* borrowed; gets the objects */
    const reel_encode_audio_t *task;    /* borrowed */
    AVCodecContext            *enc;
    AVPacket                  *pkt;
    reel_av_frag_t             out;
    uint32_t                   frag;    /* that is open */
    uint32_t                   frag_from;
    uint32_t                   object_from;
    int64_t                    au;      /* next access unit to keep */
    int64_t                    next_in; /* of the next line */
    int64_t                    first_au;
    int64_t                    end_au;
    int                        frame;   /* samples of a unit */
    int                        delay;   /* samples that the line must run
                                           ahead of its units */
} reel_av_sound_t;

/* a zeroed before; makes fragments [frag_from, task->frag_to) */
int reel_av_sound_open(reel_av_sound_t *a, reel_child_t *child,
    const reel_encode_audio_t *task, uint32_t frag_from, reel_av_fault_t *f);
void reel_av_sound_close(reel_av_sound_t *a);

/* the same without an encoder, for units that are there: config is theirs */
int reel_av_sound_open_copy(reel_av_sound_t *a, reel_child_t *child,
    const reel_encode_audio_t *task, uint32_t frag_from, reel_str_t config,
    reel_av_fault_t *f);

/* unit a->au: the next one, up to a->end_au */
int reel_av_sound_put(reel_av_sound_t *a, const uint8_t *data, size_t size,
    reel_av_fault_t *f);

/* the lines that reel_av_sound_encode wants: access units [begin, end) */
int64_t reel_av_sound_begin(const reel_av_sound_t *a);
int64_t reel_av_sound_end(const reel_av_sound_t *a);

/* a unit's samples, planar float; frame's pts is overwritten */
int reel_av_sound_encode(reel_av_sound_t *a, AVFrame *frame,
    reel_av_fault_t *f);
int reel_av_sound_finish(reel_av_sound_t *a, reel_av_fault_t *f);

#endif

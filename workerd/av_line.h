/*
 * The sound of the source as one gapless line of output samples: sample n
 * sounds at n / rate of the timeline, whatever the source's clock, format,
 * holes and overlaps.  Holes are silence, overlaps are dropped; a step of
 * less than 18 ms is taken for a jitter of timestamps and ignored (an Opus
 * packet that is missing leaves 20).
 */

#ifndef REEL_WORKERD_AV_LINE_H
#define REEL_WORKERD_AV_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include <libavutil/audio_fifo.h>
#include <libavutil/channel_layout.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>

#include "lib/job/task.h"
#include "workerd/av_fault.h"
#include "workerd/av_reader.h"

/* n samples of the line, planar float, follow the ones before; 0 or -1 */
typedef int (*reel_av_line_sink_t)(void *arg, AVFrame *frame);

typedef struct {
    uint32_t         rate;          /* of the output */
    AVChannelLayout  layout;
    reel_rational_t  tb;            /* of the frames' pts */
    int64_t          origin;

    SwrContext      *swr;           /* NULL before the first frame */
    int              in_rate;
    int              in_format;
    AVChannelLayout  in_layout;
    bool             synced;        /* a frame was placed since swr is new */
    int64_t          in_pos;        /* next input sample, from timeline 0 */
    bool             ends;          /* pts are where frames end */
    int64_t          lattice;       /* where the source's first frame ends,
                                       in input samples … */
    int              lattice_rate;  /* … of that rate; 0 = not known */

    AVFrame         *block;         /* what swr gives */
    AVFrame         *quiet;         /* silence in the input's format */
    AVAudioFifo     *fifo;
    int64_t          out_pos;       /* next sample that swr gives */
    int64_t          start;         /* first sample that goes into fifo */
    int64_t          end;           /* and the first one that does not */

    int              per;           /* samples the sink gets at a time */
    AVFrame         *full;
    reel_av_line_sink_t sink;
    void            *sink_arg;
} reel_av_line_t;

/*
 * l zeroed before.  Samples [start, end) of the timeline will go into the
 * sink, `per` at a time; per divides their number.
 */
int reel_av_line_open(reel_av_line_t *l, const reel_encode_audio_t *t,
    int64_t start, int64_t end, int per, reel_av_line_sink_t sink,
    void *sink_arg, reel_av_fault_t *f);
void reel_av_line_close(reel_av_line_t *l);

/*
 * For a line that begins behind a seek: the first frame of the whole source.
 * One run of it counts samples from there, and times may be coarse
 * (milliseconds): frames that lie, within a tick, whole frames behind it are
 * taken to lie so exactly.
 */
void reel_av_line_refer(reel_av_line_t *l, const AVFrame *first);

/* places one decoded frame; pts may be AV_NOPTS_VALUE: it follows */
int reel_av_line_add(reel_av_line_t *l, const AVFrame *frame,
    reel_av_fault_t *f);

/* what the reader gives, up to its end or the line's */
int reel_av_line_fill(reel_av_line_t *l, reel_av_reader_t *r,
    reel_av_fault_t *f);

/* the source is over: silence up to the end */
int reel_av_line_finish(reel_av_line_t *l, reel_av_fault_t *f);

#endif

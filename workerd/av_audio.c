/*
 * encode_audio: one gapless run over the source's sound:
 *
 *     reader → line (placed, resampled) → AAC or Opus → fragments → objects
 */

#include <string.h>

#include "lib/base/rescale.h"
#include "workerd/av_gain.h"
#include "workerd/av_line.h"
#include "workerd/av_log.h"
#include "workerd/av_loudness.h"
#include "workerd/av_reader.h"
#include "workerd/av_sound.h"


/* decoded ahead of what is needed: codecs settle (Opus asks for 80 ms) */
#define LEAD_IN_MS  1500

#define STEREO      2


typedef struct {
    reel_child_t        *child;
    reel_encode_audio_t  task;
    reel_av_fault_t      fault;
    reel_av_reader_t     reader;
    reel_av_line_t       line;
    reel_av_sound_t      sound;
    int64_t              need_pts;      /* decoding must begin by then */
    int                  gain_cdb;
} audio_t;


static int
sink(void *arg, AVFrame *frame)
{
    audio_t  *a = arg;

    for (int i = 0; a->task.lufs != 0 && i < frame->ch_layout.nb_channels;
         i++)
    {
        reel_av_gain_apply((float *) (void *) frame->extended_data[i],
                           (size_t) frame->nb_samples, a->gain_cdb);
    }

    return reel_av_sound_encode(&a->sound, frame, &a->fault);
}


static bool
early_enough(void *arg, int64_t pts)
{
    audio_t  *a = arg;

    return pts <= a->need_pts;
}


static int
parse(audio_t *a)
{
    reel_err_t    err;
    reel_error_t  e = { "" };

    err = reel_encode_audio_parse(&a->task, a->child->payload.p,
                                  a->child->payload.len, &e);

    return err == REEL_OK ? 0 : reel_av_fault(&a->fault, "INTERNAL",
                                              "payload", "%s", e.text);
}


/* of a short film the encode itself measures, before it begins */
static int
find_gain(audio_t *a)
{
    int  clufs;

    a->gain_cdb = a->child->gain_cdb;

    if (a->task.lufs == 0 || a->task.measured[0] != '\0') {
        return 0;
    }

    if (reel_av_loudness_measure(a->child->source_fd, &a->task, &clufs,
                                 &a->fault) != 0)
    {
        return -1;
    }

    a->gain_cdb = reel_av_gain(a->task.lufs, clufs);

    return 0;
}


static int
prepare(audio_t *a)
{
    uint32_t  from = a->task.frag_from;

    if (a->child->resume_frag > from) {
        from = a->child->resume_frag;
    }

    if (a->child->nout < 1 || a->task.grid.timescale == 0
        || a->task.grid.gop_ts == 0 || a->task.tb.num == 0
        || a->task.tb.den == 0 || a->task.sample_rate < 8000
        || a->task.channels == 0 || a->task.object_frags == 0
        || from >= a->task.frag_to
        || a->task.frag_to > a->task.grid.fragments)
    {
        return reel_av_fault(&a->fault, "INTERNAL", "payload",
                             "the sound cannot be encoded as asked");
    }

    if (find_gain(a) != 0
        || reel_av_reader_open(&a->reader, a->child->source_fd,
                               a->task.stream, &a->task.jumps, 1, &a->fault)
           != 0)
    {
        return -1;
    }

    if (reel_av_sound_open(&a->sound, a->child, &a->task, from, &a->fault)
        != 0)
    {
        return -1;
    }

    return reel_av_line_open(&a->line, &a->task,
                             reel_av_sound_begin(&a->sound) * a->sound.frame
                             + a->sound.delay,
                             reel_av_sound_end(&a->sound) * a->sound.frame
                             + a->sound.delay,
                             a->sound.frame, sink, a, &a->fault);
}


/* the pts of a sample */
static int64_t
source_pts(const audio_t *a, int64_t sample)
{
    return a->task.origin
           + reel_rescale(sample, a->task.tb.den,
                          (uint64_t) a->task.tb.num * a->task.sample_rate,
                          REEL_ROUND_DOWN);
}


static int
start(audio_t *a)
{
    int       rc;
    int64_t   sample, lead;
    AVFrame  *first;

    lead = (int64_t) a->task.sample_rate * LEAD_IN_MS / 1000;
    sample = reel_av_sound_begin(&a->sound) * a->sound.frame - lead;

    if (sample <= 0) {
        return 0;
    }

    rc = reel_av_reader_next(&a->reader, &first, &a->fault);
    if (rc <= 0) {
        return rc;
    }

    reel_av_line_refer(&a->line, first);
    a->need_pts = source_pts(a, sample);

    if (!reel_format_seeks(a->reader.src.fmt->iformat->name)) {
        reel_av_reader_pass(&a->reader, a->need_pts);
        return 0;
    }

    return reel_av_reader_start(&a->reader, a->need_pts, early_enough, a,
                                &a->fault);
}


/* every packet is some stretch's */
static void
judge(audio_t *a)
{
    const reel_av_sound_t  *s = &a->sound;

    reel_av_reader_judge(&a->reader,
                         s->first_au > 0
                         ? source_pts(a, s->first_au * s->frame) : INT64_MIN,
                         a->task.frag_to < a->task.grid.fragments
                         ? source_pts(a, s->end_au * s->frame) : INT64_MAX);
}


/* surround is made of a track that is made into stereo too, which says it */
static int
tell(audio_t *a)
{
    return a->task.channels > STEREO ? 0
           : reel_av_reader_tell(&a->reader, a->child, a->task.origin,
                                 &a->fault);
}


static int
run(audio_t *a)
{
    judge(a);

    if (start(a) != 0
        || reel_av_line_fill(&a->line, &a->reader, &a->fault) != 0)
    {
        return -1;
    }

    /* a resumption may find nothing but the silence behind the sound */
    if (a->reader.decoded == 0 && a->sound.first_au == 0) {
        return reel_av_fault(&a->fault, "BAD_MEDIA", "decode",
                             "no sound could be decoded");
    }

    if (tell(a) != 0 || reel_av_line_finish(&a->line, &a->fault) != 0) {
        return -1;
    }

    return reel_av_sound_finish(&a->sound, &a->fault);
}


int
reel_av_encode_audio(reel_child_t *c)
{
    int      status = 0;
    audio_t  a = { .child = c };

    reel_av_log_init();

    if (parse(&a) != 0) {
        return reel_av_fault_report(c, &a.fault);
    }

    if (a.task.copy) {
        return reel_av_copy_audio(c, &a.task);
    }

    if (prepare(&a) != 0 || run(&a) != 0) {
        status = reel_av_fault_report(c, &a.fault);
    }

    reel_av_line_close(&a.line);
    reel_av_sound_close(&a.sound);
    reel_av_reader_close(&a.reader);

    return status;
}

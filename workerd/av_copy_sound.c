/*
 * encode_audio where nothing is encoded: the access units of the source
 * become fragments and objects, each at its place on the sound's line.
 * inspect has seen that they follow one another.  Where the source has none,
 * ahead of its sound and behind it, there are silent ones.
 */

#include <string.h>

#include "lib/base/rescale.h"
#include "lib/codec/aac.h"
#include "workerd/av_read.h"
#include "workerd/av_sound.h"


typedef struct {
    reel_child_t              *child;
    const reel_encode_audio_t *task;    /* borrowed */
    reel_av_fault_t            fault;
    reel_av_source_t           src;
    AVStream                  *st;      /* borrowed of src */
    AVPacket                  *pkt;
    reel_av_sound_t            sound;
    size_t                     taken;
} copy_t;


static int
open_source(copy_t *c)
{
    reel_av_source_close(&c->src);

    c->st = reel_av_source_open_only(&c->src, c->child->source_fd,
                                     c->task->stream, &c->task->jumps,
                                     &c->fault);

    return c->st != NULL ? 0 : -1;
}


static int
prepare(copy_t *c)
{
    uint32_t    from;
    reel_str_t  config;

    c->pkt = av_packet_alloc();
    if (c->pkt == NULL) {
        return reel_av_fault_lib(&c->fault, AVERROR(ENOMEM), "copy",
                                 "packet");
    }

    if (open_source(c) != 0) {
        return -1;
    }

    from = c->child->resume_frag > c->task->frag_from
           ? c->child->resume_frag : c->task->frag_from;
    config.p = (const char *) c->st->codecpar->extradata;
    config.len = (size_t) c->st->codecpar->extradata_size;

    return reel_av_sound_open_copy(&c->sound, c->child, c->task, from,
                                   config, &c->fault);
}


/* 1: c->pkt is the track's next, unit *au of the line; 0: the end; -1 */
static int
next_unit(copy_t *c, int64_t *au)
{
    int  rc;

    do {
        rc = reel_av_source_read(&c->src, c->pkt, &c->fault);
    } while (rc == 1 && (c->pkt->stream_index != c->task->stream
                         || c->pkt->pts == AV_NOPTS_VALUE));

    if (rc == 1) {
        *au = reel_rescale(c->pkt->pts - c->task->origin,
                           (uint64_t) c->task->tb.num * c->task->sample_rate,
                           (uint64_t) c->task->tb.den * REEL_AAC_FRAME,
                           REEL_ROUND_NEAR);
    }

    return rc;
}


/*
 * The first packet that matters, or one before it, as next_unit().  A
 * demuxer may seek roughly: then all is read from the start.
 */
static int
start(copy_t *c, int64_t *au)
{
    int      rc = 0;
    int64_t  pts;

    if (c->sound.first_au == 0) {
        return next_unit(c, au);
    }

    pts = c->task->origin
          + reel_rescale((c->sound.first_au - 1) * REEL_AAC_FRAME,
                         c->task->tb.den,
                         (uint64_t) c->task->tb.num * c->task->sample_rate,
                         REEL_ROUND_DOWN);

    if (av_seek_frame(c->src.fmt, c->task->stream, pts, AVSEEK_FLAG_BACKWARD)
        >= 0)
    {
        rc = next_unit(c, au);
    }

    if (rc < 0 || (rc == 1 && *au <= c->sound.first_au)) {
        return rc;
    }

    return open_source(c) == 0 ? next_unit(c, au) : -1;
}


static int
silence(copy_t *c, int64_t to)
{
    size_t   n;
    uint8_t  unit[REEL_AAC_SILENCE];

    n = reel_aac_silence(unit, c->task->channels);

    while (c->sound.au < to) {
        if (reel_av_sound_put(&c->sound, unit, n, &c->fault) != 0) {
            return -1;
        }
    }

    return 0;
}


static int
take(copy_t *c, int64_t au)
{
    if (au < c->sound.au || (c->pkt->flags & AV_PKT_FLAG_DISCARD)) {
        return 0;
    }

    c->taken++;

    return silence(c, au) == 0
           ? reel_av_sound_put(&c->sound, c->pkt->data,
                               (size_t) c->pkt->size, &c->fault) : -1;
}


static int
run(copy_t *c)
{
    int      rc;
    int64_t  au = 0;

    rc = start(c, &au);

    while (rc == 1 && au < c->sound.end_au) {
        if (take(c, au) != 0) {
            return -1;
        }
        rc = next_unit(c, &au);
    }

    /* a resumption may find nothing but the silence behind the sound */
    if (rc == 0 && c->taken == 0 && c->sound.first_au == 0) {
        return reel_av_fault(&c->fault, "BAD_MEDIA", "copy",
                             "no sound is left");
    }

    if (rc < 0 || silence(c, c->sound.end_au) != 0) {
        return -1;
    }

    return reel_av_sound_finish(&c->sound, &c->fault);
}


int
reel_av_copy_audio(reel_child_t *child, const reel_encode_audio_t *task)
{
    int     status = 0;
    copy_t  c = { .child = child, .task = task };

    if (prepare(&c) != 0 || run(&c) != 0) {
        status = reel_av_fault_report(child, &c.fault);
    }

    reel_av_sound_close(&c.sound);
    reel_av_source_close(&c.src);
    av_packet_free(&c.pkt);

    return status;
}

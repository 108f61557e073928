/*
 * encode_video where nothing is encoded: the packets of a stretch of the
 * source become fragments of the grid.  inspect has seen all of them: GOPs
 * are closed, each frame has one picture, key frames stand on the grid.
 */

#include <string.h>

#include "lib/base/rescale.h"
#include "lib/codec/nal.h"
#include "workerd/av_codec.h"
#include "workerd/av_frag.h"
#include "workerd/av_place.h"
#include "workerd/av_read.h"
#include "workerd/av_rung.h"


typedef struct {
    reel_child_t              *child;
    const reel_encode_video_t *task;    /* borrowed */
    const reel_video_rung_t   *rung;    /* its only one */
    const reel_av_codec_t     *codec;
    reel_av_fault_t            fault;
    reel_av_source_t           src;
    AVStream                  *st;      /* borrowed of src */
    AVPacket                  *pkt;
    reel_place_t               place;
    reel_av_frag_t             out;
    uint32_t                   gop;     /* the fragment that is open */
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
    if (c->codec->copy_sample == NULL) {
        return reel_av_fault(&c->fault, "INTERNAL", "copy",
                             "%s is never copied", c->codec->name);
    }

    reel_place_init(&c->place, &c->task->grid, c->task->tb, c->task->origin,
                    c->task->frag_from, c->task->frag_to);
    c->gop = c->task->frag_from;

    c->pkt = av_packet_alloc();
    if (c->pkt == NULL) {
        return reel_av_fault_lib(&c->fault, AVERROR(ENOMEM), "copy",
                                 "packet");
    }

    return open_source(c);
}


/* c->pkt is the key frame that it begins with */
static int
open_output(copy_t *c)
{
    int                       rc = -1;
    reel_err_t                err;
    reel_buf_t                config;
    reel_str_t                told;
    reel_cmaf_track_t         track;
    const AVCodecParameters  *par = c->st->codecpar;

    reel_buf_init(&config, REEL_EXTRADATA_MAX);

    told.p = (const char *) par->extradata;
    told.len = (size_t) par->extradata_size;

    err = c->codec->config_of(&config, told, c->pkt->data,
                              (size_t) c->pkt->size);
    if (err != REEL_OK) {
        (void) reel_av_fault_err(&c->fault, err, "copy", "parameter sets");
        goto done;
    }

    track = (reel_cmaf_track_t) {
        .codec = c->codec->codec,
        .track_id = REEL_TRACK_VIDEO,
        .timescale = c->task->grid.timescale,
        .config = { (char *) config.data, config.len },
        .language = "und",
        .width = (uint16_t) c->rung->width,
        .height = (uint16_t) c->rung->height,
        .primaries = (uint8_t) par->color_primaries,
        .transfer = (uint8_t) par->color_trc,
        .matrix = (uint8_t) par->color_space,
        .full_range = par->color_range == AVCOL_RANGE_JPEG,
        .hdr = reel_av_rung_hdr(c->rung, c->task)
    };

    c->out.delay = c->task->delay;
    c->out.frame_ts = c->task->grid.frame_ts;

    if (reel_av_frag_init(&c->out, c->child->out_fd[0], &track, &c->fault)
        == 0)
    {
        rc = reel_av_frag_begin(&c->out, &c->fault);
    }

done:

    reel_buf_release(&config);
    return rc;
}


/* 1: c->pkt is the track's next, *at its place; 0: the end; -1: fault */
static int
next_packet(copy_t *c, int64_t *at)
{
    int  rc;

    do {
        rc = reel_av_source_read(&c->src, c->pkt, &c->fault);
    } while (rc == 1 && c->pkt->stream_index != c->task->stream);

    if (rc == 1) {
        *at = reel_place_of(&c->place, c->pkt->pts);
    }

    return rc;
}


static bool
is_key(const copy_t *c)
{
    return (c->pkt->flags & AV_PKT_FLAG_KEY) != 0;
}


/* 1: c->pkt is the key frame of the first fragment; 0: none is in sight */
static int
find_start(copy_t *c)
{
    int      rc;
    int64_t  at = 0;

    do {
        rc = next_packet(c, &at);
    } while (rc == 1 && (!is_key(c) || at < c->place.from));

    return rc == 1 && at != c->place.from ? 0 : rc;
}


/* a demuxer may seek roughly: then all is read from the start */
static int
start(copy_t *c)
{
    int   rc = 0;
    bool  first = c->task->frag_from == 0;

    if (first
        || av_seek_frame(c->src.fmt, c->task->stream, c->task->seek_pts,
                         AVSEEK_FLAG_BACKWARD) >= 0)
    {
        rc = find_start(c);
    }

    if (rc == 0 && !first) {
        rc = open_source(c) == 0 ? find_start(c) : -1;
    }

    return rc == 0 ? reel_av_fault(&c->fault, "BAD_MEDIA", "copy",
                                   "the key frame of chunk %u is gone",
                                   c->task->chunk)
           : rc == 1 ? 0 : -1;
}


static int
take(copy_t *c, int64_t at)
{
    reel_err_t  err;

    if (is_key(c) && c->out.nsamples > 0
        && reel_place_is_key(&c->place, at)
        && reel_av_frag_close_gop(&c->out, &c->task->grid, c->gop++,
                                  &c->fault) != 0)
    {
        return -1;
    }

    if (is_key(c) && at >= c->place.to) {
        return 0;
    }

    err = c->codec->copy_sample(&c->out.data, c->pkt->data,
                                (size_t) c->pkt->size);

    return err != REEL_OK
           ? reel_av_fault_err(&c->fault, err, "copy", "a packet")
           : reel_av_frag_add(&c->out, at, is_key(c), &c->fault);
}


static int
run(copy_t *c)
{
    int      rc;
    int64_t  at = c->place.from;

    if (start(c) != 0 || open_output(c) != 0) {
        return -1;
    }

    do {
        if (take(c, at) != 0) {
            return -1;
        }

        reel_child_progress(c->child, (unsigned)
                            reel_rescale(at - c->place.from, 1000,
                                (uint64_t) (c->place.to - c->place.from),
                                REEL_ROUND_DOWN));

        rc = c->gop < c->task->frag_to ? next_packet(c, &at) : 0;
    } while (rc == 1);

    if (rc == 0 && c->out.nsamples > 0) {
        rc = reel_av_frag_close_gop(&c->out, &c->task->grid, c->gop++,
                                    &c->fault);
    }

    if (rc == 0 && c->gop != c->task->frag_to) {
        rc = reel_av_fault(&c->fault, "BAD_MEDIA", "copy",
                           "%u fragments instead of %u",
                           c->gop - c->task->frag_from,
                           c->task->frag_to - c->task->frag_from);
    }

    return rc;
}


static int
finish(copy_t *c)
{
    reel_err_t      err;
    reel_encoded_t  o = { 0 };

    if (reel_av_frag_end(&c->out, &o, &c->fault) != 0
        || reel_av_rung_tell(&o, c->task, c->rung,
                             c->out.track.config, &c->fault) != 0)
    {
        return -1;
    }

    err = reel_child_object(c->child, &o, 0, 0);

    return err == REEL_OK
           ? 0 : reel_av_fault_err(&c->fault, err, "write", "answer");
}


int
reel_av_copy_video(reel_child_t *child, const reel_encode_video_t *task)
{
    int     status = 0;
    copy_t  c = { .child = child, .task = task, .rung = &task->rungs[0],
                  .codec = reel_av_codec(task->rungs[0].codec) };

    if (prepare(&c) != 0 || run(&c) != 0 || finish(&c) != 0) {
        status = reel_av_fault_report(child, &c.fault);
    }

    reel_av_frag_release(&c.out);
    reel_av_source_close(&c.src);
    av_packet_free(&c.pkt);

    return status;
}

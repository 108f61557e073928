#include "workerd/av_rung.h"

#include <stdio.h>

#include <libavutil/opt.h>

#include "lib/base/rescale.h"


/* no key frames but the forced ones */
#define KEYINT_NONE  (1 << 20)

/* pictures that x264 and x265 decode ahead of their time, at most */
#define REORDER_MOST  2


static void
set_rate(AVCodecContext *enc, const reel_av_rung_t *r)
{
    int                         gop;
    reel_rational_t             rate;
    const reel_encode_video_t  *t = r->task;

    gop = t->grid.frame_ts ? (int) (t->grid.gop_ts / r->unit) : KEYINT_NONE;
    rate = reel_rung_rate(t, r->rung);

    enc->time_base = (AVRational) { (int) r->unit, (int) t->grid.timescale };
    enc->framerate = (AVRational) { (int) rate.num, (int) rate.den };

    if (t->grid.frame_ts) {
        enc->framerate = av_inv_q(enc->time_base);
    }

    enc->gop_size = gop;
    enc->keyint_min = gop;

    /* reordering needs decode times ahead of the presentation, by how much
       only the pictures of the chunk before would tell; and a first fragment
       that has more pictures than are ahead */
    if (t->grid.frame_ts == 0 || gop <= REORDER_MOST + 1) {
        enc->max_b_frames = 0;
    }
}


reel_hdr_t
reel_av_rung_hdr(const reel_video_rung_t *r, const reel_encode_video_t *t)
{
    return r->hdr ? t->light.told : (reel_hdr_t) { 0 };
}


static int
set_options(const reel_av_rung_t *r, AVCodecContext *enc)
{
    int          rc;
    reel_hdr_t   hdr = reel_av_rung_hdr(r->rung, r->task);
    const char  *preset;

    preset = r->rung->preset[0] != '\0' ? r->rung->preset : r->task->preset;

    rc = av_opt_set(enc->priv_data, "preset", preset, 0);
    if (rc >= 0) {
        rc = av_opt_set_double(enc->priv_data, "crf", r->rung->crf, 0);
    }

    return rc < 0 ? rc : r->codec->set(enc, r->task->threads > 0
                                            ? r->task->threads : 1,
                                       &hdr);
}


static int
open_encoder(reel_av_rung_t *r, const AVFrame *like, reel_av_fault_t *f)
{
    int              rc;
    AVCodecContext  *enc;
    const AVCodec   *codec;

    codec = avcodec_find_encoder_by_name(r->codec->encoder);
    if (codec == NULL) {
        return reel_av_fault(f, "INTERNAL", "encode",
                             "this libavcodec has no %s", r->codec->encoder);
    }

    enc = r->enc = avcodec_alloc_context3(codec);
    if (enc == NULL) {
        return reel_av_fault_lib(f, AVERROR(ENOMEM), "encode",
                                 r->codec->name);
    }

    enc->width = (int) r->rung->width;
    enc->height = (int) r->rung->height;
    enc->pix_fmt = r->rung->hdr ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;
    enc->sample_aspect_ratio = (AVRational) { 1, 1 };
    enc->color_primaries = like->color_primaries;
    enc->color_trc = like->color_trc;
    enc->colorspace = like->colorspace;
    enc->color_range = AVCOL_RANGE_MPEG;
    enc->thread_count = r->task->threads > 0 ? (int) r->task->threads : 1;
    enc->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;
    enc->rc_max_rate = (int64_t) r->rung->max_kbps * 1000;
    enc->rc_buffer_size = (int) (r->rung->buf_kbits * 1000);
    set_rate(enc, r);

    rc = set_options(r, enc);
    if (rc >= 0) {
        rc = avcodec_open2(enc, codec, NULL);
    }

    return rc < 0 ? reel_av_fault_lib(f, rc, "encode", r->codec->name) : 0;
}


static int
open_output(reel_av_rung_t *r, int fd, reel_av_fault_t *f)
{
    int                 rc;
    reel_err_t          err;
    reel_buf_t          config;
    reel_cmaf_track_t   track;

    rc = -1;
    reel_buf_init(&config, 4096);

    err = r->codec->config(&config, r->enc->extradata,
                           (size_t) r->enc->extradata_size);
    if (err == REEL_OK) {
        err = reel_buf_err(&config);
    }
    if (err != REEL_OK) {
        (void) reel_av_fault_err(f, err, "encode", "the encoder's headers");
        goto done;
    }

    track = (reel_cmaf_track_t) {
        .codec = r->codec->codec,
        .track_id = REEL_TRACK_VIDEO,
        .timescale = r->task->grid.timescale,
        .config = { (char *) config.data, config.len },
        .language = "und",
        .width = (uint16_t) r->rung->width,
        .height = (uint16_t) r->rung->height,
        .primaries = (uint8_t) r->enc->color_primaries,
        .transfer = (uint8_t) r->enc->color_trc,
        .matrix = (uint8_t) r->enc->colorspace,
        .hdr = reel_av_rung_hdr(r->rung, r->task)
    };

    r->out.delay = r->codec->delay(r->enc);
    r->out.frame_ts = r->task->grid.frame_ts * r->rung->every;

    if (reel_av_frag_init(&r->out, fd, &track, f) == 0) {
        rc = reel_av_frag_begin(&r->out, f);
    }

done:

    reel_buf_release(&config);
    return rc;
}


int
reel_av_rung_open(reel_av_rung_t *r, const reel_encode_video_t *task,
    const reel_video_rung_t *rung, const AVFrame *like, int fd,
    reel_av_fault_t *f)
{
    r->task = task;
    r->rung = rung;
    r->codec = reel_av_codec(rung->codec);
    r->gop = task->frag_from;
    r->warmed = task->frag_from == 0 || r->codec->warm == 0;
    r->unit = task->grid.frame_ts ? task->grid.frame_ts * rung->every : 1;

    r->pkt = av_packet_alloc();
    r->frame = av_frame_alloc();
    if (r->pkt == NULL || r->frame == NULL) {
        return reel_av_fault_lib(f, AVERROR(ENOMEM), "encode", "rung");
    }

    if (open_encoder(r, like, f) != 0) {
        return -1;
    }

    return open_output(r, fd, f);
}


void
reel_av_rung_close(reel_av_rung_t *r)
{
    unsigned  i;

    for (i = 0; i < r->nheld; i++) {
        av_frame_free(&r->held[i]);
    }

    reel_av_frag_release(&r->out);
    avcodec_free_context(&r->enc);
    av_frame_free(&r->frame);
    av_packet_free(&r->pkt);
}


static int
close_gop(reel_av_rung_t *r, reel_av_fault_t *f)
{
    return reel_av_frag_close_gop(&r->out, &r->task->grid, r->gop++, f);
}


/* a last fragment that is longer than a GOP has a second key frame */
static bool
in_tail(const reel_av_rung_t *r)
{
    const reel_grid_t  *g = &r->task->grid;

    return r->pkt->pts * r->unit >= (int64_t) g->fragments * g->gop_ts;
}


static int
take_packet(reel_av_rung_t *r, reel_av_fault_t *f)
{
    bool        key;
    unsigned    slices;
    reel_err_t  err;

    if (r->pkt->pts < r->first) {
        return 0;
    }

    key = (r->pkt->flags & AV_PKT_FLAG_KEY) != 0;

    if (key && r->out.nsamples > 0 && !in_tail(r) && close_gop(r, f) != 0) {
        return -1;
    }

    slices = 0;
    err = r->codec->to_sample(&r->out.data, r->pkt->data,
                              (size_t) r->pkt->size, &slices);
    if (err != REEL_OK) {
        return reel_av_fault_err(f, err, "encode", "the encoder's bytes");
    }

    if (slices != 1) {
        return reel_av_fault(f, "INTERNAL", "encode",
                             "a picture of %u slices", slices);
    }

    return reel_av_frag_add(&r->out, r->pkt->pts * r->unit, key, f);
}


static int
drain(reel_av_rung_t *r, reel_av_fault_t *f)
{
    int  rc;

    for ( ;; ) {
        rc = avcodec_receive_packet(r->enc, r->pkt);

        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) {
            return 0;
        }

        if (rc < 0) {
            return reel_av_fault_lib(f, rc, "encode", r->codec->name);
        }

        rc = take_packet(r, f);
        av_packet_unref(r->pkt);

        if (rc != 0) {
            return -1;
        }
    }
}


static int
send(reel_av_rung_t *r, const AVFrame *picture, int64_t pts, bool key,
    reel_av_fault_t *f)
{
    int  rc;

    rc = av_frame_ref(r->frame, picture);
    if (rc < 0) {
        return reel_av_fault_lib(f, rc, "encode", "picture");
    }

    /* NONE, or the source's own key frames would become keys here */
    r->frame->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    r->frame->pts = pts;

    rc = avcodec_send_frame(r->enc, r->frame);
    av_frame_unref(r->frame);

    if (rc < 0) {
        return reel_av_fault_lib(f, rc, "encode", r->codec->name);
    }

    return drain(r, f);
}


/* a picture's time, in the encoder's units */
static int64_t
picture_step(const reel_av_rung_t *r)
{
    reel_rational_t  rate = reel_rung_rate(r->task, r->rung);

    return r->task->grid.frame_ts != 0 ? 1
           : reel_rescale(r->task->grid.timescale, rate.den, rate.num,
                          REEL_ROUND_UP);
}


/* the pictures held ahead of their time, then at it */
static int
send_held(reel_av_rung_t *r, reel_av_fault_t *f)
{
    int       rc = 0;
    unsigned  i, n = r->nheld;
    int64_t   step = picture_step(r);

    r->warmed = true;
    r->nheld = 0;
    r->first = n > 0 ? r->held[0]->pts : 0;

    for (i = 0; i < n && rc == 0; i++) {
        rc = send(r, r->held[i], r->first - (n - i) * step, i == 0, f);
    }

    for (i = 0; i < n && rc == 0; i++) {
        rc = send(r, r->held[i], r->held[i]->pts,
                  r->held[i]->pict_type == AV_PICTURE_TYPE_I, f);
    }

    for (i = 0; i < n; i++) {
        av_frame_free(&r->held[i]);
    }

    return rc;
}


int
reel_av_rung_encode(reel_av_rung_t *r, const AVFrame *picture, int64_t tick,
    bool key, reel_av_fault_t *f)
{
    AVFrame  *held;

    if (r->warmed) {
        return send(r, picture, tick / r->unit, key, f);
    }

    held = r->held[r->nheld] = av_frame_clone(picture);
    if (held == NULL) {
        return reel_av_fault_lib(f, AVERROR(ENOMEM), "encode", "picture");
    }

    r->nheld++;
    held->pts = tick / r->unit;
    held->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;

    return r->nheld == r->codec->warm ? send_held(r, f) : 0;
}


int
reel_av_rung_tell(reel_encoded_t *o, const reel_encode_video_t *t,
    const reel_video_rung_t *r, reel_str_t config, reel_av_fault_t *f)
{
    if (reel_av_codec(r->codec)->string(o->codec, sizeof(o->codec), config)
        != REEL_OK)
    {
        return reel_av_fault(f, "INTERNAL", "encode", "codec string");
    }

    (void) snprintf(o->rendition, sizeof(o->rendition), "%s", r->name);
    o->frag_from = t->frag_from;
    o->kind = REEL_VIDEO;
    o->timescale = t->grid.timescale;
    o->width = r->width;
    o->height = r->height;
    o->rate = reel_rung_rate(t, r);

    return 0;
}


int
reel_av_rung_finish(reel_av_rung_t *r, reel_encoded_t *o,
    reel_av_fault_t *f)
{
    int  rc;

    if (!r->warmed && send_held(r, f) != 0) {
        return -1;
    }

    rc = avcodec_send_frame(r->enc, NULL);
    if (rc < 0) {
        return reel_av_fault_lib(f, rc, "encode", r->codec->name);
    }

    if (drain(r, f) != 0 || close_gop(r, f) != 0) {
        return -1;
    }

    if (r->gop != r->task->frag_to) {
        return reel_av_fault(f, "INTERNAL", "encode",
                             "%u fragments instead of %u",
                             r->gop - r->task->frag_from,
                             r->task->frag_to - r->task->frag_from);
    }

    if (reel_av_frag_end(&r->out, o, f) != 0) {
        return -1;
    }

    return reel_av_rung_tell(o, r->task, r->rung, r->out.track.config, f);
}

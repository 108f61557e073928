#include "workerd/av_trial.h"

#include <libavutil/opt.h>

#include "lib/base/rescale.h"

/* adaptive quantisation, as the encodes have it, and little else */
#define PRESET  "superfast"

/* pieces begin with key frames, and no others are made */
#define KEYINT_NONE  (1 << 20)


static int
open_encoder(reel_av_trial_t *t, const reel_trial_t *what,
    reel_rational_t rate, reel_av_fault_t *f)
{
    int              rc;
    AVCodecContext  *enc;
    const AVCodec   *codec = avcodec_find_encoder_by_name("libx264");

    enc = t->enc = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
    if (enc == NULL) {
        return reel_av_fault(f, "INTERNAL", "encode", "there is no x264");
    }

    enc->width = (int) what->width;
    enc->height = (int) what->height;
    enc->pix_fmt = AV_PIX_FMT_YUV420P;
    enc->sample_aspect_ratio = (AVRational) { 1, 1 };
    enc->framerate = (AVRational) { (int) rate.num, (int) rate.den };
    enc->time_base = av_inv_q(enc->framerate);
    enc->gop_size = KEYINT_NONE;
    enc->thread_count = 1;

    rc = av_opt_set(enc->priv_data, "preset", PRESET, 0);
    if (rc >= 0) {
        rc = av_opt_set_double(enc->priv_data, "crf", what->crf, 0);
    }
    if (rc >= 0) {
        rc = av_opt_set(enc->priv_data, "x264-params", "scenecut=0", 0);
    }
    if (rc >= 0) {
        rc = avcodec_open2(enc, codec, NULL);
    }

    return rc < 0 ? reel_av_fault_lib(f, rc, "encode", "trial") : 0;
}


static int
open_decoder(reel_av_trial_t *t, reel_av_fault_t *f)
{
    int             rc = AVERROR(ENOMEM);
    const AVCodec  *codec = avcodec_find_decoder(AV_CODEC_ID_H264);

    t->dec = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
    if (t->dec != NULL) {
        t->dec->thread_count = 1;
        t->dec->pkt_timebase = t->enc->time_base;
        rc = avcodec_open2(t->dec, codec, NULL);
    }

    return rc < 0 ? reel_av_fault_lib(f, rc, "encode", "trial") : 0;
}


int
reel_av_trial_open(reel_av_trial_t *t, const reel_trial_t *what,
    reel_rational_t rate, reel_av_fault_t *f)
{
    int  w = (int) what->width, h = (int) what->height;

    t->pkt = av_packet_alloc();
    t->frame = av_frame_alloc();
    if (t->pkt == NULL || t->frame == NULL) {
        return reel_av_fault_err(f, REEL_NOMEM, "encode", "trial");
    }

    return open_encoder(t, what, rate, f) != 0 || open_decoder(t, f) != 0
           ? -1 : reel_av_meter_open(&t->meter, w, h, w, h, f);
}


static bool
is_pause(int rc)
{
    return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF;
}


/* pkt: NULL = no more follow */
static int
decode(reel_av_trial_t *t, const AVPacket *pkt, reel_av_fault_t *f)
{
    int  rc = avcodec_send_packet(t->dec, pkt);

    while (rc >= 0 && (rc = avcodec_receive_frame(t->dec, t->frame)) >= 0) {
        t->frame->pts = t->frame->best_effort_timestamp;

        if (reel_av_meter_push(&t->meter, 1, t->frame, f) != 0) {
            return -1;
        }
        av_frame_unref(t->frame);
    }

    return is_pause(rc) ? 0 : reel_av_fault_lib(f, rc, "encode", "trial");
}


/* picture: NULL = no more follow */
static int
encode(reel_av_trial_t *t, const AVFrame *picture, reel_av_fault_t *f)
{
    int  rc = avcodec_send_frame(t->enc, picture);

    while (rc >= 0 && (rc = avcodec_receive_packet(t->enc, t->pkt)) >= 0) {
        t->bytes += (uint64_t) t->pkt->size;

        if (decode(t, t->pkt, f) != 0) {
            return -1;
        }
        av_packet_unref(t->pkt);
    }

    return is_pause(rc) ? 0 : reel_av_fault_lib(f, rc, "encode", "trial");
}


int
reel_av_trial_push(reel_av_trial_t *t, AVFrame *picture, bool key,
    reel_av_fault_t *f)
{
    picture->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    t->pictures++;

    if (reel_av_meter_push(&t->meter, 0, picture, f) != 0) {
        return -1;
    }

    return encode(t, picture, f);
}


int
reel_av_trial_finish(reel_av_trial_t *t, reel_trial_t *what,
    reel_rational_t rate, reel_av_fault_t *f)
{
    int64_t  kbps;

    if (encode(t, NULL, f) != 0 || decode(t, NULL, f) != 0
        || reel_av_meter_push(&t->meter, 0, NULL, f) != 0
        || reel_av_meter_push(&t->meter, 1, NULL, f) != 0)
    {
        return -1;
    }

    kbps = t->pictures == 0 ? 0
           : reel_rescale((int64_t) t->bytes * 8, rate.num,
                          t->pictures * rate.den * 1000, REEL_ROUND_NEAR);

    what->kbps = kbps < REEL_SOURCE_KBPS ? (uint32_t) kbps : REEL_SOURCE_KBPS;
    what->loss = reel_av_meter_loss(&t->meter);

    return 0;
}


void
reel_av_trial_release(reel_av_trial_t *t)
{
    avcodec_free_context(&t->enc);
    avcodec_free_context(&t->dec);
    av_packet_free(&t->pkt);
    av_frame_free(&t->frame);
    reel_av_meter_release(&t->meter);
}

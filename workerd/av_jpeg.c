#include "workerd/av_jpeg.h"


#define QUALITY  4


int
reel_av_jpeg_open(reel_av_jpeg_t *j, int width, int height,
    reel_av_fault_t *f)
{
    int             rc;
    const AVCodec  *codec;

    codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    j->enc = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
    j->pkt = av_packet_alloc();

    if (j->enc == NULL || j->pkt == NULL) {
        return reel_av_fault_lib(f, AVERROR(ENOMEM), "encode", "jpeg");
    }

    j->enc->width = width;
    j->enc->height = height;
    j->enc->pix_fmt = AV_PIX_FMT_YUVJ420P;
    j->enc->color_range = AVCOL_RANGE_JPEG;
    j->enc->time_base = (AVRational) { 1, 25 };
    j->enc->thread_count = 1;
    j->enc->flags |= AV_CODEC_FLAG_QSCALE;
    j->enc->global_quality = QUALITY * FF_QP2LAMBDA;

    rc = avcodec_open2(j->enc, codec, NULL);

    return rc < 0 ? reel_av_fault_lib(f, rc, "encode", "jpeg") : 0;
}


int
reel_av_jpeg_encode(reel_av_jpeg_t *j, AVFrame *frame, reel_av_fault_t *f)
{
    int  rc;

    frame->pict_type = AV_PICTURE_TYPE_NONE;
    frame->quality = j->enc->global_quality;

    av_packet_unref(j->pkt);

    rc = avcodec_send_frame(j->enc, frame);
    if (rc >= 0) {
        rc = avcodec_receive_packet(j->enc, j->pkt);
    }

    return rc < 0 ? reel_av_fault_lib(f, rc, "encode", "jpeg") : 0;
}


void
reel_av_jpeg_close(reel_av_jpeg_t *j)
{
    av_packet_free(&j->pkt);
    avcodec_free_context(&j->enc);
}

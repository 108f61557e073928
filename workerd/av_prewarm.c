/*
 * What libraries would do at their first use and the filter would refuse:
 * reading CPU features, locale and time zone, resolving symbols.  Failures
 * are of no interest here: the task meets them again and says so.
 */

#include <locale.h>
#include <string.h>
#include <time.h>

#include <libavcodec/avcodec.h>
#include <libavutil/cpu.h>

#include "workerd/av_filter.h"
#include "workerd/av_log.h"


static void
encode_one(const AVFrame *picture)
{
    AVFrame         *frame;
    AVPacket        *pkt;
    const AVCodec   *codec;
    AVCodecContext  *enc;

    codec = avcodec_find_encoder_by_name("libx264");
    enc = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
    pkt = av_packet_alloc();
    frame = av_frame_clone(picture);

    if (enc != NULL && pkt != NULL && frame != NULL) {
        enc->width = frame->width;
        enc->height = frame->height;
        enc->pix_fmt = AV_PIX_FMT_YUV420P;
        enc->time_base = (AVRational) { 1, 25 };
        enc->thread_count = 1;
        frame->pts = 0;

        if (avcodec_open2(enc, codec, NULL) >= 0
            && avcodec_send_frame(enc, frame) >= 0
            && avcodec_send_frame(enc, NULL) >= 0)
        {
            (void) avcodec_receive_packet(enc, pkt);
        }
    }

    av_frame_free(&frame);
    av_packet_free(&pkt);
    avcodec_free_context(&enc);
}


static void
open_decoder(enum AVCodecID id)
{
    const AVCodec   *codec;
    AVCodecContext  *dec;

    codec = avcodec_find_decoder(id);
    dec = codec != NULL ? avcodec_alloc_context3(codec) : NULL;

    if (dec != NULL) {
        dec->thread_count = 1;
        (void) avcodec_open2(dec, codec, NULL);
    }

    avcodec_free_context(&dec);
}


void
reel_av_prewarm(void)
{
    AVFrame          *frame, *out;
    reel_av_size_t    size = { 32, 32 };
    reel_av_fault_t   fault = { 0 };
    reel_av_graph_t   graph = { 0 };

    reel_av_log_init();
    av_log_set_level(AV_LOG_QUIET);

    tzset();
    (void) localeconv();
    (void) av_cpu_count();
    (void) av_get_cpu_flags();

    open_decoder(AV_CODEC_ID_H264);
    open_decoder(AV_CODEC_ID_AV1);

    frame = av_frame_alloc();
    out = av_frame_alloc();

    if (frame != NULL && out != NULL) {
        frame->width = 64;
        frame->height = 64;
        frame->format = AV_PIX_FMT_YUV420P;

        if (av_frame_get_buffer(frame, 0) >= 0) {
            for (int i = 0; i < 3; i++) {
                memset(frame->data[i], 0x80, (size_t) frame->linesize[i]
                                             * (i ? 32 : 64));
            }

            encode_one(frame);

            if (reel_av_graph_ladder(&graph, frame, (AVRational) { 1, 25 },
                                     0, false, false, &size, 1, "yuv420p",
                                     NULL, &fault) == 0
                && reel_av_graph_push(&graph, frame, &fault) == 0)
            {
                (void) reel_av_graph_pull(&graph, 0, out, &fault);
            }
        }
    }

    reel_av_graph_release(&graph);
    av_frame_free(&out);
    av_frame_free(&frame);

    av_log_set_level(AV_LOG_INFO);
}

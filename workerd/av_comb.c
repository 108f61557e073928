#include "workerd/av_comb.h"

#include <string.h>

#include <libavutil/dict.h>
#include <libavutil/pixfmt.h>


/* no interlaced format is larger or faster */
#define HEIGHT_MAX  1088
#define RATE_MAX    31

/* combs must be seen in so many pictures, in half of all, and be this much
   more frequent than their absence */
#define LEAST       8
#define FACTOR      4

/* a quarter of fields that stood before: telecined film (two in five), which
   is left as it is */
#define TELECINE    4


bool
reel_comb_may_be(const AVStream *st)
{
    const AVCodecParameters  *par;

    par = st->codecpar;

    if (par->height > HEIGHT_MAX
        || av_q2d(st->avg_frame_rate) > (double) RATE_MAX)
    {
        return false;
    }

    switch (par->codec_id) {
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_MSMPEG4V2:
    case AV_CODEC_ID_MSMPEG4V3:
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_WMV3:
    case AV_CODEC_ID_VC1:
    case AV_CODEC_ID_DVVIDEO:
    case AV_CODEC_ID_MJPEG:
    case AV_CODEC_ID_PRORES:
    case AV_CODEC_ID_DNXHD:
    case AV_CODEC_ID_V210:
        return true;
    case AV_CODEC_ID_RAWVIDEO:
        /* what cards capture; RGB is drawn, or a WebP that is read as it */
        return par->format != AV_PIX_FMT_RGB24
               && par->format != AV_PIX_FMT_BGR24;
    default:
        return false;
    }
}


static bool
says(const AVFrame *f, const char *key, const char *value)
{
    AVDictionaryEntry  *e;

    e = av_dict_get(f->metadata, key, NULL, 0);

    return e != NULL && strcmp(e->value, value) == 0;
}


static void
count(reel_comb_t *c)
{
    static const char  field[] = "lavfi.idet.multiple.current_frame";

    c->seen++;
    c->top += says(c->out, field, "tff");
    c->bottom += says(c->out, field, "bff");
    c->progressive += says(c->out, field, "progressive");
    c->repeated += !says(c->out, "lavfi.idet.repeated.current_frame",
                         "neither");
}


static void
push(reel_comb_t *c, AVFrame *frame)
{
    if (reel_av_graph_push(&c->graph, frame, &c->fault) != 0) {
        return;
    }

    while (reel_av_graph_pull(&c->graph, 0, c->out, &c->fault) > 0) {
        count(c);
        av_frame_unref(c->out);
    }
}


void
reel_comb_see(reel_comb_t *c, AVFrame *frame, AVRational tb)
{
    if (c->fault.code != NULL) {
        return;
    }

    if (!reel_av_graph_fits(&c->graph, frame)) {
        if (c->out == NULL) {
            c->out = av_frame_alloc();
        }

        if (c->out == NULL) {
            (void) reel_av_fault_err(&c->fault, REEL_NOMEM, "decode",
                                     "picture");
            return;
        }

        if (reel_av_graph_detect(&c->graph, frame, tb, &c->fault) != 0) {
            return;
        }
    }

    push(c, frame);
}


bool
reel_comb_settled(const reel_comb_t *c, unsigned most)
{
    unsigned  combed = c->top > c->bottom ? c->top : c->bottom;

    most = most > c->seen ? most - c->seen : 0;

    return combed + most < FACTOR * c->progressive;
}


reel_combed_t
reel_comb_end(reel_comb_t *c)
{
    unsigned  most;

    if (c->graph.graph != NULL && c->fault.code == NULL) {
        push(c, NULL);
    }

    most = c->top > c->bottom ? c->top : c->bottom;

    if (most < LEAST || most * 2 < c->seen
        || c->repeated * TELECINE > c->seen
        || most < FACTOR * c->progressive
        || most < FACTOR * (c->top + c->bottom - most))
    {
        return REEL_COMBED_NO;
    }

    return most == c->top ? REEL_COMBED_TOP : REEL_COMBED_BOTTOM;
}


void
reel_comb_release(reel_comb_t *c)
{
    av_frame_free(&c->out);
    reel_av_graph_release(&c->graph);
    *c = (reel_comb_t) { 0 };
}

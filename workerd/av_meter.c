#include "workerd/av_meter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/opt.h>


static int
add_input(reel_av_meter_t *m, unsigned i, int width, int height)
{
    char  name[8], args[128];

    (void) snprintf(name, sizeof(name), "in%u", i);
    (void) snprintf(args, sizeof(args), "video_size=%dx%d:pix_fmt=yuv420p:"
                    "time_base=1/1:pixel_aspect=1/1", width, height);

    return avfilter_graph_create_filter(&m->in[i],
                                        avfilter_get_by_name("buffer"), name,
                                        args, NULL, m->graph);
}


static int
add_filter(reel_av_meter_t *m, AVFilterContext **ctx, const char *name,
    const char *args)
{
    return avfilter_graph_create_filter(ctx, avfilter_get_by_name(name), name,
                                        args, NULL, m->graph);
}


static int
build(reel_av_meter_t *m, int width, int height, int w2, int h2)
{
    int               rc;
    char              size[64];
    AVFilterContext  *scale, *ssim;

    m->graph = avfilter_graph_alloc();
    m->frame = av_frame_alloc();

    if (m->graph == NULL || m->frame == NULL) {
        return AVERROR(ENOMEM);
    }

    m->graph->nb_threads = 1;
    (void) snprintf(size, sizeof(size), "w=%d:h=%d:flags=bicubic", width,
                    height);

    rc = add_input(m, 0, width, height);
    if (rc >= 0) {
        rc = add_input(m, 1, w2, h2);
    }
    if (rc >= 0) {
        rc = add_filter(m, &scale, "scale", size);
    }
    if (rc >= 0) {
        rc = add_filter(m, &ssim, "ssim", NULL);
    }
    if (rc >= 0) {
        rc = add_filter(m, &m->out, "buffersink", NULL);
    }
    if (rc >= 0) {
        rc = avfilter_link(m->in[1], 0, scale, 0);
    }
    if (rc >= 0) {
        rc = avfilter_link(m->in[0], 0, ssim, 0);
    }
    if (rc >= 0) {
        rc = avfilter_link(scale, 0, ssim, 1);
    }
    if (rc >= 0) {
        rc = avfilter_link(ssim, 0, m->out, 0);
    }

    return rc < 0 ? rc : avfilter_graph_config(m->graph, NULL);
}


int
reel_av_meter_open(reel_av_meter_t *m, int width, int height,
    int second_width, int second_height, reel_av_fault_t *f)
{
    int  rc = build(m, width, height, second_width, second_height);

    return rc < 0 ? reel_av_fault_lib(f, rc, "scale", "meter") : 0;
}


static int
read_out(reel_av_meter_t *m, reel_av_fault_t *f)
{
    int                       rc;
    double                    ssim;
    const AVDictionaryEntry  *said;

    while ((rc = av_buffersink_get_frame(m->out, m->frame)) >= 0) {
        said = av_dict_get(m->frame->metadata, "lavfi.ssim.Y", NULL, 0);
        ssim = said != NULL ? strtod(said->value, NULL) : NAN;

        if (isfinite(ssim)) {
            m->sum += ssim;
            m->n++;
        }
        av_frame_unref(m->frame);
    }

    return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF ? 0
           : reel_av_fault_lib(f, rc, "scale", "meter");
}


int
reel_av_meter_push(reel_av_meter_t *m, unsigned which, AVFrame *frame,
    reel_av_fault_t *f)
{
    int  rc;

    rc = av_buffersrc_add_frame_flags(m->in[which], frame,
                                      AV_BUFFERSRC_FLAG_KEEP_REF);

    return rc < 0 ? reel_av_fault_lib(f, rc, "scale", "meter")
           : read_out(m, f);
}


uint32_t
reel_av_meter_loss(const reel_av_meter_t *m)
{
    double  ssim = m->n == 0 ? 0 : m->sum / m->n;

    return ssim <= 0 ? REEL_LOSS_ALL
           : ssim >= 1 ? 0 : (uint32_t) lround((1 - ssim) * REEL_LOSS_ALL);
}


void
reel_av_meter_release(reel_av_meter_t *m)
{
    avfilter_graph_free(&m->graph);
    av_frame_free(&m->frame);
    *m = (reel_av_meter_t) { 0 };
}

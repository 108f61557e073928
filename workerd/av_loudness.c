/*
 * How loud the sound is that encode_audio gets, all of it, by the filter that
 * measures by EBU R128:
 *
 *     reader → line (placed, resampled) → ebur128 → a number
 */

#include "workerd/av_loudness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/channel_layout.h>

#include "lib/base/rescale.h"
#include "lib/codec/aac.h"
#include "workerd/av_line.h"
#include "workerd/av_log.h"
#include "workerd/av_reader.h"

typedef struct {
    reel_child_t        *child;         /* NULL: tells no progress */
    reel_av_fault_t     *fault;
    reel_av_reader_t     reader;
    reel_av_line_t       line;
    AVFilterGraph       *graph;
    AVFilterContext     *in, *out;
    AVFrame             *frame;
    int64_t              at, end;       /* samples */
    double               lufs;          /* of what was heard so far */
} loudness_t;


static int
add_filter(loudness_t *l, AVFilterContext **ctx, const char *name,
    const char *args)
{
    return avfilter_graph_create_filter(ctx, avfilter_get_by_name(name), name,
                                        args, NULL, l->graph);
}


static int
open_meter(loudness_t *l)
{
    int               rc;
    char              layout[64], args[192];
    AVFilterContext  *meter;

    l->graph = avfilter_graph_alloc();
    l->frame = av_frame_alloc();

    if (l->graph == NULL || l->frame == NULL) {
        return AVERROR(ENOMEM);
    }

    l->graph->nb_threads = 1;
    (void) av_channel_layout_describe(&l->line.layout, layout,
                                      sizeof(layout));
    (void) snprintf(args, sizeof(args), "time_base=1/%u:sample_rate=%u:"
                    "sample_fmt=fltp:channel_layout=%s", l->line.rate,
                    l->line.rate, layout);

    rc = add_filter(l, &l->in, "abuffer", args);
    if (rc >= 0) {
        rc = add_filter(l, &meter, "ebur128", "metadata=1");
    }
    if (rc >= 0) {
        rc = add_filter(l, &l->out, "abuffersink", NULL);
    }
    if (rc >= 0) {
        rc = avfilter_link(l->in, 0, meter, 0);
    }
    if (rc >= 0) {
        rc = avfilter_link(meter, 0, l->out, 0);
    }

    return rc < 0 ? rc : avfilter_graph_config(l->graph, NULL);
}


/* each piece says how loud all was up to its end */
static int
hear(loudness_t *l)
{
    int                       rc;
    const AVDictionaryEntry  *said;

    while ((rc = av_buffersink_get_frame(l->out, l->frame)) >= 0) {
        said = av_dict_get(l->frame->metadata, "lavfi.r128.I", NULL, 0);
        if (said != NULL) {
            l->lufs = strtod(said->value, NULL);
        }
        av_frame_unref(l->frame);
    }

    return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF ? 0
           : reel_av_fault_lib(l->fault, rc, "decode", "loudness");
}


static int
sink(void *arg, AVFrame *frame)
{
    int          rc;
    loudness_t  *l = arg;

    frame->pts = l->at;
    l->at += frame->nb_samples;

    rc = av_buffersrc_add_frame_flags(l->in, frame,
                                      AV_BUFFERSRC_FLAG_KEEP_REF);
    if (rc < 0) {
        return reel_av_fault_lib(l->fault, rc, "decode", "loudness");
    }

    if (l->child != NULL) {
        reel_child_progress(l->child, (unsigned)
                            reel_rescale(l->at, 1000, (uint64_t) l->end,
                                         REEL_ROUND_DOWN));
    }

    return hear(l);
}


static int
prepare(loudness_t *l, int source_fd, const reel_encode_audio_t *t)
{
    int  rc;

    l->end = reel_audio_total_aus(&t->grid, t->sample_rate) * REEL_AAC_FRAME;

    if (reel_av_reader_open(&l->reader, source_fd, t->stream, &t->jumps, 1,
                            l->fault) != 0
        || reel_av_line_open(&l->line, t, 0, l->end, REEL_AAC_FRAME, sink, l,
                             l->fault) != 0)
    {
        return -1;
    }

    rc = open_meter(l);

    return rc < 0 ? reel_av_fault_lib(l->fault, rc, "decode", "loudness") : 0;
}


static int
run(loudness_t *l)
{
    if (reel_av_line_fill(&l->line, &l->reader, l->fault) != 0
        || reel_av_line_finish(&l->line, l->fault) != 0)
    {
        return -1;
    }

    (void) !av_buffersrc_add_frame(l->in, NULL);

    return hear(l);
}


static int
measure(reel_child_t *child, int source_fd, const reel_encode_audio_t *t,
    int *clufs, reel_av_fault_t *f)
{
    int         rc;
    loudness_t  l = { .child = child, .fault = f,
                      .lufs = REEL_CLUFS_MIN / 100.0 };

    rc = prepare(&l, source_fd, t) == 0 ? run(&l) : -1;

    *clufs = REEL_CLUFS_MIN;

    if (isfinite(l.lufs) && l.lufs > REEL_CLUFS_MIN / 100.0
        && l.lufs < REEL_CLUFS_MAX / 100.0)
    {
        *clufs = (int) lround(l.lufs * 100);
    }

    avfilter_graph_free(&l.graph);
    av_frame_free(&l.frame);
    reel_av_line_close(&l.line);
    reel_av_reader_close(&l.reader);

    return rc;
}


int
reel_av_loudness_measure(int source_fd, const reel_encode_audio_t *t,
    int *clufs, reel_av_fault_t *f)
{
    return measure(NULL, source_fd, t, clufs, f);
}


int
reel_av_loudness(reel_child_t *c)
{
    int                  clufs;
    reel_err_t           err;
    reel_error_t         e = { "" };
    reel_av_fault_t      f = { 0 };
    reel_encode_audio_t  t;

    reel_av_log_init();

    err = reel_encode_audio_parse(&t, c->payload.p, c->payload.len, &e);

    if (err != REEL_OK) {
        (void) reel_av_fault(&f, "INTERNAL", "payload", "%s", e.text);

    } else if (measure(c, c->source_fd, &t, &clufs, &f) == 0) {
        err = reel_child_loudness(c, clufs);
        if (err == REEL_OK) {
            return 0;
        }
        (void) reel_av_fault_err(&f, err, "write", "answer");
    }

    return reel_av_fault_report(c, &f);
}

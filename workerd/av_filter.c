#include "workerd/av_filter.h"

#include <stdio.h>
#include <string.h>

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/mem.h>

#include "lib/base/buf.h"
#include "workerd/av_colour.h"
#include "workerd/av_compat.h"


#define DESCRIPTION_MAX  8192


static int
add_input(reel_av_graph_t *g, AVFilterContext **in, const char *name,
    const AVFrame *like, AVRational tb)
{
    int                   rc;
    AVBufferSrcParameters *par;

    *in = avfilter_graph_alloc_filter(g->graph,
                                      avfilter_get_by_name("buffer"), name);
    par = av_buffersrc_parameters_alloc();

    if (*in == NULL || par == NULL) {
        av_free(par);
        return AVERROR(ENOMEM);
    }

    par->format = like->format;
    par->time_base = tb;
    par->width = like->width;
    par->height = like->height;
    par->sample_aspect_ratio = (AVRational) { 1, 1 };
#if LIBAVFILTER_VERSION_MAJOR >= 10
    par->color_space = like->colorspace;
    par->color_range = like->color_range;
#endif

    rc = av_buffersrc_parameters_set(*in, par);
    av_free(par);

    return rc < 0 ? rc : avfilter_init_str(*in, NULL);
}


/* the open end of that name; NULL: there is none */
static AVFilterInOut *
find_end(AVFilterInOut *p, const char *name)
{
    while (p != NULL && (p->name == NULL || strcmp(p->name, name) != 0)) {
        p = p->next;
    }

    return p;
}


static int
link_input(AVFilterContext *in, const char *name, AVFilterInOut *ins)
{
    AVFilterInOut  *p = find_end(ins, name);

    return p == NULL ? AVERROR(EINVAL)
           : avfilter_link(in, 0, p->filter_ctx, (unsigned) p->pad_idx);
}


static int
link_output(reel_av_graph_t *g, unsigned i, AVFilterInOut *outs)
{
    int             rc;
    char            name[16];
    AVFilterInOut  *p;

    (void) snprintf(name, sizeof(name), "o%u", i);

    p = find_end(outs, name);
    if (p == NULL) {
        return AVERROR(EINVAL);
    }

    rc = avfilter_graph_create_filter(&g->out[i],
                                      avfilter_get_by_name("buffersink"),
                                      name, NULL, NULL, g->graph);

    return rc < 0 ? rc : avfilter_link(p->filter_ctx, (unsigned) p->pad_idx,
                                       g->out[i], 0);
}


/* the description's open ends are "[in]", maybe "[mark]", "[o0]", "[o1]", … */
static int
link_all(reel_av_graph_t *g, const char *description)
{
    int             rc;
    unsigned        i;
    AVFilterInOut  *ins, *outs;

    ins = NULL;
    outs = NULL;

    rc = avfilter_graph_parse2(g->graph, description, &ins, &outs);

    if (rc >= 0) {
        rc = link_input(g->in, "in", ins);
    }
    if (rc >= 0 && g->mark != NULL) {
        rc = link_input(g->mark, "mark", ins);
    }

    for (i = 0; rc >= 0 && i < g->nout; i++) {
        rc = link_output(g, i, outs);
    }

    avfilter_inout_free(&ins);
    avfilter_inout_free(&outs);

    return rc < 0 ? rc : avfilter_graph_config(g->graph, NULL);
}


/* shown over each picture from the first one on */
static int
push_mark(reel_av_graph_t *g, const AVFrame *picture, int64_t pts)
{
    int       rc;
    AVFrame  *frame = av_frame_clone(picture);

    if (frame == NULL) {
        return AVERROR(ENOMEM);
    }

    frame->pts = pts;
    rc = av_buffersrc_add_frame(g->mark, frame);
    av_frame_free(&frame);

    return rc < 0 ? rc : av_buffersrc_add_frame(g->mark, NULL);
}


static int
build(reel_av_graph_t *g, const AVFrame *like, AVRational tb,
    const char *description, unsigned nout, const AVFrame *mark,
    reel_av_fault_t *f)
{
    int  rc;

    reel_av_graph_release(g);

    g->nout = nout;
    g->tb = tb;
    g->width = like->width;
    g->height = like->height;
    g->format = like->format;
    g->range = like->color_range;
    g->transfer = like->color_trc;

    g->graph = avfilter_graph_alloc();
    if (g->graph == NULL) {
        return reel_av_fault_lib(f, AVERROR(ENOMEM), "scale", "graph");
    }

    /* threads would need clone(), and one core is what a slot has */
    g->graph->nb_threads = 1;
    g->graph->scale_sws_opts = av_strdup("flags=bicubic");

    rc = g->graph->scale_sws_opts == NULL ? AVERROR(ENOMEM)
         : add_input(g, &g->in, "in", like, tb);
    if (rc >= 0 && mark != NULL) {
        rc = add_input(g, &g->mark, "mark", mark, tb);
    }
    if (rc >= 0) {
        rc = link_all(g, description);
    }
    if (rc >= 0 && mark != NULL) {
        rc = push_mark(g, mark, like->pts);
    }

    return rc < 0 ? reel_av_fault_lib(f, rc, "scale", "graph") : 0;
}


int
reel_av_graph_deinterlace(reel_av_graph_t *g, const AVFrame *like,
    AVRational tb, reel_av_fault_t *f)
{
    return build(g, like, tb,
                 "[in]bwdif=mode=send_frame:parity=auto:deint=interlaced[o0]",
                 1, NULL, f);
}


int
reel_av_graph_detect(reel_av_graph_t *g, const AVFrame *like, AVRational tb,
    reel_av_fault_t *f)
{
    /* at the default threshold, 1.04, progressive drawings are combed */
    return build(g, like, tb, "[in]idet=intl_thres=1.5[o0]", 1, NULL,
                 f);
}


/* what the description says before the split: docs of reel_source_video_t */
static void
print_orient(reel_buf_t *b, int rotation, bool hflip, bool vflip)
{
    if (hflip) {
        reel_buf_addz(b, "hflip,");
    }

    if (vflip) {
        reel_buf_addz(b, "vflip,");
    }

    switch (rotation) {
    case 90:
        reel_buf_addz(b, "transpose=clock,");
        break;
    case 180:
        reel_buf_addz(b, "hflip,vflip,");
        break;
    case 270:
        reel_buf_addz(b, "transpose=cclock,");
        break;
    default:
        break;
    }
}


/* the options of every scaler: said only where something changes, since
   scale passes equal pictures through */
static const char *
scale_options(const AVFrame *like, const char *format)
{
    if (reel_av_colour_is_hdr(like)) {
        return "";
    }

    if (reel_av_colour_is_rgb(like)) {
        return ":out_color_matrix=bt709";
    }

    return reel_av_colour_is_full(like) && strcmp(format, "yuv420p") == 0
           ? ":in_range=full:out_range=limited" : "";
}


/* of those that keep the curve */
static reel_av_size_t
largest(const reel_av_size_t *sizes, unsigned n,
    enum AVColorTransferCharacteristic keep)
{
    unsigned        i;
    reel_av_size_t  max = { 0 };

    for (i = 0; i < n; i++) {
        if (sizes[i].keep == keep
            && (uint64_t) sizes[i].width * sizes[i].height
               > (uint64_t) max.width * max.height)
        {
            max = sizes[i];
        }
    }

    return max;
}


static unsigned
count(const reel_av_size_t *sizes, unsigned n,
    enum AVColorTransferCharacteristic keep)
{
    unsigned  i, found = 0;

    for (i = 0; i < n; i++) {
        found += sizes[i].keep == keep;
    }

    return found;
}


static void
print_marks(reel_buf_t *b, const reel_av_mark_t *mark, const AVFrame *like,
    const reel_av_size_t *sizes, unsigned n)
{
    bool      bt709;
    unsigned  i;

    bt709 = reel_av_colour_is_hdr(like)
            || (like->colorspace != AVCOL_SPC_BT470BG
                && like->colorspace != AVCOL_SPC_SMPTE170M);

    reel_buf_printf(b, ";[mark]split=%u", n);
    for (i = 0; i < n; i++) {
        reel_buf_printf(b, "[m%u]", i);
    }

    for (i = 0; i < n; i++) {
        reel_av_mark_print(b, mark, i, sizes[i].width, sizes[i].height,
                           bt709);
    }
}


static void
print_split(reel_buf_t *b, const reel_av_size_t *sizes, unsigned n,
    enum AVColorTransferCharacteristic keep)
{
    unsigned  i;

    reel_buf_printf(b, "split=%u", count(sizes, n, keep));

    for (i = 0; i < n; i++) {
        if (sizes[i].keep == keep) {
            reel_buf_printf(b, "[s%u]", i);
        }
    }
}


static void
print_scale(reel_buf_t *b, const AVFrame *like, const reel_av_size_t *size,
    unsigned i, const char *format, bool marked)
{
    const char  *tags;

    if (size->keep != AVCOL_TRC_RESERVED0) {
        reel_buf_printf(b, ";[s%u]scale=w=%u:h=%u:flags=bicubic,setsar=1,"
                        "format=yuv420p10le[o%u]", i, size->width,
                        size->height, i);
        return;
    }

    /* else the tags would go on saying that there is no matrix */
    tags = reel_av_colour_is_rgb(like) && !reel_av_colour_is_hdr(like)
           ? ",setparams=colorspace=bt709:color_primaries=bt709:"
             "color_trc=bt709" : "";

    reel_buf_printf(b, ";[s%u]scale=w=%u:h=%u:flags=bicubic%s,"
                    "setsar=1,format=%s%s[%s%u]", i, size->width,
                    size->height, scale_options(like, format), format, tags,
                    marked ? "b" : "o", i);
}


/*
 * Pictures of SDR and those that keep their light part before the first is
 * made: [in] … split [map] → s0 …, [keep] → s1 …
 */
static void
print_ladder(reel_buf_t *b, const AVFrame *like, const reel_av_size_t *sizes,
    unsigned n)
{
    unsigned                            i;
    reel_av_size_t                      max;
    enum AVColorTransferCharacteristic  keep = AVCOL_TRC_RESERVED0;

    for (i = 0; i < n; i++) {
        keep = sizes[i].keep != AVCOL_TRC_RESERVED0 ? sizes[i].keep : keep;
    }

    reel_av_colour_flatten(b, like);

    if (keep != AVCOL_TRC_RESERVED0) {
        if (count(sizes, n, AVCOL_TRC_RESERVED0) > 0) {
            reel_buf_addz(b, "split=2[map][keep];[keep]");
        }

        max = largest(sizes, n, keep);
        reel_av_colour_keep(b, like, keep, max.width, max.height);
        print_split(b, sizes, n, keep);

        if (count(sizes, n, AVCOL_TRC_RESERVED0) == 0) {
            return;
        }
        reel_buf_addz(b, ";[map]");
    }

    max = largest(sizes, n, AVCOL_TRC_RESERVED0);
    reel_av_colour_map(b, like, max.width, max.height);
    print_split(b, sizes, n, AVCOL_TRC_RESERVED0);
}


int
reel_av_graph_ladder(reel_av_graph_t *g, const AVFrame *like, AVRational tb,
    int rotation, bool hflip, bool vflip, const reel_av_size_t *sizes,
    unsigned n, const char *format, const reel_av_mark_t *mark,
    reel_av_fault_t *f)
{
    int         rc;
    unsigned    i;
    reel_buf_t  b;

    reel_buf_init(&b, DESCRIPTION_MAX);

    reel_buf_addz(&b, "[in]");
    print_orient(&b, rotation, hflip, vflip);
    print_ladder(&b, like, sizes, n);

    for (i = 0; i < n; i++) {
        print_scale(&b, like, &sizes[i], i, format, mark != NULL);
    }

    if (mark != NULL) {
        print_marks(&b, mark, like, sizes, n);
    }

    rc = reel_buf_err(&b) != REEL_OK
         ? reel_av_fault_err(f, reel_buf_err(&b), "scale", "graph")
         : build(g, like, tb, reel_buf_cstr(&b), n,
                 mark != NULL ? mark->picture : NULL, f);

    reel_buf_release(&b);
    return rc;
}


void
reel_av_graph_release(reel_av_graph_t *g)
{
    avfilter_graph_free(&g->graph);
    *g = (reel_av_graph_t) { 0 };
}


bool
reel_av_graph_fits(const reel_av_graph_t *g, const AVFrame *frame)
{
    return g->graph != NULL && g->width == frame->width
           && g->height == frame->height && g->format == frame->format
           && g->range == (int) frame->color_range
           && g->transfer == (int) frame->color_trc;
}


int
reel_av_graph_push(reel_av_graph_t *g, AVFrame *frame, reel_av_fault_t *f)
{
    int  rc;

    rc = av_buffersrc_add_frame_flags(g->in, frame,
                                      AV_BUFFERSRC_FLAG_KEEP_REF);

    return rc < 0 ? reel_av_fault_lib(f, rc, "scale", "filter") : 0;
}


int
reel_av_graph_pull(reel_av_graph_t *g, unsigned i, AVFrame *frame,
    reel_av_fault_t *f)
{
    int         rc;
    AVRational  from;

    rc = av_buffersink_get_frame(g->out[i], frame);

    if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) {
        return 0;
    }

    if (rc < 0) {
        return reel_av_fault_lib(f, rc, "scale", "filter");
    }

    /* bwdif doubles the clock */
    from = av_buffersink_get_time_base(g->out[i]);
    if (frame->pts != AV_NOPTS_VALUE) {
        frame->pts = av_rescale_q(frame->pts, from, g->tb);
    }

    return 1;
}

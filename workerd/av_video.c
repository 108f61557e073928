/*
 * encode_video: one decode of a stretch of the source feeds all rungs of a
 * group.  Which picture stands where is av_place's; here is the plumbing:
 *
 *     reader → deinterlacer → the picture at hand → ladder graph → rungs
 *
 * The picture at hand is scaled when its first place is known and kept
 * scaled, so that repeating it costs an encode only.
 */

#include <string.h>

#include <libavutil/frame.h>

#include "lib/base/rescale.h"
#include "workerd/av_compat.h"
#include "workerd/av_filter.h"
#include "workerd/av_light.h"
#include "workerd/av_log.h"
#include "workerd/av_place.h"
#include "workerd/av_reader.h"
#include "workerd/av_rung.h"


typedef struct {
    reel_child_t        *child;
    reel_encode_video_t  task;
    reel_av_fault_t      fault;
    reel_av_reader_t     reader;
    reel_place_t         place;
    reel_av_graph_t      deint;
    reel_av_graph_t      ladder;
    reel_av_mark_t       mark;

    AVFrame             *cur;           /* the picture at hand */
    bool                 have_cur;
    int64_t              cur_at;        /* its tick */
    bool                 have_scaled;
    AVFrame             *scaled[REEL_TASK_RUNGS];
    AVFrame             *tmp;
    int64_t              last_pts;

    bool                 opened;
    reel_thin_t          thin[REEL_TASK_RUNGS];
    reel_av_rung_t       rungs[REEL_TASK_RUNGS];
} video_t;


/* the clock of pts in the graphs: the source's */
static AVRational
source_tb(const video_t *v)
{
    return (AVRational) { (int) v->task.tb.num, (int) v->task.tb.den };
}


static int
scale(video_t *v)
{
    int             rc;
    unsigned        i;
    reel_av_size_t  sizes[REEL_TASK_RUNGS];

    if (!reel_av_graph_fits(&v->ladder, v->cur)) {
        for (i = 0; i < v->task.nrungs; i++) {
            sizes[i] = (reel_av_size_t) {
                v->task.rungs[i].width, v->task.rungs[i].height,
                v->task.rungs[i].hdr
                ? reel_av_light_curve(v->task.light.range)
                : AVCOL_TRC_RESERVED0
            };
        }

        if (reel_av_graph_ladder(&v->ladder, v->cur, source_tb(v),
                                 v->task.rotation, v->task.hflip,
                                 v->task.vflip, sizes, v->task.nrungs,
                                 "yuv420p",
                                 v->mark.picture != NULL ? &v->mark : NULL,
                                 &v->fault) != 0)
        {
            return -1;
        }
    }

    if (reel_av_graph_push(&v->ladder, v->cur, &v->fault) != 0) {
        return -1;
    }

    for (i = 0; i < v->task.nrungs; i++) {
        av_frame_unref(v->scaled[i]);

        rc = reel_av_graph_pull(&v->ladder, i, v->scaled[i], &v->fault);
        if (rc == 0) {
            rc = reel_av_fault(&v->fault, "INTERNAL", "scale",
                               "the graph gave no picture");
        }
        if (rc < 0) {
            return -1;
        }
    }

    v->have_scaled = true;
    return 0;
}


static int
open_rungs(video_t *v)
{
    unsigned  i;

    v->opened = true;

    for (i = 0; i < v->task.nrungs; i++) {
        if (reel_av_rung_open(&v->rungs[i], &v->task, &v->task.rungs[i],
                              v->scaled[i], v->child->out_fd[i], &v->fault)
            != 0)
        {
            return -1;
        }
    }

    return 0;
}


/* emits the picture at hand wherever it shows before `until` */
static int
show(video_t *v, int64_t until)
{
    bool      key;
    int64_t   tick;
    unsigned  i;

    while (reel_place_next(&v->place, until, &tick)) {

        if (!v->have_scaled && scale(v) != 0) {
            return -1;
        }

        if (!v->opened && open_rungs(v) != 0) {
            return -1;
        }

        key = reel_place_is_key(&v->place, tick);

        for (i = 0; i < v->task.nrungs; i++) {
            if (reel_thin_shows(&v->thin[i], &v->place, tick)
                && reel_av_rung_encode(&v->rungs[i], v->scaled[i], tick, key,
                                       &v->fault)
                   != 0)
            {
                return -1;
            }
        }

        reel_child_progress(v->child, (unsigned)
                            reel_rescale(tick - v->place.from, 1000,
                                (uint64_t) (v->place.to - v->place.from),
                                REEL_ROUND_DOWN));
    }

    return 0;
}


/* a picture in order of presentation: it becomes the one at hand */
static int
take(video_t *v, AVFrame *frame)
{
    int64_t  at, per;

    if (frame->pts == AV_NOPTS_VALUE) {
        per = reel_rescale(1, (uint64_t) v->task.rate.den * v->task.tb.den,
                           (uint64_t) v->task.rate.num * v->task.tb.num,
                           REEL_ROUND_NEAR);
        frame->pts = v->have_cur ? v->last_pts + per : v->task.origin;
    }

    at = reel_place_of(&v->place, frame->pts);

    if (v->have_cur && at < v->cur_at) {
        return 0;
    }

    if (v->have_cur && at > v->cur_at && show(v, at) != 0) {
        return -1;
    }

    v->last_pts = frame->pts;
    v->cur_at = at;
    v->have_cur = true;
    v->have_scaled = false;

    av_frame_unref(v->cur);
    av_frame_move_ref(v->cur, frame);

    return 0;
}


static int
take_deinterlaced(video_t *v)
{
    int  rc;

    for ( ;; ) {
        rc = reel_av_graph_pull(&v->deint, 0, v->tmp, &v->fault);
        if (rc <= 0) {
            return rc;
        }

        rc = take(v, v->tmp);
        av_frame_unref(v->tmp);

        if (rc != 0) {
            return -1;
        }
    }
}


static int
flush_deinterlacer(video_t *v)
{
    if (v->deint.graph == NULL) {
        return 0;
    }

    if (reel_av_graph_push(&v->deint, NULL, &v->fault) != 0) {
        return -1;
    }

    return take_deinterlaced(v);
}


static int
deinterlace(video_t *v, AVFrame *frame)
{
    if (!reel_av_graph_fits(&v->deint, frame)) {
        if (flush_deinterlacer(v) != 0
            || reel_av_graph_deinterlace(&v->deint, frame, source_tb(v),
                                         &v->fault) != 0)
        {
            return -1;
        }
    }

    if (reel_av_graph_push(&v->deint, frame, &v->fault) != 0) {
        return -1;
    }

    return take_deinterlaced(v);
}


/* whether decoding that begins with this picture is early enough */
static bool
early_enough(void *arg, int64_t pts)
{
    int64_t   margin;
    video_t  *v = arg;

    margin = 0;

    if (v->task.interlaced) {
        /* the deinterlacer looks at a neighbour on either side */
        margin = v->task.grid.frame_ts ? 2 * (int64_t) v->task.grid.frame_ts
                                       : v->task.grid.timescale / 10;
    }

    return reel_place_of(&v->place, pts) <= v->place.from - margin;
}


/* the pts of a tick */
static int64_t
source_pts(const video_t *v, int64_t tick)
{
    return v->task.origin
           + reel_rescale(tick, v->task.tb.den,
                          (uint64_t) v->task.tb.num * v->task.grid.timescale,
                          REEL_ROUND_DOWN);
}


/*
 * All pictures of a quarter of a second ahead of the chunk are decoded, in
 * case that its first slots are empty and repeat one of them.  A variable
 * rate may pause for longer, and a deinterlacer wants neighbours: there no
 * picture is left out.
 */
static void
skip_preroll(video_t *v)
{
    int64_t  ts;

    if (v->task.grid.frame_ts == 0 || v->task.interlaced) {
        return;
    }

    ts = v->place.from - v->task.grid.timescale / 4;
    reel_av_reader_skip_before(&v->reader, source_pts(v, ts));
}


/* every packet is some chunk's */
static void
judge(video_t *v)
{
    reel_av_reader_judge(&v->reader,
                         v->task.frag_from > 0
                         ? source_pts(v, v->place.from) : INT64_MIN,
                         v->task.frag_to < v->task.grid.fragments
                         ? source_pts(v, v->place.to) : INT64_MAX);
}


static int
run(video_t *v)
{
    int       rc;
    AVFrame  *frame;

    skip_preroll(v);
    judge(v);

    /* the first chunk reads from the file's start */
    if (v->task.frag_from > 0
        && reel_av_reader_start(&v->reader, v->task.seek_pts, early_enough,
                                v, &v->fault) != 0)
    {
        return -1;
    }

    while (!reel_place_done(&v->place)) {
        rc = reel_av_reader_next(&v->reader, &frame, &v->fault);
        if (rc < 0) {
            return -1;
        }

        if (rc == 0) {
            if (v->task.interlaced && flush_deinterlacer(v) != 0) {
                return -1;
            }
            break;
        }

        if ((v->task.interlaced ? deinterlace(v, frame) : take(v, frame))
            != 0)
        {
            return -1;
        }
    }

    if (!v->have_cur) {
        return reel_av_fault(&v->fault, "BAD_MEDIA", "decode",
                             "no picture of chunk %u could be decoded",
                             v->task.chunk);
    }

    if (reel_av_reader_tell(&v->reader, v->child, v->task.origin, &v->fault)
        != 0)
    {
        return -1;
    }

    return show(v, INT64_MAX);
}


static int
finish(video_t *v)
{
    unsigned        i;
    reel_err_t      err;
    reel_encoded_t  o;

    for (i = 0; i < v->task.nrungs; i++) {
        memset(&o, 0, sizeof(o));

        if (reel_av_rung_finish(&v->rungs[i], &o, &v->fault) != 0) {
            return -1;
        }

        /* o borrows the rung's memory: nothing to release */
        err = reel_child_object(v->child, &o, i, 0);
        if (err != REEL_OK) {
            return reel_av_fault_err(&v->fault, err, "write", "answer");
        }
    }

    return 0;
}


/* a GOP of a constant rate has as many pictures of each rung */
static bool
rungs_fit(const reel_encode_video_t *t)
{
    bool      fit = true;
    unsigned  i;

    for (i = 0; t->grid.frame_ts != 0 && i < t->nrungs; i++) {
        fit &= t->grid.gop_ts
               % ((uint64_t) t->grid.frame_ts * t->rungs[i].every) == 0;
    }

    return fit;
}


static int
check(video_t *v)
{
    const reel_grid_t  *g;

    g = &v->task.grid;

    if (v->task.nrungs == 0 || v->task.nrungs > v->child->nout
        || g->gop_ts == 0 || g->timescale == 0 || v->task.tb.num == 0
        || v->task.tb.den == 0 || v->task.rate.num == 0
        || v->task.rate.den == 0 || v->task.frag_from >= v->task.frag_to
        || v->task.frag_to > g->fragments
        || !rungs_fit(&v->task)
        || v->place.from >= v->place.to)
    {
        return reel_av_fault(&v->fault, "INTERNAL", "payload",
                             "chunk %u cannot be encoded as asked",
                             v->task.chunk);
    }

    return 0;
}


static int
parse(video_t *v)
{
    reel_err_t    err;
    reel_error_t  e = { "" };

    err = reel_encode_video_parse(&v->task, v->child->payload.p,
                                  v->child->payload.len, &e);

    return err == REEL_OK ? 0 : reel_av_fault(&v->fault, "INTERNAL",
                                              "payload", "%s", e.text);
}


static int
prepare(video_t *v)
{
    unsigned  i;

    reel_place_init(&v->place, &v->task.grid, v->task.tb, v->task.origin,
                    v->task.frag_from, v->task.frag_to);

    if (check(v) != 0) {
        return -1;
    }

    v->cur = av_frame_alloc();
    v->tmp = av_frame_alloc();
    if (v->cur == NULL || v->tmp == NULL) {
        goto nomem;
    }

    for (i = 0; i < v->task.nrungs; i++) {
        reel_thin_init(&v->thin[i], &v->task.grid, v->task.rate,
                       v->task.rungs[i].every);

        v->scaled[i] = av_frame_alloc();
        if (v->scaled[i] == NULL) {
            goto nomem;
        }
    }

    v->mark.how = &v->task.mark;
    if (v->task.mark.image[0] != '\0'
        && reel_av_mark_read(&v->mark, v->child->image_fd, &v->fault) != 0)
    {
        return -1;
    }

    v->reader.combed = v->task.combed;

    return reel_av_reader_open(&v->reader, v->child->source_fd,
                               v->task.stream, &v->task.jumps,
                               v->task.threads, &v->fault);

nomem:

    return reel_av_fault_err(&v->fault, REEL_NOMEM, "decode", "pictures");
}


static void
release(video_t *v)
{
    unsigned  i;

    for (i = 0; i < v->task.nrungs; i++) {
        reel_av_rung_close(&v->rungs[i]);
        av_frame_free(&v->scaled[i]);
    }

    av_frame_free(&v->tmp);
    av_frame_free(&v->cur);
    reel_av_graph_release(&v->ladder);
    reel_av_mark_release(&v->mark);
    reel_av_graph_release(&v->deint);
    reel_av_reader_close(&v->reader);
}


int
reel_av_encode_video(reel_child_t *c)
{
    int      status = 0;
    video_t  v = { .child = c };

    reel_av_log_init();

    if (parse(&v) != 0) {
        return reel_av_fault_report(c, &v.fault);
    }

    if (v.task.copy) {
        return reel_av_copy_video(c, &v.task);
    }

    if (prepare(&v) != 0 || run(&v) != 0 || finish(&v) != 0) {
        status = reel_av_fault_report(c, &v.fault);
    }

    release(&v);
    return status;
}

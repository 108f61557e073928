/*
 * complexity: pieces of the film, scaled as encode_video scales them, into
 * trial encodes:
 *
 *     reader → deinterlacer → ladder graph ─┬→ a trial of each size
 *                                           └→ meter: how much of it the
 *                                              next smaller size would show
 */

#include <libavutil/frame.h>

#include "workerd/av_filter.h"
#include "workerd/av_log.h"
#include "workerd/av_reader.h"
#include "workerd/av_trial.h"

typedef struct {
    reel_child_t      *child;
    reel_complexity_t  task;
    reel_av_fault_t    fault;
    reel_av_reader_t   reader;
    reel_av_graph_t    deint;
    reel_av_graph_t    ladder;
    AVFrame           *tmp;
    AVFrame           *scaled[REEL_TRIALS];
    reel_av_trial_t    trials[REEL_TRIALS];
    reel_av_meter_t    soft[REEL_TRIALS];
    uint32_t           sizes;           /* trials but for the last */
    uint32_t           sample;
    uint32_t           taken;           /* pictures of this sample */
    int64_t            pictures;        /* of all */
} complexity_t;


static AVRational
source_tb(const complexity_t *x)
{
    return (AVRational) { (int) x->task.tb.num, (int) x->task.tb.den };
}


static int
scale(complexity_t *x, AVFrame *frame)
{
    int             rc = 1;
    uint32_t        i;
    reel_av_size_t  sizes[REEL_TRIALS];

    if (!reel_av_graph_fits(&x->ladder, frame)) {
        for (i = 0; i < x->sizes; i++) {
            sizes[i] = (reel_av_size_t) { x->task.trials.v[i].width,
                                          x->task.trials.v[i].height };
        }

        if (reel_av_graph_ladder(&x->ladder, frame, source_tb(x),
                                 x->task.rotation, x->task.hflip,
                                 x->task.vflip, sizes, x->sizes, "yuv420p",
                                 NULL, &x->fault) != 0)
        {
            return -1;
        }
    }

    if (reel_av_graph_push(&x->ladder, frame, &x->fault) != 0) {
        return -1;
    }

    for (i = 0; rc > 0 && i < x->sizes; i++) {
        av_frame_unref(x->scaled[i]);
        rc = reel_av_graph_pull(&x->ladder, i, x->scaled[i], &x->fault);
        x->scaled[i]->pts = x->pictures;
    }

    return rc == 0 ? reel_av_fault(&x->fault, "INTERNAL", "scale",
                                   "the graph gave no picture")
           : rc < 0 ? -1 : 0;
}


static int
take(complexity_t *x, AVFrame *frame)
{
    uint32_t  i;

    if (x->taken == x->task.frames) {
        return 0;
    }

    if (scale(x, frame) != 0) {
        return -1;
    }

    for (i = 0; i < x->task.trials.n; i++) {
        if (reel_av_trial_push(&x->trials[i],
                               x->scaled[i < x->sizes ? i : x->sizes - 1],
                               x->taken == 0, &x->fault) != 0)
        {
            return -1;
        }
    }

    for (i = 0; i + 1 < x->sizes; i++) {
        if (reel_av_meter_push(&x->soft[i], 0, x->scaled[i], &x->fault) != 0
            || reel_av_meter_push(&x->soft[i], 1, x->scaled[i + 1],
                                  &x->fault) != 0)
        {
            return -1;
        }
    }

    x->taken++;
    x->pictures++;

    return 0;
}


/* frame: NULL = the piece ends */
static int
deinterlace(complexity_t *x, AVFrame *frame)
{
    int  rc;

    if (frame == NULL && x->deint.graph == NULL) {
        return 0;
    }

    if (frame != NULL && !reel_av_graph_fits(&x->deint, frame)
        && reel_av_graph_deinterlace(&x->deint, frame, source_tb(x),
                                     &x->fault) != 0)
    {
        return -1;
    }

    if (reel_av_graph_push(&x->deint, frame, &x->fault) != 0) {
        return -1;
    }

    while ((rc = reel_av_graph_pull(&x->deint, 0, x->tmp, &x->fault)) > 0) {
        rc = take(x, x->tmp);
        av_frame_unref(x->tmp);

        if (rc != 0) {
            return -1;
        }
    }

    return rc;
}


static bool
early_enough(void *arg, int64_t pts)
{
    const complexity_t  *x = arg;

    return pts <= x->task.samples[x->sample].from_pts;
}


static int
try_sample(complexity_t *x)
{
    int        rc;
    int64_t    from = x->task.samples[x->sample].from_pts;
    AVFrame   *frame;
    unsigned   skipped = 0;

    x->taken = 0;

    if (reel_av_reader_start(&x->reader,
                             x->task.samples[x->sample].seek_pts,
                             early_enough, x, &x->fault) != 0)
    {
        return -1;
    }

    while (x->taken < x->task.frames) {
        rc = reel_av_reader_next(&x->reader, &frame, &x->fault);
        if (rc <= 0) {
            if (rc < 0) {
                return -1;
            }
            break;
        }

        if (frame->pts != AV_NOPTS_VALUE && frame->pts < from
            && skipped++ < REEL_COMPLEXITY_SKIP)
        {
            continue;
        }

        if ((x->task.interlaced ? deinterlace(x, frame) : take(x, frame))
            != 0)
        {
            return -1;
        }
    }

    rc = x->task.interlaced ? deinterlace(x, NULL) : 0;
    reel_av_graph_release(&x->deint);

    return rc;
}


static int
open_trials(complexity_t *x)
{
    uint32_t             i;
    const reel_trial_t  *v = x->task.trials.v;

    for (i = 0; i < x->task.trials.n; i++) {
        x->scaled[i] = av_frame_alloc();

        if (x->scaled[i] == NULL
            || reel_av_trial_open(&x->trials[i], &v[i], x->task.rate,
                                  &x->fault) != 0)
        {
            return -1;
        }
    }

    for (i = 0; i + 1 < x->sizes; i++) {
        if (reel_av_meter_open(&x->soft[i], (int) v[i].width,
                               (int) v[i].height, (int) v[i + 1].width,
                               (int) v[i + 1].height, &x->fault) != 0)
        {
            return -1;
        }
    }

    return 0;
}


static int
prepare(complexity_t *x)
{
    reel_err_t    err;
    reel_error_t  e = { "" };

    err = reel_complexity_parse(&x->task, x->child->payload.p,
                                x->child->payload.len, &e);
    if (err == REEL_OK && x->task.trials.n < 2) {
        err = reel_fail(&e, REEL_BADDATA, "trials are too few");
    }
    if (err != REEL_OK) {
        return reel_av_fault(&x->fault, "INTERNAL", "payload", "%s", e.text);
    }

    x->sizes = x->task.trials.n - 1;
    x->tmp = av_frame_alloc();
    if (x->tmp == NULL) {
        return reel_av_fault_err(&x->fault, REEL_NOMEM, "decode", "pictures");
    }

    x->reader.combed = x->task.combed;

    return reel_av_reader_open(&x->reader, x->child->source_fd,
                               x->task.stream, &x->task.jumps, 1, &x->fault)
           != 0 ? -1 : open_trials(x);
}


static int
run(complexity_t *x)
{
    for (x->sample = 0; x->sample < x->task.nsamples; x->sample++) {
        if (try_sample(x) != 0) {
            return -1;
        }

        reel_child_progress(x->child, (x->sample + 1) * 1000
                                      / x->task.nsamples);
    }

    return x->pictures > 0 ? 0
           : reel_av_fault(&x->fault, "BAD_MEDIA", "decode",
                           "no picture could be decoded");
}


static int
answer(complexity_t *x)
{
    uint32_t       i;
    reel_err_t     err;
    reel_trial_t  *v = x->task.trials.v;

    for (i = 0; i < x->task.trials.n; i++) {
        if (reel_av_trial_finish(&x->trials[i], &v[i], x->task.rate,
                                 &x->fault) != 0)
        {
            return -1;
        }

        v[i].soft = i + 1 < x->sizes ? reel_av_meter_loss(&x->soft[i])
                                     : REEL_LOSS_ALL;
    }

    err = reel_child_trials(x->child, &x->task.trials);

    return err == REEL_OK ? 0
           : reel_av_fault_err(&x->fault, err, "write", "answer");
}


int
reel_av_complexity(reel_child_t *c)
{
    int           status = 0;
    uint32_t      i;
    complexity_t  x = { .child = c };

    reel_av_log_init();

    if (prepare(&x) != 0 || run(&x) != 0 || answer(&x) != 0) {
        status = reel_av_fault_report(c, &x.fault);
    }

    for (i = 0; i < REEL_TRIALS; i++) {
        reel_av_trial_release(&x.trials[i]);
        reel_av_meter_release(&x.soft[i]);
        av_frame_free(&x.scaled[i]);
    }

    av_frame_free(&x.tmp);
    reel_av_graph_release(&x.ladder);
    reel_av_graph_release(&x.deint);
    reel_av_reader_close(&x.reader);

    return status;
}

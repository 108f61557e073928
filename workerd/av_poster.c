/* poster: one picture of the film as JPEG */


#include "workerd/av_compat.h"
#include "workerd/av_filter.h"
#include "workerd/av_jpeg.h"
#include "workerd/av_log.h"
#include "workerd/av_reader.h"


/* a picture near the instant will do where key frames are far apart */
#define DECODE_MAX   600


typedef struct {
    reel_child_t     *child;
    reel_poster_t     task;
    reel_av_fault_t   fault;
    reel_av_reader_t  reader;
    reel_av_graph_t   deint;
    reel_av_graph_t   graph;
    AVFrame          *best;
    AVFrame          *out;
    reel_av_jpeg_t    jpeg;
} poster_t;


static bool
early_enough(void *arg, int64_t pts)
{
    poster_t  *p = arg;

    return pts <= p->task.at_pts;
}


/* the picture that shows at at_pts */
static int
find(poster_t *p)
{
    int       rc;
    AVFrame  *frame;
    unsigned  n;

    /* a second of all pictures, lest the one before at_pts be missing */
    reel_av_reader_skip_before(&p->reader, p->task.at_pts
                               - (int64_t) p->task.tb.den / p->task.tb.num);

    if (reel_av_reader_start(&p->reader, p->task.at_pts, early_enough, p,
                             &p->fault) != 0)
    {
        return -1;
    }

    for (n = 0; n < DECODE_MAX; n++) {
        rc = reel_av_reader_next(&p->reader, &frame, &p->fault);
        if (rc < 0) {
            return -1;
        }

        if (rc == 0 || (n > 0 && frame->pts != AV_NOPTS_VALUE
                        && frame->pts > p->task.at_pts))
        {
            break;
        }

        av_frame_unref(p->best);
        av_frame_move_ref(p->best, frame);
    }

    return n > 0 ? 0 : reel_av_fault(&p->fault, "BAD_MEDIA", "decode",
                                     "no picture could be decoded");
}


static int
filter(poster_t *p)
{
    int             rc;
    AVRational      tb;
    reel_av_size_t  size;

    tb = (AVRational) { (int) p->task.tb.num, (int) p->task.tb.den };
    size = (reel_av_size_t) { p->task.width, p->task.height };

    if (reel_frame_interlaced(p->best)) {
        if (reel_av_graph_deinterlace(&p->deint, p->best, tb, &p->fault) != 0
            || reel_av_graph_push(&p->deint, p->best, &p->fault) != 0
            || reel_av_graph_push(&p->deint, NULL, &p->fault) != 0)
        {
            return -1;
        }

        av_frame_unref(p->best);
        rc = reel_av_graph_pull(&p->deint, 0, p->best, &p->fault);
        if (rc <= 0) {
            goto empty;
        }
    }

    if (reel_av_graph_ladder(&p->graph, p->best, tb, p->task.rotation,
                             p->task.hflip, p->task.vflip, &size, 1,
                             REEL_AV_JPEG_FORMAT, NULL, &p->fault) != 0
        || reel_av_graph_push(&p->graph, p->best, &p->fault) != 0)
    {
        return -1;
    }

    rc = reel_av_graph_pull(&p->graph, 0, p->out, &p->fault);
    if (rc > 0) {
        return 0;
    }

empty:

    return reel_av_fault(&p->fault, "INTERNAL", "scale",
                         "the graph gave no picture");
}


static int
encode(poster_t *p)
{
    p->out->pts = 0;

    return reel_av_jpeg_open(&p->jpeg, p->out->width, p->out->height,
                             &p->fault) != 0
           || reel_av_jpeg_encode(&p->jpeg, p->out, &p->fault) != 0 ? -1 : 0;
}


static int
write_image(poster_t *p)
{
    int         fd;
    reel_err_t  err;

    fd = p->child->out_fd[0];

    err = reel_child_write(fd, p->jpeg.pkt->data,
                           (size_t) p->jpeg.pkt->size);

    if (err == REEL_OK) {
        err = reel_child_sync(fd);
    }

    if (err == REEL_OK) {
        err = reel_child_image(p->child, 0, p->task.width, p->task.height,
                               (uint32_t) p->jpeg.pkt->size);
    }

    return err == REEL_OK
           ? 0 : reel_av_fault_err(&p->fault, err, "write", "image");
}


static int
prepare(poster_t *p)
{
    reel_err_t    err;
    reel_error_t  e;

    e.text[0] = '\0';
    err = reel_poster_parse(&p->task, p->child->payload.p,
                            p->child->payload.len, &e);
    if (err != REEL_OK) {
        return reel_av_fault(&p->fault, "INTERNAL", "payload", "%s", e.text);
    }

    if (p->child->nout < 1 || p->task.width == 0 || p->task.height == 0
        || p->task.tb.num == 0 || p->task.tb.den == 0)
    {
        return reel_av_fault(&p->fault, "INTERNAL", "payload",
                             "the poster cannot be made as asked");
    }

    p->best = av_frame_alloc();
    p->out = av_frame_alloc();
    if (p->best == NULL || p->out == NULL) {
        return reel_av_fault_err(&p->fault, REEL_NOMEM, "decode", "picture");
    }

    p->reader.combed = p->task.combed;

    return reel_av_reader_open(&p->reader, p->child->source_fd,
                               p->task.stream, &p->task.jumps, 1,
                               &p->fault);
}


int
reel_av_poster(reel_child_t *c)
{
    int       status;
    poster_t  p;

    reel_av_log_init();

    p = (poster_t) { .child = c };

    if (prepare(&p) == 0 && find(&p) == 0 && filter(&p) == 0
        && encode(&p) == 0 && write_image(&p) == 0)
    {
        status = 0;

    } else {
        status = reel_av_fault_report(c, &p.fault);
    }

    reel_av_jpeg_close(&p.jpeg);
    av_frame_free(&p.out);
    av_frame_free(&p.best);
    reel_av_graph_release(&p.graph);
    reel_av_graph_release(&p.deint);
    reel_av_reader_close(&p.reader);

    return status;
}

/*
 * storyboard: pictures of the film at equal steps, in one walk over the
 * source.  Where key frames serve, only the one that shows at an instant is
 * decoded, each by itself; else (exact) all of the film is, but for pictures
 * between the instants that no other needs.
 */

#include <stdlib.h>

#include "workerd/av_compat.h"
#include "workerd/av_filter.h"
#include "workerd/av_jpeg.h"
#include "workerd/av_log.h"
#include "workerd/av_read.h"
#include "workerd/av_reader.h"



/* so much of a step a key frame may come late: rates are seldom round */
#define LATE  8

/* pictures around an instant are all decoded, lest one be missing */
#define AROUND_MS  200


typedef struct {
    AVFrame        *frame;      /* scaled */
    AVFrame        *sheet;      /* NULL: single frames */
    reel_av_jpeg_t  jpeg;
    reel_story_t    told;
} set_t;

typedef struct {
    reel_child_t      *child;
    reel_storyboard_t  task;
    reel_av_fault_t    fault;
    reel_av_graph_t    deint;
    reel_av_graph_t    graph;
    AVFrame           *shown;   /* the last picture that came */
    AVFrame           *flat;    /* the same without interlacing */
    uint32_t           made;    /* pictures */
    set_t              set[REEL_STORY_SETS];
} story_t;


/* where picture i stands, in the stream's time base */
static int64_t
instant(const story_t *s, uint32_t i)
{
    return s->task.origin
           + av_rescale((int64_t) i * s->task.interval_ms, s->task.tb.den,
                        INT64_C(1000) * s->task.tb.num);
}


static int64_t
ticks(const story_t *s, int64_t ms)
{
    return av_rescale(ms, s->task.tb.den, INT64_C(1000) * s->task.tb.num);
}


static int
write_sheet(story_t *s, unsigned i, AVFrame *frame)
{
    reel_err_t  err;
    set_t      *t = &s->set[i];

    frame->pts = t->told.nsheets;

    if (reel_av_jpeg_encode(&t->jpeg, frame, &s->fault) != 0) {
        return -1;
    }

    err = reel_child_write(s->child->out_fd[i], t->jpeg.pkt->data,
                           (size_t) t->jpeg.pkt->size);
    if (err != REEL_OK) {
        return reel_av_fault_err(&s->fault, err, "write", "pictures");
    }

    t->told.sizes[t->told.nsheets++] = (uint32_t) t->jpeg.pkt->size;

    return 0;
}


static void
fill(AVFrame *f, int plane, int x, int y, int w, int h, const AVFrame *from)
{
    uint8_t  *dst;

    for (int k = 0; k < h; k++) {
        dst = f->data[plane] + (ptrdiff_t) (y + k) * f->linesize[plane] + x;

        if (from != NULL) {
            memcpy(dst, from->data[plane]
                        + (ptrdiff_t) k * from->linesize[plane], (size_t) w);
        } else {
            memset(dst, plane == 0 ? 0 : 0x80, (size_t) w);
        }
    }
}


/* tile n of the sheet; the first one blackens what is behind it */
static int
put_tile(story_t *s, set_t *t, uint32_t n)
{
    int  rc, x, y, shift;

    /* the encoder may hold what it was given */
    rc = av_frame_make_writable(t->sheet);
    if (rc < 0) {
        return reel_av_fault_lib(&s->fault, rc, "encode", "sheet");
    }

    x = (int) (n % t->told.columns) * t->frame->width;
    y = (int) (n / t->told.columns) * t->frame->height;

    for (int plane = 0; plane < 3; plane++) {
        shift = plane > 0;

        if (n == 0) {
            fill(t->sheet, plane, 0, 0, t->sheet->width >> shift,
                 t->sheet->height >> shift, NULL);
        }

        fill(t->sheet, plane, x >> shift, y >> shift,
             t->frame->width >> shift, t->frame->height >> shift, t->frame);
    }

    return 0;
}


static int
add_picture(story_t *s, unsigned i)
{
    set_t     *t = &s->set[i];
    uint32_t   per = t->told.columns * t->told.rows;
    uint32_t   n = s->made % per;

    if (t->sheet == NULL) {
        return write_sheet(s, i, t->frame);
    }

    if (put_tile(s, t, n) != 0) {
        return -1;
    }

    return n + 1 == per || s->made + 1 == s->task.count
           ? write_sheet(s, i, t->sheet) : 0;
}


static int
flatten(story_t *s, AVFrame *in)
{
    int         rc;
    AVRational  tb = { (int) s->task.tb.num, (int) s->task.tb.den };

    if (reel_av_graph_deinterlace(&s->deint, in, tb, &s->fault) != 0
        || reel_av_graph_push(&s->deint, in, &s->fault) != 0
        || reel_av_graph_push(&s->deint, NULL, &s->fault) != 0)
    {
        return -1;
    }

    av_frame_unref(s->flat);
    rc = reel_av_graph_pull(&s->deint, 0, s->flat, &s->fault);

    return rc > 0 ? 0 : rc < 0 ? -1
           : reel_av_fault(&s->fault, "INTERNAL", "scale",
                           "no picture without interlacing");
}


static int
scale(story_t *s, AVFrame *in)
{
    int             rc;
    AVRational      tb = { (int) s->task.tb.num, (int) s->task.tb.den };
    reel_av_size_t  sizes[REEL_STORY_SETS];

    for (uint32_t i = 0; i < s->task.nsets; i++) {
        sizes[i] = (reel_av_size_t) { s->task.sets[i].width,
                                      s->task.sets[i].height };
    }

    if (!reel_av_graph_fits(&s->graph, in)
        && reel_av_graph_ladder(&s->graph, in, tb, s->task.rotation,
                                s->task.hflip, s->task.vflip, sizes,
                                s->task.nsets, REEL_AV_JPEG_FORMAT, NULL,
                                &s->fault) != 0)
    {
        return -1;
    }

    if (reel_av_graph_push(&s->graph, in, &s->fault) != 0) {
        return -1;
    }

    for (unsigned i = 0; i < s->task.nsets; i++) {
        av_frame_unref(s->set[i].frame);
        rc = reel_av_graph_pull(&s->graph, i, s->set[i].frame, &s->fault);
        if (rc <= 0) {
            return rc < 0 ? -1 : reel_av_fault(&s->fault, "INTERNAL", "scale",
                                               "the graph gave no picture");
        }
    }

    return 0;
}


/* the next pictures, up to n, from what shows now */
static int
emit(story_t *s, uint32_t n)
{
    AVFrame  *in = s->shown;

    if (s->made >= n) {
        return 0;
    }

    if (reel_frame_interlaced(in)) {
        if (flatten(s, in) != 0) {
            return -1;
        }
        in = s->flat;
    }

    /* the graph wants rising times, and none of ours counts */
    in->pts = s->made;

    if (scale(s, in) != 0) {
        return -1;
    }

    for (/* void */ ; s->made < n; s->made++) {
        for (unsigned i = 0; i < s->task.nsets; i++) {
            if (add_picture(s, i) != 0) {
                return -1;
            }
        }
    }

    reel_child_progress(s->child, s->made * 1000 / s->task.count);

    return 0;
}


/* how many pictures are due before the one at pts shows */
static uint32_t
due(const story_t *s, int64_t pts)
{
    uint32_t  n = s->made;

    while (n < s->task.count && instant(s, n) < pts) {
        n++;
    }

    return n;
}


/* of two key frames the one before an instant, if not the other is at it */
static uint32_t
due_keys(const story_t *s, int64_t held, int64_t next)
{
    int64_t   after, late = ticks(s, s->task.interval_ms) / LATE;
    uint32_t  n = due(s, next);

    if (n > s->made) {
        after = next - instant(s, n - 1);

        if (after <= late
            && (held == AV_NOPTS_VALUE
                || after < instant(s, n - 1) - held))
        {
            n--;
        }
    }

    return n;
}


/* one key frame by itself, into s->shown; 1: it came out, 0: it is broken */
static int
decode_alone(story_t *s, AVCodecContext *dec, const AVPacket *pkt)
{
    int  rc, got = 0;

    rc = avcodec_send_packet(dec, pkt);
    if (rc >= 0) {
        rc = avcodec_send_packet(dec, NULL);
    }

    while (rc >= 0) {
        rc = avcodec_receive_frame(dec, s->set[0].frame);

        if (rc >= 0 && !got) {
            av_frame_unref(s->shown);
            av_frame_move_ref(s->shown, s->set[0].frame);
            got = 1;
        }

        av_frame_unref(s->set[0].frame);
    }

    avcodec_flush_buffers(dec);

    return rc == AVERROR(ENOMEM)
           ? reel_av_fault_lib(&s->fault, rc, "decode", "decoder") : got;
}


/* 1: pkt is the next key frame, 0: the end, -1: fault */
static int
next_key(story_t *s, reel_av_source_t *src, AVPacket *pkt)
{
    int  rc;

    do {
        rc = reel_av_source_read(src, pkt, &s->fault);

    } while (rc == 1 && (pkt->stream_index != s->task.stream
                         || !(pkt->flags & AV_PKT_FLAG_KEY)
                         || (pkt->flags & AV_PKT_FLAG_DISCARD)
                         || reel_av_packet_ts(pkt) == AV_NOPTS_VALUE));

    return rc;
}


/*
 * Key frames are kept undecoded until the next one tells whether an instant
 * lies between the two.  One that is broken leaves the one before.
 */
static int
walk_keys(story_t *s, reel_av_source_t *src, AVCodecContext *dec,
    AVPacket *pkt, AVPacket *held)
{
    int       rc;
    uint32_t  n;

    do {
        rc = next_key(s, src, pkt);
        if (rc < 0) {
            return -1;
        }

        n = rc == 0 ? s->task.count
            : due_keys(s, reel_av_packet_ts(held), reel_av_packet_ts(pkt));

        if (n > s->made && held->size > 0
            && decode_alone(s, dec, held) < 0)
        {
            return -1;
        }

        /* before anything could be seen, the first picture shows */
        if (s->shown->buf[0] != NULL && emit(s, n) != 0) {
            return -1;
        }

        av_packet_unref(held);
        av_packet_move_ref(held, pkt);

    } while (rc > 0 && s->made < s->task.count);

    return 0;
}


static int
by_keys(story_t *s)
{
    int               rc = -1;
    AVStream         *st;
    AVPacket         *pkt, *held;
    AVCodecContext   *dec = NULL;
    reel_av_source_t  src = { 0 };

    pkt = av_packet_alloc();
    held = av_packet_alloc();

    if (pkt == NULL || held == NULL) {
        (void) reel_av_fault_err(&s->fault, REEL_NOMEM, "demux", "packet");

    } else if (reel_av_source_open(&src, s->child->source_fd, &s->fault) == 0
               && (st = reel_av_source_only(&src, s->task.stream, &s->fault))
                  != NULL
               && (dec = reel_av_decoder_open(st, 1, &s->fault)) != NULL)
    {
        /* demuxers with an index need not read what lies between */
        st->discard = AVDISCARD_NONKEY;
        src.jumps = &s->task.jumps;
        rc = walk_keys(s, &src, dec, pkt, held);
    }

    avcodec_free_context(&dec);
    reel_av_source_close(&src);
    av_packet_free(&held);
    av_packet_free(&pkt);

    return rc;
}


static int
walk_all(story_t *s, reel_av_reader_t *r)
{
    int       rc;
    AVFrame  *frame;

    while (s->made < s->task.count) {
        reel_av_reader_skip_before(r, instant(s, s->made)
                                      - ticks(s, AROUND_MS));

        rc = reel_av_reader_next(r, &frame, &s->fault);
        if (rc <= 0) {
            return rc;
        }

        if (s->shown->buf[0] != NULL && frame->pts != AV_NOPTS_VALUE
            && emit(s, due(s, frame->pts)) != 0)
        {
            return -1;
        }

        av_frame_unref(s->shown);
        av_frame_move_ref(s->shown, frame);
    }

    return 0;
}


static int
by_all(story_t *s)
{
    int               rc;
    reel_av_reader_t  r = { 0 };

    rc = reel_av_reader_open(&r, s->child->source_fd, s->task.stream,
                             &s->task.jumps, 1, &s->fault);
    if (rc == 0) {
        rc = walk_all(s, &r);
    }

    reel_av_reader_close(&r);

    return rc;
}


/* the last pictures, and what the parent is told */
static int
finish(story_t *s)
{
    reel_err_t  err = REEL_OK;

    if (s->shown->buf[0] == NULL) {
        return reel_av_fault(&s->fault, "BAD_MEDIA", "decode",
                             "no picture could be decoded");
    }

    if (emit(s, s->task.count) != 0) {
        return -1;
    }

    for (unsigned i = 0; err == REEL_OK && i < s->task.nsets; i++) {
        err = reel_child_sync(s->child->out_fd[i]);

        if (err == REEL_OK) {
            err = reel_child_story(s->child, &s->set[i].told, i);
        }
    }

    return err == REEL_OK
           ? 0 : reel_av_fault_err(&s->fault, err, "write", "pictures");
}


static int
prepare_set(story_t *s, unsigned i)
{
    int                      w, h;
    set_t                   *t = &s->set[i];
    const reel_story_set_t  *q = &s->task.sets[i];

    t->told = (reel_story_t) {
        .width = q->width, .height = q->height, .columns = q->columns,
        .rows = q->rows, .interval_ms = s->task.interval_ms,
        .count = s->task.count
    };

    w = (int) (q->width * q->columns);
    h = (int) (q->height * q->rows);
    t->frame = av_frame_alloc();

    if (q->columns * q->rows > 1) {
        t->sheet = av_frame_alloc();

        if (t->sheet != NULL) {
            t->sheet->width = w;
            t->sheet->height = h;
            t->sheet->format = AV_PIX_FMT_YUVJ420P;
            t->sheet->color_range = AVCOL_RANGE_JPEG;
        }

        if (t->sheet == NULL || av_frame_get_buffer(t->sheet, 0) < 0) {
            return reel_av_fault_err(&s->fault, REEL_NOMEM, "encode",
                                     "sheet");
        }
    }

    return t->frame == NULL
           ? reel_av_fault_err(&s->fault, REEL_NOMEM, "scale", "picture")
           : reel_av_jpeg_open(&t->jpeg, w, h, &s->fault);
}


static int
prepare(story_t *s)
{
    reel_error_t  e = { "" };

    if (reel_storyboard_parse(&s->task, s->child->payload.p,
                              s->child->payload.len, &e) != REEL_OK
        || s->child->nout < s->task.nsets)
    {
        return reel_av_fault(&s->fault, "INTERNAL", "payload", "%s", e.text);
    }

    s->shown = av_frame_alloc();
    s->flat = av_frame_alloc();
    if (s->shown == NULL || s->flat == NULL) {
        return reel_av_fault_err(&s->fault, REEL_NOMEM, "decode", "picture");
    }

    for (unsigned i = 0; i < s->task.nsets; i++) {
        if (prepare_set(s, i) != 0) {
            return -1;
        }
    }

    return 0;
}


int
reel_av_storyboard(reel_child_t *c)
{
    int       status;
    story_t  *s;

    reel_av_log_init();

    s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return reel_child_fail(c, true, "NO_MEMORY", "decode", "storyboard");
    }
    s->child = c;

    status = prepare(s) == 0
             && (s->task.exact ? by_all(s) : by_keys(s)) == 0
             && finish(s) == 0
             ? 0 : reel_av_fault_report(c, &s->fault);

    for (unsigned i = 0; i < REEL_STORY_SETS; i++) {
        reel_av_jpeg_close(&s->set[i].jpeg);
        av_frame_free(&s->set[i].sheet);
        av_frame_free(&s->set[i].frame);
    }

    av_frame_free(&s->flat);
    av_frame_free(&s->shown);
    reel_av_graph_release(&s->graph);
    reel_av_graph_release(&s->deint);
    free(s);

    return status;
}

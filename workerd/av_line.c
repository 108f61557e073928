#include "workerd/av_line.h"

#include <string.h>

#include <libavutil/mathematics.h>
#include <libavutil/samplefmt.h>

#include "lib/base/rescale.h"


#define SLICE            4096       /* input samples converted at once */
#define JITTER_MS        18
#define FIFO_SAMPLES     16384
#define CHANNELS_MAX     64


static int
alloc_samples(AVFrame *frame, int format, const AVChannelLayout *layout,
    int rate, int n)
{
    int  rc;

    av_frame_unref(frame);
    frame->format = format;
    frame->sample_rate = rate;
    frame->nb_samples = n;

    rc = av_channel_layout_copy(&frame->ch_layout, layout);

    return rc < 0 ? rc : av_frame_get_buffer(frame, 0);
}


int
reel_av_line_open(reel_av_line_t *l, const reel_encode_audio_t *t,
    int64_t start, int64_t end, int per, reel_av_line_sink_t sink,
    void *sink_arg, reel_av_fault_t *f)
{
    l->rate = t->sample_rate;
    l->tb = t->tb;
    l->origin = t->origin;
    l->ends = t->ends;
    l->start = start;
    l->end = end;
    l->out_pos = start;
    l->per = per;
    l->sink = sink;
    l->sink_arg = sink_arg;
    av_channel_layout_default(&l->layout, (int) t->channels);

    l->block = av_frame_alloc();
    l->quiet = av_frame_alloc();
    l->full = av_frame_alloc();
    l->fifo = av_audio_fifo_alloc(AV_SAMPLE_FMT_FLTP, (int) t->channels,
                                  FIFO_SAMPLES);

    return l->block == NULL || l->quiet == NULL || l->full == NULL
           || l->fifo == NULL
           ? reel_av_fault_lib(f, AVERROR(ENOMEM), "decode", "sound") : 0;
}


void
reel_av_line_close(reel_av_line_t *l)
{
    av_audio_fifo_free(l->fifo);
    av_frame_free(&l->full);
    av_frame_free(&l->quiet);
    av_frame_free(&l->block);
    swr_free(&l->swr);
    av_channel_layout_uninit(&l->in_layout);
    av_channel_layout_uninit(&l->layout);
    *l = (reel_av_line_t) { 0 };
}


static int
pour(reel_av_line_t *l, reel_av_fault_t *f)
{
    int  rc;

    while (av_audio_fifo_size(l->fifo) >= l->per) {

        /* the encoder may keep a reference: a new one each time */
        rc = alloc_samples(l->full, AV_SAMPLE_FMT_FLTP, &l->layout,
                           (int) l->rate, l->per);
        if (rc >= 0) {
            rc = av_audio_fifo_read(l->fifo, (void **) l->full->extended_data,
                                    l->per);
        }
        if (rc < 0) {
            return reel_av_fault_lib(f, rc, "decode", "sound");
        }

        if (l->sink(l->sink_arg, l->full) != 0) {
            return -1;
        }
    }

    return 0;
}


/* all of [start, end) has been put in */
static bool
is_full(const reel_av_line_t *l)
{
    return l->out_pos >= l->end;
}


/* n samples of l->block stand at out_pos: those within bounds are kept */
static int
keep(reel_av_line_t *l, int64_t n, reel_av_fault_t *f)
{
    int       rc;
    void     *planes[CHANNELS_MAX];
    int64_t   skip, last;
    unsigned  i;

    skip = l->start > l->out_pos ? l->start - l->out_pos : 0;
    last = l->end - l->out_pos < n ? l->end - l->out_pos : n;
    l->out_pos += n;

    if (skip >= last) {
        return 0;
    }

    for (i = 0; i < (unsigned) l->layout.nb_channels; i++) {
        planes[i] = l->block->extended_data[i] + skip * (int) sizeof(float);
    }

    rc = av_audio_fifo_write(l->fifo, planes, (int) (last - skip));

    return rc < 0 ? reel_av_fault_lib(f, rc, "decode", "sound") : pour(l, f);
}


/* converts n <= SLICE input samples; in == NULL drains what swr holds */
static int
convert(reel_av_line_t *l, const uint8_t **in, int n, int64_t at_most,
    reel_av_fault_t *f)
{
    int  rc, room;

    room = swr_get_out_samples(l->swr, n);
    if (room <= 0) {
        return room < 0 ? reel_av_fault_lib(f, room, "decode", "resample")
                        : 0;
    }

    rc = alloc_samples(l->block, AV_SAMPLE_FMT_FLTP, &l->layout,
                       (int) l->rate, room);
    if (rc >= 0) {
        rc = swr_convert(l->swr, l->block->extended_data, room, in, n);
    }
    if (rc < 0) {
        return reel_av_fault_lib(f, rc, "decode", "resample");
    }

    return keep(l, rc < at_most ? rc : at_most, f);
}


static int
feed(reel_av_line_t *l, const AVFrame *frame, int from, int n,
    reel_av_fault_t *f)
{
    int             i, planes, stride, slice;
    const uint8_t  *in[CHANNELS_MAX];

    stride = av_get_bytes_per_sample(frame->format);
    planes = 1;

    if (av_sample_fmt_is_planar(frame->format)) {
        planes = l->in_layout.nb_channels;

    } else {
        stride *= l->in_layout.nb_channels;
    }

    for ( /* void */ ; n > 0; n -= slice, from += slice) {
        slice = n < SLICE ? n : SLICE;

        for (i = 0; i < planes; i++) {
            in[i] = frame->extended_data[i] + (ptrdiff_t) from * stride;
        }

        if (convert(l, in, slice, INT64_MAX, f) != 0) {
            return -1;
        }

        l->in_pos += slice;
    }

    return 0;
}


static int
silence(reel_av_line_t *l, int64_t n, reel_av_fault_t *f)
{
    int  slice;

    for ( /* void */ ; n > 0 && !is_full(l); n -= slice) {
        slice = n < SLICE ? (int) n : SLICE;

        if (feed(l, l->quiet, 0, slice, f) != 0) {
            return -1;
        }
    }

    return 0;
}


/*
 * Starts a resampler for frames like this one.  Input and output samples
 * coincide every in_rate / gcd input samples; starting at such an instant,
 * about a second ahead to fill the filter, keeps every run of it aligned
 * to the same line.
 */
static int
restart(reel_av_line_t *l, const AVFrame *like, AVChannelLayout *layout,
    reel_av_fault_t *f)
{
    int      rc;
    int64_t  g, k;

    if (l->swr != NULL) {
        /* the old one's last samples, as far as they belong to its time */
        if (convert(l, NULL, 0, reel_rescale(l->in_pos, l->rate,
                                    (uint64_t) l->in_rate, REEL_ROUND_NEAR)
                                - l->out_pos, f) != 0)
        {
            return -1;
        }
        swr_free(&l->swr);

        /* the new one's lead-in is heard already */
        if (l->out_pos > l->start) {
            l->start = l->out_pos;
        }
    }

    rc = swr_alloc_set_opts2(&l->swr, &l->layout, AV_SAMPLE_FMT_FLTP,
                             (int) l->rate, layout, like->format,
                             like->sample_rate, 0, NULL);
    if (rc >= 0) {
        rc = swr_init(l->swr);
    }
    if (rc >= 0) {
        rc = av_channel_layout_copy(&l->in_layout, layout);
    }
    if (rc >= 0) {
        rc = alloc_samples(l->quiet, like->format, layout, like->sample_rate,
                           SLICE);
    }
    if (rc < 0) {
        return reel_av_fault_lib(f, rc == AVERROR(ENOMEM) ? rc
                                    : AVERROR_INVALIDDATA,
                                 "decode", "resample");
    }

    (void) av_samples_set_silence(l->quiet->extended_data, 0, SLICE,
                                  layout->nb_channels, like->format);

    l->in_rate = like->sample_rate;
    l->in_format = like->format;
    l->synced = false;

    g = av_gcd(l->in_rate, l->rate);
    k = l->out_pos / (l->rate / g);
    k -= k < g ? k : g;
    l->in_pos = k * (l->in_rate / g);
    l->out_pos = k * (l->rate / g);

    return 0;
}


static bool
fits(const reel_av_line_t *l, const AVFrame *frame,
    const AVChannelLayout *layout)
{
    return l->swr != NULL && l->in_rate == frame->sample_rate
           && l->in_format == frame->format
           && av_channel_layout_compare(&l->in_layout, layout) == 0;
}


/* where its time says it is, in its own samples from timeline 0 */
static int64_t
told(const reel_av_line_t *l, const AVFrame *frame)
{
    int64_t  at;

    at = reel_rescale(frame->pts - l->origin,
                      (uint64_t) l->tb.num * (uint64_t) frame->sample_rate,
                      l->tb.den, REEL_ROUND_NEAR);

    return l->ends ? at - frame->nb_samples : at;
}


void
reel_av_line_refer(reel_av_line_t *l, const AVFrame *first)
{
    if (first->pts != AV_NOPTS_VALUE && first->sample_rate > 0) {
        l->lattice = told(l, first) + first->nb_samples;
        l->lattice_rate = first->sample_rate;
    }
}


/* the time of the first frame behind a seek, less what it was rounded by */
static int64_t
snap(const reel_av_line_t *l, const AVFrame *frame, int64_t at)
{
    int64_t  off, tick, n = frame->nb_samples;

    if (l->synced || l->lattice_rate != frame->sample_rate) {
        return at;
    }

    off = (at - l->lattice) % n;
    off = off > n / 2 ? off - n : off < -n / 2 ? off + n : off;
    tick = (int64_t) frame->sample_rate * l->tb.num / l->tb.den + 1;

    return off <= tick && off >= -tick ? at - off : at;
}


/* where the frame goes, in input samples from timeline 0 */
static int64_t
place(const reel_av_line_t *l, const AVFrame *frame)
{
    int64_t  at, off;

    if (frame->pts == AV_NOPTS_VALUE) {
        return l->in_pos;
    }

    at = snap(l, frame, told(l, frame));
    off = at > l->in_pos ? at - l->in_pos : l->in_pos - at;

    return l->synced && off * 1000 <= (int64_t) l->in_rate * JITTER_MS
           ? l->in_pos : at;
}


static int
add(reel_av_line_t *l, const AVFrame *frame, AVChannelLayout *layout,
    reel_av_fault_t *f)
{
    int64_t  at, drop;

    if (!fits(l, frame, layout) && restart(l, frame, layout, f) != 0) {
        return -1;
    }

    at = place(l, frame);

    if (at > l->in_pos && silence(l, at - l->in_pos, f) != 0) {
        return -1;
    }

    drop = l->in_pos > at ? l->in_pos - at : 0;
    if (drop >= frame->nb_samples) {
        return 0;
    }

    l->synced = true;
    return feed(l, frame, (int) drop, frame->nb_samples - (int) drop, f);
}


int
reel_av_line_add(reel_av_line_t *l, const AVFrame *frame, reel_av_fault_t *f)
{
    int              rc;
    AVChannelLayout  layout = { 0 };

    if (frame->sample_rate <= 0 || frame->nb_samples <= 0
        || frame->ch_layout.nb_channels <= 0
        || frame->ch_layout.nb_channels > CHANNELS_MAX)
    {
        return 0;
    }

    if (frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
        av_channel_layout_default(&layout, frame->ch_layout.nb_channels);

    } else if (av_channel_layout_copy(&layout, &frame->ch_layout) < 0) {
        return reel_av_fault_lib(f, AVERROR(ENOMEM), "decode", "sound");
    }

    rc = add(l, frame, &layout, f);
    av_channel_layout_uninit(&layout);

    return rc;
}


int
reel_av_line_fill(reel_av_line_t *l, reel_av_reader_t *r, reel_av_fault_t *f)
{
    int       rc;
    AVFrame  *frame;

    while (!is_full(l)) {
        rc = reel_av_reader_next(r, &frame, f);
        if (rc <= 0) {
            return rc;
        }

        if (reel_av_line_add(l, frame, f) != 0) {
            return -1;
        }
    }

    return 0;
}


int
reel_av_line_finish(reel_av_line_t *l, reel_av_fault_t *f)
{
    int64_t  n;

    /* pushes out what the resampler holds as well */
    if (l->swr != NULL) {
        return silence(l, INT64_MAX, f);
    }

    while (!is_full(l)) {
        n = l->end - l->out_pos < SLICE ? l->end - l->out_pos : SLICE;

        if (alloc_samples(l->block, AV_SAMPLE_FMT_FLTP, &l->layout,
                          (int) l->rate, (int) n) < 0)
        {
            return reel_av_fault_lib(f, AVERROR(ENOMEM), "decode", "sound");
        }

        (void) av_samples_set_silence(l->block->extended_data, 0, (int) n,
                                      l->layout.nb_channels,
                                      AV_SAMPLE_FMT_FLTP);
        if (keep(l, n, f) != 0) {
            return -1;
        }
    }

    return 0;
}

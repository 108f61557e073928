#include "workerd/av_scan.h"

#include <stdlib.h>
#include <string.h>

#include <libavutil/intreadwrite.h>

#include "workerd/av_compat.h"
#include "workerd/av_light.h"
#include "workerd/av_read.h"


#define PICTURES_MAX   (1u << 22)   /* 19 h at 60 fps */
#define PROBE_PICTURES 8
#define COMB_PICTURES  60
#define PROBE_PACKETS  200


void
reel_av_scan_release(reel_scan_t *s)
{
    unsigned  i;

    for (i = 0; i < s->nsounds; i++) {
        reel_av_ends_release(&s->sounds[i].ends);
        avcodec_free_context(&s->sounds[i].dec);
    }

    reel_av_gops_release(&s->gops);
    reel_comb_release(&s->comb);
    avcodec_free_context(&s->dec);
    free(s->keys.at);
    free(s->shown.at);
    *s = (reel_scan_t) { 0 };
}


static int
times_add(reel_times_t *t, int64_t v, reel_av_fault_t *f)
{
    void    *p;
    size_t   cap;

    if (t->n == t->cap) {
        cap = t->cap ? t->cap * 2 : 1024;

        if (cap > PICTURES_MAX) {
            return reel_av_fault(f, "LIMIT_DURATION", "demux",
                                 "more than %u pictures", PICTURES_MAX);
        }

        p = reallocarray(t->at, cap, sizeof(*t->at));
        if (p == NULL) {
            return reel_av_fault_err(f, REEL_NOMEM, "demux", "times");
        }

        t->at = p;
        t->cap = cap;
    }

    t->at[t->n++] = v;
    return 0;
}


static int
compare(const void *a, const void *b)
{
    int64_t  x = *(const int64_t *) a, y = *(const int64_t *) b;

    return (x > y) - (x < y);
}


/* more pictures are looked at as long as none says that it is interlaced, and
   they may be so all the same */
static bool
probes_more(const reel_scan_t *s)
{
    return s->probed < PROBE_PICTURES
           || (s->interlaced == 0 && s->probed < COMB_PICTURES
               && reel_comb_may_be(s->video)
               && !reel_comb_settled(&s->comb, COMB_PICTURES));
}


static int
probe_frames(reel_scan_t *s, AVFrame *frame, reel_av_fault_t *f)
{
    int  rc = 0;

    while (probes_more(s)
           && (rc = avcodec_receive_frame(s->dec, frame)) == 0)
    {
        if (s->probed++ == 0) {
            reel_av_light_see(&s->light, frame, s->video);
        }

        if (reel_frame_interlaced(frame)) {
            s->interlaced++;

        } else if (reel_comb_may_be(s->video)) {
            reel_comb_see(&s->comb, frame, s->video->time_base);
        }

        av_frame_unref(frame);
    }

    return reel_av_fault_memory(f, rc, "decode", "decoder");
}


static bool
is_probing(const reel_scan_t *s)
{
    return probes_more(s) && s->fed < PROBE_PACKETS;
}


static int
probe_packet(reel_scan_t *s, const AVPacket *pkt, AVFrame *frame,
    reel_av_fault_t *f)
{
    if (!is_probing(s)) {
        return 0;
    }

    s->fed++;

    return reel_av_fault_memory(f, avcodec_send_packet(s->dec, pkt),
                                "decode", "decoder") != 0
           ? -1 : probe_frames(s, frame, f);
}


static int64_t
duration(const AVPacket *pkt)
{
    return pkt->duration > 0 && pkt->duration < REEL_AV_TS_MAX
           ? pkt->duration : 0;
}


/* a reference picture that is never shown has a packet of its own in vp8 */
static bool
is_hidden(const AVStream *st, const AVPacket *pkt)
{
    return st->codecpar->codec_id == AV_CODEC_ID_VP8 && pkt->size > 0
           && (pkt->data[0] & 0x10) == 0;
}


static int
see_picture(reel_scan_t *s, const AVPacket *pkt, reel_av_fault_t *f)
{
    int64_t  ts;

    ts = reel_av_packet_ts(pkt);
    if (ts == AV_NOPTS_VALUE) {
        /* it follows the one before */
        ts = s->shown.n ? s->last_pts + (s->last_dur ? s->last_dur : 1) : 0;
        ts = ts > REEL_AV_TS_MAX ? s->last_pts : ts;
    }

    if ((pkt->flags & AV_PKT_FLAG_KEY) && times_add(&s->keys, ts, f) != 0) {
        return -1;
    }

    if ((pkt->flags & AV_PKT_FLAG_DISCARD) || is_hidden(s->video, pkt)) {
        return 0;
    }

    if (s->shown.n == 0 || ts >= s->last_pts) {
        s->last_pts = ts;
        s->last_dur = duration(pkt);
    }

    return times_add(&s->shown, ts, f);
}


static int64_t
in_ticks(const reel_scan_sound_t *s, int64_t samples)
{
    int  rate = s->st->codecpar->sample_rate;

    return rate <= 0 ? 0 : av_rescale_q(samples, (AVRational) { 1, rate },
                                        s->st->time_base);
}


static int
probe_sound(reel_scan_sound_t *s, const AVPacket *pkt, AVFrame *frame,
    reel_av_fault_t *f)
{
    int  rc;

    if (s->heard || s->fed++ >= PROBE_PACKETS) {
        return 0;
    }

    rc = avcodec_send_packet(s->dec, pkt);

    while (!s->heard && rc != AVERROR(ENOMEM)
           && (rc = avcodec_receive_frame(s->dec, frame)) == 0)
    {
        if (frame->pts != AV_NOPTS_VALUE && frame->nb_samples > 0) {
            s->heard = true;
            s->start = frame->pts;
            s->first = in_ticks(s, frame->nb_samples);
        }
        av_frame_unref(frame);
    }

    return reel_av_fault_memory(f, rc, "decode", "decoder");
}


/* silence behind the end, which the decoder cuts, in ticks */
static int64_t
padding(const reel_scan_sound_t *s, const AVPacket *pkt)
{
    size_t          size;
    const uint8_t  *sd;

    sd = av_packet_get_side_data(pkt, AV_PKT_DATA_SKIP_SAMPLES, &size);

    return sd == NULL || size < 8 ? 0 : in_ticks(s, AV_RL32(sd + 4));
}


static int
see_sound(reel_scan_sound_t *s, const AVPacket *pkt, AVFrame *frame,
    reel_av_fault_t *f)
{
    int64_t  ts, end;

    if (probe_sound(s, pkt, frame, f) != 0) {
        return -1;
    }

    reel_av_units_see(&s->units, s->st, pkt);
    reel_av_ends_see(&s->ends, s->st, pkt);

    if (pkt->flags & AV_PKT_FLAG_DISCARD) {
        return 0;
    }

    ts = reel_av_packet_ts(pkt);
    if (ts == AV_NOPTS_VALUE) {
        ts = s->has_sound ? s->end : 0;
    }

    end = ts + duration(pkt) - padding(s, pkt);
    s->last = ts - padding(s, pkt) > s->last ? ts - padding(s, pkt) : s->last;

    if (!s->has_sound) {
        s->has_sound = true;
        s->end = end;

        if (!s->heard) {
            s->start = ts;
        }
    }

    if (end > s->end) {
        s->end = end;
    }

    return 0;
}


/* what stands before the first key frame, or is shown before it, is lost */
static void
cut_head(reel_scan_t *s)
{
    size_t   i;
    int64_t  first;

    if (s->shown.n > 0) {
        qsort(s->shown.at, s->shown.n, sizeof(int64_t), compare);
    }

    if (s->keys.n == 0 || s->shown.n == 0) {
        return;
    }

    /* in the order of the file: the first one is where decoding begins */
    first = s->keys.at[0];
    qsort(s->keys.at, s->keys.n, sizeof(int64_t), compare);

    for (i = 0; i < s->shown.n && s->shown.at[i] < first; i++) {
        /* void */
    }

    if (i < s->shown.n) {
        memmove(s->shown.at, s->shown.at + i,
                (s->shown.n - i) * sizeof(int64_t));
        s->shown.n -= i;
    }
}


static int
check_duration(const reel_scan_t *s, reel_av_fault_t *f)
{
    int64_t                   video, audio;
    unsigned                  i;
    const reel_scan_sound_t  *q;

    video = 0;

    if (s->shown.n > 0) {
        video = av_rescale(s->shown.at[s->shown.n - 1] - s->shown.at[0],
                           s->video->time_base.num, s->video->time_base.den);
    }

    for (i = 0; i < s->nsounds; i++) {
        q = &s->sounds[i];
        audio = av_rescale(q->end - q->start, q->st->time_base.num,
                           q->st->time_base.den);
        video = audio > video ? audio : video;
    }

    if (s->max_duration_s != 0 && video > 0
        && (uint64_t) video > s->max_duration_s)
    {
        return reel_av_fault(f, "LIMIT_DURATION", "demux",
                             "%lld s are longer than %llu s",
                             (long long) video,
                             (unsigned long long) s->max_duration_s);
    }

    return 0;
}


static int
see(reel_scan_t *s, AVPacket *pkt, AVFrame *frame, reel_av_fault_t *f)
{
    reel_scan_sound_t  *q;

    if (s->video != NULL && pkt->stream_index == s->video->index) {
        reel_av_packet_fill(&s->lead, pkt);

        if (probe_packet(s, pkt, frame, f) != 0) {
            return -1;
        }
        if (reel_av_gops_see(&s->gops, s->video, pkt) != REEL_OK) {
            return reel_av_fault_err(f, REEL_NOMEM, "demux", "GOPs");
        }

        return see_picture(s, pkt, f);
    }

    q = reel_av_scan_sound(s, pkt->stream_index);

    return q != NULL ? see_sound(q, pkt, frame, f) : 0;
}


static int
walk(reel_scan_t *s, reel_av_source_t *src, AVPacket *pkt, AVFrame *frame,
    reel_scan_progress_t progress, void *arg, reel_av_fault_t *f)
{
    int  rc;

    while ((rc = reel_av_source_read(src, pkt, f)) == 1) {
        reel_av_clock_see(&s->clock, src, pkt);

        if (see(s, pkt, frame, f) != 0) {
            return -1;
        }

        if (!is_probing(s)) {
            reel_av_io_times_only(&src->io);
        }

        if (src->io.size > 0) {
            progress(arg, (unsigned) av_rescale(src->io.pos, 1000,
                                                src->io.size));
        }
    }

    if (rc != 0) {
        return -1;
    }

    if (s->video != NULL) {
        (void) avcodec_send_packet(s->dec, NULL);
        if (probe_frames(s, frame, f) != 0) {
            return -1;
        }
        cut_head(s);
    }

    return check_duration(s, f);
}


int
reel_av_scan_walk(reel_scan_t *s, reel_av_source_t *src,
    reel_scan_progress_t progress, void *arg, reel_av_fault_t *f)
{
    int        rc;
    AVFrame   *frame;
    AVPacket  *pkt;

    pkt = av_packet_alloc();
    frame = av_frame_alloc();

    rc = pkt == NULL || frame == NULL
         ? reel_av_fault_lib(f, AVERROR(ENOMEM), "demux", "read")
         : walk(s, src, pkt, frame, progress, arg, f);

    av_frame_free(&frame);
    av_packet_free(&pkt);

    return rc;
}

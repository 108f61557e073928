#include "workerd/av_read.h"

#define READ_ERRORS_MAX  64

/* longer than a player may hold a picture back */
#define REORDER_S        60

/* what is read through to find the place is no more than this */
#define NEAR_BYTES       (512 << 10)


void
reel_av_packet_shift(AVPacket *pkt, int64_t shift)
{
    if (reel_av_packet_ts(pkt) == AV_NOPTS_VALUE) {
        return;
    }
    if (pkt->pts != AV_NOPTS_VALUE) {
        pkt->pts += shift;
    }
    if (pkt->dts != AV_NOPTS_VALUE) {
        pkt->dts += shift;
    }
}


static int64_t
shift_at(const reel_jumps_t *j, int64_t pos)
{
    int64_t  shift = 0;

    for (uint32_t i = 0; j != NULL && i < j->n && j->jump[i].pos <= pos; i++) {
        shift = j->jump[i].shift;
    }

    return shift;
}


/* what is decoded is shown soon: a pts far from its dts is damaged */
static void
mend_pts(const reel_av_source_t *s, AVPacket *pkt)
{
    AVRational  tb = s->fmt->streams[pkt->stream_index]->time_base;

    if ((s->fmt->iformat->flags & AVFMT_TS_DISCONT)
        && reel_av_packet_ts(pkt) != AV_NOPTS_VALUE
        && pkt->pts != AV_NOPTS_VALUE && pkt->dts != AV_NOPTS_VALUE
        && (pkt->pts < pkt->dts
            || av_compare_ts(pkt->pts - pkt->dts, tb, REORDER_S,
                             (AVRational) { 1, 1 }) > 0))
    {
        pkt->pts = pkt->dts;
    }
}


int
reel_av_source_read(reel_av_source_t *s, AVPacket *pkt, reel_av_fault_t *f)
{
    int  rc;

    for ( ;; ) {
        av_packet_unref(pkt);
        rc = reel_av_cause(av_read_frame(s->fmt, pkt));

        if (s->io.failed) {
            return reel_av_fault(f, "IO", "demux",
                                 "the source cannot be read");
        }

        if (rc == AVERROR(ENOMEM)) {
            return reel_av_fault_lib(f, rc, "demux", "read");
        }

        if (rc == AVERROR_EOF
            || (rc < 0 && ++s->errors > READ_ERRORS_MAX))
        {
            return 0;
        }

        if (rc >= 0) {
            break;
        }
    }

    if (pkt->pos >= 0) {
        s->pos[pkt->stream_index] = pkt->pos;
    }
    mend_pts(s, pkt);
    reel_av_packet_shift(pkt, shift_at(s->jumps,
                                       s->pos[pkt->stream_index]));

    return 1;
}


static int
go_to(reel_av_source_t *s, int64_t pos)
{
    for (unsigned i = 0; i < REEL_AV_MAX_STREAMS; i++) {
        s->pos[i] = pos;
    }

    return av_seek_frame(s->fmt, -1, pos, AVSEEK_FLAG_BYTE) < 0 ? -1 : 0;
}


/*
 * 1: the first packet of the stream behind pos, before end, is so early.
 * -1: pos cannot be reached.
 */
static int
is_before(reel_av_source_t *s, AVPacket *pkt, int stream, int64_t pos,
    int64_t end, int64_t ts)
{
    int64_t          at = AV_NOPTS_VALUE;
    reel_av_fault_t  ignored = { 0 };

    if (go_to(s, pos) != 0) {
        return -1;
    }

    while (at == AV_NOPTS_VALUE && reel_av_source_read(s, pkt, &ignored) == 1
           && s->pos[stream] < end)
    {
        at = pkt->stream_index == stream ? reel_av_packet_ts(pkt)
                                         : AV_NOPTS_VALUE;
    }
    av_packet_unref(pkt);

    return at != AV_NOPTS_VALUE && at <= ts;
}


int
reel_av_source_seek_bytes(reel_av_source_t *s, int stream, int64_t ts)
{
    int        before = 0;
    int64_t    from = 0, to = s->io.size, middle;
    AVPacket  *pkt = av_packet_alloc();

    for (uint32_t i = 0; i < s->jumps->n; i++) {
        if (s->jumps->jump[i].at > ts) {
            to = s->jumps->jump[i].pos;
            break;
        }
        from = s->jumps->jump[i].pos;
    }

    while (pkt != NULL && before >= 0 && to - from > NEAR_BYTES) {
        middle = from + (to - from) / 2;
        before = is_before(s, pkt, stream, middle, to, ts);

        if (before == 1) {
            from = middle;
        } else {
            to = middle;
        }
    }

    before = pkt == NULL || before < 0 ? -1 : go_to(s, from);
    av_packet_free(&pkt);

    return before;
}

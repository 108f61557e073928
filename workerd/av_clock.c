#include "workerd/av_clock.h"

#include "workerd/av_read.h"

/* all that jump count so */
#define SECOND  90000
#define BACK    SECOND
#define AHEAD   (10 * SECOND)


static int64_t
shift_of(const reel_av_track_clock_t *t)
{
    return t->jumps.n > 0 ? t->jumps.jump[t->jumps.n - 1].shift : 0;
}


/* how far the tracks have come */
static int64_t
front(const reel_av_clock_t *c)
{
    int64_t  at = INT64_MIN;

    for (unsigned i = 0; i < REEL_AV_MAX_STREAMS; i++) {
        if (c->track[i].known && c->track[i].end > at) {
            at = c->track[i].end;
        }
    }

    return at;
}


static int
jump(reel_av_clock_t *c, reel_av_track_clock_t *t, int64_t pos, int64_t ts,
    reel_av_fault_t *f)
{
    int64_t  shift = t->end - ts;

    if (t->jumps.n == REEL_SOURCE_JUMPS) {
        return reel_av_fault(f, "BAD_MEDIA", "demux", "its clock jumps more "
                             "than %d times", REEL_SOURCE_JUMPS);
    }

    if (c->last != NULL && ts + c->last->shift >= t->end - BACK
        && ts + c->last->shift <= t->end + AHEAD)
    {
        shift = c->last->shift;
    }

    t->jumps.jump[t->jumps.n] = (reel_jump_t) { pos, ts + shift, shift };
    c->last = &t->jumps.jump[t->jumps.n++];

    return 0;
}


int
reel_av_clock_see(reel_av_clock_t *c, const reel_av_source_t *src,
    AVPacket *pkt, reel_av_fault_t *f)
{
    int64_t                 ts, at;
    const AVStream         *st = src->fmt->streams[pkt->stream_index];
    reel_av_track_clock_t  *t = &c->track[pkt->stream_index];

    ts = reel_av_packet_ts(pkt);

    if (ts == AV_NOPTS_VALUE || !(src->fmt->iformat->flags & AVFMT_TS_DISCONT)
        || st->time_base.num != 1 || st->time_base.den != SECOND)
    {
        return 0;
    }

    at = ts + shift_of(t);

    if (t->known && (at < t->end - BACK
                     || (at > t->end + AHEAD && at > front(c) + AHEAD)))
    {
        if (jump(c, t, src->pos, ts, f) != 0) {
            return -1;
        }
        at = ts + shift_of(t);
    }

    reel_av_packet_shift(pkt, shift_of(t));

    if (pkt->duration > 0 && pkt->duration < AHEAD) {
        at += pkt->duration;
    }
    if (!t->known || at > t->end) {
        t->known = true;
        t->end = at;
    }

    return 0;
}

#include "workerd/av_clock.h"

#include <stdio.h>

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
        if (c->track[i].seen > 0 && c->track[i].end > at) {
            at = c->track[i].end;
        }
    }

    return at;
}


static bool
has_jumped(const reel_av_clock_t *c, const reel_av_track_clock_t *t,
    int64_t at)
{
    if (t->seen == 0) {
        return false;
    }

    /* of the first two pictures of a slide show nothing is known */
    return at < t->end - BACK
           || (t->seen > 1 && at > front(c) + AHEAD
               && at - t->last > AHEAD && at - t->last > 2 * t->step);
}


static int64_t
shift_for(const reel_av_clock_t *c, const reel_av_track_clock_t *t,
    int64_t ts)
{
    int64_t  from = t->end - BACK - ts, to = t->end + AHEAD - ts;
    int64_t  shift;

    /* the track may have been silent while others went on */
    if (c->last != NULL && c->last->shift >= from
        && c->last->shift <= front(c) + AHEAD - ts)
    {
        return c->last->shift;
    }

    for (uint32_t i = t->jumps.n; i > 0; i--) {
        shift = t->jumps.jump[i - 1].shift;
        if (shift >= from && shift <= to) {
            return shift;
        }
    }

    return from <= 0 && to >= 0 ? 0 : t->end - ts;
}


static void
jump(reel_av_clock_t *c, reel_av_track_clock_t *t, int64_t pos, int64_t ts)
{
    int64_t  shift;

    if (t->jumps.n == REEL_SOURCE_JUMPS) {
        if (!t->full) {
            fprintf(stderr, "the clock of a track jumps more than %d times: "
                    "from byte %lld on its times are as they are\n",
                    REEL_SOURCE_JUMPS, (long long) pos);
        }
        t->full = true;
        return;
    }

    shift = shift_for(c, t, ts);
    t->jumps.jump[t->jumps.n] = (reel_jump_t) { pos, ts + shift, shift };
    c->last = &t->jumps.jump[t->jumps.n++];
}


/* t has come to `at`, and stays there for so long */
static void
go_on(reel_av_track_clock_t *t, int64_t at, int64_t duration)
{
    if (t->seen > 0 && at - t->last > t->step) {
        t->step = at - t->last;
    }
    t->seen += t->seen < 2;
    t->last = at;

    at += duration > 0 && duration < AHEAD ? duration : 0;
    if (t->seen == 1 || at > t->end) {
        t->end = at;
    }
}


void
reel_av_clock_see(reel_av_clock_t *c, const reel_av_source_t *src,
    AVPacket *pkt)
{
    int64_t                 ts;
    const AVStream         *st = src->fmt->streams[pkt->stream_index];
    reel_av_track_clock_t  *t = &c->track[pkt->stream_index];

    /* pictures are shown in another order, but decoded in the file's */
    ts = pkt->dts != AV_NOPTS_VALUE ? pkt->dts : pkt->pts;

    if (ts == AV_NOPTS_VALUE || reel_av_packet_ts(pkt) == AV_NOPTS_VALUE
        || !(src->fmt->iformat->flags & AVFMT_TS_DISCONT)
        || st->time_base.num != 1 || st->time_base.den != SECOND)
    {
        return;
    }

    if (has_jumped(c, t, ts + shift_of(t))) {
        jump(c, t, src->pos[pkt->stream_index], ts);
    }

    go_on(t, ts + shift_of(t), pkt->duration);
    reel_av_packet_shift(pkt, shift_of(t));
}

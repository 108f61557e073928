#include "workerd/av_reader.h"

#include <stdio.h>
#include <string.h>

#include <libavutil/avstring.h>

#include "workerd/av_compat.h"
#include "workerd/av_read.h"


#define ERRORS_MAX       64
#define KEY_WAIT_MAX     2000


static int
reader_load(reel_av_reader_t *r, reel_av_fault_t *f)
{
    r->st = reel_av_source_open_only(&r->src, r->fd, r->stream, r->jumps, f);
    if (r->st == NULL) {
        return -1;
    }

    r->used = false;

    /* threads would lag by packets of their own, see by_order */
    r->dec = reel_av_decoder_open(r->st, av_match_name("avi",
                                      r->src.fmt->iformat->name)
                                      ? 1 : r->threads, f);
    return r->dec != NULL ? 0 : -1;
}


static void
reader_unload(reel_av_reader_t *r)
{
    avcodec_free_context(&r->dec);
    reel_av_source_close(&r->src);
    r->st = NULL;
}


static void
reader_reset(reel_av_reader_t *r, bool whole)
{
    r->whole = whole;
    r->wait_key = !whole && r->st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    r->skipped = 0;
    r->floor = INT64_MIN;
    r->draining = false;
    r->peeked = false;
    r->errors = 0;
    r->src.errors = 0;
    r->order_known = false;
    r->by_order = false;
    r->npending = 0;
    r->last_ts = AV_NOPTS_VALUE;
    r->prev_ts = AV_NOPTS_VALUE;
    r->damaged = 0;
    r->fed_ts = AV_NOPTS_VALUE;
}


int
reel_av_reader_open(reel_av_reader_t *r, int fd, int stream,
    const reel_jumps_t *jumps, uint32_t threads, reel_av_fault_t *f)
{
    r->fd = fd;
    r->stream = stream;
    r->jumps = jumps;
    r->threads = threads;
    r->skip_before = INT64_MIN;
    r->feed_from = INT64_MIN;
    r->judge_from = INT64_MIN;
    r->judge_to = INT64_MAX;

    r->pkt = av_packet_alloc();
    r->frame = av_frame_alloc();
    if (r->pkt == NULL || r->frame == NULL) {
        return reel_av_fault_lib(f, AVERROR(ENOMEM), "decode", "open");
    }

    if (reader_load(r, f) != 0) {
        return -1;
    }

    reader_reset(r, true);
    return 0;
}


void
reel_av_reader_skip_before(reel_av_reader_t *r, int64_t pts)
{
    r->skip_before = pts;
}


void
reel_av_reader_pass(reel_av_reader_t *r, int64_t pts)
{
    r->feed_from = pts;

    /* what was decoded ahead is not wanted either */
    r->peeked = false;
    avcodec_flush_buffers(r->dec);
}


void
reel_av_reader_judge(reel_av_reader_t *r, int64_t from, int64_t to)
{
    r->judge_from = from;
    r->judge_to = to;
}


int
reel_av_reader_tell(const reel_av_reader_t *r, reel_child_t *c,
    int64_t origin, reel_av_fault_t *f)
{
    reel_err_t      err;
    reel_warning_t  x = { .count = r->damaged, .at_ms = -1 };

    if (r->damaged == 0) {
        return 0;
    }

    if (r->damaged_at != AV_NOPTS_VALUE) {
        x.at_ms = av_rescale_q(r->damaged_at - origin, r->st->time_base,
                               (AVRational) { 1, 1000 });
        x.at_ms = x.at_ms > 0 ? x.at_ms : 0;
    }
    (void) snprintf(x.where, sizeof(x.where), "track %d (%s)", r->stream,
                    reel_av_source_codec(&r->src, r->st));

    err = reel_child_warning(c, REEL_WARN_DAMAGED, &x);

    return err == REEL_OK ? 0 : reel_av_fault_err(f, err, "write", "answer");
}


/* a packet, or the frame at hand; ts may be AV_NOPTS_VALUE */
static void
note_damage(reel_av_reader_t *r, int64_t ts)
{
    if (ts != AV_NOPTS_VALUE && (ts < r->judge_from || ts >= r->judge_to)) {
        return;
    }

    if (r->damaged++ == 0) {
        r->damaged_at = ts;
    }
}


void
reel_av_reader_close(reel_av_reader_t *r)
{
    reader_unload(r);
    av_frame_free(&r->frame);
    av_packet_free(&r->pkt);
}


static void
pending_add(reel_av_reader_t *r, int64_t ts)
{
    unsigned  i;

    if (r->npending == REEL_AV_PENDING) {
        memmove(r->pending, r->pending + 1,
                (REEL_AV_PENDING - 1) * sizeof(r->pending[0]));
        r->npending--;
    }

    for (i = r->npending; i > 0 && r->pending[i - 1] > ts; i--) {
        r->pending[i] = r->pending[i - 1];
    }

    r->pending[i] = ts;
    r->npending++;
}


static int64_t
pending_take(reel_av_reader_t *r)
{
    int64_t  ts;

    if (r->npending == 0) {
        return AV_NOPTS_VALUE;
    }

    ts = r->pending[0];
    r->npending--;
    memmove(r->pending, r->pending + 1, r->npending * sizeof(r->pending[0]));

    return ts;
}


static bool
counts_pictures(const reel_av_reader_t *r)
{
    return r->st->codecpar->codec_id == AV_CODEC_ID_H264
           || r->st->codecpar->codec_id == AV_CODEC_ID_HEVC;
}


static int64_t
time_by_order(reel_av_reader_t *r)
{
    if (counts_pictures(r)) {
        return pending_take(r);
    }

    return r->dec->has_b_frames && !r->draining ? r->prev_ts : r->last_ts;
}


static void
note_order(reel_av_reader_t *r)
{
    if (r->pkt->flags & AV_PKT_FLAG_DISCARD) {
        return;
    }

    /* avi gives no pts to what later pictures may precede; others do */
    if (!r->order_known && r->pkt->dts != AV_NOPTS_VALUE) {
        r->order_known = true;
        r->by_order = r->pkt->pts == AV_NOPTS_VALUE
                      && r->st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    }

    if (r->by_order && reel_av_packet_ts(r->pkt) != AV_NOPTS_VALUE) {
        r->prev_ts = r->last_ts;
        r->last_ts = reel_av_packet_ts(r->pkt);

        if (counts_pictures(r)) {
            pending_add(r, r->last_ts);
        }
    }
}


/* a packet that is only read; what changes the codec's headers is not */
static bool
is_passed(const reel_av_reader_t *r)
{
    int64_t  ts = reel_av_packet_ts(r->pkt);

    return ts != AV_NOPTS_VALUE && ts < r->feed_from
           && av_packet_get_side_data(r->pkt, AV_PKT_DATA_NEW_EXTRADATA, NULL)
              == NULL;
}


/* 1: pkt is the stream's next packet, 0: the end, -1: fault */
static int
read_packet(reel_av_reader_t *r, reel_av_fault_t *f)
{
    int  rc;

    for ( ;; ) {
        rc = reel_av_source_read(&r->src, r->pkt, f);
        if (rc != 1) {
            return rc;
        }

        if (r->pkt->stream_index != r->stream || is_passed(r)) {
            continue;
        }

        if (r->st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
            reel_av_packet_fill(&r->lead, r->pkt);
        }

        if (r->wait_key && !(r->pkt->flags & AV_PKT_FLAG_KEY)) {
            if (++r->skipped > KEY_WAIT_MAX) {
                return 0;
            }
            continue;
        }

        if (r->wait_key && r->pkt->pts != AV_NOPTS_VALUE) {
            r->floor = r->pkt->pts;
        }

        r->wait_key = false;
        return 1;
    }
}


/* feeds one packet, or the end */
static int
feed(reel_av_reader_t *r, reel_av_fault_t *f)
{
    int  rc;

    r->used = true;

    rc = read_packet(r, f);
    if (rc < 0) {
        return -1;
    }

    if (rc == 0) {
        r->draining = true;
        (void) avcodec_send_packet(r->dec, NULL);
        return 0;
    }

    note_order(r);

    /* counting pictures needs them all */
    r->dec->skip_frame = !r->by_order && r->pkt->pts != AV_NOPTS_VALUE
                         && r->pkt->pts < r->skip_before
                         ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;

    r->fed_ts = reel_av_packet_ts(r->pkt);
    rc = avcodec_send_packet(r->dec, r->pkt);
    av_packet_unref(r->pkt);

    if (rc == AVERROR(ENOMEM)) {
        return reel_av_fault_lib(f, rc, "decode", "decoder");
    }

    /* damage in this packet: go on with the next */
    if (rc < 0) {
        note_damage(r, r->fed_ts);
    }

    return 0;
}


/* 1: r->frame holds the decoder's next, 0: the end, -1: fault */
static int
decode(reel_av_reader_t *r, reel_av_fault_t *f)
{
    int  rc;

    for ( ;; ) {
        rc = avcodec_receive_frame(r->dec, r->frame);

        if (rc == 0) {
            return 1;
        }

        if (rc == AVERROR(ENOMEM)) {
            return reel_av_fault_lib(f, rc, "decode", "decoder");
        }

        if (rc != AVERROR(EAGAIN) && rc != AVERROR_EOF) {
            note_damage(r, r->fed_ts);
        }

        if (r->draining) {
            if (rc == AVERROR_EOF || rc == AVERROR(EAGAIN)
                || ++r->errors > ERRORS_MAX)
            {
                return 0;
            }
            continue;
        }

        if (feed(r, f) != 0) {
            return -1;
        }
    }

}


int
reel_av_reader_next(reel_av_reader_t *r, AVFrame **frame,
    reel_av_fault_t *f)
{
    int  rc;

    *frame = r->frame;

    if (r->peeked) {
        r->peeked = false;
        return 1;
    }

    do {
        rc = decode(r, f);
        if (rc != 1) {
            return rc;
        }

        r->decoded++;

        if (r->by_order) {
            r->frame->pts = time_by_order(r);

        } else if (r->frame->pts == AV_NOPTS_VALUE) {
            r->frame->pts = r->frame->best_effort_timestamp;
        }

        if (r->frame->pts > REEL_AV_TS_MAX
            || r->frame->pts < -REEL_AV_TS_MAX)
        {
            r->frame->pts = AV_NOPTS_VALUE;
        }

        if (r->frame->decode_error_flags != 0) {
            note_damage(r, r->frame->pts);
        }

    } while (r->frame->pts != AV_NOPTS_VALUE && r->frame->pts < r->floor);

    if (r->combed != REEL_COMBED_NO) {
        reel_frame_set_interlaced(r->frame, r->combed == REEL_COMBED_TOP);
    }

    return 1;
}


/* a clock that jumps leads a demuxer astray */
static int
seek_to(reel_av_reader_t *r, int64_t ts)
{
    return r->jumps->n > 0
           ? reel_av_source_seek_bytes(&r->src, r->stream, ts)
           : av_seek_frame(r->src.fmt, r->stream, ts, AVSEEK_FLAG_BACKWARD);
}


static int
seek(reel_av_reader_t *r, int64_t ts, reel_av_fault_t *f)
{
    if (ts == INT64_MIN && !r->used) {
        reader_reset(r, true);
        return 0;
    }

    if (ts != INT64_MIN && seek_to(r, ts) >= 0) {
        avcodec_flush_buffers(r->dec);
        reader_reset(r, false);
        return 0;
    }

    /* a demuxer that failed to seek may be anywhere: begin anew */
    reader_unload(r);
    if (reader_load(r, f) != 0) {
        return -1;
    }

    reader_reset(r, true);
    return 0;
}


int
reel_av_reader_start(reel_av_reader_t *r, int64_t ts,
    bool (*ok)(void *arg, int64_t pts), void *arg, reel_av_fault_t *f)
{
    int       rc;
    int64_t   back, at;
    AVFrame  *frame;

    /* 0, 1, 3, 7, 15, 31 s before ts, then the start */
    for (back = 0; /* void */ ; back = back * 2 + AV_TIME_BASE) {
        at = INT64_MIN;

        if (back < 60 * (int64_t) AV_TIME_BASE) {
            at = ts - av_rescale_q(back, AV_TIME_BASE_Q, r->st->time_base);
            if (r->st->start_time != AV_NOPTS_VALUE
                && at <= r->st->start_time)
            {
                at = INT64_MIN;
            }
        }

        if (seek(r, at, f) != 0) {
            return -1;
        }

        rc = reel_av_reader_next(r, &frame, f);
        if (rc < 0) {
            return -1;
        }

        if (r->whole
            || (rc == 1 && frame->pts != AV_NOPTS_VALUE
                && ok(arg, frame->pts)))
        {
            r->peeked = rc == 1;
            return 0;
        }
    }
}

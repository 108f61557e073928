#include "lib/ts/ts_impl.h"


#define SAMPLES_MAX (1u << 20)
#define TIME_MAX    (INT64_C(1) << 62)


static void
begin_fragment(reel_ts_t *ts, uint32_t number)
{
    uint32_t                   i;
    const reel_ts_fragment_t  *f;

    ts->fragment = number;
    ts->sample = 0;
    ts->taken = 0;
    ts->left = 0;

    if (number == ts->seg->nfragments) {
        return;
    }

    f = reel_ts_fragment(ts);
    ts->decode_ts = f->decode_ts;

    for (i = 0; i < f->nsamples; i++) {
        ts->left += f->samples[i].size;
    }
}


void
reel_ts_rewind(reel_ts_t *ts)
{
    ts->out = ts->seg->part == REEL_TS_SOUND ? TS_TABLES * REEL_TS_PACKET : 0;
    ts->counter = 0;
    ts->packets = 0;
    ts->idle = 0;
    begin_fragment(ts, 0);
}


bool
reel_ts_more(reel_ts_t *ts)
{
    if (ts->fragment != ts->seg->nfragments
        && ts->sample == reel_ts_fragment(ts)->nsamples)
    {
        begin_fragment(ts, ts->fragment + 1);
    }

    return ts->fragment != ts->seg->nfragments;
}


/* the last PES of a segment fills it up */
uint64_t
reel_ts_pes_next(const reel_ts_t *ts, reel_ts_pes_t *pes)
{
    reel_ts_pes_plan(ts, pes);

    if (ts->fragment + 1 == ts->seg->nfragments
        && ts->sample + pes->samples == reel_ts_fragment(ts)->nsamples)
    {
        pes->packets += ts->spread;
    }

    return (uint64_t) pes->packets + pes->idle;
}


void
reel_ts_pes_skip(reel_ts_t *ts, const reel_ts_pes_t *pes)
{
    ts->out += ((uint64_t) pes->packets + pes->idle) * REEL_TS_PACKET;
    ts->counter = (uint8_t) (ts->counter + pes->packets);
    ts->sample += pes->samples;
    ts->decode_ts += pes->duration_ts;
    ts->taken += pes->data;
    ts->left -= pes->data;
}


void
reel_ts_seek(reel_ts_t *ts, uint64_t offset)
{
    reel_ts_pes_t  pes;

    reel_ts_rewind(ts);

    if (offset < TS_TABLES * REEL_TS_PACKET) {
        return;
    }

    ts->out = TS_TABLES * REEL_TS_PACKET;

    while (reel_ts_more(ts)) {

        if (reel_ts_pes_next(ts, &pes) * REEL_TS_PACKET > offset - ts->out) {
            return;
        }

        reel_ts_pes_skip(ts, &pes);
    }
}


static reel_err_t
check_fragment(reel_ts_t *ts, const reel_ts_fragment_t *f)
{
    uint32_t  i;

    if (f->nsamples > SAMPLES_MAX || f->config->codec != ts->codec
        || (f->nsamples == 0 && ts->seg->nfragments != 1))
    {
        return REEL_INVAL;
    }

    if (f->decode_ts < 0 || f->decode_ts > TIME_MAX) {
        return REEL_BADDATA;
    }

    for (i = 0; i < f->nsamples; i++) {

        if (-(int64_t) f->samples[i].cts_offset > ts->lead_ts) {
            ts->lead_ts = -(int64_t) f->samples[i].cts_offset;
        }

        if (ts->codec == REEL_TS_AAC
            && f->samples[i].size > TS_ADTS_MAX - TS_ADTS)
        {
            return REEL_LIMIT;
        }
    }

    return REEL_OK;
}


reel_err_t
reel_ts_init(reel_ts_t *ts, const reel_ts_segment_t *seg)
{
    uint32_t    i;
    reel_err_t  err;

    *ts = (reel_ts_t) { .seg = seg, .stop_ts = INT64_MAX };

    if (seg->timescale == 0 || seg->nfragments == 0) {
        return REEL_INVAL;
    }

    ts->codec = seg->fragments[0].config->codec;
    ts->tick = seg->timescale >= 10 ? seg->timescale / 10 : 1;

    for (i = 0; i < seg->nfragments; i++) {
        err = check_fragment(ts, &seg->fragments[i]);
        if (err != REEL_OK) {
            return err;
        }
    }

    reel_ts_seek(ts, UINT64_MAX);
    ts->spread = (uint8_t) (-ts->counter & 15);
    ts->size = ts->out + (uint64_t) ts->spread * REEL_TS_PACKET;
    reel_ts_rewind(ts);

    return REEL_OK;
}


bool
reel_ts_next_pes(reel_ts_t *ts)
{
    reel_ts_pes_t  pes;

    if (ts->sample == reel_ts_fragment(ts)->nsamples) {
        begin_fragment(ts, ts->fragment + 1);
        return false;
    }

    if (reel_ts_next_ts(ts) > ts->stop_ts) {
        return false;
    }

    (void) reel_ts_pes_next(ts, &pes);

    ts->first = true;
    ts->sync = reel_ts_fragment(ts)->samples[ts->sample].sync;
    ts->pes_ts = reel_ts_next_ts(ts);
    ts->packets = pes.packets;
    ts->bytes = pes.bytes;
    ts->idle = pes.idle;
    ts->idled = 0;

    reel_ts_pes_head(ts, &pes);

    ts->sample++;
    ts->aus = pes.samples - 1;
    ts->decode_ts += pes.duration_ts;

    return true;
}

#include "lib/ts/ts_impl.h"


#define SAMPLES_MAX (1u << 20)
#define TIME_MAX    (INT64_C(1) << 62)
#define TABLES      2           /* packets before the first PES */


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


static void
rewind_all(reel_ts_t *ts)
{
    ts->out = 0;
    ts->counter = 0;
    ts->packets = 0;
    ts->idle = 0;
    begin_fragment(ts, 0);
}


/* between PES packets: is there one more?  Goes to the next fragment */
static bool
more(reel_ts_t *ts)
{
    if (ts->fragment != ts->seg->nfragments
        && ts->sample == reel_ts_fragment(ts)->nsamples)
    {
        begin_fragment(ts, ts->fragment + 1);
    }

    return ts->fragment != ts->seg->nfragments;
}


/* the last PES of a segment fills it up */
static void
plan(const reel_ts_t *ts, reel_ts_pes_t *pes)
{
    reel_ts_pes_plan(ts, pes);

    if (ts->fragment + 1 == ts->seg->nfragments
        && ts->sample + pes->samples == reel_ts_fragment(ts)->nsamples)
    {
        pes->packets += ts->spread;
    }
}


void
reel_ts_seek(reel_ts_t *ts, uint64_t offset)
{
    uint64_t       len;
    reel_ts_pes_t  pes;

    rewind_all(ts);

    if (offset < TABLES * REEL_TS_PACKET) {
        return;
    }

    ts->out = TABLES * REEL_TS_PACKET;

    while (more(ts)) {
        plan(ts, &pes);
        len = ((uint64_t) pes.packets + pes.idle) * REEL_TS_PACKET;

        if (len > offset - ts->out) {
            return;
        }

        ts->out += len;
        ts->counter = (uint8_t) (ts->counter + pes.packets);
        ts->sample += pes.samples;
        ts->decode_ts += pes.duration_ts;
        ts->taken += pes.data;
        ts->left -= pes.data;
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

    *ts = (reel_ts_t) { .seg = seg };

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
    rewind_all(ts);

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

    plan(ts, &pes);

    ts->first = true;
    ts->sync = reel_ts_fragment(ts)->samples[ts->sample].sync;
    ts->pes_ts = ts->decode_ts - ts->lead_ts;
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

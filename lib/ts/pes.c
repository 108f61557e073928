#include "lib/base/rescale.h"
#include "lib/ts/ts_impl.h"


#define PES_HEAD   9            /* up to PES_header_data_length */
#define PES_STAMP  5
#define PES_MAX    0xffff       /* PES_packet_length, which counts from … */
#define PES_COUNTS 6            /* … here */
#define AUD        6


uint64_t
reel_ts_time(const reel_ts_t *ts, int64_t v)
{
    int64_t  t = reel_rescale(v, 90000, ts->seg->timescale, REEL_ROUND_NEAR);

    return ((uint64_t) t + REEL_TS_OFFSET) & ((UINT64_C(1) << 33) - 1);
}


/* is the DTS another than the PTS? */
static bool
has_dts(const reel_ts_t *ts, const reel_ts_sample_t *s)
{
    return ts->codec == REEL_TS_AVC && s->cts_offset + ts->lead_ts != 0;
}


static void
plan_picture(const reel_ts_t *ts, reel_ts_pes_t *pes)
{
    const reel_ts_fragment_t  *f = reel_ts_fragment(ts);
    const reel_ts_sample_t    *s = &f->samples[ts->sample];

    pes->samples = 1;
    pes->duration_ts = s->duration;
    pes->data = s->size;
    pes->bytes = PES_HEAD + PES_STAMP + (has_dts(ts, s) ? PES_STAMP : 0)
                 + AUD + (s->sync ? f->config->sets.len : 0)
                 + (uint64_t) s->size;
}


/* as many frames as there are in 100 ms, one at least */
static void
plan_frames(const reel_ts_t *ts, reel_ts_pes_t *pes)
{
    uint32_t                   i = ts->sample;
    const reel_ts_sample_t    *s;
    const reel_ts_fragment_t  *f = reel_ts_fragment(ts);

    *pes = (reel_ts_pes_t) { .bytes = PES_HEAD + PES_STAMP };

    do {
        s = &f->samples[i++];
        pes->samples++;
        pes->duration_ts += s->duration;
        pes->data += s->size;
        pes->bytes += TS_ADTS + (uint64_t) s->size;

        if (i == f->nsamples) {
            break;
        }

        s = &f->samples[i];

    } while (pes->duration_ts + s->duration <= ts->tick
             && pes->bytes + TS_ADTS + s->size <= PES_MAX + PES_COUNTS);
}


void
reel_ts_pes_plan(const reel_ts_t *ts, reel_ts_pes_t *pes)
{
    int64_t   idle;
    uint64_t  first = TS_PAYLOAD - reel_ts_pcr_field(ts);

    if (ts->codec == REEL_TS_AVC) {
        plan_picture(ts, pes);
    } else {
        plan_frames(ts, pes);
    }

    pes->packets = 1;

    if (pes->bytes > first) {
        pes->packets += (uint32_t) ((pes->bytes - first + TS_PAYLOAD - 1)
                                    / TS_PAYLOAD);
    }

    if (ts->seg->part == REEL_TS_SOUND) {
        pes->idle = 0;
        return;
    }

    idle = pes->duration_ts > 0 ? (pes->duration_ts - 1) / ts->tick : 0;
    pes->idle = (uint32_t) (idle < TS_IDLE_MAX ? idle : TS_IDLE_MAX);
}


/* 2.4.3.7: marks between 3, 15 and 15 bits */
static uint8_t *
put_stamp(uint8_t *p, uint8_t mark, uint64_t t)
{
    p[0] = (uint8_t) (mark << 4 | (t >> 29 & 0x0e) | 1);
    p[1] = (uint8_t) (t >> 22);
    p[2] = (uint8_t) (t >> 14 | 1);
    p[3] = (uint8_t) (t >> 7);
    p[4] = (uint8_t) (t << 1 | 1);

    return p + PES_STAMP;
}


/* what stands directly before the bytes of ts->sample */
void
reel_ts_au_head(reel_ts_t *ts)
{
    uint8_t                   *p = ts->head + ts->head_len;
    uint32_t                   len;
    const reel_ts_fragment_t  *f = reel_ts_fragment(ts);
    const reel_ts_sample_t    *s = &f->samples[ts->sample];

    /* 14496-10, 7.3.2.4: slices of any type may follow */
    static const uint8_t  delimiter[AUD] = { 0, 0, 0, 1, 9, 0xf0 };

    if (ts->codec == REEL_TS_AVC) {
        memcpy(p, delimiter, AUD);
        ts->head_len += AUD;
        ts->sets_len = s->sync ? f->config->sets.len : 0;

    } else {
        len = s->size + TS_ADTS;
        memcpy(p, f->config->adts, TS_ADTS);
        p[3] |= (uint8_t) (len >> 11 & 3);
        p[4] = (uint8_t) (len >> 3);
        p[5] |= (uint8_t) (len << 5);
        ts->head_len += TS_ADTS;
        ts->sets_len = 0;
    }

    ts->sets_at = 0;
    ts->data = s->size;
    ts->nal = 0;
    ts->code = 0;
    ts->blank = 0;
    ts->begins = true;
}


/* 2.4.3.6, with the head of its first sample */
void
reel_ts_pes_head(reel_ts_t *ts, const reel_ts_pes_t *pes)
{
    bool                     dts;
    uint8_t                 *p = ts->head;
    uint64_t                 len;
    const reel_ts_sample_t  *s;

    s = &reel_ts_fragment(ts)->samples[ts->sample];
    dts = has_dts(ts, s);

    /* pictures may be longer than the field can say: 0 */
    len = ts->codec == REEL_TS_AVC ? 0 : pes->bytes - PES_COUNTS;

    p[0] = 0;
    p[1] = 0;
    p[2] = 1;
    p[3] = ts->codec == REEL_TS_AVC ? 0xe0 : 0xc0;
    p[4] = (uint8_t) (len >> 8);
    p[5] = (uint8_t) len;
    p[6] = 0x84;                        /* begins with an access unit */
    p[7] = dts ? 0xc0 : 0x80;
    p[8] = dts ? 2 * PES_STAMP : PES_STAMP;

    p = put_stamp(p + PES_HEAD, dts ? 3 : 2,
                  reel_ts_time(ts, ts->decode_ts + s->cts_offset));
    if (dts) {
        p = put_stamp(p, 1, reel_ts_time(ts, ts->pes_ts));
    }

    ts->head_at = 0;
    ts->head_len = (uint8_t) (p - ts->head);

    reel_ts_au_head(ts);
}

/* what the files of lib/ts share */

#ifndef REEL_TS_TS_IMPL_H
#define REEL_TS_TS_IMPL_H

#include "lib/base/reader.h"
#include "lib/ts/ts.h"

#define TS_TABLES    2          /* packets before the first PES */
#define TS_PAYLOAD   184        /* of a packet without adaptation field */
#define TS_PCR_FIELD 8          /* adaptation field that has a PCR alone */
#define TS_ADTS      7
#define TS_ADTS_MAX  0x1fff     /* aac_frame_length, 13 bits */
#define TS_IDLE_MAX  100        /* for a picture that is shown for hours */

/* a delimiter's NAL unit; nothing else that a sample begins with is so short */
#define TS_DELIMITER 2

static const uint8_t  reel_ts_start_code[4] = { 0, 0, 0, 1 };

typedef struct {
    uint32_t samples;
    uint32_t packets;
    uint32_t idle;              /* packets with a PCR alone behind it */
    uint64_t bytes;             /* its header and all that it carries */
    uint64_t data;              /* those that come from samples */
    int64_t  duration_ts;
} reel_ts_pes_t;

/* what the PES packet that begins with ts->sample will be */
void reel_ts_pes_plan(const reel_ts_t *ts, reel_ts_pes_t *pes);

/* between PES packets: is there one more?  Goes to the next fragment */
bool reel_ts_more(reel_ts_t *ts);

/*
 * The next one as it will be, with what fills a segment up: all its packets;
 * and goes behind it without writing it.
 */
uint64_t reel_ts_pes_next(const reel_ts_t *ts, reel_ts_pes_t *pes);
void reel_ts_pes_skip(reel_ts_t *ts, const reel_ts_pes_t *pes);

/*
 * Begins the next one; false: at the end of a fragment, which it leaves, or
 * where it has to stop.
 */
bool reel_ts_next_pes(reel_ts_t *ts);

/* goes to the beginning */
void reel_ts_rewind(reel_ts_t *ts);

/* fills ts->head for ts->sample: before it, or between it and the last one */
void reel_ts_pes_head(reel_ts_t *ts, const reel_ts_pes_t *pes);
void reel_ts_au_head(reel_ts_t *ts);

/* PAT and PMT, a packet each; sealed: that of SAMPLE-AES */
void reel_ts_pat(uint8_t *p, uint8_t counter);
void reel_ts_pmt(uint8_t *p, uint8_t counter, reel_ts_codec_t codec);
void reel_ts_pmt_both(uint8_t *p, uint8_t counter);
void reel_ts_pmt_sealed(uint8_t *p, uint8_t counter,
    const reel_ts_config_t *c);

/* an adaptation field of room bytes that has a PCR, or only fills up */
void reel_ts_put_pcr(uint8_t *p, size_t room, bool random_access, uint64_t t);
void reel_ts_put_stuffing(uint8_t *p, size_t n);

/* a packet with a PCR alone, behind a PES */
void reel_ts_put_idle(reel_ts_t *ts, uint8_t *p);

/* ticks to what is printed: 90 kHz, 33 bits */
uint64_t reel_ts_time(const reel_ts_t *ts, int64_t v);

static inline uint16_t
reel_ts_pid(reel_ts_codec_t codec)
{
    return codec == REEL_TS_AVC ? REEL_TS_PID_VIDEO : REEL_TS_PID_AUDIO;
}

/* bytes of the field before a PES that has its PCR */
static inline size_t
reel_ts_pcr_field(const reel_ts_t *ts)
{
    return ts->seg->part == REEL_TS_SOUND ? 0 : TS_PCR_FIELD;
}

/* DTS of the PES that comes next */
static inline int64_t
reel_ts_next_ts(const reel_ts_t *ts)
{
    return ts->decode_ts - ts->lead_ts;
}

static inline void
reel_ts_put_header(uint8_t *p, const reel_ts_t *ts, bool begins,
    uint8_t control)
{
    uint16_t  pid = reel_ts_pid(ts->codec);

    p[0] = 0x47;
    p[1] = (uint8_t) ((begins ? 0x40 : 0) | pid >> 8);
    p[2] = (uint8_t) pid;
    p[3] = (uint8_t) (control | (ts->counter & 15));
}

static inline const reel_ts_fragment_t *
reel_ts_fragment(const reel_ts_t *ts)
{
    return &ts->seg->fragments[ts->fragment];
}

/*
 * Does the sample begin with a delimiter of its own, whose length stands at
 * p?  To be asked once: we have written one, and there may be but one (ISO
 * 14496-10, 7.4.1.2.3).
 */
static inline bool
reel_ts_drop_delimiter(reel_ts_t *ts, const uint8_t *p)
{
    bool  begins = ts->begins;

    ts->begins = false;

    return begins && ts->data >= 4 + TS_DELIMITER
           && reel_be32(p) == TS_DELIMITER;
}

#endif

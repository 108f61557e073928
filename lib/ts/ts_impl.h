/* what the files of lib/ts share */

#ifndef REEL_TS_TS_IMPL_H
#define REEL_TS_TS_IMPL_H

#include "lib/ts/ts.h"

#define TS_PAYLOAD   184        /* of a packet without adaptation field */
#define TS_PCR_FIELD 8          /* adaptation field that has a PCR alone */
#define TS_ADTS      7
#define TS_ADTS_MAX  0x1fff     /* aac_frame_length, 13 bits */
#define TS_IDLE_MAX  100        /* for a picture that is shown for hours */

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

/* begins the next one; false: at the end of a fragment, which it leaves */
bool reel_ts_next_pes(reel_ts_t *ts);

/* fills ts->head for ts->sample: before it, or between it and the last one */
void reel_ts_pes_head(reel_ts_t *ts, const reel_ts_pes_t *pes);
void reel_ts_au_head(reel_ts_t *ts);

/* PAT and PMT, a packet each */
void reel_ts_pat(uint8_t *p, uint8_t counter);
void reel_ts_pmt(uint8_t *p, uint8_t counter, reel_ts_codec_t codec);

/* ticks to what is printed: 90 kHz, 33 bits */
uint64_t reel_ts_time(const reel_ts_t *ts, int64_t v);

static inline uint16_t
reel_ts_pid(reel_ts_codec_t codec)
{
    return codec == REEL_TS_AVC ? REEL_TS_PID_VIDEO : REEL_TS_PID_AUDIO;
}

static inline const reel_ts_fragment_t *
reel_ts_fragment(const reel_ts_t *ts)
{
    return &ts->seg->fragments[ts->fragment];
}

#endif

/*
 * Pictures and sound of one segment as one transport stream: the packets of
 * two segments of ts.h, PES packet by PES packet in the order of their DTS,
 * pictures first where these are the same.  The PCR comes with the pictures.
 * Each PID has a multiple of 16 packets, so that a player may go from such a
 * segment to the next one as from those of one PID.
 */

#ifndef REEL_TS_MUX_H
#define REEL_TS_MUX_H

#include "lib/ts/ts.h"

typedef struct {
    uint64_t  size;             /* of the whole segment */
    uint64_t  out;              /* bytes of it that were written */
    reel_ts_t pictures;
    reel_ts_t sound;
} reel_ts_mux_t;

/*
 * As reel_ts_init(), of segments whose part is REEL_TS_PICTURES and
 * REEL_TS_SOUND and whose number is the same; else REEL_INVAL.
 */
reel_err_t reel_ts_mux_init(reel_ts_mux_t *m,
    const reel_ts_segment_t *pictures, const reel_ts_segment_t *sound)
    REEL_WARN_UNUSED;

/* as reel_ts_seek() */
void reel_ts_mux_seek(reel_ts_mux_t *m, uint64_t offset);

/* the one of the two that has the next packets; NULL: there are no more */
reel_ts_t *reel_ts_mux_next(reel_ts_mux_t *m);

/* how many bytes of its fragment ts takes before the other one's turn comes */
size_t reel_ts_mux_wants(const reel_ts_t *ts);

/* as reel_ts_write() of what reel_ts_mux_next() said */
reel_err_t reel_ts_mux_write(reel_ts_mux_t *m, reel_ts_t *ts, uint8_t *out,
    size_t cap, uint8_t *in, size_t len, size_t *written) REEL_WARN_UNUSED;

#endif

/*
 * Packets of a PES whose length nobody knows before its end: bytes are put
 * into one after the other, and the last one is filled up.
 */

#ifndef REEL_TS_SEALED_SINK_H
#define REEL_TS_SEALED_SINK_H

#include "lib/ts/sealed.h"

typedef struct {
    reel_ts_sealed_t *x;
    uint8_t          *p;        /* the packet at hand */
    uint8_t          *end;
    size_t            fill;     /* bytes of it; 0: it is not begun */
    uint8_t          *tail;     /* not NULL: bytes go there instead */
    size_t            ntail;
    uint8_t          *in;       /* what is put comes from there: left */
    size_t            len;
} reel_ts_sink_t;

/* bytes of payload that may still be put */
size_t reel_ts_sink_room(const reel_ts_sink_t *s);

void reel_ts_sink_put(reel_ts_sink_t *s, const uint8_t *p, size_t n);

/*
 * Puts bytes of a NAL unit, with an emulation_prevention_three_byte wherever
 * one is due (14496-10, 7.4.1): up to n * 3 / 2 + 1.
 */
void reel_ts_sink_escaped(reel_ts_sink_t *s, const uint8_t *p, size_t n);

/* ends the packet at hand: what it has not goes before its payload */
void reel_ts_sink_fill(reel_ts_sink_t *s);

#endif

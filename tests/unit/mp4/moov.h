/* moovs made by hand, of two tracks whose tables a test says */

#ifndef REEL_TESTS_MP4_MOOV_H
#define REEL_TESTS_MP4_MOOV_H

#include "lib/base/buf.h"
#include "lib/mp4/cmaf.h"

/* big-endian words behind version and flags; n = 0: no such box */
typedef struct {
    const char     *type;
    uint32_t        n;
    const uint32_t *words;
    uint8_t         version;
} moov_table_t;

#define MOOV_TABLES 8

typedef struct {
    reel_cmaf_track_t track;
    moov_table_t      elst;
    moov_table_t      tables[MOOV_TABLES];
} moov_track_t;

#define WORDS(...)                                                            \
    sizeof((uint32_t []) { __VA_ARGS__ }) / 4, (const uint32_t []) { __VA_ARGS__ }

/* the payload of a moov with timescale 1000 */
void moov_make(reel_buf_t *b, const moov_track_t *tracks, unsigned n);

#endif

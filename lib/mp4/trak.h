/*
 * A track as a moov has it (ISO 14496-12, 8.3): what it is, and the payloads
 * of the boxes that say where its samples lie.
 */

#ifndef REEL_MP4_TRAK_H
#define REEL_MP4_TRAK_H

#include "lib/base/reader.h"
#include "lib/mp4/cmaf.h"

typedef enum {
    REEL_TRAK_ELST,
    REEL_TRAK_STTS,
    REEL_TRAK_CTTS,
    REEL_TRAK_STSS,
    REEL_TRAK_STSZ,
    REEL_TRAK_STZ2,
    REEL_TRAK_STSC,
    REEL_TRAK_STCO,
    REEL_TRAK_CO64,
    REEL_TRAK_CHAP,             /* of tref: tracks of chapters */
    REEL_TRAK_TABLES            /* their number */
} reel_trak_table_t;

/* 3GPP TS 26.245, 5.16: all of its samples are to be seen by everybody */
#define REEL_TRAK_FORCED 0x80000000u

typedef struct {
    reel_cmaf_track_t cmaf;     /* borrows, as below */
    uint32_t          handler;
    bool              text;     /* tx3g: cmaf has its id, timescale and
                                   language */
    uint32_t          flags;    /* of its entry */
    uint64_t          duration; /* of mdhd, ticks */
    reel_str_t        tables[REEL_TRAK_TABLES];     /* p == NULL: none */
} reel_trak_t;

/*
 * Reads the payload of a trak, which t borrows.  Tables are not looked into.
 * REEL_UNSUPPORTED: a codec or a form that we do not know; REEL_BADDATA: e
 * names the box.
 */
reel_err_t reel_mp4_read_trak(reel_trak_t *t, reel_reader_t *r,
    reel_error_t *e) REEL_WARN_UNUSED;

#endif

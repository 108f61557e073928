/*
 * CMAF (ISO 23000-19) as reel stores and serves it: one track a file, a
 * header (ftyp + moov) and fragments (moof + mdat).  ISO 14496-12 clause
 * numbers stand at each printer.  The same writer makes the stored objects
 * and what is served.
 *
 * Times: a fragment's samples present the grid slot exactly, and no edit
 * list is ever written.  Encoded video is decoded as many frames ahead as its
 * encoder reorders: tfdt = start of the slot - that delay, so that no
 * composition offset is negative (libavformat shifts a track by its most
 * negative one; transport streams cannot have any).  Nothing lies before 0:
 * the very first fragment has tfdt 0, and its first delay + 1 samples share
 * one frame's time.  What reel did not encode may have negative offsets
 * (trun version 1).
 */

#ifndef REEL_MP4_CMAF_H
#define REEL_MP4_CMAF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/codec/codec.h"

#define REEL_TRACK_VIDEO 1
#define REEL_TRACK_AUDIO 2
#define REEL_TRACK_TEXT  3

typedef struct {
    reel_codec_t codec;
    uint32_t     track_id;      /* REEL_TRACK_* */
    uint32_t     timescale;
    reel_str_t   config;        /* codec configuration, borrowed */
    char         language[4];   /* ISO 639-2/T; "und" */

    uint16_t     width;         /* video: coded … */
    uint16_t     height;
    uint32_t     sar_num;       /* … as displayed: a pixel's width … */
    uint32_t     sar_den;       /* … to its height; 0: square */
    bool         turned;        /* by tkhd's matrix, which is none else */
    uint32_t     transform[9];
    /* video, ISO 23091-2 code points; 2 = unspecified, all 2: no colr box */
    uint8_t      primaries, transfer, matrix;
    bool         full_range;
    reel_hdr_t   hdr;           /* video: boxes mdcv and clli where known */

    uint16_t     channels;      /* audio */
    uint32_t     sample_rate;
    uint32_t     bitrate;       /* audio: average for esds, 0 unknown */
} reel_cmaf_track_t;

typedef struct {
    uint32_t size;              /* bytes in the mdat */
    uint32_t duration;          /* ticks */
    int32_t  cts_offset;        /* presentation - decode, ticks */
    bool     sync;
} reel_cmaf_sample_t;

/* in square pixels, before it is turned */
uint32_t reel_cmaf_shown_width(const reel_cmaf_track_t *t);

/* appends ftyp + moov.  REEL_INVAL, REEL_UNSUPPORTED, buffer errors */
reel_err_t reel_cmaf_header(reel_buf_t *b, const reel_cmaf_track_t *t)
    REEL_WARN_UNUSED;

/*
 * Reads what reel_cmaf_header wrote, or another's header of one track in the
 * codecs that we know; what lies behind its moov is not looked at.  t->config
 * borrows data.  Video without a colr box has the code points that its
 * configuration tells.  REEL_BADDATA, REEL_UNSUPPORTED: e names the box.
 */
reel_err_t reel_cmaf_read_header(reel_cmaf_track_t *t, const void *data,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;

/*
 * Appends a moof and the mdat's 8-byte header; the caller writes the sample
 * bytes after it, sum of sizes in all.  sequence is mfhd's number (fragment
 * number + 1), decode_ts the first sample's decode time (tfdt version 1).
 * n is at most 2^20; 0 where a track has nothing to present.  REEL_LIMIT when
 * the mdat would exceed 2^32 - 1.
 */
reel_err_t reel_cmaf_fragment(reel_buf_t *b, uint32_t track_id,
    uint32_t sequence, int64_t decode_ts, const reel_cmaf_sample_t *samples,
    uint32_t n) REEL_WARN_UNUSED;

/* what decides how many bytes a fragment has; zeroed at first */
typedef struct {
    uint32_t           n;       /* samples */
    uint64_t           bytes;   /* of all */
    reel_cmaf_sample_t first;
    bool               second;  /* is sync, or the only one is */
    /* what differs: */
    bool               rest;    /* one behind the second, in that */
    bool               cts;     /* an offset, from 0 */
    bool               sizes;   /* from the first one's */
    bool               durations;
} reel_cmaf_shape_t;

static inline void
reel_cmaf_shape_add(reel_cmaf_shape_t *p, const reel_cmaf_sample_t *s)
{
    if (p->n == 0) {
        p->first = *s;
        p->second = s->sync;

    } else if (p->n == 1) {
        p->second = s->sync;
    }

    p->n++;
    p->bytes += s->size;
    p->cts |= s->cts_offset != 0;
    p->sizes |= s->size != p->first.size;
    p->durations |= s->duration != p->first.duration;
    p->rest |= p->n > 2 && s->sync != p->second;
}

/* of what reel_cmaf_fragment appends for such samples */
size_t reel_cmaf_fragment_size(const reel_cmaf_shape_t *p);

/* what a moof of ours says; the reader of the transforms to come */
typedef struct {
    uint32_t track_id;
    uint32_t sequence;
    int64_t  decode_ts;
    uint32_t nsamples;
    uint32_t data_offset;       /* of the first sample, from moof's start */
    uint64_t moof_size;
    uint64_t mdat_size;         /* header included */
} reel_cmaf_moof_t;

typedef reel_err_t (*reel_cmaf_sample_fn)(void *arg,
    const reel_cmaf_sample_t *s);

/*
 * Reads a moof and the mdat header behind it from data; fn (may be NULL) is
 * called for each sample.  REEL_BADDATA (e names box and offset) when it is
 * not one of ours; REEL_AGAIN when len ends before the mdat's header.
 */
reel_err_t reel_cmaf_read_moof(reel_cmaf_moof_t *m, const void *data,
    size_t len, reel_cmaf_sample_fn fn, void *arg, reel_error_t *e)
    REEL_WARN_UNUSED;

#endif

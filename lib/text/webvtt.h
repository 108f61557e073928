/*
 * WebVTT (W3C Candidate Recommendation): reading cues, printing them, and
 * cutting a file into segments of HLS (RFC 8216, 3.5).  Nothing is copied:
 * a cue borrows the bytes that it was read from.
 */

#ifndef REEL_TEXT_WEBVTT_H
#define REEL_TEXT_WEBVTT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_VTT_TIME_MAX  ((int64_t) 1 << 42)  /* ms; exclusive */

typedef struct {
    int64_t    start_ms;
    int64_t    end_ms;          /* > start_ms */
    reel_str_t settings;        /* one line; may be empty */
    reel_str_t text;            /* lines without a blank one between them */
} reel_vtt_cue_t;

typedef struct {
    reel_str_t rest;
} reel_vtt_t;

/* file is borrowed; REEL_BADDATA when it does not begin as WebVTT does */
reel_err_t reel_vtt_open(reel_vtt_t *v, reel_str_t file, reel_error_t *e)
    REEL_WARN_UNUSED;

/*
 * The next cue; notes, styles and regions are passed over.  REEL_NOTFOUND at
 * the end, REEL_BADDATA for times that are none, after which nothing follows.
 */
reel_err_t reel_vtt_next(reel_vtt_t *v, reel_vtt_cue_t *cue, reel_error_t *e)
    REEL_WARN_UNUSED;

/* "00:00:00.000", hours as many digits as they need; 0 <= ms */
void reel_vtt_put_time(reel_buf_t *b, int64_t ms);

/* a character of a cue's text, of n bytes, which is no markup */
void reel_vtt_put_char(reel_buf_t *b, const char *p, size_t n);

void reel_vtt_put_cue(reel_buf_t *b, const reel_vtt_cue_t *cue);

/*
 * The segment of [from_ms, to_ms): the cues of file that are seen in it,
 * whole, at their own times, whose 0 is mpegts of a 90 kHz clock.
 * REEL_BADDATA (e says what), else what b says.
 */
reel_err_t reel_vtt_cut(reel_buf_t *b, reel_str_t file, int64_t from_ms,
    int64_t to_ms, uint64_t mpegts, reel_error_t *e) REEL_WARN_UNUSED;

/*
 * A file of its own of the same stretch: the cues that are seen in it, as far
 * as they are, at times that count from from_ms.  Errors as above.
 */
reel_err_t reel_vtt_clip(reel_buf_t *b, reel_str_t file, int64_t from_ms,
    int64_t to_ms, reel_error_t *e) REEL_WARN_UNUSED;

#endif

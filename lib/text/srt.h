/*
 * Subtitle files that lie beside a film, as WebVTT: SubRip (.srt), of which
 * there is no standard but what players take, and WebVTT itself.
 */

#ifndef REEL_TEXT_SRT_H
#define REEL_TEXT_SRT_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * Appends a WebVTT file of the cues of an .srt, by their start.  Times may
 * have '.' or ',', and one to three digits of a fraction; numbers above them
 * may be missing.  <i>, <b> and <u> stay, other tags and {\an8} and the like
 * are left out; &, < and > else are escaped.  A cue that ends before it
 * begins, or that says nothing, is left out.
 *
 * REEL_BADDATA: no UTF-8, or without a cue; REEL_NOMEM, REEL_LIMIT.
 */
reel_err_t reel_srt_vtt(reel_buf_t *b, reel_str_t file, reel_error_t *e)
    REEL_WARN_UNUSED;

/*
 * Checks a WebVTT file to its end: REEL_BADDATA as above, or for times that
 * are none.
 */
reel_err_t reel_vtt_check(reel_str_t file, reel_error_t *e) REEL_WARN_UNUSED;

#endif

/*
 * Samples of timed text (3GPP TS 26.245, 5.17; "tx3g" in MP4 and MOV) as
 * WebVTT: their words, with italics, bold and underline; nothing else of how
 * they look.
 */

#ifndef REEL_TEXT_TX3G_H
#define REEL_TEXT_TX3G_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * Appends the cue of a sample, which is seen in [start_ms, end_ms): nothing
 * if it says nothing.  What is cut short is taken as far as it goes; bytes
 * that are no characters become U+FFFD.
 */
void reel_tx3g_cue(reel_buf_t *b, reel_str_t sample, int64_t start_ms,
    int64_t end_ms);

#endif

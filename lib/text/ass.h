/*
 * Dialogue of Advanced SubStation Alpha, which libavcodec's decoders give
 * for every text, as the text of a WebVTT cue: what is said, italic, bold and
 * underlined; no other style, nothing drawn.
 */

#ifndef REEL_TEXT_ASS_H
#define REEL_TEXT_ASS_H

#include "lib/base/buf.h"
#include "lib/base/str.h"

#define REEL_ASS_LINES_MAX 32   /* of a cue; what follows is left out */

/*
 * Appends the text of line ("ReadOrder,Layer,Style,Name,MarginL,MarginR,
 * MarginV,Effect,Text") without a newline at its end.  &, < and > are
 * escaped, no line is blank, no byte is a control character, and what is no
 * UTF-8 becomes U+FFFD.  Nothing is appended when nothing is to be seen.
 */
void reel_ass_text(reel_buf_t *b, reel_str_t line);

#endif

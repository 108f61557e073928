/* lines of a text file, as WebVTT and SubRip have them */

#ifndef REEL_TEXT_LINE_H
#define REEL_TEXT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

/* takes a line off *s without its end: CR LF, LF or CR */
reel_str_t reel_text_line(reel_str_t *s);

/* without blanks at both ends */
reel_str_t reel_text_trim(reel_str_t s);

/* where "-->" stands in a line; its length when it does not */
size_t reel_text_arrow(reel_str_t line);

/* at most max digits off *s; how many there were, 0 and *v = 0 if none */
size_t reel_text_digits(reel_str_t *s, size_t max, int64_t *v);

/* one of the characters of any off *s, if it begins so */
bool reel_text_char(reel_str_t *s, const char *any);

static inline bool
reel_text_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

#endif

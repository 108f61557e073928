/* values of an MPD as XML schema wants them */

#ifndef REEL_MANIFEST_DASH_ATTR_H
#define REEL_MANIFEST_DASH_ATTR_H

#include <stdint.h>

#include "lib/base/buf.h"

/* text of an element */
void reel_dash_text(reel_buf_t *b, reel_str_t s);

/* ` name="PT6.006S"` */
void reel_dash_duration(reel_buf_t *b, const char *name, int64_t ts,
    uint32_t timescale);

/* ` name="2024-02-29T12:00:00Z"` */
void reel_dash_time(reel_buf_t *b, const char *name, int64_t unix_ms);

#endif

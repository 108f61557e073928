/* values and facts of conditions.  Private to lib/job/when*.c */

#ifndef REEL_JOB_WHEN_PART_H
#define REEL_JOB_WHEN_PART_H

#include "lib/base/str.h"
#include "lib/job/when.h"

typedef enum {
    REEL_WHEN_BOOL,
    REEL_WHEN_NUMBER,
    REEL_WHEN_TEXT
} reel_when_type_t;

typedef struct {
    reel_when_type_t  type;
    int64_t           n;        /* 0 or 1; thousandths */
    const char       *text;     /* borrowed, not terminated */
    size_t            len;
} reel_when_value_t;

enum {
    REEL_FACT_DURATION,
    REEL_FACT_BYTES,
    REEL_FACT_KBPS,
    REEL_FACT_FORMAT,
    REEL_FACT_VIDEO,
    REEL_FACT_VIDEO_CODEC,
    REEL_FACT_WIDTH,
    REEL_FACT_HEIGHT,
    REEL_FACT_SHORT_SIDE,
    REEL_FACT_FPS,
    REEL_FACT_CONSTANT_RATE,
    REEL_FACT_INTERLACED,
    REEL_FACT_HDR,
    REEL_FACT_ROTATION,
    REEL_FACT_AUDIO,
    REEL_FACT_AUDIO_CODEC,
    REEL_FACT_AUDIO_TRACKS,
    REEL_FACT_CHANNELS,
    REEL_FACT_SAMPLE_RATE,
    REEL_FACT_LANGUAGE,
    REEL_FACT_SUBTITLES,
    REEL_FACT_COMPLEXITY,
    REEL_FACTS                  /* their number */
};

/* its number and type, or -1 */
int reel_when_find(reel_str_t name, reel_when_type_t *type);

/* v->type is set; fills the rest */
void reel_when_read(reel_when_value_t *v, const reel_source_t *s, int fact);

#endif

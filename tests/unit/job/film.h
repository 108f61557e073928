/* synthetic sources for the planner's tests, and cmocka's includes */

#ifndef REEL_TESTS_JOB_FILM_H
#define REEL_TESTS_JOB_FILM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/job/plan.h"
#include "lib/job/source.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef struct {
    uint32_t num, den;          /* frames a second; num 0: no video */
    uint64_t frames;
    uint32_t key_every;         /* frames; 0: only the first */
    uint32_t width, height;
    double   video_start;       /* seconds */
    double   audio_start;
    double   audio_len;         /* 0: no audio */
    int      variable;
} film_t;

/* time base of video: 1 / (num × 1000), of audio: 1 / 48000 */
void film_make(reel_source_t *s, const film_t *f);

/* the task of that name, or NULL */
const reel_planned_t *film_task(const reel_plan_t *p, const char *name);

#endif

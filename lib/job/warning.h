/*
 * What is amiss with a film that plays all the same.  Children say it, facts
 * and answers carry it, publish gathers it for result.json.  There is one
 * warning of a kind: what happens again is counted, and so the list is
 * bounded.
 */

#ifndef REEL_JOB_WARNING_H
#define REEL_JOB_WARNING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/json.h"

/* docs/child-contract.md */
typedef enum {
    REEL_WARN_ENDS_EARLY,
    REEL_WARN_DAMAGED,
    REEL_WARN_CLOCK_JUMPS,
    REEL_WARN_DURATION_WRONG,
    REEL_WARN_RATE_REDUCED,
    REEL_WARN_COLOURS_WRONG,
    REEL_WARN_TRACK_LEFT_OUT,
    REEL_WARN_TEXT_LEFT_OUT,
    REEL_WARN_GIVEN_UP,
    REEL_WARNINGS
} reel_warning_code_t;

#define REEL_WARNING_STAGE 24
#define REEL_WARNING_WHERE 160

typedef struct {
    uint32_t count;                     /* 0: there is none of this kind */
    int64_t  at_ms;                     /* of the film, the first one; -1:
                                           at no place of its own */
    char     stage[REEL_WARNING_STAGE]; /* the type of task that saw it */
    char     where[REEL_WARNING_WHERE]; /* what it is about, in words */
} reel_warning_t;

typedef struct {
    reel_warning_t of[REEL_WARNINGS];
} reel_warnings_t;

/* one more, or several, of a kind */
void reel_warnings_add(reel_warnings_t *w, reel_warning_code_t code,
    const reel_warning_t *more);
void reel_warnings_merge(reel_warnings_t *w, const reel_warnings_t *more);

/* what all of them are said to come from */
void reel_warnings_stage(reel_warnings_t *w, const char *stage);

bool reel_warnings_any(const reel_warnings_t *w);

/*
 * "warnings": [{code, stage, detail, where, count, at_ms}], the member of
 * an object that is open; nothing where there are none.
 */
void reel_warnings_print(reel_json_t *j, const reel_warnings_t *w);

/* the object of one, as a child says it: {code, count, at_ms, where} */
reel_err_t reel_warning_print(reel_buf_t *b, reel_warning_code_t code,
    const reel_warning_t *x) REEL_WARN_UNUSED;
reel_err_t reel_warning_parse(reel_warnings_t *w, const char *json,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;

#endif

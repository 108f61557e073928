/*
 * Conditions on what inspect found, as `when:` of a pipeline has them:
 *
 *     height >= 1080 and duration < 600
 *     not interlaced and (video_codec == "h264" or fps > 50)
 *
 *     or     = and { "or" and }
 *     and    = not { "and" not }
 *     not    = "not" not | "(" or ")" | value [ op value ]
 *     op     = "==" | "!=" | "<" | "<=" | ">" | ">="
 *     value  = fact | number | "text" | 'text' | true | false
 *
 * Every fact has a type, so what cannot be compared is refused when the
 * pipeline is read, whatever the source.  Numbers have up to three decimals
 * and are held in thousandths: no condition depends on rounding.
 */

#ifndef REEL_JOB_WHEN_H
#define REEL_JOB_WHEN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/job/limits.h"
#include "lib/job/source.h"

#define REEL_WHEN_DEPTH  16     /* of "not" and brackets */

/*
 * REEL_INVAL: *column (from 1) is where, e says what is expected.  text
 * needs no terminator.
 */
reel_err_t reel_when_check(const char *text, size_t len, unsigned *column,
    reel_error_t *e) REEL_WARN_UNUSED;

/* does it hold for s?  text passed reel_when_check; "" always holds */
bool reel_when_holds(const char *text, size_t len, const reel_source_t *s);

/* does it name what only trials of the film tell? */
bool reel_when_tries(const char *text, size_t len);

/* the name of fact i, NULL behind the last: for texts and tests */
const char *reel_when_fact(size_t i);

#endif

/*
 * reel_err_t: what every fallible function of lib returns, and
 * reel_error_t: a fixed text that says what was wrong, where the fact is
 * known.  There is one mapping to HTTP (ngx_module) and one to a task's
 * outcome (workerd).
 */

#ifndef REEL_BASE_ERR_H
#define REEL_BASE_ERR_H

#include <stddef.h>

#define REEL_WARN_UNUSED  __attribute__((warn_unused_result))
#define REEL_PRINTF(f, a) __attribute__((format(printf, f, a)))

typedef enum {
    REEL_OK = 0,
    REEL_NOMEM,                 /* allocation failed */
    REEL_BADDATA,               /* bytes from outside break their format */
    REEL_UNSUPPORTED,           /* well formed, but not for us */
    REEL_LIMIT,                 /* over a bound that we set */
    REEL_IO,                    /* the medium failed; may be tried again */
    REEL_AGAIN,                 /* not yet; call again when it is ready */
    REEL_INVAL,                 /* the caller's argument is wrong */
    REEL_NOTFOUND,              /* no such object, key or field */
    REEL_EXISTS,                /* put-if-absent found one */
    REEL_NOSPACE,               /* the medium is full */
    REEL_DENIED                 /* signature, token or permission */
} reel_err_t;

/* text is always terminated; an empty one means "nothing more is known" */
typedef struct {
    char text[192];
} reel_error_t;

/*
 * Fills e (may be NULL) with a printf-style text, cut to fit, and returns
 * code, so that a caller writes: return reel_fail(e, REEL_BADDATA, "...");
 * Never pass a secret.
 */
reel_err_t reel_fail(reel_error_t *e, reel_err_t code, const char *fmt, ...)
    REEL_PRINTF(3, 4);

/* the constant's name without its prefix, lower case: "baddata" */
const char *reel_err_name(reel_err_t code);

#endif

/*
 * reel_str_t: a borrowed run of bytes, not terminated.  Whoever owns the
 * bytes must outlive it.
 */

#ifndef REEL_BASE_STR_H
#define REEL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/err.h"

typedef struct {
    const char *p;
    size_t      len;
} reel_str_t;

#define REEL_STR(lit)  ((reel_str_t) { (lit), sizeof(lit) - 1 })

static inline reel_str_t
reel_str(const char *z)
{
    return (reel_str_t) { z, strlen(z) };
}

bool reel_str_eq(reel_str_t a, reel_str_t b);
bool reel_str_eqz(reel_str_t a, const char *z);
bool reel_str_prefix(reel_str_t s, const char *z);

/*
 * Cuts s at the first sep: the part before it is returned, *rest is what
 * follows (p == NULL when sep is absent, empty when it ends the string).
 */
reel_str_t reel_str_cut(reel_str_t s, char sep, reel_str_t *rest);

/* is word one of those between the commas of csv? */
bool reel_str_in_csv(reel_str_t csv, const char *word);

/*
 * Decimal without sign, blank or leading '+'; the whole of s.
 * REEL_INVAL when it is not such a number, REEL_LIMIT above max.
 */
reel_err_t reel_str_u64(reel_str_t s, uint64_t max, uint64_t *v)
    REEL_WARN_UNUSED;

/*
 * Copies s into dst[cap] and terminates it.  REEL_LIMIT when it does not
 * fit; then dst is the empty string.
 */
reel_err_t reel_str_copy(char *dst, size_t cap, reel_str_t s)
    REEL_WARN_UNUSED;

#endif

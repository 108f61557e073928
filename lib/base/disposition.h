/*
 * Content-Disposition (RFC 6266) as far as a server asks it for the name of
 * a file that is uploaded.
 */

#ifndef REEL_BASE_DISPOSITION_H
#define REEL_BASE_DISPOSITION_H

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * The value of filename*, or else of filename, in UTF-8 and without folders,
 * terminated in dst[cap].  REEL_NOTFOUND: there is none, it is empty, or the
 * field is not well formed or its text no UTF-8 without control characters;
 * REEL_LIMIT: it does not fit.  dst is "" then.
 */
reel_err_t reel_disposition_filename(reel_str_t field, char *dst, size_t cap)
    REEL_WARN_UNUSED;

#endif

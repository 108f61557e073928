/*
 * Content-Disposition (RFC 6266) as far as a server asks it for the name of
 * a file that is uploaded, and tells that of one to be saved.
 */

#ifndef REEL_BASE_DISPOSITION_H
#define REEL_BASE_DISPOSITION_H

#include "lib/base/buf.h"
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

/*
 * Appends attachment; filename="…"; filename*=UTF-8''…, for a file that is
 * name (any bytes, UTF-8 if it can be) without its folders, its ending
 * replaced by `ending` (".mp4").  Nothing of name can end the field.
 */
void reel_disposition_attachment(reel_buf_t *b, reel_str_t name,
    const char *ending);

#endif

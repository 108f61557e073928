/*
 * The values of two headers of tus 1.0.0: Upload-Metadata (creation) and
 * Upload-Concat (concatenation).
 */

#ifndef REEL_UPLOAD_TUS_H
#define REEL_UPLOAD_TUS_H

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_TUS_METADATA_MAX   8192        /* bytes of the header's value */
#define REEL_TUS_METADATA_PAIRS 64
#define REEL_TUS_CONCAT_MAX     256         /* uploads in one final upload */

/*
 * "key base64,key,…": keys of printable ASCII without space and comma, each
 * once; the value may be missing.  A blank after a comma is let pass.  What
 * is well formed may be echoed as it is.  REEL_BADDATA, REEL_LIMIT.
 */
reel_err_t reel_tus_metadata_check(reel_str_t v, reel_error_t *e)
    REEL_WARN_UNUSED;

/*
 * The value of a key as text in dst[cap], terminated; "" when it has none.
 * v was checked.  REEL_NOTFOUND, REEL_LIMIT (does not fit), REEL_BADDATA (no
 * UTF-8, or with control characters).
 */
reel_err_t reel_tus_metadata_get(reel_str_t v, const char *key, char *dst,
    size_t cap) REEL_WARN_UNUSED;

/*
 * Takes the next URL, absolute or relative, off a blank-separated list and
 * gives what follows its "/.uploads/": an id, not yet looked at.
 * REEL_NOTFOUND at the end, REEL_BADDATA for a URL of another form.
 */
reel_err_t reel_tus_concat_next(reel_str_t *urls, reel_str_t *id)
    REEL_WARN_UNUSED;

#endif

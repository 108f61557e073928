/*
 * Does a CompleteMultipartUpload fit the parts that were uploaded?  What S3
 * asks of the list, and the checksums of the whole:
 *
 *   full object  the CRC of all bytes, from those of the parts
 *   composite    the checksum of the parts' checksums, "…-<parts>"
 */

#ifndef REEL_UPLOAD_COMPLETE_CHECK_H
#define REEL_UPLOAD_COMPLETE_CHECK_H

#include <stdbool.h>

#include "lib/upload/complete_xml.h"
#include "lib/upload/upload.h"

#define REEL_COMPLETE_PART_MIN (5u << 20)       /* but for the last one */
#define REEL_COMPLETE_SUM_TEXT (REEL_SUM_TEXT + 6)

/* each has an error code of S3 */
typedef enum {
    REEL_COMPLETE_FITS,
    REEL_COMPLETE_ORDER,        /* InvalidPartOrder */
    REEL_COMPLETE_PART,         /* InvalidPart: not there, or another one */
    REEL_COMPLETE_SMALL,        /* EntityTooSmall */
    REEL_COMPLETE_SIZE,         /* InvalidRequest: x-amz-mp-object-size */
    REEL_COMPLETE_DIGEST,       /* BadDigest: the sum of the whole */
    REEL_COMPLETE_UNKNOWN,      /* InvalidRequest: the parts came without
                                   the checksums that it takes */
    REEL_COMPLETE_NOMEM
} reel_complete_fit_t;

/* of the whole, as a header names it; kind NONE: none */
typedef struct {
    reel_sum_kind_t kind;
    bool            composite;
    size_t          n;          /* parts, when composite */
    uint8_t         sum[REEL_SUM_MAX];
} reel_complete_whole_t;

/* "<base64>" or "<base64>-<parts>"; REEL_INVAL */
reel_err_t reel_complete_whole_parse(reel_complete_whole_t *w,
    reel_sum_kind_t kind, reel_str_t text) REEL_WARN_UNUSED;
void reel_complete_whole_print(char dst[REEL_COMPLETE_SUM_TEXT],
    const reel_complete_whole_t *w);

/*
 * parts as reel_upload_parts has them; size is that of the whole or
 * REEL_UPLOAD_UNKNOWN, w what it must have.  e says what does not fit.
 */
reel_complete_fit_t reel_complete_check(const reel_complete_t *c,
    const reel_upload_part_t *parts, size_t nparts, uint64_t size,
    const reel_complete_whole_t *w, reel_error_t *e) REEL_WARN_UNUSED;

/*
 * The composite checksum that follows from the list alone, so that the same
 * request has the same answer; w->kind is NONE when there is none.
 */
reel_err_t reel_complete_composite(reel_complete_whole_t *w,
    const reel_complete_t *c) REEL_WARN_UNUSED;

#endif

/*
 * The body of S3's CompleteMultipartUpload, and the ETags of parts in it:
 *
 *   <CompleteMultipartUpload>
 *     <Part><PartNumber>1</PartNumber><ETag>"…"</ETag></Part> …
 *
 * Clients differ in the order of elements, namespaces, white space and how
 * they write a quote; elements that are not known are passed over, as are
 * checksums of other kinds than reel_sum_kind_t has.
 */

#ifndef REEL_UPLOAD_COMPLETE_XML_H
#define REEL_UPLOAD_COMPLETE_XML_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/crypt/sum.h"

/* the largest body that is read: 10000 parts with a SHA-256 each fit */
#define REEL_COMPLETE_MAX (2u << 20)

typedef struct {
    uint8_t kind;               /* reel_sum_kind_t */
    uint8_t sum[REEL_SUM_MAX];
} reel_complete_sum_t;

/* as listed; owned */
typedef struct {
    size_t               n;
    uint32_t            *numbers;   /* 1 … 10000 each, in any order */
    uint64_t            *tags;      /* 0: not an ETag of ours */
    reel_complete_sum_t *sums;
} reel_complete_t;

/*
 * REEL_BADDATA: no such document, one without parts, or a part without
 * number or ETag; e says what.  REEL_LIMIT: more than 10000 parts.  A failed
 * or zeroed one may be released.
 */
reel_err_t reel_complete_parse(reel_complete_t *c, const char *xml,
    size_t len, reel_error_t *e) REEL_WARN_UNUSED;
void reel_complete_release(reel_complete_t *c);

/*
 * The ETag of a part, quotes and all: its tag, and "-1", by which clients
 * know that it is not an MD5.
 */
#define REEL_PART_ETAG_LEN 20
void reel_part_etag(char dst[REEL_PART_ETAG_LEN + 1], uint64_t tag);

/* with or without quotes; 0 when it is not of that form */
uint64_t reel_part_etag_parse(reel_str_t s);

#endif

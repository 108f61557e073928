/*
 * reel_aws_chunked_t: takes the frames of an aws-chunked body apart, as S3's
 * clients send them under x-amz-content-sha256: STREAMING-…
 *
 *   signed:    <hex length>;chunk-signature=<64 hex> CRLF <bytes> CRLF …
 *   unsigned:  <hex length> CRLF <bytes> CRLF …
 *   then a frame of length 0 without the bytes' CRLF, the trailers that
 *   x-amz-trailer names, each "name:value", x-amz-trailer-signature when
 *   they are signed, and an empty line.
 *
 * Lines of trailers end with CRLF or LF; one empty one before the signature
 * and another at the end are passed over, as clients differ (minio-go sends
 * both); the last empty one may be missing.
 *
 * Each signature covers the one before it, the first of them the request's.
 * A frame is known to be good only at its last byte, so what was handed out
 * before is provisional: see `verified`.
 *
 * Nothing is allocated after init, and the input is neither copied nor kept:
 * payload is handed out as a part of it.  Verifying hashes the payload, which
 * is work for the thread pool.  After an error each call returns it again.
 *
 * Source: AWS "Signature calculations for the Authorization header:
 * Transferring payload in multiple chunks", also "with trailing headers".
 */

#ifndef REEL_AUTH_AWS_CHUNKED_H
#define REEL_AUTH_AWS_CHUNKED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/auth/sigv4.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/* what x-amz-content-sha256 (reel_sigv4_auth_t's payload_hash) says */
typedef enum {
    REEL_PAYLOAD_UNKNOWN = 0,
    REEL_PAYLOAD_SHA256,            /* 64 lower-case hex digits */
    REEL_PAYLOAD_UNSIGNED,          /* UNSIGNED-PAYLOAD */
    /* the rest are bodies of frames */
    REEL_PAYLOAD_UNSIGNED_TRAILER,  /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
    REEL_PAYLOAD_SIGNED,            /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
    REEL_PAYLOAD_SIGNED_TRAILER     /* … -TRAILER */
} reel_payload_t;

/* what x-amz-content-sha256 says; 64 hexadecimal digits: SHA256 */
reel_payload_t reel_payload_kind(reel_str_t content_sha256);

#define REEL_AWS_CHUNKED_UNKNOWN   UINT64_MAX   /* a length not told */
#define REEL_AWS_CHUNKED_FRAME_MAX (16 << 20)   /* bytes of a signed frame */
#define REEL_AWS_CHUNKED_LINE_MAX  256          /* without its end */
#define REEL_AWS_CHUNKED_TRAILERS  4

typedef struct {
    char name[64];                  /* lower case */
    char value[128];                /* without blanks around it */
    bool seen;
} reel_aws_trailer_t;

typedef struct {
    uint64_t           at;          /* bytes of the body taken in */
    uint64_t           payload;     /* bytes of payload handed out */
    /*
     * Payload bytes [0, verified) are what was signed: all that came before
     * the last frame whose signature held, or, where frames carry none, all
     * that was handed out.  It never falls.  On an error, a cut connection
     * or a body that ends early the bytes behind it must be forgotten.
     */
    uint64_t           verified;
    bool               done;        /* the end is here, and was right */
    reel_aws_trailer_t trailers[REEL_AWS_CHUNKED_TRAILERS];
    unsigned           ntrailers;   /* named by x-amz-trailer */

    /* private */
    reel_payload_t     kind;
    int                state;
    reel_err_t         err;
    uint64_t           length;      /* x-amz-decoded-content-length */
    uint64_t           frame;       /* bytes of this frame still to come */
    uint64_t           line_at;     /* where the line began */
    size_t             nline;
    unsigned           nblank;
    bool               trailer_signed;
    char               line[REEL_AWS_CHUNKED_LINE_MAX + 1];     /* and CR */
    char               given[64];   /* the signature that is to be checked */
    char               last[64];    /* the one before it */
    char               scope[160];  /* time and scope, two signed lines */
    struct evp_md_ctx_st  *md;
    struct evp_mac_ctx_st *mac;
} reel_aws_chunked_t;

/*
 * kind: one of the frame kinds.  length: x-amz-decoded-content-length.
 * trailer_names: the value of x-amz-trailer, for the trailer kinds; may be
 * empty.  auth, as verified, and the secret it was verified with are asked
 * for by the signed kinds, else may be NULL and empty; neither is kept.
 * REEL_INVAL for another kind or a signed one without auth, REEL_BADDATA for
 * names that are none, REEL_LIMIT for too many or too long ones,
 * REEL_NOMEM.  d is to be released in any case.
 */
reel_err_t reel_aws_chunked_init(reel_aws_chunked_t *d, reel_payload_t kind,
    uint64_t length, reel_str_t trailer_names, const reel_sigv4_auth_t *auth,
    reel_str_t secret, reel_error_t *e) REEL_WARN_UNUSED;

/*
 * Takes from the front of *in, and moves it, until there is payload: *out,
 * a part of what *in was.  An empty *out: *in is used up.  So:
 *
 *     do { err = next(d, &in, &out, e); write(out); } while (out.len != 0);
 *
 * The span that ends a signed frame is handed out only when the frame is
 * good, with `verified` behind it.
 *
 * REEL_BADDATA not of the form above, a trailer that was not named or came
 * twice or not at all, or a length that is not the one told; e says what and
 * at which byte of the body.  REEL_DENIED a signature does not match.
 * REEL_LIMIT a frame, line, name or value too long.  REEL_NOMEM.
 */
reel_err_t reel_aws_chunked_next(reel_aws_chunked_t *d, reel_str_t *in,
    reel_str_t *out, reel_error_t *e) REEL_WARN_UNUSED;

/* the body is over.  REEL_OK: it is whole, verified == payload; BADDATA */
reel_err_t reel_aws_chunked_finish(reel_aws_chunked_t *d, reel_error_t *e)
    REEL_WARN_UNUSED;

/* the trailer of that lower-case name, once d is done; else NULL */
const char *reel_aws_chunked_trailer(const reel_aws_chunked_t *d,
    const char *name);

/* a zeroed one is fine */
void reel_aws_chunked_release(reel_aws_chunked_t *d);

#endif

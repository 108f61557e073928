/*
 * AWS Signature Version 4, both ways: verify what a client signed, and sign.
 * Header and query (presigned) authentication.  Pure: the caller brings the
 * request as it stood on the wire, the clock and the secrets.
 *
 * Source: AWS "Signature Version 4 signing process"; the published vectors
 * stand in tests/vectors/sigv4.
 */

#ifndef REEL_AUTH_SIGV4_H
#define REEL_AUTH_SIGV4_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_SIGV4_MAX_EXPIRES 604800
#define REEL_SIGV4_SKEW_S      900

typedef struct {
    reel_str_t name;            /* any case */
    reel_str_t value;           /* raw */
} reel_sigv4_header_t;

/* a request as it stood on the wire */
typedef struct {
    reel_str_t method;
    reel_str_t path;            /* undecoded, without '?' */
    reel_str_t query;           /* undecoded, without '?'; may be empty */
    const reel_sigv4_header_t *headers;     /* in order; Host among them */
    size_t     nheaders;
    bool       normalize_path;  /* false for S3, true in 31 vectors */
    /*
     * 64 hex digits of the body's SHA-256, when the caller has it: what a
     * request signed that names no x-amz-content-sha256 (curl before 8.3
     * does so with -d).  Empty: unknown.
     */
    reel_str_t payload_hash;
} reel_sigv4_request_t;

/* why a signature was refused; each has an S3 error code and a status */
typedef enum {
    REEL_SIGV4_OK = 0,
    REEL_SIGV4_NONE,            /* request carries no signature */
    REEL_SIGV4_MALFORMED_QUERY, /* 400 AuthorizationQueryParametersError */
    REEL_SIGV4_MALFORMED_HEADER,/* 400 AuthorizationHeaderMalformed */
    REEL_SIGV4_V2,              /* 400 InvalidRequest: Signature Version 2 */
    REEL_SIGV4_UNSIGNED_HEADERS,/* 403 AccessDenied */
    REEL_SIGV4_UNKNOWN_KEY,     /* 403 InvalidAccessKeyId */
    REEL_SIGV4_MISMATCH,        /* 403 SignatureDoesNotMatch */
    REEL_SIGV4_EXPIRED,         /* 403 AccessDenied, Request has expired */
    REEL_SIGV4_SKEWED,          /* 403 RequestTimeTooSkewed */
    REEL_SIGV4_NOMEM
} reel_sigv4_status_t;

typedef struct {
    bool       presigned;       /* query, else header */
    reel_str_t access_key;      /* all borrowed from the request … */
    reel_str_t date;            /* yyyymmdd of the scope */
    reel_str_t region;
    reel_str_t service;
    reel_str_t signed_headers;
    reel_str_t signature;       /* 64 hex, lower case */
    int64_t    time_s;          /* X-Amz-Date as Unix seconds */
    int64_t    expires_s;       /* presigned: time_s + X-Amz-Expires */
    char       access_key_buf[129];         /* … but this one, decoded */
    char       scope_buf[97];   /* "date/region/service" decoded */
    char       signed_headers_buf[512];
    /*
     * What the canonical request's last line was: 64 hex digits,
     * "UNSIGNED-PAYLOAD" or a STREAMING-… name.  A hex value must then be
     * checked against the body.
     */
    char       payload_hash[72];
} reel_sigv4_auth_t;

/*
 * First step: finds and parses the signature of rq.  REEL_SIGV4_OK, _NONE,
 * _V2 or _MALFORMED_*; e says which parameter.  The names are borrowed from
 * rq and a, so a must not be copied.
 *
 * The payload hash is X-Amz-Content-Sha256 of the query (presigned), else
 * the header x-amz-content-sha256, else rq->payload_hash (but for what is
 * presigned for S3, which means UNSIGNED-PAYLOAD then), else
 * UNSIGNED-PAYLOAD (presigned) or that of no bytes (header).  A request
 * signed in the header with a body but none of these is malformed: e says
 * what to add.
 */
reel_sigv4_status_t reel_sigv4_parse(reel_sigv4_auth_t *a,
    const reel_sigv4_request_t *rq, reel_error_t *e) REEL_WARN_UNUSED;

/*
 * Second step: checks the signature with the secret of a->access_key, then
 * the times against now_s.  A signature that does not match is told before
 * one that expired.  Every x-amz-* header and Host must be signed (the value
 * of x-amz-content-sha256 always is, being the last line).  The path and the
 * query are taken in S3's canonical form; a signature in the header may also
 * be over both as they stand on the wire, which is what curl before 8.3 does.
 * canonical (may be NULL; initialised by the caller) receives the canonical
 * request, for the error body of a mismatch; it holds no secret.
 */
reel_sigv4_status_t reel_sigv4_verify(const reel_sigv4_auth_t *a,
    const reel_sigv4_request_t *rq, reel_str_t secret, int64_t now_s,
    reel_buf_t *canonical, reel_error_t *e) REEL_WARN_UNUSED;

typedef struct {
    reel_str_t access_key;
    reel_str_t secret;
    reel_str_t session_token;   /* empty: none */
    reel_str_t region;          /* "us-east-1" */
    reel_str_t service;         /* "s3" */
    int64_t    time_s;
    uint32_t   expires_s;       /* presign: 1 … 604800 */
} reel_sigv4_signer_t;

/*
 * Appends the signed query to out: rq->query as given, then the X-Amz-*
 * parameters and X-Amz-Signature.  rq->headers are those to sign; Host must
 * be among them.  The payload is payload_hash, when empty then what rq names
 * as X-Amz-Content-Sha256, else UNSIGNED-PAYLOAD.  REEL_INVAL when expires_s
 * is out of range, Host is missing or rq is signed already.
 */
reel_err_t reel_sigv4_presign(reel_buf_t *out, const reel_sigv4_request_t *rq,
    const reel_sigv4_signer_t *s, reel_str_t payload_hash) REEL_WARN_UNUSED;

/*
 * Appends the value of an Authorization header.  rq->headers must hold Host
 * and X-Amz-Date (of s->time_s), and X-Amz-Security-Token when there is one;
 * all of them are signed, REEL_INVAL else.  An empty payload_hash means
 * x-amz-content-sha256, else that of no bytes.
 */
reel_err_t reel_sigv4_sign_header(reel_buf_t *out,
    const reel_sigv4_request_t *rq, const reel_sigv4_signer_t *s,
    reel_str_t payload_hash) REEL_WARN_UNUSED;

/* S3's code and HTTP status for a refusal: "SignatureDoesNotMatch", 403 */
const char *reel_sigv4_code(reel_sigv4_status_t st, int *http_status);

/* "20130524T000000Z" for Unix seconds; dst has 17 bytes */
void reel_sigv4_timestamp(char *dst, int64_t time_s);

#endif

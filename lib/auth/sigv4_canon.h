/* the parts that verifying and signing share; private to lib/auth */

#ifndef REEL_AUTH_SIGV4_CANON_H
#define REEL_AUTH_SIGV4_CANON_H

#include "lib/auth/sigv4.h"
#include "lib/crypt/digest.h"

#define REEL_SIGV4_CANON_MAX  (256 * 1024)  /* bytes of a canonical request */
#define REEL_SIGV4_SECRET_MAX 256
#define REEL_SIGV4_ALGORITHM  "AWS4-HMAC-SHA256"
#define REEL_SIGV4_UNSIGNED   "UNSIGNED-PAYLOAD"
/* SHA-256 of no bytes */
#define REEL_SIGV4_EMPTY                                                      \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* path and query in S3's canonical form, or as they stand on the wire */
typedef enum { REEL_CANON_S3, REEL_CANON_WIRE } reel_canon_t;

typedef struct {
    reel_str_t date;            /* yyyymmdd */
    reel_str_t region;
    reel_str_t service;
} reel_sigv4_scope_t;

/* whatever the case of a; the first header of that name, or NULL */
bool reel_sigv4_name_eq(reel_str_t a, const char *lower);
const reel_sigv4_header_t *reel_sigv4_header(const reel_sigv4_request_t *rq,
    const char *lower);

/* without blanks around it */
reel_str_t reel_sigv4_trim(reel_str_t s);

/* fills e and returns st */
reel_sigv4_status_t reel_sigv4_refuse(reel_error_t *e,
    reel_sigv4_status_t st, const char *fmt, ...) REEL_PRINTF(3, 4);

/* the two places where a signature may stand */
reel_sigv4_status_t reel_sigv4_parse_query(reel_sigv4_auth_t *a,
    const reel_sigv4_request_t *rq, reel_error_t *e) REEL_WARN_UNUSED;
reel_sigv4_status_t reel_sigv4_parse_header(reel_sigv4_auth_t *a,
    const reel_sigv4_request_t *rq, reel_str_t authorization,
    reel_error_t *e) REEL_WARN_UNUSED;

/* what they have in common; prefix ("X-Amz-" or "") names the parameter */
bool reel_sigv4_credential(reel_sigv4_auth_t *a, reel_str_t s);
reel_sigv4_status_t reel_sigv4_check_parts(reel_sigv4_auth_t *a,
    reel_sigv4_status_t bad, const char *prefix, reel_error_t *e)
    REEL_WARN_UNUSED;

/* is name (any case) in a list of the form "a;b;c"? */
bool reel_sigv4_is_signed(reel_str_t signed_headers, reel_str_t name);

/*
 * Appends the canonical request.  REEL_NOTFOUND when a signed header is
 * not there (named in e), REEL_LIMIT, REEL_NOMEM.
 */
reel_err_t reel_sigv4_canon(reel_buf_t *out, const reel_sigv4_request_t *rq,
    reel_str_t signed_headers, const char *payload_hash, reel_canon_t form,
    reel_error_t *e) REEL_WARN_UNUSED;

/* the two canonical parts by themselves */
void reel_sigv4_canon_path(reel_buf_t *out, reel_str_t path, bool normalize);
reel_err_t reel_sigv4_canon_query(reel_buf_t *out, reel_str_t query)
    REEL_WARN_UNUSED;

/*
 * What rq itself says of its payload, by the rules of reel_sigv4_parse;
 * dst has 72 bytes.  REEL_NOTFOUND when it says nothing, REEL_BADDATA when
 * it is not of the known forms.
 */
reel_err_t reel_sigv4_payload(char *dst, const reel_sigv4_request_t *rq,
    bool presigned) REEL_WARN_UNUSED;

/* the key that signs in that scope; a secret too.  REEL_INVAL, REEL_NOMEM */
reel_err_t reel_sigv4_key(uint8_t key[REEL_SHA256_LEN], reel_str_t secret,
    const reel_sigv4_scope_t *scope) REEL_WARN_UNUSED;

/* the signature of a canonical request as 64 hex digits */
reel_err_t reel_sigv4_signature(char dst[65], reel_str_t secret,
    const reel_sigv4_scope_t *scope, int64_t time_s, reel_str_t canonical)
    REEL_WARN_UNUSED;

/* "20130524T000000Z" and "Fri, 24 May 2013 00:00:00 GMT" */
reel_err_t reel_sigv4_time_iso(reel_str_t s, int64_t *time_s)
    REEL_WARN_UNUSED;
reel_err_t reel_sigv4_time_http(reel_str_t s, int64_t *time_s)
    REEL_WARN_UNUSED;

#endif

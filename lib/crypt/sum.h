/*
 * reel_sum_t: a checksum on the way, of any kind that a door of the upload
 * may name.  Values are bytes in network order, as all doors have them in
 * base64 (S3 x-amz-checksum-*, tus Upload-Checksum, RFC 9530 digests).
 */

#ifndef REEL_CRYPT_SUM_H
#define REEL_CRYPT_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/base64.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/* stored with parts: a number once given stays; the stronger is the higher */
typedef enum {
    REEL_SUM_NONE = 0,
    REEL_SUM_CRC32 = 1,
    REEL_SUM_CRC32C = 2,
    REEL_SUM_CRC64NVME = 3,
    REEL_SUM_MD5 = 4,
    REEL_SUM_SHA1 = 5,
    REEL_SUM_SHA256 = 6
} reel_sum_kind_t;

#define REEL_SUM_KINDS 7
#define REEL_SUM_MAX   32       /* bytes of the longest */
#define REEL_SUM_TEXT  (REEL_BASE64_LEN(REEL_SUM_MAX) + 1)

/* bytes of a value: 4, 8, 16, 20, 32; 0 for NONE */
size_t reel_sum_len(reel_sum_kind_t kind);

/*
 * Its names, "" where it has none.  name: "crc32c", which is tus' and, after
 * "x-amz-checksum-", S3's (of all but MD5, which has Content-MD5); s3:
 * "CRC32C", of x-amz-checksum-algorithm and, after "Checksum", of XML;
 * digest: "sha-256", of RFC 9530, 7.2.
 */
const char *reel_sum_name(reel_sum_kind_t kind);
const char *reel_sum_s3(reel_sum_kind_t kind);
const char *reel_sum_digest(reel_sum_kind_t kind);

/* NONE when nothing is called so; by_s3 and by_header in any case */
reel_sum_kind_t reel_sum_by_name(reel_str_t name);
reel_sum_kind_t reel_sum_by_s3(reel_str_t s3);
reel_sum_kind_t reel_sum_by_header(reel_str_t header); /* x-amz-checksum-… */
reel_sum_kind_t reel_sum_by_digest(reel_str_t digest);

typedef struct {
    reel_sum_kind_t kind;
    uint64_t        crc;
    struct evp_md_ctx_st *md;   /* of the others; owned */
} reel_sum_t;

/*
 * REEL_INVAL for NONE, REEL_UNSUPPORTED when OpenSSL does not offer it (MD5
 * under FIPS), REEL_NOMEM.  A failed or zeroed one may be released.
 */
reel_err_t reel_sum_init(reel_sum_t *s, reel_sum_kind_t kind)
    REEL_WARN_UNUSED;
reel_err_t reel_sum_update(reel_sum_t *s, const void *p, size_t n)
    REEL_WARN_UNUSED;
/* writes reel_sum_len() bytes and releases s, also when it fails */
reel_err_t reel_sum_final(reel_sum_t *s, uint8_t out[REEL_SUM_MAX])
    REEL_WARN_UNUSED;
void reel_sum_release(reel_sum_t *s);

/*
 * Of A followed by B, from those of A and of B and the length of B: what a
 * whole is, when its parts are known.  REEL_INVAL for others than CRCs.
 */
reel_err_t reel_sum_combine(reel_sum_kind_t kind, uint8_t out[REEL_SUM_MAX],
    const uint8_t *a, const uint8_t *b, uint64_t len_b) REEL_WARN_UNUSED;

/* base64 and a terminator; and back, strictly, of just its length: INVAL */
void reel_sum_encode(char dst[REEL_SUM_TEXT], reel_sum_kind_t kind,
    const uint8_t *sum);
reel_err_t reel_sum_decode(uint8_t out[REEL_SUM_MAX], reel_sum_kind_t kind,
    reel_str_t base64) REEL_WARN_UNUSED;

/*
 * "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=" (tus 1.0.0, checksum).
 * REEL_UNSUPPORTED for an algorithm not known, REEL_BADDATA.
 */
reel_err_t reel_sum_parse_tus(reel_str_t value, reel_sum_kind_t *kind,
    uint8_t out[REEL_SUM_MAX], reel_error_t *e) REEL_WARN_UNUSED;

/*
 * Content-Digest or Repr-Digest (RFC 9530, 2 and 3): a Dictionary of Byte
 * Sequences, of which the strongest that is known counts, and of two with
 * one name the last.  REEL_UNSUPPORTED when none is known, REEL_BADDATA.
 */
reel_err_t reel_sum_parse_digest(reel_str_t value, reel_sum_kind_t *kind,
    uint8_t out[REEL_SUM_MAX], reel_error_t *e) REEL_WARN_UNUSED;

#endif

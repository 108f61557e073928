/*
 * Writes aws-chunked bodies, signed or not, as a client does; by other
 * functions than those the decoder goes through.
 */

#ifndef REEL_TESTS_AUTH_AWS_CHUNKS_H
#define REEL_TESTS_AUTH_AWS_CHUNKS_H

#include <stdlib.h>

#include "lib/auth/sigv4_canon.h"
#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/crypt/digest.h"

#define CHUNKS_SECRET  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define CHUNKS_STAMP   "20130524T000000Z"
#define CHUNKS_TIME    INT64_C(1369353600)
#define CHUNKS_SCOPE   "20130524/us-east-1/s3/aws4_request"

typedef struct {
    bool     is_signed;
    uint8_t  key[REEL_SHA256_LEN];
    char     last[65];
} chunks_t;

static inline void
chunks_need(bool held)
{
    if (!held) {
        abort();
    }
}

/* what the request's signature was, and what reel_sigv4_parse made of it */
static inline void
chunks_init(chunks_t *c, reel_sigv4_auth_t *a, const char *seed)
{
    reel_sigv4_scope_t  scope = { REEL_STR("20130524"),
                                  REEL_STR("us-east-1"), REEL_STR("s3") };

    *c = (chunks_t) { .is_signed = true };
    *a = (reel_sigv4_auth_t) { .date = scope.date, .region = scope.region,
                               .service = scope.service,
                               .signature = reel_str(seed),
                               .time_s = CHUNKS_TIME };

    chunks_need(reel_str_copy(c->last, 65, a->signature) == REEL_OK);
    chunks_need(reel_sigv4_key(c->key, REEL_STR(CHUNKS_SECRET), &scope)
                == REEL_OK);
}

static inline void
chunks_hash(char hex[65], const void *p, size_t n)
{
    uint8_t  raw[REEL_SHA256_LEN];

    chunks_need(reel_sha256(raw, p, n) == REEL_OK);
    reel_hex(hex, raw, sizeof(raw));
}

/* c->last is then the signature of what was hashed */
static inline void
chunks_sign(chunks_t *c, const char *title, const char *hashes)
{
    uint8_t     raw[REEL_SHA256_LEN];
    reel_buf_t  b;

    reel_buf_init(&b, 1024);
    reel_buf_printf(&b, "%s\n" CHUNKS_STAMP "\n" CHUNKS_SCOPE "\n%s\n%s",
                    title, c->last, hashes);
    chunks_need(reel_buf_err(&b) == REEL_OK);
    chunks_need(reel_hmac_sha256(raw, c->key, sizeof(c->key), b.data, b.len)
                == REEL_OK);
    reel_hex(c->last, raw, sizeof(raw));
    reel_buf_release(&b);
}

/* a frame; that of length 0 has no end of its own */
static inline void
chunks_frame(reel_buf_t *out, chunks_t *c, const void *p, size_t n)
{
    char  hashes[130];

    reel_buf_printf(out, "%zx", n);

    if (c->is_signed) {
        chunks_hash(hashes, "", 0);
        hashes[64] = '\n';
        chunks_hash(hashes + 65, p, n);
        chunks_sign(c, "AWS4-HMAC-SHA256-PAYLOAD", hashes);
        reel_buf_printf(out, ";chunk-signature=%s", c->last);
    }

    reel_buf_addz(out, "\r\n");

    if (n != 0) {
        reel_buf_add(out, p, n);
        reel_buf_addz(out, "\r\n");
    }
}

/* canonical: "name:value\n" of all that were sent */
static inline void
chunks_trailer_signature(reel_buf_t *out, chunks_t *c, const char *canonical)
{
    char  hash[65];

    chunks_hash(hash, canonical, strlen(canonical));
    chunks_sign(c, "AWS4-HMAC-SHA256-TRAILER", hash);
    reel_buf_printf(out, "x-amz-trailer-signature:%s\r\n", c->last);
}

#endif

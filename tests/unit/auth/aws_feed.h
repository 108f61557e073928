/* feeds a body to the decoder in slices and gathers what comes of it */

#ifndef REEL_TESTS_AUTH_AWS_FEED_H
#define REEL_TESTS_AUTH_AWS_FEED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/auth/aws_chunked.h"
#include "tests/unit/auth/aws_chunks.h"

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define SEED      "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9f" \
                  "a80a0a9"
#define SEED_T    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b7454" \
                  "4bfeb8e"
#define CRC32C    "x-amz-checksum-crc32c"
#define UNKNOWN   REEL_AWS_CHUNKED_UNKNOWN

/* what came of a body */
typedef struct {
    reel_err_t   err;
    bool         finished;          /* the error is finish's */
    uint64_t     verified;
    reel_buf_t   payload;
    reel_error_t e;
    char         crc32c[128];
} got_t;

/* feeds the body in blocks of its own of `step` bytes */
static inline void
feed(got_t *g, reel_aws_chunked_t *d, reel_str_t body, size_t step)
{
    char        *block;
    size_t       n, at;
    uint64_t     verified = 0;
    reel_str_t   in, out;
    const char  *v;

    *g = (got_t) { .err = REEL_OK };
    reel_buf_init(&g->payload, 64 << 20);

    for (at = 0; at < body.len && g->err == REEL_OK; at += n) {
        n = step < body.len - at ? step : body.len - at;
        block = malloc(n);
        assert_non_null(block);
        memcpy(block, body.p + at, n);
        in = (reel_str_t) { block, n };

        do {
            g->err = reel_aws_chunked_next(d, &in, &out, &g->e);

            /* a part of the block, of which the rest is still to come */
            if (out.len != 0) {
                assert_int_equal(g->err, REEL_OK);
                assert_true(out.p >= block && out.p + out.len == in.p);
                reel_buf_add(&g->payload, out.p, out.len);
            }

            assert_true(d->verified >= verified);
            assert_true(d->verified <= g->payload.len);
            assert_int_equal(d->payload, g->payload.len);
            verified = d->verified;
        } while (out.len != 0);

        assert_true(g->err != REEL_OK || in.len == 0);
        assert_true(g->err != REEL_OK || d->at == at + n);
        free(block);
    }

    if (g->err == REEL_OK) {
        g->err = reel_aws_chunked_finish(d, &g->e);
        g->finished = true;
        assert_int_equal(d->done, g->err == REEL_OK);
    }

    /* an error stays */
    if (g->err != REEL_OK) {
        in = REEL_STR("0\r\n\r\n");
        assert_int_equal(reel_aws_chunked_next(d, &in, &out, NULL), g->err);
        assert_int_equal(out.len, 0);
        assert_int_equal(reel_aws_chunked_finish(d, NULL), g->err);

    } else {
        assert_int_equal(d->verified, d->payload);
    }

    g->verified = d->verified;

    v = reel_aws_chunked_trailer(d, CRC32C);
    assert_int_equal(reel_str_copy(g->crc32c, sizeof(g->crc32c),
                                   reel_str(v != NULL ? v : "")), REEL_OK);
    assert_null(reel_aws_chunked_trailer(d, "x-amz-trailer-signature"));
}

static inline void
decode(got_t *g, reel_payload_t kind, uint64_t length, const char *names,
    const reel_sigv4_auth_t *a, reel_str_t body, size_t step)
{
    reel_error_t        e;
    reel_aws_chunked_t  d;

    assert_int_equal(reel_aws_chunked_init(&d, kind, length, reel_str(names),
                                           a, REEL_STR(CHUNKS_SECRET), &e),
                     REEL_OK);
    feed(g, &d, body, step);
    reel_aws_chunked_release(&d);
}

static inline reel_str_t
str(const reel_buf_t *b)
{
    assert_int_equal(reel_buf_err(b), REEL_OK);

    return (reel_str_t) { (const char *) b->data, b->len };
}

static inline void
add_a(reel_buf_t *b, size_t n)
{
    while (n-- > 0) {
        reel_buf_u8(b, 'a');
    }
}

#endif

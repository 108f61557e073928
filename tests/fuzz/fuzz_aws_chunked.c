/*
 * Two bytes choose kind, length and the size of slices; the rest is a body,
 * or is what we make a body of.  A body decodes to the same, with the same
 * error at the same byte, however it is sliced; what was framed comes back;
 * and of a signed one with a byte changed nothing is verified but what was
 * signed.
 */

#include "lib/auth/aws_chunked.h"
#include "tests/unit/auth/aws_chunks.h"
#include "tests/fuzz/harness.h"


#define SEED                                                                  \
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
#define NAMES "a, x-amz-checksum-crc32c"


typedef struct {
    reel_err_t    err;
    reel_error_t  e;
    reel_buf_t    payload;
    uint64_t      verified;
    bool          done;
    char          a[128];
} got_t;


static void
feed(got_t *g, reel_aws_chunked_t *d, reel_str_t body, size_t step)
{
    size_t       n;
    uint64_t     verified = 0;
    reel_str_t   in, out;
    const char  *a;

    *g = (got_t) { .err = REEL_OK };
    reel_buf_init(&g->payload, body.len);

    while (body.len != 0 && g->err == REEL_OK) {
        n = step < body.len ? step : body.len;
        in = (reel_str_t) { body.p, n };

        do {
            g->err = reel_aws_chunked_next(d, &in, &out, &g->e);
            chunks_need(out.len == 0 || out.p + out.len == in.p);
            chunks_need(g->err == REEL_OK || out.len == 0);
            reel_buf_adds(&g->payload, out);
            chunks_need(verified <= d->verified
                        && d->verified <= g->payload.len
                        && d->payload == g->payload.len);
            verified = d->verified;
        } while (out.len != 0);

        chunks_need(g->err != REEL_OK || in.len == 0);
        body.p += n;
        body.len -= n;
    }

    if (g->err == REEL_OK) {
        g->err = reel_aws_chunked_finish(d, &g->e);
        chunks_need(d->done == (g->err == REEL_OK));
    }

    chunks_need(reel_buf_err(&g->payload) == REEL_OK);
    chunks_need(g->err != REEL_OK || d->verified == d->payload);

    a = reel_aws_chunked_trailer(d, "a");
    chunks_need(d->done == (a != NULL) || d->ntrailers == 0);
    chunks_need(reel_str_copy(g->a, sizeof(g->a), reel_str(a ? a : ""))
                == REEL_OK);
    g->verified = d->verified;
    g->done = d->done;
}


static void
decode(got_t *g, reel_payload_t kind, uint64_t length, reel_str_t body,
    size_t step)
{
    chunks_t            c;
    reel_error_t        e;
    reel_sigv4_auth_t   a;
    reel_aws_chunked_t  d;

    chunks_init(&c, &a, SEED);
    chunks_need(reel_aws_chunked_init(&d, kind, length, REEL_STR(NAMES), &a,
                                      REEL_STR(CHUNKS_SECRET), &e)
                == REEL_OK);
    feed(g, &d, body, step);
    reel_aws_chunked_release(&d);
}


static void
check_slices(reel_payload_t kind, uint64_t length, reel_str_t body,
    size_t step)
{
    got_t  one, two;

    decode(&one, kind, length, body, SIZE_MAX);
    decode(&two, kind, length, body, step);

    chunks_need(one.err == two.err && one.done == two.done);
    chunks_need(strcmp(one.e.text, two.e.text) == 0);
    chunks_need(strcmp(one.a, two.a) == 0);
    chunks_need(one.err == REEL_OK || one.e.text[0] != '\0');
    chunks_need(one.verified == two.verified);

    /* of a frame that proves wrong, slices hand out a part before */
    chunks_need(one.payload.len == two.payload.len
                || (one.payload.len < two.payload.len
                    && one.err == REEL_DENIED));
    chunks_need(one.payload.len == 0
                || memcmp(one.payload.data, two.payload.data,
                          one.payload.len) == 0);

    reel_buf_release(&one.payload);
    reel_buf_release(&two.payload);
}


/* the payload in frames of `frame` bytes and less */
static void
write_body(reel_buf_t *b, reel_payload_t kind, reel_str_t payload,
    size_t frame)
{
    size_t             n;
    chunks_t           c;
    reel_sigv4_auth_t  a;

    chunks_init(&c, &a, SEED);
    c.is_signed = kind != REEL_PAYLOAD_UNSIGNED_TRAILER;

    for (; payload.len != 0; payload.p += n, payload.len -= n) {
        n = frame < payload.len ? frame : payload.len;
        chunks_frame(b, &c, payload.p, n);
    }

    chunks_frame(b, &c, "", 0);

    if (kind != REEL_PAYLOAD_SIGNED) {
        reel_buf_addz(b, "a:1\r\nx-amz-checksum-crc32c:AAAAAA==\r\n");
    }

    if (kind == REEL_PAYLOAD_SIGNED_TRAILER) {
        chunks_trailer_signature(b, &c,
                                 "a:1\nx-amz-checksum-crc32c:AAAAAA==\n");
    }

    reel_buf_addz(b, "\r\n");
    chunks_need(reel_buf_err(b) == REEL_OK);
}


static void
check_own(reel_payload_t kind, reel_str_t payload, size_t step, size_t at)
{
    got_t       g;
    reel_buf_t  b;

    reel_buf_init(&b, 1 << 20);
    write_body(&b, kind, payload, step + at % 7);

    decode(&g, kind, payload.len, (reel_str_t) { (char *) b.data, b.len },
           step);
    chunks_need(g.err == REEL_OK);
    chunks_need(g.payload.len == payload.len
                && (payload.len == 0
                    || memcmp(g.payload.data, payload.p, payload.len) == 0));
    chunks_need(strcmp(g.a, kind == REEL_PAYLOAD_SIGNED ? "" : "1") == 0);
    reel_buf_release(&g.payload);

    b.data[at % b.len] ^= (uint8_t) (1u << at % 8);
    decode(&g, kind, REEL_AWS_CHUNKED_UNKNOWN,
           (reel_str_t) { (char *) b.data, b.len }, step);

    if (kind != REEL_PAYLOAD_UNSIGNED_TRAILER) {
        chunks_need(g.verified <= payload.len);
        chunks_need(g.verified == 0
                    || memcmp(g.payload.data, payload.p, g.verified) == 0);
        chunks_need(g.err != REEL_OK || (g.verified == payload.len
                    && (kind == REEL_PAYLOAD_SIGNED || g.a[0] == '1')));
    }

    reel_buf_release(&g.payload);
    reel_buf_release(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          step;
    uint64_t        length;
    reel_str_t      rest;
    reel_payload_t  kind;

    if (size < 2 || size > 4096) {
        return 0;
    }

    kind = (reel_payload_t) (REEL_PAYLOAD_UNSIGNED_TRAILER + data[0] % 3);
    length = data[0] & 0x40 ? data[0] >> 2 & 15 : REEL_AWS_CHUNKED_UNKNOWN;
    step = 1 + data[1] % 64;
    rest = (reel_str_t) { (const char *) data + 2, size - 2 };

    if (data[0] & 0x80) {
        check_own(kind, rest, step, (size_t) data[0] * 256 + data[1]);

    } else {
        check_slices(kind, length, rest, step);
    }

    return 0;
}

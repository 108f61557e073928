#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/auth/aws_chunked.h"
#include "tests/unit/auth/aws_chunks.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define SEED        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7d" \
                    "b9fa80a0a9"
#define SEED_T      "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b7" \
                    "4544bfeb8e"
#define CRC32C      "x-amz-checksum-crc32c"
#define UNKNOWN     REEL_AWS_CHUNKED_UNKNOWN


/* what came of a body */
typedef struct {
    reel_err_t    err;
    bool          finished;         /* the error is finish's */
    uint64_t      verified;
    reel_buf_t    payload;
    reel_error_t  e;
    char          crc32c[128];
} got_t;


/* feeds the body in blocks of its own of `step` bytes */
static void
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


static void
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


static reel_str_t
str(const reel_buf_t *b)
{
    assert_int_equal(reel_buf_err(b), REEL_OK);

    return (reel_str_t) { (const char *) b->data, b->len };
}


static void
add_a(reel_buf_t *b, size_t n)
{
    while (n-- > 0) {
        reel_buf_u8(b, 'a');
    }
}


static void
assert_all_a(const got_t *g, size_t n)
{
    size_t  i;

    if (g->err != REEL_OK) {
        fail_msg("%s", g->e.text);
    }

    assert_int_equal(g->payload.len, n);

    for (i = 0; i < n; i++) {
        assert_int_equal(g->payload.data[i], 'a');
    }
}


/* as S3's documentation prints them: 64 KiB, 1 KiB and the end */
static void
documented(reel_buf_t *b, const char *const sig[3])
{
    reel_buf_init(b, 1 << 20);
    reel_buf_printf(b, "10000;chunk-signature=%s\r\n", sig[0]);
    add_a(b, 65536);
    reel_buf_printf(b, "\r\n400;chunk-signature=%s\r\n", sig[1]);
    add_a(b, 1024);
    reel_buf_printf(b, "\r\n0;chunk-signature=%s\r\n", sig[2]);
}


/* docs.aws.amazon.com, AmazonS3/latest/API, sigv4-streaming */
static const char *const  doc_sig[] = {
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"
};

/* … sigv4-streaming-trailers */
static const char *const  doc_sig_t[] = {
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"
};

#define DOC_TRAILER      CRC32C ":sOO8/Q=="
#define DOC_TRAILER_SIG  "x-amz-trailer-signature:d81f82fc3505edab99d4598910" \
                         "51a732e8730629a2e4a59689829ca17fe2e435"


static const size_t  steps[] = { 1, 7, 4096, 65536, SIZE_MAX };


static void
documented_signed(void **state)
{
    got_t              g;
    size_t             i;
    chunks_t           c;
    reel_buf_t         b, data;
    reel_sigv4_auth_t  a;

    (void) state;

    chunks_init(&c, &a, SEED);
    documented(&b, doc_sig);
    reel_buf_addz(&b, "\r\n");
    assert_int_equal(b.len, 66824);         /* its Content-Length */

    for (i = 0; i < COUNT(steps); i++) {
        decode(&g, REEL_PAYLOAD_SIGNED, 66560, "", &a, str(&b), steps[i]);
        assert_all_a(&g, 66560);
        reel_buf_release(&g.payload);
    }

    /* and what the tests' own writer makes */
    reel_buf_init(&data, 65536);
    add_a(&data, 65536);
    reel_buf_clear(&b);
    chunks_frame(&b, &c, data.data, data.len);
    assert_string_equal(c.last, doc_sig[0]);
    reel_buf_release(&data);
    reel_buf_release(&b);
}


static void
documented_trailer(void **state)
{
    got_t              g;
    size_t             i, k;
    chunks_t           c;
    reel_buf_t         b;
    reel_sigv4_auth_t  a;

    /* as S3 prints it, SDKs send it, minio-go sends it, and without an end */
    static const char  *ends[] = {
        DOC_TRAILER "\n\r\n" DOC_TRAILER_SIG "\r\n\r\n",
        DOC_TRAILER "\r\n" DOC_TRAILER_SIG "\r\n\r\n",
        DOC_TRAILER "\n" DOC_TRAILER_SIG "\n\n",
        DOC_TRAILER "\r\n\r\n" DOC_TRAILER_SIG "\r\n\r\n\r\n",
        "X-Amz-Checksum-CRC32C: sOO8/Q== \r\n" DOC_TRAILER_SIG "\r\n\r\n",
        DOC_TRAILER "\r\n" DOC_TRAILER_SIG "\r\n",
    };

    (void) state;

    chunks_init(&c, &a, SEED_T);

    for (i = 0; i < COUNT(ends); i++) {
        documented(&b, doc_sig_t);
        reel_buf_addz(&b, ends[i]);

        for (k = 0; k < COUNT(steps); k++) {
            decode(&g, REEL_PAYLOAD_SIGNED_TRAILER, 66560, CRC32C, &a,
                   str(&b), steps[k]);
            assert_all_a(&g, 66560);
            assert_string_equal(g.crc32c, "sOO8/Q==");
            reel_buf_release(&g.payload);
        }

        reel_buf_release(&b);
    }
}


/* each byte of the body changed: nothing wrong is ever verified */
static void
changed(void **state)
{
    got_t              g;
    char               was;
    size_t             i, nok = 0;
    chunks_t           c;
    reel_buf_t         b;
    reel_sigv4_auth_t  a;

    (void) state;

    chunks_init(&c, &a, SEED_T);
    reel_buf_init(&b, 1 << 20);
    chunks_frame(&b, &c, "aaaaaaaaaaaaaaaaaaaa", 20);
    chunks_frame(&b, &c, "aaa", 3);
    chunks_frame(&b, &c, "", 0);
    reel_buf_addz(&b, CRC32C ":AAAAAA==\r\n");
    chunks_trailer_signature(&b, &c, CRC32C ":AAAAAA==\n");
    reel_buf_addz(&b, "\r\n");

    decode(&g, REEL_PAYLOAD_SIGNED_TRAILER, UNKNOWN, CRC32C, &a, str(&b), 9);
    assert_all_a(&g, 23);
    reel_buf_release(&g.payload);

    for (i = 0; i < b.len; i++) {
        was = (char) b.data[i];
        b.data[i] ^= 0x20;
        decode(&g, REEL_PAYLOAD_SIGNED_TRAILER, UNKNOWN, CRC32C, &a, str(&b),
               1000);

        /* the case of a trailer's name may change */
        if (g.err == REEL_OK) {
            assert_true((was >= 'a' && was <= 'z') || was == '=');
            assert_string_equal(g.crc32c, "AAAAAA==");
            nok++;

        } else {
            assert_in_range(g.err, REEL_BADDATA, REEL_DENIED);
            assert_string_equal(g.crc32c, "");
            assert_int_not_equal(g.e.text[0], '\0');
        }

        assert_true(g.verified <= 23
                    && memcmp(g.payload.data ? g.payload.data
                                             : (const uint8_t *) "",
                              "aaaaaaaaaaaaaaaaaaaaaaaa", g.verified) == 0);
        assert_true(g.verified == 0 || g.verified == 20 || g.verified == 23);
        reel_buf_release(&g.payload);
        b.data[i] ^= 0x20;
    }

    /* x-amz-checksum-crc32c has 16 letters, the signature's name 20 */
    assert_int_equal(nok, 16 + 20);
    reel_buf_release(&b);
}


/* a frame that is good elsewhere: swapped, repeated, left out, another's */
static void
out_of_order(void **state)
{
    got_t              g;
    size_t             i;
    chunks_t           c, other;
    reel_buf_t         f[4], b;
    reel_sigv4_auth_t  a, a2;

    static const struct {
        int         order[5];               /* of frames, then -1 */
        uint64_t    verified;
    } t[] = {
        { { 1, 0, 2, -1 }, 0 }, { { 0, 0, 1, 2, -1 }, 9 },
        { { 0, 2, -1 }, 9 }, { { 3, 1, 2, -1 }, 0 },
        { { 0, 1, 1, -1 }, 18 },
    };

    (void) state;

    chunks_init(&c, &a, SEED);
    chunks_init(&other, &a2, SEED_T);

    for (i = 0; i < 4; i++) {
        reel_buf_init(&f[i], 1000);
    }

    chunks_frame(&f[0], &c, "the first", 9);
    chunks_frame(&f[1], &c, "the other", 9);
    chunks_frame(&f[2], &c, "", 0);
    chunks_frame(&f[3], &other, "the first", 9);

    for (i = 0; i < COUNT(t); i++) {
        const int  *k;

        reel_buf_init(&b, 1000);

        for (k = t[i].order; *k >= 0; k++) {
            reel_buf_adds(&b, str(&f[*k]));
        }

        decode(&g, REEL_PAYLOAD_SIGNED, UNKNOWN, "", &a, str(&b), 30);
        assert_int_equal(g.err, REEL_DENIED);
        assert_int_equal(g.verified, t[i].verified);
        assert_non_null(strstr(g.e.text, "the signature of the frame at "
                                         "byte "));
        reel_buf_release(&g.payload);
        reel_buf_release(&b);
    }

    for (i = 0; i < 4; i++) {
        reel_buf_release(&f[i]);
    }
}


/* bytes are handed out as they come, verified at the frame's last one */
static void
provisional(void **state)
{
    size_t              i, head;
    chunks_t            c;
    reel_buf_t          b;
    reel_str_t          in, out;
    reel_error_t        e;
    reel_sigv4_auth_t   a;
    reel_aws_chunked_t  d;

    (void) state;

    chunks_init(&c, &a, SEED);
    reel_buf_init(&b, 1000);
    chunks_frame(&b, &c, "0123456789", 10);
    head = b.len - 12;

    assert_int_equal(reel_aws_chunked_init(&d, REEL_PAYLOAD_SIGNED, 10,
                                           REEL_STR(""), &a,
                                           REEL_STR(CHUNKS_SECRET), &e),
                     REEL_OK);

    for (i = 0; i < 10; i++) {
        in = (reel_str_t) { (char *) b.data + (i ? head + i : 0),
                            i ? 1 : head + 1 };
        assert_int_equal(reel_aws_chunked_next(&d, &in, &out, &e), REEL_OK);
        assert_int_equal(out.len, 1);
        assert_int_equal(*out.p, '0' + i);
        assert_int_equal(d.payload, i + 1);
        assert_int_equal(d.verified, i == 9 ? 10 : 0);
        assert_false(d.done);
    }

    reel_aws_chunked_release(&d);
    reel_buf_release(&b);
}


typedef struct {
    const char  *body;
    uint64_t     length;
    const char  *names;
    reel_err_t   err;
    const char  *said;              /* payload, or a part of the error */
} unsigned_t;


static const unsigned_t  unsigned_bodies[] = {
    /* aws-sdk-js 3 and botocore; then what minio-go makes of it */
    { "5\r\nhello\r\n0\r\n" CRC32C ":mnG7TA==\r\n\r\n", 5, CRC32C, REEL_OK,
      "hello" },
    { "5\r\nhello\r\n0\r\n" CRC32C ":mnG7TA==\n\r\n\r\n", 5, CRC32C, REEL_OK,
      "hello" },
    { "5\r\nhello\r\n0\r\n" CRC32C ":mnG7TA==\n\n", 5, CRC32C, REEL_OK,
      "hello" },
    { "5\r\nhello\r\n0\r\n" CRC32C ":mnG7TA==\r\n", 5, CRC32C, REEL_OK,
      "hello" },
    { "5\r\nhello\r\n0\r\nX-Amz-Checksum-CRC32C: mnG7TA== \r\n\r\n", 5,
      " X-Amz-Checksum-Crc32c ", REEL_OK, "hello" },
    { "3\r\nhel\r\n2\r\nlo\r\n000\r\n\r\n", 5, "", REEL_OK, "hello" },
    { "3\r\nhel\r\n2\r\nlo\r\n0\r\n", UNKNOWN, "", REEL_OK, "hello" },
    { "0000000000000005\r\nhello\r\n0\r\n\r\n", 5, "", REEL_OK, "hello" },
    { "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", 20, "", REEL_OK,
      "01234567890123456789" },
    { "0\r\n\r\n", 0, "", REEL_OK, "" },
    { "0\r\na:1\r\nb:\r\n\r\n", 0, "b, A", REEL_OK, "" },

    /* frames */
    { "5\nhello\r\n0\r\n\r\n", 5, "", REEL_BADDATA, "at byte 0 there is no "
      "frame of the form <hex length>\\r\\n" },
    { "\r\nhello\r\n0\r\n\r\n", 5, "", REEL_BADDATA, "at byte 0 " },
    { "5;a=1\r\nhello\r\n0\r\n\r\n", 5, "", REEL_BADDATA, "at byte 0 " },
    { "-5\r\nhello\r\n0\r\n\r\n", 5, "", REEL_BADDATA, "at byte 0 " },
    { "0x5\r\nhello\r\n0\r\n\r\n", 5, "", REEL_BADDATA, "at byte 0 " },
    { "5 \r\nhello\r\n0\r\n\r\n", 5, "", REEL_BADDATA, "at byte 0 " },
    { "5\r\nhello\r\nx\r\n\r\n", 5, "", REEL_BADDATA, "at byte 10 " },
    { "00000000000000005\r\nhello\r\n0\r\n\r\n", 5, "", REEL_BADDATA,
      "at byte 0 " },
    { "5\r\nhelloo\r\n0\r\n\r\n", 5, "", REEL_BADDATA,
      "the frame that ends at byte 8 is not followed by \\r\\n" },
    { "5\r\nhello\n0\r\n\r\n", 5, "", REEL_BADDATA, "ends at byte 8 " },
    { "5\r\nhello\r0\r\n\r\n", 5, "", REEL_BADDATA, "ends at byte 9 " },

    /* the length */
    { "5\r\nhello\r\n0\r\n\r\n", 4, "", REEL_BADDATA, "the frame at byte 0 "
      "has 5 bytes, but 4 are left of x-amz-decoded-content-length" },
    { "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 4, "", REEL_BADDATA,
      "the frame at byte 8 has 2 bytes, but 1 are left" },
    { "5\r\nhello\r\n0\r\n\r\n", 6, "", REEL_BADDATA, "the last frame, at "
      "byte 10, comes after 5 bytes, but x-amz-decoded-content-length is 6" },
    { "1\r\na\r\nffffffffffffffff\r\n", UNKNOWN, "", REEL_BADDATA,
      "the frame at byte 6 has 18446744073709551615 bytes" },

    /* the trailers */
    { "0\r\n\r\n", 0, CRC32C, REEL_BADDATA, "the trailer " CRC32C ", named "
      "by x-amz-trailer, is missing at byte 5" },
    { "0\r\n", 0, CRC32C, REEL_BADDATA, "is missing at byte 3" },
    { "0\r\nb:1\r\n\r\n", 0, "", REEL_BADDATA, "the trailer b at byte 3 is "
      "not named by x-amz-trailer" },
    { "0\r\na:1\r\na:1\r\n\r\n", 0, "a", REEL_BADDATA, "the trailer a at "
      "byte 8 came already" },
    { "0\r\na\r\n\r\n", 0, "a", REEL_BADDATA, "after the last frame, at byte "
      "3, there is no trailer of the form name:value" },
    { "0\r\n:1\r\n\r\n", 0, "a", REEL_BADDATA, "no trailer of the form" },
    { "0\r\na :1\r\n\r\n", 0, "a", REEL_BADDATA, "no trailer of the form" },
    { "0\r\na:1\r2\r\n\r\n", 0, "a", REEL_BADDATA, "no trailer of the form" },
    { "0\r\na:\xc3\xbc\r\n\r\n", 0, "a", REEL_BADDATA, "no trailer of" },
    { "0\r\nx-amz-trailer-signature:00\r\n\r\n", 0, "", REEL_BADDATA,
      "the trailer x-amz-trailer-signature at byte 3 is not named" },
    { "1\r\na\r\n0\r\n1\r\na\r\n0\r\n\r\n", UNKNOWN, "", REEL_BADDATA,
      "after the last frame, at byte 9, there is no trailer" },

    /* the end */
    { "0\r\n\r\nx", 0, "", REEL_BADDATA, "at byte 5 something follows" },
    { "0\r\n\r\n\r\n\r\n\r\n", 0, "", REEL_BADDATA, "at byte 9 something" },
    { "", 0, "", REEL_BADDATA, "the body ends at byte 0 without a last "
      "frame, after 0 bytes of payload" },
    { "5\r\nhello\r\n", 5, "", REEL_BADDATA, "ends at byte 10 without" },
    { "5\r\nhel", 5, "", REEL_BADDATA, "the body ends at byte 6 within a "
      "frame, after 3 bytes of payload" },
    { "0\r\na:1", 0, "a", REEL_BADDATA, "the body ends at byte 6 within a "
      "trailer" },
};


static void
unsigned_kind(void **state)
{
    got_t              g;
    size_t             i, k;
    const unsigned_t  *t;

    static const size_t  by[] = { 1, 2, 3, SIZE_MAX };

    (void) state;

    for (i = 0; i < COUNT(unsigned_bodies); i++) {
        t = &unsigned_bodies[i];

        for (k = 0; k < COUNT(by); k++) {
            decode(&g, REEL_PAYLOAD_UNSIGNED_TRAILER, t->length, t->names,
                   NULL, reel_str(t->body), by[k]);
            assert_int_equal(g.verified, g.payload.len);

            if (g.err != t->err) {
                fail_msg("%zu by %zu: %s", i, by[k], g.e.text);
            }

            if (t->err == REEL_OK) {
                assert_string_equal(reel_buf_cstr(&g.payload), t->said);
                assert_true(t->names[0] != 'x' || strcmp(g.crc32c, "mnG7TA==")
                                                  == 0);

            } else if (strstr(g.e.text, t->said) == NULL) {
                fail_msg("%zu: \"%s\" is not in \"%s\"", i, t->said,
                         g.e.text);
            }

            reel_buf_release(&g.payload);
        }
    }
}


/* signed bodies that are wrong beside the signatures */
static void
signed_forms(void **state)
{
    got_t              g;
    size_t             i;
    chunks_t           c;
    reel_buf_t         b;
    reel_sigv4_auth_t  a;

    static const struct {
        const char      *body;
        reel_payload_t   kind;
        reel_err_t       err;
        const char      *said;
    } t[] = {
        { "5\r\nhello\r\n", REEL_PAYLOAD_SIGNED, REEL_BADDATA,
          "at byte 0 there is no frame of the form <hex length>;"
          "chunk-signature=<64 hex>\\r\\n" },
        { "5;chunk-signature=" SEED "0\r\n", REEL_PAYLOAD_SIGNED,
          REEL_BADDATA, "at byte 0 " },
        { "5;chunk-signature=4F232C4386841EF735655705268965C44A0E4690BAA4ADEA"
          "153F7DB9FA80A0A9\r\n", REEL_PAYLOAD_SIGNED, REEL_BADDATA,
          "at byte 0 " },
        { "5;chunk-signature\r\n", REEL_PAYLOAD_SIGNED, REEL_BADDATA,
          "at byte 0 " },
        { "5;Chunk-Signature=" SEED "\r\n", REEL_PAYLOAD_SIGNED,
          REEL_BADDATA, "at byte 0 " },
        { "1000001;chunk-signature=" SEED "\r\n", REEL_PAYLOAD_SIGNED,
          REEL_LIMIT, "the frame at byte 0 has 16777217 bytes; signed ones "
          "may have 16777216" },
        { "ffffffffffffffff;chunk-signature=" SEED "\r\n",
          REEL_PAYLOAD_SIGNED, REEL_LIMIT, "18446744073709551615 bytes" },
        { "0;chunk-signature=" SEED "\r\n\r\n", REEL_PAYLOAD_SIGNED,
          REEL_DENIED, "the signature of the frame at byte 0 does not" },

        /* after a good last frame: */
        { "a:1\r\n", REEL_PAYLOAD_SIGNED, REEL_BADDATA,
          "the trailer a at byte 84 is not named" },
        { "a:1\r\n\r\n", REEL_PAYLOAD_SIGNED_TRAILER, REEL_BADDATA,
          "x-amz-trailer-signature is missing" },
        { "a:1\r\n\r\n\r\n", REEL_PAYLOAD_SIGNED_TRAILER, REEL_BADDATA,
          "x-amz-trailer-signature is missing" },
        { "a:1\r\nx-amz-trailer-signature:" SEED "\r\n\r\n",
          REEL_PAYLOAD_SIGNED_TRAILER, REEL_DENIED, "the signature of the "
          "trailers, at byte 89, does not match" },
        { "a:1\r\nx-amz-trailer-signature:00\r\n\r\n",
          REEL_PAYLOAD_SIGNED_TRAILER, REEL_BADDATA,
          "x-amz-trailer-signature at byte 89 must be 64" },
    };

    (void) state;

    chunks_init(&c, &a, SEED_T);

    for (i = 0; i < COUNT(t); i++) {
        reel_buf_init(&b, 1000);

        if (t[i].body[0] == 'a') {
            chunks_init(&c, &a, SEED_T);
            chunks_frame(&b, &c, "", 0);
        }

        reel_buf_addz(&b, t[i].body);
        decode(&g, t[i].kind, UNKNOWN, "a", &a, str(&b), 50);
        assert_int_equal(g.err, t[i].err);

        if (strstr(g.e.text, t[i].said) == NULL) {
            fail_msg("%zu: %s", i, g.e.text);
        }

        /* neither secret nor the right signature is told */
        assert_null(strstr(g.e.text, CHUNKS_SECRET));
        assert_null(strstr(g.e.text, c.last));
        reel_buf_release(&g.payload);
        reel_buf_release(&b);
    }
}


/* after the signature of the trailers there is no further one */
static void
after_signature(void **state)
{
    got_t              g;
    size_t             i;
    chunks_t           c;
    reel_buf_t         b;
    reel_sigv4_auth_t  a;

    static const struct {
        const char  *more;
        const char  *names;
        reel_err_t   err;
        const char  *said;
    } t[] = {
        { "\r\n", "a", REEL_OK, "" },
        { "", "a", REEL_OK, "" },
        { "b:2\r\n\r\n", "a,b", REEL_BADDATA, "comes after x-amz-trailer-" },
        { "\r\n", "a,b", REEL_BADDATA, "the trailer b, named" },
        { "x-amz-trailer-signature:" SEED "\r\n\r\n", "a", REEL_BADDATA,
          "comes after x-amz-trailer-signature" },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        chunks_init(&c, &a, SEED_T);
        reel_buf_init(&b, 1000);
        chunks_frame(&b, &c, "", 0);
        reel_buf_addz(&b, "a:1\r\n");
        chunks_trailer_signature(&b, &c, "a:1\n");
        reel_buf_addz(&b, t[i].more);
        decode(&g, REEL_PAYLOAD_SIGNED_TRAILER, 0, t[i].names, &a, str(&b),
               SIZE_MAX);
        assert_int_equal(g.err, t[i].err);
        assert_true(g.err == REEL_OK || strstr(g.e.text, t[i].said) != NULL);
        reel_buf_release(&g.payload);
        reel_buf_release(&b);
    }
}


/* a body cut short anywhere but before its last empty line is not whole */
static void
cut_short(void **state)
{
    got_t              g;
    size_t             n, end;
    chunks_t           c;
    reel_buf_t         b;
    reel_sigv4_auth_t  a;

    (void) state;

    chunks_init(&c, &a, SEED_T);
    reel_buf_init(&b, 1000);
    chunks_frame(&b, &c, "hello", 5);
    chunks_frame(&b, &c, "", 0);
    reel_buf_addz(&b, "a:1\r\n");
    chunks_trailer_signature(&b, &c, "a:1\n");
    end = b.len;
    reel_buf_addz(&b, "\r\n");

    for (n = 0; n <= b.len; n++) {
        decode(&g, REEL_PAYLOAD_SIGNED_TRAILER, 5, "a", &a,
               (reel_str_t) { (char *) b.data, n }, SIZE_MAX);
        assert_true(g.finished);
        assert_int_equal(g.err, n == end || n == b.len ? REEL_OK
                                                       : REEL_BADDATA);
        reel_buf_release(&g.payload);
    }

    reel_buf_release(&b);
}


static void
limits(void **state)
{
    got_t               g;
    size_t              i;
    chunks_t            c;
    reel_buf_t          b;
    reel_error_t        e;
    reel_sigv4_auth_t   a;
    reel_aws_chunked_t  d;

    static const struct {
        const char      *names;
        reel_err_t       err;
    } t[] = {
        { "a,b,c,d", REEL_OK }, { " ", REEL_OK },
        { "a,b,c,d,e", REEL_LIMIT }, { "a,A", REEL_BADDATA },
        { "a,", REEL_BADDATA }, { ",", REEL_BADDATA }, { "a b",
          REEL_BADDATA }, { "a:", REEL_BADDATA }, { "a\n", REEL_BADDATA },
        { "X-Amz-Trailer-Signature", REEL_BADDATA },
        { "a123456789b123456789c123456789d123456789e123456789f123456789abcd",
          REEL_LIMIT },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_aws_chunked_init(&d,
                             REEL_PAYLOAD_UNSIGNED_TRAILER, 0,
                             reel_str(t[i].names), NULL, REEL_STR(""), &e),
                         t[i].err);
        reel_aws_chunked_release(&d);
    }

    chunks_init(&c, &a, SEED);
    assert_int_equal(reel_aws_chunked_init(&d, REEL_PAYLOAD_SIGNED, 0,
                         REEL_STR(""), NULL, REEL_STR(""), &e), REEL_INVAL);
    reel_aws_chunked_release(&d);
    assert_int_equal(reel_aws_chunked_init(&d, REEL_PAYLOAD_UNSIGNED, 0,
                         REEL_STR(""), &a, REEL_STR(CHUNKS_SECRET), &e),
                     REEL_INVAL);
    reel_aws_chunked_release(&d);

    /* lines of 300 bytes, and a trailer of 128 characters */
    for (i = 0; i < 3; i++) {
        reel_buf_init(&b, 1000);
        reel_buf_addz(&b, i == 0 ? "" : "0\r\na:");
        add_a(&b, i == 2 ? 128 : 300);
        reel_buf_addz(&b, "\r\n\r\n");
        decode(&g, REEL_PAYLOAD_UNSIGNED_TRAILER, 0, "a", NULL, str(&b),
               i + 3);
        assert_int_equal(g.err, REEL_LIMIT);
        assert_non_null(strstr(g.e.text, i == 0 ? "the line at byte 0 is "
                               "longer than 256" : i == 1 ? "the line at "
                               "byte 3 is" : "the trailer a at byte 3 is "
                               "longer than 127"));
        reel_buf_release(&g.payload);
        reel_buf_release(&b);
    }
}


/* the longest frame that may be signed */
static void
long_frame(void **state)
{
    got_t              g;
    chunks_t           c;
    reel_buf_t         b, data;
    reel_sigv4_auth_t  a;

    (void) state;

    chunks_init(&c, &a, SEED);
    reel_buf_init(&data, 64 << 20);
    reel_buf_init(&b, 64 << 20);
    reel_buf_zero(&data, REEL_AWS_CHUNKED_FRAME_MAX);
    chunks_frame(&b, &c, data.data, data.len);
    chunks_frame(&b, &c, "", 0);
    decode(&g, REEL_PAYLOAD_SIGNED, data.len, "", &a, str(&b), 1 << 20);
    assert_int_equal(g.err, REEL_OK);
    assert_int_equal(g.verified, REEL_AWS_CHUNKED_FRAME_MAX);
    reel_buf_release(&g.payload);
    reel_buf_release(&b);
    reel_buf_release(&data);
}


static void
kinds(void **state)
{
    size_t  i;
    static const struct {
        const char      *value;
        reel_payload_t   kind;
    } t[] = {
        { SEED, REEL_PAYLOAD_SHA256 },
        { "UNSIGNED-PAYLOAD", REEL_PAYLOAD_UNSIGNED },
        { "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
          REEL_PAYLOAD_UNSIGNED_TRAILER },
        { "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", REEL_PAYLOAD_SIGNED },
        { "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
          REEL_PAYLOAD_SIGNED_TRAILER },
        { "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", REEL_PAYLOAD_UNKNOWN },
        { "unsigned-payload", REEL_PAYLOAD_UNKNOWN },
        { "", REEL_PAYLOAD_UNKNOWN },
        { SEED "0", REEL_PAYLOAD_UNKNOWN },
        { "4F232C4386841EF735655705268965C44A0E4690BAA4ADEA153F7DB9FA80A0A9",
          REEL_PAYLOAD_UNKNOWN },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_payload_kind(reel_str(t[i].value)), t[i].kind);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(documented_signed),
        cmocka_unit_test(documented_trailer),
        cmocka_unit_test(changed),
        cmocka_unit_test(out_of_order),
        cmocka_unit_test(provisional),
        cmocka_unit_test(unsigned_kind),
        cmocka_unit_test(signed_forms),
        cmocka_unit_test(after_signature),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(limits),
        cmocka_unit_test(long_frame),
        cmocka_unit_test(kinds),
    };

    return cmocka_run_group_tests_name("aws_chunked", tests, NULL, NULL);
}

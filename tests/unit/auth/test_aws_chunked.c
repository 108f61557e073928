/* the chain of signatures, and how its bytes are told to be verified */

#include "tests/unit/auth/aws_feed.h"


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
        cmocka_unit_test(cut_short),
        cmocka_unit_test(long_frame),
        cmocka_unit_test(kinds),
    };

    return cmocka_run_group_tests_name("aws_chunked", tests, NULL, NULL);
}

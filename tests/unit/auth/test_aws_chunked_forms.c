/* bodies of frames that are right or wrong beside their signatures */

#include "tests/unit/auth/aws_feed.h"


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


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(unsigned_kind),
        cmocka_unit_test(signed_forms),
        cmocka_unit_test(after_signature),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests_name("aws_chunked_forms", tests, NULL,
                                       NULL);
}

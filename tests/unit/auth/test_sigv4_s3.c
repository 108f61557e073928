/*
 * What S3's documentation and S3's clients sign: each request stands here
 * as it was on the wire.
 */

#include <stdlib.h>

#include "tests/unit/auth/request.h"
#include "lib/base/hex.h"
#include "lib/crypt/digest.h"


#define DOC_SECRET  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define DOC_CRED    "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
#define TEST_SECRET "reel-test-secret-0123456789"
#define EMPTY_HASH                                                            \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


typedef struct {
    const char  *what;
    const char  *secret;
    const char  *request;
    const char  *payload;       /* the payload hash that is found */
} wire_t;


/* docs.aws.amazon.com, AmazonS3/latest/API, sig-v4-* and sigv4-query-* */
static const wire_t  documented[] = {
    { "presigned GET", DOC_SECRET,
      "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
      "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
      "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
      "&X-Amz-SignedHeaders=host&X-Amz-Signature="
      "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
      " HTTP/1.1\n"
      "Host: examplebucket.s3.amazonaws.com\n",
      "UNSIGNED-PAYLOAD" },

    { "GET object", DOC_SECRET,
      "GET /test.txt HTTP/1.1\n"
      "Host: examplebucket.s3.amazonaws.com\n"
      "Range: bytes=0-9\n"
      "x-amz-date: 20130524T000000Z\n"
      "x-amz-content-sha256: " EMPTY_HASH "\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=" DOC_CRED ","
      "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature="
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41\n",
      EMPTY_HASH },

    { "PUT object", DOC_SECRET,
      "PUT /test$file.text HTTP/1.1\n"
      "Host: examplebucket.s3.amazonaws.com\n"
      "Date: Fri, 24 May 2013 00:00:00 GMT\n"
      "x-amz-date: 20130524T000000Z\n"
      "x-amz-storage-class: REDUCED_REDUNDANCY\n"
      "x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbb"
      "a87d2b6b4b4e99e42034a8b803f8b072\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=" DOC_CRED ","
      "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;"
      "x-amz-storage-class,Signature="
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd\n",
      "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072" },

    { "GET bucket lifecycle", DOC_SECRET,
      "GET /?lifecycle HTTP/1.1\n"
      "Host: examplebucket.s3.amazonaws.com\n"
      "x-amz-date: 20130524T000000Z\n"
      "x-amz-content-sha256: " EMPTY_HASH "\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=" DOC_CRED ","
      "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543\n",
      EMPTY_HASH },

    { "GET bucket, list objects", DOC_SECRET,
      "GET /?max-keys=2&prefix=J HTTP/1.1\n"
      "Host: examplebucket.s3.amazonaws.com\n"
      "x-amz-date: 20130524T000000Z\n"
      "x-amz-content-sha256: " EMPTY_HASH "\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=" DOC_CRED ","
      "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7\n",
      EMPTY_HASH },

    { "PUT in signed chunks, the seed", DOC_SECRET,
      "PUT /examplebucket/chunkObject.txt HTTP/1.1\n"
      "Host: s3.amazonaws.com\n"
      "x-amz-date: 20130524T000000Z\n"
      "x-amz-storage-class: REDUCED_REDUNDANCY\n"
      "Content-Encoding: aws-chunked\n"
      "x-amz-decoded-content-length: 66560\n"
      "Content-Length: 66824\n"
      "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=" DOC_CRED ","
      "SignedHeaders=content-encoding;content-length;host;"
      "x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
      "x-amz-storage-class,Signature="
      "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9\n",
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },

    { "PUT in signed chunks with trailer, the seed", DOC_SECRET,
      "PUT /examplebucket/chunkObject.txt HTTP/1.1\n"
      "Host: s3.amazonaws.com\n"
      "x-amz-date: 20130524T000000Z\n"
      "x-amz-storage-class: REDUCED_REDUNDANCY\n"
      "Content-Encoding: aws-chunked\n"
      "x-amz-decoded-content-length: 66560\n"
      "x-amz-trailer: x-amz-checksum-crc32c\n"
      "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=" DOC_CRED ","
      "SignedHeaders=content-encoding;host;"
      "x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
      "x-amz-storage-class;x-amz-trailer,Signature="
      "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e\n",
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" },
};


/* each is what the client sent to a listening socket, or the URL it made */
static const wire_t  clients[] = {
    { "curl 7.88 -T, escapes and marks unlike S3's", TEST_SECRET,
      "PUT /upload/video/k%20(1)+%e1.mp4?reel-name=b&reel-meta=%7b%7d&c "
      "HTTP/1.1\r\n"
      "Host: 127.0.0.1:48123\r\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=REELTESTKEY/20261123/"
      "us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;"
      "x-amz-date, Signature="
      "410afc48fd20a9128ec7cbdc0369403b8fbd3f4888b712f701c9bbc402ee120d\r\n"
      "X-Amz-Date: 20261123T110839Z\r\n"
      "User-Agent: curl/7.88.1\r\n"
      "Accept: */*\r\n"
      "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"
      "Content-Length: 6\r\n"
      "Expect: 100-continue\r\n",
      "UNSIGNED-PAYLOAD" },

    { "curl 7.88, GET with a parameter that has no value", TEST_SECRET,
      "GET /api/assets?limit=2&a HTTP/1.1\r\n"
      "Host: 127.0.0.1:48123\r\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=REELTESTKEY/20261123/"
      "us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature="
      "28f4716eb2d81979a21a8c79f92052495eb324ebb7688542b9eb2afd1505b379\r\n"
      "X-Amz-Date: 20261123T110839Z\r\n"
      "User-Agent: curl/7.88.1\r\n"
      "Accept: */*\r\n",
      EMPTY_HASH },

    { "boto3 1.43, presigned", TEST_SECRET,
      "PUT /upload/video/film.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256"
      "&X-Amz-Credential=REELTESTKEY%2F20260102%2Fus-east-1%2Fs3%2F"
      "aws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=3600"
      "&X-Amz-SignedHeaders=host&X-Amz-Signature="
      "bea9a489997c4318aac095eaefa96cd4efa62c2c4c423fb43bf58b26e009c66c"
      " HTTP/1.1\r\n"
      "Host: 127.0.0.1:8080\r\n"
      "Content-Length: 6\r\n",
      "UNSIGNED-PAYLOAD" },

    { "boto3 1.43, presigned, a name of marks", TEST_SECRET,
      "PUT /upload/video/dir/a%20%28b%29%2B%C3%BC%27%21%2A~%251%20%26%3D.mp4"
      "?X-Amz-Algorithm=AWS4-HMAC-SHA256"
      "&X-Amz-Credential=REELTESTKEY%2F20260102%2Fus-east-1%2Fs3%2F"
      "aws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=3600"
      "&X-Amz-SignedHeaders=host&X-Amz-Signature="
      "ba917eca6b29e326f318d35496b6d3f5b642c9b822ffdc0fcb1098948e45a480"
      " HTTP/1.1\r\n"
      "Host: 127.0.0.1:8080\r\n",
      "UNSIGNED-PAYLOAD" },

    { "the same, sent with other escapes", TEST_SECRET,
      "PUT /upload/video/dir/a%20(b)%2b%c3%bc'!*%7E%251%20&=.mp4"
      "?X-Amz-Algorithm=AWS4-HMAC-SHA256"
      "&X-Amz-Credential=REELTESTKEY/20260102/us-east-1/s3/"
      "aws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=3600"
      "&X-Amz-SignedHeaders=host&X-Amz-Signature="
      "ba917eca6b29e326f318d35496b6d3f5b642c9b822ffdc0fcb1098948e45a480"
      " HTTP/1.1\r\n"
      "Host: 127.0.0.1:8080\r\n",
      "UNSIGNED-PAYLOAD" },

    { "boto3 1.43, put_object", TEST_SECRET,
      "PUT /upload/video/a%20b%2Bc.mp4 HTTP/1.1\r\n"
      "Host: 127.0.0.1:8080\r\n"
      "User-Agent: Boto3/1.43.11\r\n"
      "Expect: 100-continue\r\n"
      "x-amz-checksum-crc32: NjowIA==\r\n"
      "x-amz-sdk-checksum-algorithm: CRC32\r\n"
      "X-Amz-Date: 20260102T030405Z\r\n"
      "X-Amz-Content-SHA256: 5891b5b522d5df086d0ff0b110fbd9d2"
      "1bb4fc7163af34d08286a2e846f6be03\r\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=REELTESTKEY/20260102/"
      "us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-checksum-crc32;"
      "x-amz-content-sha256;x-amz-date;x-amz-sdk-checksum-algorithm, "
      "Signature="
      "ffb764c0349a996be055f58c1713ffa93525ec005a5a2e42feaf3b6f3908b60d\r\n"
      "amz-sdk-invocation-id: 5280d71b-e910-4b34-99a1-ef8ff5927410\r\n"
      "amz-sdk-request: attempt=1\r\n"
      "Content-Length: 6\r\n",
      "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03" },

    { "aws-sdk-js 3, presigned", TEST_SECRET,
      "PUT /upload/video/film.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256"
      "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential="
      "REELTESTKEY%2F20260102%2Fus-east-1%2Fs3%2Faws4_request"
      "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=3600&X-Amz-Signature="
      "55446f0c3daaa9ae8efe5015e28f20f34dad9ccf0d344334c14d50f07796f3f0"
      "&X-Amz-SignedHeaders=host&x-amz-checksum-crc32=AAAAAA%3D%3D"
      "&x-amz-sdk-checksum-algorithm=CRC32&x-id=PutObject HTTP/1.1\r\n"
      "Host: 127.0.0.1:8080\r\n",
      "UNSIGNED-PAYLOAD" },

    { "aws-sdk-js 3, presigned, dots and slashes stay", TEST_SECRET,
      "PUT /upload/video/a//b/../c.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256"
      "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential="
      "REELTESTKEY%2F20260102%2Fus-east-1%2Fs3%2Faws4_request"
      "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=3600&X-Amz-Signature="
      "65d22744f7de97c5fcbd497bb9d5bb3f199e7c2e0b0b1c83af096aba40f063cd"
      "&X-Amz-SignedHeaders=host&x-amz-checksum-crc32=AAAAAA%3D%3D"
      "&x-amz-sdk-checksum-algorithm=CRC32&x-id=PutObject HTTP/1.1\r\n"
      "Host: 127.0.0.1:8080\r\n",
      "UNSIGNED-PAYLOAD" },

    { "aws4 1.13, presigned, the caller's parameters first", TEST_SECRET,
      "PUT /upload/video/film%20(1).mp4?X-Amz-Date=20260102T030405Z"
      "&reel-name=a%20b&X-Amz-Expires=86400"
      "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
      "REELTESTKEY%2F20260102%2Fus-east-1%2Fs3%2Faws4_request"
      "&X-Amz-SignedHeaders=host&X-Amz-Signature="
      "b6c34cc645f7dc8873fe1598359ea92a7684cd536ec0f96bd8f3996d43071091"
      " HTTP/1.1\r\n"
      "Host: 127.0.0.1:8080\r\n",
      "UNSIGNED-PAYLOAD" },
};


static void
check(const wire_t *w)
{
    request_t           r;
    reel_error_t        e = { "" };
    reel_sigv4_auth_t   a;

    print_message("    %s\n", w->what);
    request_parse(&r, reel_str(w->request));

    if (reel_sigv4_parse(&a, &r.rq, &e) != REEL_SIGV4_OK) {
        fail_msg("%s", e.text);
    }

    assert_string_equal(a.payload_hash, w->payload);
    assert_true(reel_str_eqz(a.service, "s3"));
    assert_true(reel_str_eqz(a.region, "us-east-1"));

    if (reel_sigv4_verify(&a, &r.rq, reel_str(w->secret), a.time_s, NULL, &e)
        != REEL_SIGV4_OK)
    {
        fail_msg("%s", e.text);
    }

    assert_int_equal(reel_sigv4_verify(&a, &r.rq,
                                       REEL_STR("another secret, as long"),
                                       a.time_s, NULL, &e),
                     REEL_SIGV4_MISMATCH);
    assert_null(strstr(e.text, "another secret"));
}


static void
test_documented(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(documented) / sizeof(documented[0]); i++) {
        check(&documented[i]);
    }
}


static void
test_clients(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        check(&clients[i]);
    }
}


/* curl 7.88 hashes what -d sends and nothing of what -T sends; says neither */
static void
test_curl_unsaid_payload(void **state)
{
    static const char  d[] =
        "POST /api/uploads HTTP/1.1\r\n"
        "Host: 127.0.0.1:48123\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=REELTESTKEY/20261123/"
        "us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature="
        "6f3369efa870fc99f1ce6e9f750ddceab42f1b38b61508e66cdabfff241d39b1\r\n"
        "X-Amz-Date: 20261123T110839Z\r\n"
        "Content-Length: 6\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        "\r\n"
        "hello\n";
    static const char  t[] =
        "PUT /upload/video/film.mp4 HTTP/1.1\r\n"
        "Host: 127.0.0.1:48123\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=REELTESTKEY/20261123/"
        "us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature="
        "c325571499122d04a3b683c5aecda3183b14a8162f6fc6d702cdbd8f5aca777f\r\n"
        "X-Amz-Date: 20261123T110839Z\r\n"
        "Content-Length: 6\r\n"
        "Expect: 100-continue\r\n";

    char                hex[65];
    uint8_t             raw[REEL_SHA256_LEN];
    request_t           r;
    reel_error_t        e = { "" };
    reel_sigv4_auth_t   a;

    (void) state;

    request_parse(&r, REEL_STR(t));
    assert_int_equal(reel_sigv4_parse(&a, &r.rq, &e),
                     REEL_SIGV4_MALFORMED_HEADER);
    assert_non_null(strstr(e.text,
                           "-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD'"));

    request_parse(&r, REEL_STR(d));
    assert_int_equal(reel_sigv4_parse(&a, &r.rq, &e),
                     REEL_SIGV4_MALFORMED_HEADER);

    /* one that has read the body can go on */
    assert_int_equal(reel_sha256(raw, r.body.p, r.body.len), REEL_OK);
    reel_hex(hex, raw, sizeof(raw));
    r.rq.payload_hash = reel_str(hex);
    assert_int_equal(reel_sigv4_parse(&a, &r.rq, &e), REEL_SIGV4_OK);
    assert_string_equal(a.payload_hash, hex);
    assert_int_equal(reel_sigv4_verify(&a, &r.rq, REEL_STR(TEST_SECRET),
                                       a.time_s, NULL, &e),
                     REEL_SIGV4_OK);
}


/* a presigned URL was made before there was a body: its hash is not in it */
static void
test_presigned_with_body(void **state)
{
    char               hex[65];
    uint8_t            raw[32];
    request_t          r;
    reel_error_t       e = { "" };
    reel_sigv4_auth_t  a;

    (void) state;

    request_parse(&r, reel_str(documented[0].request));
    assert_int_equal(reel_sha256(raw, "body", 4), REEL_OK);
    reel_hex(hex, raw, sizeof(raw));
    r.rq.payload_hash = reel_str(hex);

    assert_int_equal(reel_sigv4_parse(&a, &r.rq, &e), REEL_SIGV4_OK);
    assert_string_equal(a.payload_hash, "UNSIGNED-PAYLOAD");
    assert_int_equal(reel_sigv4_verify(&a, &r.rq, REEL_STR(DOC_SECRET),
                                       a.time_s, NULL, &e),
                     REEL_SIGV4_OK);
}


/* a signature over the wire's form does not hold for another wire */
static void
test_wire_form_is_exact(void **state)
{
    request_t           r;
    reel_error_t        e;
    reel_sigv4_auth_t   a;

    (void) state;

    request_parse(&r, reel_str(clients[0].request));
    request_target(&r, REEL_STR("/upload/video/k%20(1)+%E1.mp4"
                                "?reel-name=b&reel-meta=%7b%7d&c"));
    assert_int_equal(reel_sigv4_parse(&a, &r.rq, &e), REEL_SIGV4_OK);
    assert_int_equal(reel_sigv4_verify(&a, &r.rq, REEL_STR(TEST_SECRET),
                                       a.time_s, NULL, &e),
                     REEL_SIGV4_MISMATCH);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_documented),
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_curl_unsaid_payload),
        cmocka_unit_test(test_presigned_with_body),
        cmocka_unit_test(test_wire_form_is_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/crypt/sum.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


typedef struct {
    reel_sum_kind_t  kind;
    size_t           len;
    const char      *name;
    const char      *s3;
    const char      *digest;
    const char      *empty;         /* of "" */
    const char      *check;         /* of "123456789" */
} kind_t;


static const kind_t  kinds[] = {
    { REEL_SUM_CRC32, 4, "crc32", "CRC32", "", "AAAAAA==", "y/Q5Jg==" },
    { REEL_SUM_CRC32C, 4, "crc32c", "CRC32C", "crc32c", "AAAAAA==",
      "4waSgw==" },
    { REEL_SUM_CRC64NVME, 8, "crc64nvme", "CRC64NVME", "", "AAAAAAAAAAA=",
      "rosUhgp5mIg=" },
    { REEL_SUM_MD5, 16, "md5", "", "md5", "1B2M2Y8AsgTpgAmY7PhCfg==",
      "JfnnlDI7RTiF9RgfG2JNCw==" },
    { REEL_SUM_SHA1, 20, "sha1", "SHA1", "sha",
      "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "98O8HYCOBHMq32eZZczDTKeuNEE=" },
    { REEL_SUM_SHA256, 32, "sha256", "SHA256", "sha-256",
      "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
      "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=" },
};


static void
assert_sum(const kind_t *k, const uint8_t *sum, const char *want)
{
    char     text[REEL_SUM_TEXT];
    uint8_t  raw[REEL_SUM_MAX];

    reel_sum_encode(text, k->kind, sum);
    assert_string_equal(text, want);
    assert_int_equal(reel_sum_decode(raw, k->kind, reel_str(want)), REEL_OK);
    assert_memory_equal(raw, sum, k->len);
}


static void
of(const kind_t *k, const void *p, size_t n, uint8_t sum[REEL_SUM_MAX])
{
    reel_sum_t  s;

    assert_int_equal(reel_sum_init(&s, k->kind), REEL_OK);
    assert_int_equal(reel_sum_update(&s, p, n), REEL_OK);
    assert_int_equal(reel_sum_final(&s, sum), REEL_OK);
}


static void
vectors(void **state)
{
    size_t   i;
    uint8_t  sum[REEL_SUM_MAX];

    (void) state;

    for (i = 0; i < COUNT(kinds); i++) {
        assert_int_equal(reel_sum_len(kinds[i].kind), kinds[i].len);
        of(&kinds[i], "", 0, sum);
        assert_sum(&kinds[i], sum, kinds[i].empty);
        of(&kinds[i], "123456789", 9, sum);
        assert_sum(&kinds[i], sum, kinds[i].check);
    }
}


static void
pieces(void **state)
{
    char        data[1000];
    size_t      i, at;
    uint8_t     want[REEL_SUM_MAX], got[REEL_SUM_MAX];
    reel_sum_t  s;

    (void) state;

    for (i = 0; i < sizeof(data); i++) {
        data[i] = (char) (i * 31);
    }

    for (i = 0; i < COUNT(kinds); i++) {
        of(&kinds[i], data, sizeof(data), want);

        for (at = 0; at <= sizeof(data); at += 37) {
            assert_int_equal(reel_sum_init(&s, kinds[i].kind), REEL_OK);
            assert_int_equal(reel_sum_update(&s, data, at), REEL_OK);
            assert_int_equal(reel_sum_update(&s, data + at,
                                             sizeof(data) - at), REEL_OK);
            assert_int_equal(reel_sum_final(&s, got), REEL_OK);
            assert_memory_equal(got, want, kinds[i].len);
        }

        /* given up half way, and twice: nothing may leak */
        assert_int_equal(reel_sum_init(&s, kinds[i].kind), REEL_OK);
        assert_int_equal(reel_sum_update(&s, data, 10), REEL_OK);
        reel_sum_release(&s);
        reel_sum_release(&s);
    }

    assert_int_equal(reel_sum_init(&s, REEL_SUM_NONE), REEL_INVAL);
    reel_sum_release(&s);
    assert_int_equal(reel_sum_init(&s, (reel_sum_kind_t) 99), REEL_INVAL);
}


static void
combine(void **state)
{
    size_t   i;
    uint8_t  a[REEL_SUM_MAX], b[REEL_SUM_MAX], ab[REEL_SUM_MAX];

    (void) state;

    for (i = 0; i < COUNT(kinds); i++) {
        of(&kinds[i], "1234", 4, a);
        of(&kinds[i], "56789", 5, b);

        if (kinds[i].kind >= REEL_SUM_MD5) {
            assert_int_equal(reel_sum_combine(kinds[i].kind, ab, a, b, 5),
                             REEL_INVAL);
            continue;
        }

        assert_int_equal(reel_sum_combine(kinds[i].kind, ab, a, b, 5),
                         REEL_OK);
        assert_sum(&kinds[i], ab, kinds[i].check);

        /* in place */
        assert_int_equal(reel_sum_combine(kinds[i].kind, a, a, b, 5),
                         REEL_OK);
        assert_sum(&kinds[i], a, kinds[i].check);
    }
}


static void
names(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < COUNT(kinds); i++) {
        const kind_t  *k = &kinds[i];

        assert_string_equal(reel_sum_name(k->kind), k->name);
        assert_string_equal(reel_sum_s3(k->kind), k->s3);
        assert_string_equal(reel_sum_digest(k->kind), k->digest);
        assert_int_equal(reel_sum_by_name(reel_str(k->name)), k->kind);

        if (*k->s3 != '\0') {
            assert_int_equal(reel_sum_by_s3(reel_str(k->s3)), k->kind);
            /* their lower case are the headers' */
            assert_int_equal(reel_sum_by_s3(reel_str(k->name)), k->kind);
        }

        if (*k->digest != '\0') {
            assert_int_equal(reel_sum_by_digest(reel_str(k->digest)),
                             k->kind);
        }
    }

    assert_int_equal(reel_sum_by_header(REEL_STR("x-amz-checksum-crc32c")),
                     REEL_SUM_CRC32C);
    assert_int_equal(reel_sum_by_header(REEL_STR("X-Amz-Checksum-SHA256")),
                     REEL_SUM_SHA256);
    assert_int_equal(reel_sum_by_header(REEL_STR("x-amz-checksum-md5")),
                     REEL_SUM_NONE);
    assert_int_equal(reel_sum_by_header(REEL_STR("x-amz-checksum-mode")),
                     REEL_SUM_NONE);
    assert_int_equal(reel_sum_by_header(REEL_STR("x-amz-checksum-")),
                     REEL_SUM_NONE);
    assert_int_equal(reel_sum_by_header(REEL_STR("crc32")), REEL_SUM_NONE);
    assert_int_equal(reel_sum_by_name(REEL_STR("")), REEL_SUM_NONE);
    assert_int_equal(reel_sum_by_name(REEL_STR("SHA1")), REEL_SUM_NONE);
    assert_int_equal(reel_sum_by_s3(REEL_STR("")), REEL_SUM_NONE);
    assert_int_equal(reel_sum_by_digest(REEL_STR("sha1")), REEL_SUM_NONE);
    assert_int_equal(reel_sum_by_digest(REEL_STR("sha-2567")),
                     REEL_SUM_NONE);
    assert_int_equal(reel_sum_len((reel_sum_kind_t) 99), 0);
}


static void
values_refused(void **state)
{
    size_t   i;
    uint8_t  raw[REEL_SUM_MAX];

    (void) state;

    for (i = 0; i < COUNT(kinds); i++) {
        /* a CRC-64 is none of the other lengths, and so on */
        assert_int_equal(reel_sum_decode(raw, kinds[i].kind,
                             reel_str(i == 2 ? kinds[0].empty
                                             : kinds[2].empty)),
                         REEL_INVAL);
        assert_int_equal(reel_sum_decode(raw, kinds[i].kind, REEL_STR("")),
                         REEL_INVAL);
    }

    assert_int_equal(reel_sum_decode(raw, REEL_SUM_NONE, REEL_STR("")),
                     REEL_INVAL);
    assert_int_equal(reel_sum_decode(raw, REEL_SUM_CRC32,
                                     REEL_STR("AAAAAA= =")), REEL_INVAL);
    /* longer than the longest */
    assert_int_equal(reel_sum_decode(raw, REEL_SUM_SHA256,
                         REEL_STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                  "AAAAAAAAAAAAAAAA")), REEL_INVAL);
}


typedef reel_err_t (*parse_fn)(reel_str_t value, reel_sum_kind_t *kind,
    uint8_t out[REEL_SUM_MAX], reel_error_t *e);

typedef struct {
    const char       *value;
    reel_err_t        err;
    reel_sum_kind_t   kind;
    const char       *sum;          /* base64 */
} field_t;


static void
fields(parse_fn parse, const field_t *t, size_t n)
{
    char             text[REEL_SUM_TEXT];
    size_t           i;
    uint8_t          raw[REEL_SUM_MAX];
    reel_error_t     e;
    reel_sum_kind_t  kind;

    for (i = 0; i < n; i++) {
        print_message("    %s\n", t[i].value);
        e.text[0] = '\0';
        assert_int_equal(parse(reel_str(t[i].value), &kind, raw, &e),
                         t[i].err);

        if (t[i].err != REEL_OK) {
            assert_int_not_equal(e.text[0], '\0');
            continue;
        }

        assert_int_equal(kind, t[i].kind);
        reel_sum_encode(text, kind, raw);
        assert_string_equal(text, t[i].sum);
    }
}


static void
tus(void **state)
{
    static const field_t  t[] = {
        /* tus.io/protocols/resumable-upload, checksum */
        { "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", REEL_OK, REEL_SUM_SHA1,
          "Kq5sNclPz7QV2+lfQIuc6R7oRu0=" },
        { "crc32c 4waSgw==", REEL_OK, REEL_SUM_CRC32C, "4waSgw==" },
        { " md5 1B2M2Y8AsgTpgAmY7PhCfg== ", REEL_OK, REEL_SUM_MD5,
          "1B2M2Y8AsgTpgAmY7PhCfg==" },
        { "sha512 AAAA", REEL_UNSUPPORTED, 0, NULL },
        { "", REEL_BADDATA, 0, NULL },
        { "sha1", REEL_BADDATA, 0, NULL },
        { "sha1 ", REEL_BADDATA, 0, NULL },
        { "sha1 AAAA", REEL_BADDATA, 0, NULL },
        { "sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0=", REEL_BADDATA, 0, NULL },
        { "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", REEL_BADDATA, 0, NULL },
    };

    (void) state;

    fields(reel_sum_parse_tus, t, COUNT(t));
}


#define X256 "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="


static void
digests(void **state)
{
    static const field_t  t[] = {
        /* RFC 9530, appendix B */
        { "sha-256=:" X256 ":", REEL_OK, REEL_SUM_SHA256, X256 },
        { "crc32c=:4waSgw==:, sha-256=:" X256 ":, md5=:AAAA:", REEL_OK,
          REEL_SUM_SHA256, X256 },
        { "sha-512=:AAAA:, sha=:2jmj7l5rSw0yVb/vlWAYkK/YBwk=:", REEL_OK,
          REEL_SUM_SHA1, "2jmj7l5rSw0yVb/vlWAYkK/YBwk=" },
        { "crc32c=:AAAAAA==:,crc32c=:4waSgw==:", REEL_OK, REEL_SUM_CRC32C,
          "4waSgw==" },
        { " sha-256=:" X256 ":;a=1\t", REEL_OK, REEL_SUM_SHA256, X256 },
        { "sha-512=:AAAA:", REEL_UNSUPPORTED, 0, NULL },
        { "", REEL_BADDATA, 0, NULL },
        { "sha-256", REEL_BADDATA, 0, NULL },
        { "sha-256=", REEL_BADDATA, 0, NULL },
        { "sha-256=:", REEL_BADDATA, 0, NULL },
        { "sha-256=" X256, REEL_BADDATA, 0, NULL },
        { "sha-256=::", REEL_BADDATA, 0, NULL },
        { "sha-256=:" X256 ":;", REEL_BADDATA, 0, NULL },
        { "sha-256=:" X256 ":,", REEL_BADDATA, 0, NULL },
        { "sha-256=:2jmj7l5rSw0yVb/vlWAYkK/YBwk=:", REEL_BADDATA, 0, NULL },
        { "=:AAAA:", REEL_BADDATA, 0, NULL },
    };

    (void) state;

    fields(reel_sum_parse_digest, t, COUNT(t));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(pieces),
        cmocka_unit_test(combine),
        cmocka_unit_test(names),
        cmocka_unit_test(values_refused),
        cmocka_unit_test(tus),
        cmocka_unit_test(digests),
    };

    return cmocka_run_group_tests_name("sum", tests, NULL, NULL);
}

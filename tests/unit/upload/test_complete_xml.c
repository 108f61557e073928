#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/upload/complete_xml.h"
#include "lib/upload/upload.h"


#define ROOT "<CompleteMultipartUpload>"
#define END  "</CompleteMultipartUpload>"
#define TAG  "0123456789abcdef-1"

static const uint64_t  tag = 0x0123456789abcdef;


/* as clients print it */
static void
test_forms(void **state)
{
    static const char *const  docs[] = {
        /* boto3 */
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-"
        "01/\"><Part><ETag>\"" TAG "\"</ETag><PartNumber>7</PartNumber></Part>"
        "<Part><ETag>\"" TAG "\"</ETag><PartNumber>2</PartNumber></Part>" END,
        /* rclone */
        ROOT "<Part><ETag>&#34;" TAG "&#34;</ETag><PartNumber>7</PartNumber>"
        "</Part><Part><PartNumber>2</PartNumber><ETag>&#34;" TAG
        "&#34;</ETag></Part>" END,
        /* s3cmd, minio-js */
        "<?xml version=\"1.0\"?>\n" ROOT "\n  <Part>\n    <PartNumber> 7 "
        "</PartNumber>\n    <ETag>&quot;" TAG "&quot;</ETag>\n  </Part>\n"
        "<Part><PartNumber>2</PartNumber><ETag>" TAG "</ETag></Part>\n" END
        "\n",
        /* what is not known */
        "<s3:CompleteMultipartUpload xmlns:s3='x'><s3:Other><Part/></s3:Other>"
        "<s3:Part a='1'><s3:ETag><![CDATA[\"" TAG "\"]]></s3:ETag><s3:Size>9"
        "</s3:Size><s3:PartNumber>7</s3:PartNumber><s3:ChecksumNew>x"
        "</s3:ChecksumNew></s3:Part><s3:Part><s3:PartNumber>2"
        "<s3:Deep>3</s3:Deep></s3:PartNumber><s3:ETag>" TAG "</s3:ETag>"
        "</s3:Part></s3:CompleteMultipartUpload>"
    };

    size_t           i;
    reel_error_t     e;
    reel_complete_t  c;

    (void) state;

    for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
        assert_int_equal(reel_complete_parse(&c, docs[i], strlen(docs[i]),
                                             &e), REEL_OK);
        assert_int_equal(c.n, 2);
        assert_int_equal(c.numbers[0], 7);
        assert_int_equal(c.numbers[1], 2);
        assert_int_equal(c.tags[0], tag);
        assert_int_equal(c.tags[1], tag);
        assert_int_equal(c.sums[0].kind, REEL_SUM_NONE);
        reel_complete_release(&c);
    }
}


static void
test_sums(void **state)
{
    static const char  doc[] =
        ROOT "<Part><ChecksumCRC32>y/Q5Jg==</ChecksumCRC32><ETag>x</ETag>"
        "<PartNumber>1</PartNumber></Part>"
        "<Part><ETag/><PartNumber>10000</PartNumber></Part>" END;

    reel_error_t     e;
    reel_complete_t  c;

    (void) state;

    assert_int_equal(reel_complete_parse(&c, doc, sizeof(doc) - 1, &e),
                     REEL_OK);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.sums[0].kind, REEL_SUM_CRC32);
    assert_memory_equal(c.sums[0].sum, "\xcb\xf4\x39\x26", 4);
    assert_int_equal(c.sums[1].kind, REEL_SUM_NONE);
    assert_int_equal(c.numbers[1], 10000);

    /* no ETag of ours */
    assert_int_equal(c.tags[0], 0);
    assert_int_equal(c.tags[1], 0);
    reel_complete_release(&c);
}


static void
test_refused(void **state)
{
#define PART(in) ROOT "<Part>" in "</Part>" END
#define NUM(n)   PART("<PartNumber>" n "</PartNumber><ETag>x</ETag>")
    static const char *const  docs[] = {
        "", "hello", "{}", "<Complete/>", ROOT END, ROOT,
        ROOT "<Part></CompleteMultipartUpload>",
        PART(""), PART("<ETag>x</ETag>"), PART("<PartNumber>1</PartNumber>"),
        NUM(""), NUM("0"), NUM("10001"), NUM("-1"), NUM("+1"), NUM("1.0"),
        NUM("99999999999999999999999"), NUM("1 1"), NUM("0x1"),
        PART("<PartNumber>1</PartNumber><PartNumber>1</PartNumber>"
             "<ETag>x</ETag>"),
        PART("<PartNumber>1</PartNumber><ETag>x</ETag><ETag>x</ETag>"),
        PART("<PartNumber>1</PartNumber><ETag>x</ETag><ChecksumCRC32>abc"
             "</ChecksumCRC32>"),
        "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>]>" NUM("1")
    };

    size_t           i;
    reel_error_t     e;
    reel_complete_t  c;

    (void) state;

    for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
        e.text[0] = '\0';
        assert_int_equal(reel_complete_parse(&c, docs[i], strlen(docs[i]),
                                             &e), REEL_BADDATA);
        assert_string_not_equal(e.text, "");
        assert_null(c.numbers);
        reel_complete_release(&c);
    }
}


/* as many as there may be, in the longest form, fit into what is read */
static void
test_many(void **state)
{
    int              i, n;
    reel_buf_t       b;
    reel_error_t     e;
    reel_complete_t  c;

    (void) state;

    for (n = REEL_UPLOAD_PARTS_MAX; n <= REEL_UPLOAD_PARTS_MAX + 1; n++) {
        reel_buf_init(&b, 2 * REEL_COMPLETE_MAX);
        reel_buf_addz(&b, ROOT);

        for (i = 1; i <= n; i++) {
            reel_buf_printf(&b, "<Part><ChecksumSHA256>ungWv48Bz+pBQUDeXa4iI7A"
                            "DYaOWF3qctBD/YfIAFa0=</ChecksumSHA256><ETag>"
                            "&quot;" TAG "&quot;</ETag><PartNumber>%d"
                            "</PartNumber></Part>\n", i < 10000 ? i : 1);
        }

        reel_buf_addz(&b, END);
        assert_int_equal(reel_buf_err(&b), REEL_OK);
        assert_true(b.len <= REEL_COMPLETE_MAX);

        if (n == REEL_UPLOAD_PARTS_MAX) {
            assert_int_equal(reel_complete_parse(&c, (char *) b.data, b.len,
                                                 &e), REEL_OK);
            assert_int_equal(c.n, n);
            assert_int_equal(c.numbers[9998], 9999);
            assert_int_equal(c.tags[9999], tag);
            assert_int_equal(c.sums[9999].kind, REEL_SUM_SHA256);
            reel_complete_release(&c);

        } else {
            assert_int_equal(reel_complete_parse(&c, (char *) b.data, b.len,
                                                 &e), REEL_LIMIT);
        }

        reel_buf_release(&b);
    }
}


static void
test_etag(void **state)
{
    char  dst[REEL_PART_ETAG_LEN + 1];

    (void) state;

    reel_part_etag(dst, tag);
    assert_string_equal(dst, "\"" TAG "\"");
    assert_int_equal(reel_part_etag_parse(reel_str(dst)), tag);
    assert_int_equal(reel_part_etag_parse(REEL_STR(TAG)), tag);
    reel_part_etag(dst, UINT64_MAX);
    assert_int_equal(reel_part_etag_parse(reel_str(dst)), UINT64_MAX);

    assert_int_equal(reel_part_etag_parse(REEL_STR("")), 0);
    assert_int_equal(reel_part_etag_parse(REEL_STR("\"")), 0);
    assert_int_equal(reel_part_etag_parse(REEL_STR("\"" TAG)), 0);
    assert_int_equal(reel_part_etag_parse(REEL_STR("0123456789abcdef-2")), 0);
    assert_int_equal(reel_part_etag_parse(REEL_STR("0123456789abcdeg-1")), 0);
    assert_int_equal(reel_part_etag_parse(
                         REEL_STR("d41d8cd98f00b204e9800998ecf8427e")), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_etag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/base/xml.h"


/* the events as text: "<a" … ">" and what stands between them in brackets */
static reel_err_t
events(reel_buf_t *b, const char *doc, reel_error_t *e)
{
    bool              in_text = false;
    reel_err_t        err;
    reel_xml_t        x;
    reel_xml_event_t  ev;

    reel_xml_init(&x, reel_str(doc));

    for ( ;; ) {
        err = reel_xml_next(&x, &ev, e);

        if (in_text && (err != REEL_OK || ev != REEL_XML_TEXT)) {
            reel_buf_addz(b, "]");
            in_text = false;
        }

        if (err != REEL_OK || ev == REEL_XML_DONE) {
            return err;
        }

        if (ev == REEL_XML_TEXT) {
            reel_buf_addz(b, in_text ? "" : "[");
            reel_buf_adds(b, x.text);
            in_text = true;
            continue;
        }

        reel_buf_printf(b, ev == REEL_XML_START ? "%u<" : "%u/", x.depth);
        reel_buf_adds(b, x.name);
        reel_buf_addz(b, " ");
    }
}


static void
test_read(void **state)
{
    static const struct {
        const char *doc;
        const char *want;
    } rows[] = {
        { "<a/>", "1<a 0/a " },
        { "<a></a>", "1<a 0/a " },
        { "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- x -->\n<a />\n<!--y-->\n",
          "1<a 0/a " },
        { "<a><b>1</b><b>2</b></a>",
          "1<a 2<b [1]1/b 2<b [2]1/b 0/a " },
        { "<s3:a xmlns:s3='urn:x' k = \"a&gt;b\"><s3:b/></s3:a >",
          "1<a 2<b 1/b 0/a " },
        { "<a>&lt;&gt;&amp;&quot;&apos;&#34;&#x22;&#x20ac;</a>",
          "1<a [<>&\"'\"\"\xe2\x82\xac]0/a " },
        { "<a>x<![CDATA[<&]]>y<!-- no -->z</a>", "1<a [x<&yz]0/a " },
        { "<a> \n </a>", "1<a [ \n ]0/a " },
        { "<a-1.b_c/>", "1<a-1.b_c 0/a-1.b_c " }
    };

    size_t        i;
    reel_buf_t    b;
    reel_error_t  e;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reel_buf_init(&b, 1024);
        assert_int_equal(events(&b, rows[i].doc, &e), REEL_OK);
        assert_string_equal(reel_buf_cstr(&b), rows[i].want);
        reel_buf_release(&b);
    }
}


static void
test_refused(void **state)
{
    static const char *const  docs[] = {
        "", " ", "x", "<a", "<a>", "<a></b>", "<a><b></a></b>", "</a>",
        "<a/><b/>", "<a/>x", "x<a/>", "<a b/>", "<a b=c/>", "<a b=\"c/>",
        "<a b='<'/>", "<a =''/>", "< a/>", "<1/>", "<a>&b;</a>", "<a>&</a>",
        "<a>&#;</a>", "<a>&#x;</a>", "<a>&#xd800;</a>", "<a>&#0;</a>",
        "<a>&#x110000;</a>", "<a>&#99999999;</a>", "<a>&#3a;</a>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a><!b></a>",
        "<a><!-- </a>", "<a><![CDATA[</a>", "<?xml", "<![CDATA[x]]><a/>",
        "<a/ >", "</>"
    };

    size_t        i;
    reel_buf_t    b;
    reel_xml_t    x;
    reel_error_t  e;
    reel_xml_event_t  ev;

    (void) state;

    for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
        e.text[0] = '\0';
        reel_buf_init(&b, 1024);
        assert_int_equal(events(&b, docs[i], &e), REEL_BADDATA);
        assert_non_null(strstr(e.text, "at byte"));
        reel_buf_release(&b);
    }

    /* an error stays */
    reel_xml_init(&x, REEL_STR("</a><b/>"));
    assert_int_equal(reel_xml_next(&x, &ev, NULL), REEL_BADDATA);
    assert_int_equal(reel_xml_next(&x, &ev, NULL), REEL_BADDATA);

    reel_xml_init(&x, (reel_str_t) { NULL, 0 });
    assert_int_equal(reel_xml_next(&x, &ev, NULL), REEL_BADDATA);
}


static void
test_depth(void **state)
{
    unsigned      i, n;
    reel_buf_t    b, out;
    reel_error_t  e;

    (void) state;

    for (n = REEL_XML_DEPTH; n <= REEL_XML_DEPTH + 1; n++) {
        reel_buf_init(&b, 1024);
        reel_buf_init(&out, 1024);

        for (i = 0; i < n; i++) {
            reel_buf_addz(&b, "<a>");
        }

        for (i = 0; i < n; i++) {
            reel_buf_addz(&b, "</a>");
        }

        assert_int_equal(events(&out, reel_buf_cstr(&b), &e),
                         n == REEL_XML_DEPTH ? REEL_OK : REEL_BADDATA);
        reel_buf_release(&b);
        reel_buf_release(&out);
    }
}


static void
test_print(void **state)
{
    reel_buf_t  b;

    (void) state;

    reel_buf_init(&b, 1024);
    reel_xml_element(&b, "Key", REEL_STR("a<b>&\"\xc3\x9c\r\n\t\x01\x7f\xff"
                                         "\xef\xbf\xbe z"));
    reel_xml_elementz(&b, "E", "");
    reel_xml_number(&b, "N", UINT64_MAX);

    assert_string_equal(reel_buf_cstr(&b),
                        "<Key>a&lt;b&gt;&amp;&quot;\xc3\x9c&#13;\n\t"
                        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd z"
                        "</Key><E></E><N>18446744073709551615</N>");
    reel_buf_release(&b);
}


static void
test_attributes(void **state)
{
    reel_buf_t        b;
    reel_str_t        rest, name, value;
    reel_xml_t        x;
    reel_error_t      e;
    reel_xml_event_t  ev;

    (void) state;

    reel_buf_init(&b, 64);
    reel_xml_init(&x, REEL_STR("<x:a one='1' \n two = \"a>&amp;&#x62;\" >"
                               "<b/><c z=''/></x:a>"));

    assert_int_equal(reel_xml_next(&x, &ev, &e), REEL_OK);
    rest = x.attrs;
    assert_true(reel_xml_attr(&rest, &name, &value));
    assert_true(reel_str_eqz(name, "one") && reel_str_eqz(value, "1"));
    assert_true(reel_xml_attr(&rest, &name, &value));
    assert_true(reel_str_eqz(name, "two"));
    assert_int_equal(reel_xml_value(&b, value), REEL_OK);
    assert_string_equal(reel_buf_cstr(&b), "a>&b");
    assert_false(reel_xml_attr(&rest, &name, &value));

    assert_int_equal(reel_xml_next(&x, &ev, &e), REEL_OK);
    rest = x.attrs;
    assert_false(reel_xml_attr(&rest, &name, &value));
    assert_int_equal(reel_xml_next(&x, &ev, &e), REEL_OK);
    assert_int_equal(reel_xml_next(&x, &ev, &e), REEL_OK);
    rest = x.attrs;
    assert_true(reel_xml_attr(&rest, &name, &value));
    assert_true(reel_str_eqz(name, "z") && value.len == 0);
    assert_int_equal(reel_xml_value(&b, REEL_STR("&none;")), REEL_BADDATA);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_attributes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

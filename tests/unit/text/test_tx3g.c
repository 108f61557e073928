#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/text/tx3g.h"
#include "lib/text/webvtt.h"


#define S(s) { s, sizeof(s) - 1 }


static void
cues(void **state)
{
    size_t      i, cut;
    reel_buf_t  b;

    static const struct {
        reel_str_t  sample;
        const char *text;       /* NULL: it says nothing */
    } cases[] = {
        { S("\0\5Hello"), "Hello" },
        { S("\0\0"), NULL }, { S("\0"), NULL }, { S("\0\3 \n "), NULL },
        { S("\0\5a<b&c"), "a&lt;b&amp;c" },
        { S("\0\7a\r\n\r\nb\n"), "a\nb" },
        { S("\0\4a\xff" "b\0"), "a\xef\xbf\xbd" "b" },
        /* longer than it is */
        { S("\1\0ab"), "ab" },
        { S("\0\6\xfe\xff\0A\x20\xac"), "A\xe2\x82\xac" },
        { S("\0\6\xfe\xff\xd8\x3d\xde\0"), "\xf0\x9f\x98\x80" },
        { S("\0\4\xfe\xff\xdc\0"), "\xef\xbf\xbd" },
        /* 'styl': "bc" in bold and italics, "d" underlined */
        { S("\0\5abcde\0\0\0\x22styl\0\2"
            "\0\1\0\3\0\1\3\x12\xff\xff\xff\xff"
            "\0\3\0\4\0\1\4\x12\xff\xff\xff\xff"),
          "a<b><i>bc</i></b><u>d</u>e" },
        /* the first that has a character rules, though it begins later */
        { S("\0\4abcd\0\0\0\x2estyl\0\3"
            "\0\2\0\3\0\1\1\x12\xff\xff\xff\xff"
            "\0\3\0\2\0\1\4\x12\xff\xff\xff\xff"
            "\0\0\0\4\0\1\2\x12\xff\xff\xff\xff"),
          "<i>ab</i><b>c</b><i>d</i>" },
        /* one that goes over a line's end; of a box that does not fit */
        { S("\0\3a\nb\0\0\0\x16styl\0\1\0\0\0\3\0\1\2\x12\xff\xff\xff\xff"),
          "<i>a</i>\n<i>b</i>" },
        { S("\0\1a\0\0\0\x17styl\0\1\0\0\0\3\0\1\2\x12\xff\xff\xff\xff"),
          "a" },
        { S("\0\1a\0\0\0\7styl"), "a" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char  want[128] = "";

        reel_buf_init(&b, 4096);
        reel_tx3g_cue(&b, cases[i].sample, 61500, 62000);
        assert_int_equal(reel_buf_err(&b), REEL_OK);
        reel_buf_u8(&b, '\0');

        if (cases[i].text != NULL) {
            (void) snprintf(want, sizeof(want), "\n00:01:01.500 --> "
                            "00:01:02.000\n%s\n", cases[i].text);
        }

        assert_string_equal((char *) b.data, want);
        reel_buf_release(&b);

        /* nor is anything read behind its end */
        for (cut = 0; cut < cases[i].sample.len; cut++) {
            char  *p = test_malloc(cut + 1);

            memcpy(p, cases[i].sample.p, cut);
            reel_buf_init(&b, 4096);
            reel_tx3g_cue(&b, (reel_str_t) { p, cut }, 0, 1);
            assert_int_equal(reel_buf_err(&b), REEL_OK);
            reel_buf_release(&b);
            test_free(p);
        }
    }

    reel_buf_init(&b, 4096);
    reel_tx3g_cue(&b, (reel_str_t) S("\0\1a"), 5, 5);
    reel_tx3g_cue(&b, (reel_str_t) S("\0\1a"), -1, 5);
    reel_tx3g_cue(&b, (reel_str_t) S("\0\1a"), 5, REEL_VTT_TIME_MAX);
    assert_int_equal(b.len, 0);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(cues)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

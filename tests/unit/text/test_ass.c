/* dialogue as text of cues: what is kept, escaped, and closed */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/text/ass.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
texts(void **state)
{
    size_t      i;
    char        line[512];
    reel_buf_t  b;

    static const struct {
        const char *from, *to;
    } rows[] = {
        { "Hello, world", "Hello, world" },
        { "", "" },
        { "one\\Ntwo", "one\ntwo" },
        { "\\None\\N\\N\\Ntwo\\N", "one\ntwo" },
        { "a\\nb\\hc\td", "a b\xc2\xa0" "c d" },
        { "{\\i1}it{\\i0} was", "<i>it</i> was" },
        { "{\\i1}it\\Nwas", "<i>it\nwas</i>" },
        { "{\\i1}a{\\b1}b{\\i0}c{\\b0}d", "<i>a<b>b</b></i><b>c</b>d" },
        { "{\\i1\\b1\\u1}x{\\r}y", "<i><b><u>x</u></b></i>y" },
        { "{\\b700}x{\\b}y", "<b>x</b>y" },
        { "{\\b1}x{\\b0}\\Ny", "<b>x</b>\ny" },
        { "{\\i1}{\\i0}x{\\i1}", "x" },
        { "{\\bord2\\be1\\blur3\\iclip(1,2)\\pos(3,4)\\an8\\c&H00FF&}x", "x" },
        { "{a comment}x{\\fnArial}y", "xy" },
        { "{not closed", "{not closed" },
        { "{\\p1}m 0 0 l 100 0{\\p0}seen", "seen" },
        { "a & b <script> --> c", "a &amp; b &lt;script&gt; --&gt; c" },
        { "&lt;i>", "&amp;lt;i&gt;" },
        { "x\x01\x7fy\x1b[0m", "xy[0m" },
        { "\xc3\xa9\xff\xed\xa0\x80", "\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd"
                                      "\xef\xbf\xbd\xef\xbf\xbd" },
        { "back\\slash \\", "back\\slash \\" },
        { "a\nb", "a\nb" },
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        (void) snprintf(line, sizeof(line), "0,0,Default,,0,0,0,,%s",
                        rows[i].from);
        reel_buf_init(&b, 4096);
        reel_ass_text(&b, reel_str(line));
        assert_string_equal(reel_buf_cstr(&b), rows[i].to);
        reel_buf_release(&b);
    }

    /* fewer fields than there must be */
    reel_buf_init(&b, 4096);
    reel_ass_text(&b, REEL_STR("1,2,3,4,5,6,7,8"));
    assert_int_equal(b.len, 0);
    reel_buf_release(&b);
}


static void
too_many_lines(void **state)
{
    size_t      i, lines;
    char        line[1024] = "0,0,Default,,0,0,0,,";
    reel_buf_t  b;

    (void) state;

    for (i = 0; i < 200; i++) {
        memcpy(line + strlen(line), "x\\N", 4);
    }

    reel_buf_init(&b, 4096);
    reel_ass_text(&b, reel_str(line));

    for (i = 0, lines = 1; i < b.len; i++) {
        lines += b.data[i] == '\n';
    }

    assert_int_equal(lines, REEL_ASS_LINES_MAX);
    reel_buf_release(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(too_many_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

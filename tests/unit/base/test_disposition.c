#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/disposition.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static void
filenames(void **state)
{
    char    name[17];
    size_t  i;
    static const struct {
        const char *s;
        const char *name;           /* NULL: REEL_NOTFOUND */
    } t[] = {
        { "inline; filename=\"film.mp4\"", "film.mp4" },
        { "attachment;filename=film.mp4", "film.mp4" },
        { "inline ; FileName = \"a b.mp4\" ; size=3", "a b.mp4" },
        { "inline; filename=\"a\\\"b\\\\c\"", "c" },
        { "inline; filename=\"a\\\"b\"", "a\"b" },
        { "inline; filename=\"a;b=c\"", "a;b=c" },
        { "inline; filename=\"\xc3\xbc.mp4\"", "\xc3\xbc.mp4" },
        { "inline; filename*=UTF-8''%c3%bc%20x", "\xc3\xbc x" },
        { "inline; filename*=utf-8'en'x.mp4", "x.mp4" },
        { "inline; filename=\"e.mp4\"; filename*=UTF-8''%e2%82%ac.mp4",
          "\xe2\x82\xac.mp4" },
        { "inline; filename*=UTF-8''%e2%82%ac.mp4; filename=\"e.mp4\"",
          "\xe2\x82\xac.mp4" },
        { "inline; filename*=ISO-8859-1''%fc; filename=\"u\"", "u" },
        { "inline; filename*=UTF-8''%fc; filename=u", "u" },
        { "inline; filename*=UTF-8''%f; filename=u", "u" },
        { "inline; filename*=UTF-8''%00; filename=u", "u" },
        { "inline; filename*=\"UTF-8''x\"; filename=u", "u" },
        { "inline; filename=\"/etc/passwd\"", "passwd" },
        { "inline; filename=\"..\\\\..\\\\x\"", "x" },
        { "inline; filename*=UTF-8''%2e%2e%2fx", "x" },
        { "inline; filename=\"1234567890123456\"", "1234567890123456" },

        { "", NULL },
        { "inline", NULL },
        { ";filename=x", NULL },
        { "inline; name=x", NULL },
        { "inline; filename", NULL },
        { "inline; filename=", NULL },
        { "inline; filename=\"\"", NULL },
        { "inline; filename=\"x", NULL },
        { "inline; filename=\"x\\", NULL },
        { "inline; filename=\"x/\"", NULL },
        { "inline; filename=\"a\x1f\"", NULL },
        { "inline; filename=\"a\x7f\"", NULL },
        { "inline; filename=\"\xfc\"", NULL },
        { "inline; filename=a b", NULL },
        { "inline; filename=x, inline", NULL },
        { "inline; filename*=x", NULL },
        { "inline; filename*=''x", NULL },
        { "inline; filename*=UTF-8'x", NULL },
        { "inline filename=x", NULL },
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_disposition_filename(reel_str(t[i].s), name,
                                                   sizeof(name)),
                         t[i].name ? REEL_OK : REEL_NOTFOUND);
        assert_string_equal(name, t[i].name ? t[i].name : "");
    }

    assert_int_equal(reel_disposition_filename((reel_str_t) { NULL, 0 },
                                               name, sizeof(name)),
                     REEL_NOTFOUND);
}


static void
too_long(void **state)
{
    size_t  i;
    char    name[8] = "x";
    static const char *const t[] = {
        "inline; filename=12345678",
        "inline; filename=\"12345678\"",
        "inline; filename*=UTF-8''1234567%38",
        "inline; filename*=UTF-8''12345678; filename=1",
    };

    (void) state;

    for (i = 0; i < COUNT(t); i++) {
        assert_int_equal(reel_disposition_filename(reel_str(t[i]), name,
                                                   sizeof(name)),
                         REEL_LIMIT);
        assert_string_equal(name, "");
    }
}


static void
attachments(void **state)
{
    size_t      i;
    reel_buf_t  b;

    static const struct {
        reel_str_t  name;
        const char *want;
    } cases[] = {
        { REEL_STR("holiday.mov"), "holiday.mp4\"; filename*=UTF-8''"
          "holiday.mp4" },
        { REEL_STR("a/b/My film 1.2.mkv"), "My film 1.2.mp4\"; "
          "filename*=UTF-8''My%20film%201.2.mp4" },
        { REEL_STR("Urlaub in K\xc3\xb6ln"), "Urlaub in K__ln.mp4\"; "
          "filename*=UTF-8''Urlaub%20in%20K%C3%B6ln.mp4" },
        { REEL_STR("x\"; \r\nSet-Cookie: a=b\\.mp4"),
          "x__ __Set-Cookie_ a_b_.mp4\"; filename*=UTF-8''"
          "x%22%3B%20%0D%0ASet-Cookie%3A%20a%3Db%5C.mp4" },
        { REEL_STR("\xff\xc3"), "__.mp4\"; filename*=UTF-8''"
          "%EF%BF%BD%EF%BF%BD.mp4" },
        { REEL_STR("no ending.in it"), "no ending.mp4\"; filename*=UTF-8''"
          "no%20ending.mp4" },
        { REEL_STR("v.longer1"), "v.longer1.mp4\"; filename*=UTF-8''"
          "v.longer1.mp4" },
        { REEL_STR(".mp4"), ".mp4.mp4\"; filename*=UTF-8''.mp4.mp4" },
        { REEL_STR("dot."), "dot..mp4\"; filename*=UTF-8''dot..mp4" },
        { REEL_STR("a\0b"), "a_b.mp4\"; filename*=UTF-8''a%00b.mp4" },
        { REEL_STR("50%.avi"), "50_.mp4\"; filename*=UTF-8''50%25.mp4" },
        { REEL_STR(""), "video.mp4\"; filename*=UTF-8''video.mp4" },
        { REEL_STR("folder/"), "video.mp4\"; filename*=UTF-8''video.mp4" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reel_buf_init(&b, 1024);
        reel_disposition_attachment(&b, cases[i].name, ".mp4");
        assert_memory_equal(reel_buf_cstr(&b), "attachment; filename=\"",
                            22);
        assert_string_equal(reel_buf_cstr(&b) + 22, cases[i].want);
        reel_buf_release(&b);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attachments),
        cmocka_unit_test(filenames),
        cmocka_unit_test(too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

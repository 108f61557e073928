#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/index/index.h"
#include "lib/title/title.h"


static void
lists(void **state)
{
    size_t        i;
    reel_title_t  t;
    reel_error_t  e;

    static const char *const bad[] = {
        "", "a", "a,b", ",,,", "../a,b,", "a/,..,/b", "a,.,./b/../c",
        "a/,.,.,/b", "//a,b,c", "a,b\n,c", "a,/../,b"
    };

    (void) state;

    assert_int_equal(reel_title_list(&t, REEL_STR("x/a_,360,,72/0,.mp4"),
                                     &e), REEL_OK);
    assert_int_equal(t.nparts, 1);
    assert_int_equal(t.nfiles, 3);
    assert_true(reel_str_eqz(t.files[0].path, "x/a_360.mp4"));
    assert_true(reel_str_eqz(t.files[1].path, "x/a_.mp4"));
    assert_true(reel_str_eqz(t.files[2].path, "x/a_72/0.mp4"));
    assert_true(t.files[2].video && t.files[2].audio);
    reel_title_release(&t);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        e.text[0] = '\0';
        assert_int_equal(reel_title_list(&t, reel_str(bad[i]), &e),
                         REEL_BADDATA);
        assert_string_not_equal(e.text, "");
        reel_title_release(&t);
    }
}


static void
patterns(void **state)
{
    size_t                i;
    reel_title_pattern_t  p;

    static const char *const bad[] = {
        "", "*", "{}", "{}*", "{}*.mp4", "*{}.mp4", "{}_*", "{}_{}_*.mp4",
        "{}_*_*.mp4", "{}_*/a.mp4", "/{}_*.mp4", "../{}_*.mp4", "{}/../*.mp4"
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(reel_title_pattern_valid(reel_str(bad[i])));
    }

    assert_true(reel_title_pattern_valid(REEL_STR("x/{}/v_*.mp4")));
    reel_title_pattern_split(&p, REEL_STR("x/{}/v_*.mp4"));
    assert_true(reel_str_eqz(p.before, "x/"));
    assert_true(reel_str_eqz(p.between, "/v_"));
    assert_true(reel_str_eqz(p.after, ".mp4"));
}


static void
mappings(void **state)
{
    reel_title_t  t;
    reel_error_t  e;

    static const char json[] = "{\"parts\":[{\"renditions\":["
        "{\"path\":\"a.mp4\",\"tracks\":\"video\",\"bitrate\":7},"
        "{\"path\":\"/b.m4a\",\"language\":\"de\",\"label\":\"L\","
        "\"role\":\"dub\",\"default\":true}],\"start\":1.5,\"end\":2},"
        "{\"renditions\":[{\"path\":\"c.mp4\"}]}]}";

    (void) state;

    assert_int_equal(reel_title_map(&t, json, sizeof(json) - 1, &e),
                     REEL_OK);
    assert_int_equal(t.nparts, 2);
    assert_int_equal(t.nfiles, 3);
    assert_int_equal(t.parts[0].n, 2);
    assert_int_equal(t.parts[0].start_us, 1500000);
    assert_int_equal(t.parts[0].end_us, 2000000);
    assert_int_equal(t.parts[1].first, 2);
    assert_int_equal(t.files[0].bitrate, 7);
    assert_true(t.files[0].video && !t.files[0].audio);
    assert_int_equal(t.files[1].roles, REEL_ROLE_DUB | REEL_ROLE_DEFAULT);
    assert_true(reel_str_eqz(t.files[1].path, "/b.m4a"));
    assert_true(reel_str_eqz(t.files[1].label, "L"));
    assert_false(t.files[2].has_roles);
    reel_title_release(&t);
}


/* any cut of a mapping is refused, and leaves nothing behind */
static void
cuts(void **state)
{
    char          copy[128];
    size_t        i;
    reel_title_t  t;
    reel_error_t  e;

    static const char json[] = "{\"renditions\":[{\"path\":\"a.mp4\","
        "\"label\":\"x\"},{\"path\":\"b.mp4\"}],\"start\":3}";

    (void) state;

    for (i = 0; i < sizeof(json) - 1; i++) {
        assert_int_not_equal(reel_title_map(&t, json, i, &e), REEL_OK);

        memcpy(copy, json, sizeof(json));
        copy[i] = '\x01';

        if (reel_title_map(&t, copy, sizeof(json) - 1, &e) == REEL_OK) {
            reel_title_release(&t);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(patterns),
        cmocka_unit_test(mappings),
        cmocka_unit_test(cuts)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

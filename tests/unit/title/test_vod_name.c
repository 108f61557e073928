#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/title/vod_name.h"


static void
names(void **state)
{
    size_t           i;
    reel_vod_name_t  v;

    static const struct {
        const char      *name;
        reel_vod_kind_t  kind;
        const char      *told;
        uint64_t         number;
    } good[] = {
        { "master.m3u8", REEL_VOD_MASTER, "", 0 },
        { "index-v1-a2.m3u8", REEL_VOD_INDEX, "v1-a2", 0 },
        { "iframes-f2-v1.m3u8", REEL_VOD_IFRAMES, "f2-v1", 0 },
        { "seg-12.ts", REEL_VOD_SEGMENT, "", 12 },
        { "seg-1-s3.vtt", REEL_VOD_SEGMENT, "s3", 1 },
        { "seg-99999999999999999999-v1.m4s", REEL_VOD_SEGMENT, "v1",
          UINT32_MAX },
        { "fragment-3-f1-a1-x3.m4s", REEL_VOD_FRAGMENT, "f1-a1-x3", 3 },
        { "init-v64.mp4", REEL_VOD_HEADER, "v64", 0 },
        { "manifest.mpd", REEL_VOD_MPD, "", 0 },
        { "encryption.key", REEL_VOD_KEY, "", 0 }
    };

    static const char *const  bad[] = {
        "", "master", "masterly.m3u8", "media.m3u8", "index-.m3u8",
        "index--v1.m3u8", "index-v1-.m3u8", "index-v0.m3u8",
        "index-v01.m3u8", "index-v65.m3u8", "index-v.m3u8", "index-1.m3u8",
        "index-V1.m3u8", "index-v1a1.m3u8", "index-v-1.m3u8", "seg.ts",
        "seg-.ts", "seg-0.ts", "seg-01.ts", "seg-v1.ts", "seg-1-1.ts",
        "seg-1.mp4", "seg-1-v1", "fragment-1-v1.ts", "init-v1.m4s",
        "index-f0-v1.m3u8", "m3u8", ".m3u8", "index.m3u8x"
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(reel_vod_name(&v, reel_str(good[i].name)));
        assert_int_equal(v.kind, good[i].kind);
        assert_true(reel_str_eqz(v.told, good[i].told));
        assert_int_equal(v.number, good[i].number);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(reel_vod_name(&v, reel_str(bad[i])));
    }
}


static void
choices(void **state)
{
    char             name[8 + 3 * (REEL_VOD_TRACKS + 1) + 8];
    size_t           i, at;
    unsigned         track, sound;
    reel_kind_t      kind;
    reel_vod_name_t  v;

    static const struct {
        const char *name;
        reel_err_t  err;
        unsigned    video, audio;
    } pairs[] = {
        { "index.m3u8", REEL_NOTFOUND, 1, 1 },
        { "index-f2.m3u8", REEL_NOTFOUND, 1, 1 },
        { "seg-1-f2-v3-a64.ts", REEL_OK, 3, 64 },
        { "index-v1.m3u8", REEL_UNSUPPORTED, 1, 1 },
        { "index-v1-a1-a2.m3u8", REEL_UNSUPPORTED, 1, 1 },
        { "index-v1-a1-s1.m3u8", REEL_UNSUPPORTED, 1, 1 },
        { "index-f1-v1-f2-a1.m3u8", REEL_UNSUPPORTED, 1, 1 }
    };

    (void) state;

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_true(reel_vod_name(&v, reel_str(pairs[i].name)));
        assert_int_equal(reel_vod_pair(&v, &track, &sound), pairs[i].err);
        assert_int_equal(track, pairs[i].video);
        assert_int_equal(sound, pairs[i].audio);
    }

    assert_true(reel_vod_name(&v, REEL_STR("master.m3u8")));
    assert_true(reel_vod_chosen(&v, 7, REEL_AUDIO, 200));
    assert_int_equal(reel_vod_track(&v, &kind, &track), REEL_NOTFOUND);
    assert_int_equal(reel_vod_file(&v), 1);

    assert_true(reel_vod_name(&v, REEL_STR("master-f1-v2-a1-f3.m3u8")));
    assert_false(reel_vod_chosen(&v, 1, REEL_VIDEO, 1));
    assert_true(reel_vod_chosen(&v, 1, REEL_VIDEO, 2));
    assert_true(reel_vod_chosen(&v, 1, REEL_AUDIO, 1));
    assert_false(reel_vod_chosen(&v, 2, REEL_VIDEO, 2));
    assert_true(reel_vod_chosen(&v, 3, REEL_AUDIO, 9));
    assert_false(reel_vod_chosen(&v, 1, REEL_VIDEO, 66));
    assert_int_equal(reel_vod_track(&v, &kind, &track), REEL_UNSUPPORTED);

    assert_true(reel_vod_name(&v, REEL_STR("seg-2-f4-a3.ts")));
    assert_int_equal(reel_vod_track(&v, &kind, &track), REEL_OK);
    assert_int_equal(reel_vod_file(&v), 4);
    assert_int_equal(kind, REEL_AUDIO);
    assert_int_equal(track, 3);

    /* one file more than may be told */
    memcpy(name, "index", at = 5);
    for (i = 0; i <= REEL_VOD_TRACKS; i++, at += 3) {
        memcpy(name + at, "-f1", 3);
    }
    memcpy(name + at, ".m3u8", 6);
    assert_false(reel_vod_name(&v, reel_str(name)));
}


static void
clips(void **state)
{
    size_t      i;
    int64_t     start, end;
    reel_str_t  path;

    static const struct {
        const char *path;
        const char *left;
        int64_t     start;
        int64_t     end;
    } all[] = {
        { "/a.mp4", "/a.mp4", -1, -1 },
        { "/a.mp4/clipFrom/1500", "/a.mp4", 1500000, -1 },
        { "/a/clipTo/9/clipFrom/5", "/a", 5000, 9000 },
        { "/a/clipFrom/x", "/a/clipFrom/x", -1, -1 },
        { "/a/clipFrom/-1", "/a/clipFrom/-1", -1, -1 },
        { "/a/clipFrom/9999999999999", "/a/clipFrom/9999999999999", -1, -1 },
        { "/clipFrom/5", "/clipFrom/5", -1, -1 },
        { "/a/shift/5/clipTo/7", "/a/shift/5", -1, 7000 },
        { "", "", -1, -1 }
    };

    (void) state;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        path = reel_str(all[i].path);
        start = end = -1;

        reel_vod_clip(&path, &start, &end);

        assert_true(reel_str_eqz(path, all[i].left));
        assert_int_equal(start, all[i].start);
        assert_int_equal(end, all[i].end);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(choices),
        cmocka_unit_test(clips)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* the reader of playlists: what it takes, and each fault that it tells */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "reelctl/m3u8.h"


#define HEAD "#EXTM3U\n#EXT-X-TARGETDURATION:6\n"


static void
test_media(void **state)
{
    reel_m3u8_t  m;

    static const char  text[] =
        "#EXTM3U\r\n#EXT-X-VERSION:6\r\n#EXT-X-TARGETDURATION:6\n"
        "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-PLAYLIST-TYPE:VOD\n# a comment\n"
        "#EXT-X-NOT-YET-KNOWN:A=\"1\n\n"
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k,1\",IV=0x00ff\n"
        "#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:6.0064,a title, with comma\n"
        "0.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=NONE\n"
        "#EXTINF:4,\n#EXT-X-BYTERANGE:100@50\nall.mp4\n"
        "#EXTINF:4,\n#EXT-X-BYTERANGE:30\n#EXT-X-GAP\nall.mp4\n"
        "#EXT-X-ENDLIST\n";

    (void) state;

    assert_int_equal(reel_m3u8_read(&m, reel_str(text)), REEL_OK);
    assert_int_equal(m.nfaults, 0);
    assert_true(m.media && !m.master && m.ended);
    assert_int_equal(m.version, 6);
    assert_int_equal(m.needs, 6);
    assert_int_equal(m.sequence, 7);
    assert_int_equal(m.type, REEL_M3U8_VOD);
    assert_int_equal(m.nsegments, 3);
    assert_int_equal(m.segments[0].duration_us, 6006400);
    assert_int_equal(m.segments[0].line, 12);
    assert_true(reel_str_eqz(m.segments[0].uri, "0.m4s"));
    assert_true(reel_str_eqz(reel_m3u8_get(&m.entries[m.segments[0].key],
                                           "URI"), "k,1"));
    assert_int_equal(m.segments[0].discontinuity, 0);
    assert_int_equal(m.segments[1].discontinuity, 1);
    assert_int_equal(m.segments[1].key, -1);
    assert_int_equal(m.segments[1].map, m.segments[0].map);
    assert_int_equal(m.segments[2].offset, 150);
    assert_int_equal(m.segments[2].length, 30);
    assert_true(m.segments[2].gap && !m.segments[1].gap);

    reel_m3u8_release(&m);
}


static void
test_master(void **state)
{
    int64_t       micro;
    reel_m3u8_t   m;

    static const char  text[] =
        "#EXTM3U\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"x=y\"\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=1000,X-OURS=whatever,"
        "CODECS=\"avc1.4d401f,mp4a.40.2\",FRAME-RATE=29.970\nv.m3u8\n";

    (void) state;

    assert_int_equal(reel_m3u8_read(&m, reel_str(text)), REEL_OK);
    assert_int_equal(m.nfaults, 0);
    assert_true(m.master && m.independent && !m.media);
    assert_int_equal(m.nentries, 2);
    assert_true(reel_str_eqz(reel_m3u8_get(&m.entries[0], "NAME"), "x=y"));
    assert_true(reel_str_eqz(m.entries[1].uri, "v.m3u8"));
    assert_int_equal(reel_m3u8_number(&m.entries[1], "BANDWIDTH"), 1000);
    assert_null(reel_m3u8_get(&m.entries[1], "AUDIO").p);
    assert_true(reel_m3u8_decimal(reel_m3u8_get(&m.entries[1], "FRAME-RATE"),
                                  &micro));
    assert_int_equal(micro, 29970000);

    reel_m3u8_release(&m);
}


static void
test_faults(void **state)
{
    size_t       i;
    reel_m3u8_t  m;

    static const struct {
        const char  *text;
        unsigned     line;
        const char  *part;
    } rows[] = {
        { "", 0, "neither" },
        { "#EXTM3U8\n#EXT-X-TARGETDURATION:6\n", 1, "first line" },
        { "\xef\xbb\xbf" HEAD, 1, "first line" },
        { "#EXTM3U\n#EXTINF:1,\na\n", 0, "TARGETDURATION is missing" },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:6.5\n", 2, "no number" },
        { HEAD HEAD "#EXTINF:1,\na\n", 4, "stands twice" },
        { HEAD "#EXTINF:1\na\n", 3, "comma" },
        { HEAD "#EXTINF:-1,\na\n", 3, "no duration" },
        { HEAD "#EXTINF:1.,\na\n", 3, "no duration" },
        { HEAD "#EXTINF:1,\n#EXTINF:1,\na\n", 4, "no URI" },
        { HEAD "#EXTINF:1,\n", 3, "it ends" },
        { HEAD "a\n", 3, "without EXTINF" },
        { HEAD "#EXTINF:1,\n#EXT-X-BYTERANGE:0@1\na\n", 4, "byte range" },
        { HEAD "#EXTINF:1,\n#EXT-X-BYTERANGE:5@x\na\n", 4, "byte range" },
        { HEAD "#EXTINF:1,\n#EXT-X-BYTERANGE:5\na\n", 5, "no offset" },
        { HEAD "#EXT-X-PLAYLIST-TYPE:LIVE\n", 3, "neither VOD" },
        { HEAD "#EXTINF:1,\na\n#EXT-X-MEDIA-SEQUENCE:1\n", 5, "behind" },
        { HEAD "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", 0, "in one" },
        { HEAD "#EXT-X-MAP:URI=i.mp4\n", 3, "without quotes" },
        { HEAD "#EXT-X-MAP:BYTERANGE=\"1@2\"\n", 3, "URI is missing" },
        { HEAD "#EXT-X-KEY:METHOD=NONE,IV=123\n", 3, "IV has" },
        { HEAD "#EXT-X-KEY:METHOD=NONE,METHOD=NONE\n", 3, "twice" },
        { HEAD "#EXT-X-KEY:METHOD=NONE,\n", 3, "not followed" },
        { HEAD "#EXT-X-KEY:METHOD=\n", 3, "empty" },
        { HEAD "#EXT-X-KEY:METHOD\n", 3, "not NAME=value" },
        { HEAD "#EXT-X-KEY:Method=NONE\n", 3, "not NAME=value" },
        { HEAD "#EXT-X-KEY:URI=\"a\n", 3, "not closed" },
        { HEAD "#EXT-X-KEY:URI=\"a\"b,METHOD=NONE\n", 3, "not followed" },
        { "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION:4\na\n", 3,
          "between" },
        { "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1X2\na\n", 2,
          "RESOLUTION has" },
        { "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=x\na\n", 2,
          "FRAME-RATE has" },
        { "#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"x\"\na\n", 2,
          "BANDWIDTH is missing" },
        { "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"b\","
          "DEFAULT=yes\n", 2, "DEFAULT has" },
        { HEAD "#EXTINF:1,\t\x01\na\n", 3, "control" },
        { HEAD "#EXTINF:1,\xff\na\n", 3, "UTF-8" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned  n;
        bool      found = false;

        assert_int_equal(reel_m3u8_read(&m, reel_str(rows[i].text)), REEL_OK);

        for (n = 0; n < m.nfaults && n < REEL_M3U8_FAULTS; n++) {
            found |= m.faults[n].line == rows[i].line
                     && strstr(m.faults[n].text, rows[i].part) != NULL;
        }

        if (!found) {
            print_message("row %zu: %s\n", i,
                          m.nfaults != 0 ? m.faults[0].text : "no fault");
        }

        assert_true(found);
        reel_m3u8_release(&m);
    }
}


static void
test_versions(void **state)
{
    size_t       i;
    reel_m3u8_t  m;

    static const struct {
        const char  *text;
        unsigned     needs;
    } rows[] = {
        { HEAD "#EXTINF:1,\na\n", 1 },
        { HEAD "#EXTINF:1.5,\na\n", 3 },
        { HEAD "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n", 2 },
        { HEAD "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",KEYFORMAT=\"x\"\n", 5 },
        { HEAD "#EXTINF:1,\n#EXT-X-BYTERANGE:1@0\na\n", 4 },
        { HEAD "#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI=\"i\"\n", 5 },
        { HEAD "#EXT-X-MAP:URI=\"i\"\n", 6 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(reel_m3u8_read(&m, reel_str(rows[i].text)), REEL_OK);
        assert_int_equal(m.needs, rows[i].needs);
        reel_m3u8_release(&m);
    }
}


static void
test_decimal(void **state)
{
    int64_t  v;

    (void) state;

    assert_true(reel_m3u8_decimal(REEL_STR("0.0000019"), &v) && v == 1);
    assert_true(reel_m3u8_decimal(REEL_STR("12"), &v) && v == 12000000);
    assert_false(reel_m3u8_decimal(REEL_STR(".5"), &v));
    assert_false(reel_m3u8_decimal(REEL_STR("1.5e3"), &v));
    assert_false(reel_m3u8_decimal(REEL_STR("99999999999999999999"), &v));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_media),
        cmocka_unit_test(test_master),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_decimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* inspect's facts, from files of which they are known */

#include "av_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/index/index.h"
#include "workerd/av_comb.h"


static void
test_plain(void **state)
{
    reel_source_t  s;

    (void) state;

    media_make("p.mp4", "-f lavfi -i testsrc2=s=320x180:r=30000/1001:d=4 "
               "-f lavfi -i sine=r=44100:d=4 -c:v libx264 -g 40 -c:a aac "
               "-metadata:s:a language=fre");
    media_inspect(&s, "p.mp4");

    assert_non_null(strstr(s.format, "mp4"));
    assert_true(s.bytes > 10000);

    assert_int_equal(s.video.stream, 0);
    assert_string_equal(s.video.codec, "h264");
    assert_true(s.video.constant_rate);
    assert_int_equal(s.video.rate.num, 30000);
    assert_int_equal(s.video.rate.den, 1001);
    assert_int_equal(s.video.frames, 120);
    assert_int_equal(s.video.width, 320);
    assert_int_equal(s.video.height, 180);
    assert_int_equal(s.video.rotation, 0);
    assert_false(s.video.hflip || s.video.vflip || s.video.interlaced);
    assert_int_equal(s.video.first_pts, 0);
    assert_int_equal(s.video.last_pts * s.video.tb.num * 30000
                     / s.video.tb.den, 119 * 1001);
    assert_int_equal(s.video.nkeyframes, 3);
    assert_int_equal(s.video.keyframes[1], 40 * s.video.last_dur);

    assert_int_equal(s.audio.stream, 1);
    assert_string_equal(s.audio.codec, "aac");
    assert_string_equal(s.audio.language, "fr");
    assert_int_equal(s.audio.sample_rate, 44100);
    assert_int_equal(s.audio.channels, 1);

    /* the encoder's priming is no sound */
    assert_int_equal(s.audio.first_pts, 0);
    assert_in_range(s.audio.end_pts, 4 * 44100, 4 * 44100 + 1024);

    reel_source_release(&s);
}


/* the first part of a file that was made */
static void
cut(const char *name, const char *from, unsigned percent)
{
    char    *data;
    size_t   n;

    data = media_read(from, &n);
    media_write(name, data, n * percent / 100);
    free(data);
}


static reel_warnings_t
warned(const char *name)
{
    reel_source_t    s;
    reel_warnings_t  w;

    media_inspect(&s, name);
    w = s.warnings;
    reel_source_release(&s);

    return w;
}


#define TWO_SOUNDS "-f lavfi -i testsrc2=s=64x64:r=25:d=2 " \
                   "-f lavfi -i sine=d=2 -map 0 -map 1 "


/* a file that ends early is known by what its container counts */
static void
test_ends_early(void **state)
{
    unsigned         i;
    reel_warnings_t  w;

    static const struct {
        const char *whole, *cut, *options;
        bool        told;       /* how much is missing */
    } rows[] = {
        { "w.mp4", "c.mp4", TWO_SOUNDS "-c:v mpeg4 -c:a aac -movflags "
          "+faststart", true },
        { "w.mkv", "c.mkv", TWO_SOUNDS "-c:v mpeg4 -c:a aac", true },
        { "w.ts", "c.ts", TWO_SOUNDS "-c:v mpeg2video -c:a mp2", false },
        { "w.wav", "c.wav", "-f lavfi -i sine=d=3", false },
        { "w.avi", "c.avi", TWO_SOUNDS "-c:v mpeg4 -c:a mp2", false },
        { "w.flv", "c.flv", TWO_SOUNDS "-c:v flv -c:a mp3 -ar 44100", true }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        media_make(rows[i].whole, rows[i].options);
        w = warned(rows[i].whole);
        assert_false(reel_warnings_any(&w));

        cut(rows[i].cut, rows[i].whole, 61);
        w = warned(rows[i].cut);
        assert_int_equal(w.of[REEL_WARN_ENDS_EARLY].count, 1);
        assert_in_range(w.of[REEL_WARN_ENDS_EARLY].at_ms, 900, 2000);
        assert_string_equal(w.of[REEL_WARN_ENDS_EARLY].stage, "inspect");
        assert_int_equal(strstr(w.of[REEL_WARN_ENDS_EARLY].where, " of ")
                         != NULL, rows[i].told);
        assert_int_equal(w.of[REEL_WARN_DURATION_WRONG].count, 0);
    }
}


static void
test_left_out(void **state)
{
    reel_warnings_t  w;

    (void) state;

    /* a second one of a language is no loss, unless it cannot be read */
    media_make("l.mkv", TWO_SOUNDS "-map 1 -map 1 -map 0 -c:v mpeg4 "
               "-c:a:0 aac -c:a:1 mp2 -c:a:2 tta");
    w = warned("l.mkv");
    assert_int_equal(w.of[REEL_WARN_TRACK_LEFT_OUT].count, 2);
    assert_string_equal(w.of[REEL_WARN_TRACK_LEFT_OUT].where,
                        "track 3 (tta), track 4 (mpeg4)");
    assert_int_equal(w.of[REEL_WARN_TRACK_LEFT_OUT].at_ms, -1);
    assert_int_equal(w.of[REEL_WARN_TEXT_LEFT_OUT].count, 0);

    media_make("r.mp4", "-f lavfi -i testsrc2=s=64x64:r=240:d=1 -c:v mpeg4");
    w = warned("r.mp4");
    assert_string_equal(w.of[REEL_WARN_RATE_REDUCED].where,
                        "1 of 4 pictures is kept");
    assert_int_equal(w.of[REEL_WARN_COLOURS_WRONG].count, 0);
}


static void
test_tracks_alone(void **state)
{
    reel_source_t  s;

    (void) state;

    media_make("v.mkv", "-f lavfi -i testsrc2=s=64x64:r=25:d=2 -c:v libx264");
    media_inspect(&s, "v.mkv");
    assert_int_equal(s.video.stream, 0);
    assert_int_equal(s.audio.stream, -1);
    reel_source_release(&s);

    media_make("a.m4a", "-f lavfi -i sine=d=2 -c:a aac");
    media_inspect(&s, "a.m4a");
    assert_int_equal(s.video.stream, -1);
    assert_int_equal(s.audio.stream, 0);
    reel_source_release(&s);
}


/* a program stream without every pts: its rate is constant all the same */
static void
test_lacks_pts(void **state)
{
    reel_source_t  s;

    (void) state;

    /* small pictures share a PES packet, and the first one's pts */
    media_make("ps.mpg", "-f lavfi -i color=gray:s=320x180:r=25:d=3 "
               "-f lavfi -i anoisesrc=d=3 -c:a mp2 -c:v mpeg2video");
    media_inspect(&s, "ps.mpg");
    assert_int_equal(s.video.frames, 75);
    assert_true(s.video.constant_rate);
    assert_int_equal(s.video.last_pts - s.video.first_pts, 74 * 3600);
    reel_source_release(&s);
}


/* a cover is no film, the default track wins, then the larger one */
static void
test_choice(void **state)
{
    reel_source_t  s;

    (void) state;

    media_make("cover.jpg", "-f lavfi -i testsrc2=s=640x640 -frames:v 1");
    media_make("song.wav", "-f lavfi -i sine=d=2");

    {
        char  args[1024];

        (void) snprintf(args, sizeof(args), "-i '%s' -i '%s' -map 1 -map 0 "
                        "-c:v copy -c:a libmp3lame -disposition:v "
                        "attached_pic", media_path("song.wav"),
                        media_path("cover.jpg"));
        media_make("song.mp3", args);
    }

    media_inspect(&s, "song.mp3");
    assert_int_equal(s.video.stream, -1);
    assert_true(s.audio.stream >= 0);
    reel_source_release(&s);

    media_make("two.mkv", "-f lavfi -i testsrc2=s=64x64:d=2 "
               "-f lavfi -i testsrc2=s=128x96:d=2 -f lavfi -i sine=d=2 "
               "-f lavfi -i anullsrc=cl=stereo -map 0 -map 1 -map 2 -map 3 "
               "-t 2 -c:v libx264 -c:a flac -disposition:v 0 "
               "-disposition:a 0 -disposition:a:0 default");
    media_inspect(&s, "two.mkv");
    assert_int_equal(s.video.stream, 1);
    assert_int_equal(s.audio.stream, 2);
    reel_source_release(&s);
}


/* of each language and role the best; the default one comes first */
static void
test_languages(void **state)
{
    reel_source_t  s;

    (void) state;

    media_make("langs.mkv", "-f lavfi -i sine=d=2 "
               "-f lavfi -i anullsrc=cl=stereo -map 0 -map 1 -map 0 -map 1 "
               "-map 0 -map 0 -t 2 -c:a flac "
               "-metadata:s:a:0 language=eng -metadata:s:a:1 language=fre "
               "-metadata:s:a:2 language=fre -metadata:s:a:3 language=eng "
               "-metadata:s:a:4 language=eng -metadata:s:a:4 title=Talk "
               "-metadata:s:a:5 language=eng -disposition:a 0 "
               "-disposition:a:1 default -disposition:a:4 comment "
               "-disposition:a:5 visual_impaired");
    media_inspect(&s, "langs.mkv");
    assert_int_equal(s.audio.stream, 1);
    assert_string_equal(s.audio.language, "fr");
    assert_int_equal(s.audio.roles, REEL_ROLE_DEFAULT);

    assert_int_equal(s.nmore, 3);
    assert_int_equal(s.more[0].stream, 3);
    assert_string_equal(s.more[0].language, "en");
    assert_int_equal(s.more[0].channels, 2);
    assert_int_equal(s.more[0].roles, 0);
    assert_int_equal(s.more[1].stream, 4);
    assert_string_equal(s.more[1].label, "Talk");
    assert_int_equal(s.more[1].roles, REEL_ROLE_COMMENTARY);
    assert_int_equal(s.more[2].stream, 5);
    assert_int_equal(s.more[2].roles, REEL_ROLE_DESCRIPTION);
    assert_true(s.more[2].end_pts > s.more[2].first_pts);
    reel_source_release(&s);
}


static void
test_shape(void **state)
{
    reel_source_t  s;

    (void) state;

    media_make("sar.mkv", "-f lavfi -i testsrc2=s=360x288:r=25:d=1 "
               "-vf setsar=16/11 -c:v libx264");
    media_inspect(&s, "sar.mkv");
    assert_int_equal(s.video.width, 524);
    assert_int_equal(s.video.height, 288);
    reel_source_release(&s);

    media_make("tff.ts", "-f lavfi -i testsrc2=s=320x180:r=50:d=2 "
               "-vf interlace -c:v libx264 -flags +ildct+ilme");
    media_inspect(&s, "tff.ts");
    assert_true(s.video.interlaced);
    assert_int_equal(s.video.frames, 50);
    reel_source_release(&s);
}


#define CODED  "mpeg4 -q:v 2"

/* nothing says that it is interlaced; one that moves as much is not */
static void
test_combed(void **state)
{
    unsigned       i;
    reel_source_t  s;
    static const struct {
        const char     *filter;
        reel_combed_t   combed;
        const char     *codec;
    } rows[] = {
        { "interlace=lowpass=off:scan=tff,setfield=prog", REEL_COMBED_TOP,
          CODED },
        { "interlace=lowpass=off:scan=bff,setfield=prog",
          REEL_COMBED_BOTTOM, CODED },
        { "fps=25", REEL_COMBED_NO, CODED },
        /* film of 24 pictures on tape: two in five are woven */
        { "fps=24,telecine,setfield=prog", REEL_COMBED_NO, CODED },
        /* of a card that captures; what is drawn is in RGB */
        { "interlace=lowpass=off:scan=tff,setfield=prog", REEL_COMBED_TOP,
          "rawvideo -pix_fmt uyvy422" },
        { "interlace=lowpass=off:scan=tff,setfield=prog", REEL_COMBED_NO,
          "rawvideo -pix_fmt bgr24" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char  args[256];

        (void) snprintf(args, sizeof(args), "-f lavfi -i "
                        "testsrc=s=320x180:r=50:d=2.5 "
                        "-vf scroll=h=0.01:v=0.01,%s -c:v %s",
                        rows[i].filter, rows[i].codec);
        media_make("w.avi", args);
        media_inspect(&s, "w.avi");
        assert_int_equal(s.video.combed, rows[i].combed);
        assert_int_equal(s.video.interlaced,
                         rows[i].combed != REEL_COMBED_NO);
        reel_source_release(&s);
    }
}


/* of 60: with 12 that are not combed the other 48 may still win */
static void
test_combs_settled(void **state)
{
    size_t               i;
    static const struct {
        reel_comb_t  c;
        bool         settled;
    } rows[] = {
        { { .seen = 0 }, false },
        { { .seen = 12, .progressive = 12 }, false },
        { { .seen = 13, .progressive = 13 }, true },
        { { .seen = 13, .progressive = 12, .top = 1 }, false },
        { { .seen = 60, .bottom = 48, .progressive = 12 }, false },
        { { .seen = 60, .bottom = 47, .progressive = 13 }, true },
        { { .seen = 60, .top = 60 }, false },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(reel_comb_settled(&rows[i].c, 60), rows[i].settled);
    }
}


/* a cover is no film, but it is seen */
static void
test_cover(void **state)
{
    reel_source_t  s;

    (void) state;

    media_make("c.mp3", "-f lavfi -i anoisesrc=d=1 "
               "-f lavfi -i testsrc2=s=120x90:r=10:d=0.1 -map 0 -map 1 "
               "-c:v png -disposition:v attached_pic -c:a mp3");
    media_inspect(&s, "c.mp3");
    assert_int_equal(s.video.stream, -1);
    assert_int_equal(s.audio.stream, 0);
    assert_int_equal(s.cover.stream, 1);
    assert_int_equal(s.cover.width, 120);
    assert_int_equal(s.cover.height, 90);
    reel_source_release(&s);
}


/* a transport stream that was cut out of the middle of a transmission */
static void
test_mid_stream(void **state)
{
    size_t          n;
    uint8_t        *data;
    reel_source_t   s;

    (void) state;

    media_make("m.ts", "-f lavfi -i testsrc2=s=160x96:r=25:d=8 "
               "-c:v libx264 -g 50 -bf 3 -x264-params open-gop=1");

    data = media_read("m.ts", &n);
    media_write("cut.ts", data + n / 3 / 188 * 188, n - n / 3 / 188 * 188);
    free(data);
    media_inspect(&s, "cut.ts");

    /* begins at a key frame: what stands before cannot be decoded */
    assert_true(s.video.constant_rate);
    assert_int_equal(s.video.first_pts, s.video.keyframes[0]);
    assert_int_equal(s.video.frames % 50, 0);
    assert_in_range(s.video.frames, 100, 150);

    reel_source_release(&s);
}


/* a key frame each picture, for long: the answer stays small */
static void
test_all_keys(void **state)
{
    size_t         i;
    reel_source_t  s;

    (void) state;

    media_make("k.avi", "-f lavfi -i color=s=16x16:r=60:d=700 -c:v mjpeg "
               "-q:v 31");
    media_inspect(&s, "k.avi");

    assert_int_equal(s.video.frames, 42000);
    assert_in_range(s.video.nkeyframes, 10000, 30000);
    for (i = 1; i < s.video.nkeyframes; i++) {
        assert_true(s.video.keyframes[i] > s.video.keyframes[i - 1]);
    }

    reel_source_release(&s);
}


#define X265(p) "-c:v libx265 -x265-params log-level=error:pools=none:"     \
    "keyint=12:min-keyint=12:scenecut=0:" p


/* profile 5 has no layer of colours that others know; 8.1 has one of HDR10 */
static void
test_dolby(void **state)
{
    reel_source_t  s;

    (void) state;

    media_make("d.mp4", "-f lavfi -i testsrc2=s=64x64:r=25:d=0.96 "
               X265("open-gop=0 -tag:v hvc1"));

    media_patch("d.mp4", "pasp", 0, "dvcC\1\0\x0a\x05\0\0\0\0", 12);
    media_inspect(&s, "d.mp4");
    assert_int_equal(s.warnings.of[REEL_WARN_COLOURS_WRONG].count, 1);
    assert_string_equal(s.video.copy.refused,
                        "its colours are Dolby Vision's alone");
    reel_source_release(&s);

    media_patch("d.mp4", "dvcC", 0, "dvvC\1\0\x10\x05\x10\0\0\0", 12);
    media_inspect(&s, "d.mp4");
    assert_int_equal(s.warnings.of[REEL_WARN_COLOURS_WRONG].count, 0);
    assert_string_equal(s.video.copy.refused, "");
    reel_source_release(&s);
}


/* of whose halves each has other parameter sets */
static void
make_changing(const char *name)
{
    char  args[1024];

    media_make("x1.ts", "-f lavfi -i testsrc2=s=64x64:r=25:d=0.96 "
               X265("open-gop=0:sao=1"));
    media_make("x2.ts", "-f lavfi -i testsrc2=s=64x64:r=25:d=0.96 "
               X265("open-gop=0:sao=0") " -output_ts_offset 0.96");
    (void) snprintf(args, sizeof(args), "-i 'concat:%s|", media_path("x1.ts"));
    (void) snprintf(args + strlen(args), sizeof(args) - strlen(args),
                    "%s' -c copy -tag:v hev1", media_path("x2.ts"));
    media_make(name, args);
}


typedef struct {
    const char *name, *args, *refused;
    uint32_t    gop, delay;
} copy_row_t;


static void
make_row(const copy_row_t *row)
{
    char  args[1024];

    (void) snprintf(args, sizeof(args), "-f lavfi -i testsrc2=s=64x64:"
                    "r=25:d=1.92 %s -threads 1", row->args);
    media_make(row->name, args);
}


/* a film that a patch or two may have changed */
static void
check_row(const copy_row_t *row)
{
    reel_source_t              s;
    const reel_source_copy_t  *c = &s.video.copy;

    media_inspect(&s, row->name);

    assert_true(c->known);
    assert_string_equal(c->refused, row->refused);
    assert_int_equal(c->gop, row->gop);
    assert_int_equal(c->delay, row->delay);
    assert_int_equal(c->kbps > 0, c->refused[0] == '\0');
    reel_source_release(&s);
}


static void
check_rows(const copy_row_t *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        make_row(&rows[i]);
        check_row(&rows[i]);
    }
}


/* which packets may stand as they are, and what is said of the others */
static void
test_copy(void **state)
{
    static const copy_row_t rows[] = {
        { "c.mp4", "-c:v libx264 -g 10 -bf 3 -sc_threshold 0", "", 10, 2 },
        { "n.mkv", "-c:v libx264 -g 10 -bf 0 -sc_threshold 0", "", 10, 0 },
        /* more key frames than the grid needs, and fewer */
        { "m.mp4", "-c:v libx264 -g 30 -forced-idr 1 -force_key_frames "
          "'expr:eq(n,7)+eq(n,12)+eq(n,24)+eq(n,36)'", "", 12, 2 },
        { "u.mp4", "-c:v libx264 -g 99 -forced-idr 1 -force_key_frames "
          "'expr:eq(n,7)+eq(n,12)'", "", 0, 2 },
        { "o.mp4", "-c:v libx264 -x264-params open-gop=1:keyint=10",
          "its key frames are not its IDR pictures", 0, 0 },
        { "t.ts", "-c:v libx264", "its container carries no avcC", 0, 0 },
        { "y.mp4", "-c:v libx264 -pix_fmt yuv444p",
          "it is not 8-bit 4:2:0 of a common profile", 0, 0 },
        { "i.mp4", "-c:v libx264 -flags +ildct+ilme", "it may be interlaced",
          0, 0 },
        { "s.mp4", "-c:v libx264 -vf setsar=2",
          "it is turned, stretched or odd in size", 0, 0 },
        { "v.mkv", "-c:v libx264 -vsync passthrough -vf "
          "'select=not(eq(n\\,5))'",
          "it has not one picture for each time of its rate", 0, 0 },
        { "p.mp4", "-c:v mpeg4", "it is neither H.264 nor HEVC", 0, 0 },
    };

    (void) state;

    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}


static void
test_copy_hevc(void **state)
{
    static const copy_row_t rows[] = {
        { "h1.mp4", X265("open-gop=0 -tag:v hvc1"), "", 12, 2 },
        /* parameter sets among the pictures are those of the header */
        { "h2.mp4", X265("open-gop=0:repeat-headers=1 -tag:v hev1"), "", 12,
          2 },
        { "h3.mkv", X265("open-gop=0:repeat-headers=1:aud=1:slices=2"), "",
          12, 2 },
        { "h4.mp4", X265("open-gop=0:b-pyramid=0 -pix_fmt yuv420p10"), "", 12,
          1 },
        /* CRA pictures that nothing leads, and such as are led */
        { "h5.mp4", X265("open-gop=1:bframes=0"), "", 12, 0 },
        { "h6.mp4", X265("open-gop=1"),
          "its GOPs are open: pictures lead a key frame", 0, 0 },
        { "h7.mp4", X265("open-gop=0:radl=2"),
          "its GOPs are open: pictures lead a key frame", 0, 0 },
        { "h8.ts", X265("open-gop=0"), "its container carries no hvcC", 0,
          0 },
        { "h9.mp4", X265("open-gop=0 -pix_fmt yuv422p10"),
          "it is not 4:2:0 of Main or Main 10", 0, 0 },
        { "ha.mp4", X265("open-gop=0 -pix_fmt yuv420p12"),
          "it is not 4:2:0 of Main or Main 10", 0, 0 },
        { "hb.mp4", X265("open-gop=0 -vf scale=256:192 -bsf:v "
                         "hevc_metadata=level=1"),
          "it is larger or faster than its level says", 0, 0 },
        { "hc.mp4", X265("open-gop=0 -vf setsar=2"),
          "it is turned, stretched or odd in size", 0, 0 },
        { "hd.mp4", X265("open-gop=0:interlace=1"), "it may be interlaced",
          0, 0 },
    };

    (void) state;

    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}


/* what a file's header says is not what its packets are */
static void
test_copy_header(void **state)
{
    size_t  i;

    static const struct {
        copy_row_t   row;
        const char  *box;
        size_t       at;
        const char  *bytes;
        size_t       len;
    } rows[] = {
        /* pictures lead CRA pictures, but these begin nothing */
        { { "j1.mp4", X265("open-gop=1"), "", 0, 2 },
          "stss", 8, "\0\0\0\1", 4 },
        /* IDR pictures that are not called so */
        { { "j2.mp4", X265("open-gop=0 -tag:v hvc1"),
            "it has IDR pictures that are no key frames", 0, 0 },
          "stss", 8, "\0\0\0\1", 4 },
        /* parameter sets are among the pictures alone */
        { { "j3.mp4", X265("open-gop=0:repeat-headers=1 -tag:v hev1"), "",
            12, 2 }, "hvcC", 26, "\0", 1 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_row(&rows[i].row);
        media_patch(rows[i].row.name, rows[i].box, rows[i].at,
                    rows[i].bytes, rows[i].len);
        check_row(&rows[i].row);
    }
}


/* sets that change, which the header has or has not */
static void
test_copy_changing(void **state)
{
    static const copy_row_t  row = { "x.mp4", NULL,
                                     "its parameter sets change", 0, 0 };

    (void) state;

    make_changing("x.mp4");
    check_row(&row);

    media_patch("x.mp4", "hvcC", 26, "\0", 1);
    check_row(&row);
}


/* the same of the access units of sounds */
static void
test_copy_sound(void **state)
{
    size_t         i;
    char           args[1024];
    reel_source_t  s;

    static const struct {
        const char *name, *args, *refused;
        int64_t     first_pts;
    } rows[] = {
        { "s1.mp4", "-ac 2 -c:a aac -b:a 128k", "", -1024 },
        { "s2.flv", "-ar 44100 -c:a aac", "", 0 },
        { "s3.mp4", "-c:a libmp3lame", "it is not AAC", 0 },
        { "s4.ts", "-c:a aac",
          "its container carries no AudioSpecificConfig", 0 },
        { "s5.mp4", "-ac 6 -c:a aac", "it is neither mono nor stereo", 0 },
        { "s6.mp4", "-c:a aac -profile:a aac_ltp -strict -2",
          "it is not AAC-LC", 0 },
        { "s7.mkv", "-c:a aac -bsf:a noise=drop='eq(n\\,40)'",
          "its units do not follow one another", 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void) snprintf(args, sizeof(args), "-f lavfi -i anoisesrc=d=2:"
                        "r=48000:a=0.1 %s", rows[i].args);
        media_make(rows[i].name, args);
        media_inspect(&s, rows[i].name);

        assert_true(s.audio.units.known);
        assert_string_equal(s.audio.units.refused, rows[i].refused);
        if (rows[i].refused[0] == '\0') {
            assert_int_equal(s.audio.units.first_pts, rows[i].first_pts);
            assert_in_range(s.audio.units.kbps, 50, 150);
        }
        reel_source_release(&s);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_ends_early),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_tracks_alone),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_combed),
        cmocka_unit_test(test_combs_settled),
        cmocka_unit_test(test_lacks_pts),
        cmocka_unit_test(test_cover),
        cmocka_unit_test(test_mid_stream),
        cmocka_unit_test(test_all_keys),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_copy_hevc),
        cmocka_unit_test(test_copy_header),
        cmocka_unit_test(test_copy_changing),
        cmocka_unit_test(test_dolby),
        cmocka_unit_test(test_copy_sound),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

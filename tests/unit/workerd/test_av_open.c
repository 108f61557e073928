/* what is refused, and under which code */

#include "av_media.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libavutil/error.h>
#include <libavutil/mem.h>

#include "workerd/av_fault.h"
#include "workerd/av_reader.h"


static void
check_text(const char *text, const char *code)
{
    media_write("text.mp4", text, strlen(text));
    assert_string_equal(media_error(reel_av_inspect, "text.mp4"), code);
}


/* named .mp4, yet they point at other files */
static void
test_references(void **state)
{
    char  text[1024];

    (void) state;

    media_make("other.mp4", "-f lavfi -i testsrc2=s=64x64:d=1 -c:v libx264");

    (void) snprintf(text, sizeof(text), "#EXTM3U\n#EXT-X-TARGETDURATION:9\n"
                    "#EXTINF:9,\n%s\n#EXT-X-ENDLIST\n",
                    media_path("other.mp4"));
    check_text(text, "FORBIDDEN_FORMAT");

    (void) snprintf(text, sizeof(text), "\xef\xbb\xbf\n#EXTM3U\n"
                    "#EXTINF:9,\nother.mp4\n");
    check_text(text, "FORBIDDEN_FORMAT");

    (void) snprintf(text, sizeof(text), "ffconcat version 1.0\nfile '%s'\n",
                    "other.mp4");
    check_text(text, "FORBIDDEN_FORMAT");

    check_text("file 'other.mp4'\n", "FORBIDDEN_FORMAT");

    check_text("<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:"
               "mpd:2011\" type=\"static\"><Period/></MPD>",
               "FORBIDDEN_FORMAT");
    check_text("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 "
               "127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
               "FORBIDDEN_FORMAT");
    check_text("RTSPtextrtsp://host/x", "FORBIDDEN_FORMAT");
    check_text("[playlist]\nFile1=other.mp4\n", "FORBIDDEN_FORMAT");
}


static void
test_no_media(void **state)
{
    (void) state;

    check_text("", "NOT_A_VIDEO");
    check_text("x", "NOT_A_VIDEO");
    check_text("Once upon a time there was a text, and it was long enough "
               "to be read by every probe there is.\n", "NOT_A_VIDEO");
    check_text("#!/bin/sh\necho hello\n", "NOT_A_VIDEO");
    check_text("WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n",
               "FORBIDDEN_FORMAT");

    media_make("p.png", "-f lavfi -i testsrc2=s=64x64 -frames:v 1");
    assert_int_equal(rename(media_path("p.png"), media_path("p%03d.mp4")), 0);
    assert_string_not_equal(media_error(reel_av_inspect, "p%03d.mp4"), "");
}


/* formats and codecs outside the lists */
static void
test_lists(void **state)
{
    (void) state;

    media_make("n.nut", "-f lavfi -i testsrc2=s=64x64:d=1 -c:v libx264");
    assert_string_equal(media_error(reel_av_inspect, "n.nut"), "NOT_A_VIDEO");

    media_make("c.mkv", "-f lavfi -i testsrc2=s=64x64:d=1 -c:v ffv1");
    assert_string_equal(media_error(reel_av_inspect, "c.mkv"),
                        "UNSUPPORTED_CODEC");
    assert_string_equal(media_error(reel_av_inspect, "c.mkv"),
                        "UNSUPPORTED_CODEC");

    media_make("s.mkv", "-f lavfi -i sine=d=1 -c:a wavpack");
    assert_string_equal(media_error(reel_av_inspect, "s.mkv"),
                        "UNSUPPORTED_CODEC");
}


/* what tapes, capture cards, broadcasters and recorders write */
static void
test_accepted(void **state)
{
    reel_source_t  s;

    static const struct {
        const char  *name, *args, *format, *video, *audio;
    } rows[] = {
        { "t.dv", "-f lavfi -i testsrc2=s=720x576:d=1 -f lavfi -i sine=d=1 "
          "-target pal-dv", "dv", "dvvideo", "pcm_s16le" },
        { "v.mov", "-f lavfi -i testsrc2=s=66x64:d=1 -c:v v210", NULL, "v210",
          "" },
        { "u.mov", "-f lavfi -i testsrc2=s=64x64:d=1 -c:v rawvideo "
          "-pix_fmt uyvy422", NULL, "rawvideo", "" },
        { "y.avi", "-f lavfi -i testsrc2=s=64x64:d=1 -c:v rawvideo "
          "-pix_fmt yuyv422", NULL, "rawvideo", "" },
        { "i.avi", "-f lavfi -i testsrc2=s=64x64:d=1 -c:v rawvideo "
          "-pix_fmt yuv420p", NULL, "rawvideo", "" },
        { "b.avi", "-f lavfi -i testsrc2=s=64x64:d=1 -c:v rawvideo "
          "-pix_fmt bgr24", NULL, "rawvideo", "" },
        { "d.mkv", "-f lavfi -i sine=d=1,aformat=cl=stereo -c:a dca "
          "-strict -2", NULL, "", "dts" },
        { "s.ts", "-f lavfi -i sine=d=1:r=48000,aformat=cl=stereo -c:a s302m "
          "-strict -2", NULL, "", "s302m" },
        { "s.ac3", "-f lavfi -i sine=d=1", "ac3", "", "ac3" },
        { "s.eac3", "-f lavfi -i sine=d=1", "eac3", "", "eac3" },
        { "s.aiff", "-f lavfi -i sine=d=1", "aiff", "", "pcm_s16be" },
    };

    (void) state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        media_make(rows[i].name, rows[i].args);
        media_inspect(&s, rows[i].name);

        if (rows[i].format != NULL) {
            assert_string_equal(s.format, rows[i].format);
        }
        assert_string_equal(s.video.stream < 0 ? "" : s.video.codec,
                            rows[i].video);
        assert_string_equal(s.audio.stream < 0 ? "" : s.audio.codec,
                            rows[i].audio);
        reel_source_release(&s);
    }

    /* another layout of raw pictures */
    media_make("o.avi", "-f lavfi -i testsrc2=s=64x64:d=1 -c:v rawvideo "
               "-pix_fmt yuv410p");
    assert_string_equal(media_error(reel_av_inspect, "o.avi"),
                        "UNSUPPORTED_CODEC");
}


static void
test_limits(void **state)
{
    char            args[4096];
    size_t          len;
    unsigned        i;
    media_answer_t  a;

    (void) state;

    media_make("big.avi", "-f lavfi -i color=s=8448x8448:r=1:d=1 "
               "-c:v mjpeg -q:v 31");
    assert_string_equal(media_error(reel_av_inspect, "big.avi"),
                        "LIMIT_PIXELS");

    len = (size_t) snprintf(args, sizeof(args), "-f lavfi -i sine=d=0.2 ");
    for (i = 0; i < 70; i++) {
        len += (size_t) snprintf(args + len, sizeof(args) - len, "-map 0:a ");
    }
    (void) snprintf(args + len, sizeof(args) - len, "-c:a pcm_s16le");

    media_make("many.mkv", args);
    assert_string_equal(media_error(reel_av_inspect, "many.mkv"),
                        "LIMIT_STREAMS");
    media_make("many.mov", args);
    assert_string_equal(media_error(reel_av_inspect, "many.mov"),
                        "LIMIT_STREAMS");

    media_make("long.mp4", "-f lavfi -i testsrc2=s=64x64:d=5 -c:v libx264");
    a = media_run(reel_av_inspect, "long.mp4", NULL, 0, NULL, 0, 3);
    assert_int_not_equal(a.status, 0);
    assert_string_equal(json_string_value(json_object_get(
                            media_line(&a, "error"), "code")),
                        "LIMIT_DURATION");
    json_decref(a.lines);

    a = media_run(reel_av_inspect, "long.mp4", NULL, 0, NULL, 0, 5);
    assert_int_equal(a.status, 0);
    json_decref(a.lines);
}


static void
cut(const char *name, long percent)
{
    struct stat  st;

    assert_int_equal(stat(media_path(name), &st), 0);
    assert_int_equal(truncate(media_path(name), st.st_size * percent / 100),
                     0);
}


static void
test_truncated(void **state)
{
    media_answer_t  a;

    (void) state;

    /* the index stands at the end, or in front and cut itself */
    media_make("t.mp4", "-f lavfi -i testsrc2=s=64x64:d=5 -c:v libx264");
    cut("t.mp4", 60);
    assert_string_equal(media_error(reel_av_inspect, "t.mp4"), "TRUNCATED");

    media_make("u.mp4", "-f lavfi -i testsrc2=s=64x64:d=5 -c:v libx264 "
               "-movflags +faststart");
    cut("u.mp4", 1);
    assert_string_equal(media_error(reel_av_inspect, "u.mp4"), "TRUNCATED");

    /* with a whole index, what is there is kept */
    media_make("v.mp4", "-f lavfi -i testsrc2=s=64x64:d=5 -c:v libx264 "
               "-movflags +faststart");
    cut("v.mp4", 60);
    a = media_run(reel_av_inspect, "v.mp4", NULL, 0, NULL, 0, 0);
    assert_int_equal(a.status, 0);
    json_decref(a.lines);
}


/* bytes that look like a film and are none */
static void
test_garbage(void **state)
{
    size_t   i;
    uint8_t  data[20000];
    uint32_t v;

    (void) state;

    for (i = 0, v = 1; i < sizeof(data); i++) {
        v = v * 1664525 + 1013904223;
        data[i] = (uint8_t) (v >> 24);
    }

    media_write("g.mp4", data, sizeof(data));
    assert_string_equal(media_error(reel_av_inspect, "g.mp4"), "NOT_A_VIDEO");

    memcpy(data, "\0\0\0\x18" "ftypisom\0\0\2\0isomiso2", 24);
    media_write("g.mp4", data, sizeof(data));
    assert_string_not_equal(media_error(reel_av_inspect, "g.mp4"), "");
}


/* an index that is right and pictures that are not */
static void
test_undecodable(void **state)
{
    size_t    n;
    uint8_t  *data, *mdat;

    (void) state;

    media_make("b.mp4", "-f lavfi -i testsrc2=s=128x96:r=10:d=4 -c:v libx264 "
               "-movflags +faststart");

    data = media_read("b.mp4", &n);
    mdat = memmem(data, n, "mdat", 4);
    assert_non_null(mdat);
    memset(mdat + 4, 0, n - (size_t) (mdat + 4 - data));
    media_write("b.mp4", data, n);
    free(data);

    assert_string_equal(media_error(reel_av_inspect, "b.mp4"), "BAD_MEDIA");
}


/* the second fragment's second picture is said to have 2 GiB; libav's word for
   it is ENOMEM, which is no matter of ours, to be tried again */
static void
test_absurd_size(void **state)
{
    size_t          n;
    uint8_t        *data, *run;
    media_answer_t  a;

    (void) state;

    media_make("a.mp4", "-f lavfi -i testsrc2=s=64x64:d=2 -c:v libx264 -g 25 "
               "-movflags frag_keyframe+empty_moov");
    data = media_read("a.mp4", &n);

    run = memmem(data, n, "trun", 4);
    assert_non_null(run);
    run = memmem(run + 4, n - (size_t) (run + 4 - data), "trun", 4);
    assert_non_null(run);
    assert_memory_equal(run + 4, "\0\0\x0a\x05\0\0\0\x19", 8);
    memcpy(run + 28, "\x7f\xff\xff\xff", 4);
    media_write("a.mp4", data, n);
    free(data);

    a = media_run(reel_av_inspect, "a.mp4", NULL, 0, NULL, 0, 0);
    assert_int_equal(a.status, 0);
    json_decref(a.lines);
}


/* a track of pictures without one, and sound */
static void
test_no_picture(void **state)
{
    size_t          n;
    uint8_t        *data, *sizes;
    media_answer_t  a;

    (void) state;

    media_make("n.mp4", "-f lavfi -i testsrc2=s=64x64:d=1 -f lavfi -i "
               "sine=d=1 -c:v libx264 -c:a aac -b:a 32k");
    data = media_read("n.mp4", &n);

    /* the number of them: behind version, flags and the size of all */
    sizes = memmem(data, n, "stsz", 4);
    assert_non_null(sizes);
    assert_memory_equal(sizes + 12, "\0\0\0\x19", 4);
    memcpy(sizes + 12, "\0\0\0\0", 4);
    media_write("n.mp4", data, n);
    free(data);

    a = media_run(reel_av_inspect, "n.mp4", NULL, 0, NULL, 0, 0);
    assert_int_equal(a.status, 0);
    assert_null(json_object_get(media_line(&a, "source"), "video"));
    assert_non_null(json_object_get(media_line(&a, "source"), "audio"));
    json_decref(a.lines);
}


/* where there is no memory it stays NO_MEMORY, to be tried again */
static void
test_no_memory(void **state)
{
    int            status;
    pid_t          pid;
    struct rlimit  none = { 1, 1 };

    (void) state;

    assert_int_equal(reel_av_cause(AVERROR(ENOMEM)), AVERROR_INVALIDDATA);
    assert_int_equal(reel_av_cause(AVERROR_EOF), AVERROR_EOF);

    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(setrlimit(RLIMIT_AS, &none) != 0
              || reel_av_cause(AVERROR(ENOMEM)) != AVERROR(ENOMEM));
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}


/* a decoder that was refused memory: no picture is missing for that */
static void
test_no_memory_for_pictures(void **state)
{
    int               fd, rc;
    AVFrame          *frame;
    reel_jumps_t      jumps = { 0 };
    reel_av_fault_t   f = { 0 };
    reel_av_reader_t  r = { 0 };

    (void) state;

    media_make("m.mkv", "-f lavfi -i testsrc2=s=640x360:d=1 "
               "-c:v mpeg4 -q:v 5");
    fd = open(media_path("m.mkv"), O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(reel_av_reader_open(&r, fd, 0, &jumps, 1, &f), 0);

    /* more than a packet takes, less than a picture */
    av_max_alloc(48 << 10);
    rc = reel_av_reader_next(&r, &frame, &f);
    av_max_alloc(REEL_AV_ALLOC_MAX);

    assert_int_equal(rc, -1);
    assert_string_equal(f.code, "NO_MEMORY");
    assert_int_equal(r.damaged, 0);

    reel_av_reader_close(&r);
    close(fd);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_no_media),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_undecodable),
        cmocka_unit_test(test_absurd_size),
        cmocka_unit_test(test_no_picture),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_no_memory_for_pictures),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

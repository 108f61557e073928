/*
 * The bytes of an encode: fragments that lie on the grid, one slice a
 * sample, nothing else in it, the same header in every chunk.
 */

#include "av_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/codec/avc.h"
#include "lib/mp4/cmaf.h"


typedef struct {
    uint32_t  n;
    uint32_t  size[512];
    int64_t   decode;           /* of the next sample */
    int64_t   min_pts;
    int64_t   max_end;
    int64_t   frame;
    uint32_t  second;           /* of a longer last fragment: the other key */
} walk_t;

typedef struct {
    reel_encoded_t  o;          /* owned */
    uint8_t        *data;       /* the object's bytes, owned */
    size_t          len;
} chunk_t;


static reel_err_t
see_sample(void *arg, const reel_cmaf_sample_t *s)
{
    int64_t  pts;
    walk_t  *w = arg;

    assert_true(w->n < 512);
    assert_true(s->duration > 0);
    assert_true(s->cts_offset >= 0);
    assert_int_equal(s->sync, w->n == 0 || w->n == w->second);

    pts = w->decode + s->cts_offset;
    if (pts < w->min_pts) {
        w->min_pts = pts;
    }
    if (pts + w->frame > w->max_end) {
        w->max_end = pts + w->frame;
    }

    w->size[w->n++] = s->size;
    w->decode += s->duration;

    return REEL_OK;
}


/* 4-byte lengths; slices only: 1 or 5, one of them */
static void
check_nals(const uint8_t *p, size_t size, bool idr)
{
    uint32_t  len;

    assert_true(size > 5);
    len = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
          | (uint32_t) p[2] << 8 | p[3];

    assert_int_equal(len + 4, size);
    assert_int_equal(p[4] & 0x1f, idr ? REEL_NAL_IDR : 1);
}


/* the same of H.265, and OBUs with their sizes of AV1 */
static void
check_sample(const char *codec, const uint8_t *p, size_t size, bool key)
{
    uint32_t  len;

    if (codec[0] == 'a' && codec[2] == '0') {
        /* the first is a sequence header or a frame, with its size */
        assert_true((p[0] & 0x82) == 0x02);
        return;
    }

    if (codec[0] == 'h') {
        len = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
              | (uint32_t) p[2] << 8 | p[3];
        assert_int_equal(len + 4, size);
        assert_true(key == (p[4] >> 1 >= 16 && p[4] >> 1 <= 20));
        return;
    }

    check_nals(p, size, key);
}


static void
check_fragment(const chunk_t *c, size_t at, uint32_t k,
    const reel_grid_t *g, int64_t *decode)
{
    size_t                     i;
    walk_t                     w = { 0 };
    int64_t                    start, end;
    reel_error_t               e = { "" };
    const uint8_t             *p;
    reel_cmaf_moof_t           m;
    const reel_ix_fragment_t  *f = &c->o.frags[k - c->o.frag_from];

    start = (int64_t) k * g->gop_ts;
    end = reel_grid_tick(g, k + 1);

    w.min_pts = INT64_MAX;
    w.frame = g->frame_ts;
    w.second = g->gop_ts / g->frame_ts;

    /* the first pass tells tfdt, which the samples need */
    assert_int_equal(reel_cmaf_read_moof(&m, c->data + at, c->len - at, NULL,
                                         NULL, &e), REEL_OK);
    w.decode = m.decode_ts;
    assert_int_equal(reel_cmaf_read_moof(&m, c->data + at, c->len - at,
                                         see_sample, &w, &e), REEL_OK);

    assert_int_equal(m.track_id, REEL_TRACK_VIDEO);
    assert_int_equal(m.sequence, k + 1);
    assert_int_equal(m.moof_size + m.mdat_size, f->size);
    assert_int_equal(w.n, f->samples);
    assert_int_equal(end - start, f->duration);

    /* it presents its slot, and decodes behind the one before */
    assert_int_equal(w.min_pts, start);
    assert_int_equal(w.max_end, end);
    assert_true(*decode < 0 || m.decode_ts == *decode);
    *decode = w.decode;

    p = c->data + at + m.data_offset;
    assert_int_equal(f->iframe, m.data_offset + w.size[0]);

    for (i = 0; i < w.n; i++) {
        check_sample(c->o.codec, p, w.size[i], i == 0 || i == w.second);
        p += w.size[i];
    }

    assert_ptr_equal(p, c->data + at + f->size);
}


static void
encode(chunk_t *c, const reel_encode_video_t *t, const char *source)
{
    char            *text;
    reel_buf_t       b;
    reel_error_t     e = { "" };
    media_answer_t   a;

    reel_buf_init(&b, REEL_PAYLOAD_MAX);
    assert_int_equal(reel_encode_video_print(&b, t), REEL_OK);
    a = media_run(reel_av_encode_video, source, (char *) b.data, b.len, "c",
                  0, 0);
    reel_buf_release(&b);
    assert_int_equal(a.status, 0);

    text = json_dumps(media_line(&a, "object"), JSON_COMPACT);
    assert_int_equal(reel_encoded_parse(&c->o, text, strlen(text), &e),
                     REEL_OK);
    free(text);
    json_decref(a.lines);

    c->data = media_read("c.0", &c->len);
    assert_int_equal(c->len, c->o.bytes);
}


static void
release(chunk_t *c)
{
    reel_encoded_release(&c->o);
    free(c->data);
}


/* ffmpeg decodes the object, and finds as many pictures as were told */
static void
check_decodes(const chunk_t *c, const char *tag)
{
    char   command[512], line[128], want[64];
    FILE  *fp;

    media_write("d.mp4", c->data, c->len);

    (void) snprintf(command, sizeof(command), "ffprobe -v error -count_frames "
                    "-show_entries stream=codec_tag_string,nb_read_frames "
                    "-of csv=p=0 '%s'", media_path("d.mp4"));
    (void) snprintf(want, sizeof(want), "%s,%llu\n", tag,
                    (unsigned long long) c->o.samples);

    fp = popen(command, "r");
    assert_non_null(fp);
    assert_non_null(fgets(line, sizeof(line), fp));
    assert_int_equal(pclose(fp), 0);
    assert_string_equal(line, want);
}


/* two chunks of a source, the first one of `cut` fragments; fewer: by so many
   fragments the last one is longer */
static void
check_longer(const char *source, reel_video_codec_t codec,
    const char *preset, uint32_t height, uint32_t cut, uint32_t gop_ms,
    uint32_t fewer)
{
    int                   i;
    size_t                at;
    chunk_t               c[2] = { 0 };
    int64_t               decode;
    uint32_t              k;
    reel_source_t         s;
    reel_encode_video_t   t;

    static const char *const tags[] = { "avc1", "hvc1", "av01" };

    media_inspect(&s, source);
    decode = -1;

    for (i = 0; i < 2; i++) {
        media_video_gop(&t, &s, i ? cut : 0, i ? 1000 : cut, gop_ms);
        (void) snprintf(t.preset, sizeof(t.preset), "%s", preset);
        t.grid.fragments -= fewer;
        t.frag_to -= i ? fewer : 0;
        t.rungs[0].codec = codec;
        t.rungs[0].height = height;
        encode(&c[i], &t, source);

        assert_string_equal(c[i].o.rendition, "v32");
        assert_int_equal(c[i].o.kind, REEL_VIDEO);
        assert_int_equal(c[i].o.timescale, t.grid.timescale);
        assert_int_equal(c[i].o.width, 160);
        assert_int_equal(c[i].o.height, height);
        assert_int_equal(c[i].o.frag_from, t.frag_from);
        assert_int_equal(c[i].o.nfrags, t.frag_to - t.frag_from);
        assert_memory_equal(c[i].data, c[i].o.header, c[i].o.header_len);
        assert_int_equal(strncmp(c[i].o.codec, tags[codec], 4), 0);

        at = c[i].o.base;
        for (k = t.frag_from; k < t.frag_to; k++) {
            check_fragment(&c[i], at, k, &t.grid, &decode);
            at += c[i].o.frags[k - t.frag_from].size;
        }
        assert_int_equal(at, c[i].len);
        check_decodes(&c[i], tags[codec]);
    }

    assert_int_equal(c[0].o.header_len, c[1].o.header_len);
    assert_memory_equal(c[0].o.header, c[1].o.header, c[0].o.header_len);
    assert_string_equal(c[0].o.codec, c[1].o.codec);

    release(&c[0]);
    release(&c[1]);
    reel_source_release(&s);
}


static void
check_grid(const char *source, reel_video_codec_t codec, const char *preset,
    uint32_t height, uint32_t cut, uint32_t gop_ms)
{
    check_longer(source, codec, preset, height, cut, gop_ms, 0);
}


static void
check_chunks(const char *source, reel_video_codec_t codec,
    const char *preset, uint32_t height, uint32_t cut)
{
    check_grid(source, codec, preset, height, cut, 2000);
}


static void
test_presets(void **state)
{
    size_t  i;

    static const char *const  presets[] = {
        "ultrafast", "veryfast", "medium", "slow"
    };

    (void) state;

    media_make("s.mp4", "-f lavfi -i testsrc2=s=160x32:r=30000/1001:d=9.3 "
               "-c:v libx264 -g 77");

    for (i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
        check_chunks("s.mp4", REEL_VIDEO_H264, presets[i], 32, 2);
    }
}


static void
test_codecs(void **state)
{
    (void) state;

    media_make("h.mp4", "-f lavfi -i testsrc2=s=160x64:r=25:d=5 "
               "-c:v libx264 -g 60");
    check_chunks("h.mp4", REEL_VIDEO_HEVC, "ultrafast", 64, 1);
    check_chunks("h.mp4", REEL_VIDEO_HEVC, "fast", 64, 1);
    check_chunks("h.mp4", REEL_VIDEO_AV1, "12", 64, 1);
}


/* beside copied pictures that end with a GOP, while sound goes on */
static void
test_a_longer_end(void **state)
{
    (void) state;

    media_make("l.mp4", "-f lavfi -i testsrc2=s=160x64:r=25:d=5 "
               "-c:v libx264 -g 50");
    check_longer("l.mp4", REEL_VIDEO_H264, "veryfast", 64, 1, 2000, 1);
    check_longer("l.mp4", REEL_VIDEO_HEVC, "fast", 64, 1, 2000, 1);
    check_longer("l.mp4", REEL_VIDEO_AV1, "12", 64, 1, 2000, 1);
}


/* GOPs of few pictures, down to one: of slides, of screens */
static void
test_few_a_gop(void **state)
{
    size_t  i, k;

    static const uint32_t  gops_ms[4] = { 500, 2000, 3000, 4000 };
    static const struct {
        reel_video_codec_t  codec;
        const char         *preset;
        size_t              from;
    } codecs[] = {
        { REEL_VIDEO_H264, "veryfast", 0 },
        { REEL_VIDEO_HEVC, "ultrafast", 0 },
        { REEL_VIDEO_AV1, "12", 1 },        /* its least, plan_grid.c */
    };

    (void) state;
    media_make("slow.mp4", "-f lavfi -i testsrc2=s=160x64:r=1:d=13 "
               "-c:v libx264");

    for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        for (k = codecs[i].from; k < 4; k++) {
            check_grid("slow.mp4", codecs[i].codec, codecs[i].preset, 64, 2,
                       gops_ms[k]);
        }
    }
}


/* a film of one picture, of one fragment, of a fragment and a picture */
static void
test_short(void **state)
{
    char           args[256];
    size_t         i;
    chunk_t        c = { 0 };
    int64_t        decode;
    uint32_t       k;
    reel_source_t  s;
    reel_encode_video_t  t;

    static const unsigned  frames[] = { 1, 2, 3, 4, 50, 51, 52 };

    (void) state;

    for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        (void) snprintf(args, sizeof(args), "-f lavfi -i testsrc2=s=160x32"
                        ":r=25 -frames:v %u -c:v libx264", frames[i]);
        media_make("few.mp4", args);
        media_inspect(&s, "few.mp4");
        assert_int_equal(s.video.frames, frames[i]);

        media_video_task(&t, &s, 0, 1000);
        encode(&c, &t, "few.mp4");
        assert_int_equal(c.o.samples, frames[i]);

        size_t  at = c.o.base;
        for (k = 0, decode = -1; k < t.frag_to; k++) {
            check_fragment(&c, at, k, &t.grid, &decode);
            at += c.o.frags[k].size;
        }

        release(&c);
        memset(&c, 0, sizeof(c));
        reel_source_release(&s);
    }
}


/* 10 bits, 4:2:2, full range, odd sizes: what comes out is plain 4:2:0 */
static void
test_kinds(void **state)
{
    char   command[512], line[128];
    FILE  *fp;
    size_t i;

    static const char *const  kinds[] = {
        "-pix_fmt yuv422p10le -c:v libx264",
        "-pix_fmt yuvj420p -c:v mjpeg -q:v 3",
        "-pix_fmt yuv444p -c:v libx264 -color_primaries bt709 "
        "-color_trc bt709 -colorspace bt709"
    };

    (void) state;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char           args[256];
        reel_source_t  s;

        (void) snprintf(args, sizeof(args), "-f lavfi -i testsrc2=s=162x34"
                        ":r=25:d=3 %s", kinds[i]);
        media_make("k.mov", args);
        media_inspect(&s, "k.mov");
        (void) remove(media_path("k.mp4"));
        media_encode_chunk(&s, "k.mov", 0, 1000, "k.mp4");

        (void) snprintf(command, sizeof(command), "ffprobe -v error "
                        "-show_entries stream=pix_fmt -of csv=p=0 '%s'",
                        media_path("k.mp4"));
        fp = popen(command, "r");
        assert_non_null(fp);
        assert_non_null(fgets(line, sizeof(line), fp));
        assert_int_equal(pclose(fp), 0);
        assert_string_equal(line, "yuv420p\n");

        reel_source_release(&s);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_codecs),
        cmocka_unit_test(test_a_longer_end),
        cmocka_unit_test(test_few_a_gop),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

/*
 * A film that is encoded in chunks against the same in one piece: around
 * the edges its pictures are as good, and neither has more bits at a time
 * than the rung's buffer takes.
 */

#include "av_media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS  4
#define RATE     25
#define GOP      25             /* pictures: of a second */
#define NEAR     3              /* pictures on either side of an edge */
#define WORSE    0.005
#define NFRAGS   SECONDS

typedef struct {
    uint64_t  bytes[NFRAGS];    /* of each fragment */
    double    ssim[SECONDS * RATE];
    unsigned  n;                /* pictures */
} encode_t;

static const uint32_t  whole[] = { NFRAGS };
static const uint32_t  pieces[] = { 1, 2, NFRAGS };


static void
note_bytes(encode_t *e, const media_answer_t *a)
{
    char            *text;
    uint32_t         i;
    reel_error_t     why = { "" };
    reel_encoded_t   o;

    text = json_dumps(media_line(a, "object"), JSON_COMPACT);
    assert_int_equal(reel_encoded_parse(&o, text, strlen(text), &why),
                     REEL_OK);

    for (i = 0; i < o.nfrags; i++) {
        e->bytes[o.frag_from + i] = o.frags[i].size;
    }

    reel_encoded_release(&o);
    free(text);
}


/* source's pictures, of which the rung's are whole ones */
static uint32_t
gop_of(const reel_video_rung_t *rung)
{
    return GOP + GOP % rung->every;
}


/* of luma, of each picture, against the source's */
static void
measure(encode_t *e, const char *source, uint32_t every)
{
    char       command[1024], *y;
    char       line[256];
    FILE      *fp;

    e->n = 0;
    (void) snprintf(command, sizeof(command), "ffmpeg -v error -i '%s' -i "
                    "'%s' -lavfi \"[1]select='not(mod(n,%u))'[s];[0][s]ssim="
                    "stats_file=-\" -f null /dev/null",
                    media_path("joined.mp4"), media_path(source), every);
    fp = popen(command, "r");
    assert_non_null(fp);

    while (fgets(line, sizeof(line), fp) != NULL) {
        y = strstr(line, "Y:");
        assert_true(y != NULL && e->n < SECONDS * RATE);
        e->ssim[e->n++] = strtod(y + 2, NULL);
    }

    assert_int_equal(pclose(fp), 0);
}


static void
encode(encode_t *e, const reel_source_t *s, const char *source,
    const reel_video_rung_t *rung, const char *preset, const uint32_t *edges)
{
    uint32_t              i, from;
    reel_buf_t            b;
    media_answer_t        a;
    reel_encode_video_t   t;

    (void) unlink(media_path("joined.mp4"));

    for (i = 0, from = 0; from < NFRAGS; from = edges[i++]) {
        media_video_task(&t, s, from, edges[i]);
        t.grid.gop_ts = gop_of(rung) * t.grid.frame_ts;
        t.grid.fragments = NFRAGS;
        t.frag_from = from;
        t.frag_to = edges[i];
        t.seek_pts = s->video.first_pts;
        t.rungs[0] = *rung;
        (void) snprintf(t.preset, sizeof(t.preset), "%s", preset);

        reel_buf_init(&b, REEL_PAYLOAD_MAX);
        assert_int_equal(reel_encode_video_print(&b, &t), REEL_OK);
        a = media_run(reel_av_encode_video, source, (char *) b.data, b.len,
                      "c", 0, 0);
        assert_int_equal(a.status, 0);
        note_bytes(e, &a);
        media_join(&a, 0, "c", "joined.mp4");
        json_decref(a.lines);
        reel_buf_release(&b);
    }

    measure(e, source, rung->every);
    assert_int_equal(e->n, SECONDS * RATE / rung->every);
}


static const struct {
    reel_video_codec_t  codec;
    const char         *preset;
    uint32_t            crf;
} coders[] = {
    { REEL_VIDEO_H264, "veryfast", 23 },
    { REEL_VIDEO_HEVC, "fast", 26 },
    { REEL_VIDEO_AV1, "11", 35 },
};


static reel_video_rung_t
rung_of(size_t i, uint32_t max_kbps)
{
    return (reel_video_rung_t) {
        .name = "v180", .width = 320, .height = 180, .crf = coders[i].crf,
        .max_kbps = max_kbps, .buf_kbits = max_kbps * 3 / 2, .every = 1,
        .codec = coders[i].codec
    };
}


static void
make(reel_source_t *s, const char *name, const char *noise)
{
    char  args[512];

    (void) snprintf(args, sizeof(args), "-f lavfi -i \"testsrc2=s=320x180:r=%d:"
                    "d=%d,noise=%s:allf=t,format=yuv420p\" -c:v libx264 "
                    "-preset ultrafast -crf 4", RATE, SECONDS, noise);
    media_make(name, args);
    media_inspect(s, name);
}


static void
check_edges(const reel_source_t *s, size_t i, uint32_t every)
{
    size_t              k, at, edge;
    double              off;
    encode_t            one, many;
    reel_video_rung_t   rung = rung_of(i, 2000);

    rung.every = every;
    encode(&one, s, "grain.mp4", &rung, coders[i].preset, whole);
    encode(&many, s, "grain.mp4", &rung, coders[i].preset, pieces);

    for (k = 0; pieces[k] < NFRAGS; k++) {
        edge = (size_t) pieces[k] * gop_of(&rung) / every;

        for (at = edge - NEAR; at < edge + NEAR; at++) {
            off = many.ssim[at] - one.ssim[at];
            if (off < -WORSE || off > WORSE) {
                fail_msg("picture %zu of codec %zu, 1 of %u: %.4f, in one "
                         "piece %.4f", at, i, every, many.ssim[at],
                         one.ssim[at]);
            }
        }
    }
}


static void
test_edges(void **state)
{
    size_t         i;
    reel_source_t  s;

    (void) state;

    make(&s, "grain.mp4", "alls=4");

    for (i = 0; i < sizeof(coders) / sizeof(coders[0]); i++) {
        check_edges(&s, i, 1);
    }

    /* of half the rate, and GOPs of an odd number of those */
    check_edges(&s, 0, 2);

    reel_source_release(&s);
}


/* noise: what they are bound by holds over all chunks together */
static void
test_bounds(void **state)
{
    size_t              i, from, to;
    uint64_t            kbits, all, peak;
    encode_t            e;
    reel_source_t       s;
    reel_video_rung_t   rung;

    (void) state;

    make(&s, "noise.mp4", "alls=40");

    for (i = 0; i < sizeof(coders) / sizeof(coders[0]); i++) {
        rung = rung_of(i, 800);
        encode(&e, &s, "noise.mp4", &rung, coders[i].preset, pieces);

        for (from = 0, peak = 0, all = 0; from < NFRAGS; from++) {
            for (to = from, kbits = 0; to < NFRAGS; to++) {
                kbits += e.bytes[to] * 8 / 1000;
                assert_true(kbits <= (to + 1 - from) * rung.max_kbps
                                     + rung.buf_kbits);
            }

            all += e.bytes[from];
            peak = e.bytes[from] > peak ? e.bytes[from] : peak;
        }

        assert_true(all * 8 / 1000 > NFRAGS * rung.max_kbps * 6 / 10);
        assert_true(peak * NFRAGS <= 2 * all);
    }

    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

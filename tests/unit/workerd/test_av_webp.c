/* animated WebP: its pictures, its times, and what is made of them */

#include "av_media.h"
#include "webp.h"

#include <stdlib.h>
#include <string.h>

#include <webp/demux.h>

#include "workerd/av_log.h"
#include "workerd/av_read.h"
#include "workerd/av_webp_movie.h"

#define W       WEBP_W
#define H       WEBP_H
#define PIXELS  (W * H)
#define N       40


static unsigned
apart(const uint8_t *a, const uint8_t *b, size_t n)
{
    unsigned  d, worst = 0;

    for (size_t i = 0; i < n; i++) {
        d = (unsigned) abs(a[i] - b[i]);
        worst = d > worst ? d : worst;
    }

    return worst;
}


/* all pictures as libwebpdemux has them */
static uint8_t *
reference(const reel_buf_t *b, unsigned n)
{
    int                    ts;
    uint8_t               *all = malloc((size_t) n * PIXELS * 4), *canvas;
    WebPData               data = { b->data, b->len };
    WebPAnimDecoder       *dec;
    WebPAnimDecoderOptions  o;

    assert_true(WebPAnimDecoderOptionsInit(&o));
    o.color_mode = MODE_rgbA;
    dec = WebPAnimDecoderNew(&data, &o);
    assert_true(dec != NULL && all != NULL);

    for (unsigned i = 0; i < n; i++) {
        assert_true(WebPAnimDecoderGetNext(dec, &canvas, &ts));
        memcpy(all + (size_t) i * PIXELS * 4, canvas, PIXELS * 4);
    }

    assert_false(WebPAnimDecoderHasMoreFrames(dec));
    WebPAnimDecoderDelete(dec);

    return all;
}


/* blending, disposal and keys of all sorts, in order and out of order; each
   blend may round another way */
static void
test_pictures(void **state)
{
    unsigned        keys = 0;
    uint8_t        *want;
    uint32_t        seed = 5, i;
    reel_buf_t      b;
    reel_av_webp_t  w;

    (void) state;

    for (unsigned film = 0; film < 6; film++) {
        webp_make(&b, W, H, N, film);
        want = reference(&b, N);
        assert_string_equal(webp_open(&w, &b, b.len), "");
        assert_int_equal(w.n, N);
        assert_false(w.cut);

        for (unsigned k = 0; k < 3 * N; k++) {
            i = k < N ? k : webp_random(&seed, N);
            assert_int_equal(reel_av_webp_show(&w, i), 1);
            assert_in_range(apart(w.canvas, want + (size_t) i * PIXELS * 4,
                                  PIXELS * 4), 0, 3);
        }

        for (i = 0; i < N; i++) {
            keys += w.frame[i].key;
        }

        reel_av_webp_close(&w);
        reel_buf_release(&b);
        free(want);
    }

    /* not only the first one of each, nor all */
    assert_in_range(keys, 12, 6 * N / 2);
}


/* through libavformat: times, bytes, and back again */
static void
test_movie(void **state)
{
    uint8_t           rgb[PIXELS * 3];
    AVPacket         *pkt = av_packet_alloc();
    reel_buf_t        b;
    reel_av_webp_t    w;
    reel_av_source_t  s;
    reel_av_fault_t   f = { 0 };

    (void) state;
    reel_av_log_init();

    webp_plain(&b, UINT32_MAX, webp_durs, WEBP_DURS);
    assert_string_equal(webp_open(&w, &b, b.len), "");
    assert_int_equal(reel_av_source_open(&s, w.fd, &f), 0);
    assert_int_equal(s.fmt->nb_streams, 1);
    assert_int_equal(s.fmt->streams[0]->codecpar->width, W);
    assert_int_equal(s.fmt->streams[0]->codecpar->height, H);

    for (unsigned k = 0; k < 2 * WEBP_DURS; k++) {
        unsigned  i = k < WEBP_DURS ? k : 2 * WEBP_DURS - 1 - k;

        if (k >= WEBP_DURS) {
            assert_true(av_seek_frame(s.fmt, 0, webp_times[i],
                                      AVSEEK_FLAG_BACKWARD) >= 0);
        }

        assert_int_equal(reel_av_source_read(&s, pkt, &f), 1);
        assert_int_equal(pkt->pts, webp_times[i]);
        assert_int_equal(pkt->size, PIXELS * 3);
        assert_int_equal(pkt->duration, webp_durs[i] <= 10 ? 100 : webp_durs[i]);

        assert_int_equal(reel_av_webp_show(&w, i), 1);
        for (size_t n = 0; n < PIXELS; n++) {
            memcpy(rgb + n * 3, w.canvas + n * 4, 3);
        }
        assert_memory_equal(pkt->data, rgb, PIXELS * 3);
    }

    av_packet_free(&pkt);
    reel_av_source_close(&s);
    reel_av_webp_close(&w);
    reel_buf_release(&b);
}


/* any piece of it is what the whole has there */
static void
test_pieces(void **state)
{
    int                   n, len;
    int64_t               at;
    uint8_t               whole[PIXELS * 3], piece[PIXELS * 3];
    uint32_t              seed = 3;
    reel_buf_t            b;
    reel_av_webp_t        w;
    reel_av_webp_movie_t  m;
    reel_av_fault_t       f = { 0 };

    (void) state;

    webp_plain(&b, UINT32_MAX, webp_durs, 2);
    assert_string_equal(webp_open(&w, &b, b.len), "");
    assert_int_equal(reel_av_webp_movie_open(&m, w.fd, b.len, &f), 0);
    reel_av_webp_close(&w);

    at = m.size - m.stride;
    n = reel_av_webp_movie_read(&m, whole, sizeof(whole), at);
    assert_int_equal(n, sizeof(whole));

    for (unsigned i = 0; i < 200; i++) {
        n = (int) webp_random(&seed, PIXELS * 3);
        len = 1 + (int) webp_random(&seed, 9);
        len = len < PIXELS * 3 - n ? len : PIXELS * 3 - n;
        assert_int_equal(reel_av_webp_movie_read(&m, piece, len, at + n),
                         len);
        assert_memory_equal(piece, whole + n, (size_t) len);
    }

    /* nothing behind it, and nothing behind all */
    assert_int_equal(reel_av_webp_movie_read(&m, piece, 9, at + PIXELS * 3),
                     0);
    assert_int_equal(reel_av_webp_movie_read(&m, piece, 9, m.size), 0);

    /* for who wants times only: one byte, and nothing is decoded for it */
    m.blank = true;
    m.film.next = UINT32_MAX;
    n = reel_av_webp_movie_read(&m, piece, sizeof(piece), at);
    assert_int_equal(n, 1);
    assert_int_equal(reel_av_webp_movie_read(&m, piece, 9, at + 1), 0);
    assert_int_equal(m.film.next, UINT32_MAX);

    reel_av_webp_movie_close(&m);
    reel_buf_release(&b);
}


static void
test_facts(void **state)
{
    reel_buf_t     b;
    reel_source_t  s;

    (void) state;

    webp_plain(&b, UINT32_MAX, webp_durs, WEBP_DURS);
    media_write("a.webp", b.data, b.len);
    media_inspect(&s, "a.webp");

    assert_string_equal(s.format, "webp");
    assert_int_equal(s.bytes, b.len);
    assert_string_equal(s.video.codec, "webp");
    assert_int_equal(s.video.width, W);
    assert_int_equal(s.video.height, H);
    assert_int_equal(s.video.last_pts, webp_times[WEBP_DURS - 1]);
    assert_int_equal(s.video.last_dur, 40);
    assert_false(s.video.constant_rate);
    assert_int_equal(s.audio.stream, -1);
    assert_false(reel_warnings_any(&s.warnings));

    reel_source_release(&s);
    reel_buf_release(&b);
}


/* what ffmpeg's encoder (libwebp's own) makes of numbered pictures */
static void
test_encode(void **state)
{
    reel_source_t        s;
    media_pictures_t     p;
    reel_encode_video_t  t;
    char                 clip[512], args[1024];

    (void) state;

    (void) snprintf(clip, sizeof(clip), MEDIA_NUMBERED, "20", "5");
    (void) snprintf(args, sizeof(args), "-f lavfi -i \"%s\" -c:v "
                    "libwebp_anim -loop 0", clip);
    media_make("n.webp", args);
    media_inspect(&s, "n.webp");
    assert_true(s.video.constant_rate);

    /* each chunk by itself: the second begins within */
    media_video_gop(&t, &s, 0, 1, 2000);
    media_encode(&t, "n.webp", "n.mp4");
    media_video_gop(&t, &s, 1, 3, 2000);
    media_encode(&t, "n.webp", "n.mp4");

    media_pictures(&p, "n.mp4");
    assert_int_equal(p.n, 100);

    for (int i = 0; i < 100; i++) {
        assert_int_equal(p.number[i], i);
        assert_int_equal(p.pts_us[i], i * 50000);
    }

    reel_source_release(&s);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_movie),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_encode),
    };

    return cmocka_run_group_tests(tests, media_setup, media_teardown);
}

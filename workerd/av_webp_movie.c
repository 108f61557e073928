#include "workerd/av_webp_movie.h"

#include <string.h>

#include "lib/mp4/box.h"


#define TIMESCALE    1000
#define HEAD_MAX     (16u << 20)
#define BASE         (INT64_C(1) << 32)     /* of the samples */

/* wider than any buffer and short seek of libavformat's, so that it never
   reads on from one sample into the next */
#define GAP          (4 << 20)

#define UNITY        0x00010000             /* 1.0 as 16.16 */
#define RGB_DEPTH    24

#define ENABLED      0x000007               /* in movie and preview too */


static uint64_t
duration(const reel_av_webp_t *w)
{
    uint64_t  sum = 0;

    for (uint32_t i = 0; i < w->n; i++) {
        sum += w->frame[i].dur_ms;
    }

    return sum;
}


static void
add_matrix(reel_buf_t *b)
{
    for (unsigned i = 0; i < 9; i++) {
        reel_buf_u32(b, i == 8 ? 1u << 30 : i % 4 == 0 ? UNITY : 0);
    }
}


/* QuickTime's, which ISO 14496-12, 8.2.2 took over; version 1 */
static void
add_mvhd(reel_buf_t *b, const reel_av_webp_t *w)
{
    size_t  box = reel_full_box_begin(b, REEL_FOURCC('m', 'v', 'h', 'd'), 1,
                                      0);

    reel_buf_zero(b, 16);
    reel_buf_u32(b, TIMESCALE);
    reel_buf_u64(b, duration(w));
    reel_buf_u32(b, UNITY);
    reel_buf_zero(b, 2 + 10);
    add_matrix(b);
    reel_buf_zero(b, 24);
    reel_buf_u32(b, 2);
    reel_box_end(b, box);
}


static void
add_tkhd(reel_buf_t *b, const reel_av_webp_t *w)
{
    size_t  box = reel_full_box_begin(b, REEL_FOURCC('t', 'k', 'h', 'd'), 1,
                                      ENABLED);

    reel_buf_zero(b, 16);
    reel_buf_u32(b, 1);
    reel_buf_zero(b, 4);
    reel_buf_u64(b, duration(w));
    reel_buf_zero(b, 16);
    add_matrix(b);
    reel_buf_u32(b, w->width << 16);
    reel_buf_u32(b, w->height << 16);
    reel_box_end(b, box);
}


static void
add_mdhd(reel_buf_t *b, const reel_av_webp_t *w)
{
    size_t  box = reel_full_box_begin(b, REEL_FOURCC('m', 'd', 'h', 'd'), 1,
                                      0);

    reel_buf_zero(b, 16);
    reel_buf_u32(b, TIMESCALE);
    reel_buf_u64(b, duration(w));
    reel_buf_u32(b, 0x7fff << 16);          /* of no language */
    reel_box_end(b, box);

    box = reel_full_box_begin(b, REEL_FOURCC('h', 'd', 'l', 'r'), 0, 0);
    reel_buf_add(b, "mhlrvide", 8);
    reel_buf_zero(b, 13);
    reel_box_end(b, box);
}


/* QuickTime's `raw ': rows of red, green, blue without padding */
static void
add_stsd(reel_buf_t *b, const reel_av_webp_t *w)
{
    size_t  entry, box = reel_full_box_begin(b, REEL_FOURCC('s', 't', 's',
                                                            'd'), 0, 0);

    reel_buf_u32(b, 1);
    entry = reel_box_begin(b, REEL_FOURCC('r', 'a', 'w', ' '));
    reel_buf_zero(b, 6);
    reel_buf_u16(b, 1);
    reel_buf_zero(b, 16);
    reel_buf_u16(b, (uint16_t) w->width);
    reel_buf_u16(b, (uint16_t) w->height);
    reel_buf_u32(b, 72 << 16);
    reel_buf_u32(b, 72 << 16);
    reel_buf_zero(b, 4);
    reel_buf_u16(b, 1);
    reel_buf_zero(b, 32);
    reel_buf_u16(b, RGB_DEPTH);
    reel_buf_u16(b, 0xffff);
    reel_box_end(b, entry);
    reel_box_end(b, box);
}


static void
add_stts(reel_buf_t *b, const reel_av_webp_t *w)
{
    size_t    count, box;
    uint32_t  run = 0, runs = 0;

    box = reel_full_box_begin(b, REEL_FOURCC('s', 't', 't', 's'), 0, 0);
    count = b->len;
    reel_buf_u32(b, 0);

    for (uint32_t i = 0; i < w->n; i++) {
        run++;

        if (i + 1 == w->n || w->frame[i + 1].dur_ms != w->frame[i].dur_ms) {
            reel_buf_u32(b, run);
            reel_buf_u32(b, w->frame[i].dur_ms);
            runs++;
            run = 0;
        }
    }

    if (b->err == REEL_OK) {
        reel_buf_patch32(b, count, runs);
    }
    reel_box_end(b, box);
}


/* a chunk of its own for each sample */
static void
add_places(reel_buf_t *b, const reel_av_webp_movie_t *m)
{
    size_t    box;
    uint32_t  n = m->film.n;

    box = reel_full_box_begin(b, REEL_FOURCC('s', 't', 's', 'c'), 0, 0);
    reel_buf_u32(b, 1);
    reel_buf_u32(b, 1);
    reel_buf_u32(b, 1);
    reel_buf_u32(b, 1);
    reel_box_end(b, box);

    box = reel_full_box_begin(b, REEL_FOURCC('s', 't', 's', 'z'), 0, 0);
    reel_buf_u32(b, (uint32_t) m->sample);
    reel_buf_u32(b, n);
    reel_box_end(b, box);

    box = reel_full_box_begin(b, REEL_FOURCC('c', 'o', '6', '4'), 0, 0);
    reel_buf_u32(b, n);
    for (uint32_t i = 0; i < n; i++) {
        reel_buf_u64(b, (uint64_t) (BASE + i * m->stride));
    }
    reel_box_end(b, box);
}


static void
add_trak(reel_buf_t *b, const reel_av_webp_movie_t *m)
{
    size_t  trak, mdia, minf, stbl;

    trak = reel_box_begin(b, REEL_FOURCC('t', 'r', 'a', 'k'));
    add_tkhd(b, &m->film);
    mdia = reel_box_begin(b, REEL_FOURCC('m', 'd', 'i', 'a'));
    add_mdhd(b, &m->film);
    minf = reel_box_begin(b, REEL_FOURCC('m', 'i', 'n', 'f'));
    stbl = reel_box_begin(b, REEL_FOURCC('s', 't', 'b', 'l'));
    add_stsd(b, &m->film);
    add_stts(b, &m->film);
    add_places(b, m);
    reel_box_end(b, stbl);
    reel_box_end(b, minf);
    reel_box_end(b, mdia);
    reel_box_end(b, trak);
}


static void
add_head(reel_buf_t *b, const reel_av_webp_movie_t *m)
{
    size_t  box = reel_box_begin(b, REEL_FOURCC('f', 't', 'y', 'p'));

    reel_buf_add(b, "qt  \0\0\0\0qt  ", 12);
    reel_box_end(b, box);

    box = reel_box_begin(b, REEL_FOURCC('m', 'o', 'o', 'v'));
    add_mvhd(b, &m->film);
    add_trak(b, m);
    reel_box_end(b, box);

    /* to the end; nothing is at its start */
    reel_buf_u32(b, 1);
    reel_buf_add(b, "mdat", 4);
    reel_buf_u64(b, (uint64_t) m->size - (b->len - 8));
}


int
reel_av_webp_movie_open(reel_av_webp_movie_t *m, int fd, uint64_t bytes,
    reel_av_fault_t *f)
{
    reel_err_t  err;

    *m = (reel_av_webp_movie_t) { .sample = 0 };

    if (reel_av_webp_open(&m->film, fd, bytes, f) != 0) {
        return -1;
    }

    m->sample = (int64_t) m->film.width * m->film.height * 3;
    m->stride = m->sample + GAP;
    m->size = BASE + m->film.n * m->stride;

    reel_buf_init(&m->head, HEAD_MAX);
    add_head(&m->head, m);
    err = reel_buf_err(&m->head);

    return err == REEL_OK ? 0 : reel_av_fault_err(f, err, "demux", "movie");
}


void
reel_av_webp_movie_close(reel_av_webp_movie_t *m)
{
    reel_buf_release(&m->head);
    reel_av_webp_close(&m->film);
}


/* n bytes of red, green, blue, red …, from byte `at` of the picture on */
static void
copy_rgb(uint8_t *p, size_t n, const uint8_t *canvas, size_t at)
{
    const uint8_t  *end = p + n, *src = canvas + at / 3 * 4;

    for (at %= 3; p < end && at != 0; at = (at + 1) % 3) {
        *p++ = src[at];
        src += at == 2 ? 4 : 0;
    }

    for ( ; end - p >= 3; p += 3, src += 4) {
        p[0] = src[0];
        p[1] = src[1];
        p[2] = src[2];
    }

    for ( ; p < end; p++, src++) {
        *p = *src;
    }
}


static int
read_sample(reel_av_webp_movie_t *m, uint8_t *p, int len, int64_t i,
    int64_t at)
{
    int      rc;
    int64_t  left = m->sample - at;

    if (i >= m->film.n || left <= 0) {
        return 0;
    }

    len = left < len ? (int) left : len;
    rc = m->blank ? 0 : reel_av_webp_show(&m->film, (uint32_t) i);
    if (rc < 0) {
        return rc;
    }

    if (rc == 0) {
        *p = 0;
        return at == 0;
    }

    copy_rgb(p, (size_t) len, m->film.canvas, (size_t) at);

    return len;
}


int
reel_av_webp_movie_read(reel_av_webp_movie_t *m, uint8_t *p, int len,
    int64_t pos)
{
    int64_t  left = (int64_t) m->head.len - pos;

    if (len <= 0 || pos < 0) {
        return 0;
    }

    if (left > 0) {
        len = left < len ? (int) left : len;
        memcpy(p, m->head.data + pos, (size_t) len);
        return len;
    }

    pos -= BASE;

    return pos < 0 ? 0 : read_sample(m, p, len, pos / m->stride,
                                     pos % m->stride);
}

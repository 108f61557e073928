#include "av_media.h"
#include "webp.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <webp/encode.h>


const uint32_t  webp_durs[] = { 40, 40, 10, 0, 11, 500, 2000, 40 };
const int64_t   webp_times[] = { 0, 40, 80, 180, 280, 291, 791, 2791 };


uint32_t
webp_random(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525 + 1013904223;

    return (uint32_t) ((uint64_t) *seed * below >> 32);
}


static void
u24le(reel_buf_t *b, uint32_t v)
{
    reel_buf_u16le(b, (uint16_t) v);
    reel_buf_u8(b, (uint8_t) (v >> 16));
}


void
webp_begin(reel_buf_t *b, uint32_t width, uint32_t height)
{
    reel_buf_init(b, 64 << 20);
    reel_buf_add(b, "RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x12\0\0\0", 24);
    u24le(b, width - 1);
    u24le(b, height - 1);

    /* a background that nobody shall see */
    reel_buf_add(b, "ANIM\6\0\0\0\x40\x80\xc0\xff\3\0", 14);
}


void
webp_end(reel_buf_t *b)
{
    reel_buf_patch32(b, 4, __builtin_bswap32((uint32_t) b->len - 8));
}


void
webp_add_data(reel_buf_t *b, const webp_picture_t *p, const void *data,
    size_t len)
{
    reel_buf_add(b, "ANMF", 4);
    reel_buf_u32le(b, (uint32_t) len + 16);
    u24le(b, p->x / 2);
    u24le(b, p->y / 2);
    u24le(b, p->w - 1);
    u24le(b, p->h - 1);
    u24le(b, p->dur_ms);
    reel_buf_u8(b, (uint8_t) p->flags);
    reel_buf_add(b, data, len);
    reel_buf_zero(b, len & 1);
}


/* a smooth picture, so that lossy ones are what they shall be */
static uint8_t *
paint(const webp_picture_t *p, uint32_t *seed)
{
    uint8_t   base[4], *rgba = malloc((size_t) p->w * p->h * 4), *q = rgba;

    assert_non_null(rgba);

    for (unsigned c = 0; c < 4; c++) {
        base[c] = (uint8_t) webp_random(seed, 256);
    }

    for (uint32_t y = 0; y < p->h; y++) {
        for (uint32_t x = 0; x < p->w; x++, q += 4) {
            q[0] = (uint8_t) (base[0] + x);
            q[1] = (uint8_t) (base[1] + y);
            q[2] = (uint8_t) (base[2] + x + y);
            q[3] = p->alpha == 255 ? 255
                                   : (uint8_t) (p->alpha + base[3] + x * 3);
        }
    }

    return rgba;
}


void
webp_add(reel_buf_t *b, const webp_picture_t *p, uint32_t *seed)
{
    size_t    len, skip;
    uint8_t  *file, *rgba = paint(p, seed);
    int       w = (int) p->w, h = (int) p->h;

    len = p->lossy ? WebPEncodeRGBA(rgba, w, h, w * 4, 80, &file)
                   : WebPEncodeLosslessRGBA(rgba, w, h, w * 4, &file);
    assert_true(len > 30);

    skip = memcmp(file + 12, "VP8X", 4) == 0 ? 30 : 12;
    webp_add_data(b, p, file + skip, len - skip);

    WebPFree(file);
    free(rgba);
}


void
webp_make(reel_buf_t *b, uint32_t width, uint32_t height, unsigned n,
    uint32_t seed)
{
    webp_picture_t  p;

    webp_begin(b, width, height);

    for (unsigned i = 0; i < n; i++) {
        p = (webp_picture_t) {
            .dur_ms = 20 + webp_random(&seed, 5) * 10,
            .flags = webp_random(&seed, 4),
            .lossy = webp_random(&seed, 2),
            .alpha = webp_random(&seed, 3) == 0 ? 255
                                                : webp_random(&seed, 255)
        };

        if (i == 0 || webp_random(&seed, 4) == 0) {
            p.w = width;
            p.h = height;
        } else {
            p.x = webp_random(&seed, width) & ~1u;
            p.y = webp_random(&seed, height) & ~1u;
            p.w = 1 + webp_random(&seed, width - p.x);
            p.h = 1 + webp_random(&seed, height - p.y);
        }

        webp_add(b, &p, &seed);
    }

    webp_end(b);
}


void
webp_plain(reel_buf_t *b, unsigned broken, const uint32_t *durs, unsigned n)
{
    uint32_t        seed = 1;
    webp_picture_t  p = { .w = WEBP_W, .h = WEBP_H, .alpha = 255 };

    webp_begin(b, WEBP_W, WEBP_H);

    for (unsigned i = 0; i < n; i++) {
        p.dur_ms = durs[i];

        if (i == broken) {
            webp_add_data(b, &p, "VP8L\x08\0\0\0garbage!", 16);
        } else {
            webp_add(b, &p, &seed);
        }
    }

    webp_end(b);
}


const char *
webp_open(reel_av_webp_t *w, const reel_buf_t *b, size_t len)
{
    static int              fd = -1;
    static reel_av_fault_t  fault;

    media_write("f.webp", b->data, len);
    if (fd >= 0) {
        close(fd);
    }
    fd = open(media_path("f.webp"), O_RDONLY);
    assert_true(fd >= 0);

    fault = (reel_av_fault_t) { 0 };

    return reel_av_webp_open(w, fd, len, &fault) == 0 ? "" : fault.code;
}

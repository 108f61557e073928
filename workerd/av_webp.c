#include "workerd/av_webp.h"

#include <stdlib.h>
#include <string.h>

#include <libavutil/error.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/mem.h>
#include <webp/decode.h>

#include "lib/store/pread.h"
#include "workerd/av_open.h"


#define FRAMES_MAX   (1u << 18)         /* 2.9 h at 25 a second */
#define CHUNKS_MAX   (4 * FRAMES_MAX)
#define PIXELS_MAX   (1ull << 38)       /* of all of them: 88 min of 1080p */
#define SIDE_MAX     16383              /* of any picture of WebP */
#define DATA_MAX     (256u << 20)       /* as much as the largest has raw */

#define SHORT_MS     10                 /* Gecko, WebKit and Blink agree */
#define SHORT_AS_MS  100

#define FLAG_ANIMATION 0x02
#define FLAG_DISPOSE   0x01
#define FLAG_NO_BLEND  0x02

#define CHUNK_HEAD   8
#define VP8X_SIZE    10
#define ANMF_SIZE    16
#define PEEK         (CHUNK_HEAD + ANMF_SIZE + 64)


bool
reel_av_webp_is_animated(const uint8_t *head, size_t len)
{
    return len >= REEL_AV_WEBP_HEAD && memcmp(head, "RIFF", 4) == 0
           && memcmp(head + 8, "WEBPVP8X", 8) == 0
           && (head[20] & FLAG_ANIMATION) != 0;
}


static int
see_canvas(reel_av_webp_t *w, const uint8_t *p, size_t len,
    reel_av_fault_t *f)
{
    if (len < VP8X_SIZE || w->width != 0) {
        return reel_av_fault(f, "BAD_MEDIA", "demux", "VP8X chunk");
    }

    w->width = AV_RL24(p + 4) + 1;
    w->height = AV_RL24(p + 7) + 1;

    if (w->width > SIDE_MAX || w->height > SIDE_MAX
        || (int64_t) w->width * w->height > REEL_AV_MAX_PIXELS)
    {
        return reel_av_fault(f, "LIMIT_PIXELS", "demux", "%u x %u pixels",
                             w->width, w->height);
    }

    return 0;
}


static bool
is_full(const reel_av_webp_t *w, const reel_av_webp_frame_t *q)
{
    return q->w == w->width && q->h == w->height;
}


/* p: the first bytes of its first chunk.  What they do not tell may be */
static bool
has_alpha(const uint8_t *p, size_t len)
{
    WebPBitstreamFeatures  is;

    return WebPGetFeatures(p, len, &is) != VP8_STATUS_OK || is.has_alpha;
}


/* nothing before it is seen: it covers all, or all was cleared before */
static bool
is_key(const reel_av_webp_t *w, const reel_av_webp_frame_t *q, bool alpha)
{
    const reel_av_webp_frame_t  *before;

    if (w->n == 0) {
        return true;
    }

    before = q - 1;

    return (is_full(w, q) && !(alpha && q->blend))
           || (before->dispose && is_full(w, before));
}


static int
grow_frames(reel_av_webp_t *w, reel_av_fault_t *f)
{
    void    *p;
    size_t   cap;

    if (w->n == FRAMES_MAX) {
        return reel_av_fault(f, "LIMIT_DURATION", "demux",
                             "more than %u pictures", FRAMES_MAX);
    }

    /* each is made whole, however few its bytes are */
    if ((w->n + 1) * ((uint64_t) w->width * w->height) > PIXELS_MAX) {
        return reel_av_fault(f, "LIMIT_DURATION", "demux",
                             "more than %u pictures of %u x %u", w->n,
                             w->width, w->height);
    }

    /* full at powers of two */
    if (w->n >= 64 ? (w->n & (w->n - 1)) != 0 : w->n != 0) {
        return 0;
    }

    cap = w->n == 0 ? 64 : (size_t) w->n * 2;
    p = reallocarray(w->frame, cap, sizeof(*w->frame));
    if (p == NULL) {
        return reel_av_fault_err(f, REEL_NOMEM, "demux", "pictures");
    }

    w->frame = p;
    return 0;
}


/*
 * An ANMF chunk of `size` bytes, its payload at `at`; p: the first len bytes
 * of that, ANMF_SIZE at least
 */
static int
see_frame(reel_av_webp_t *w, uint64_t at, uint32_t size, const uint8_t *p,
    size_t len, reel_av_fault_t *f)
{
    bool                  fits;
    uint32_t              x = AV_RL24(p) * 2, y = AV_RL24(p + 3) * 2;
    uint32_t              width = AV_RL24(p + 6) + 1;
    uint32_t              height = AV_RL24(p + 9) + 1;
    uint32_t              dur = AV_RL24(p + 12);
    reel_av_webp_frame_t *q;

    if (grow_frames(w, f) != 0) {
        return -1;
    }

    fits = width <= w->width && x <= w->width - width
           && height <= w->height && y <= w->height - height
           && size - ANMF_SIZE <= DATA_MAX;

    q = &w->frame[w->n];
    *q = (reel_av_webp_frame_t) {
        .at = at + ANMF_SIZE,
        .dur_ms = dur <= SHORT_MS ? SHORT_AS_MS : dur,
        .blend = (p[15] & FLAG_NO_BLEND) == 0
    };

    if (fits) {
        q->size = size - ANMF_SIZE;
        q->x = (uint16_t) x;
        q->y = (uint16_t) y;
        q->w = (uint16_t) width;
        q->h = (uint16_t) height;
        q->dispose = (p[15] & FLAG_DISPOSE) != 0;
    }

    q->key = is_key(w, q, has_alpha(p + ANMF_SIZE, len - ANMF_SIZE));
    w->n++;

    return 0;
}


/* head: a chunk's first len bytes, all of it in the file */
static int
see_chunk(reel_av_webp_t *w, uint64_t at, const uint8_t *head, size_t len,
    reel_av_fault_t *f)
{
    uint32_t  size = AV_RL32(head + 4);
    size_t    have = len - CHUNK_HEAD;

    have = have < size ? have : size;

    if (memcmp(head, "VP8X", 4) == 0) {
        return see_canvas(w, head + CHUNK_HEAD, have, f);
    }

    if (memcmp(head, "ANMF", 4) != 0) {
        return 0;
    }

    if (w->width == 0 || have < ANMF_SIZE) {
        return reel_av_fault(f, "BAD_MEDIA", "demux", "ANMF chunk");
    }

    return see_frame(w, at + CHUNK_HEAD, size, head + CHUNK_HEAD, have, f);
}


/* `end`: of what is there of the RIFF chunk */
static int
walk(reel_av_webp_t *w, uint64_t end, reel_av_fault_t *f)
{
    ssize_t   n;
    uint8_t   head[PEEK];
    uint64_t  at = 12, size;

    /* the last pad byte may be missing */
    for (unsigned i = 0; end > at && end - at >= CHUNK_HEAD;
         i++, at += CHUNK_HEAD + size + (size & 1))
    {
        if (i == CHUNKS_MAX) {
            return reel_av_fault(f, "BAD_MEDIA", "demux",
                                 "more than %u chunks", CHUNKS_MAX);
        }

        n = reel_pread(w->fd, head, end - at < PEEK ? end - at : PEEK, at);
        if (n < CHUNK_HEAD) {
            return reel_av_fault(f, "IO", "demux",
                                 "the source cannot be read");
        }

        size = AV_RL32(head + 4);

        if (size > end - at - CHUNK_HEAD) {
            w->cut = true;
            return 0;
        }

        if (see_chunk(w, at, head, (size_t) n, f) != 0) {
            return -1;
        }
    }

    return 0;
}


int
reel_av_webp_open(reel_av_webp_t *w, int fd, uint64_t bytes,
    reel_av_fault_t *f)
{
    uint8_t   head[CHUNK_HEAD];
    uint64_t  end;

    *w = (reel_av_webp_t) { .fd = fd };

    if (reel_pread(w->fd, head, sizeof(head), 0)
        != (ssize_t) sizeof(head)) {
        return reel_av_fault(f, "IO", "demux", "the source cannot be read");
    }

    /* ~0: who wrote it could not go back */
    end = (uint64_t) CHUNK_HEAD + AV_RL32(head + 4);
    w->cut = AV_RL32(head + 4) != UINT32_MAX && end > bytes + 1;

    if (walk(w, end < bytes ? end : bytes, f) != 0) {
        return -1;
    }

    if (w->n == 0) {
        return w->cut ? reel_av_fault(f, "TRUNCATED", "demux",
                                      "the file ends within its first picture")
                      : reel_av_fault(f, "NOT_A_VIDEO", "demux",
                                      "an animated WebP without pictures");
    }

    w->canvas = av_malloc((size_t) w->width * w->height * 4);

    return w->canvas != NULL
           ? 0 : reel_av_fault_err(f, REEL_NOMEM, "demux", "canvas");
}


void
reel_av_webp_close(reel_av_webp_t *w)
{
    free(w->frame);
    av_free(w->canvas);
    av_free(w->patch);
    av_free(w->data);
    *w = (reel_av_webp_t) { 0 };
}


static int
load(reel_av_webp_t *w, const reel_av_webp_frame_t *q)
{
    av_fast_malloc(&w->data, &w->data_cap, q->size);
    if (w->data == NULL) {
        return AVERROR(ENOMEM);
    }

    return reel_pread(w->fd, w->data, q->size, q->at) == (ssize_t) q->size
           ? 0 : AVERROR(EIO);
}


/* what was loaded, into q's size at `to` */
static int
decode(reel_av_webp_t *w, const reel_av_webp_frame_t *q, uint8_t *to,
    size_t stride)
{
    WebPDecoderConfig  c;

    if (!WebPInitDecoderConfig(&c)
        || WebPGetFeatures(w->data, q->size, &c.input) != VP8_STATUS_OK
        || c.input.width != q->w || c.input.height != q->h)
    {
        return 0;
    }

    c.output.colorspace = MODE_rgbA;
    c.output.is_external_memory = 1;
    c.output.u.RGBA.rgba = to;
    c.output.u.RGBA.stride = (int) stride;
    c.output.u.RGBA.size = stride * (q->h - 1u) + q->w * 4u;

    switch (WebPDecode(w->data, q->size, &c)) {
    case VP8_STATUS_OK:
        return 1;
    case VP8_STATUS_OUT_OF_MEMORY:
        return AVERROR(ENOMEM);
    default:
        return 0;
    }
}


static uint8_t *
place(const reel_av_webp_t *w, const reel_av_webp_frame_t *q)
{
    return w->canvas + ((size_t) q->y * w->width + q->x) * 4;
}


static void
clear(reel_av_webp_t *w, const reel_av_webp_frame_t *q)
{
    uint8_t  *p = place(w, q);

    for (unsigned y = 0; y < q->h; y++, p += (size_t) w->width * 4) {
        memset(p, 0, q->w * 4u);
    }
}


/* n bytes of pixels, both premultiplied */
static void
blend_line(uint8_t *dst, const uint8_t *src, size_t n)
{
    unsigned  rest;

    for (size_t i = 0; i < n; i += 4) {
        rest = 255u - src[i + 3];

        for (size_t k = i; k < i + 4; k++) {
            dst[k] = (uint8_t) (src[k] + (dst[k] * rest + 127) / 255);
        }
    }
}


static int
blend(reel_av_webp_t *w, const reel_av_webp_frame_t *q)
{
    int       rc;
    uint8_t  *dst = place(w, q);

    if (w->patch == NULL) {
        w->patch = av_malloc((size_t) w->width * w->height * 4);
    }
    if (w->patch == NULL) {
        return AVERROR(ENOMEM);
    }

    rc = decode(w, q, w->patch, q->w * 4u);

    for (unsigned y = 0; rc == 1 && y < q->h; y++) {
        blend_line(dst + (size_t) y * w->width * 4,
                   w->patch + (size_t) y * q->w * 4, q->w * 4u);
    }

    return rc;
}


/* picture w->next upon the one before it */
static int
advance(reel_av_webp_t *w)
{
    int                          rc = 0;
    const reel_av_webp_frame_t  *q = &w->frame[w->next];

    if (q->key) {
        w->broken = false;

        if (!is_full(w, q)) {
            memset(w->canvas, 0, (size_t) w->width * w->height * 4);
        }

    } else if (q[-1].dispose) {
        clear(w, q - 1);
    }

    if (q->size > 0) {
        rc = load(w, q);

        if (rc == 0) {
            rc = q->blend && !q->key
                 ? blend(w, q)
                 : decode(w, q, place(w, q), (size_t) w->width * 4);
        }
    }

    w->broken = w->broken || rc != 1;
    w->next++;

    return rc < 0 ? rc : 0;
}


int
reel_av_webp_show(reel_av_webp_t *w, uint32_t i)
{
    int       rc;
    uint32_t  from = i;

    if (w->next != i + 1) {
        /* from the last key, or on from the one at hand if that is nearer */
        while (!w->frame[from].key && from != w->next) {
            from--;
        }

        for (w->next = from; w->next <= i; /* void */) {
            rc = advance(w);
            if (rc < 0) {
                w->next = UINT32_MAX;       /* nothing to go on from */
                return rc;
            }
        }
    }

    return !w->broken;
}

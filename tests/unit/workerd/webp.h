/*
 * Animated WebPs for tests, chunk by chunk (RFC 9649, 2.7), so that each can
 * be wrong in a way of its own.
 */

#ifndef REEL_TESTS_WEBP_H
#define REEL_TESTS_WEBP_H

#include "lib/base/buf.h"
#include "workerd/av_webp.h"

#define WEBP_W  61
#define WEBP_H  46

#define WEBP_BLEND    0x00
#define WEBP_REPLACE  0x02
#define WEBP_DISPOSE  0x01

typedef struct {
    uint32_t x, y, w, h;        /* x and y even */
    uint32_t dur_ms;
    unsigned flags;
    bool     lossy;
    unsigned alpha;             /* 255: opaque; else some of it is less */
} webp_picture_t;

/* the head, with ANIM; webp_end() has the size patched */
void webp_begin(reel_buf_t *b, uint32_t width, uint32_t height);
void webp_add(reel_buf_t *b, const webp_picture_t *p, uint32_t *seed);
void webp_end(reel_buf_t *b);

/* an ANMF chunk with that image data, of which nothing is checked */
void webp_add_data(reel_buf_t *b, const webp_picture_t *p, const void *data,
    size_t len);

/* n pictures of all sorts on a canvas of that size, of this seed */
void webp_make(reel_buf_t *b, uint32_t width, uint32_t height, unsigned n,
    uint32_t seed);

/*
 * n opaque ones of WEBP_W x WEBP_H, of which `broken` cannot be decoded; as
 * long as durs says
 */
void webp_plain(reel_buf_t *b, unsigned broken, const uint32_t *durs,
    unsigned n);

/* as a file has them, and when they are to be shown */
#define WEBP_DURS  8

extern const uint32_t webp_durs[WEBP_DURS];
extern const int64_t  webp_times[WEBP_DURS];

/*
 * w of the first len bytes: its fault's code, "" when there is none.  Its
 * descriptor stays open to the next call.
 */
const char *webp_open(reel_av_webp_t *w, const reel_buf_t *b, size_t len);

/* [0, below) */
uint32_t webp_random(uint32_t *seed, uint32_t below);

#endif

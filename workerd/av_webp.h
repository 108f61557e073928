/*
 * The pictures of an animated WebP (RFC 9649, 2.7), which libavformat 5.1
 * cannot read: the chunks are walked here, and libwebp decodes each
 * picture.  Not libwebpdemux: its decoder wants all of the file in memory,
 * cannot begin in the middle, and ends at the first broken picture.
 *
 * Shown as browsers do: a picture of 10 ms or less stands for 100 ms, the
 * background colour and the number of loops are not looked at.  Where
 * nothing is painted, and behind what is transparent, it is black.
 */

#ifndef REEL_WORKERD_AV_WEBP_H
#define REEL_WORKERD_AV_WEBP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workerd/av_fault.h"

typedef struct {
    uint64_t at;                /* of its ALPH, VP8 or VP8L chunk */
    uint32_t size;              /* 0: it does not fit the canvas */
    uint32_t dur_ms;
    uint16_t x, y, w, h;        /* within the canvas, in pixels */
    bool     key;               /* nothing before it is seen through it */
    bool     blend;             /* over what was there, else in its place */
    bool     dispose;           /* its place is cleared behind it */
} reel_av_webp_frame_t;

typedef struct {
    int       fd;               /* borrowed; read with pread */
    uint32_t  width, height;
    uint32_t  n;                /* pictures, one at least */
    bool      cut;              /* the file ends within its chunks */

    reel_av_webp_frame_t *frame;
    uint8_t  *canvas;           /* RGBA, premultiplied, width * 4 a line */
    uint8_t  *patch;            /* a picture that is blended */
    uint8_t  *data;             /* a picture as the file has it */
    unsigned  data_cap;
    uint32_t  next;             /* the canvas shows the one before it */
    bool      broken;           /* and is wrong, up to the next key */
} reel_av_webp_t;

#define REEL_AV_WEBP_HEAD 21    /* bytes that tell */

/* RIFF, WEBP, and a VP8X chunk that says that there are several pictures */
bool reel_av_webp_is_animated(const uint8_t *head, size_t len);

/*
 * Walks the `bytes` bytes of fd.  -1 with f filled: LIMIT_PIXELS,
 * LIMIT_DURATION (too many pictures, or too many of that size), TRUNCATED (none
 * of them is whole), NOT_A_VIDEO (there are none), BAD_MEDIA, IO, NO_MEMORY.
 * w may be released after a failure.
 */
int reel_av_webp_open(reel_av_webp_t *w, int fd, uint64_t bytes,
    reel_av_fault_t *f);
void reel_av_webp_close(reel_av_webp_t *w);

/*
 * 1: the canvas shows picture i, which is below n.  0: it cannot be decoded,
 * or one that it builds upon.  AVERROR(EIO), AVERROR(ENOMEM).  The next one
 * costs one decode, others as many as lie behind the last key before them.
 */
int reel_av_webp_show(reel_av_webp_t *w, uint32_t i);

#endif

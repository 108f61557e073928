/*
 * An animated WebP as bytes that libavformat can read: a QuickTime movie
 * that nobody stores, of one track of raw RGB.  Its moov is made when it is
 * opened; what lies at a sample's offset is decoded when it is read.  So a
 * film of any length takes one picture's memory, and every task reads it as
 * it reads others.
 */

#ifndef REEL_WORKERD_AV_WEBP_MOVIE_H
#define REEL_WORKERD_AV_WEBP_MOVIE_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "workerd/av_webp.h"

typedef struct {
    reel_av_webp_t film;
    reel_buf_t     head;        /* all but the samples */
    int64_t        sample;      /* bytes of one: width * height * 3 */
    int64_t        stride;      /* from one to the next */
    int64_t        size;        /* of the movie */
    bool           blank;       /* settable: samples are one byte, which
                                   costs nothing, for who wants times */
} reel_av_webp_movie_t;

/*
 * Of the `bytes` bytes of fd, which it borrows.  -1 with f filled, as
 * reel_av_webp_open(); m may be released after a failure.
 */
int reel_av_webp_movie_open(reel_av_webp_movie_t *m, int fd, uint64_t bytes,
    reel_av_fault_t *f);
void reel_av_webp_movie_close(reel_av_webp_movie_t *m);

/*
 * As pread: at most len bytes at pos, 0 where there are none, which is so
 * between two samples as well.  Of a picture that cannot be decoded, or need
 * not be, there is one byte, which no decoder takes for a picture.
 * AVERROR(EIO), AVERROR(ENOMEM).
 */
int reel_av_webp_movie_read(reel_av_webp_movie_t *m, uint8_t *p, int len,
    int64_t pos);

#endif

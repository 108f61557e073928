/*
 * The source as libav sees it: an AVIOContext over descriptor 3, read with
 * pread, so that the descriptor's own position never matters; or a movie that
 * is made of what the descriptor has.
 */

#ifndef REEL_WORKERD_AV_IO_H
#define REEL_WORKERD_AV_IO_H

#include <stdbool.h>
#include <stdint.h>

#include <libavformat/avio.h>

#include "workerd/av_webp_movie.h"

typedef struct {
    int          fd;            /* borrowed */
    int64_t      bytes;         /* of the file */
    reel_av_webp_movie_t *movie;    /* owned; read instead, if not NULL */
    int64_t      pos;
    int64_t      size;          /* of what is read */
    bool         failed;        /* pread failed: the medium's fault */
    AVIOContext *pb;
} reel_av_io_t;

/* 0 or a libav error; io must stay where it is until closed */
int reel_av_io_open(reel_av_io_t *io, int fd);
void reel_av_io_close(reel_av_io_t *io);

/*
 * An animated WebP becomes a movie, other files stay what they are.  -1 with
 * f filled when it cannot be read as one.  Before anything is read.
 */
int reel_av_io_present(reel_av_io_t *io, reel_av_fault_t *f);

/* from here on only times are wanted: pictures need not be made */
void reel_av_io_times_only(reel_av_io_t *io);

/*
 * What the first bytes say, before libav looks at them: a text that refers
 * to other files (playlist, manifest, concat script, session description)
 * is refused by name.  NULL when it is none.
 */
const char *reel_av_io_sniff_reference(const reel_av_io_t *io);

/*
 * Walks the top boxes of what starts like an ISO file: true when the file
 * ends without a `moov`, that is, was cut.
 */
bool reel_av_io_lacks_moov(const reel_av_io_t *io);

/*
 * Whether it is a transport stream that ends within a packet, RIFF (AVI,
 * WAV) that is shorter than it says, or a WebP that ends within a chunk.
 */
bool reel_av_io_ends_within(const reel_av_io_t *io);

#endif

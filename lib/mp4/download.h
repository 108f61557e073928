/*
 * A film as one fragmented MP4 (ISO 14496-12, 8.8), made of what is stored:
 * one rendition of video, one of sound, or one alone.
 *
 *   ftyp, moov   the stored CMAF headers as one: both trak and trex boxes
 *                as they are, and mehd, which tells the duration
 *   sidx         8.16.3: where each segment begins, so that players seek
 *   then segment after segment: its fragments of video, those of sound
 *   free         empty, and the last: libavformat takes a sidx that ends
 *                with the file for a list of all moofs, and would see but
 *                the first one of each segment
 *
 * Fragments are stored bytes, unchanged: track_IDs stay (video 1, audio 2),
 * and so does mfhd's sequence_number, which counts within a track.
 */

#ifndef REEL_MP4_DOWNLOAD_H
#define REEL_MP4_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/index/index.h"

#define REEL_DOWNLOAD_TRACKS   2
#define REEL_DOWNLOAD_TAIL     8    /* bytes of that free */

/* references of the sidx; a longer film's span several segments */
#define REEL_DOWNLOAD_SEEKS    4096

typedef struct {
    const reel_index_t     *ix;
    const reel_rendition_t *track[REEL_DOWNLOAD_TRACKS];
    unsigned                ntracks;
    uint64_t                head;       /* bytes before the fragments */
    uint64_t                media;      /* bytes before the tail */
    uint64_t                size;       /* of the whole file */
} reel_download_t;

extern const uint8_t  reel_download_tail[REEL_DOWNLOAD_TAIL];

/* the highest video rendition of the set, between these heights (0: any) */
const reel_rendition_t *reel_download_video(const reel_index_t *ix,
    uint8_t switching_set, uint32_t min_height, uint32_t max_height);

/* the audio rendition to begin with; NULL: there is none */
const reel_rendition_t *reel_download_audio(const reel_index_t *ix);

/*
 * Fills d and appends the d->head bytes to head, which must be empty; ix is
 * borrowed.  One of video and audio may be NULL.  REEL_UNSUPPORTED: a
 * rendition has more than one header, or both the same track_ID;
 * REEL_BADDATA: a stored header is not well formed; errors of head.
 */
reel_err_t reel_download_init(reel_download_t *d, reel_buf_t *head,
    const reel_index_t *ix, const reel_rendition_t *video,
    const reel_rendition_t *audio, reel_error_t *e) REEL_WARN_UNUSED;

/* walks the pieces behind the head */
typedef struct {
    const reel_download_t *d;
    reel_packed_t          sizes[REEL_DOWNLOAD_TRACKS];
    unsigned               turn;        /* track of the next piece */
    uint32_t               next;        /* first fragment of its segment */

    /* the piece: fragments [first, first + count) of r */
    const reel_rendition_t *r;
    uint32_t               first;
    uint32_t               count;
    uint64_t               start;       /* offset in the file */
    uint64_t               size;
} reel_download_pieces_t;

void reel_download_pieces(reel_download_pieces_t *p,
    const reel_download_t *d);
bool reel_download_next(reel_download_pieces_t *p);     /* false: the end */

/* begins at the piece that holds offset: neither of the head nor the tail */
bool reel_download_seek(reel_download_pieces_t *p, const reel_download_t *d,
    uint64_t offset);

#endif

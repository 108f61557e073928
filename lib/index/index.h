/*
 * The reader of docs/index-format.md.  It allocates nothing: a parsed index
 * borrows the file's bytes, wherever they lie (a heap buffer, nginx's shared
 * memory), and walks varints on demand.
 */

#ifndef REEL_INDEX_INDEX_H
#define REEL_INDEX_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/index/packed.h"
#include "lib/index/samples.h"

#define REEL_INDEX_VERSION        1
#define REEL_INDEX_MAX_BYTES      (64u << 20)
#define REEL_INDEX_MAX_RENDITIONS 64
#define REEL_INDEX_MAX_HEADERS    256
#define REEL_INDEX_MAX_LISTS      64
#define REEL_INDEX_MAX_IMAGES     64
#define REEL_INDEX_MAX_PICTURES   16
#define REEL_INDEX_MAX_OBJECTS    (1u << 16)
#define REEL_INDEX_MAX_FRAGMENTS  (1u << 20)
#define REEL_INDEX_SALT           16
#define REEL_INDEX_OBJECT_NAME    63

/* fragments a segment: segment n = fragments [3n, 3n + 3) */
#define REEL_SEGMENT_FRAGMENTS    3

typedef enum {
    REEL_VIDEO = 1,
    REEL_AUDIO = 2,
    REEL_TEXT = 3
} reel_kind_t;

typedef enum { REEL_IMAGE_POSTER = 1 } reel_image_kind_t;

/* RFC 8216bis 4.4.6.2, VIDEO-RANGE */
typedef enum {
    REEL_RANGE_SDR = 0,
    REEL_RANGE_HLG = 1,
    REEL_RANGE_PQ = 2
} reel_video_range_t;

/* what a rendition is for: bits of reel_rendition_t.roles */
#define REEL_ROLE_FORCED      0x01u /* text: only what must be read */
#define REEL_ROLE_CAPTIONS    0x02u /* text: sounds too, for the deaf */
#define REEL_ROLE_DESCRIPTION 0x04u /* audio: tells what is seen */
#define REEL_ROLE_COMMENTARY  0x08u /* audio, text: talk about the film */
#define REEL_ROLE_DUB         0x10u /* audio: translated */
#define REEL_ROLE_DEFAULT     0x20u /* the one to begin with */
#define REEL_ROLES            0x3fu

typedef struct {
    reel_str_t  name;
    reel_kind_t kind;
    uint8_t     switching_set;
    reel_str_t  codec;
    reel_str_t  language;
    reel_str_t  label;
    uint32_t    timescale;
    uint32_t    width;
    uint32_t    height;
    uint32_t    rate_num;
    uint32_t    rate_den;
    uint32_t    channels;
    uint32_t    sample_rate;
    uint32_t    objects;
    reel_video_range_t video_range;     /* video */
    uint32_t    roles;          /* REEL_ROLE_*, unknown bits cleared */

    /* packed: walk them with the functions below */
    reel_str_t  object_bytes;   /* shared by the renditions of a list */
    reel_str_t  header_bytes;
    reel_str_t  base_bytes;
    reel_str_t  size_bytes;
    reel_str_t  duration_bytes;
    reel_str_t  sample_bytes;
    reel_str_t  iframe_bytes;
} reel_rendition_t;

typedef struct {
    reel_image_kind_t kind;
    reel_str_t        object;
    uint32_t          width;
    uint32_t          height;
    uint32_t          size;
} reel_image_t;

/*
 * JPEGs of one object, at equal steps of time: single frames (1 x 1), or
 * sheets of columns x rows of them in reading order.  Picture i shows the
 * film at i * interval_ms, and lies on sheet i / (columns * rows).
 */
typedef struct {
    reel_str_t object;          /* name below image/ */
    uint32_t   width;           /* of one picture */
    uint32_t   height;
    uint32_t   columns;
    uint32_t   rows;
    uint32_t   interval_ms;
    uint32_t   count;           /* pictures */
    uint32_t   sheets;          /* ceil(count / (columns * rows)) */
    reel_str_t size_bytes;      /* packed: bytes of each sheet */
} reel_pictures_t;

typedef struct {
    uint16_t         version;
    bool             growing;
    uint32_t         publication;
    uint8_t          salt[REEL_INDEX_SALT];
    uint32_t         master_key_id;
    int64_t          created_ms;

    uint32_t         timescale;         /* of the grid */
    uint32_t         gop_ts;
    uint32_t         fragments;
    int64_t          end_ts;
    bool             constant_rate;

    unsigned         nheaders;
    reel_str_t       headers[REEL_INDEX_MAX_HEADERS];
    unsigned         nrenditions;
    reel_rendition_t renditions[REEL_INDEX_MAX_RENDITIONS];
    unsigned         nimages;
    reel_image_t     images[REEL_INDEX_MAX_IMAGES];
    unsigned         npictures;
    reel_pictures_t  pictures[REEL_INDEX_MAX_PICTURES];
    unsigned         nsamples;          /* 0, or nrenditions; of a text
                                           sample_bytes is its WebVTT */
    reel_samples_t   samples[REEL_INDEX_MAX_RENDITIONS];
} reel_index_t;

/*
 * Checks everything: magic, version, CRC, every bound of the format, so that
 * what follows needs no check.  REEL_BADDATA (e names section and offset),
 * REEL_UNSUPPORTED (a newer format).  data is borrowed for ix's life.
 */
reel_err_t reel_index_parse(reel_index_t *ix, const void *data, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;

/*
 * For bytes that reel_index_parse accepted before and that nobody could
 * change since: the same without CRC and without walking the packed parts.
 */
reel_err_t reel_index_reparse(reel_index_t *ix, const void *data, size_t len)
    REEL_WARN_UNUSED;

/* NULL when there is none of that name */
const reel_rendition_t *reel_index_find(const reel_index_t *ix,
    reel_str_t name);

/* segments of `per` fragments each; the last may be shorter */
uint32_t reel_index_segments(const reel_index_t *ix, uint32_t per);

/*
 * One stretch of bytes of one object.  object borrows the index, or name
 * beside it: an extent is used where it was filled in, never copied.
 */
typedef struct {
    reel_str_t object;          /* name below the rendition's folder */
    uint32_t   header;          /* number of the HEADER it needs */
    uint64_t   offset;
    uint64_t   size;
    char       name[REEL_INDEX_OBJECT_NAME + 1];
} reel_extent_t;

#define REEL_EXTENTS_MAX 8

/*
 * Where fragments [first, first + count) of r lie: at most
 * REEL_EXTENTS_MAX stretches in order, *n of them.  REEL_NOTFOUND when the
 * index has no such fragments.
 */
reel_err_t reel_index_locate(const reel_index_t *ix,
    const reel_rendition_t *r, uint32_t first, uint32_t count,
    reel_extent_t ext[REEL_EXTENTS_MAX], unsigned *n) REEL_WARN_UNUSED;

/* where sheet i of q lies in its object; REEL_NOTFOUND behind the last */
reel_err_t reel_index_sheet(const reel_pictures_t *q, uint32_t i,
    uint64_t *offset, uint32_t *size) REEL_WARN_UNUSED;

/* walks the fragments of a rendition from the first one on */
typedef struct {
    reel_packed_t sizes, iframes;
    reel_runs_t   durations, samples;
    bool          video;
    uint32_t      left;
    /* of the fragment that reel_fragments_next returned */
    uint32_t      number;
    uint32_t      size;
    uint32_t      duration;
    uint32_t      nsamples;
    uint32_t      iframe;       /* 0 for audio and text */
    int64_t       start_ts;     /* sum of the durations before it */
} reel_fragments_t;

void reel_fragments_init(reel_fragments_t *f, const reel_index_t *ix,
    const reel_rendition_t *r);
bool reel_fragments_next(reel_fragments_t *f);  /* false past the last */

/* walks segments of `per` fragments, summing them */
typedef struct {
    reel_fragments_t f;
    uint32_t         per;
    uint32_t         number;    /* of the segment returned */
    uint64_t         size;
    uint64_t         duration;  /* ticks */
    int64_t          start_ts;
} reel_segments_t;

void reel_segments_init(reel_segments_t *s, const reel_index_t *ix,
    const reel_rendition_t *r, uint32_t per);
bool reel_segments_next(reel_segments_t *s);

/* passes over n segments, before the first call of reel_segments_next */
void reel_segments_skip(reel_segments_t *s, uint32_t n);

/* bits a second of whole segments: peak (worst segment) and average */
typedef struct {
    uint64_t peak;
    uint64_t average;
} reel_bitrate_t;

/*
 * RFC 8216 4.3.4.2: peak is the largest bit rate of any segment; a last
 * segment shorter than half the first one's length counts together with
 * the one before it.  Both are rounded up; 0 without segments.
 */
reel_bitrate_t reel_index_bitrate(const reel_index_t *ix,
    const reel_rendition_t *r, uint32_t per);

/* of segments [first, first + count) alone */
reel_bitrate_t reel_index_bitrate_of(const reel_index_t *ix,
    const reel_rendition_t *r, uint32_t per, uint32_t first, uint32_t count);

#endif

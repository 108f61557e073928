/*
 * Playlists and MPDs printed from an index.  Pure: the same index and
 * options give the same bytes.
 *
 * URIs are relative (RFC 3986, 4.2) to /<id>/…, so that a token in the path
 * reaches every segment.  A rendition's folder is printed as
 * "<name>~<hash>": the hash covers publication, salt, segment grid,
 * container and scheme, so what lies below it never changes and may be cached
 * for ever.  With opts.tracks names are those that nginx-vod-module gives
 * instead: "index-v1.m3u8", "seg-1-v1.ts", beside the manifest.
 */

#ifndef REEL_MANIFEST_MANIFEST_H
#define REEL_MANIFEST_MANIFEST_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/index/index.h"
#include "lib/manifest/shape.h"

#define REEL_VERSION_HASH 10    /* hex characters */

/* what a segment is delivered in */
typedef enum {
    REEL_CONTAINER_CMAF,        /* <n>.m4s, as stored */
    REEL_CONTAINER_TS           /* <n>.ts; H.264 and AAC only */
} reel_container_t;

#define REEL_TRACK_NAME  16      /* "f32-a64" and a NUL */

typedef char reel_track_name_t[REEL_TRACK_NAME];

typedef struct reel_rates_s reel_rates_t;       /* lib/manifest/rates.h */

/* lib/manifest/protection.h */
typedef struct reel_protection_s reel_protection_t;

/* what a rendition of a composed index is in its own */
typedef struct {
    const reel_index_t      *ix;
    const reel_rendition_t  *r;
    const reel_protection_t *protection;        /* NULL: clear */
} reel_origin_t;

typedef struct {
    uint32_t            per;    /* fragments a segment, 3 */
    uint8_t             switching_set;  /* whose video is listed */
    reel_container_t    container;      /* of HLS; DASH has CMAF only */
    bool                by_duration;    /* DASH: SegmentTemplate@duration */
    reel_shape_t        shape;
    const char         *token;  /* "token=…", which every URI carries on, of
                                   characters that need no escape; or NULL */
    const reel_protection_t *protection;        /* NULL: clear */
    const reel_rates_t *rates;  /* of this index, per and container; NULL:
                                   they are summed; not used for clips */

    /*
     * Of an index that was composed of several (lib/manifest/compose.h): the
     * one that each rendition is from, whose fragments, version and keys it
     * has, for all that protection has others; else NULL.
     */
    const reel_origin_t *origins;

    /*
     * Of each rendition of the index, for nginx-vod-module's names: "v1",
     * "f2-a1"; "": it is not listed.  NULL: our own names.
     */
    const reel_track_name_t *tracks;

    /*
     * Of names, instead of the index's: of a file that grows, whose names
     * stay meanwhile.  NULL: the index's.
     */
    const uint8_t *salt;

    /* the clip that URIs ask for, where it is not shape's; else NULL */
    const reel_shape_t *told;
} reel_manifest_opts_t;

/*
 * dst has REEL_VERSION_HASH + 1 bytes; "" when there is no memory.  With
 * protection the hash covers the keys too, so that another master key makes
 * other names.
 */
void reel_version_hash(char *dst, const reel_index_t *ix,
    const reel_manifest_opts_t *o);

/*
 * All of them: REEL_INVAL for per = 0, REEL_NOTFOUND when there is nothing
 * to list (see reel_span for clips), REEL_UNSUPPORTED for headers that
 * change where the format cannot say so, REEL_NOMEM, REEL_LIMIT.
 *
 * The multivariant playlist (RFC 8216bis 4.4.6): one EXT-X-STREAM-INF per
 * video rendition × audio group, the default variant first (the one nearest
 * to 2 Mb/s from below, else the lowest; of H.264 and SDR where there is
 * such), the others by falling bit rate; then an I-frame playlist for each
 * video rendition, always of CMAF.  An asset without video lists its audio
 * renditions as variants.  The URIs of a clip carry its query.
 */
reel_err_t reel_hls_master(reel_buf_t *b, const reel_index_t *ix,
    const reel_manifest_opts_t *o) REEL_WARN_UNUSED;

/*
 * A media playlist of r: VOD with ENDLIST when complete, EVENT without it
 * while growing; then a last segment of less than per fragments is kept
 * back.  "init.mp4" is the header of the first object; where a later object
 * has another, EXT-X-MAP names "init-<number of the header>.mp4".  prefix
 * goes before "<n>.m4s" and "init.mp4": "" when the playlist itself lies in
 * the versioned folder, else "../v720~<hash>/".  Text has <n>.vtt, with the
 * lengths of the video's segments.  With opts.tracks prefix is for keys
 * alone.
 */
reel_err_t reel_hls_media(reel_buf_t *b, const reel_index_t *ix,
    const reel_rendition_t *r, const reel_manifest_opts_t *o,
    const char *prefix) REEL_WARN_UNUSED;

/* can a transport stream carry it? */
bool reel_ts_carries(const reel_rendition_t *r);

/* one of several films that are played in a row: what is printed of it */
typedef struct {
    const reel_index_t         *ix;
    const reel_rendition_t     *r;      /* of playlists */
    const reel_manifest_opts_t *o;
    const char                 *prefix; /* likewise */
} reel_part_t;

/*
 * The same of n >= 1 films in a row, none of which grows: each begins with
 * EXT-X-DISCONTINUITY, but the first, and has an EXT-X-MAP of its own.
 */
reel_err_t reel_hls_media_parts(reel_buf_t *b, const reel_part_t *parts,
    unsigned n) REEL_WARN_UNUSED;
reel_err_t reel_hls_iframes_parts(reel_buf_t *b, const reel_part_t *parts,
    unsigned n) REEL_WARN_UNUSED;

/*
 * The I-frame playlist of r, a video rendition: byte ranges of "<n>.m4s"
 * from each fragment's start to the end of its first sample.  o's container
 * must be CMAF; prefix as above.  Encrypted ones are "<fragment>.iframe.m4s":
 * what a moof has of encryption is not in the index, and AES-128 encrypts
 * each of them as a whole.
 */
reel_err_t reel_hls_iframes(reel_buf_t *b, const reel_index_t *ix,
    const reel_rendition_t *r, const reel_manifest_opts_t *o,
    const char *prefix) REEL_WARN_UNUSED;

/*
 * A static MPD (ISO 23009-1) of one Period; dynamic while the index grows.
 * An AdaptationSet for the video of each codec and range, for each audio
 * track and codec, for each text, and one of thumbnails.  With by_duration
 * a static one has SegmentTemplate@duration instead of SegmentTimeline, if
 * all segments keep to the grid (within half of one; clips never do).
 */
reel_err_t reel_dash_mpd(reel_buf_t *b, const reel_index_t *ix,
    const reel_manifest_opts_t *o) REEL_WARN_UNUSED;

/* the same of n >= 1 films in a row, a Period each */
reel_err_t reel_dash_mpd_parts(reel_buf_t *b, const reel_part_t *parts,
    unsigned n) REEL_WARN_UNUSED;

/*
 * Sheets of pictures lie below /<id>/storyboard[~<hash>]/ as if they were a
 * rendition of that name.  The set of them; NULL: there is none.
 */
#define REEL_STORYBOARD "storyboard"

const reel_pictures_t *reel_storyboard_find(const reel_index_t *ix);

/*
 * The WebVTT thumbnails of that set, hash of its version, token as above;
 * REEL_NOTFOUND when there is none.
 */
reel_err_t reel_storyboard_vtt(reel_buf_t *b, const reel_index_t *ix,
    const char *hash, const char *token) REEL_WARN_UNUSED;

#endif

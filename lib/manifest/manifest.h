/*
 * Playlists and MPDs printed from an index.  Pure: the same index and
 * options give the same bytes.  Each output format is one file; hls.c and
 * dash.c today.
 *
 * URIs are relative (RFC 3986, 4.2) to /<id>/…, so that a token in the path
 * reaches every segment.  A rendition's folder is printed as
 * "<name>~<hash>": the hash covers publication, salt, segment grid,
 * container and scheme, so what lies below it never changes and may be cached for ever.
 */

#ifndef REEL_MANIFEST_MANIFEST_H
#define REEL_MANIFEST_MANIFEST_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/index/index.h"

#define REEL_VERSION_HASH 10    /* hex characters */

/* what a segment is delivered in */
typedef enum {
    REEL_CONTAINER_CMAF,        /* <n>.m4s, as stored */
    REEL_CONTAINER_TS           /* <n>.ts; H.264 and AAC only */
} reel_container_t;

typedef struct {
    uint32_t         per;       /* fragments a segment, 3 */
    uint8_t          switching_set; /* video renditions of it are listed */
    reel_container_t container;
} reel_manifest_opts_t;

/* dst has REEL_VERSION_HASH + 1 bytes; "" when there is no memory */
void reel_version_hash(char *dst, const reel_index_t *ix,
    const reel_manifest_opts_t *o);

/*
 * All of them: REEL_INVAL for per = 0, REEL_NOTFOUND when there is nothing
 * to list, REEL_UNSUPPORTED for headers that change where the format cannot
 * say so, REEL_NOMEM, REEL_LIMIT.
 *
 * The multivariant playlist (RFC 8216bis 4.4.6): one EXT-X-STREAM-INF per
 * video rendition × audio group, highest last resort first: the default
 * variant (the one nearest to 2 Mb/s from below, else the lowest) stands
 * first, the others follow by falling bit rate.  An asset without video
 * lists its audio renditions as variants.
 */
reel_err_t reel_hls_master(reel_buf_t *b, const reel_index_t *ix,
    const reel_manifest_opts_t *o) REEL_WARN_UNUSED;

/*
 * A media playlist of r: VOD with ENDLIST when complete, EVENT without it
 * while growing; then a last segment of less than per fragments is kept
 * back.  "init.mp4" is the header of the first object; where a later object
 * has another, EXT-X-MAP names "init-<number of the header>.mp4".  prefix
 * goes before "<n>.m4s" and "init.mp4": "" when the playlist itself lies in
 * the versioned folder, else "../v720~<hash>/".
 */
reel_err_t reel_hls_media(reel_buf_t *b, const reel_index_t *ix,
    const reel_rendition_t *r, const reel_manifest_opts_t *o,
    const char *prefix) REEL_WARN_UNUSED;

/*
 * A static MPD (ISO 23009-1) of one Period with SegmentTimeline, one
 * AdaptationSet for video and one per audio language; dynamic while the
 * index grows.
 */
reel_err_t reel_dash_mpd(reel_buf_t *b, const reel_index_t *ix,
    const reel_manifest_opts_t *o) REEL_WARN_UNUSED;

#endif

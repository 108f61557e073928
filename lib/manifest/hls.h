/* what the kinds of HLS playlists share */

#ifndef REEL_MANIFEST_HLS_H
#define REEL_MANIFEST_HLS_H

#include "lib/manifest/listing.h"

/*
 * RFC 8216bis, 8: EXT-X-MAP in a playlist that is not I-frames only needs
 * version 6, durations with a fraction need 3; nothing that is printed needs
 * a later one.  Audio groups are known from 4 on.
 */
#define REEL_HLS_VERSION        6
#define REEL_HLS_VERSION_TS     3
#define REEL_HLS_VERSION_GROUPS 4
#define REEL_HLS_VERSION_KEYS   5       /* KEYFORMAT */

/* #EXT-X-START of a clip that does not begin with a segment */
void reel_hls_start(reel_buf_t *b, const reel_span_t *s,
    const reel_manifest_opts_t *o);

/* 4.4.3.1: the EXTINF closest to us, above it: whole seconds */
uint64_t reel_hls_target(int64_t longest_us);

/* #EXTINF:6.006000, */
void reel_hls_extinf(reel_buf_t *b, int64_t us);

/*
 * How segments and headers of a playlist are named: "<prefix>7.m4s" and
 * "<prefix>init", or by opts.tracks "seg-8-v1.m4s" and "init-v1".
 */
typedef struct {
    const char *before;                 /* a segment's number … */
    uint32_t    first;                  /* … of fragment 0 … */
    char        after[REEL_TRACK_NAME + 8];     /* … and behind it */
    const char *prefix;                 /* of a header … */
    char        header[REEL_TRACK_NAME + 8];    /* … and its name */
} reel_hls_names_t;

void reel_hls_names(reel_hls_names_t *n, const reel_part_t *part,
    const char *suffix);

/* a line; number counts from 0 */
void reel_hls_segment(reel_buf_t *b, const reel_hls_names_t *n,
    const reel_manifest_opts_t *o, uint32_t number);

/* #EXT-X-MAP; number: of the header, unless it is the first one */
void reel_hls_map(reel_buf_t *b, const reel_hls_names_t *n,
    const reel_manifest_opts_t *o, uint32_t number, bool first);

/* "?token=…" behind a URI without other parameters, where there is one */
void reel_hls_token(reel_buf_t *b, const reel_manifest_opts_t *o);

/* are segments encrypted whole, by the numbers that playlists count? */
bool reel_hls_whole(const reel_manifest_opts_t *o);

/* before a header, which is clear even then: false, if nothing was to say */
bool reel_hls_unkey(reel_buf_t *b, const reel_manifest_opts_t *o);

/* #EXT-X-MEDIA of all groups of sound, and of text */
void reel_hls_groups(reel_buf_t *b, const reel_listing_t *l);

#endif

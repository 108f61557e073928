/*
 * Names of nginx-vod-module's URLs, for players that have them:
 * "index-v1-a1.m3u8", "seg-3-f2-v1.ts", "/clipFrom/1000/clipTo/9000/".
 * Tracks and files count from 1, as segments do.
 */

#ifndef REEL_TITLE_VOD_NAME_H
#define REEL_TITLE_VOD_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"
#include "lib/index/index.h"

#define REEL_VOD_TRACKS 64      /* of a file that may be chosen */

typedef enum {
    REEL_VOD_MASTER,            /* master.m3u8 */
    REEL_VOD_INDEX,             /* index.m3u8 */
    REEL_VOD_IFRAMES,           /* iframes.m3u8 */
    REEL_VOD_SEGMENT,           /* seg-<n>.ts, .m4s, .vtt */
    REEL_VOD_HEADER,            /* init.mp4 */
    REEL_VOD_KEY,               /* encryption.key */
    REEL_VOD_MPD,               /* manifest.mpd */
    REEL_VOD_FRAGMENT           /* fragment-<n>.m4s */
} reel_vod_kind_t;

/* what is chosen of a file: bit n - 1 is track n; none of any kind: all */
typedef struct {
    unsigned file;              /* 0: of all files */
    uint64_t tracks[REEL_TEXT + 1];     /* by reel_kind_t */
} reel_vod_choice_t;

typedef struct {
    reel_vod_kind_t   kind;
    reel_str_t        suffix;   /* ".ts" */
    reel_str_t        told;     /* "f2-v1": what it chooses; may be empty */
    reel_str_t        digits;   /* of a segment's number */
    uint64_t          number;   /* of a segment, from 1 */
    unsigned          n;
    reel_vod_choice_t choices[REEL_VOD_TRACKS];
} reel_vod_name_t;

/* false: it is no such name */
bool reel_vod_name(reel_vod_name_t *v, reel_str_t name) REEL_WARN_UNUSED;

/* is track number `track` of that kind in file `file` chosen? */
bool reel_vod_chosen(const reel_vod_name_t *v, unsigned file,
    reel_kind_t kind, unsigned track);

/* the file whose tracks are chosen; 1: none is told */
unsigned reel_vod_file(const reel_vod_name_t *v);

/*
 * The only track that is chosen; REEL_NOTFOUND: none is told;
 * REEL_UNSUPPORTED: there are several.
 */
reel_err_t reel_vod_track(const reel_vod_name_t *v, reel_kind_t *kind,
    unsigned *track) REEL_WARN_UNUSED;

/*
 * The only track of pictures and the only one of sound that are chosen, of
 * one file; REEL_NOTFOUND: none is told, which are the first ones;
 * REEL_UNSUPPORTED: others are.
 */
reel_err_t reel_vod_pair(const reel_vod_name_t *v, unsigned *video,
    unsigned *audio) REEL_WARN_UNUSED;

/*
 * Takes "/clipFrom/<ms>" and "/clipTo/<ms>" from the end of path; what is
 * not told stays as it is.
 */
void reel_vod_clip(reel_str_t *path, int64_t *start_us, int64_t *end_us);

#endif

/* the assets that the golden manifests are printed from */

#ifndef REEL_TESTS_MANIFEST_ASSETS_H
#define REEL_TESTS_MANIFEST_ASSETS_H

#include "lib/base/buf.h"
#include "lib/index/index.h"

typedef struct {
    reel_index_t ix;            /* borrows bytes */
    reel_buf_t   bytes;
} asset_t;

/* 31.25 s at 24 frames a second: v720, v360, sound */
void asset_film(asset_t *a);

/* 29.97 frames a second, 20.02 s: one rung, sound of 44.1 kHz */
void asset_ntsc(asset_t *a);

/* 10 s of video alone, with another switching set beside it */
void asset_silent(asset_t *a);

/* sound alone, 25 s: two languages, one of them in two qualities */
void asset_radio(asset_t *a);

/* 10 s with one sound: Opus in stereo, and AAC in 5.1 */
void asset_opus(asset_t *a);

/* the film while it grows: 5 fragments published */
void asset_growing(asset_t *a);

/* tests/golden/first.index */
void asset_first(asset_t *a);

/* the film with n fragments, and another header from fragment `from` on */
void asset_headers(asset_t *a, uint32_t n, uint32_t from);

/*
 * The film with all there is: HEVC in PQ and the source beside the ladder,
 * AC-3, languages, roles, text, thumbnails
 */
void asset_rich(asset_t *a);

/* two hours, six renditions */
void asset_long(asset_t *a);

void asset_release(asset_t *a);

#endif

/*
 * Any bytes as an index, sealed with a right checksum so that the fuzzer
 * gets past it.  What the reader accepts, everything behind it must bear
 * without another check: walks, ranges, and every manifest.
 */

#include <stdlib.h>

#include "lib/base/crc32c.h"
#include "lib/index/index.h"
#include "lib/manifest/manifest.h"
#include "tests/fuzz/harness.h"


#define PRINT_MAX (8u << 20)
#define SAMPLES   4096          /* asked of a fragment */
#define RANGES    64            /* asked of a rendition; each walks the list */


static void
walk(const reel_index_t *ix, const reel_rendition_t *r)
{
    int64_t           ts = 0;
    uint32_t          n = 0, segments = 0;
    uint64_t          bytes = 0, again = 0;
    reel_segments_t   s;
    reel_fragments_t  f;

    reel_fragments_init(&f, ix, r);

    while (reel_fragments_next(&f)) {
        need(f.number == n++ && f.start_ts == ts);
        need(f.duration > 0 && (f.size > 0 || r->kind == REEL_TEXT));
        need(f.nsamples > 0 || r->kind != REEL_VIDEO);
        need(f.iframe <= f.size && (f.iframe > 0) == (r->kind == REEL_VIDEO));
        ts += f.duration;
        bytes += f.size;
    }

    need(n == ix->fragments);
    reel_segments_init(&s, ix, r, REEL_SEGMENT_FRAGMENTS);

    while (reel_segments_next(&s)) {
        need(s.number == segments++);
        again += s.size;
    }

    need(again == bytes);
    need(segments == reel_index_segments(ix, REEL_SEGMENT_FRAGMENTS));
}


static void
ranges(const reel_index_t *ix, const reel_rendition_t *r)
{
    uint32_t       k, step, count;
    unsigned       n, i;
    reel_err_t     err;
    reel_extent_t  ext[REEL_EXTENTS_MAX];

    step = ix->fragments / RANGES + 1;

    for (k = 0; k < ix->fragments; k += step) {
        count = k % 11 + 1;
        err = reel_index_locate(ix, r, k, count, ext, &n);

        if (count > ix->fragments - k) {
            need(err == REEL_NOTFOUND);
            continue;
        }

        need(err == REEL_OK || err == REEL_LIMIT);

        for (i = 0; i < n; i++) {
            need(ext[i].object.len > 0
                 && ext[i].object.len <= REEL_INDEX_OBJECT_NAME);
            need(memchr(ext[i].object.p, '/', ext[i].object.len) == NULL);
            need(r->kind == REEL_TEXT
                 || (ext[i].header < ix->nheaders && ext[i].size > 0));
        }
    }
}


/* whatever anchors and list say, a walk stays within the list */
static void
samples(const reel_index_t *ix)
{
    uint32_t               k, n;
    unsigned               i;
    reel_sample_t          q;
    reel_samples_cursor_t  c;

    for (i = 0; i < ix->nsamples; i++) {
        for (k = 0; k < ix->fragments; k += ix->fragments / RANGES + 1) {
            reel_samples_seek(&c, &ix->samples[i], k);

            for (n = 0; n < SAMPLES && reel_samples_next(&c, &q); n++) {
                need(ix->samples[i].offsets || q.cts_offset == 0);
            }
        }
    }
}


/* any index that is accepted prints in any shape, or says why not */
static void
print(const reel_index_t *ix, const reel_manifest_opts_t *o)
{
    unsigned              i;
    reel_buf_t            b;
    reel_manifest_opts_t  cmaf = *o;

    cmaf.container = REEL_CONTAINER_CMAF;

    reel_buf_init(&b, PRINT_MAX);
    (void) !reel_hls_master(&b, ix, o);
    reel_buf_clear(&b);
    (void) !reel_dash_mpd(&b, ix, o);
    reel_buf_clear(&b);
    (void) !reel_storyboard_vtt(&b, ix, "0123456789", NULL);

    for (i = 0; i < ix->nrenditions && i < 4; i++) {
        reel_buf_clear(&b);
        (void) !reel_hls_media(&b, ix, &ix->renditions[i], o, "");
        reel_buf_clear(&b);
        (void) !reel_hls_iframes(&b, ix, &ix->renditions[i], &cmaf, "");
    }

    reel_buf_release(&b);
}


static void
print_all(const reel_index_t *ix)
{
    reel_manifest_opts_t  o = { .per = 1 };

    print(ix, &o);

    o.per = REEL_SEGMENT_FRAGMENTS;
    o.by_duration = true;
    print(ix, &o);

    o.container = REEL_CONTAINER_TS;
    o.shape = (reel_shape_t) { .start_us = 3500000, .end_us = 9000001,
                               .max_height = 720 };
    print(ix, &o);
}


static void
try(const uint8_t *data, size_t size)
{
    unsigned       i;
    reel_err_t     err;
    reel_error_t   e;
    reel_index_t  *ix = malloc(sizeof(reel_index_t));

    if (ix == NULL) {
        return;
    }

    err = reel_index_parse(ix, data, size, &e);

    if (err != REEL_OK) {
        need(e.text[0] != '\0');
        free(ix);
        return;
    }

    need(reel_index_reparse(ix, data, size) == REEL_OK);

    for (i = 0; i < ix->nrenditions; i++) {
        walk(ix, &ix->renditions[i]);
        ranges(ix, &ix->renditions[i]);
        (void) reel_index_bitrate(ix, &ix->renditions[i], 3);
    }

    samples(ix);
    print_all(ix);
    free(ix);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t   *copy;
    uint32_t   crc;

    if (size < 4) {
        try(data, size);
        return 0;
    }

    copy = malloc(size);

    if (copy == NULL) {
        return 0;
    }

    memcpy(copy, data, size);
    crc = reel_crc32c(0, copy, size - 4);
    copy[size - 4] = (uint8_t) crc;
    copy[size - 3] = (uint8_t) (crc >> 8);
    copy[size - 2] = (uint8_t) (crc >> 16);
    copy[size - 1] = (uint8_t) (crc >> 24);

    try(copy, size);
    free(copy);

    return 0;
}

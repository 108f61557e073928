/*
 * The writer of docs/index-format.md: plain structs in, bytes out.  What it
 * prints, reel_index_parse accepts; facts that break the format's bounds
 * give REEL_INVAL with a text.
 */

#ifndef REEL_INDEX_WRITER_H
#define REEL_INDEX_WRITER_H

#include "lib/base/buf.h"
#include "lib/index/index.h"

typedef struct {
    uint32_t size;
    uint32_t duration;          /* ticks of the rendition's timescale */
    uint32_t samples;
    uint32_t iframe;            /* video only */
} reel_ix_fragment_t;

typedef struct {
    reel_str_t                name;
    uint32_t                  header;       /* index into ix->headers */
    uint64_t                  base;
    uint32_t                  nfragments;
    const reel_ix_fragment_t *fragments;    /* borrowed */
} reel_ix_object_t;

typedef struct {
    /* name … sample_rate of head are used, its packed parts are not */
    reel_rendition_t        head;
    uint32_t                nobjects;
    const reel_ix_object_t *objects;        /* borrowed */
} reel_ix_rendition_t;

/*
 * Prints the index of ix's header, grid, headers, images, pictures (their
 * size_bytes as reel_index_put_sheet makes them) and samples, with these
 * renditions.  The fragments of each must sum to ix->fragments.  b must be
 * empty; on error it still is.
 */
reel_err_t reel_index_write(reel_buf_t *b, const reel_index_t *ix,
    const reel_ix_rendition_t *renditions, unsigned n, reel_error_t *e)
    REEL_WARN_UNUSED;

/*
 * The same in two steps, for who has a place for the bytes: all but the
 * samples go to b, and *size is told; then so many bytes are printed to `to`.
 */
reel_err_t reel_index_front(reel_buf_t *b, const reel_index_t *ix,
    const reel_ix_rendition_t *renditions, unsigned n, size_t *size,
    reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_index_put(void *to, size_t size, const reel_buf_t *front,
    const reel_index_t *ix, reel_error_t *e) REEL_WARN_UNUSED;

/* appends the size of one sheet to what becomes size_bytes */
void reel_index_put_sheet(reel_buf_t *b, uint32_t size);

#endif

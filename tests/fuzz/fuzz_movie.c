/*
 * Any bytes as the beginning of a movie file, zeros behind them, fed in
 * pieces: memory stays within what they can justify, and an index that is
 * made of them is one that the reader takes; its fragments say of their
 * samples what the list of samples says.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/mp4/cmaf.h"
#include "lib/mp4/movie.h"
#include "tests/fuzz/harness.h"


#define ZEROS (1u << 20)        /* where samples may lie */
#define PIECE 4096


static void
walk(const reel_index_t *ix, unsigned i, uint64_t file)
{
    uint32_t               n;
    reel_sample_t          q;
    reel_fragments_t       f;
    reel_cmaf_shape_t      shape;
    reel_samples_cursor_t  c;

    reel_fragments_init(&f, ix, &ix->renditions[i]);

    while (reel_fragments_next(&f)) {
        reel_samples_seek(&c, &ix->samples[i], f.number);
        need(c.decode_ts >= 0);

        shape = (reel_cmaf_shape_t) { 0 };

        for (n = 0; reel_samples_next(&c, &q); n++) {
            need(q.offset <= file && q.size <= file - q.offset);
            reel_cmaf_shape_add(&shape, &(reel_cmaf_sample_t) {
                .size = q.size, .duration = q.duration,
                .cts_offset = q.cts_offset, .sync = q.sync
            });
        }

        need(n == f.nsamples);
        need(f.size == reel_cmaf_fragment_size(&shape) + shape.bytes);
    }
}


/* a copy of just what it gets: the bytes behind it may not be read */
static reel_err_t
feed(reel_movie_t *m, const reel_movie_want_t *w, const uint8_t *data,
    size_t size, reel_error_t *e)
{
    size_t      n, there;
    uint8_t    *copy;
    reel_err_t  err;

    n = w->len < PIECE ? w->len : PIECE;
    need(w->min <= n && w->offset + n <= (uint64_t) size + ZEROS);

    there = w->offset < size ? size - (size_t) w->offset : 0;
    there = there < n ? there : n;

    copy = w->into;

    if (copy != NULL) {
        memset(copy, 0, n);
    } else {
        copy = calloc(1, n + 1);
        if (copy == NULL) {
            return REEL_NOMEM;
        }
    }

    if (there != 0) {
        memcpy(copy, data + w->offset, there);
    }

    err = reel_movie_feed(m, copy, n, e);

    /* it may be gone by now, but is not ours */
    if (w->into == NULL) {
        free(copy);
    }

    return err;
}


static reel_err_t
read_movie(reel_buf_t *b, const uint8_t *data, size_t size, reel_error_t *e)
{
    reel_err_t         err = REEL_OK;
    reel_movie_t      *m;
    reel_movie_want_t  w;
    reel_movie_opts_t  o = {
        .segment_ms = 2000, .file_size = (uint64_t) size + ZEROS
    };

    m = reel_movie_new(&o);
    if (m == NULL) {
        return REEL_NOMEM;
    }

    while (err == REEL_OK && reel_movie_want(m, &w) == REEL_AGAIN) {
        err = feed(m, &w, data, size, e);
    }

    if (err == REEL_OK) {
        err = reel_movie_print(m, b, e);
    }

    reel_movie_free(m);

    return err;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned       i;
    reel_buf_t     b;
    reel_err_t     err;
    reel_error_t   e = { "" };
    reel_index_t  *ix;

    reel_buf_init(&b, REEL_INDEX_MAX_BYTES);
    err = read_movie(&b, data, size, &e);

    if (err != REEL_OK) {
        need(e.text[0] != '\0' || err == REEL_NOMEM);
        reel_buf_release(&b);
        return 0;
    }

    ix = malloc(sizeof(reel_index_t));

    if (ix != NULL) {
        need(reel_index_parse(ix, b.data, b.len, &e) == REEL_OK);

        for (i = 0; i < ix->nrenditions; i++) {
            walk(ix, i, (uint64_t) size + ZEROS);
        }
    }

    free(ix);
    reel_buf_release(&b);

    return 0;
}

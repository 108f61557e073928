/*
 * Any bytes as a moov: memory stays within what they can justify, and an
 * index that is made of them is one that the reader takes; its fragments say
 * of their samples what the list of samples says.
 */

#include <stdlib.h>

#include "lib/mp4/movie.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
need(bool held)
{
    if (!held) {
        abort();
    }
}


static void
walk(const reel_index_t *ix, unsigned i)
{
    uint32_t               n;
    uint64_t               bytes;
    reel_sample_t          q;
    reel_fragments_t       f;
    reel_samples_cursor_t  c;

    reel_fragments_init(&f, ix, &ix->renditions[i]);

    while (reel_fragments_next(&f)) {
        reel_samples_seek(&c, &ix->samples[i], f.number);
        need(c.decode_ts >= 0);

        for (n = 0, bytes = 0; reel_samples_next(&c, &q); n++) {
            need(q.offset <= UINT32_MAX && q.size <= UINT32_MAX - q.offset);
            bytes += q.size;
        }

        need(n == f.nsamples && bytes < f.size);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned           i;
    reel_buf_t         b;
    reel_err_t         err;
    reel_error_t       e = { "" };
    reel_index_t      *ix;
    reel_movie_opts_t  o = { .segment_ms = 2000, .file_size = UINT32_MAX };

    reel_buf_init(&b, REEL_INDEX_MAX_BYTES);
    err = reel_movie_index(&b, data, size, &o, &e);

    if (err != REEL_OK) {
        need(e.text[0] != '\0' || err == REEL_NOMEM);
        reel_buf_release(&b);
        return 0;
    }

    ix = malloc(sizeof(reel_index_t));

    if (ix != NULL) {
        need(reel_index_parse(ix, b.data, b.len, &e) == REEL_OK);

        for (i = 0; i < ix->nrenditions; i++) {
            walk(ix, i);
        }
    }

    free(ix);
    reel_buf_release(&b);

    return 0;
}

/* the facts of tests/golden/first.index, and random ones of any size */

#ifndef REEL_TESTS_INDEX_FACTS_H
#define REEL_TESTS_INDEX_FACTS_H

#include "lib/index/writer.h"

typedef struct {
    reel_index_t         ix;            /* header, grid, headers, images */
    reel_ix_rendition_t *renditions;
    unsigned             n;
    void               **owned;
    size_t               nowned;
} facts_t;

/*
 * 15.5 s, complete: v720 and v480 of the same tasks, v360 of others, sound.
 * The same bytes at every call.
 */
void facts_first(facts_t *f);

/*
 * `fragments` fragments of two seconds; `rungs` video renditions (the lowest
 * of tasks of its own) in chunks of `chunk` fragments, and sound in objects
 * of 30.  Sizes are those of a real ladder, drawn from seed.
 */
void facts_random(facts_t *f, unsigned seed, uint32_t fragments,
    unsigned rungs, uint32_t chunk);

void facts_release(facts_t *f);

/* writes them; the test fails when it does not work */
void facts_write(reel_buf_t *b, const facts_t *f);

/* patches the CRC at the end */
void facts_seal(uint8_t *data, size_t len);

#endif

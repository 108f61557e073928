/*
 * Where large things that are soon freed, a film's moov and the list of its
 * samples, get their memory: from the caller, who may know better than
 * malloc.
 */

#ifndef REEL_BASE_LARGE_H
#define REEL_BASE_LARGE_H

#include <stddef.h>
#include <stdlib.h>

typedef struct {
    /* *n bytes or more, which it sets; NULL: no memory */
    void *(*alloc)(size_t *n);
    /* n: as alloc set it; p may be NULL */
    void  (*free)(void *p, size_t n);
} reel_large_t;

/* m NULL: malloc */
static inline void *
reel_large_alloc(const reel_large_t *m, size_t *n)
{
    return m != NULL ? m->alloc(n) : malloc(*n);
}

static inline void
reel_large_free(const reel_large_t *m, void *p, size_t n)
{
    if (m != NULL) {
        m->free(p, n);

    } else {
        free(p);
    }
}

#endif

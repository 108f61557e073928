/*
 * One index of several: the renditions of one film that lie in files of
 * their own.  Nothing is copied but the descriptions: the packed parts stay
 * where they are, in the indexes that they are from.
 *
 * A composed index is for manifests.  Each rendition has its fragments and
 * its version from its origin: opts.origins must be set.
 */

#ifndef REEL_MANIFEST_COMPOSE_H
#define REEL_MANIFEST_COMPOSE_H

#include "lib/manifest/rates.h"

#define REEL_COMPOSED_NAME 32

typedef struct {
    const reel_index_t *ix;     /* of one file */
    const char         *prefix; /* of its renditions' names, "2-" */
    const reel_rates_t *rates;  /* of ix */
    const reel_protection_t *protection;        /* likewise, or NULL */
    bool                video;  /* what of it is listed */
    bool                audio;
    bool                text;
    reel_str_t          language;       /* empty: what the file says */
    reel_str_t          label;
    bool                has_roles;
    uint32_t            roles;
    uint32_t            bitrate;        /* 0: measured */
} reel_source_t;

typedef struct {
    reel_index_t        ix;
    reel_origin_t       origins[REEL_INDEX_MAX_RENDITIONS];
    unsigned            source[REEL_INDEX_MAX_RENDITIONS];
    unsigned            number[REEL_INDEX_MAX_RENDITIONS]; /* in origin */
    reel_rates_t        rates;
    char                names[REEL_INDEX_MAX_RENDITIONS]
                             [REEL_COMPOSED_NAME + 1];
} reel_composed_t;

/*
 * What several files say alike is listed once: sound of one language, codec
 * and kind whose bit rate is about that of a file before; text of a language
 * and kind.  salt tells apart
 * what is composed of the same files in other words.  c borrows s and all
 * that it points to, but for the prefixes.
 *
 * REEL_BADDATA: files of different lengths; REEL_UNSUPPORTED: nothing to
 * list; REEL_LIMIT: e says which.
 */
reel_err_t reel_compose(reel_composed_t *c, const reel_source_t *s,
    unsigned n, reel_str_t salt, reel_error_t *e) REEL_WARN_UNUSED;

/*
 * The rendition of `other` that goes on where number `i` of c ends, in the
 * next film of a row: of the same source and kind, and of the same place
 * among them.  REEL_INDEX_MAX_RENDITIONS: there is none.
 */
unsigned reel_composed_match(const reel_composed_t *c, unsigned i,
    const reel_composed_t *other);

#endif

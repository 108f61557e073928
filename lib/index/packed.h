/*
 * Cursors over the packed parts of an index: varints, and runs of (value,
 * count).  They are for bytes that reel_index_parse has walked, so they
 * tell no errors; on others they still never leave the bytes, and give
 * zeros past the end.
 */

#ifndef REEL_INDEX_PACKED_H
#define REEL_INDEX_PACKED_H

#include <stdint.h>
#include <string.h>

#include "lib/base/str.h"

typedef struct {
    const uint8_t *p;
    const uint8_t *end;
} reel_packed_t;

typedef struct {
    reel_packed_t in;
    uint64_t      value;
    uint64_t      left;         /* of the run at hand */
} reel_runs_t;


static inline reel_packed_t
reel_packed(reel_str_t s)
{
    const uint8_t  *p = (const uint8_t *) s.p;

    return (reel_packed_t) { p, s.len != 0 ? p + s.len : p };
}


/* sizes are of two or three bytes, nearly all: those go without a loop */
static inline uint64_t
reel_packed_next(reel_packed_t *c)
{
    uint8_t         byte;
    uint64_t        v = 0;
    unsigned        shift;
    const uint8_t  *p = c->p;

    if (c->end - p >= 3) {
        if (p[0] < 0x80) {
            c->p = p + 1;
            return p[0];
        }

        if (p[1] < 0x80) {
            c->p = p + 2;
            return (uint64_t) (p[0] & 0x7f) | (uint64_t) p[1] << 7;
        }

        if (p[2] < 0x80) {
            c->p = p + 3;
            return (uint64_t) (p[0] & 0x7f) | (uint64_t) (p[1] & 0x7f) << 7
                   | (uint64_t) p[2] << 14;
        }
    }

    for (shift = 0; c->p != c->end && shift < 64; shift += 7) {
        byte = *c->p++;
        v |= (uint64_t) (byte & 0x7f) << shift;

        if (byte < 0x80) {
            break;
        }
    }

    return v;
}


/*
 * Passes over n varints: counts the bytes that end one, eight at a time.
 * The word that holds the n-th end is left to the loop of single bytes: what
 * follows that end begins the next varint.
 */
static inline void
reel_packed_skip(reel_packed_t *c, uint64_t n)
{
    uint64_t  word, ends;

    while (c->end - c->p >= 8) {
        memcpy(&word, c->p, 8);
        ends = ~word & UINT64_C(0x8080808080808080);
        ends = (ends >> 7) * UINT64_C(0x0101010101010101) >> 56;

        if (ends >= n) {
            break;
        }

        n -= ends;
        c->p += 8;
    }

    while (n != 0 && c->p != c->end) {
        n -= *c->p++ < 0x80;
    }
}


static inline reel_runs_t
reel_runs(reel_str_t s)
{
    return (reel_runs_t) { .in = reel_packed(s) };
}


/* loads the next run; false when there is none */
static inline bool
reel_runs_load(reel_runs_t *r)
{
    if (r->in.p == r->in.end) {
        r->value = 0;
        return false;
    }

    r->value = reel_packed_next(&r->in);
    r->left = reel_packed_next(&r->in);

    return true;
}


static inline uint64_t
reel_runs_next(reel_runs_t *r)
{
    while (r->left == 0) {
        if (!reel_runs_load(r)) {
            return 0;
        }
    }

    r->left--;

    return r->value;
}


/* the sum of the next n values */
static inline uint64_t
reel_runs_sum(reel_runs_t *r, uint64_t n)
{
    uint64_t  sum = 0, take;

    while (n != 0) {
        if (r->left == 0 && !reel_runs_load(r)) {
            break;
        }

        take = r->left < n ? r->left : n;
        sum += r->value * take;
        r->left -= take;
        n -= take;
    }

    return sum;
}


/* value number i, counted from the first */
static inline uint64_t
reel_runs_at(reel_str_t s, uint64_t i)
{
    reel_runs_t  r = reel_runs(s);

    while (reel_runs_load(&r)) {
        if (i < r.left) {
            return r.value;
        }

        i -= r.left;
    }

    return 0;
}

#endif

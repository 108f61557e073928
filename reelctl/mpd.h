/* an MPD as a tree: elements in document order, attributes by name */

#ifndef REEL_CTL_MPD_H
#define REEL_CTL_MPD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_MPD_NODES 20000

typedef struct {
    reel_str_t name;            /* without prefix */
    reel_str_t attrs, text;     /* as they stand */
    int        parent;          /* -1: the root */
    int        end;             /* behind its last descendant */
    unsigned   line;
} reel_mpd_node_t;

typedef struct {
    reel_mpd_node_t *nodes;     /* 0 is the root */
    int              n;
    char             fault[192];        /* "" or why it is no XML */
} reel_mpd_t;

/* REEL_NOMEM, REEL_LIMIT, REEL_BADDATA; release it either way */
reel_err_t reel_mpd_read(reel_mpd_t *m, reel_str_t text) REEL_WARN_UNUSED;
void reel_mpd_release(reel_mpd_t *m);

/* the next child of that name (NULL: any) behind `after`, -1 the first; -1 */
int reel_mpd_child(const reel_mpd_t *m, int parent, const char *name,
    int after);

/* the attribute, prefix and all; p is NULL without it */
reel_str_t reel_mpd_get(const reel_mpd_t *m, int node, const char *name);

/* the same, inherited from the parent and its parent when it is not there */
bool reel_mpd_number(const reel_mpd_t *m, int node, const char *name,
    uint64_t *v);

/* "PT1.5S" in microseconds; false for another form, years and months too */
bool reel_mpd_duration(reel_str_t s, int64_t *us);

#endif

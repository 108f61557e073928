/*
 * A title: files that are played as one.  Renditions of one film, and
 * films in a row (parts).  It is told by a URL that lists what differs among
 * the files' names, by the names that a folder has, or by a small JSON file;
 * docs/http-api.md, "Titles", says how each looks.
 */

#ifndef REEL_TITLE_TITLE_H
#define REEL_TITLE_TITLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_TITLE_FILES 32     /* of a part */
#define REEL_TITLE_PARTS 128
#define REEL_TITLE_BYTES (256u << 10)   /* of a mapping */
#define REEL_TITLE_PATH  1024

typedef struct {
    reel_str_t path;            /* '/' first: from the root, else from the
                                   title's folder; no part of it is "..",
                                   "." or empty */
    reel_str_t language;        /* empty: what the file says … */
    reel_str_t label;
    bool       has_roles;
    uint32_t   roles;           /* REEL_ROLE_* */
    uint32_t   bitrate;         /* 0: measured */
    bool       video;           /* what of it is listed */
    bool       audio;
} reel_title_file_t;

typedef struct {
    uint32_t first;             /* of files */
    uint32_t n;                 /* 1 … REEL_TITLE_FILES */
    int64_t  start_us;          /* of these files … */
    int64_t  end_us;            /* … 0: to the end */
} reel_title_part_t;

typedef struct {
    unsigned           nparts;
    reel_title_part_t *parts;   /* owned */
    unsigned           nfiles;
    reel_title_file_t *files;   /* owned */
    char              *text;    /* owned: of a URL's paths */
    void              *json;    /* owned: of a mapping's strings */
} reel_title_t;

/* a zeroed one may be released */
void reel_title_release(reel_title_t *t);

/*
 * "a,b,c" between prefix and suffix: path is "<prefix>,<a>,<b>,<c>,<suffix>"
 * without what marks it as a set.  REEL_BADDATA: e says what is wrong with
 * it; REEL_LIMIT.
 */
reel_err_t reel_title_list(reel_title_t *t, reel_str_t path,
    reel_error_t *e) REEL_WARN_UNUSED;

/* the n files of one film; names are copied.  As above */
reel_err_t reel_title_names(reel_title_t *t, const reel_str_t *names,
    unsigned n, reel_error_t *e) REEL_WARN_UNUSED;

/* a mapping; REEL_BADDATA, REEL_LIMIT: e names the member */
reel_err_t reel_title_map(reel_title_t *t, const char *json, size_t len,
    reel_error_t *e) REEL_WARN_UNUSED;

/*
 * Of a pattern, "{}_*.mp4": "{}" is the title's name, "*" what differs.
 * False: it has not one of each, "*" stands before "{}" or not in the last
 * part of the path, or nothing follows it.
 */
bool reel_title_pattern_valid(reel_str_t pattern);

/*
 * Which files of which folder: for title "films/beach", "films/" and a name
 * that begins with "beach_" and ends with ".mp4".  Parts of `folder` are to
 * be put together by the caller: path of the title's folder, then folder.
 */
typedef struct {
    reel_str_t before;          /* "{}": parts of the pattern … */
    reel_str_t between;
    reel_str_t after;
} reel_title_pattern_t;

/* of one that is valid, and borrowed */
void reel_title_pattern_split(reel_title_pattern_t *p, reel_str_t pattern);

/* may it be opened, once it is put behind a folder? */
bool reel_title_path_valid(reel_str_t path);

#endif

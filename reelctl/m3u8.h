/*
 * Playlists of HLS, read strictly: RFC 8216, with what its successor draft
 * adds.  The reader goes on after a fault, so that all of them are told;
 * tags and attributes that it does not know are no fault.  Pure: bytes in,
 * a list out.
 */

#ifndef REEL_CTL_M3U8_H
#define REEL_CTL_M3U8_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_M3U8_MAX      (8u << 20)   /* bytes of a playlist */
#define REEL_M3U8_ATTRS    24           /* of a tag */
#define REEL_M3U8_ENTRIES  4096         /* tags that have attributes */
#define REEL_M3U8_SEGMENTS 100000
#define REEL_M3U8_FAULTS   16           /* that are kept */

typedef enum {
    REEL_M3U8_KEY = 1,
    REEL_M3U8_MAP,
    REEL_M3U8_MEDIA,
    REEL_M3U8_STREAM,           /* EXT-X-STREAM-INF */
    REEL_M3U8_ISTREAM,          /* EXT-X-I-FRAME-STREAM-INF */
    REEL_M3U8_SESSION_DATA,
    REEL_M3U8_SESSION_KEY,
    REEL_M3U8_START,
    REEL_M3U8_DATERANGE,
    REEL_M3U8_DEFINE
} reel_m3u8_tag_t;

typedef struct {
    reel_str_t name;
    reel_str_t value;           /* without its quotes */
    bool       quoted;
} reel_m3u8_attr_t;

/* a tag with an attribute list */
typedef struct {
    reel_m3u8_tag_t  tag;
    unsigned         line;
    reel_str_t       uri;       /* the line behind STREAM-INF */
    unsigned         nattrs;
    reel_m3u8_attr_t attrs[REEL_M3U8_ATTRS];
} reel_m3u8_entry_t;

typedef struct {
    reel_str_t uri;
    unsigned   line;            /* of the URI */
    int64_t    duration_us;     /* EXTINF */
    uint64_t   offset, length;  /* EXT-X-BYTERANGE; length 0: the whole */
    int        map, key;        /* entries, or -1 */
    unsigned   discontinuity;   /* how many came before */
    bool       gap;
} reel_m3u8_segment_t;

typedef struct {
    unsigned line;
    char     text[120];
} reel_m3u8_fault_t;

typedef enum {
    REEL_M3U8_NO_TYPE, REEL_M3U8_EVENT, REEL_M3U8_VOD
} reel_m3u8_type_t;

/* strings are borrowed from the text */
typedef struct {
    bool                 master;        /* has tags of one … */
    bool                 media;         /* … or of the other */
    unsigned             version;       /* 1 when it does not say */
    unsigned             needs;         /* the version that its tags need */
    const char          *needs_for;     /* which of them */
    bool                 has_target;
    uint64_t             target_s;
    uint64_t             sequence;
    reel_m3u8_type_t     type;
    bool                 ended, iframes_only, independent, dated;
    reel_m3u8_entry_t   *entries;
    unsigned             nentries;
    reel_m3u8_segment_t *segments;
    unsigned             nsegments;
    unsigned             nfaults;       /* more than are kept, maybe */
    reel_m3u8_fault_t    faults[REEL_M3U8_FAULTS];
} reel_m3u8_t;

/* REEL_NOMEM, REEL_LIMIT; faults are not errors.  Release it either way */
reel_err_t reel_m3u8_read(reel_m3u8_t *m, reel_str_t text) REEL_WARN_UNUSED;
void reel_m3u8_release(reel_m3u8_t *m);

/* the attribute's value; p is NULL without it */
reel_str_t reel_m3u8_get(const reel_m3u8_entry_t *e, const char *name);
uint64_t reel_m3u8_number(const reel_m3u8_entry_t *e, const char *name);

/* "1.5" in millionths; false when it is no such number */
bool reel_m3u8_decimal(reel_str_t s, int64_t *micro);

/* m3u8_attr.c: cuts "A=1,B="x"" and checks what it knows of the tag */
void reel_m3u8_attrs(reel_m3u8_t *m, reel_m3u8_entry_t *e, reel_str_t list);

void reel_m3u8_fault(reel_m3u8_t *m, unsigned line, const char *fmt, ...)
    REEL_PRINTF(3, 4);

#endif

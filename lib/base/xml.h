/*
 * XML 1.0 in UTF-8: a pull reader for the small documents that S3's clients
 * send, and what printing one needs.
 *
 * The reader checks that elements nest and are closed.  Names come without
 * their namespace's prefix; comments and processing instructions are passed
 * over, attributes are lent as they stand.  There is no DTD (a DOCTYPE is
 * refused), so nothing expands: what comes out is never more than what went
 * in.
 */

#ifndef REEL_BASE_XML_H
#define REEL_BASE_XML_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_XML_DEPTH 32

typedef enum {
    REEL_XML_START,             /* name; x->depth counts it already */
    REEL_XML_TEXT,              /* text: one piece of maybe several */
    REEL_XML_END,               /* name; x->depth no longer counts it */
    REEL_XML_DONE
} reel_xml_event_t;

typedef struct {
    reel_str_t  name;           /* borrowed from the document … */
    reel_str_t  text;           /* … or, of one reference, from x */
    unsigned    depth;          /* open elements */
    reel_str_t  attrs;          /* of the element that starts */

    /* private */
    const char *p, *end, *start;
    reel_str_t  open[REEL_XML_DEPTH];
    char        utf8[4];
    bool        rooted;         /* the root element was met */
    bool        empty;          /* <a/>: its end comes next */
    reel_err_t  err;
} reel_xml_t;

/* doc is borrowed as long as x is used */
void reel_xml_init(reel_xml_t *x, reel_str_t doc);

/*
 * The next event.  REEL_BADDATA, now and ever after, with e saying what and
 * at which byte: not well formed, a DOCTYPE, or deeper than REEL_XML_DEPTH.
 */
reel_err_t reel_xml_next(reel_xml_t *x, reel_xml_event_t *ev,
    reel_error_t *e) REEL_WARN_UNUSED;

/*
 * Takes one attribute off the front of *attrs; false when none is left.
 * *name has its prefix still, *value its references: see reel_xml_value().
 */
bool reel_xml_attr(reel_str_t *attrs, reel_str_t *name, reel_str_t *value);

/* appends an attribute's value; REEL_BADDATA for an unknown reference */
reel_err_t reel_xml_value(reel_buf_t *b, reel_str_t value) REEL_WARN_UNUSED;

/* at which byte of the document the reader is */
size_t reel_xml_pos(const reel_xml_t *x);

/*
 * Appends s as character data.  What XML cannot carry, control characters
 * and bytes that are not UTF-8, becomes U+FFFD.
 */
void reel_xml_text(reel_buf_t *b, reel_str_t s);

/* <name>s</name> */
void reel_xml_element(reel_buf_t *b, const char *name, reel_str_t s);
void reel_xml_elementz(reel_buf_t *b, const char *name, const char *z);
void reel_xml_number(reel_buf_t *b, const char *name, uint64_t n);

#endif

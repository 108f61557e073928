/*
 * Structured field values (RFC 9651), as far as a server needs to read them:
 * Items of any type with their parameters, and Dictionaries.  The value is
 * that of all lines of the field, joined by ", ".  As the RFC has it (4.2),
 * what is wrong anywhere makes the whole field void, so that it counts as
 * absent.
 */

#ifndef REEL_BASE_SF_H
#define REEL_BASE_SF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* the largest Integer: fifteen digits (3.3.1) */
#define REEL_SF_MAX  INT64_C(999999999999999)

typedef enum {
    REEL_SF_INTEGER,
    REEL_SF_DECIMAL,
    REEL_SF_STRING,
    REEL_SF_TOKEN,
    REEL_SF_BYTES,
    REEL_SF_BOOLEAN,
    REEL_SF_DATE,
    REEL_SF_DISPLAY,
    REEL_SF_LIST                /* an Inner List, as a Dictionary's member */
} reel_sf_type_t;

typedef struct {
    reel_sf_type_t type;
    int64_t        integer;     /* of INTEGER and DATE; 0 or 1 of BOOLEAN */
    reel_str_t     text;        /* as it stands there, without parameters */
} reel_sf_item_t;

/* the field is one Item; REEL_BADDATA when it is not */
reel_err_t reel_sf_item(reel_str_t field, reel_sf_item_t *item)
    REEL_WARN_UNUSED;

/* … and of this type; REEL_BADDATA for another one or a negative number */
reel_err_t reel_sf_u64(reel_str_t field, uint64_t *v) REEL_WARN_UNUSED;
reel_err_t reel_sf_bool(reel_str_t field, bool *v) REEL_WARN_UNUSED;

/*
 * The field is a Dictionary; its last member of this key.  REEL_NOTFOUND:
 * it has none; REEL_BADDATA: it is no Dictionary.
 */
reel_err_t reel_sf_member(reel_str_t field, const char *key,
    reel_sf_item_t *item) REEL_WARN_UNUSED;

/* … which is an Integer; REEL_UNSUPPORTED for another type */
reel_err_t reel_sf_member_integer(reel_str_t field, const char *key,
    int64_t *v) REEL_WARN_UNUSED;

#endif

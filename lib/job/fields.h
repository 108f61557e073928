/*
 * reel_fields_t: reads the members of a JSON object, sticky in its error
 * like reel_reader_t: after the first one every getter returns zero, and
 * err and the text say which member was missing or wrong.  Check once an
 * object.  A member that is null counts as absent.  Private to lib/job and
 * lib/hook.
 */

#ifndef REEL_JOB_FIELDS_H
#define REEL_JOB_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/job/source.h"

/* the largest integer that travels: jansson's are signed */
#define REEL_FIELDS_INT_MAX  INT64_MAX

typedef struct {
    json_t       *obj;          /* borrowed */
    const char   *what;         /* "request.json": begins the error text */
    reel_err_t    err;
    reel_error_t *e;
} reel_fields_t;

/*
 * Parses json (an object, at most max bytes) into f.  The caller releases
 * f->obj with json_decref, also after an error (NULL then).
 */
reel_err_t reel_fields_load(reel_fields_t *f, const char *json, size_t len,
    size_t max, const char *what, reel_error_t *e) REEL_WARN_UNUSED;

/* the object inside f's member (required); shares nothing but e */
reel_fields_t reel_fields_object(reel_fields_t *f, const char *key);
/* an element of an array as object */
reel_fields_t reel_fields_element(reel_fields_t *f, json_t *value,
    const char *what);

/* sets the sticky error, unless one stands already */
void reel_fields_fail(reel_fields_t *f, reel_err_t err, const char *key,
    const char *why);

/* inner's error becomes f's */
void reel_fields_join(reel_fields_t *f, const reel_fields_t *inner);

/* is the member there, of whatever type? */
bool reel_fields_has(const reel_fields_t *f, const char *key);

int64_t  reel_fields_int(reel_fields_t *f, const char *key, int64_t min,
    int64_t max);
uint64_t reel_fields_uint(reel_fields_t *f, const char *key, uint64_t max);
uint32_t reel_fields_u32(reel_fields_t *f, const char *key, uint32_t min,
    uint32_t max);
bool     reel_fields_bool(reel_fields_t *f, const char *key);

/* [num, den], both 1 … 2^32 - 1 */
reel_rational_t reel_fields_rational(reel_fields_t *f, const char *key);

/* copies into dst[cap]; min is the least length that is right */
void reel_fields_text(reel_fields_t *f, const char *key, char *dst,
    size_t cap, size_t min);

/* an allocated copy of at most max bytes; NULL when absent and optional */
char *reel_fields_dup(reel_fields_t *f, const char *key, size_t max,
    bool required);

/* a required array of at most max elements */
json_t *reel_fields_array(reel_fields_t *f, const char *key, size_t max);

/* an integer of an array, checked */
int64_t reel_fields_item(reel_fields_t *f, const char *key,
    const json_t *value, int64_t min, int64_t max);

/* rendition and pipeline names: [a-z0-9][a-z0-9-]{0,31} */
bool reel_fields_name(const char *z);
void reel_fields_get_name(reel_fields_t *f, const char *key, char dst[33]);

/* the way back: the member is left out when z is NULL */
void reel_fields_print(reel_json_t *j, const char *key, const char *z);

#endif

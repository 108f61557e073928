/*
 * A JSON writer over reel_buf_t (reading is jansson's).  It puts commas and
 * escapes; the caller balances.  UTF-8 goes through, bytes that are not
 * UTF-8 become U+FFFD, control characters are escaped.
 */

#ifndef REEL_BASE_JSON_H
#define REEL_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

typedef struct {
    reel_buf_t *b;
    unsigned    depth;
    uint64_t    first;          /* bit d: nothing written yet at depth d */
    bool        after_key;
} reel_json_t;

void reel_json_init(reel_json_t *j, reel_buf_t *b);
void reel_json_object(reel_json_t *j);
void reel_json_array(reel_json_t *j);
void reel_json_end(reel_json_t *j, char close);         /* '}' or ']' */
void reel_json_key(reel_json_t *j, const char *key);
void reel_json_str(reel_json_t *j, reel_str_t s);
void reel_json_int(reel_json_t *j, int64_t v);
void reel_json_uint(reel_json_t *j, uint64_t v);
void reel_json_bool(reel_json_t *j, bool v);
void reel_json_null(reel_json_t *j);
void reel_json_raw(reel_json_t *j, reel_str_t json);    /* trusted JSON */

/* key and value in one */
void reel_json_kstr(reel_json_t *j, const char *key, const char *z);
void reel_json_kint(reel_json_t *j, const char *key, int64_t v);
void reel_json_kuint(reel_json_t *j, const char *key, uint64_t v);
void reel_json_kbool(reel_json_t *j, const char *key, bool v);

#endif

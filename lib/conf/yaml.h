/*
 * YAML files as trees of nodes that know their place, and their reading by
 * tables.  The only user of libyaml.  What is wrong is refused here, in one
 * form for all files: "file:line:column: what".  Unknown, repeated and
 * missing keys, wrong types and values out of range need no code of their
 * own in who reads a file.
 *
 * Anchors, aliases and tags are refused: a file of ours needs none, and an
 * alias can make a small file large.  Only plain scalars are numbers and
 * booleans; a quoted "12" is a string.
 */

#ifndef REEL_CONF_YAML_H
#define REEL_CONF_YAML_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define REEL_YAML_FILE_MAX  (256u << 10)

typedef enum {
    REEL_YAML_SCALAR,
    REEL_YAML_MAP,
    REEL_YAML_LIST
} reel_yaml_kind_t;

typedef struct reel_yaml_s reel_yaml_t;

/* more than one error of a file: each "file:line:column: what" */
#define REEL_YAML_FAULTS  20

typedef struct {
    size_t       n;
    reel_error_t v[REEL_YAML_FAULTS];
} reel_yaml_faults_t;

struct reel_yaml_s {
    reel_yaml_kind_t  kind;
    const char       *file;     /* owned by the root */
    unsigned          line;     /* both from 1 */
    unsigned          column;
    bool              plain;    /* scalar: without quotes */
    char             *text;     /* scalar: terminated, owned */
    size_t            len;
    char             *key;      /* of a map's member, owned; else NULL */
    unsigned          key_line, key_column;
    reel_yaml_t      *child;    /* first member or element */
    reel_yaml_t      *next;     /* sibling */
    size_t            count;    /* of children */
    reel_yaml_faults_t *faults; /* borrowed; NULL: the first ends it */
};

/*
 * Reads a file (NULL text) or text itself, which file then only names.
 * REEL_IO, REEL_LIMIT, REEL_BADDATA; an empty file is an empty map.
 */
reel_err_t reel_yaml_load(reel_yaml_t **root, const char *file,
    reel_error_t *e) REEL_WARN_UNUSED;
/* the same, of a regular file alone; REEL_INVAL when it is something else */
reel_err_t reel_yaml_load_regular(reel_yaml_t **root, const char *file,
    reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_yaml_parse(reel_yaml_t **root, const char *file,
    const char *text, size_t len, reel_error_t *e) REEL_WARN_UNUSED;
void reel_yaml_free(reel_yaml_t *root);         /* NULL is fine */

/*
 * From here on an error of a value is noted in f, and reading goes on behind
 * it; what it returns at the end is the first of them, or REEL_OK.
 */
void reel_yaml_collect(reel_yaml_t *root, reel_yaml_faults_t *f);

/* may the reading of n's siblings go on after this error? */
bool reel_yaml_goes_on(const reel_yaml_t *n, reel_err_t err);

/* fills e with the node's place and the text, returns REEL_BADDATA */
reel_err_t reel_yaml_fail(const reel_yaml_t *n, reel_error_t *e,
    const char *fmt, ...) REEL_PRINTF(3, 4);

/* the same, for a place within the node's text */
reel_err_t reel_yaml_fail_at(const reel_yaml_t *n, unsigned skip,
    reel_error_t *e, const char *fmt, ...) REEL_PRINTF(4, 5);

/* a map's member, or NULL */
const reel_yaml_t *reel_yaml_find(const reel_yaml_t *map, const char *key);

/* single values; min and max bound the number, or the string's length */
reel_err_t reel_yaml_u32(const reel_yaml_t *n, uint32_t min, uint32_t max,
    uint32_t *v, reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_yaml_bool(const reel_yaml_t *n, bool *v, reel_error_t *e)
    REEL_WARN_UNUSED;
reel_err_t reel_yaml_text(const reel_yaml_t *n, size_t min, size_t max,
    char *dst, reel_error_t *e) REEL_WARN_UNUSED;
reel_err_t reel_yaml_is(const reel_yaml_t *n, reel_yaml_kind_t kind,
    reel_error_t *e) REEL_WARN_UNUSED;

typedef reel_err_t (*reel_yaml_fn)(void *dst, const reel_yaml_t *n,
    reel_error_t *e);

typedef enum {
    REEL_YAML_TYPE_U32,         /* uint32_t */
    REEL_YAML_TYPE_BOOL,        /* bool */
    REEL_YAML_TYPE_TEXT,        /* char[max + 1] */
    REEL_YAML_TYPE_PATH,        /* the same, absolute */
    REEL_YAML_TYPE_FN           /* anything: fn gets dst's member */
} reel_yaml_type_t;

/* a row of a table: one key of a map, and where its value goes */
typedef struct {
    const char       *key;
    reel_yaml_type_t  type;
    size_t            offset;
    uint32_t          min, max;
    reel_yaml_fn      fn;
    bool              required;
} reel_yaml_key_t;

/* reads a map into dst by a table of nkeys rows; absent keys change nothing */
reel_err_t reel_yaml_map(void *dst, const reel_yaml_t *map,
    const reel_yaml_key_t *keys, size_t nkeys, reel_error_t *e)
    REEL_WARN_UNUSED;

#endif

/* values and tables over the nodes of yaml.c */

#include "lib/conf/yaml.h"

#include <stdio.h>
#include <string.h>


const reel_yaml_t *
reel_yaml_find(const reel_yaml_t *map, const char *key)
{
    const reel_yaml_t *n;

    for (n = map->child; n != NULL; n = n->next) {
        if (n->key != NULL && strcmp(n->key, key) == 0) {
            return n;
        }
    }

    return NULL;
}


/* how errors call a node: by its key, where it has one */
static const char *
named(const reel_yaml_t *n)
{
    return n->key != NULL ? n->key : "value";
}


reel_err_t
reel_yaml_is(const reel_yaml_t *n, reel_yaml_kind_t kind, reel_error_t *e)
{
    static const char *const names[] = {
        [REEL_YAML_SCALAR] = "a single value",
        [REEL_YAML_MAP] = "a map",
        [REEL_YAML_LIST] = "a list",
    };

    if (n->kind == kind) {
        return REEL_OK;
    }

    return reel_yaml_fail(n, e, "%.32s must be %s, not %s", named(n),
                          names[kind], names[n->kind]);
}


reel_err_t
reel_yaml_u32(const reel_yaml_t *n, uint32_t min, uint32_t max, uint32_t *v,
    reel_error_t *e)
{
    uint64_t   u;
    reel_err_t err;

    err = reel_yaml_is(n, REEL_YAML_SCALAR, e);
    if (err != REEL_OK) {
        return err;
    }

    err = n->plain ? reel_str_u64((reel_str_t) { n->text, n->len },
                                  UINT64_MAX, &u)
                   : REEL_INVAL;

    if (err == REEL_INVAL) {
        return reel_yaml_fail(n, e, "%.32s must be a whole number, "
                              "not \"%.32s\"", named(n), n->text);
    }

    if (err != REEL_OK || u < min || u > max) {
        return reel_yaml_fail(n, e, "%.32s must lie within %u to %u, "
                              "not %.32s", named(n), min, max, n->text);
    }

    *v = (uint32_t) u;
    return REEL_OK;
}


reel_err_t
reel_yaml_bool(const reel_yaml_t *n, bool *v, reel_error_t *e)
{
    reel_err_t err;

    err = reel_yaml_is(n, REEL_YAML_SCALAR, e);
    if (err != REEL_OK) {
        return err;
    }

    if (n->plain && strcmp(n->text, "true") == 0) {
        *v = true;

    } else if (n->plain && strcmp(n->text, "false") == 0) {
        *v = false;

    } else {
        return reel_yaml_fail(n, e, "%.32s must be true or false, "
                              "not \"%.32s\"", named(n), n->text);
    }

    return REEL_OK;
}


reel_err_t
reel_yaml_text(const reel_yaml_t *n, size_t min, size_t max, char *dst,
    reel_error_t *e)
{
    reel_err_t err;

    err = reel_yaml_is(n, REEL_YAML_SCALAR, e);
    if (err != REEL_OK) {
        return err;
    }

    if (n->len < min || n->len > max || strlen(n->text) != n->len) {
        return reel_yaml_fail(n, e, "%.32s must have %zu to %zu bytes",
                              named(n), min, max);
    }

    memcpy(dst, n->text, n->len + 1);
    return REEL_OK;
}


static reel_err_t
read_path(const reel_yaml_t *n, size_t min, size_t max, char *dst,
    reel_error_t *e)
{
    reel_err_t err = reel_yaml_text(n, min, max, dst, e);

    if (err == REEL_OK && dst[0] != '/') {
        return reel_yaml_fail(n, e, "\"%.60s\" is not an absolute path", dst);
    }

    return err;
}


static reel_err_t
read_value(void *dst, const reel_yaml_t *n, const reel_yaml_key_t *k,
    reel_error_t *e)
{
    void *at = (char *) dst + k->offset;

    switch (k->type) {
    case REEL_YAML_TYPE_U32:
        return reel_yaml_u32(n, k->min, k->max, at, e);
    case REEL_YAML_TYPE_BOOL:
        return reel_yaml_bool(n, at, e);
    case REEL_YAML_TYPE_TEXT:
        return reel_yaml_text(n, k->min, k->max, at, e);
    case REEL_YAML_TYPE_PATH:
        return read_path(n, k->min, k->max, at, e);
    default:
        return k->fn(at, n, e);
    }
}


static const reel_yaml_key_t *
row(const reel_yaml_key_t *keys, size_t nkeys, const char *key)
{
    size_t i;

    for (i = 0; i < nkeys; i++) {
        if (strcmp(keys[i].key, key) == 0) {
            return &keys[i];
        }
    }

    return NULL;
}


reel_err_t
reel_yaml_map(void *dst, const reel_yaml_t *map, const reel_yaml_key_t *keys,
    size_t nkeys, reel_error_t *e)
{
    size_t                 i;
    reel_err_t             err, now;
    reel_yaml_t            place;
    const reel_yaml_t     *n;
    const reel_yaml_key_t *k;

    err = reel_yaml_is(map, REEL_YAML_MAP, e);
    if (err != REEL_OK) {
        return err;
    }

    for (n = map->child; n != NULL && reel_yaml_goes_on(map, err);
         n = n->next)
    {
        k = row(keys, nkeys, n->key);

        if (k == NULL) {
            place = *n;
            place.line = n->key_line;
            place.column = n->key_column;
            now = reel_yaml_fail(&place, e, "unknown key \"%.64s\"", n->key);

        } else {
            now = read_value(dst, n, k, e);
        }

        err = err != REEL_OK ? err : now;
    }

    for (i = 0; i < nkeys && reel_yaml_goes_on(map, err); i++) {
        if (keys[i].required && reel_yaml_find(map, keys[i].key) == NULL) {
            now = reel_yaml_fail(map, e, "\"%s\" is missing", keys[i].key);
            err = err != REEL_OK ? err : now;
        }
    }

    return err;
}

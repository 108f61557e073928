#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/job/fields.h"


reel_err_t
reel_fields_load(reel_fields_t *f, const char *json, size_t len, size_t max,
    const char *what, reel_error_t *e)
{
    json_error_t je;

    *f = (reel_fields_t) { NULL, what, REEL_OK, e };

    if (len > max) {
        f->err = reel_fail(e, REEL_LIMIT, "%s: %zu bytes, at most %zu", what,
                           len, max);
        return f->err;
    }

    f->obj = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);

    if (f->obj == NULL) {
        f->err = reel_fail(e, REEL_BADDATA, "%s:%d:%d: %s", what, je.line,
                           je.column, je.text);
        return f->err;
    }

    if (!json_is_object(f->obj)) {
        json_decref(f->obj);
        f->obj = NULL;
        f->err = reel_fail(e, REEL_BADDATA, "%s: not a JSON object", what);
    }

    return f->err;
}


void
reel_fields_fail(reel_fields_t *f, reel_err_t err, const char *key,
    const char *why)
{
    if (f->err == REEL_OK) {
        f->err = reel_fail(f->e, err, "%s: \"%s\" %s", f->what, key, why);
    }
}


void
reel_fields_join(reel_fields_t *f, const reel_fields_t *inner)
{
    if (f->err == REEL_OK) {
        f->err = inner->err;
    }
}


static json_t *
find(const reel_fields_t *f, const char *key)
{
    json_t *v;

    v = json_object_get(f->obj, key);

    return json_is_null(v) ? NULL : v;
}


/* NULL after an error, which is set when the member is absent */
static json_t *
need(reel_fields_t *f, const char *key)
{
    json_t *v;

    if (f->err != REEL_OK) {
        return NULL;
    }

    v = find(f, key);

    if (v == NULL) {
        reel_fields_fail(f, REEL_BADDATA, key, "is missing");
    }

    return v;
}


bool
reel_fields_has(const reel_fields_t *f, const char *key)
{
    return find(f, key) != NULL;
}


reel_fields_t
reel_fields_object(reel_fields_t *f, const char *key)
{
    json_t *v;

    v = need(f, key);

    return v == NULL ? (reel_fields_t) { NULL, key, f->err, f->e }
                     : reel_fields_element(f, v, key);
}


reel_fields_t
reel_fields_element(reel_fields_t *f, json_t *value, const char *what)
{
    reel_fields_t inner = { value, what, f->err, f->e };

    if (inner.err == REEL_OK && !json_is_object(value)) {
        inner.err = reel_fail(f->e, REEL_BADDATA,
                              "%s: \"%s\" is not an object", f->what, what);
    }

    return inner;
}


int64_t
reel_fields_item(reel_fields_t *f, const char *key, const json_t *value,
    int64_t min, int64_t max)
{
    int64_t v;

    if (f->err != REEL_OK) {
        return 0;
    }

    if (!json_is_integer(value)) {
        reel_fields_fail(f, REEL_BADDATA, key, "is not an integer");
        return 0;
    }

    v = json_integer_value(value);

    if (v < min || v > max) {
        f->err = reel_fail(f->e, REEL_BADDATA,
                           "%s: \"%s\" is %" PRId64 ", not within %" PRId64
                           " … %" PRId64, f->what, key, v, min, max);
        return 0;
    }

    return v;
}


int64_t
reel_fields_int(reel_fields_t *f, const char *key, int64_t min, int64_t max)
{
    json_t *v;

    v = need(f, key);

    return v == NULL ? 0 : reel_fields_item(f, key, v, min, max);
}


uint64_t
reel_fields_uint(reel_fields_t *f, const char *key, uint64_t max)
{
    if (max > REEL_FIELDS_INT_MAX) {
        max = REEL_FIELDS_INT_MAX;
    }

    return (uint64_t) reel_fields_int(f, key, 0, (int64_t) max);
}


uint32_t
reel_fields_u32(reel_fields_t *f, const char *key, uint32_t min, uint32_t max)
{
    return (uint32_t) reel_fields_int(f, key, min, max);
}


bool
reel_fields_bool(reel_fields_t *f, const char *key)
{
    json_t *v;

    v = need(f, key);

    if (v != NULL && !json_is_boolean(v)) {
        reel_fields_fail(f, REEL_BADDATA, key, "is neither true nor false");
        return false;
    }

    return json_is_true(v);
}


reel_rational_t
reel_fields_rational(reel_fields_t *f, const char *key)
{
    json_t          *a;
    reel_rational_t  r = { 0, 1 };

    a = reel_fields_array(f, key, 2);

    if (a == NULL) {
        return r;
    }

    r.num = (uint32_t) reel_fields_item(f, key, json_array_get(a, 0), 1,
                                        UINT32_MAX);
    r.den = (uint32_t) reel_fields_item(f, key, json_array_get(a, 1), 1,
                                        UINT32_MAX);

    return f->err == REEL_OK ? r : (reel_rational_t) { 0, 1 };
}


/* the member as a string of at most max bytes; p == NULL after an error */
static reel_str_t
text(reel_fields_t *f, const char *key, size_t min, size_t max)
{
    json_t     *v;
    reel_str_t  s = { NULL, 0 };

    v = need(f, key);

    if (v == NULL) {
        return s;
    }

    if (!json_is_string(v)) {
        reel_fields_fail(f, REEL_BADDATA, key, "is not a string");
        return s;
    }

    s.len = json_string_length(v);

    if (s.len < min || s.len > max) {
        reel_fields_fail(f, REEL_BADDATA, key, s.len < min ? "is too short"
                                                           : "is too long");
        return s;
    }

    s.p = json_string_value(v);
    return s;
}


void
reel_fields_text(reel_fields_t *f, const char *key, char *dst, size_t cap,
    size_t min)
{
    reel_str_t s;

    dst[0] = '\0';
    s = text(f, key, min, cap - 1);

    if (s.p != NULL) {
        memcpy(dst, s.p, s.len);
        dst[s.len] = '\0';
    }
}


char *
reel_fields_dup(reel_fields_t *f, const char *key, size_t max, bool required)
{
    char       *z;
    reel_str_t  s;

    if (!required && !reel_fields_has(f, key)) {
        return NULL;
    }

    s = text(f, key, 0, max);

    if (s.p == NULL) {
        return NULL;
    }

    z = malloc(s.len + 1);

    if (z == NULL) {
        reel_fields_fail(f, REEL_NOMEM, key, "does not fit into memory");
        return NULL;
    }

    memcpy(z, s.p, s.len);
    z[s.len] = '\0';

    return z;
}


json_t *
reel_fields_array(reel_fields_t *f, const char *key, size_t max)
{
    json_t *v;

    v = need(f, key);

    if (v == NULL) {
        return NULL;
    }

    if (!json_is_array(v)) {
        reel_fields_fail(f, REEL_BADDATA, key, "is not an array");
        return NULL;
    }

    if (json_array_size(v) > max) {
        reel_fields_fail(f, REEL_BADDATA, key, "has too many elements");
        return NULL;
    }

    return v;
}


bool
reel_fields_name(const char *z)
{
    size_t i;

    for (i = 0; z[i] != '\0'; i++) {
        if (i == 32
            || !((z[i] >= 'a' && z[i] <= 'z') || (z[i] >= '0' && z[i] <= '9')
                 || (z[i] == '-' && i > 0)))
        {
            return false;
        }
    }

    return i > 0;
}


void
reel_fields_get_name(reel_fields_t *f, const char *key, char dst[33])
{
    reel_fields_text(f, key, dst, 33, 1);

    if (f->err == REEL_OK && !reel_fields_name(dst)) {
        reel_fields_fail(f, REEL_BADDATA, key,
                         "is not of the form [a-z0-9][a-z0-9-]{0,31}");
        dst[0] = '\0';
    }
}


void
reel_fields_print(reel_json_t *j, const char *key, const char *z)
{
    if (z != NULL) {
        reel_json_kstr(j, key, z);
    }
}

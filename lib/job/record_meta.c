/* meta.json: what the owner says about an asset */

#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/job/fields.h"
#include "lib/job/record.h"

typedef struct {
    const char *key;
    size_t      offset;
    size_t      max;
} member_t;

static const member_t members[] = {
    { "title",       offsetof(reel_meta_t, title),       1024 },
    { "creator",     offsetof(reel_meta_t, creator),     1024 },
    { "passthrough", offsetof(reel_meta_t, passthrough), 4096 },
};

#define NMEMBERS (sizeof(members) / sizeof(members[0]))


static char **
slot(reel_meta_t *m, const member_t *k)
{
    return (char **) ((char *) m + k->offset);
}


static const member_t *
known(const char *key)
{
    size_t i;

    for (i = 0; i < NMEMBERS; i++) {
        if (strcmp(members[i].key, key) == 0) {
            return &members[i];
        }
    }

    return NULL;
}


/* a patch is applied whole or not at all: first everything is checked */
static reel_err_t
check(json_t *obj, reel_error_t *e)
{
    json_t         *v;
    const char     *key;
    const member_t *k;

    json_object_foreach(obj, key, v) {
        k = known(key);

        if (k == NULL) {
            return reel_fail(e, REEL_INVAL, "meta: \"%.64s\" is not known",
                             key);
        }

        if (json_is_null(v)) {
            continue;
        }

        if (!json_is_string(v)) {
            return reel_fail(e, REEL_INVAL, "meta: \"%s\" is not a string",
                             key);
        }

        if (json_string_length(v) > k->max) {
            return reel_fail(e, REEL_LIMIT,
                             "meta: \"%s\" has %zu bytes, at most %zu", key,
                             json_string_length(v), k->max);
        }
    }

    return REEL_OK;
}


static reel_err_t
apply(reel_meta_t *m, json_t *obj)
{
    char   *copy[NMEMBERS] = { NULL };
    size_t  i;
    json_t *v;

    for (i = 0; i < NMEMBERS; i++) {
        v = json_object_get(obj, members[i].key);

        if (!json_is_string(v)) {
            continue;
        }

        copy[i] = strdup(json_string_value(v));
        if (copy[i] == NULL) {
            goto fail;
        }
    }

    for (i = 0; i < NMEMBERS; i++) {
        if (json_object_get(obj, members[i].key) != NULL) {
            free(*slot(m, &members[i]));
            *slot(m, &members[i]) = copy[i];
        }
    }

    return REEL_OK;

fail:

    while (i-- > 0) {
        free(copy[i]);
    }

    return REEL_NOMEM;
}


reel_err_t
reel_meta_patch(reel_meta_t *m, const char *json, size_t len, reel_error_t *e)
{
    reel_err_t    err;
    reel_fields_t f;

    err = reel_fields_load(&f, json, len, REEL_META_MAX, "meta", e);
    if (err != REEL_OK) {
        return err;
    }

    err = check(f.obj, e);

    if (err == REEL_OK) {
        err = apply(m, f.obj);
    }

    json_decref(f.obj);
    return err;
}


reel_err_t
reel_meta_parse(reel_meta_t *m, const char *json, size_t len, reel_error_t *e)
{
    *m = (reel_meta_t) { 0 };

    return reel_meta_patch(m, json, len, e);
}


reel_err_t
reel_meta_print(reel_buf_t *b, const reel_meta_t *m)
{
    size_t      i;
    char       *z;
    reel_json_t j;

    reel_json_init(&j, b);
    reel_json_object(&j);

    for (i = 0; i < NMEMBERS; i++) {
        z = *slot((reel_meta_t *) m, &members[i]);

        if (z != NULL) {
            reel_json_kstr(&j, members[i].key, z);
        }
    }

    reel_json_end(&j, '}');

    return reel_buf_err(b);
}


void
reel_meta_release(reel_meta_t *m)
{
    size_t i;

    for (i = 0; i < NMEMBERS; i++) {
        free(*slot(m, &members[i]));
    }

    *m = (reel_meta_t) { 0 };
}

#include <stdlib.h>

#include <openssl/crypto.h>

#include "lib/auth/keys.h"
#include "lib/auth/secret_json.h"


#define KEYS_MAX       10000
#define ID_MAX         128
#define PROJECT_MAX    32
#define SECRET_MIN     16
#define SECRET_MAX     128
#define BUCKET_MAX     63


static bool
lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}


/* letters, digits and some marks: what needs no care in a credential */
static bool
id_valid(reel_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (!lower_or_digit(s.p[i]) && !(s.p[i] >= 'A' && s.p[i] <= 'Z')
            && s.p[i] != '-' && s.p[i] != '_' && s.p[i] != '.')
        {
            return false;
        }
    }

    return s.len != 0 && s.len <= ID_MAX;
}


static bool
secret_valid(reel_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if ((uint8_t) s.p[i] < ' ' || s.p[i] == 0x7f) {
            return false;
        }
    }

    return s.len >= SECRET_MIN && s.len <= SECRET_MAX;
}


static bool
project_valid(reel_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (!lower_or_digit(s.p[i]) && s.p[i] != '-') {
            return false;
        }
    }

    return s.len != 0 && s.len <= PROJECT_MAX;
}


/* never ".uploads" or "..": it is the first part of a path */
static bool
bucket_valid(reel_str_t s)
{
    return id_valid(s) && s.len <= BUCKET_MAX && s.p[0] != '.';
}


typedef struct {
    const char  *name;
    bool       (*valid)(reel_str_t s);
    const char  *form;
    size_t       offset;        /* of the char * in reel_access_key_t */
} field_t;


static const field_t  fields[] = {
    { "id", id_valid, "1 to 128 of A-Z a-z 0-9 . _ -",
      offsetof(reel_access_key_t, id) },
    { "secret", secret_valid, "16 to 128 bytes without control characters",
      offsetof(reel_access_key_t, secret) },
    { "project", project_valid, "1 to 32 of a-z 0-9 -",
      offsetof(reel_access_key_t, project) },
    { NULL, NULL, NULL, 0 }
};


static reel_err_t
parse_fields(reel_access_key_t *k, json_t *entry, size_t at, reel_error_t *e)
{
    char           *z;
    json_t         *v;
    reel_str_t      s;
    const field_t  *f;

    for (f = fields; f->name != NULL; f++) {
        v = json_object_get(entry, f->name);

        if (!json_is_string(v)) {
            return reel_fail(e, REEL_BADDATA, "access_keys[%zu].%s is "
                             "missing or no string", at, f->name);
        }

        s = (reel_str_t) { json_string_value(v), json_string_length(v) };

        if (!f->valid(s)) {
            return reel_fail(e, REEL_BADDATA, "access_keys[%zu].%s must be "
                             "%s", at, f->name, f->form);
        }

        z = strndup(s.p, s.len);
        if (z == NULL) {
            return REEL_NOMEM;
        }

        memcpy((char *) k + f->offset, &z, sizeof(z));
    }

    return REEL_OK;
}


static reel_err_t
parse_buckets(reel_access_key_t *k, json_t *entry, size_t at, reel_error_t *e)
{
    size_t      i, n;
    json_t     *list, *v;
    reel_str_t  s;

    list = json_object_get(entry, "buckets");
    n = json_array_size(list);

    if (n == 0 || n > KEYS_MAX) {
        return reel_fail(e, REEL_BADDATA, "access_keys[%zu].buckets must be "
                         "a list of at least one name", at);
    }

    k->buckets = calloc(n, sizeof(char *));
    if (k->buckets == NULL) {
        return REEL_NOMEM;
    }

    for (i = 0; i < n; i++) {
        v = json_array_get(list, i);
        s = json_is_string(v)
            ? (reel_str_t) { json_string_value(v), json_string_length(v) }
            : REEL_STR("");

        if (!bucket_valid(s)) {
            return reel_fail(e, REEL_BADDATA, "access_keys[%zu].buckets[%zu]"
                             " must be 1 to 63 of A-Z a-z 0-9 . _ - and not "
                             "begin with a dot", at, i);
        }

        if (reel_access_key_has_bucket(k, s)) {
            return reel_fail(e, REEL_BADDATA, "access_keys[%zu].buckets[%zu]"
                             " is there twice: \"%s\"", at, i, s.p);
        }

        k->buckets[i] = strndup(s.p, s.len);
        if (k->buckets[i] == NULL) {
            return REEL_NOMEM;
        }

        k->nbuckets = i + 1;
    }

    return REEL_OK;
}


/* 0 would be a key of no use: such a one is taken out of the file */
static reel_err_t
parse_quota(uint64_t *v, json_t *entry, const char *name, size_t at,
    reel_error_t *e)
{
    json_t  *n = json_object_get(entry, name);

    if (n == NULL) {
        return REEL_OK;
    }

    if (!json_is_integer(n) || json_integer_value(n) <= 0) {
        return reel_fail(e, REEL_BADDATA, "access_keys[%zu].%s must be a "
                         "whole number from 1 on", at, name);
    }

    *v = (uint64_t) json_integer_value(n);

    return REEL_OK;
}


/* a mistyped field would otherwise be ignored in silence */
static reel_err_t
check_names(json_t *entry, size_t at, reel_error_t *e)
{
    size_t       i;
    json_t      *v;
    const char  *name;

    static const char *const  known[] = {
        "id", "secret", "project", "buckets", "max_open_uploads",
        "max_open_bytes"
    };

    json_object_foreach(entry, name, v) {
        for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (strcmp(name, known[i]) == 0) {
                break;
            }
        }

        if (i == sizeof(known) / sizeof(known[0])) {
            return reel_fail(e, REEL_BADDATA, "access_keys[%zu] has an "
                             "unknown field: only id, secret, project, "
                             "buckets, max_open_uploads and max_open_bytes "
                             "are known", at);
        }
    }

    return REEL_OK;
}


/* two keys may share a bucket (to replace one by the other) in a project */
static reel_err_t
check_unique(const reel_access_keys_t *k, size_t at, reel_error_t *e)
{
    size_t                    i, b;
    const reel_access_key_t  *one = &k->keys[at], *other;

    for (i = 0; i < at; i++) {
        other = &k->keys[i];

        if (strcmp(one->id, other->id) == 0) {
            return reel_fail(e, REEL_BADDATA, "access_keys[%zu].id is that "
                             "of access_keys[%zu]", at, i);
        }

        if (strcmp(one->project, other->project) == 0) {
            continue;
        }

        for (b = 0; b < one->nbuckets; b++) {
            if (reel_access_key_has_bucket(other, reel_str(one->buckets[b])))
            {
                return reel_fail(e, REEL_BADDATA,
                                 "access_keys[%zu].buckets: \"%s\" belongs "
                                 "to the project of access_keys[%zu]", at,
                                 one->buckets[b], i);
            }
        }
    }

    return REEL_OK;
}


static reel_err_t
parse_list(reel_access_keys_t *k, json_t *list, reel_error_t *e)
{
    size_t      i, n;
    json_t     *entry;
    reel_err_t  err;

    n = json_array_size(list);

    if (n == 0 || n > KEYS_MAX) {
        return reel_fail(e, REEL_BADDATA, "access_keys must be a list of 1 "
                         "to %d keys", KEYS_MAX);
    }

    k->keys = calloc(n, sizeof(reel_access_key_t));
    if (k->keys == NULL) {
        return REEL_NOMEM;
    }

    for (i = 0; i < n; i++) {
        entry = json_array_get(list, i);
        k->nkeys = i + 1;

        if (!json_is_object(entry)) {
            return reel_fail(e, REEL_BADDATA, "access_keys[%zu] must be an "
                             "object", i);
        }

        err = check_names(entry, i, e);

        if (err == REEL_OK) {
            err = parse_fields(&k->keys[i], entry, i, e);
        }

        if (err == REEL_OK) {
            err = parse_buckets(&k->keys[i], entry, i, e);
        }

        if (err == REEL_OK) {
            err = parse_quota(&k->keys[i].max_open_uploads, entry,
                              "max_open_uploads", i, e);
        }

        if (err == REEL_OK) {
            err = parse_quota(&k->keys[i].max_open_bytes, entry,
                              "max_open_bytes", i, e);
        }

        if (err == REEL_OK) {
            err = check_unique(k, i, e);
        }

        if (err != REEL_OK) {
            return err;
        }
    }

    return REEL_OK;
}


reel_err_t
reel_access_keys_parse(reel_access_keys_t *k, const char *json, size_t len,
    reel_error_t *e)
{
    json_t      *root;
    reel_err_t   err;

    *k = (reel_access_keys_t) { 0 };

    err = reel_secret_json(&root, json, len, "the access-key file is not", e);
    if (err != REEL_OK) {
        return err;
    }

    err = parse_list(k, json_object_get(root, "access_keys"), e);

    if (err != REEL_OK) {
        reel_access_keys_release(k);
    }

    reel_secret_json_free(root);

    return err;
}


void
reel_access_keys_release(reel_access_keys_t *k)
{
    size_t              i, b;
    reel_access_key_t  *one;

    for (i = 0; i < k->nkeys; i++) {
        one = &k->keys[i];

        if (one->secret != NULL) {
            OPENSSL_cleanse(one->secret, strlen(one->secret));
        }

        for (b = 0; b < one->nbuckets; b++) {
            free(one->buckets[b]);
        }

        free(one->buckets);
        free(one->id);
        free(one->secret);
        free(one->project);
    }

    free(k->keys);
    *k = (reel_access_keys_t) { 0 };
}


const reel_access_key_t *
reel_access_keys_find(const reel_access_keys_t *k, reel_str_t id)
{
    size_t  i;

    for (i = 0; i < k->nkeys; i++) {
        if (reel_str_eqz(id, k->keys[i].id)) {
            return &k->keys[i];
        }
    }

    return NULL;
}


bool
reel_access_key_has_bucket(const reel_access_key_t *k, reel_str_t b)
{
    size_t  i;

    for (i = 0; i < k->nbuckets; i++) {
        if (reel_str_eqz(b, k->buckets[i])) {
            return true;
        }
    }

    return false;
}

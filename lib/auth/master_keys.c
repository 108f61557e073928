#include <openssl/crypto.h>

#include "lib/auth/master_keys.h"
#include "lib/auth/secret_json.h"
#include "lib/base/hex.h"


static reel_err_t
parse_entry(reel_master_keys_t *k, json_t *entry, reel_error_t *e)
{
    json_t             *id = json_object_get(entry, "id");
    json_t             *key = json_object_get(entry, "key");
    reel_master_key_t  *m = &k->keys[k->n];

    if (!json_is_integer(id) || json_integer_value(id) < 0
        || json_integer_value(id) > UINT32_MAX)
    {
        return reel_fail(e, REEL_BADDATA, "master_keys[%zu].id is no number "
                         "from 0 to 4294967295", k->n);
    }

    m->id = (uint32_t) json_integer_value(id);

    if (reel_master_keys_find(k, m->id) != NULL) {
        return reel_fail(e, REEL_BADDATA, "master_keys[%zu].id stands twice",
                         k->n);
    }

    if (!json_is_string(key)
        || reel_unhex(m->key, REEL_MASTER_KEY,
                      (reel_str_t) { json_string_value(key),
                                     json_string_length(key) })
           != REEL_OK)
    {
        return reel_fail(e, REEL_BADDATA, "master_keys[%zu].key is not of %d "
                         "hexadecimal digits", k->n, 2 * REEL_MASTER_KEY);
    }

    k->n++;

    return REEL_OK;
}


static reel_err_t
parse_all(reel_master_keys_t *k, json_t *root, reel_error_t *e)
{
    size_t      i;
    json_t     *list, *entry;
    reel_err_t  err;

    list = json_object_get(root, "master_keys");

    if (json_array_size(list) == 0
        || json_array_size(list) > REEL_MASTER_KEYS_MAX)
    {
        return reel_fail(e, REEL_BADDATA, "master_keys is no list of 1 to %d "
                         "keys", REEL_MASTER_KEYS_MAX);
    }

    json_array_foreach(list, i, entry) {
        err = parse_entry(k, entry, e);
        if (err != REEL_OK) {
            return err;
        }
    }

    return REEL_OK;
}


reel_err_t
reel_master_keys_parse(reel_master_keys_t *k, const char *json, size_t len,
    reel_error_t *e)
{
    json_t      *root;
    reel_err_t   err;

    k->n = 0;

    err = reel_secret_json(&root, json, len, "no", e);
    if (err != REEL_OK) {
        return err;
    }

    err = parse_all(k, root, e);
    reel_secret_json_free(root);

    if (err != REEL_OK) {
        reel_master_keys_release(k);
    }

    return err;
}


void
reel_master_keys_release(reel_master_keys_t *k)
{
    OPENSSL_cleanse(k, sizeof(*k));
}


const uint8_t *
reel_master_keys_find(const reel_master_keys_t *k, uint32_t id)
{
    size_t  i;

    for (i = 0; i < k->n; i++) {
        if (k->keys[i].id == id) {
            return k->keys[i].key;
        }
    }

    return NULL;
}

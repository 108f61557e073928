#include "lib/auth/secret_json.h"

#include <openssl/crypto.h>


reel_err_t
reel_secret_json(json_t **root, const char *json, size_t len,
    const char *what, reel_error_t *e)
{
    json_error_t  je;

    *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);

    /* je.text quotes what it found: it could be a secret */
    return *root != NULL ? REEL_OK
           : reel_fail(e, REEL_BADDATA, "%s JSON: line %d, column %d", what,
                       je.line, je.column);
}


static void
wipe(json_t *v)
{
    void        *next;
    size_t       i;
    json_t      *in;
    const char  *key;

    if (json_is_string(v)) {
        OPENSSL_cleanse((char *) (uintptr_t) json_string_value(v),
                        json_string_length(v));
    }

    json_array_foreach(v, i, in) {
        wipe(in);
    }

    json_object_foreach_safe(v, next, key, in) {
        wipe(in);
    }
}


void
reel_secret_json_free(json_t *root)
{
    wipe(root);
    json_decref(root);
}

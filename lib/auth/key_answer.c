#include <string.h>

#include <openssl/crypto.h>

#include "lib/auth/key_answer.h"
#include "lib/auth/secret_json.h"
#include "lib/base/hex.h"


reel_err_t
reel_key_answer_parse(uint8_t key[REEL_KEY_ANSWER_LEN], const char *json,
    size_t len, reel_error_t *e)
{
    json_t      *root, *v;
    reel_err_t   err;
    uint8_t      bytes[REEL_KEY_ANSWER_LEN];
    const char  *z;

    err = reel_secret_json(&root, json, len, "no", NULL);
    v = json_object_get(root, "key");
    z = json_string_value(v);

    if (!json_is_object(root)) {
        err = reel_fail(e, REEL_BADDATA, "the answer is no JSON object");

    } else if (z == NULL
               || reel_unhex(bytes, REEL_KEY_ANSWER_LEN,
                             (reel_str_t) { z, json_string_length(v) })
                  != REEL_OK)
    {
        err = reel_fail(e, REEL_BADDATA, "\"key\" is not %d hexadecimal "
                        "digits", 2 * REEL_KEY_ANSWER_LEN);

    } else {
        memcpy(key, bytes, sizeof(bytes));
    }

    OPENSSL_cleanse(bytes, sizeof(bytes));

    reel_secret_json_free(root);

    return err;
}

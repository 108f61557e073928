#include <jansson.h>

#include "lib/auth/license.h"
#include "lib/base/base64.h"


#define KID_TEXT  22            /* 16 bytes in base64url */


static reel_err_t
parse_kids(reel_license_t *l, json_t *list, reel_error_t *e)
{
    size_t      i, n;
    json_t     *kid;
    reel_str_t  text;

    if (json_array_size(list) == 0) {
        return reel_fail(e, REEL_BADDATA, "kids is no list of key ids");
    }

    if (json_array_size(list) > REEL_LICENSE_KIDS) {
        return reel_fail(e, REEL_LIMIT, "kids has more than %d",
                         REEL_LICENSE_KIDS);
    }

    json_array_foreach(list, i, kid) {
        text = (reel_str_t) { json_string_value(kid),
                              json_string_length(kid) };

        if (text.p == NULL
            || reel_unbase64url(l->kids[i], REEL_KID, &n, text) != REEL_OK
            || n != REEL_KID)
        {
            return reel_fail(e, REEL_BADDATA, "kids[%zu] is not 16 bytes in "
                             "base64url", i);
        }

        l->n++;
    }

    return REEL_OK;
}


reel_err_t
reel_license_parse(reel_license_t *l, const char *json, size_t len,
    reel_error_t *e)
{
    json_t        *root;
    reel_err_t     err;
    const char    *type;
    json_error_t   je;

    l->n = 0;

    root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);
    if (root == NULL) {
        return reel_fail(e, REEL_BADDATA, "no JSON: line %d, column %d",
                         je.line, je.column);
    }

    type = json_string_value(json_object_get(root, "type"));
    l->persistent = type != NULL && reel_str_eqz(reel_str(type),
                                                 "persistent-license");

    err = parse_kids(l, json_object_get(root, "kids"), e);
    json_decref(root);

    return err;
}


void
reel_license_print(reel_buf_t *b, const reel_license_t *l,
    const reel_content_key_t *keys, unsigned n)
{
    char      text[KID_TEXT + 1];
    unsigned  i;

    reel_buf_addz(b, "{\"keys\":[");

    for (i = 0; i < n; i++) {
        reel_base64url(text, keys[i].kid, REEL_KID);
        reel_buf_printf(b, "%s{\"kty\":\"oct\",\"kid\":\"%s\"",
                        i != 0 ? "," : "", text);

        reel_base64url(text, keys[i].key, REEL_KEY);
        reel_buf_printf(b, ",\"k\":\"%s\"}", text);
    }

    reel_buf_printf(b, "],\"type\":\"%s\"}\n",
                    l->persistent ? "persistent-license" : "temporary");
}

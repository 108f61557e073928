/* the values of Upload-Metadata and Upload-Concat */

#include "lib/upload/tus.h"

#include "lib/base/base64.h"
#include "lib/base/utf8.h"


#define UPLOADS  "/.uploads/"


/* the next pair; false at the end */
static bool
next_pair(reel_str_t *rest, reel_str_t *key, reel_str_t *value)
{
    reel_str_t  pair, v;

    if (rest->p == NULL) {
        return false;
    }

    pair = reel_str_cut(*rest, ',', rest);

    if (pair.len > 0 && pair.p[0] == ' ') {
        pair.p++;
        pair.len--;
    }

    *key = reel_str_cut(pair, ' ', &v);
    *value = v.p != NULL ? v : REEL_STR("");

    return true;
}


static bool
is_key(reel_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7f) {
            return false;
        }
    }

    return s.len > 0;
}


reel_err_t
reel_tus_metadata_check(reel_str_t v, reel_error_t *e)
{
    size_t      i, n = 0, len;
    uint8_t     raw[REEL_TUS_METADATA_MAX];
    reel_str_t  rest = v, key, value, seen[REEL_TUS_METADATA_PAIRS];

    if (v.len > REEL_TUS_METADATA_MAX) {
        return reel_fail(e, REEL_LIMIT, "Upload-Metadata is longer than %d "
                         "bytes", REEL_TUS_METADATA_MAX);
    }

    while (next_pair(&rest, &key, &value)) {

        if (n == REEL_TUS_METADATA_PAIRS) {
            return reel_fail(e, REEL_LIMIT, "Upload-Metadata has more than "
                             "%d keys", REEL_TUS_METADATA_PAIRS);
        }

        if (!is_key(key)) {
            return reel_fail(e, REEL_BADDATA, "Upload-Metadata: key %zu is "
                             "empty or not printable ASCII", n + 1);
        }

        for (i = 0; i < n; i++) {
            if (reel_str_eq(seen[i], key)) {
                return reel_fail(e, REEL_BADDATA, "Upload-Metadata: key %zu "
                                 "stands there twice", n + 1);
            }
        }

        if (reel_unbase64(raw, sizeof(raw), &len, value) != REEL_OK) {
            return reel_fail(e, REEL_BADDATA, "Upload-Metadata: the value of "
                             "key %zu is not base64", n + 1);
        }

        seen[n++] = key;
    }

    return REEL_OK;
}


static bool
is_text(const uint8_t *p, size_t n)
{
    size_t  i, len;

    for (i = 0; i < n; i += len) {
        len = reel_utf8_len(p + i, n - i);

        if (len == 0 || p[i] < 0x20 || p[i] == 0x7f) {
            return false;
        }
    }

    return true;
}


reel_err_t
reel_tus_metadata_get(reel_str_t v, const char *key, char *dst, size_t cap)
{
    size_t      n;
    reel_err_t  err;
    reel_str_t  rest = v, name, value;

    dst[0] = '\0';

    while (next_pair(&rest, &name, &value)) {

        if (!reel_str_eqz(name, key)) {
            continue;
        }

        err = reel_unbase64((uint8_t *) dst, cap - 1, &n, value);

        if (err == REEL_OK && !is_text((uint8_t *) dst, n)) {
            err = REEL_BADDATA;
        }

        dst[err == REEL_OK ? n : 0] = '\0';

        return err == REEL_INVAL ? REEL_BADDATA : err;
    }

    return REEL_NOTFOUND;
}


reel_err_t
reel_tus_concat_next(reel_str_t *urls, reel_str_t *id)
{
    size_t      at, len = sizeof(UPLOADS) - 1;
    reel_str_t  url;

    do {
        if (urls->p == NULL) {
            return REEL_NOTFOUND;
        }

        url = reel_str_cut(*urls, ' ', urls);

    } while (url.len == 0);

    /* the last one: a location's own path may hold it too */
    for (at = url.len; at >= len; at--) {

        if (memcmp(url.p + at - len, UPLOADS, len) == 0) {
            *id = (reel_str_t) { url.p + at, url.len - at };
            return REEL_OK;
        }
    }

    return REEL_BADDATA;
}

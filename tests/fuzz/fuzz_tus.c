/*
 * Any bytes as Upload-Metadata and as the URLs of Upload-Concat: what passes
 * the check can be echoed and has values that fit, or say that they do not;
 * an id lies in its list.
 */

#include <stdlib.h>

#include "lib/base/utf8.h"
#include "lib/upload/tus.h"
#include "tests/fuzz/harness.h"


static void
check_value(reel_str_t v, const char *key)
{
    char        dst[24];
    size_t      i, n, len;
    reel_err_t  err;

    err = reel_tus_metadata_get(v, key, dst, sizeof(dst));
    need(memchr(dst, '\0', sizeof(dst)) != NULL);
    n = strlen(dst);
    need(err == REEL_OK || n == 0);
    need(err == REEL_OK || err == REEL_NOTFOUND || err == REEL_LIMIT
         || err == REEL_BADDATA);

    for (i = 0; i < n; i += len) {
        len = reel_utf8_len((uint8_t *) dst + i, n - i);
        need(len != 0 && (uint8_t) dst[i] >= 0x20);
    }
}


static void
check_metadata(reel_str_t v)
{
    char          key[16];
    size_t        i;
    reel_str_t    rest, name;
    reel_error_t  e;

    e.text[0] = '\0';

    if (reel_tus_metadata_check(v, &e) != REEL_OK) {
        need(e.text[0] != '\0');
        return;
    }

    for (i = 0; i < v.len; i++) {
        need(v.p[i] >= 0x20 && v.p[i] < 0x7f);
    }

    for (rest = v; rest.p != NULL; /* void */ ) {
        name = reel_str_cut(rest, ',', &rest);

        if (name.len != 0 && name.p[0] == ' ') {
            name.p++;
            name.len--;
        }

        name = reel_str_cut(name, ' ', &(reel_str_t) { 0 });
        need(name.len != 0);

        if (reel_str_copy(key, sizeof(key), name) == REEL_OK) {
            check_value(v, key);
        }
    }

    check_value(v, "filename");
}


static void
check_urls(reel_str_t v)
{
    size_t      n;
    reel_str_t  urls = v, id;
    reel_err_t  err;

    for (n = 0; ; n++) {
        err = reel_tus_concat_next(&urls, &id);
        if (err != REEL_OK) {
            break;
        }

        need(id.p > v.p && id.len <= v.len
             && (size_t) (id.p - v.p) <= v.len - id.len);
        need(memchr(id.p, ' ', id.len) == NULL);
        need(n <= v.len);
    }

    need(err == REEL_NOTFOUND || err == REEL_BADDATA);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char       *p;
    reel_str_t  v;

    /* a block of just that length: what reads beyond is seen */
    p = malloc(size + (size == 0));
    need(p != NULL);

    if (size != 0) {
        memcpy(p, data, size);
    }

    v = (reel_str_t) { p, size };
    check_metadata(v);
    check_urls(v);
    free(p);

    return 0;
}

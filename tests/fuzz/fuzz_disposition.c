/*
 * Any bytes as Content-Disposition: a name that comes out is text without
 * folders, fits, and comes out again when it is sent in either form.
 */

#include <stdio.h>

#include "lib/base/disposition.h"
#include "tests/fuzz/harness.h"


static void
again(const char *name, bool ext)
{
    char           field[1024], out[256];
    size_t         n;
    const uint8_t *p;

    n = (size_t) snprintf(field, sizeof(field), ext ? "x; filename*=UTF-8''"
                                                    : "x; filename=\"");

    for (p = (const uint8_t *) name; *p != '\0'; p++) {
        n += (size_t) snprintf(field + n, sizeof(field) - n,
                               ext ? "%%%02x" : *p == '"' ? "\\%c" : "%c",
                               *p);
    }

    if (!ext) {
        field[n++] = '"';
    }

    need(reel_disposition_filename((reel_str_t) { field, n }, out,
                                   sizeof(out))
         == REEL_OK);
    need(strcmp(out, name) == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        name[256], less[8];
    reel_err_t  err;
    reel_str_t  s = { (const char *) data, size };

    err = reel_disposition_filename(s, name, sizeof(name));
    need(err == REEL_OK || err == REEL_NOTFOUND || err == REEL_LIMIT);
    need((err == REEL_OK) == (name[0] != '\0'));

    if (err == REEL_OK) {
        need(strpbrk(name, "/\\\x7f\n") == NULL);
        again(name, true);
        again(name, false);

        err = reel_disposition_filename(s, less, sizeof(less));
        need(err == REEL_LIMIT || strcmp(less, name) == 0);
    }

    return 0;
}

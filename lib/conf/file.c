#include "lib/conf/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>


reel_err_t
reel_conf_file(const char *path, size_t max, char **data, size_t *len)
{
    int    why;
    FILE  *f = fopen(path, "re");

    *data = NULL;
    *len = 0;

    if (f == NULL) {
        return errno == ENOENT ? REEL_NOTFOUND : REEL_IO;
    }

    *data = malloc(max + 1);
    if (*data == NULL) {
        (void) fclose(f);
        return REEL_NOMEM;
    }

    errno = 0;
    *len = fread(*data, 1, max + 1, f);
    why = ferror(f) ? errno : 0;
    (void) fclose(f);

    if (why != 0) {
        free(*data);
        *data = NULL;
        errno = why;
        return REEL_IO;
    }

    return REEL_OK;
}

#include "tests/unit/help/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>


void *
file_read(const char *path, size_t *len)
{
    FILE         *f = fopen(path, "rb");
    char         *data;
    size_t        n;
    struct stat   st;

    if (f == NULL || fstat(fileno(f), &st) != 0) {
        fail_msg("%s: %s", path, strerror(errno));
    }

    n = (size_t) st.st_size;
    data = malloc(n + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, n + 1, f), n);
    assert_int_equal(fclose(f), 0);
    data[n] = '\0';

    if (len != NULL) {
        *len = n;
    }

    return data;
}


void
file_write(const char *path, const void *data, size_t len)
{
    FILE  *f = fopen(path, "wb");

    if (f == NULL) {
        fail_msg("%s: %s", path, strerror(errno));
    }

    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}


void
file_write_text(const char *path, const char *text)
{
    file_write(path, text, strlen(text));
}


static int
remove_one(const char *name, const struct stat *st, int type,
    struct FTW *where)
{
    (void) st;
    (void) type;
    (void) where;

    return remove(name);
}


int
folder_remove(const char *path)
{
    return nftw(path, remove_one, 64, FTW_DEPTH | FTW_PHYS);
}

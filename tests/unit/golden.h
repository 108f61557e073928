/*
 * Golden files: what a printer makes of fixed facts, kept under
 * tests/golden/ and compared byte by byte (tests/golden/README.md).
 * REEL_GOLDEN_WRITE=1 in the environment writes them anew.  Include it
 * behind cmocka.h.
 */

#ifndef REEL_TESTS_GOLDEN_H
#define REEL_TESTS_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_MAX (1u << 20)


static inline void
golden_path(char *dst, size_t cap, const char *name)
{
    int  n = snprintf(dst, cap, "tests/golden/%s", name);

    assert_true(n > 0 && (size_t) n < cap);
}


/* the file's bytes, to be freed; the test fails when it cannot be read */
static inline char *
golden_read(const char *name, size_t *len)
{
    char  *data, path[256];
    FILE  *f;

    golden_path(path, sizeof(path), name);
    f = fopen(path, "rb");

    if (f == NULL) {
        print_error("%s cannot be opened; are you in the repository's "
                    "root?\n", path);
        fail();
    }

    data = malloc(GOLDEN_MAX);
    assert_non_null(data);
    *len = fread(data, 1, GOLDEN_MAX, f);
    assert_true(*len < GOLDEN_MAX);
    fclose(f);

    return data;
}


static inline void
golden_check(const char *name, const void *data, size_t len)
{
    char        *want, path[256];
    FILE        *f;
    size_t       n, i, line = 1;
    const char  *got = data;

    if (getenv("REEL_GOLDEN_WRITE") != NULL) {
        golden_path(path, sizeof(path), name);
        f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(data, 1, len, f), len);
        assert_int_equal(fclose(f), 0);
    }

    want = golden_read(name, &n);

    for (i = 0; i < len && i < n && got[i] == want[i]; i++) {
        line += got[i] == '\n';
    }

    if (i != n || i != len) {
        print_error("tests/golden/%s differs at byte %zu, line %zu "
                    "(%zu bytes, golden %zu)\n", name, i, line, len, n);
        free(want);
        fail();
    }

    free(want);
}

#endif

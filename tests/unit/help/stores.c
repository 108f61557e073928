#include "tests/unit/help/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/help/files.h"

#define NAMES_MAX 64

char         fs_root[64];
static char  path[512];


typedef struct {
    char     name[NAMES_MAX][REEL_STORE_KEY_MAX + 2];
    size_t   n;
} names_t;


int
fs_setup(void **state)
{
    reel_error_t   e;
    reel_store_t  *s;

    (void) snprintf(fs_root, sizeof(fs_root), "/tmp/reel-store-XXXXXX");

    if (mkdtemp(fs_root) == NULL) {
        perror(fs_root);
        return -1;
    }

    if (reel_store_fs_open(fs_root, &s, &e) != REEL_OK) {
        fprintf(stderr, "%s\n", e.text);
        return -1;
    }

    *state = s;

    return 0;
}


int
mem_setup(void **state)
{
    reel_store_t  *s;

    fs_root[0] = '\0';

    if (reel_store_mem_open(&s) != REEL_OK) {
        return -1;
    }

    *state = s;

    return 0;
}


int
store_teardown(void **state)
{
    reel_store_close(*state);

    return fs_root[0] == '\0' ? 0 : folder_remove(fs_root);
}


const char *
fs_path(const char *below)
{
    (void) snprintf(path, sizeof(path), "%s/%s", fs_root, below);

    return path;
}


static reel_err_t
collect(void *arg, const char *name, bool is_prefix)
{
    names_t  *names = arg;

    assert_true(names->n < NAMES_MAX);
    (void) snprintf(names->name[names->n++], sizeof(names->name[0]), "%s%s",
                    name, is_prefix ? "/" : "");

    return REEL_OK;
}


static int
by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}


void
assert_list(reel_store_t *s, const char *prefix, const char *want)
{
    size_t       i;
    names_t     *names;
    reel_buf_t   b;

    names = calloc(1, sizeof(*names));
    assert_non_null(names);
    assert_int_equal(reel_store_list(s, prefix, collect, names), REEL_OK);
    qsort(names->name, names->n, sizeof(names->name[0]), by_name);

    reel_buf_init(&b, 10000);

    for (i = 0; i < names->n; i++) {
        reel_buf_printf(&b, "%s%s", i ? " " : "", names->name[i]);
    }

    assert_string_equal(reel_buf_cstr(&b), want);
    reel_buf_release(&b);
    free(names);
}

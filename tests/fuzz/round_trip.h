/*
 * For harnesses of formats that we print too: what is taken once prints,
 * and that is taken again and prints the same.
 */

#ifndef REEL_TESTS_FUZZ_ROUND_TRIP_H
#define REEL_TESTS_FUZZ_ROUND_TRIP_H

#include <string.h>

#include "lib/base/buf.h"
#include "tests/fuzz/harness.h"

#define PRINT_MAX (64u << 20)

typedef struct {
    const char  *name;
    reel_err_t (*parse)(void *v, const char *json, size_t len,
        reel_error_t *e);
    reel_err_t (*print)(reel_buf_t *b, const void *v);
    void       (*release)(void *v);
} format_t;

/* false when the bytes were refused; v is room for the parsed object */
static inline bool
round_trip(const format_t *f, void *v, const uint8_t *data, size_t size)
{
    reel_buf_t   a, b;
    reel_error_t e = { "" };

    if (f->parse(v, (const char *) data, size, &e) != REEL_OK) {
        return false;
    }

    reel_buf_init(&a, PRINT_MAX);
    reel_buf_init(&b, PRINT_MAX);
    need(f->print(&a, v) == REEL_OK);
    f->release(v);

    need(f->parse(v, (const char *) a.data, a.len, &e) == REEL_OK);
    need(f->print(&b, v) == REEL_OK);
    f->release(v);

    need(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
    reel_buf_release(&a);
    reel_buf_release(&b);

    return true;
}

/*
 * The row whose name and a space the bytes begin with, and what is behind it;
 * NULL: none.  A number would choose another when a row is added.
 */
static inline const format_t *
choose(const format_t *rows, size_t n, const uint8_t **data, size_t *size)
{
    size_t len;

    for (size_t i = 0; i < n; i++) {
        len = strlen(rows[i].name);

        if (*size > len && memcmp(*data, rows[i].name, len) == 0
            && (*data)[len] == ' ')
        {
            *data += len + 1;
            *size -= len + 1;
            return &rows[i];
        }
    }

    return NULL;
}

/* a format_t's three functions from those of reel_<x>_t */
#define FORMAT(x, release_it)                                                \
    static reel_err_t                                                        \
    x##_parse(void *v, const char *json, size_t len, reel_error_t *e)        \
    {                                                                        \
        return reel_##x##_parse(v, json, len, e);                            \
    }                                                                        \
                                                                             \
    static reel_err_t                                                        \
    x##_print(reel_buf_t *b, const void *v)                                  \
    {                                                                        \
        return reel_##x##_print(b, v);                                       \
    }                                                                        \
                                                                             \
    static void                                                              \
    x##_release(void *v)                                                     \
    {                                                                        \
        release_it(v);                                                       \
    }

#define ROW(x) { #x, x##_parse, x##_print, x##_release }
#define NOTHING(v) ((void) (v))

#endif

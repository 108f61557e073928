#include "workerd/redis.h"

#include <stdio.h>
#include <stdlib.h>

/* an expand of a film of ten hours is about 8 MB */
#define ARGS_MAX (64u << 20)


void
reel_args_init(reel_args_t *a)
{
    *a = (reel_args_t) { 0 };
    reel_buf_init(&a->data, ARGS_MAX);
}


void
reel_args_add(reel_args_t *a, reel_str_t s)
{
    size_t   cap;
    size_t  *p;

    if (a->err != REEL_OK) {
        return;
    }

    if (a->n == a->cap) {
        cap = a->cap == 0 ? 16 : a->cap * 2;
        p = realloc(a->ends, cap * sizeof(*p));
        if (p == NULL) {
            a->err = REEL_NOMEM;
            return;
        }
        a->ends = p;
        a->cap = cap;
    }

    reel_buf_adds(&a->data, s);
    a->err = reel_buf_err(&a->data);
    a->ends[a->n++] = a->data.len;
}


void
reel_args_addz(reel_args_t *a, const char *z)
{
    reel_args_add(a, reel_str(z));
}


void
reel_args_uint(reel_args_t *a, uint64_t v)
{
    char  text[24];
    int   n = snprintf(text, sizeof(text), "%llu", (unsigned long long) v);

    reel_args_add(a, (reel_str_t) { text, (size_t) n });
}


void
reel_args_copy(reel_args_t *dst, const reel_args_t *src)
{
    size_t  from = 0;

    reel_args_init(dst);

    for (size_t i = 0; i < src->n; i++) {
        reel_args_add(dst, (reel_str_t) { (const char *) src->data.data
                                          + from, src->ends[i] - from });
        from = src->ends[i];
    }
}


void
reel_args_release(reel_args_t *a)
{
    reel_buf_release(&a->data);
    free(a->ends);
    *a = (reel_args_t) { 0 };
}

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/buf.h"


#define BUF_FIRST 256           /* bytes of the first allocation */


static void
free_data(reel_buf_t *b)
{
    reel_large_free(b->large, b->data, b->held);
}


/* cap bytes, with those that are there */
static bool
resize(reel_buf_t *b, size_t cap)
{
    size_t    held = cap;
    uint8_t  *p;

    p = b->large != NULL ? reel_large_alloc(b->large, &held)
                         : realloc(b->data, cap);
    if (p == NULL) {
        return false;
    }

    if (b->large != NULL && b->data != NULL) {
        memcpy(p, b->data, b->len);
        free_data(b);
    }

    b->data = p;
    b->cap = cap;
    b->held = held;

    return true;
}


static void
fail(reel_buf_t *b, reel_err_t err)
{
    free_data(b);
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
    b->err = err;
}


/* and for a terminator, which max does not count: cap is at most max + 1 */
uint8_t *
reel_buf_grow(reel_buf_t *b, size_t n)
{
    size_t  cap, need;

    if (b->err != REEL_OK) {
        return NULL;
    }

    if (n > b->max - b->len || b->len + n == SIZE_MAX) {
        fail(b, REEL_LIMIT);
        return NULL;
    }

    need = b->len + n + 1;

    if (need <= b->cap) {
        return b->data + b->len;
    }

    cap = b->cap > SIZE_MAX / 2 ? SIZE_MAX : b->cap * 2;

    if (cap < BUF_FIRST) {
        cap = BUF_FIRST;
    }

    if (cap > b->max && b->max < SIZE_MAX) {
        cap = b->max + 1;
    }

    if (cap < need) {
        cap = need;
    }

    if (!resize(b, cap)) {
        fail(b, REEL_NOMEM);
        return NULL;
    }

    return b->data + b->len;
}


void
reel_buf_init(reel_buf_t *b, size_t max)
{
    *b = (reel_buf_t) { .max = max };
}


void
reel_buf_init_large(reel_buf_t *b, size_t max, const reel_large_t *large)
{
    *b = (reel_buf_t) { .max = max, .large = large };
}


void
reel_buf_release(reel_buf_t *b)
{
    free_data(b);
    *b = (reel_buf_t) { .max = b->max, .large = b->large };
}


void
reel_buf_clear(reel_buf_t *b)
{
    b->len = 0;
    b->err = REEL_OK;
}


void
reel_buf_add(reel_buf_t *b, const void *p, size_t n)
{
    uint8_t  *dst;

    dst = reel_buf_room(b, n);

    if (dst != NULL && n != 0) {
        memcpy(dst, p, n);
        b->len += n;
    }
}


void
reel_buf_addz(reel_buf_t *b, const char *z)
{
    reel_buf_add(b, z, strlen(z));
}


void
reel_buf_adds(reel_buf_t *b, reel_str_t s)
{
    reel_buf_add(b, s.p, s.len);
}


void
reel_buf_printf(reel_buf_t *b, const char *fmt, ...)
{
    int       n;
    va_list   ap;
    uint8_t  *dst;

    dst = reel_buf_room(b, 0);
    if (dst == NULL) {
        return;
    }

    va_start(ap, fmt);
    n = vsnprintf((char *) dst, b->cap - b->len, fmt, ap);
    va_end(ap);

    if (n < 0) {
        /* an int is too small for the length, or the format is broken */
        fail(b, REEL_LIMIT);
        return;
    }

    if ((size_t) n >= b->cap - b->len) {
        dst = reel_buf_room(b, (size_t) n);
        if (dst == NULL) {
            return;
        }

        va_start(ap, fmt);
        n = vsnprintf((char *) dst, b->cap - b->len, fmt, ap);
        va_end(ap);
    }

    b->len += (size_t) n;
}


static void
add_be(reel_buf_t *b, uint64_t v, unsigned n)
{
    unsigned  i;
    uint8_t  *dst;

    dst = reel_buf_room(b, n);

    if (dst != NULL) {
        for (i = 0; i < n; i++) {
            dst[i] = (uint8_t) (v >> (8 * (n - 1 - i)));
        }

        b->len += n;
    }
}


void
reel_buf_u8(reel_buf_t *b, uint8_t v)
{
    reel_buf_add(b, &v, 1);
}


void
reel_buf_u16(reel_buf_t *b, uint16_t v)
{
    add_be(b, v, 2);
}


void
reel_buf_u24(reel_buf_t *b, uint32_t v)
{
    add_be(b, v, 3);
}


void
reel_buf_u32(reel_buf_t *b, uint32_t v)
{
    add_be(b, v, 4);
}


void
reel_buf_u64(reel_buf_t *b, uint64_t v)
{
    add_be(b, v, 8);
}


void
reel_buf_zero(reel_buf_t *b, size_t n)
{
    uint8_t  *dst;

    dst = reel_buf_room(b, n);

    if (dst != NULL) {
        memset(dst, 0, n);
        b->len += n;
    }
}


void
reel_buf_u16le(reel_buf_t *b, uint16_t v)
{
    uint8_t  raw[2] = { (uint8_t) v, (uint8_t) (v >> 8) };

    reel_buf_add(b, raw, sizeof(raw));
}


void
reel_buf_u32le(reel_buf_t *b, uint32_t v)
{
    uint8_t  raw[4] = { (uint8_t) v, (uint8_t) (v >> 8),
                        (uint8_t) (v >> 16), (uint8_t) (v >> 24) };

    reel_buf_add(b, raw, sizeof(raw));
}


void
reel_buf_varint(reel_buf_t *b, uint64_t v)
{
    uint8_t  raw[REEL_VARINT_MAX];

    reel_buf_add(b, raw, (size_t) (reel_put_varint(raw, v) - raw));
}


void
reel_buf_patch32(reel_buf_t *b, size_t off, uint32_t v)
{
    uint8_t  *p;

    if (b->err != REEL_OK) {
        return;
    }

    assert(b->len >= 4 && off <= b->len - 4);

    p = b->data + off;
    p[0] = (uint8_t) (v >> 24);
    p[1] = (uint8_t) (v >> 16);
    p[2] = (uint8_t) (v >> 8);
    p[3] = (uint8_t) v;
}


reel_err_t
reel_buf_err(const reel_buf_t *b)
{
    return b->err;
}


char *
reel_buf_take(reel_buf_t *b, size_t *len)
{
    char     *z;
    uint8_t  *end;

    assert(b->large == NULL);

    end = reel_buf_room(b, 0);

    if (end == NULL) {
        if (len != NULL) {
            *len = 0;
        }

        return NULL;
    }

    *end = '\0';
    z = (char *) b->data;

    if (len != NULL) {
        *len = b->len;
    }

    *b = (reel_buf_t) { .max = b->max };

    return z;
}


const char *
reel_buf_cstr(reel_buf_t *b)
{
    uint8_t  *end;

    if (b->len == 0) {
        return "";
    }

    /* every reservation left a byte for it */
    end = b->data + b->len;
    *end = '\0';

    return (const char *) b->data;
}

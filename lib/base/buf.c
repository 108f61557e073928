#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/buf.h"


#define BUF_FIRST 256           /* bytes of the first allocation */


static void
fail(reel_buf_t *b, reel_err_t err)
{
    free(b->data);
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
    b->err = err;
}


/*
 * Makes room for n more bytes and a terminator, which max does not count
 * (so cap is at most max + 1); NULL when b is in error, already or now.
 */
static uint8_t *
reserve(reel_buf_t *b, size_t n)
{
    size_t    cap, need;
    uint8_t  *p;

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

    p = realloc(b->data, cap);
    if (p == NULL) {
        fail(b, REEL_NOMEM);
        return NULL;
    }

    b->data = p;
    b->cap = cap;

    return p + b->len;
}


void
reel_buf_init(reel_buf_t *b, size_t max)
{
    *b = (reel_buf_t) { .max = max };
}


void
reel_buf_release(reel_buf_t *b)
{
    free(b->data);
    *b = (reel_buf_t) { .max = b->max };
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

    dst = reserve(b, n);

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

    dst = reserve(b, 0);
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
        dst = reserve(b, (size_t) n);
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
    uint8_t   raw[8];

    for (i = 0; i < n; i++) {
        raw[i] = (uint8_t) (v >> (8 * (n - 1 - i)));
    }

    reel_buf_add(b, raw, n);
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

    dst = reserve(b, n);

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
    size_t   n = 0;
    uint8_t  raw[10];

    while (v > 0x7f) {
        raw[n++] = (uint8_t) (v | 0x80);
        v >>= 7;
    }

    raw[n++] = (uint8_t) v;

    reel_buf_add(b, raw, n);
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

    end = reserve(b, 0);

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

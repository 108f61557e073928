#include <stdlib.h>
#include <string.h>

#include "lib/store/mem_table.h"


reel_mem_blob_t *
reel_mem_blob_new(reel_mem_table_t *t)
{
    reel_mem_blob_t  *b;

    b = calloc(1, sizeof(*b));

    if (b != NULL) {
        b->refs = 1;
        b->version = ++t->version;
    }

    return b;
}


void
reel_mem_blob_put(reel_mem_blob_t *b)
{
    if (--b->refs == 0) {
        free(b->data);
        free(b);
    }
}


reel_err_t
reel_mem_blob_write(reel_mem_blob_t *b, uint64_t off, const void *data,
    size_t len)
{
    size_t    end, cap;
    uint8_t  *p;

    if (off > SIZE_MAX / 2 || len > SIZE_MAX / 2 - off) {
        return REEL_NOMEM;
    }

    if (len == 0) {
        return REEL_OK;
    }

    end = (size_t) off + len;

    if (end > b->cap) {
        cap = end > SIZE_MAX / 4 ? end : end * 2;

        p = realloc(b->data, cap);
        if (p == NULL) {
            return REEL_NOMEM;
        }

        b->data = p;
        b->cap = cap;
    }

    if (off > b->len) {
        memset(b->data + b->len, 0, (size_t) off - b->len);
    }

    memcpy(b->data + off, data, len);

    if (end > b->len) {
        b->len = end;
    }

    return REEL_OK;
}


reel_mem_blob_t *
reel_mem_blob_of(reel_mem_table_t *t, const void *data, size_t len)
{
    reel_mem_blob_t  *b;

    b = reel_mem_blob_new(t);

    if (b != NULL && reel_mem_blob_write(b, 0, data, len) != REEL_OK) {
        reel_mem_blob_put(b);
        return NULL;
    }

    return b;
}


size_t
reel_mem_lower_bound(const reel_mem_table_t *t, const char *key)
{
    size_t  lo = 0, hi = t->n, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;

        if (strcmp(t->entries[mid].key, key) < 0) {
            lo = mid + 1;

        } else {
            hi = mid;
        }
    }

    return lo;
}


reel_mem_entry_t *
reel_mem_find(reel_mem_table_t *t, const char *key)
{
    size_t  i = reel_mem_lower_bound(t, key);

    if (i < t->n && strcmp(t->entries[i].key, key) == 0) {
        return &t->entries[i];
    }

    return NULL;
}


reel_err_t
reel_mem_insert(reel_mem_table_t *t, const char *key, reel_mem_blob_t *b)
{
    char              *copy;
    size_t             i, cap;
    reel_mem_entry_t  *grown;

    if (t->n == t->cap) {
        cap = t->cap ? t->cap * 2 : 64;

        grown = reallocarray(t->entries, cap, sizeof(*grown));
        if (grown == NULL) {
            return REEL_NOMEM;
        }

        t->entries = grown;
        t->cap = cap;
    }

    copy = strdup(key);
    if (copy == NULL) {
        return REEL_NOMEM;
    }

    i = reel_mem_lower_bound(t, key);
    memmove(&t->entries[i + 1], &t->entries[i],
            (t->n - i) * sizeof(reel_mem_entry_t));
    t->entries[i] = (reel_mem_entry_t) { copy, b };
    t->n++;

    return REEL_OK;
}


void
reel_mem_drop(reel_mem_table_t *t, reel_mem_entry_t *e)
{
    size_t  i = (size_t) (e - t->entries);

    free(e->key);
    reel_mem_blob_put(e->blob);

    t->n--;
    memmove(e, e + 1, (t->n - i) * sizeof(reel_mem_entry_t));
}

#include <stdlib.h>
#include <string.h>

#include "lib/store/mem_table.h"


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

/*
 * Objects in pieces, in memory: the staging key has the blob from the start,
 * and to publish is to count it once more, under the other key.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/store/mem.h"


typedef struct {
    reel_multipart_t  base;
    reel_mem_blob_t  *blob;
    char              staging[REEL_STORE_KEY_MAX + 1];
} mem_multipart_t;


static reel_mem_blob_t *
blob_of(reel_multipart_t *m)
{
    return ((mem_multipart_t *) m)->blob;
}


/* the entry of the staging key, unless someone deleted it (and made anew) */
static reel_mem_entry_t *
own_entry(mem_multipart_t *m)
{
    reel_mem_entry_t  *e;

    e = reel_mem_find(&((reel_mem_t *) m->base.store)->table, m->staging);

    return e != NULL && e->blob == m->blob ? e : NULL;
}


static reel_err_t
start(reel_store_t *s, const char *staging, reel_mem_blob_t *b,
    reel_multipart_t **out)
{
    mem_multipart_t  *m;

    m = calloc(1, sizeof(*m));
    if (m == NULL) {
        return REEL_NOMEM;
    }

    m->base.store = s;
    m->base.fd = -1;
    m->blob = b;
    b->refs++;
    memcpy(m->staging, staging, strlen(staging) + 1);

    *out = &m->base;

    return REEL_OK;
}


reel_err_t
reel_mem_multipart_create(reel_store_t *s, const char *staging,
    reel_multipart_t **m)
{
    reel_err_t         err;
    reel_mem_blob_t   *b;
    reel_mem_table_t  *t = &((reel_mem_t *) s)->table;

    if (reel_mem_find(t, staging) != NULL) {
        return REEL_EXISTS;
    }

    b = reel_mem_blob_new(t);
    if (b == NULL) {
        return REEL_NOMEM;
    }

    err = reel_mem_insert(t, staging, b);
    if (err != REEL_OK) {
        reel_mem_blob_put(b);
        return err;
    }

    err = start(s, staging, b, m);
    if (err != REEL_OK) {
        reel_mem_drop(t, reel_mem_find(t, staging));
    }

    return err;
}


reel_err_t
reel_mem_multipart_open(reel_store_t *s, const char *staging,
    reel_multipart_t **m)
{
    reel_mem_entry_t  *e;

    e = reel_mem_find(&((reel_mem_t *) s)->table, staging);
    if (e == NULL) {
        return REEL_NOTFOUND;
    }

    return start(s, staging, e->blob, m);
}


reel_err_t
reel_mem_multipart_size(reel_multipart_t *m, uint64_t *size)
{
    *size = blob_of(m)->len;

    return REEL_OK;
}


reel_err_t
reel_mem_multipart_read(reel_multipart_t *m, uint64_t off, void *dst,
    size_t len, size_t *n)
{
    *n = reel_mem_blob_read(blob_of(m), off, dst, len);

    return REEL_OK;
}


reel_err_t
reel_mem_multipart_write(reel_multipart_t *m, uint64_t off, const void *data,
    size_t len)
{
    return reel_mem_blob_write(blob_of(m), off, data, len);
}


reel_err_t
reel_mem_multipart_sync(reel_multipart_t *m)
{
    (void) m;

    return REEL_OK;
}


reel_err_t
reel_mem_multipart_reserve(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    (void) m;
    (void) off;
    (void) len;

    return REEL_OK;
}


reel_err_t
reel_mem_multipart_truncate(reel_multipart_t *m, uint64_t size)
{
    reel_mem_blob_resize(blob_of(m), size);

    return REEL_OK;
}


reel_err_t
reel_mem_multipart_copy(reel_multipart_t *to, uint64_t off,
    reel_multipart_t *from, uint64_t from_off, uint64_t len)
{
    size_t      n;
    uint8_t     page[REEL_MEM_PAGE];
    reel_err_t  err;

    while (len != 0) {
        n = len < sizeof(page) ? (size_t) len : sizeof(page);

        n = reel_mem_blob_read(blob_of(from), from_off, page, n);
        if (n == 0) {
            return REEL_IO;
        }

        err = reel_mem_blob_write(blob_of(to), off, page, n);
        if (err != REEL_OK) {
            return err;
        }

        off += n;
        from_off += n;
        len -= n;
    }

    return REEL_OK;
}


reel_err_t
reel_mem_multipart_collapse(reel_multipart_t *m, uint64_t len)
{
    return reel_mem_blob_collapse(blob_of(m), len) ? REEL_OK
                                                   : REEL_UNSUPPORTED;
}


void
reel_mem_multipart_punch(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    reel_mem_blob_punch(blob_of(m), off, len);
}


/* one thread: whoever waited would wait for ever */
reel_err_t
reel_mem_multipart_lock(reel_multipart_t *m, uint64_t off, uint64_t len,
    bool wait)
{
    (void) wait;

    if (reel_mem_locked(blob_of(m), m, off, len) != NULL) {
        return REEL_AGAIN;
    }

    return reel_mem_lock(blob_of(m), m, off, len);
}


void
reel_mem_multipart_unlock(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    if (reel_mem_unlock(blob_of(m), m, off, len) != REEL_OK) {
        return;
    }
}


reel_err_t
reel_mem_multipart_holder(reel_multipart_t *m, uint64_t off, uint64_t len,
    uint64_t *first)
{
    const reel_mem_lock_t  *l;

    l = reel_mem_locked(blob_of(m), m, off, len);
    if (l == NULL) {
        return REEL_NOTFOUND;
    }

    *first = l->off;

    return REEL_OK;
}


reel_err_t
reel_mem_multipart_publish(reel_multipart_t *base, const char *key)
{
    reel_err_t         err;
    mem_multipart_t   *m = (mem_multipart_t *) base;
    reel_mem_table_t  *t = &((reel_mem_t *) base->store)->table;

    if (own_entry(m) == NULL) {
        return REEL_NOTFOUND;
    }

    if (reel_mem_find(t, key) != NULL) {
        return REEL_EXISTS;
    }

    err = reel_mem_insert(t, key, m->blob);

    if (err == REEL_OK) {
        m->blob->refs++;
    }

    return err;
}


void
reel_mem_multipart_close(reel_multipart_t *m)
{
    reel_mem_multipart_unlock(m, 0, UINT64_MAX);
    reel_mem_blob_put(blob_of(m));
    free(m);
}


void
reel_mem_multipart_abort(reel_multipart_t *m)
{
    reel_mem_entry_t  *e;

    e = own_entry((mem_multipart_t *) m);

    if (e != NULL) {
        reel_mem_drop(&((reel_mem_t *) m->store)->table, e);
    }

    reel_mem_multipart_close(m);
}

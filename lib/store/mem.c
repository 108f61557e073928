/*
 * The store in memory: what the other back ends are measured against.  It
 * has neither descriptors nor rename, and is for one thread.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/store/mem.h"


typedef struct {
    reel_object_t    base;
    reel_mem_blob_t *blob;
} mem_object_t;


static void
fill_stat(const reel_mem_blob_t *b, reel_store_stat_t *st)
{
    /* no clock here: a time that grows with the version */
    st->size = b->len;
    st->mtime_ns = (int64_t) b->version * 1000000000;
    st->version = b->version;
}


static reel_err_t
mem_open(reel_store_t *s, const char *key, reel_object_t **o)
{
    mem_object_t      *mo;
    reel_mem_entry_t  *e;

    e = reel_mem_find(&((reel_mem_t *) s)->table, key);
    if (e == NULL) {
        return REEL_NOTFOUND;
    }

    mo = calloc(1, sizeof(*mo));
    if (mo == NULL) {
        return REEL_NOMEM;
    }

    mo->base.store = s;
    mo->base.fd = -1;
    mo->blob = e->blob;
    mo->blob->refs++;
    fill_stat(mo->blob, &mo->base.st);

    *o = &mo->base;

    return REEL_OK;
}


static reel_err_t
mem_read(reel_object_t *o, uint64_t off, void *dst, size_t len, size_t *n)
{
    *n = reel_mem_blob_read(((mem_object_t *) o)->blob, off, dst, len);

    return REEL_OK;
}


static void
mem_object_close(reel_object_t *o)
{
    reel_mem_blob_put(((mem_object_t *) o)->blob);
    free(o);
}


static reel_err_t
put_new(reel_mem_table_t *t, const char *key, const void *data, size_t len)
{
    reel_err_t        err;
    reel_mem_blob_t  *b;

    b = reel_mem_blob_of(t, data, len);
    if (b == NULL) {
        return REEL_NOMEM;
    }

    err = reel_mem_insert(t, key, b);
    if (err != REEL_OK) {
        reel_mem_blob_put(b);
    }

    return err;
}


static reel_err_t
mem_put_if_absent(reel_store_t *s, const char *key, const void *data,
    size_t len)
{
    if (reel_mem_find(&((reel_mem_t *) s)->table, key) != NULL) {
        return REEL_EXISTS;
    }

    return put_new(&((reel_mem_t *) s)->table, key, data, len);
}


static reel_err_t
mem_replace(reel_store_t *s, const char *key, const void *data, size_t len)
{
    reel_mem_blob_t   *b;
    reel_mem_entry_t  *e;

    e = reel_mem_find(&((reel_mem_t *) s)->table, key);
    if (e == NULL) {
        return put_new(&((reel_mem_t *) s)->table, key, data, len);
    }

    b = reel_mem_blob_of(&((reel_mem_t *) s)->table, data, len);
    if (b == NULL) {
        return REEL_NOMEM;
    }

    reel_mem_blob_put(e->blob);
    e->blob = b;

    return REEL_OK;
}


static reel_err_t
mem_stat(reel_store_t *s, const char *key, reel_store_stat_t *st)
{
    reel_mem_entry_t  *e;

    e = reel_mem_find(&((reel_mem_t *) s)->table, key);
    if (e == NULL) {
        return REEL_NOTFOUND;
    }

    fill_stat(e->blob, st);

    return REEL_OK;
}


/*
 * The callback may change the store, so nothing is held across it: the
 * next name is searched from the last one on.
 */
static reel_err_t
mem_list(reel_store_t *s, const char *prefix, reel_store_list_fn fn,
    void *arg)
{
    char               from[REEL_STORE_KEY_MAX + 2], *name;
    bool               is_prefix;
    size_t             plen, i, n;
    reel_err_t         err;
    const char        *key;
    reel_mem_table_t  *t = &((reel_mem_t *) s)->table;

    plen = strlen(prefix);
    memcpy(from, prefix, plen + 1);

    if (plen != 0) {
        from[plen++] = '/';
        from[plen] = '\0';
    }

    for (name = from + plen; ; ) {
        i = reel_mem_lower_bound(t, from);

        if (i == t->n || strncmp(t->entries[i].key, from, plen) != 0) {
            break;
        }

        key = t->entries[i].key + plen;
        n = strcspn(key, "/");
        is_prefix = key[n] == '/';
        memcpy(name, key, n);
        name[n] = '\0';

        err = fn(arg, name, is_prefix);
        if (err != REEL_OK) {
            return err;
        }

        /* the least key behind it: '0' follows '/'; 0x01 begins no key */
        name[n] = is_prefix ? '/' + 1 : '\x01';
        name[n + 1] = '\0';
    }

    return REEL_OK;
}


static reel_err_t
mem_del(reel_store_t *s, const char *key)
{
    reel_mem_entry_t  *e;

    e = reel_mem_find(&((reel_mem_t *) s)->table, key);

    if (e != NULL) {
        reel_mem_drop(&((reel_mem_t *) s)->table, e);
    }

    return REEL_OK;
}


static reel_err_t
mem_link(reel_store_t *s, const char *key, const char *to)
{
    reel_err_t         err;
    reel_mem_blob_t   *b;
    reel_mem_entry_t  *e;
    reel_mem_table_t  *t = &((reel_mem_t *) s)->table;

    e = reel_mem_find(t, key);

    if (e == NULL || reel_mem_find(t, to) != NULL) {
        return e == NULL ? REEL_NOTFOUND : REEL_EXISTS;
    }

    b = e->blob;
    err = reel_mem_insert(t, to, b);

    if (err == REEL_OK) {
        b->refs++;
    }

    return err;
}


static void
mem_close(reel_store_t *s)
{
    reel_mem_t  *mem = (reel_mem_t *) s;

    while (mem->table.n != 0) {
        reel_mem_drop(&mem->table, &mem->table.entries[mem->table.n - 1]);
    }

    free(mem->table.entries);
    free(mem);
}


static const reel_store_ops_t  mem_ops = {
    .name = "mem",
    .open = mem_open,
    .read = mem_read,
    .put_if_absent = mem_put_if_absent,
    .replace = mem_replace,
    .stat = mem_stat,
    .list = mem_list,
    .del = mem_del,
    .link = mem_link,
    .multipart = {
        .create = reel_mem_multipart_create,
        .open = reel_mem_multipart_open,
        .size = reel_mem_multipart_size,
        .read = reel_mem_multipart_read,
        .write = reel_mem_multipart_write,
        .sync = reel_mem_multipart_sync,
        .reserve = reel_mem_multipart_reserve,
        .truncate = reel_mem_multipart_truncate,
        .copy = reel_mem_multipart_copy,
        .collapse = reel_mem_multipart_collapse,
        .punch = reel_mem_multipart_punch,
        .lock = reel_mem_multipart_lock,
        .unlock = reel_mem_multipart_unlock,
        .holder = reel_mem_multipart_holder,
        .publish = reel_mem_multipart_publish,
        .close = reel_mem_multipart_close,
        .abort = reel_mem_multipart_abort,
    },
    .object_close = mem_object_close,
    .close = mem_close,
};


reel_err_t
reel_store_mem_open(reel_store_t **s)
{
    reel_mem_t  *mem;

    *s = NULL;

    mem = calloc(1, sizeof(*mem));
    if (mem == NULL) {
        return REEL_NOMEM;
    }

    mem->base.ops = &mem_ops;
    *s = &mem->base;

    return REEL_OK;
}

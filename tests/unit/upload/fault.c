#include "tests/unit/upload/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* a write that is not synced yet */
typedef struct write_s {
    struct write_s *next, *prev;
    char            key[REEL_STORE_KEY_MAX + 1];
    uint64_t        off;
    size_t          len;
    uint8_t        *was, *is;
    bool            lost;
} write_t;

typedef struct {
    reel_store_t   base;
    reel_store_t  *inner;
    unsigned       left;        /* changes to come; 0: no limit */
    bool           dead;
    bool           no_collapse;
    const char    *fail;        /* end of the key whose sync fails */
    write_t       *first, *last;
} fault_t;

typedef struct {
    reel_multipart_t   base;
    reel_multipart_t  *inner;
    char               key[REEL_STORE_KEY_MAX + 1];
} fault_multipart_t;


static fault_t *
of(reel_store_t *s)
{
    return (fault_t *) s;
}


static reel_multipart_t *
in(reel_multipart_t *m)
{
    return ((fault_multipart_t *) m)->inner;
}


/* true: the process is not there any more */
static bool
dies(reel_store_t *s)
{
    fault_t  *f = of(s);

    if (!f->dead && f->left != 0 && --f->left == 0) {
        f->dead = true;
    }

    return f->dead;
}


static void
forget(fault_t *f, write_t *w)
{
    *(w->prev ? &w->prev->next : &f->first) = w->next;
    *(w->next ? &w->next->prev : &f->last) = w->prev;
    free(w->was);
    free(w->is);
    free(w);
}


/* what was lost came again and is synced: no more is it lost there */
static void
came_again(fault_t *f, const write_t *w)
{
    size_t    n;
    write_t  *l;

    for (l = f->first; l != NULL; l = l->next) {
        if (!l->lost || strcmp(l->key, w->key) != 0 || w->off > l->off
            || w->off + w->len <= l->off)
        {
            continue;
        }

        n = w->off + w->len - l->off;
        n = n < l->len ? n : l->len;
        memmove(l->was, l->was + n, l->len - n);
        l->off += n;
        l->len -= n;
    }
}


static void
synced(fault_t *f, const char *key)
{
    write_t  *w, *next;

    for (w = f->first; w != NULL; w = next) {
        next = w->next;

        if (strcmp(w->key, key) == 0 && !w->lost) {
            came_again(f, w);
            forget(f, w);
        }
    }
}


static bool
fails(fault_t *f, const char *key)
{
    size_t    n;
    write_t  *w;

    if (f->fail == NULL) {
        return false;
    }

    n = strlen(f->fail);

    if (strlen(key) < n || strcmp(key + strlen(key) - n, f->fail) != 0) {
        return false;
    }

    f->fail = NULL;

    for (w = f->first; w != NULL; w = w->next) {
        if (strcmp(w->key, key) == 0) {
            w->lost = true;
        }
    }

    return true;
}


static void
remember(reel_multipart_t *m, uint64_t off, const void *data, size_t len)
{
    size_t    n;
    fault_t  *f = of(m->store);
    write_t  *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    memcpy(w->key, ((fault_multipart_t *) m)->key, sizeof(w->key));
    w->off = off;
    w->len = len;
    w->was = calloc(1, len + 1);
    w->is = calloc(1, len + 1);
    assert_true(w->was != NULL && w->is != NULL);
    assert_int_equal(reel_multipart_read(in(m), off, w->was, len, &n),
                     REEL_OK);
    memcpy(w->is, data, len);

    w->prev = f->last;
    *(f->last ? &f->last->next : &f->first) = w;
    f->last = w;
}


/* first all go, the last one first; then some come back in their order */
void
fault_power_loss(reel_store_t *s, unsigned seed)
{
    size_t             n;
    fault_t           *f = of(s);
    write_t           *w;
    reel_multipart_t  *m;

    for (w = f->last; w != NULL; w = w->prev) {
        if (reel_multipart_open(f->inner, w->key, &m) == REEL_OK) {
            assert_int_equal(reel_multipart_write(m, w->off, w->was, w->len),
                             REEL_OK);
            reel_multipart_close(m);
        }
    }

    while ((w = f->first) != NULL) {
        seed = seed * 1103515245 + 12345;
        n = seed >> 16 & 1 ? w->len : 0;

        if ((seed >> 17 & 3) == 0) {
            n = w->len ? (seed >> 19) % w->len : 0;
        }

        if (n != 0 && !w->lost
            && reel_multipart_open(f->inner, w->key, &m) == REEL_OK)
        {
            assert_int_equal(reel_multipart_write(m, w->off, w->is, n),
                             REEL_OK);
            reel_multipart_close(m);
        }

        forget(f, w);
    }
}


static reel_err_t
f_open(reel_store_t *s, const char *key, reel_object_t **o)
{
    return of(s)->dead ? REEL_IO : reel_store_open(of(s)->inner, key, o);
}


static reel_err_t
f_put(reel_store_t *s, const char *key, const void *data, size_t len)
{
    return dies(s) ? REEL_IO
                   : reel_store_put_if_absent(of(s)->inner, key, data, len);
}


static reel_err_t
f_replace(reel_store_t *s, const char *key, const void *data, size_t len)
{
    return dies(s) ? REEL_IO
                   : reel_store_replace(of(s)->inner, key, data, len);
}


static reel_err_t
f_stat(reel_store_t *s, const char *key, reel_store_stat_t *st)
{
    return of(s)->dead ? REEL_IO : reel_store_stat(of(s)->inner, key, st);
}


static reel_err_t
f_list(reel_store_t *s, const char *prefix, reel_store_list_fn fn, void *arg)
{
    return of(s)->dead ? REEL_IO
                       : reel_store_list(of(s)->inner, prefix, fn, arg);
}


static reel_err_t
f_del(reel_store_t *s, const char *key)
{
    if (dies(s)) {
        return REEL_IO;
    }

    synced(of(s), key);

    return reel_store_del(of(s)->inner, key);
}


static reel_err_t
wrap(reel_store_t *s, const char *key, reel_multipart_t *inner,
    reel_multipart_t **out)
{
    fault_multipart_t  *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    m->base.store = s;
    m->base.fd = inner->fd;
    m->inner = inner;
    memcpy(m->key, key, strlen(key) + 1);
    *out = &m->base;

    return REEL_OK;
}


static reel_err_t
m_create(reel_store_t *s, const char *key, reel_multipart_t **out)
{
    reel_err_t         err;
    reel_multipart_t  *inner;

    if (dies(s)) {
        return REEL_IO;
    }

    err = reel_multipart_create(of(s)->inner, key, 0, &inner);

    return err == REEL_OK ? wrap(s, key, inner, out) : err;
}


static reel_err_t
m_open(reel_store_t *s, const char *key, reel_multipart_t **out)
{
    reel_err_t         err;
    reel_multipart_t  *inner;

    if (of(s)->dead) {
        return REEL_IO;
    }

    err = reel_multipart_open(of(s)->inner, key, &inner);

    return err == REEL_OK ? wrap(s, key, inner, out) : err;
}


static reel_err_t
m_size(reel_multipart_t *m, uint64_t *size)
{
    return of(m->store)->dead ? REEL_IO : reel_multipart_size(in(m), size);
}


static reel_err_t
m_read(reel_multipart_t *m, uint64_t off, void *dst, size_t len, size_t *n)
{
    return of(m->store)->dead
           ? REEL_IO : reel_multipart_read(in(m), off, dst, len, n);
}


static reel_err_t
m_write(reel_multipart_t *m, uint64_t off, const void *data, size_t len)
{
    if (dies(m->store)) {
        return REEL_IO;
    }

    remember(m, off, data, len);

    return reel_multipart_write(in(m), off, data, len);
}


static reel_err_t
m_sync(reel_multipart_t *m)
{
    if (dies(m->store)) {
        return REEL_IO;
    }

    if (fails(of(m->store), ((fault_multipart_t *) m)->key)) {
        return REEL_IO;
    }

    synced(of(m->store), ((fault_multipart_t *) m)->key);

    return reel_multipart_sync(in(m));
}


static reel_err_t
m_reserve(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    return dies(m->store) ? REEL_IO : reel_multipart_reserve(in(m), off, len);
}


static reel_err_t
m_truncate(reel_multipart_t *m, uint64_t size)
{
    return dies(m->store) ? REEL_IO : reel_multipart_truncate(in(m), size);
}


/* as a write, so that it can be lost */
static reel_err_t
m_copy(reel_multipart_t *to, uint64_t off, reel_multipart_t *from,
    uint64_t from_off, uint64_t len)
{
    size_t      n;
    uint8_t    *p = calloc(1, len + 1);
    reel_err_t  err;

    assert_non_null(p);
    err = m_read(from, from_off, p, len, &n);

    if (err == REEL_OK) {
        err = n == len ? m_write(to, off, p, len) : REEL_IO;
    }

    free(p);

    return err;
}


/* of the journal of a file system: durable, behind all before it */
static reel_err_t
m_collapse(reel_multipart_t *m, uint64_t len)
{
    reel_err_t  err;

    if (of(m->store)->no_collapse) {
        return REEL_UNSUPPORTED;
    }

    if (dies(m->store)) {
        return REEL_IO;
    }

    err = reel_multipart_collapse(in(m), len);

    if (err == REEL_OK) {
        synced(of(m->store), ((fault_multipart_t *) m)->key);
    }

    return err;
}


static void
m_punch(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    if (!dies(m->store)) {
        reel_multipart_punch(in(m), off, len);
    }
}


static reel_err_t
m_lock(reel_multipart_t *m, uint64_t off, uint64_t len, bool wait)
{
    return of(m->store)->dead ? REEL_IO
                              : reel_multipart_lock(in(m), off, len, wait);
}


static void
m_unlock(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    reel_multipart_unlock(in(m), off, len);
}


static reel_err_t
m_holder(reel_multipart_t *m, uint64_t off, uint64_t len, uint64_t *first)
{
    return of(m->store)->dead
           ? REEL_IO : reel_multipart_holder(in(m), off, len, first);
}


static reel_err_t
m_publish(reel_multipart_t *m, const char *key)
{
    if (dies(m->store)) {
        return REEL_IO;
    }

    synced(of(m->store), ((fault_multipart_t *) m)->key);

    return reel_multipart_publish(in(m), key);
}


static void
m_close(reel_multipart_t *m)
{
    reel_multipart_close(in(m));
    free(m);
}


static void
m_abort(reel_multipart_t *m)
{
    if (dies(m->store)) {
        reel_multipart_close(in(m));

    } else {
        synced(of(m->store), ((fault_multipart_t *) m)->key);
        reel_multipart_abort(in(m));
    }

    free(m);
}


/* the objects are those of the store below */
static reel_err_t
no_read(reel_object_t *o, uint64_t off, void *dst, size_t len, size_t *n)
{
    return reel_object_read(o, off, dst, len, n);
}


static const reel_store_ops_t  ops = {
    .name = "fault",
    .open = f_open,
    .read = no_read,
    .put_if_absent = f_put,
    .replace = f_replace,
    .stat = f_stat,
    .list = f_list,
    .del = f_del,
    .multipart = {
        .create = m_create,
        .open = m_open,
        .size = m_size,
        .read = m_read,
        .write = m_write,
        .sync = m_sync,
        .reserve = m_reserve,
        .truncate = m_truncate,
        .copy = m_copy,
        .collapse = m_collapse,
        .punch = m_punch,
        .lock = m_lock,
        .unlock = m_unlock,
        .holder = m_holder,
        .publish = m_publish,
        .close = m_close,
        .abort = m_abort,
    },
};


reel_store_t *
fault_new(reel_store_t *inner, unsigned n)
{
    fault_t  *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->base.ops = &ops;
    f->inner = inner;
    f->left = n;

    return &f->base;
}


void
fault_fail_sync(reel_store_t *s, const char *end)
{
    of(s)->fail = end;
}


void
fault_no_collapse(reel_store_t *s)
{
    of(s)->no_collapse = true;
}


bool
fault_dead(const reel_store_t *s)
{
    return ((const fault_t *) s)->dead;
}


void
fault_free(reel_store_t *s)
{
    while (of(s)->first != NULL) {
        forget(of(s), of(s)->first);
    }

    free(s);
}

#include <string.h>

#include "lib/store/store.h"


typedef struct {
    reel_store_t *store;
    const char   *prefix;
    const char   *keep;         /* may be NULL */
    reel_err_t    first;        /* the first failure */
} tree_t;


static bool
key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || (c != '\0' && strchr("._~-", c));
}


static bool
part_valid(const char *p, size_t n)
{
    size_t  i;

    if (n == 0 || (n == 1 && p[0] == '.')
        || (n == 2 && p[0] == '.' && p[1] == '.'))
    {
        return false;
    }

    for (i = 0; i < n; i++) {
        if (!key_char(p[i])) {
            return false;
        }
    }

    return true;
}


bool
reel_store_key_valid(const char *key)
{
    size_t  n;

    if (strnlen(key, REEL_STORE_KEY_MAX + 1) > REEL_STORE_KEY_MAX) {
        return false;
    }

    for ( ;; ) {
        n = strcspn(key, "/");

        if (!part_valid(key, n)) {
            return false;
        }

        if (key[n] == '\0') {
            return true;
        }

        key += n + 1;
    }
}


void
reel_store_close(reel_store_t *s)
{
    if (s != NULL) {
        s->ops->close(s);
    }
}


reel_err_t
reel_store_open(reel_store_t *s, const char *key, reel_object_t **o)
{
    *o = NULL;

    if (!reel_store_key_valid(key)) {
        return REEL_INVAL;
    }

    return s->ops->open(s, key, o);
}


reel_err_t
reel_object_read(reel_object_t *o, uint64_t off, void *dst, size_t len,
    size_t *n)
{
    *n = 0;

    return o->store->ops->read(o, off, dst, len, n);
}


void
reel_object_close(reel_object_t *o)
{
    if (o != NULL) {
        o->store->ops->object_close(o);
    }
}


reel_err_t
reel_store_put_if_absent(reel_store_t *s, const char *key, const void *data,
    size_t len)
{
    if (!reel_store_key_valid(key)) {
        return REEL_INVAL;
    }

    return s->ops->put_if_absent(s, key, data, len);
}


reel_err_t
reel_store_replace(reel_store_t *s, const char *key, const void *data,
    size_t len)
{
    if (!reel_store_key_valid(key)) {
        return REEL_INVAL;
    }

    return s->ops->replace(s, key, data, len);
}


reel_err_t
reel_store_stat(reel_store_t *s, const char *key, reel_store_stat_t *st)
{
    if (!reel_store_key_valid(key)) {
        return REEL_INVAL;
    }

    return s->ops->stat(s, key, st);
}


reel_err_t
reel_store_stands(reel_store_t *s, const char *key, bool *there)
{
    reel_err_t         err;
    reel_store_stat_t  st;

    err = reel_store_stat(s, key, &st);
    *there = err == REEL_OK;

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


reel_err_t
reel_store_list(reel_store_t *s, const char *prefix, reel_store_list_fn fn,
    void *arg)
{
    if (prefix[0] != '\0' && !reel_store_key_valid(prefix)) {
        return REEL_INVAL;
    }

    return s->ops->list(s, prefix, fn, arg);
}


reel_err_t
reel_store_del(reel_store_t *s, const char *key)
{
    if (!reel_store_key_valid(key)) {
        return REEL_INVAL;
    }

    return s->ops->del(s, key);
}


reel_err_t
reel_store_link(reel_store_t *s, const char *key, const char *to)
{
    if (!reel_store_key_valid(key) || !reel_store_key_valid(to)) {
        return REEL_INVAL;
    }

    return s->ops->link(s, key, to);
}


/* false when off + len is behind what any back end counts to */
static bool
range_valid(uint64_t off, uint64_t len)
{
    return off <= INT64_MAX && len <= INT64_MAX - off;
}


reel_err_t
reel_multipart_create(reel_store_t *s, const char *staging, uint64_t size,
    reel_multipart_t **m)
{
    reel_err_t  err;

    *m = NULL;

    if (!reel_store_key_valid(staging)) {
        return REEL_INVAL;
    }

    err = s->ops->multipart.create(s, staging, m);

    if (err == REEL_OK && size != 0) {
        err = size > INT64_MAX ? REEL_NOSPACE
                               : reel_multipart_reserve(*m, 0, size);
        if (err != REEL_OK) {
            reel_multipart_abort(*m);
            *m = NULL;
        }
    }

    return err;
}


reel_err_t
reel_multipart_open(reel_store_t *s, const char *staging,
    reel_multipart_t **m)
{
    *m = NULL;

    if (!reel_store_key_valid(staging)) {
        return REEL_INVAL;
    }

    return s->ops->multipart.open(s, staging, m);
}


reel_err_t
reel_multipart_size(reel_multipart_t *m, uint64_t *size)
{
    return m->store->ops->multipart.size(m, size);
}


reel_err_t
reel_multipart_read(reel_multipart_t *m, uint64_t off, void *dst, size_t len,
    size_t *n)
{
    *n = 0;

    return m->store->ops->multipart.read(m, off, dst, len, n);
}


reel_err_t
reel_multipart_write(reel_multipart_t *m, uint64_t off, const void *data,
    size_t len)
{
    if (!range_valid(off, len)) {
        return REEL_INVAL;
    }

    return m->store->ops->multipart.write(m, off, data, len);
}


reel_err_t
reel_multipart_sync(reel_multipart_t *m)
{
    return m->store->ops->multipart.sync(m);
}


reel_err_t
reel_multipart_reserve(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    if (!range_valid(off, len)) {
        return REEL_INVAL;
    }

    return len == 0 ? REEL_OK : m->store->ops->multipart.reserve(m, off, len);
}


reel_err_t
reel_multipart_truncate(reel_multipart_t *m, uint64_t size)
{
    if (size > INT64_MAX) {
        return REEL_INVAL;
    }

    return m->store->ops->multipart.truncate(m, size);
}


reel_err_t
reel_multipart_copy(reel_multipart_t *to, uint64_t off,
    reel_multipart_t *from, uint64_t from_off, uint64_t len)
{
    if (!range_valid(off, len) || !range_valid(from_off, len)
        || to->store != from->store)
    {
        return REEL_INVAL;
    }

    if (to == from && (off > from_off ? off - from_off : from_off - off) < len)
    {
        return REEL_INVAL;
    }

    return to->store->ops->multipart.copy(to, off, from, from_off, len);
}


reel_err_t
reel_multipart_collapse(reel_multipart_t *m, uint64_t len)
{
    if (len == 0) {
        return REEL_OK;
    }

    return len > INT64_MAX ? REEL_UNSUPPORTED
                           : m->store->ops->multipart.collapse(m, len);
}


void
reel_multipart_punch(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    if (range_valid(off, len) && len != 0) {
        m->store->ops->multipart.punch(m, off, len);
    }
}


reel_err_t
reel_multipart_lock(reel_multipart_t *m, uint64_t off, uint64_t len,
    bool wait)
{
    if (!range_valid(off, len) || len == 0) {
        return REEL_INVAL;
    }

    return m->store->ops->multipart.lock(m, off, len, wait);
}


void
reel_multipart_unlock(reel_multipart_t *m, uint64_t off, uint64_t len)
{
    if (range_valid(off, len) && len != 0) {
        m->store->ops->multipart.unlock(m, off, len);
    }
}


reel_err_t
reel_multipart_holder(reel_multipart_t *m, uint64_t off, uint64_t len,
    uint64_t *first)
{
    if (!range_valid(off, len) || len == 0) {
        return REEL_INVAL;
    }

    return m->store->ops->multipart.holder(m, off, len, first);
}


reel_err_t
reel_multipart_publish(reel_multipart_t *m, const char *key)
{
    if (!reel_store_key_valid(key)) {
        return REEL_INVAL;
    }

    return m->store->ops->multipart.publish(m, key);
}


reel_err_t
reel_multipart_complete(reel_multipart_t *m, const char *key)
{
    reel_err_t  err;

    err = reel_multipart_publish(m, key);
    reel_multipart_abort(m);

    return err;
}


void
reel_multipart_close(reel_multipart_t *m)
{
    if (m != NULL) {
        m->store->ops->multipart.close(m);
    }
}


void
reel_multipart_abort(reel_multipart_t *m)
{
    if (m != NULL) {
        m->store->ops->multipart.abort(m);
    }
}


reel_err_t
reel_store_get(reel_store_t *s, const char *key, size_t max, reel_buf_t *b)
{
    size_t          n, got = 0;
    reel_err_t      err;
    reel_object_t  *o;

    reel_buf_init(b, max);

    err = reel_store_open(s, key, &o);
    if (err != REEL_OK) {
        return err;
    }

    if (o->st.size > max) {
        err = REEL_LIMIT;
        goto done;
    }

    reel_buf_zero(b, (size_t) o->st.size);

    err = reel_buf_err(b);
    if (err != REEL_OK) {
        goto done;
    }

    while (got < b->len) {
        err = reel_object_read(o, got, b->data + got, b->len - got, &n);
        if (err != REEL_OK) {
            goto done;
        }

        if (n == 0) {
            /* shorter than it was when it was opened */
            err = REEL_IO;
            goto done;
        }

        got += n;
    }

done:

    if (err != REEL_OK) {
        reel_buf_release(b);
    }

    reel_object_close(o);

    return err;
}


static reel_err_t
tree_entry(void *arg, const char *name, bool is_prefix)
{
    char        key[REEL_STORE_KEY_MAX + 1];
    size_t      plen, nlen;
    tree_t     *t = arg;
    reel_err_t  err;

    plen = strlen(t->prefix);
    nlen = strlen(name);

    if (plen + 1 + nlen > REEL_STORE_KEY_MAX) {
        err = REEL_INVAL;
        goto done;
    }

    memcpy(key, t->prefix, plen);
    key[plen] = '/';
    memcpy(key + plen + 1, name, nlen + 1);

    if (is_prefix) {
        err = reel_store_del_tree(t->store, key, t->keep);

    } else if (t->keep != NULL && strcmp(key, t->keep) == 0) {
        err = REEL_OK;

    } else {
        err = reel_store_del(t->store, key);
    }

done:

    if (t->first == REEL_OK) {
        t->first = err;
    }

    return REEL_OK;
}


reel_err_t
reel_store_del_tree(reel_store_t *s, const char *prefix, const char *keep)
{
    tree_t             t = { s, prefix, keep, REEL_OK };
    reel_err_t         err;
    reel_store_stat_t  st;

    if (!reel_store_key_valid(prefix)) {
        return REEL_INVAL;
    }

    err = reel_store_list(s, prefix, tree_entry, &t);

    if (t.first == REEL_OK) {
        t.first = err;
    }

    if (t.first != REEL_OK) {
        return t.first;
    }

    if (reel_store_stat(s, prefix, &st) != REEL_NOTFOUND) {
        /* an object with the prefix's own name is not below it */
        return REEL_OK;
    }

    /* nothing to delete; but fs may have a folder here, empty now */
    return reel_store_del(s, prefix);
}

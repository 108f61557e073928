#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store/suite.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


reel_err_t
put(reel_store_t *s, const char *key, const char *bytes)
{
    return reel_store_put_if_absent(s, key, bytes, strlen(bytes));
}


void
assert_object(reel_store_t *s, const char *key, const char *bytes)
{
    reel_buf_t         b;
    reel_store_stat_t  st;

    assert_int_equal(reel_store_get(s, key, 1 << 20, &b), REEL_OK);
    assert_string_equal(reel_buf_cstr(&b), bytes);
    reel_buf_release(&b);

    assert_int_equal(reel_store_stat(s, key, &st), REEL_OK);
    assert_int_equal(st.size, strlen(bytes));
}


void
assert_absent(reel_store_t *s, const char *key)
{
    reel_buf_t         b;
    reel_object_t     *o;
    reel_store_stat_t  st;

    assert_int_equal(reel_store_open(s, key, &o), REEL_NOTFOUND);
    assert_null(o);
    assert_int_equal(reel_store_stat(s, key, &st), REEL_NOTFOUND);
    assert_int_equal(reel_store_get(s, key, 100, &b), REEL_NOTFOUND);
    reel_buf_release(&b);
}


static void
absent(void **state)
{
    reel_store_t  *s = *state;

    assert_absent(s, "a");
    assert_absent(s, "a/b/c");
    assert_list(s, "", "");
    assert_list(s, "a", "");
    assert_int_equal(reel_store_del(s, "a"), REEL_OK);
    assert_int_equal(reel_store_del(s, "a/b/c"), REEL_OK);
    assert_int_equal(reel_store_del_tree(s, "a/b", NULL), REEL_OK);
}


static void
put_if_absent(void **state)
{
    reel_store_t  *s = *state;

    assert_int_equal(put(s, "a/b/c", "one"), REEL_OK);
    assert_object(s, "a/b/c", "one");

    assert_int_equal(put(s, "a/b/c", "two, longer"), REEL_EXISTS);
    assert_object(s, "a/b/c", "one");

    /* a prefix is no object */
    assert_absent(s, "a");
    assert_absent(s, "a/b");
    assert_absent(s, "a/b/c/d");

    assert_int_equal(put(s, "top", ""), REEL_OK);
    assert_object(s, "top", "");
    assert_int_equal(put(s, "top", ""), REEL_EXISTS);

    assert_int_equal(reel_store_put_if_absent(s, "empty", NULL, 0), REEL_OK);
    assert_object(s, "empty", "");
    assert_list(s, "", "a/ empty top");
}


static void
replace(void **state)
{
    char               buf[8];
    size_t             n;
    reel_store_t      *s = *state;
    reel_object_t     *old;
    reel_store_stat_t  a, b;

    assert_int_equal(reel_store_replace(s, "a/k", "one", 3), REEL_OK);
    assert_int_equal(reel_store_stat(s, "a/k", &a), REEL_OK);
    assert_int_equal(reel_store_open(s, "a/k", &old), REEL_OK);
    assert_int_equal(old->st.size, 3);
    assert_true(old->st.version == a.version);

    assert_int_equal(reel_store_replace(s, "a/k", "two", 3), REEL_OK);
    assert_object(s, "a/k", "two");
    assert_int_equal(reel_store_stat(s, "a/k", &b), REEL_OK);
    assert_true(a.version != b.version);

    /* who had it open reads on */
    assert_int_equal(reel_object_read(old, 0, buf, sizeof(buf), &n),
                     REEL_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(buf, "one", 3);
    reel_object_close(old);

    assert_int_equal(reel_store_replace(s, "a/k", "", 0), REEL_OK);
    assert_object(s, "a/k", "");
    assert_list(s, "a", "k");
}


static void
stat_is_stable(void **state)
{
    reel_store_t       *s = *state;
    reel_object_t      *o;
    reel_store_stat_t   a, b;

    assert_int_equal(put(s, "a", "12345"), REEL_OK);
    assert_int_equal(reel_store_stat(s, "a", &a), REEL_OK);
    assert_int_equal(put(s, "a", "x"), REEL_EXISTS);
    assert_int_equal(put(s, "b", "12345"), REEL_OK);
    assert_int_equal(reel_store_stat(s, "a", &b), REEL_OK);

    assert_int_equal(a.size, 5);
    assert_true(a.mtime_ns > 0);
    assert_true(a.mtime_ns == b.mtime_ns && a.version == b.version);

    assert_int_equal(reel_store_open(s, "a", &o), REEL_OK);
    assert_true(o->st.size == 5 && o->st.version == a.version
                && o->st.mtime_ns == a.mtime_ns);
    reel_object_close(o);
    reel_object_close(NULL);
}


static void
reading(void **state)
{
    char            buf[16];
    size_t          i, n;
    reel_store_t   *s = *state;
    reel_object_t  *o;
    static const struct {
        uint64_t    off;
        size_t      len;
        const char *want;
    } t[] = {
        { 0, 10, "0123456789" }, { 0, 16, "0123456789" }, { 0, 0, "" },
        { 3, 4, "3456" }, { 9, 1, "9" }, { 9, 16, "9" }, { 10, 1, "" },
        { 11, 1, "" }, { INT64_MAX, 1, "" }, { INT64_MAX - 1, 10, "" },
        { UINT64_MAX, 1, "" },
    };

    assert_int_equal(put(s, "k", "0123456789"), REEL_OK);
    assert_int_equal(reel_store_open(s, "k", &o), REEL_OK);

    for (i = 0; i < COUNT(t); i++) {
        n = 99;
        assert_int_equal(reel_object_read(o, t[i].off, buf, t[i].len, &n),
                         REEL_OK);
        assert_int_equal(n, strlen(t[i].want));
        assert_memory_equal(buf, t[i].want, n);
    }

    /* deleted, and still readable here */
    assert_int_equal(reel_store_del(s, "k"), REEL_OK);
    assert_absent(s, "k");
    assert_int_equal(reel_object_read(o, 0, buf, 3, &n), REEL_OK);
    assert_memory_equal(buf, "012", 3);
    reel_object_close(o);
}


static void
get_bounded(void **state)
{
    reel_buf_t     b;
    reel_store_t  *s = *state;

    assert_int_equal(put(s, "k", "0123456789"), REEL_OK);

    assert_int_equal(reel_store_get(s, "k", 10, &b), REEL_OK);
    assert_int_equal(b.len, 10);
    reel_buf_release(&b);

    assert_int_equal(reel_store_get(s, "k", 9, &b), REEL_LIMIT);
    assert_int_equal(b.len, 0);
    reel_buf_release(&b);

    assert_int_equal(put(s, "e", ""), REEL_OK);
    assert_int_equal(reel_store_get(s, "e", 0, &b), REEL_OK);
    assert_int_equal(b.len, 0);
    reel_buf_release(&b);
}


static reel_err_t
stop_at_second(void *arg, const char *name, bool is_prefix)
{
    (void) name;
    (void) is_prefix;

    return ++*(int *) arg == 2 ? REEL_LIMIT : REEL_OK;
}


static void
list(void **state)
{
    int            calls = 0;
    size_t         i;
    reel_store_t  *s = *state;
    static const char *const  keys[] = {
        "a/b/1", "a/b/2", "a/b-c", "a/b.d/x", "a/b0", "a/z", "ab/c", "b",
        "a/c/d/e/f", ".hidden/.x",
    };

    for (i = 0; i < COUNT(keys); i++) {
        assert_int_equal(put(s, keys[i], keys[i]), REEL_OK);
    }

    assert_list(s, "", ".hidden/ a/ ab/ b");
    assert_list(s, "a", "b-c b.d/ b/ b0 c/ z");
    assert_list(s, "a/b", "1 2");
    assert_list(s, "a/c", "d/");
    assert_list(s, "a/c/d/e", "f");
    assert_list(s, ".hidden", ".x");
    assert_list(s, "b", "");
    assert_list(s, "nothing/here", "");

    assert_int_equal(reel_store_list(s, "a", stop_at_second, &calls),
                     REEL_LIMIT);
    assert_int_equal(calls, 2);

    for (i = 0; i < COUNT(keys); i++) {
        assert_object(s, keys[i], keys[i]);
    }
}


typedef struct {
    reel_store_t *s;
    size_t        n;
} eraser_t;


static reel_err_t
erase(void *arg, const char *name, bool is_prefix)
{
    char       key[REEL_STORE_KEY_MAX + 1];
    eraser_t  *e = arg;

    assert_false(is_prefix);
    (void) snprintf(key, sizeof(key), "q/%s", name);
    e->n++;

    return reel_store_del(e->s, key);
}


static void
list_and_delete(void **state)
{
    char           key[32];
    unsigned       i;
    eraser_t       e = { *state, 0 };
    reel_store_t  *s = *state;

    for (i = 0; i < 300; i++) {
        (void) snprintf(key, sizeof(key), "q/%u", i);
        assert_int_equal(put(s, key, "x"), REEL_OK);
    }

    assert_int_equal(reel_store_list(s, "q", erase, &e), REEL_OK);
    assert_int_equal(e.n, 300);
    assert_list(s, "q", "");
}


static void
del(void **state)
{
    reel_store_t  *s = *state;

    assert_int_equal(put(s, "a/b/c", "x"), REEL_OK);
    assert_int_equal(put(s, "a/b/d", "x"), REEL_OK);

    /* a prefix is no object: what is below stays */
    assert_int_equal(reel_store_del(s, "a/b"), REEL_OK);
    assert_int_equal(reel_store_del(s, "a"), REEL_OK);
    assert_object(s, "a/b/c", "x");

    assert_int_equal(reel_store_del(s, "a/b/c"), REEL_OK);
    assert_absent(s, "a/b/c");
    assert_object(s, "a/b/d", "x");
    assert_int_equal(reel_store_del(s, "a/b/c"), REEL_OK);

    assert_int_equal(reel_store_del(s, "a/b/d"), REEL_OK);
    assert_list(s, "a/b", "");

    assert_int_equal(put(s, "a/b/c", "again"), REEL_OK);
    assert_object(s, "a/b/c", "again");
}


static void
del_tree(void **state)
{
    size_t         i;
    reel_store_t  *s = *state;
    static const char *const  keys[] = {
        "a/x/1/index", "a/x/1/tombstone", "a/x/1/v720/c0", "a/x/1/v720/c1",
        "a/x/1/image/p", "a/x/12", "a/x/2/index",
    };

    for (i = 0; i < COUNT(keys); i++) {
        assert_int_equal(put(s, keys[i], "x"), REEL_OK);
    }

    assert_int_equal(reel_store_del_tree(s, "a/x/1", "a/x/1/tombstone"),
                     REEL_OK);
    assert_list(s, "a/x/1", "tombstone");
    assert_list(s, "a/x", "1/ 12 2/");

    /* one that is kept deep inside keeps its way */
    assert_int_equal(put(s, "a/x/2/v/w/c0", "x"), REEL_OK);
    assert_int_equal(put(s, "a/x/2/v/w/c1", "x"), REEL_OK);
    assert_int_equal(reel_store_del_tree(s, "a/x/2", "a/x/2/v/w/c1"),
                     REEL_OK);
    assert_list(s, "a/x/2", "v/");
    assert_list(s, "a/x/2/v/w", "c1");

    assert_int_equal(reel_store_del_tree(s, "a/x/1", NULL), REEL_OK);
    assert_int_equal(reel_store_del_tree(s, "a/x/2", NULL), REEL_OK);
    assert_list(s, "a/x", "12");

    /* the object of that name is not below it */
    assert_int_equal(reel_store_del_tree(s, "a/x/12", NULL), REEL_OK);
    assert_object(s, "a/x/12", "x");
}


static reel_multipart_t *
start(reel_store_t *s, const char *staging, uint64_t size)
{
    reel_multipart_t  *m;

    assert_int_equal(reel_multipart_create(s, staging, size, &m), REEL_OK);
    assert_non_null(m);

    return m;
}


static void
multipart(void **state)
{
    reel_buf_t         b;
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    m = start(s, "up/1/data", 0);
    assert_int_equal(reel_multipart_write(m, 6, "world", 5), REEL_OK);
    assert_int_equal(reel_multipart_sync(m), REEL_OK);
    assert_int_equal(reel_multipart_write(m, 0, "hello ", 6), REEL_OK);
    assert_int_equal(reel_multipart_write(m, 0, "H", 1), REEL_OK);
    assert_int_equal(reel_multipart_write(m, 11, NULL, 0), REEL_OK);
    assert_int_equal(reel_multipart_sync(m), REEL_OK);
    assert_absent(s, "a/source");

    assert_int_equal(reel_multipart_complete(m, "a/source"), REEL_OK);
    assert_object(s, "a/source", "Hello world");
    assert_absent(s, "up/1/data");

    /* the staging key may be the final one's neighbour, and used again */
    m = start(s, "a/staged", 5);
    assert_int_equal(reel_multipart_write(m, 3, "de", 2), REEL_OK);
    assert_int_equal(reel_multipart_complete(m, "a/hole"), REEL_OK);
    assert_list(s, "a", "hole source");

    assert_int_equal(reel_store_get(s, "a/hole", 100, &b), REEL_OK);
    assert_int_equal(b.len, 5);
    assert_memory_equal(b.data, "\0\0\0de", 5);
    reel_buf_release(&b);

    m = start(s, "a/staged", 0);
    assert_int_equal(reel_multipart_complete(m, "a/nothing"), REEL_OK);
    assert_object(s, "a/nothing", "");
}


static void
multipart_size(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    /* fewer and more bytes than was said beforehand */
    m = start(s, "up/1", 1 << 20);
    assert_int_equal(reel_multipart_write(m, 0, "abc", 3), REEL_OK);
    assert_int_equal(reel_multipart_complete(m, "less"), REEL_OK);
    assert_object(s, "less", "abc");

    m = start(s, "up/1", 2);
    assert_int_equal(reel_multipart_write(m, 0, "abc", 3), REEL_OK);
    assert_int_equal(reel_multipart_complete(m, "more"), REEL_OK);
    assert_object(s, "more", "abc");

    m = start(s, "up/1", 2);
    assert_int_equal(reel_multipart_write(m, UINT64_MAX, "abc", 3),
                     REEL_INVAL);
    assert_int_equal(reel_multipart_write(m, INT64_MAX, "abc", 3),
                     REEL_INVAL);
    assert_int_equal(reel_multipart_write(m, 0, "x", SIZE_MAX), REEL_INVAL);
    reel_multipart_abort(m);
}


static void
multipart_exists(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *m, *other;

    assert_int_equal(put(s, "a/source", "first"), REEL_OK);

    m = start(s, "up/1/data", 6);
    assert_int_equal(reel_multipart_write(m, 0, "second", 6), REEL_OK);

    assert_int_equal(reel_multipart_create(s, "up/1/data", 0, &other),
                     REEL_EXISTS);
    assert_null(other);
    assert_int_equal(put(s, "up/1/data", "x"), REEL_EXISTS);

    assert_int_equal(reel_multipart_complete(m, "a/source"), REEL_EXISTS);
    assert_object(s, "a/source", "first");
    assert_absent(s, "up/1/data");
}


static void
multipart_abort(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    m = start(s, "up/1/data", 100);
    assert_int_equal(reel_multipart_write(m, 0, "bytes", 5), REEL_OK);
    reel_multipart_abort(m);
    reel_multipart_abort(NULL);
    assert_absent(s, "up/1/data");
    assert_list(s, "up/1", "");

    m = start(s, "up/1/data", 0);
    assert_int_equal(reel_multipart_complete(m, "../x"), REEL_INVAL);
    assert_absent(s, "up/1/data");
}


/* somebody swept our staging key: his later one is not ours to publish */
static void
multipart_swept(void **state)
{
    reel_store_t      *s = *state;
    reel_multipart_t  *m;

    m = start(s, "up/1", 0);
    assert_int_equal(reel_store_del(s, "up/1"), REEL_OK);
    assert_int_equal(reel_multipart_write(m, 0, "lost", 4), REEL_OK);
    assert_int_equal(reel_multipart_complete(m, "a"), REEL_NOTFOUND);
    assert_absent(s, "a");

    m = start(s, "up/1", 0);
    assert_int_equal(reel_store_del(s, "up/1"), REEL_OK);
    assert_int_equal(put(s, "up/1", "another's"), REEL_OK);
    assert_int_equal(reel_multipart_complete(m, "a"), REEL_NOTFOUND);
    assert_absent(s, "a");
    assert_object(s, "up/1", "another's");

    m = start(s, "up/2", 0);
    assert_int_equal(reel_store_del(s, "up/2"), REEL_OK);
    assert_int_equal(put(s, "up/2", "another's"), REEL_OK);
    reel_multipart_abort(m);
    assert_object(s, "up/2", "another's");
}


static reel_err_t
count(void *arg, const char *name, bool is_prefix)
{
    unsigned  *n = arg;

    (void) name;
    (void) is_prefix;
    (*n)++;

    return REEL_OK;
}


static void
bad_keys(void **state)
{
    char               longest[REEL_STORE_KEY_MAX + 2];
    size_t             i;
    unsigned           named = 0;
    reel_buf_t         b;
    reel_store_t      *s = *state;
    reel_object_t     *o;
    reel_multipart_t  *m;
    reel_store_stat_t  st;
    static const char *const  bad[] = {
        "", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/.",
        "a/..", "a/./b", "a/../b", "a b", "a\nb", "a\\b", "a:b", "a#b",
        "a%2fb", "\xc3\xa9", "a/b?c", "*",
    };
    static const char *const  good[] = {
        "a", "a/b", "...", "a/...", ".a", "a.", "~", "-", "_", "Az09._~-/x",
    };

    for (i = 0; i < COUNT(bad); i++) {
        assert_false(reel_store_key_valid(bad[i]));
        assert_int_equal(put(s, bad[i], "x"), REEL_INVAL);
        assert_int_equal(reel_store_replace(s, bad[i], "x", 1), REEL_INVAL);
        assert_int_equal(reel_store_open(s, bad[i], &o), REEL_INVAL);
        assert_null(o);
        assert_int_equal(reel_store_stat(s, bad[i], &st), REEL_INVAL);
        assert_int_equal(reel_store_del(s, bad[i]), REEL_INVAL);
        assert_int_equal(reel_store_del_tree(s, bad[i], NULL), REEL_INVAL);
        assert_int_equal(reel_multipart_create(s, bad[i], 0, &m),
                         REEL_INVAL);
        assert_null(m);
        assert_int_equal(reel_store_get(s, bad[i], 10, &b), REEL_INVAL);
        reel_buf_release(&b);

        if (bad[i][0] != '\0') {
            assert_int_equal(reel_store_list(s, bad[i], count, &named),
                             REEL_INVAL);
        }
    }

    assert_int_equal(named, 0);

    for (i = 0; i < COUNT(good); i++) {
        assert_true(reel_store_key_valid(good[i]));
    }

    memset(longest, 'k', sizeof(longest));
    longest[REEL_STORE_KEY_MAX + 1] = '\0';
    assert_int_equal(put(s, longest, "x"), REEL_INVAL);
    longest[REEL_STORE_KEY_MAX] = '\0';
    assert_int_equal(put(s, longest, "x"), REEL_OK);
    assert_object(s, longest, "x");
    assert_int_equal(reel_store_replace(s, longest, "yy", 2), REEL_OK);
    assert_list(s, "", longest);
    assert_int_equal(reel_store_del(s, longest), REEL_OK);

    /* as deep as a key goes */
    for (i = 1; i < REEL_STORE_KEY_MAX; i += 2) {
        longest[i] = '/';
    }

    assert_int_equal(put(s, longest, "deep"), REEL_OK);
    assert_object(s, longest, "deep");
    assert_int_equal(reel_store_del_tree(s, "k", NULL), REEL_OK);
    assert_absent(s, longest);
    assert_list(s, "k", "");
}


static void
links(void **state)
{
    reel_store_t  *s = *state;

    assert_int_equal(put(s, "a/one", "bytes"), REEL_OK);
    assert_int_equal(reel_store_link(s, "a/one", "b/c/two"), REEL_OK);
    assert_object(s, "b/c/two", "bytes");

    /* neither is changed, nor what stands there replaced */
    assert_int_equal(reel_store_link(s, "a/one", "b/c/two"), REEL_EXISTS);
    assert_int_equal(put(s, "a/other", "more"), REEL_OK);
    assert_int_equal(reel_store_link(s, "a/one", "a/other"), REEL_EXISTS);
    assert_object(s, "a/other", "more");

    /* each goes by itself, and one that is replaced leaves the other */
    assert_int_equal(reel_store_del(s, "a/one"), REEL_OK);
    assert_object(s, "b/c/two", "bytes");
    assert_int_equal(reel_store_link(s, "b/c/two", "a/one"), REEL_OK);
    assert_int_equal(reel_store_replace(s, "b/c/two", "new", 3), REEL_OK);
    assert_object(s, "a/one", "bytes");
    assert_int_equal(reel_store_del(s, "a/one"), REEL_OK);
    assert_int_equal(reel_store_del(s, "b/c/two"), REEL_OK);
    assert_list(s, "b", "");

    assert_int_equal(reel_store_link(s, "none", "x/y"), REEL_NOTFOUND);
    assert_int_equal(reel_store_link(s, "a", "x/y"), REEL_NOTFOUND);
    assert_int_equal(reel_store_link(s, "a/other", "../y"), REEL_INVAL);
    assert_int_equal(reel_store_link(s, "/etc/passwd", "y"), REEL_INVAL);
    assert_absent(s, "x/y");

    assert_int_equal(reel_store_link(s, "none", "p/q/y"), REEL_NOTFOUND);
    assert_list(s, "p", "");
}


static void
large(void **state)
{
    size_t         i, n = 3 << 20;
    uint8_t       *data;
    reel_buf_t     b;
    reel_store_t  *s = *state;

    data = malloc(n);
    assert_non_null(data);

    for (i = 0; i < n; i++) {
        data[i] = (uint8_t) (i * 2654435761u >> 24);
    }

    assert_int_equal(reel_store_put_if_absent(s, "a/big", data, n), REEL_OK);
    assert_int_equal(reel_store_get(s, "a/big", n, &b), REEL_OK);
    assert_int_equal(b.len, n);
    assert_memory_equal(b.data, data, n);
    reel_buf_release(&b);
    free(data);
}


int
store_suite_run(const char *name, CMFixtureFunction setup,
    CMFixtureFunction teardown)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest  tests[] = {
        TEST(absent),
        TEST(put_if_absent),
        TEST(replace),
        TEST(stat_is_stable),
        TEST(reading),
        TEST(get_bounded),
        TEST(list),
        TEST(list_and_delete),
        TEST(del),
        TEST(del_tree),
        TEST(multipart),
        TEST(multipart_size),
        TEST(multipart_exists),
        TEST(multipart_abort),
        TEST(multipart_swept),
        TEST(bad_keys),
        TEST(links),
        TEST(large),
    };
#undef TEST

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

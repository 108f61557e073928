/* the uploads of a store, of which their folders know no order */

#include <stdlib.h>
#include <string.h>

#include "lib/upload/upload_impl.h"


typedef struct {
    reel_store_t         *store;
    reel_upload_each_fn   fn;
    reel_upload_facts_fn  facts;            /* of those with parts alone */
    void                 *arg;
} walk_t;

typedef struct {
    reel_store_t              *store;
    const reel_upload_mark_t  *behind;
    size_t                     max;
    reel_upload_mark_t        *marks;       /* of 2 max */
    size_t                     n;
} newest_t;


static reel_err_t
stat_part(reel_store_t *s, const char *id, const char *part,
    reel_store_stat_t *st)
{
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_upload(key, reel_str(id), part);

    return err == REEL_OK ? reel_store_stat(s, key, st) : err;
}


static reel_err_t
visit(void *arg, const char *name, bool is_prefix)
{
    walk_t         *w = arg;
    reel_err_t      err;
    reel_upload_t  *u;

    if (!is_prefix || !reel_upload_id_valid(reel_str(name))) {
        return REEL_OK;
    }

    err = reel_upload_open(w->store, reel_str(name), &u);
    if (err == REEL_NOMEM) {
        return err;
    }

    err = w->fn(w->arg, name, u);
    reel_upload_close(u);

    return err;
}


reel_err_t
reel_upload_each(reel_store_t *s, reel_upload_each_fn fn, void *arg)
{
    walk_t  w = { .store = s, .fn = fn, .arg = arg };

    return reel_store_list(s, "uploads", visit, &w);
}


static reel_err_t
visit_multipart(void *arg, const char *name, bool is_prefix)
{
    walk_t               *w = arg;
    reel_err_t            err;
    reel_store_stat_t     st;
    reel_upload_facts_t   f;

    if (!is_prefix || !reel_upload_id_valid(reel_str(name))
        || stat_part(w->store, name, REEL_UPLOAD_PARTS, &st) != REEL_OK)
    {
        return REEL_OK;
    }

    err = reel_upload_facts_read(w->store, reel_str(name), &f);

    if (err != REEL_OK) {
        /* it is being made or removed, or a crash left it */
        return err == REEL_NOMEM ? err : REEL_OK;
    }

    err = w->facts(w->arg, &f);
    reel_upload_facts_release(&f);

    return err;
}


reel_err_t
reel_upload_each_multipart(reel_store_t *s, reel_upload_facts_fn fn,
    void *arg)
{
    walk_t  w = { .store = s, .facts = fn, .arg = arg };

    return reel_store_list(s, "uploads", visit_multipart, &w);
}


/* newest first */
static int
compare(const void *one, const void *other)
{
    const reel_upload_mark_t  *a = one, *b = other;

    if (a->made_ns != b->made_ns) {
        return a->made_ns > b->made_ns ? -1 : 1;
    }

    return -strcmp(a->id, b->id);
}


/* sorted whenever twice as many are here as are kept */
static void
cut(newest_t *w)
{
    qsort(w->marks, w->n, sizeof(w->marks[0]), compare);

    if (w->n > w->max) {
        w->n = w->max;
    }
}


static reel_err_t
mark(void *arg, const char *name, bool is_prefix)
{
    newest_t            *w = arg;
    reel_err_t           err;
    reel_store_stat_t    st;
    reel_upload_mark_t  *m = &w->marks[w->n];

    if (!is_prefix || !reel_upload_id_valid(reel_str(name))) {
        return REEL_OK;
    }

    err = stat_part(w->store, name, REEL_UPLOAD_FACTS, &st);
    if (err != REEL_OK) {
        /* it is being made, or removed */
        return err == REEL_NOTFOUND ? REEL_OK : err;
    }

    m->made_ns = st.mtime_ns;
    memcpy(m->id, name, sizeof(m->id));

    if ((w->behind == NULL || compare(w->behind, m) < 0)
        && ++w->n == 2 * w->max)
    {
        cut(w);
    }

    return REEL_OK;
}


reel_err_t
reel_upload_newest(reel_store_t *s, const reel_upload_mark_t *behind,
    size_t max, reel_upload_mark_t **marks, size_t *n)
{
    newest_t    w = { s, behind, max, NULL, 0 };
    reel_err_t  err;

    w.marks = calloc(2 * max, sizeof(w.marks[0]));
    if (w.marks == NULL) {
        return REEL_NOMEM;
    }

    err = reel_store_list(s, "uploads", mark, &w);

    if (err != REEL_OK) {
        free(w.marks);
        return err;
    }

    cut(&w);
    *marks = w.marks;
    *n = w.n;

    return REEL_OK;
}

/*
 * The objects of one asset against its index.  Nothing is deleted before
 * all that the index names was seen to stand: a reader of the index that is
 * wrong about names must not cost a video.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/index/index.h"
#include "lib/store/layout.h"
#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/sweep_pass.h"

typedef struct {
    char   (*v)[REEL_INDEX_OBJECT_NAME + 1];    /* owned */
    size_t   n, cap;
} names_t;

typedef struct {
    reel_store_t      *s;
    reel_str_t         asset;
    reel_sweep_pass_t *p;
    reel_index_t      *ix;      /* NULL: none stands, nothing is named */
    reel_result_t      result;  /* names the files of programs */
    bool               young;
} walk_t;


static reel_err_t
names_add(names_t *l, reel_str_t name)
{
    void    *p;
    size_t   cap;

    if (l->n == l->cap) {
        cap = l->cap == 0 ? 64 : l->cap * 2;
        p = realloc(l->v, cap * sizeof(*l->v));
        if (p == NULL) {
            return REEL_NOMEM;
        }
        l->v = p;
        l->cap = cap;
    }

    return reel_str_copy(l->v[l->n++], sizeof(*l->v), name);
}


static int
by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}


static void
names_sort(names_t *l)
{
    if (l->n > 1) {
        qsort(l->v, l->n, sizeof(*l->v), by_name);
    }
}


static bool
names_has(const names_t *l, const char *name)
{
    return l->n > 0
           && bsearch(name, l->v, l->n, sizeof(*l->v), by_name) != NULL;
}


/* files only, or folders only */
typedef struct {
    names_t *l;
    bool     prefixes;
} listing_t;


static reel_err_t
on_name(void *arg, const char *name, bool is_prefix)
{
    listing_t  *x = arg;

    /* one longer than ours is none of ours */
    if (is_prefix != x->prefixes || strlen(name) > REEL_INDEX_OBJECT_NAME) {
        return REEL_OK;
    }

    return names_add(x->l, reel_str(name));
}


static reel_err_t
list(walk_t *w, const char *rendition, names_t *l)
{
    int         n;
    char        folder[REEL_STORE_KEY_MAX + 1];
    listing_t   x = { l, rendition[0] == '\0' };
    reel_key_t  asset;
    reel_err_t  err;

    err = reel_key_asset(asset, w->asset);
    if (err != REEL_OK) {
        return err;
    }

    n = snprintf(folder, sizeof(folder), "%s%s%s", asset,
                 rendition[0] != '\0' ? "/" : "", rendition);
    if (n < 0 || (size_t) n >= sizeof(folder)) {
        return REEL_LIMIT;
    }

    err = reel_store_list(w->s, folder, on_name, &x);
    names_sort(l);

    return err;
}


/* what the index names below the folder `rendition` */
static reel_err_t
named(const walk_t *w, const char *rendition, names_t *l)
{
    unsigned                 n;
    reel_err_t               err = REEL_OK;
    reel_extent_t            x[REEL_EXTENTS_MAX];
    const reel_rendition_t  *r;

    if (w->ix == NULL) {
        return REEL_OK;
    }

    if (strcmp(rendition, REEL_FOLDER_FILE) == 0) {
        for (size_t i = 0; err == REEL_OK && i < w->result.nfiles; i++) {
            err = names_add(l, reel_str(w->result.files[i].object));
        }
        names_sort(l);
        return err;
    }

    if (strcmp(rendition, "image") == 0) {
        for (unsigned i = 0; err == REEL_OK && i < w->ix->nimages; i++) {
            err = names_add(l, w->ix->images[i].object);
        }
        for (unsigned i = 0; err == REEL_OK && i < w->ix->npictures; i++) {
            err = names_add(l, w->ix->pictures[i].object);
        }
        names_sort(l);
        return err;
    }

    r = reel_index_find(w->ix, reel_str(rendition));

    for (uint32_t k = 0; r != NULL && err == REEL_OK
                         && k < w->ix->fragments; k++)
    {
        err = reel_index_locate(w->ix, r, k, 1, x, &n);

        /* fragments of one object follow each other */
        if (err == REEL_OK && n > 0
            && (l->n == 0 || !reel_str_eqz(x[0].object, l->v[l->n - 1])))
        {
            err = names_add(l, x[0].object);
        }
    }

    names_sort(l);

    return err;
}


static reel_err_t
check_folder(walk_t *w, const char *rendition)
{
    names_t     stand = { 0 }, want = { 0 };
    reel_err_t  err;

    err = list(w, rendition, &stand);
    if (err == REEL_OK) {
        err = named(w, rendition, &want);
    }

    for (size_t i = 0; err == REEL_OK && i < want.n; i++) {
        if (!names_has(&stand, want.v[i])) {
            reel_log(REEL_LOG_ERROR, "the index of %.*s names %s/%s, which "
                     "is gone: nothing of it is swept", (int) w->asset.len,
                     w->asset.p, rendition, want.v[i]);
            err = REEL_BADDATA;
        }
    }

    free(stand.v);
    free(want.v);

    return err;
}


static reel_err_t
check(walk_t *w)
{
    char        name[REEL_INDEX_OBJECT_NAME + 1];
    reel_err_t  err = REEL_OK;

    if (w->ix == NULL) {
        return REEL_OK;
    }

    for (unsigned i = 0; err == REEL_OK && i < w->ix->nrenditions; i++) {
        err = reel_str_copy(name, sizeof(name), w->ix->renditions[i].name);
        if (err == REEL_OK) {
            err = check_folder(w, name);
        }
    }

    return err == REEL_OK ? check_folder(w, "image") : err;
}


static reel_err_t
sweep_object(walk_t *w, const char *rendition, const char *name)
{
    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    err = reel_key_object(key, w->asset, reel_str(rendition),
                          reel_str(name));
    if (err == REEL_OK) {
        err = reel_store_stat(w->s, key, &st);
    }
    if (err != REEL_OK) {
        return err == REEL_NOTFOUND ? REEL_OK : err;
    }

    /* maybe of a job that has just begun */
    if (w->p->now_ms - st.mtime_ns / 1000000 < w->p->object_age_ms) {
        w->young = true;
        return REEL_OK;
    }

    err = reel_store_del(w->s, key);
    if (err == REEL_OK) {
        w->p->objects++;
    }

    return err;
}


static reel_err_t
sweep_folder(walk_t *w, const char *rendition)
{
    names_t     stand = { 0 }, want = { 0 };
    reel_err_t  err;

    err = list(w, rendition, &stand);
    if (err == REEL_OK) {
        err = named(w, rendition, &want);
    }

    for (size_t i = 0; err == REEL_OK && i < stand.n; i++) {
        if (!names_has(&want, stand.v[i])) {
            err = sweep_object(w, rendition, stand.v[i]);
        }
    }

    free(stand.v);
    free(want.v);

    return err;
}


static reel_err_t
read_result(walk_t *w)
{
    char        asset[27];
    reel_err_t  err = reel_str_copy(asset, sizeof(asset), w->asset);

    if (err == REEL_OK) {
        err = reel_final_result(w->s, asset, &w->result);
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


reel_err_t
reel_sweep_objects(reel_store_t *s, reel_str_t asset, reel_sweep_pass_t *p)
{
    walk_t      w = { .s = s, .asset = asset, .p = p };
    names_t     folders = { 0 };
    reel_buf_t  b = { 0 };
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_asset_part(key, asset, REEL_PART_INDEX);
    if (err == REEL_OK) {
        err = reel_store_get(s, key, REEL_INDEX_MAX_BYTES, &b);
    }

    if (err == REEL_OK) {
        w.ix = calloc(1, sizeof(*w.ix));
        err = w.ix == NULL ? REEL_NOMEM
              : reel_index_parse(w.ix, b.data, b.len, NULL);
    } else if (err == REEL_NOTFOUND) {
        err = REEL_OK;
    }

    if (err == REEL_OK) {
        err = read_result(&w);
    }
    if (err == REEL_OK) {
        err = check(&w);
    }
    if (err == REEL_OK) {
        err = list(&w, "", &folders);
    }

    for (size_t i = 0; err == REEL_OK && i < folders.n; i++) {
        if (strcmp(folders.v[i], REEL_FOLDER_PARTS) != 0) {
            err = sweep_folder(&w, folders.v[i]);
        }
    }

    free(folders.v);
    free(w.ix);
    reel_result_release(&w.result);
    reel_buf_release(&b);

    return err == REEL_OK && w.young ? REEL_AGAIN : err;
}

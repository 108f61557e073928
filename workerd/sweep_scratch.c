#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/reader.h"
#include "lib/index/index.h"
#include "lib/job/keys.h"
#include "lib/job/record.h"
#include "lib/store/layout.h"
#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/sweep_pass.h"

#define NAME_MAX_BYTES 64

typedef struct {
    reel_store_t      *s;
    reel_sweep_pass_t *p;
    reel_str_t         asset;
    reel_key_t         folder;  /* of the asset, then of one rendition */
    reel_index_t      *ix;      /* NULL: none stands */
    char               rendition[NAME_MAX_BYTES];
    bool               young;   /* something is too young to go */
} walk_t;


static bool
named_in(const reel_rendition_t *r, reel_str_t name)
{
    reel_str_t     o;
    reel_reader_t  in;

    reel_reader_init(&in, r->object_bytes.p, r->object_bytes.len);

    for (uint32_t i = 0; i < r->objects; i++) {
        o = reel_read_string(&in, NAME_MAX_BYTES);
        (void) reel_read_varint(&in);           /* its fragments */

        if (in.err == REEL_OK && reel_str_eq(o, name)) {
            return true;
        }
    }

    return false;
}


static bool
named(const walk_t *w, reel_str_t name)
{
    const reel_rendition_t  *r;

    if (w->ix == NULL) {
        return false;
    }

    if (strcmp(w->rendition, "image") == 0) {
        for (unsigned i = 0; i < w->ix->nimages; i++) {
            if (reel_str_eq(w->ix->images[i].object, name)) {
                return true;
            }
        }
        return false;
    }

    r = reel_index_find(w->ix, reel_str(w->rendition));

    return r != NULL && named_in(r, name);
}


static reel_err_t
on_object(void *arg, const char *name, bool is_prefix)
{
    walk_t             *w = arg;
    reel_key_t          key;
    reel_err_t          err;
    reel_store_stat_t   st;

    if (is_prefix || named(w, reel_str(name))) {
        return REEL_OK;
    }

    err = reel_key_object(key, w->asset, reel_str(w->rendition),
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
on_rendition(void *arg, const char *name, bool is_prefix)
{
    int      n;
    char     folder[REEL_STORE_KEY_MAX + 1];
    walk_t  *w = arg;

    if (!is_prefix || strlen(name) >= sizeof(w->rendition)) {
        return REEL_OK;
    }

    memcpy(w->rendition, name, strlen(name) + 1);

    n = snprintf(folder, sizeof(folder), "%s/%s", w->folder, name);
    if (n < 0 || (size_t) n >= sizeof(folder)) {
        return REEL_LIMIT;
    }

    return reel_store_list(w->s, folder, on_object, w);
}


static reel_err_t
sweep_objects(walk_t *w)
{
    reel_buf_t  b = { 0 };
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_asset_part(key, w->asset, REEL_PART_INDEX);
    if (err == REEL_OK) {
        err = reel_store_get(w->s, key, REEL_INDEX_MAX_BYTES, &b);
    }

    if (err == REEL_OK) {
        w->ix = calloc(1, sizeof(*w->ix));
        err = w->ix == NULL ? REEL_NOMEM
              /* one that cannot be read names nothing for sure: keep all */
              : reel_index_parse(w->ix, b.data, b.len, NULL);
    } else if (err == REEL_NOTFOUND) {
        err = REEL_OK;
    }

    if (err == REEL_OK) {
        err = reel_key_asset(w->folder, w->asset);
    }
    if (err == REEL_OK) {
        err = reel_store_list(w->s, w->folder, on_rendition, w);
    }

    free(w->ix);
    w->ix = NULL;
    reel_buf_release(&b);

    return err;
}


/* REEL_AGAIN: its time has not come */
static reel_err_t
sweep_asset(walk_t *w, uint32_t publication)
{
    bool               dead;
    char               asset[27];
    uint32_t           of;
    reel_key_t         key, keep;
    reel_err_t         err;
    reel_result_t      r;
    reel_store_stat_t  st;

    err = reel_str_copy(asset, sizeof(asset), w->asset);
    if (err == REEL_OK) {
        err = reel_final_tombstone(w->s, asset, &dead);
    }
    if (err != REEL_OK) {
        return err;
    }

    if (dead) {
        err = reel_key_asset(key, w->asset);
        if (err == REEL_OK) {
            err = reel_key_asset_part(keep, w->asset, REEL_PART_TOMBSTONE);
        }
        return err == REEL_OK ? reel_store_del_tree(w->s, key, keep) : err;
    }

    /* a job is running, or will be: it owns objects nobody names yet */
    err = reel_key_pending(key, w->asset);
    if (err == REEL_OK) {
        err = reel_store_stat(w->s, key, &st);
    }
    if (err != REEL_NOTFOUND) {
        return err == REEL_OK ? REEL_AGAIN : err;
    }

    err = reel_final_result(w->s, asset, &r);
    of = r.publication;
    reel_result_release(&r);
    if (err != REEL_OK || of < publication) {
        return err == REEL_OK || err == REEL_NOTFOUND ? REEL_AGAIN : err;
    }

    /* players may still hold the publication before it */
    err = reel_key_asset_part(key, w->asset, REEL_PART_RESULT);
    if (err == REEL_OK) {
        err = reel_store_stat(w->s, key, &st);
    }
    if (err == REEL_OK
        && w->p->now_ms - st.mtime_ns / 1000000 < w->p->object_age_ms)
    {
        return REEL_AGAIN;
    }

    if (err == REEL_OK) {
        err = sweep_objects(w);
    }

    return err == REEL_OK && w->young ? REEL_AGAIN : err;
}


static reel_err_t
on_job(void *arg, const char *name, bool is_prefix)
{
    walk_t       w = *(walk_t *) arg;
    uint32_t     publication;
    reel_key_t   key;
    reel_err_t   err;
    reel_str_t   job = reel_str(name);

    if (!is_prefix
        || reel_job_id_parse(job, &w.asset, &publication) != REEL_OK)
    {
        return REEL_OK;
    }

    err = sweep_asset(&w, publication);

    if (err == REEL_OK) {
        err = reel_key_scratch(key, job, NULL);
        if (err == REEL_OK) {
            err = reel_store_del_tree(w.s, key, NULL);
        }
        if (err == REEL_OK) {
            w.p->jobs++;
        }
    }

    if (err != REEL_OK && err != REEL_AGAIN) {
        reel_log_task(REEL_LOG_WARN, name, NULL, "cannot be swept: %s",
                      reel_err_name(err));
    }

    return REEL_OK;
}


reel_err_t
reel_sweep_scratch(reel_store_t *s, reel_sweep_pass_t *p)
{
    walk_t  w = { .s = s, .p = p };

    return reel_store_list(s, "scratch", on_job, &w);
}

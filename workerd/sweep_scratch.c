#include <stdio.h>

#include "lib/job/keys.h"
#include "lib/job/record.h"
#include "lib/store/twins.h"
#include "workerd/config.h"
#include "workerd/exec_folder.h"
#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/reuse.h"
#include "workerd/sweep_pass.h"

typedef struct {
    reel_store_t      *s;
    reel_sweep_pass_t *p;
    reel_str_t         asset;
} walk_t;


/* REEL_AGAIN: a job is running, or will be: it owns what nobody names yet */
static reel_err_t
at_rest(reel_store_t *s, reel_str_t asset, uint32_t of)
{
    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    /* that of the result, until it is settled, and its retry */
    for (uint32_t i = 0; i < 2; i++) {
        err = reel_key_pending(key, asset, of + i);
        if (err == REEL_OK) {
            err = reel_store_stat(s, key, &st);
        }
        if (err != REEL_NOTFOUND) {
            return err == REEL_OK ? REEL_AGAIN : err;
        }
    }

    return REEL_OK;
}


/* a result of this publication or a newer one, and what it speaks of */
static reel_err_t
ended(reel_store_t *s, const char *asset, uint32_t publication, bool *retry)
{
    bool             ready;
    uint32_t         of;
    reel_err_t       err;
    reel_result_t    r;
    reel_standing_t  ix;

    err = reel_final_result(s, asset, &r);
    of = r.publication;
    ready = r.ready;
    *retry = !r.ready && r.retryable;
    reel_result_release(&r);

    if (err != REEL_OK || of < publication) {
        return err == REEL_OK || err == REEL_NOTFOUND ? REEL_AGAIN : err;
    }

    err = at_rest(s, reel_str(asset), of);

    if (err == REEL_OK && ready) {
        err = reel_final_index(s, asset, &ix);
        if (err == REEL_NOTFOUND
            || (err == REEL_OK && (ix.publication < of || ix.growing)))
        {
            reel_log(REEL_LOG_ERROR, "asset %s is ready and has no index: "
                     "nothing of it is swept", asset);
            err = REEL_BADDATA;
        }
    }

    return err;
}


/* REEL_AGAIN: a part that stands has not done so for age_ms */
static reel_err_t
part_is_old(walk_t *w, const char *part, int64_t age_ms)
{
    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    err = reel_key_asset_part(key, w->asset, part);
    if (err == REEL_OK) {
        err = reel_store_stat(w->s, key, &st);
    }

    return err == REEL_OK && w->p->now_ms - st.mtime_ns / 1000000 < age_ms
           ? REEL_AGAIN : err;
}


/*
 * A child that is stopped writes to its last moment: until the tombstone is
 * old the job's scratch stands, so that the next pass looks here again.
 */
static reel_err_t
sweep_deleted(walk_t *w)
{
    reel_key_t  key, keep;
    reel_err_t  err;

    err = reel_twins_leave(w->s, w->asset);
    if (err == REEL_OK) {
        err = reel_key_asset(key, w->asset);
    }
    if (err == REEL_OK) {
        err = reel_key_asset_part(keep, w->asset, REEL_PART_TOMBSTONE);
    }
    if (err == REEL_OK) {
        err = reel_store_del_tree(w->s, key, keep);
    }

    return err != REEL_OK ? err
           : part_is_old(w, REEL_PART_TOMBSTONE, w->p->object_age_ms);
}


/*
 * A retry that comes now finds either what it may name (reuse.h) or nothing:
 * under the lock it is known whether there is one.
 */
static reel_err_t
sweep_living(walk_t *w, const char *asset, uint32_t publication)
{
    bool               retry = false;
    int64_t            age_ms = w->p->object_age_ms;
    reel_err_t         err, rc;
    reel_multipart_t  *lock;

    err = reel_final_lock_all(w->s, asset, &lock);
    if (err != REEL_OK && err != REEL_NOTFOUND) {
        return err;
    }

    err = ended(w->s, asset, publication, &retry);

    /* players may still hold the publication before it */
    if (err == REEL_OK) {
        if (retry && age_ms < w->p->retry_age_ms) {
            age_ms = w->p->retry_age_ms;
        }
        err = part_is_old(w, REEL_PART_RESULT, age_ms);
    }

    if (err == REEL_OK) {
        err = reel_sweep_objects(w->s, w->asset, w->p);
        rc = reel_reuse_sweep(w->s, asset);
        err = err != REEL_OK ? err : rc;
    }

    reel_multipart_close(lock);

    return err;
}


/* REEL_AGAIN: its time has not come */
static reel_err_t
sweep_asset(walk_t *w, uint32_t publication)
{
    bool        dead;
    char        asset[27];
    reel_err_t  err;

    err = reel_str_copy(asset, sizeof(asset), w->asset);
    if (err == REEL_OK) {
        err = reel_final_tombstone(w->s, asset, &dead);
    }
    if (err != REEL_OK) {
        return err;
    }

    return dead ? sweep_deleted(w) : sweep_living(w, asset, publication);
}


/* a store's objects are files and no links, as those of programs may be */
static void
sweep_programs(const walk_t *w, const char *key)
{
    char  job[REEL_PATH_MAX + REEL_STORE_KEY_MAX + 2];

    if (w->p->root != NULL) {
        snprintf(job, sizeof(job), "%s/%s", w->p->root, key);
        reel_exec_folders_del(job, NULL);
    }
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
            sweep_programs(&w, key);
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

#include "workerd/cancels.h"

#include "lib/job/keys.h"
#include "workerd/final.h"
#include "workerd/log.h"

#define BATCH 128

typedef struct {
    unsigned n;
    char     job[BATCH][REEL_JOB_ID_MAX];
} found_t;


reel_err_t
reel_cancels_take(reel_worker_t *w, const char *job)
{
    bool        stands;
    reel_err_t  err;

    err = reel_final_cancelled(w->store, job, &stands);
    if (err == REEL_OK && stands) {
        err = reel_final_cancel(w->store, job);
    }

    if (err != REEL_OK && err != REEL_AGAIN) {
        reel_log_task(REEL_LOG_ERROR, job, NULL, "cannot be cancelled: %s",
                      reel_err_name(err));
    }

    return err;
}


static reel_err_t
on_entry(void *arg, const char *name, bool is_prefix)
{
    uint32_t    publication;
    found_t    *f = arg;
    reel_str_t  asset;

    if (is_prefix || f->n == BATCH
        || reel_job_id_parse(reel_str(name), &asset, &publication) != REEL_OK
        || reel_str_copy(f->job[f->n], REEL_JOB_ID_MAX, reel_str(name))
           != REEL_OK)
    {
        return REEL_OK;
    }

    f->n++;

    return REEL_OK;
}


bool
reel_cancels_look(reel_worker_t *w)
{
    bool        again = false;
    found_t     f = { 0 };
    reel_err_t  err;

    err = reel_store_list(w->store, "cancel", on_entry, &f);
    if (err != REEL_OK && err != REEL_NOTFOUND) {
        reel_log(REEL_LOG_ERROR, "outbox: cancel/ cannot be listed: %s",
                 reel_err_name(err));
    }

    for (unsigned i = 0; i < f.n; i++) {
        again |= reel_cancels_take(w, f.job[i]) == REEL_AGAIN;
    }

    return again;
}

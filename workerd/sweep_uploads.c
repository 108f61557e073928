#include <string.h>

#include "lib/base/ulid.h"
#include "lib/job/record.h"
#include "lib/store/layout.h"
#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/sweep_pass.h"

/* the publication of an upload; others come after a result */
#define FIRST 1

typedef struct {
    reel_store_t      *s;
    reel_sweep_pass_t *p;
} walk_t;


/* part NULL: the entry in pending/ */
static reel_err_t
part_stands(reel_store_t *s, reel_str_t asset, const char *part, bool *yes)
{
    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    *yes = false;

    err = part == NULL ? reel_key_pending(key, asset, FIRST)
                       : reel_key_asset_part(key, asset, part);
    if (err == REEL_OK) {
        err = reel_store_stat(s, key, &st);
    }
    if (err == REEL_OK) {
        *yes = true;
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


/* step 5 of the completion, which a crash left out */
static reel_err_t
put_pending(walk_t *w, reel_str_t asset)
{
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_pending(key, asset, FIRST);
    if (err == REEL_OK) {
        err = reel_store_put_if_absent(w->s, key, NULL, 0);
    }

    if (err == REEL_OK) {
        w->p->requeued++;
        reel_log(REEL_LOG_WARN, "asset %.*s was complete and not queued: "
                 "pending/ is put", (int) asset.len, asset.p);
    }

    return err == REEL_EXISTS ? REEL_OK : err;
}


/* what docs/store.md says for each prefix of a completion */
static reel_err_t
repair(walk_t *w, reel_str_t id)
{
    bool        request, result, pending, dead;
    reel_key_t  key;
    reel_err_t  err;

    err = part_stands(w->s, id, REEL_PART_TOMBSTONE, &dead);
    if (err == REEL_OK) {
        err = part_stands(w->s, id, REEL_PART_REQUEST, &request);
    }
    if (err == REEL_OK) {
        err = part_stands(w->s, id, REEL_PART_RESULT, &result);
    }
    if (err == REEL_OK) {
        err = part_stands(w->s, id, NULL, &pending);
    }
    if (err != REEL_OK || dead) {
        return err;
    }

    if (!request) {
        err = reel_key_asset(key, id);
        return err == REEL_OK ? reel_store_del_tree(w->s, key, NULL) : err;
    }

    return result || pending ? REEL_OK : put_pending(w, id);
}


typedef struct {
    reel_store_t *s;
    reel_str_t    id;
    int64_t       ms;
} age_t;


static reel_err_t
on_part(void *arg, const char *name, bool is_prefix)
{
    age_t             *a = arg;
    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    if (is_prefix || reel_key_upload(key, a->id, name) != REEL_OK) {
        return REEL_OK;
    }

    err = reel_store_stat(a->s, key, &st);
    if (err == REEL_OK && st.mtime_ns / 1000000 > a->ms) {
        a->ms = st.mtime_ns / 1000000;
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


/* the youngest of state and the staged bytes says how old it is */
static reel_err_t
newest(reel_store_t *s, reel_str_t id, int64_t *ms)
{
    age_t       a = { s, id, -1 };
    reel_key_t  folder;
    reel_err_t  err;

    err = reel_key_upload(folder, id, NULL);
    if (err == REEL_OK) {
        err = reel_store_list(s, folder, on_part, &a);
    }

    *ms = a.ms;

    return err;
}


static reel_err_t
on_upload(void *arg, const char *name, bool is_prefix)
{
    walk_t      *w = arg;
    int64_t      ms;
    reel_key_t   folder, state;
    reel_err_t   err;
    reel_str_t   id = reel_str(name);

    if (!is_prefix || !reel_ulid_valid(id)) {
        return REEL_OK;
    }

    err = newest(w->s, id, &ms);
    if (err == REEL_OK && ms < 0) {
        /* there are none: the id tells when it began */
        ms = (int64_t) reel_ulid_ms(id);
    }
    if (err != REEL_OK) {
        /* one that cannot be read does not keep the others from the sweep */
        reel_log(REEL_LOG_ERROR, "upload %s cannot be read: %s", name,
                 reel_err_name(err));
        return REEL_OK;
    }
    if (w->p->now_ms - ms < w->p->upload_age_ms) {
        return REEL_OK;
    }

    err = repair(w, id);
    if (err == REEL_OK) {
        err = reel_key_upload(folder, id, NULL);
    }
    if (err == REEL_OK) {
        err = reel_key_upload(state, id, "state");
    }

    /* state last: it is what finds the upload again */
    if (err == REEL_OK) {
        err = reel_store_del_tree(w->s, folder, state);
    }
    if (err == REEL_OK) {
        err = reel_store_del(w->s, state);
    }

    if (err == REEL_OK) {
        w->p->uploads++;
        reel_log(REEL_LOG_INFO, "upload %s was given up by its client: "
                 "swept", name);
    } else {
        reel_log(REEL_LOG_WARN, "upload %s cannot be swept: %s", name,
                 reel_err_name(err));
    }

    return REEL_OK;
}


reel_err_t
reel_sweep_uploads(reel_store_t *s, reel_sweep_pass_t *p)
{
    walk_t  w = { s, p };

    return reel_store_list(s, "uploads", on_upload, &w);
}

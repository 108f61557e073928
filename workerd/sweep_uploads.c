/*
 * Uploads that nobody goes on with (docs/uploads.md).  Each is looked at
 * without its turn, and touched only when nobody has one.
 */

#include "lib/store/layout.h"
#include "workerd/log.h"
#include "workerd/sweep_pass.h"

typedef struct {
    reel_store_t      *s;
    reel_sweep_pass_t *p;
} walk_t;

typedef enum {
    NOTHING,
    COMPLETE,
    EXPIRE,
    DROP,               /* the bytes, which a crash has left */
    REMOVE
} due_t;


static bool
has_data(reel_store_t *s, const reel_upload_t *u)
{
    reel_key_t         key;
    reel_store_stat_t  st;

    return reel_key_upload(key, reel_str(u->facts.id), "data") == REEL_OK
           && reel_store_stat(s, key, &st) == REEL_OK;
}


/*
 * All bytes of tus are here, and the request that brought the last of them
 * did not get as far as the completion; its client may never ask again.
 */
static bool
is_whole(const reel_upload_t *u)
{
    return u->facts.door == REEL_UPLOAD_TUS && !u->facts.partial
           && u->state.length != REEL_UPLOAD_UNKNOWN
           && u->state.offset == u->state.length;
}


/*
 * The request of a PutObject is the only one that goes on with it, or the
 * next equal one, at once; its answer is kept elsewhere.
 */
static due_t
due(const walk_t *w, const reel_upload_t *u)
{
    bool     put = u->facts.door == REEL_UPLOAD_PUT;
    int64_t  since = w->p->now_ms - u->state.touched_ms;

    switch (u->state.phase) {

    case REEL_UPLOAD_COMPLETING:
        return COMPLETE;

    case REEL_UPLOAD_OPEN:
        if (put) {
            return since >= w->p->object_age_ms ? EXPIRE : NOTHING;
        }
        if (w->p->now_ms > reel_upload_expires(u)) {
            return EXPIRE;
        }
        return is_whole(u) ? COMPLETE : NOTHING;

    case REEL_UPLOAD_ABORTED:
    case REEL_UPLOAD_EXPIRED:
        if (since < (put ? 0 : w->p->upload_age_ms)) {
            return has_data(w->s, u) ? DROP : NOTHING;
        }
        return REMOVE;

    default:
        return since >= (put ? 0 : w->p->upload_age_ms) ? REMOVE : NOTHING;
    }
}


static void
tell(walk_t *w, reel_upload_t *u, const char *asset)
{
    if (w->p->ended != NULL) {
        w->p->ended(w->p->arg, u, asset);
    }
}


static reel_err_t
act(walk_t *w, reel_upload_t *u, due_t what)
{
    reel_err_t    err;
    reel_named_t  named;

    switch (what) {

    case COMPLETE:
        err = reel_upload_complete(u, w->p->now_ms, &named);
        if (err == REEL_OK) {
            w->p->completed++;
            reel_log(REEL_LOG_WARN, "upload %s was left in its completion: "
                     "asset %s is queued", u->facts.id, named.asset);
        }
        tell(w, u, err == REEL_OK ? named.asset : NULL);
        return err;

    case EXPIRE:
        err = reel_upload_abort(u, REEL_UPLOAD_EXPIRED, w->p->now_ms);
        if (err == REEL_OK) {
            w->p->expired++;
            reel_log(REEL_LOG_INFO, "upload %s of asset %s has expired",
                     u->facts.id, u->facts.request.asset);
        }
        tell(w, u, NULL);
        return err;

    case DROP:
        return reel_upload_abort(u, u->state.phase, w->p->now_ms);

    default:
        err = reel_upload_remove(u);
        if (err == REEL_OK) {
            w->p->removed++;
        }
        return err;
    }
}


/* REEL_AGAIN: somebody has it, or came for it; or it was touched meanwhile */
static reel_err_t
sweep_upload(walk_t *w, reel_upload_t *u)
{
    due_t       what = due(w, u);
    reel_err_t  err;

    if (what == NOTHING
        || (what != COMPLETE && w->p->expired + w->p->removed
                                >= w->p->upload_max))
    {
        return REEL_AGAIN;
    }

    err = reel_upload_claim_idle(u, &w->p->self);
    if (err != REEL_OK) {
        return err == REEL_DENIED || err == REEL_NOTFOUND ? REEL_AGAIN : err;
    }

    return due(w, u) == what ? act(w, u, what) : REEL_AGAIN;
}


static reel_err_t
sweep_broken(walk_t *w, const char *id)
{
    reel_err_t  err;

    if (w->p->expired + w->p->removed >= w->p->upload_max) {
        return REEL_AGAIN;
    }

    err = reel_upload_clear(w->s, reel_str(id),
                            w->p->now_ms - w->p->upload_age_ms);

    if (err == REEL_OK) {
        w->p->removed++;
        reel_log(REEL_LOG_WARN, "upload %s was broken or never made: "
                 "removed", id);
    }

    return err == REEL_EXISTS ? REEL_AGAIN : err;
}


static reel_err_t
on_upload(void *arg, const char *id, reel_upload_t *u)
{
    walk_t      *w = arg;
    reel_err_t   err;

    err = u == NULL ? sweep_broken(w, id) : sweep_upload(w, u);

    /* one that cannot be swept does not keep the others from it */
    if (err != REEL_OK && err != REEL_AGAIN) {
        reel_log(REEL_LOG_WARN, "upload %s cannot be swept: %s", id,
                 reel_err_name(err));
    }

    return REEL_OK;
}


reel_err_t
reel_sweep_uploads(reel_store_t *s, reel_sweep_pass_t *p)
{
    walk_t  w = { s, p };

    return reel_upload_each(s, on_upload, &w);
}

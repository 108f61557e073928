/* what a crash left behind and nobody goes on with */

#include <string.h>

#include "lib/upload/upload_impl.h"


#define REQUEST_MS 60000        /* a request follows its source sooner */


/* ---- a source without a request ---- */

static reel_err_t
goes_on(void *arg, const char *id, reel_upload_t *other)
{
    reel_upload_impl_t  *u = arg;

    return other != NULL && strcmp(id, u->pub.facts.id) != 0
           && other->state.phase == REEL_UPLOAD_COMPLETING
           && strcmp(other->facts.request.asset,
                     u->pub.facts.request.asset) == 0
           ? REEL_EXISTS : REEL_OK;
}


/*
 * With the lock on the file: of two who find it at once, the later one must
 * not take the source that the first has put meanwhile.
 */
static reel_err_t
take_source(reel_upload_impl_t *u, const char *key, uint64_t version)
{
    reel_err_t         err;
    reel_store_stat_t  st;

    err = reel_upload_each(u->pub.store, goes_on, u);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_upload_asset_stands(u->pub.store, u->pub.facts.request.asset,
                                   REEL_PART_REQUEST);
    if (err != REEL_NOTFOUND) {
        return err == REEL_OK ? REEL_EXISTS : err;
    }

    err = reel_store_stat(u->pub.store, key, &st);

    if (err == REEL_OK) {
        err = st.version == version ? reel_store_del(u->pub.store, key)
                                    : REEL_EXISTS;
    }

    return err;
}


reel_err_t
reel_upload_asset_free(reel_upload_impl_t *u, int64_t now_ms)
{
    reel_err_t         err;
    reel_key_t         key;
    reel_multipart_t  *m = NULL;
    reel_store_stat_t  st;

    err = reel_key_asset_part(key, reel_str(u->pub.facts.request.asset),
                              REEL_PART_SOURCE);

    if (err == REEL_OK) {
        err = reel_store_stat(u->pub.store, key, &st);
    }

    if (err == REEL_OK && now_ms - st.mtime_ns / 1000000 < REQUEST_MS) {
        err = REEL_EXISTS;
    }

    if (err == REEL_OK) {
        err = reel_multipart_open(u->pub.store, key, &m);
    }

    if (err == REEL_OK) {
        err = reel_multipart_lock(m, 0, 1, false);
        err = err == REEL_AGAIN ? REEL_EXISTS : err;
    }

    if (err == REEL_OK) {
        err = take_source(u, key, st.version);
    }

    reel_multipart_close(m);

    /* gone already: who took it has put, or will put, its own */
    return err == REEL_NOTFOUND ? REEL_EXISTS : err;
}


/* ---- a folder that is no upload ---- */

typedef struct {
    reel_store_t *store;
    reel_str_t    id;
    int64_t       ms;           /* when the newest file was written */
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

    err = reel_store_stat(a->store, key, &st);

    if (err == REEL_OK && st.mtime_ns / 1000000 > a->ms) {
        a->ms = st.mtime_ns / 1000000;
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


/* REEL_OK: nobody can go on with it */
static reel_err_t
is_broken(reel_store_t *s, reel_str_t id)
{
    reel_err_t      err;
    reel_upload_t  *u;

    err = reel_upload_open(s, id, &u);
    reel_upload_close(u);

    switch (err) {

    case REEL_OK:
        return REEL_EXISTS;

    case REEL_NOTFOUND:
    case REEL_BADDATA:
        return REEL_OK;

    default:
        return err;
    }
}


reel_err_t
reel_upload_clear(reel_store_t *s, reel_str_t id, int64_t before_ms)
{
    age_t              a = { s, id, INT64_MIN };
    reel_err_t         err;
    reel_key_t         folder, state;
    reel_multipart_t  *m = NULL;

    err = reel_upload_id_valid(id) ? REEL_OK : REEL_INVAL;

    if (err == REEL_OK) {
        err = reel_key_upload(folder, id, NULL);
    }

    if (err == REEL_OK) {
        err = reel_key_upload(state, id, REEL_UPLOAD_STATE);
    }

    if (err == REEL_OK) {
        err = reel_store_list(s, folder, on_part, &a);
    }

    if (err == REEL_OK && a.ms > before_ms) {
        err = REEL_AGAIN;
    }

    if (err != REEL_OK) {
        return err;
    }

    /* who makes one has the lock of turn 0 */
    err = reel_multipart_open(s, state, &m);

    if (err == REEL_OK) {
        err = reel_multipart_lock(m, 0, REEL_UPLOAD_PARTS_MAX + 1, false);

    } else if (err == REEL_NOTFOUND) {
        err = REEL_OK;
    }

    if (err == REEL_OK) {
        err = is_broken(s, id);
    }

    if (err == REEL_OK) {
        err = reel_store_del_tree(s, folder, NULL);
    }

    reel_multipart_close(m);

    return err;
}

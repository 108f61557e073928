/* an upload's folder: made, opened, closed and removed */

#include <stdlib.h>
#include <string.h>

#include "lib/upload/upload_impl.h"


#define TRIES 8                 /* a folder may go while we open it */


const char *
reel_upload_phase_name(reel_upload_phase_t p)
{
    static const char *const  names[] = {
        [REEL_UPLOAD_OPEN] = "open",
        [REEL_UPLOAD_COMPLETING] = "completing",
        [REEL_UPLOAD_COMPLETE] = "complete",
        [REEL_UPLOAD_ABORTED] = "aborted",
        [REEL_UPLOAD_EXPIRED] = "expired",
    };

    return names[p];
}


reel_err_t
reel_upload_key(const reel_upload_impl_t *u, reel_key_t key,
    const char *part)
{
    return reel_key_upload(key, reel_str(u->pub.facts.id), part);
}


reel_err_t
reel_upload_stage(reel_upload_impl_t *u, const char *part, bool create,
    reel_multipart_t **m)
{
    unsigned    tries;
    reel_key_t  key;
    reel_err_t  err;

    if (*m != NULL) {
        return REEL_OK;
    }

    err = reel_upload_key(u, key, part);
    if (err != REEL_OK) {
        return err;
    }

    for (tries = 0; tries < TRIES; tries++) {
        err = reel_multipart_open(u->pub.store, key, m);

        if (err == REEL_NOTFOUND && create) {
            err = reel_multipart_create(u->pub.store, key, 0, m);
        }

        if (err != REEL_EXISTS) {
            break;
        }
    }

    return err;
}


reel_err_t
reel_upload_may(const reel_upload_impl_t *u, reel_upload_phase_t p)
{
    return u->pub.held && u->pub.turn == 0 && u->pub.state.phase == p
           ? REEL_OK : REEL_INVAL;
}


/* by way of upload.json: what cannot be read again is not created */
static reel_err_t
copy_facts(reel_upload_impl_t *u, const reel_upload_facts_t *facts,
    reel_buf_t *b)
{
    reel_err_t  err;

    reel_buf_init(b, REEL_RECORD_MAX);
    err = reel_upload_facts_print(b, facts);

    if (err == REEL_OK) {
        err = reel_upload_facts_parse(&u->pub.facts, (char *) b->data, b->len,
                                      NULL);
        err = err == REEL_BADDATA ? REEL_INVAL : err;
    }

    return err;
}


/*
 * A crash may have left a folder without upload.json, or an empty one: who
 * has the lock goes on with that.
 */
static reel_err_t
take_folder(reel_upload_impl_t *u)
{
    reel_err_t         err;
    reel_key_t         key;
    reel_store_stat_t  st;

    err = reel_upload_stage(u, REEL_UPLOAD_STATE, true, &u->state_file);

    if (err == REEL_OK) {
        err = reel_upload_turn_lock(u, 0);
        err = err == REEL_AGAIN ? REEL_EXISTS : err;
    }

    if (err == REEL_OK) {
        err = reel_upload_key(u, key, REEL_UPLOAD_FACTS);
    }

    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_stat(u->pub.store, key, &st);

    if (err == REEL_NOTFOUND || (err == REEL_OK && st.size == 0)) {
        return REEL_OK;
    }

    return err == REEL_OK ? REEL_EXISTS : err;
}


/* upload.json last: with it the upload is there */
static reel_err_t
fill_folder(reel_upload_impl_t *u, const reel_buf_t *json, uint64_t length,
    int64_t now_ms)
{
    reel_err_t  err;

    err = reel_multipart_truncate(u->state_file, 0);

    if (err == REEL_OK) {
        err = reel_upload_stage(u, REEL_UPLOAD_DATA, true, &u->data);
    }

    if (err == REEL_OK) {
        err = reel_multipart_truncate(u->data, 0);
    }

    if (err == REEL_OK && u->pub.facts.door == REEL_UPLOAD_MULTIPART) {
        err = reel_upload_stage(u, REEL_UPLOAD_PARTS, true, &u->parts);

        if (err == REEL_OK) {
            err = reel_multipart_truncate(u->parts, 0);
        }
    }

    if (err == REEL_OK && length != REEL_UPLOAD_UNKNOWN) {
        err = reel_multipart_reserve(u->data, 0, length);
    }

    if (err == REEL_OK) {
        u->pub.state.length = length;
        u->pub.state.touched_ms = now_ms;
        err = reel_upload_state_write(u);
    }

    if (err == REEL_OK) {
        err = reel_upload_turn_first(u);
    }

    if (err == REEL_OK) {
        err = reel_upload_stage(u, REEL_UPLOAD_FACTS, true, &u->unsynced);
    }

    if (err == REEL_OK) {
        err = reel_multipart_write(u->unsynced, 0, json->data, json->len);
    }

    if (err == REEL_OK && u->pub.facts.door != REEL_UPLOAD_PUT) {
        err = reel_upload_state_settle(u);
    }

    return err;
}


/* the lock is still ours: nobody else has seen any of it */
static void
undo(reel_upload_impl_t *u)
{
    reel_multipart_abort(u->unsynced);
    reel_multipart_abort(u->parts);
    reel_multipart_abort(u->data);
    reel_multipart_abort(u->state_file);
    u->unsynced = NULL;
    u->parts = NULL;
    u->data = NULL;
    u->state_file = NULL;
}


static reel_err_t
check_length(const reel_upload_facts_t *f, uint64_t length)
{
    if (length != REEL_UPLOAD_UNKNOWN
        && (length > INT64_MAX
            || (f->max_bytes != 0 && length > f->max_bytes)))
    {
        return REEL_LIMIT;
    }

    return REEL_OK;
}


reel_err_t
reel_upload_create(reel_store_t *s, const reel_upload_facts_t *facts,
    uint64_t length, const reel_upload_self_t *self, int64_t now_ms,
    reel_upload_t **out)
{
    reel_buf_t           json;
    reel_err_t           err;
    reel_upload_impl_t  *u;

    *out = NULL;

    u = calloc(1, sizeof(*u));
    if (u == NULL) {
        return REEL_NOMEM;
    }

    u->pub.store = s;
    u->self = *self;

    err = copy_facts(u, facts, &json);

    if (err == REEL_OK) {
        err = check_length(&u->pub.facts, length);
    }

    if (err == REEL_OK && u->pub.facts.expect[0] != '\0') {
        u->sha = reel_sha256_new();
        err = u->sha == NULL ? REEL_NOMEM : REEL_OK;
    }

    if (err == REEL_OK) {
        err = take_folder(u);
    }

    if (err == REEL_OK) {
        err = fill_folder(u, &json, length, now_ms);
        if (err != REEL_OK) {
            undo(u);
        }
    }

    reel_buf_release(&json);

    if (err != REEL_OK) {
        reel_upload_close(&u->pub);
        return err;
    }

    u->pub.changed = true;
    *out = &u->pub;

    return REEL_OK;
}


reel_err_t
reel_upload_facts_read(reel_store_t *s, reel_str_t id, reel_upload_facts_t *f)
{
    reel_buf_t  b;
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_upload(key, id, REEL_UPLOAD_FACTS);
    if (err != REEL_OK) {
        return err;
    }

    err = reel_store_get(s, key, REEL_RECORD_MAX, &b);
    if (err != REEL_OK) {
        return err == REEL_LIMIT ? REEL_BADDATA : err;
    }

    /* empty: it is being made just now */
    err = b.len == 0 ? REEL_NOTFOUND
                     : reel_upload_facts_parse(f, (char *) b.data, b.len,
                                               NULL);
    reel_buf_release(&b);

    if (err == REEL_OK && !reel_str_eqz(id, f->id)) {
        reel_upload_facts_release(f);
        err = REEL_BADDATA;
    }

    return err;
}


reel_err_t
reel_upload_touched(reel_upload_impl_t *u)
{
    int64_t     ms;
    reel_err_t  err;

    if (u->pub.facts.door != REEL_UPLOAD_MULTIPART
        || u->pub.state.phase != REEL_UPLOAD_OPEN)
    {
        return REEL_OK;
    }

    err = reel_upload_part_last(u, &ms);

    if (err == REEL_OK && ms > u->pub.state.touched_ms) {
        u->pub.state.touched_ms = ms;
    }

    return err;
}


reel_err_t
reel_upload_open(reel_store_t *s, reel_str_t id, reel_upload_t **out)
{
    reel_err_t           err;
    reel_upload_impl_t  *u;

    *out = NULL;

    if (!reel_upload_id_valid(id)) {
        return REEL_INVAL;
    }

    u = calloc(1, sizeof(*u));
    if (u == NULL) {
        return REEL_NOMEM;
    }

    u->pub.store = s;

    err = reel_upload_facts_read(s, id, &u->pub.facts);

    if (err == REEL_OK) {
        err = reel_upload_stage(u, REEL_UPLOAD_STATE, false, &u->state_file);
    }

    if (err == REEL_OK) {
        err = reel_upload_state_read(u);
    }

    if (err == REEL_OK) {
        err = reel_upload_touched(u);
    }

    if (err != REEL_OK) {
        reel_upload_close(&u->pub);
        return err;
    }

    *out = &u->pub;

    return REEL_OK;
}


void
reel_upload_close(reel_upload_t *pub)
{
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    if (u == NULL) {
        return;
    }

    reel_upload_fall_back(u);
    reel_sha256_free(u->sha);
    reel_multipart_close(u->unsynced);
    reel_multipart_close(u->parts);
    reel_multipart_close(u->data);

    /* the turn goes with it: last */
    reel_multipart_close(u->state_file);
    reel_upload_facts_release(&pub->facts);
    free(u);
}


int64_t
reel_upload_expires(const reel_upload_t *u)
{
    return u->state.touched_ms
           + (u->facts.expires_ms - u->facts.request.created_ms);
}


/* not synced: a name that a loss of power brings back is the sweep's */
static reel_err_t
unlink_part(reel_upload_impl_t *u, const char *part)
{
    reel_key_t         key;
    reel_err_t         err;
    reel_multipart_t  *m;

    err = reel_upload_key(u, key, part);

    if (err == REEL_OK) {
        err = reel_multipart_open(u->pub.store, key, &m);
    }

    if (err == REEL_OK) {
        reel_multipart_abort(m);
    }

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


static bool
may_remove(const reel_upload_t *u)
{
    switch (u->state.phase) {

    case REEL_UPLOAD_OPEN:
        /* nobody was told of it */
        return u->facts.door == REEL_UPLOAD_PUT && u->held && u->turn == 0;

    case REEL_UPLOAD_COMPLETING:
        return false;

    default:
        return true;
    }
}


/* upload.json last: without the others it cannot be opened any more */
reel_err_t
reel_upload_remove(reel_upload_t *pub)
{
    size_t               i;
    reel_key_t           key;
    reel_err_t           err = REEL_OK;
    reel_store_stat_t    st;
    reel_upload_impl_t  *u = reel_upload_impl(pub);
    static const char *const  parts[] = {
        REEL_UPLOAD_DATA, REEL_UPLOAD_JOINED, REEL_UPLOAD_PARTS,
        REEL_UPLOAD_STATE, REEL_UPLOAD_FACTS,
    };

    if (!may_remove(pub)) {
        return REEL_INVAL;
    }

    for (i = 0; err == REEL_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
        err = unlink_part(u, parts[i]);
    }

    if (err == REEL_OK) {
        err = reel_upload_key(u, key, REEL_UPLOAD_FACTS);
    }

    if (err == REEL_OK) {
        err = reel_store_stat(pub->store, key, &st);
        err = err == REEL_OK ? REEL_IO : err == REEL_NOTFOUND ? REEL_OK : err;
    }

    if (err == REEL_OK && pub->state.phase == REEL_UPLOAD_OPEN) {
        pub->state.phase = REEL_UPLOAD_ABORTED;
        pub->changed = true;
    }

    return err;
}

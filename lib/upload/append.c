/* turn 0: bytes one behind another */

#include "lib/upload/upload_impl.h"


/* so that nobody else takes for written what a failed sync has dropped */
void
reel_upload_fall_back(reel_upload_impl_t *u)
{
    reel_upload_state_t  *st = &u->pub.state;

    if (!atomic_load(&u->failed) || !u->pub.held || u->pub.turn != 0
        || st->phase != REEL_UPLOAD_OPEN || st->offset == u->pub.safe)
    {
        return;
    }

    st->offset = u->pub.safe;
    st->durable = u->pub.safe;
    u->pos = u->pub.safe;

    if (reel_upload_state_write(u) != REEL_OK
        || reel_multipart_sync(u->state_file) != REEL_OK)
    {
        /* the medium is broken: what can be done was tried */
        return;
    }
}


reel_err_t
reel_upload_sound(reel_upload_impl_t *u)
{
    reel_upload_fall_back(u);

    return atomic_load(&u->failed) ? REEL_IO : REEL_OK;
}


reel_err_t
reel_upload_data_sync(reel_upload_impl_t *u)
{
    uint64_t    upto;
    reel_err_t  err;

    upto = atomic_load(&u->written);

    if (u->data == NULL || upto <= atomic_load(&u->flushed)) {
        return REEL_OK;
    }

    err = reel_multipart_sync(u->data);

    if (err == REEL_OK) {
        atomic_store(&u->flushed, upto);

    } else {
        atomic_store(&u->failed, true);
    }

    return err;
}


reel_err_t
reel_upload_flush(reel_upload_t *u)
{
    return reel_upload_data_sync(reel_upload_impl(u));
}


/* may this handle append at all? */
static reel_err_t
may_append(const reel_upload_impl_t *u)
{
    return u->pub.facts.door == REEL_UPLOAD_MULTIPART
           ? REEL_INVAL : reel_upload_may(u, REEL_UPLOAD_OPEN);
}


static reel_err_t
check_room(const reel_upload_impl_t *u, size_t len)
{
    uint64_t  max = INT64_MAX;

    if (u->pub.facts.max_bytes != 0 && u->pub.facts.max_bytes < max) {
        max = u->pub.facts.max_bytes;
    }

    /* UNKNOWN is the largest number */
    if (u->pub.state.length < max) {
        max = u->pub.state.length;
    }

    return u->pos > max || len > max - u->pos ? REEL_LIMIT : REEL_OK;
}


/* offset follows pos, durable follows the flushes; not synced */
static reel_err_t
advance(reel_upload_impl_t *u)
{
    uint64_t  flushed = atomic_load(&u->flushed);

    u->pub.state.offset = u->pos;
    u->pub.state.durable = flushed < u->pos ? flushed : u->pos;

    return reel_upload_state_write(u);
}


void
reel_upload_leave(reel_upload_t *pub)
{
    reel_upload_impl(pub)->leaving = true;
}


reel_err_t
reel_upload_write(reel_upload_t *pub, const void *data, size_t len,
    bool provisional)
{
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    err = may_append(u);

    if (err == REEL_OK) {
        err = reel_upload_sound(u);
    }

    if (err == REEL_OK && !provisional && u->pos != pub->state.offset) {
        err = REEL_INVAL;
    }

    if (err == REEL_OK) {
        err = check_room(u, len);
    }

    if (err == REEL_OK) {
        err = u->leaving ? reel_upload_turn_ours(u)
                         : reel_upload_check(pub);
    }

    if (err == REEL_OK) {
        err = reel_multipart_write(u->data, u->pos, data, len);
    }

    if (err == REEL_OK && u->sha != NULL) {
        err = reel_sha256_update(u->sha, data, len);
    }

    if (err != REEL_OK) {
        return err;
    }

    u->pos += len;
    atomic_store(&u->written, u->pos);

    return provisional ? REEL_OK : advance(u);
}


reel_err_t
reel_upload_confirm(reel_upload_t *pub)
{
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    err = may_append(u);

    if (err == REEL_OK) {
        err = u->leaving ? reel_upload_turn_ours(u)
                         : reel_upload_check(pub);
    }

    return err == REEL_OK ? advance(u) : err;
}


void
reel_upload_discard(reel_upload_t *pub)
{
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    if (u->pos == pub->state.offset) {
        return;
    }

    u->pos = pub->state.offset;
    atomic_store(&u->written, u->pos);

    /* others will lie where the synced ones did */
    if (atomic_load(&u->flushed) > u->pos) {
        atomic_store(&u->flushed, u->pos);
    }

    /* it has seen them: the completion reads all bytes */
    reel_sha256_free(u->sha);
    u->sha = NULL;
}


/* the bytes are there, and the last write said so: that is synced too */
reel_err_t
reel_upload_checkpoint(reel_upload_t *pub)
{
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    err = may_append(u);

    if (err == REEL_OK) {
        err = reel_upload_state_sync(u);
    }

    return err == REEL_OK ? reel_upload_check(pub) : err;
}


/* first the bytes, then what says that they are there */
reel_err_t
reel_upload_settle(reel_upload_t *pub, int64_t now_ms)
{
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    err = may_append(u);

    if (err == REEL_OK) {
        err = reel_upload_sound(u);
    }

    if (err == REEL_OK) {
        err = reel_upload_data_sync(u);
    }

    if (err == REEL_OK) {
        pub->state.durable = pub->state.offset;
        pub->state.touched_ms = now_ms;
        err = reel_upload_state_settle(u);
    }

    return err == REEL_OK ? reel_upload_check(pub) : err;
}


reel_err_t
reel_upload_set_length(reel_upload_t *pub, uint64_t length, int64_t now_ms)
{
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    err = may_append(u);
    if (err != REEL_OK) {
        return err;
    }

    if (pub->state.length != REEL_UPLOAD_UNKNOWN) {
        return pub->state.length == length ? REEL_OK : REEL_INVAL;
    }

    if (length < u->pos) {
        return REEL_INVAL;
    }

    if (length > INT64_MAX || (pub->facts.max_bytes != 0
                               && length > pub->facts.max_bytes))
    {
        return REEL_LIMIT;
    }

    err = reel_multipart_reserve(u->data, u->pos, length - u->pos);

    if (err == REEL_OK) {
        pub->state.length = length;
        pub->state.touched_ms = now_ms;
        err = reel_upload_state_write(u);
    }

    return err;
}


static reel_err_t
drop(reel_upload_impl_t *u, const char *part, reel_multipart_t **m)
{
    reel_key_t  key;
    reel_err_t  err;

    if (m != NULL) {
        reel_multipart_close(*m);
        *m = NULL;
    }

    err = reel_upload_key(u, key, part);

    return err == REEL_OK ? reel_store_del(u->pub.store, key) : err;
}


reel_err_t
reel_upload_data_drop(reel_upload_impl_t *u)
{
    reel_err_t  err;

    err = drop(u, REEL_UPLOAD_DATA, &u->data);

    if (u->pub.facts.door != REEL_UPLOAD_MULTIPART) {
        return err;
    }

    if (err == REEL_OK) {
        err = drop(u, REEL_UPLOAD_JOINED, NULL);
    }

    return err == REEL_OK ? drop(u, REEL_UPLOAD_PARTS, &u->parts) : err;
}


reel_err_t
reel_upload_abort(reel_upload_t *pub, reel_upload_phase_t phase,
    int64_t now_ms)
{
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    if ((phase != REEL_UPLOAD_ABORTED && phase != REEL_UPLOAD_EXPIRED)
        || !pub->held || pub->turn != 0)
    {
        return REEL_INVAL;
    }

    switch (pub->state.phase) {

    case REEL_UPLOAD_OPEN:
        pub->state.phase = phase;
        pub->state.touched_ms = now_ms;
        err = reel_upload_state_settle(u);
        pub->changed = err == REEL_OK;
        break;

    case REEL_UPLOAD_ABORTED:
    case REEL_UPLOAD_EXPIRED:
        /* again, after a crash in the midst of it */
        err = REEL_OK;
        break;

    default:
        err = REEL_INVAL;
    }

    return err == REEL_OK ? reel_upload_data_drop(u) : err;
}

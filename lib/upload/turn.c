/*
 * Turns.  The right to write is a lock on byte n of `state` (all of 0 … 10000
 * for turn 0); who has it and who wants it stands in a record of 32 bytes a
 * turn, behind the slots:
 *
 *    0  want    u64   the newest ticket; raised under the mutex by whoever
 *                     announces itself
 *    8  held    u64   the ticket of the holder, written with the lock
 *   16  owner         its 16 bytes
 */

#include <string.h>

#include "lib/base/reader.h"
#include "lib/upload/le.h"
#include "lib/upload/upload_impl.h"


#define TURNS_AT   16384u
#define RECORD_LEN 32u

typedef struct {
    uint64_t want;
    uint64_t held;
    uint8_t  owner[REEL_UPLOAD_OWNER_LEN];
} record_t;


static uint64_t
record_at(unsigned turn)
{
    return TURNS_AT + (uint64_t) turn * RECORD_LEN;
}


/* what was never written is zero */
static reel_err_t
read_record(reel_upload_impl_t *u, unsigned turn, record_t *rec)
{
    size_t         n;
    uint8_t        raw[RECORD_LEN] = { 0 };
    reel_err_t     err;
    reel_reader_t  r;

    err = reel_multipart_read(u->state_file, record_at(turn), raw,
                              sizeof(raw), &n);
    if (err != REEL_OK) {
        return err;
    }

    reel_reader_init(&r, raw, sizeof(raw));
    rec->want = reel_read_u64le(&r);
    rec->held = reel_read_u64le(&r);
    memcpy(rec->owner, raw + 16, sizeof(rec->owner));

    return REEL_OK;
}


static reel_err_t
write_want(reel_upload_impl_t *u, unsigned turn, uint64_t want)
{
    uint8_t  raw[8];

    reel_put_u64le(raw, want);

    return reel_multipart_write(u->state_file, record_at(turn), raw,
                                sizeof(raw));
}


static reel_err_t
write_holder(reel_upload_impl_t *u, unsigned turn)
{
    uint8_t  raw[8 + REEL_UPLOAD_OWNER_LEN];

    reel_put_u64le(raw, u->pub.ticket);
    memcpy(raw + 8, u->self.owner, REEL_UPLOAD_OWNER_LEN);

    return reel_multipart_write(u->state_file, record_at(turn) + 8, raw,
                                sizeof(raw));
}


reel_err_t
reel_upload_mutex_lock(reel_upload_impl_t *u)
{
    return reel_multipart_lock(u->state_file, REEL_UPLOAD_MUTEX, 1, true);
}


void
reel_upload_mutex_unlock(reel_upload_impl_t *u)
{
    reel_multipart_unlock(u->state_file, REEL_UPLOAD_MUTEX, 1);
}


static uint64_t
width(unsigned turn)
{
    return turn == 0 ? REEL_UPLOAD_PARTS_MAX + 1 : 1;
}


reel_err_t
reel_upload_turn_lock(reel_upload_impl_t *u, unsigned turn)
{
    return reel_multipart_lock(u->state_file, turn, width(turn), false);
}


reel_err_t
reel_upload_turn_ours(reel_upload_impl_t *u)
{
    record_t    rec;
    reel_err_t  err;

    /* who has it gets it again */
    err = reel_upload_turn_lock(u, u->pub.turn);

    if (err == REEL_OK) {
        err = read_record(u, u->pub.turn, &rec);
    }

    if (err == REEL_AGAIN || (err == REEL_OK && rec.held != u->pub.ticket)) {
        err = REEL_DENIED;
    }

    return err;
}


reel_err_t
reel_upload_turn_first(reel_upload_impl_t *u)
{
    reel_err_t  err;

    u->pub.turn = 0;
    u->pub.ticket = 1;

    err = write_want(u, 0, 1);

    if (err == REEL_OK) {
        err = write_holder(u, 0);
    }

    if (err == REEL_OK) {
        u->announced = true;
        u->pub.held = true;
    }

    return err;
}


static reel_err_t
announce(reel_upload_impl_t *u, unsigned turn)
{
    record_t    rec, zero;
    reel_err_t  err;

    err = reel_upload_mutex_lock(u);
    if (err != REEL_OK) {
        return err;
    }

    err = read_record(u, turn, &rec);

    if (err == REEL_OK) {
        err = read_record(u, 0, &zero);
    }

    if (err == REEL_OK) {
        err = write_want(u, turn, rec.want + 1);
    }

    reel_upload_mutex_unlock(u);

    if (err == REEL_OK) {
        u->pub.turn = turn;
        u->pub.ticket = rec.want + 1;
        u->zero = zero.want;
        u->announced = true;
    }

    return err;
}


/* a writer of parts leaves for turn 0 too */
static reel_err_t
still_newest(reel_upload_impl_t *u)
{
    record_t    rec;
    reel_err_t  err;

    err = read_record(u, u->pub.turn, &rec);

    if (err == REEL_OK && rec.want > u->pub.ticket) {
        return REEL_DENIED;
    }

    if (err == REEL_OK && u->pub.turn != 0) {
        err = read_record(u, 0, &rec);

        if (err == REEL_OK && rec.want > u->zero) {
            return REEL_DENIED;
        }
    }

    return err;
}


/*
 * What the one before wrote is still there if this is the same boot, and
 * else as far as it was durable.
 */
static reel_err_t
settle_rest(reel_upload_impl_t *u)
{
    reel_err_t            err;
    reel_upload_state_t  *st = &u->pub.state;

    if (memcmp(u->boot, u->self.boot, sizeof(u->boot)) != 0) {
        st->offset = st->durable;
    }

    err = reel_multipart_sync(u->data);

    if (err == REEL_OK) {
        st->durable = st->offset;
        return reel_upload_state_settle(u);
    }

    /* the next one must not believe that they are there */
    st->offset = st->durable;

    return reel_upload_state_write(u) == REEL_OK ? err : REEL_IO;
}


/* `state` is synced first: then either slot may go */
static reel_err_t
recover(reel_upload_impl_t *u)
{
    reel_err_t            err;
    reel_upload_state_t  *st = &u->pub.state;

    err = reel_upload_state_sync(u);

    if (err != REEL_OK || st->phase != REEL_UPLOAD_OPEN
        || u->pub.facts.door == REEL_UPLOAD_MULTIPART)
    {
        return err;
    }

    err = reel_upload_stage(u, REEL_UPLOAD_DATA, false, &u->data);

    /* its creator did not sync it */
    if (err == REEL_OK && u->pub.facts.door == REEL_UPLOAD_PUT) {
        err = reel_upload_stage(u, REEL_UPLOAD_FACTS, false, &u->unsynced);
    }

    if (err == REEL_OK && st->offset != st->durable) {
        err = settle_rest(u);
    }

    u->pos = st->offset;
    atomic_store(&u->written, u->pos);
    atomic_store(&u->flushed, u->pos);

    return err;
}


static reel_err_t
begin_turn(reel_upload_impl_t *u)
{
    reel_key_t         key;
    reel_err_t         err;
    reel_store_stat_t  st;

    err = still_newest(u);

    if (err == REEL_OK) {
        err = write_holder(u, u->pub.turn);
    }

    /* swept while we were waiting? */
    if (err == REEL_OK) {
        err = reel_upload_key(u, key, REEL_UPLOAD_FACTS);
    }

    if (err == REEL_OK) {
        err = reel_store_stat(u->pub.store, key, &st);
    }

    if (err == REEL_OK) {
        err = reel_upload_state_read(u);
    }

    if (err == REEL_OK && u->pub.turn == 0) {
        err = recover(u);
    }

    return err;
}


reel_err_t
reel_upload_claim(reel_upload_t *pub, unsigned turn,
    const reel_upload_self_t *self)
{
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    if (turn > REEL_UPLOAD_PARTS_MAX || pub->held) {
        return REEL_INVAL;
    }

    u->self = *self;

    err = u->announced && pub->turn == turn ? still_newest(u)
                                            : announce(u, turn);

    if (err == REEL_OK) {
        err = reel_upload_turn_lock(u, turn);
    }

    if (err != REEL_OK) {
        return err;
    }

    err = begin_turn(u);

    if (err == REEL_OK) {
        pub->held = true;

    } else {
        reel_multipart_unlock(u->state_file, turn, width(turn));
    }

    return err;
}


/* the ticket is that of the newest who wanted it: it is not the older one */
reel_err_t
reel_upload_claim_idle(reel_upload_t *pub, const reel_upload_self_t *self)
{
    record_t             rec;
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    if (pub->held) {
        return REEL_INVAL;
    }

    u->self = *self;

    err = reel_upload_turn_lock(u, 0);
    if (err != REEL_OK) {
        return err;
    }

    err = read_record(u, 0, &rec);

    if (err == REEL_OK) {
        pub->turn = 0;
        pub->ticket = rec.want;
        u->zero = rec.want;
        u->announced = true;
        err = begin_turn(u);
    }

    if (err == REEL_OK) {
        err = reel_upload_touched(u);
    }

    if (err == REEL_OK) {
        pub->held = true;

    } else {
        reel_multipart_unlock(u->state_file, 0, width(0));
    }

    return err;
}


reel_err_t
reel_upload_owner(reel_upload_t *pub, unsigned turn,
    uint8_t owner[REEL_UPLOAD_OWNER_LEN])
{
    uint64_t             at;
    record_t             rec;
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);
    static const uint8_t  nobody[REEL_UPLOAD_OWNER_LEN];

    if (turn > REEL_UPLOAD_PARTS_MAX) {
        return REEL_INVAL;
    }

    err = reel_multipart_holder(u->state_file, turn, width(turn), &at);

    if (err == REEL_OK && at > REEL_UPLOAD_PARTS_MAX) {
        err = REEL_NOTFOUND;
    }

    if (err == REEL_OK) {
        err = read_record(u, (unsigned) at, &rec);
    }

    if (err != REEL_OK) {
        return err;
    }

    /* it has the lock, and not yet said who it is */
    if (memcmp(rec.owner, nobody, sizeof(nobody)) == 0) {
        return REEL_NOTFOUND;
    }

    memcpy(owner, rec.owner, REEL_UPLOAD_OWNER_LEN);

    return REEL_OK;
}


reel_err_t
reel_upload_check(reel_upload_t *u)
{
    return u->held ? still_newest(reel_upload_impl(u)) : REEL_INVAL;
}

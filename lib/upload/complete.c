/*
 * The end of an upload.  Once it is COMPLETING, whoever gets turn 0 goes on
 * with it; that the bytes are gone from its folder says that all was done.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"
#include "lib/upload/upload_impl.h"


#define READ_SIZE (1u << 20)


static reel_err_t
hash_data(reel_upload_impl_t *u, reel_multipart_t *bytes, uint64_t off)
{
    void        *buf;
    size_t       n, want;
    uint64_t     left = u->pub.state.offset;
    reel_err_t   err = REEL_OK;

    u->sha = reel_sha256_new();
    buf = malloc(READ_SIZE);

    if (u->sha == NULL || buf == NULL) {
        err = REEL_NOMEM;
    }

    while (err == REEL_OK && left != 0) {
        want = left < READ_SIZE ? (size_t) left : READ_SIZE;
        err = reel_multipart_read(bytes, off, buf, want, &n);

        if (err == REEL_OK) {
            err = n == 0 ? REEL_IO : reel_sha256_update(u->sha, buf, n);
            off += n;
            left -= n;
        }
    }

    free(buf);

    return err;
}


/* seen on the way by one process from its first byte, else read once now */
static reel_err_t
check_sum(reel_upload_impl_t *u, reel_multipart_t *bytes)
{
    char        hex[2 * REEL_SHA256_LEN + 1];
    uint8_t     sum[REEL_SHA256_LEN];
    reel_err_t  err = REEL_OK;

    if (u->pub.facts.expect[0] == '\0') {
        return REEL_OK;
    }

    if (u->sha == NULL) {
        err = hash_data(u, bytes, u->pub.state.joined ? 0 : u->pub.state.base);
    }

    if (err == REEL_OK) {
        err = reel_sha256_final(u->sha, sum);
        u->sha = NULL;
    }

    if (err != REEL_OK) {
        return err;
    }

    reel_hex(hex, sum, sizeof(sum));

    return strcmp(hex, u->pub.facts.expect) == 0 ? REEL_OK : REEL_BADDATA;
}


static const char *
bytes_part(const reel_upload_impl_t *u)
{
    return u->pub.state.joined ? REEL_UPLOAD_JOINED : REEL_UPLOAD_DATA;
}


static reel_err_t
complete_length(reel_upload_impl_t *u)
{
    reel_upload_state_t  *st = &u->pub.state;

    if (u->pos != st->offset
        || (u->pub.facts.door == REEL_UPLOAD_MULTIPART && !u->listed))
    {
        return REEL_INVAL;
    }

    if (st->length == REEL_UPLOAD_UNKNOWN) {
        st->length = st->offset;
    }

    return st->length == st->offset ? REEL_OK : REEL_INVAL;
}


/* from here on there is no way back: all that follows can be repeated */
static reel_err_t
seal(reel_upload_impl_t *u, reel_multipart_t *bytes, int64_t now_ms)
{
    uint64_t              size;
    reel_err_t            err;
    reel_upload_state_t  *st = &u->pub.state;

    err = reel_multipart_size(bytes, &size);

    if (err == REEL_OK && size < st->length + (st->joined ? 0 : st->base)) {
        err = REEL_IO;
    }

    if (err == REEL_OK) {
        err = check_sum(u, bytes);
    }

    if (err == REEL_OK) {
        err = reel_multipart_sync(bytes);

        if (err != REEL_OK) {
            atomic_store(&u->failed, true);
        }
    }

    if (err != REEL_OK) {
        return err;
    }

    st->durable = st->offset;
    st->touched_ms = now_ms;
    st->phase = REEL_UPLOAD_COMPLETING;

    err = reel_upload_state_settle(u);

    if (err != REEL_OK) {
        /* nothing was published; who comes next looks what was written */
        st->phase = REEL_UPLOAD_OPEN;
    }

    return err;
}


/* nothing of it can ever be published */
static reel_err_t
give_up(reel_upload_impl_t *u, int64_t now_ms, reel_err_t why)
{
    reel_err_t  err;

    u->pub.state.phase = REEL_UPLOAD_ABORTED;
    u->pub.state.touched_ms = now_ms;
    err = reel_upload_state_settle(u);

    if (err == REEL_OK) {
        u->pub.changed = true;
        err = reel_upload_data_drop(u);
    }

    return err == REEL_OK ? why : err;
}


static reel_err_t
begin(reel_upload_impl_t *u, int64_t now_ms)
{
    reel_err_t         err;
    reel_multipart_t  *bytes = NULL;

    err = reel_upload_sound(u);

    if (err == REEL_OK) {
        err = complete_length(u);
    }

    if (err == REEL_OK) {
        err = reel_upload_stage(u, bytes_part(u), false, &bytes);
    }

    if (err != REEL_OK) {
        return err;
    }

    /* once sealed, one means that ours was deleted meanwhile */
    err = reel_upload_asset_stands(u->pub.store, u->pub.facts.request.asset,
                                   REEL_PART_TOMBSTONE);

    if (err == REEL_NOTFOUND) {
        err = seal(u, bytes, now_ms);

    } else if (err == REEL_OK) {
        err = REEL_EXISTS;
    }

    reel_multipart_close(bytes);

    if (err == REEL_EXISTS || err == REEL_BADDATA) {
        return give_up(u, now_ms, err);
    }

    return err;
}


/* provisional bytes, parts that were not listed */
static reel_err_t
trim(reel_upload_impl_t *u, reel_multipart_t *bytes)
{
    uint64_t    size;
    reel_err_t  err;

    err = reel_multipart_size(bytes, &size);

    if (err == REEL_OK && size != u->pub.state.length) {
        err = size < u->pub.state.length
              ? REEL_IO
              : reel_multipart_truncate(bytes, u->pub.state.length);
    }

    return err;
}


static reel_err_t
roll_forward(reel_upload_impl_t *u, bool again, int64_t now_ms,
    reel_named_t *named)
{
    reel_err_t         err;
    reel_multipart_t  *bytes = NULL;

    err = reel_upload_straighten(u);

    if (err == REEL_OK) {
        err = reel_upload_stage(u, bytes_part(u), false, &bytes);
    }

    if (err == REEL_OK) {
        err = trim(u, bytes);

        if (err == REEL_OK) {
            err = reel_upload_publish(u, bytes, bytes_part(u), again, now_ms,
                                      named);
        }

        reel_multipart_close(bytes);

    } else if (err == REEL_NOTFOUND) {
        err = reel_upload_named(u, named);
    }

    if (err == REEL_EXISTS) {
        return give_up(u, now_ms, err);
    }

    if (err != REEL_OK) {
        return err;
    }

    /* not synced: lost with the power, it is found again as COMPLETING */
    u->pub.state.phase = REEL_UPLOAD_COMPLETE;
    u->pub.state.touched_ms = now_ms;
    err = reel_upload_state_write(u);
    if (err != REEL_OK) {
        return err;
    }

    u->pub.changed = true;

    return reel_upload_data_drop(u);
}


reel_err_t
reel_upload_complete(reel_upload_t *pub, int64_t now_ms, reel_named_t *named)
{
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    if (!pub->held || pub->turn != 0 || pub->facts.partial) {
        return REEL_INVAL;
    }

    switch (pub->state.phase) {

    case REEL_UPLOAD_OPEN:
        err = begin(u, now_ms);
        return err == REEL_OK ? roll_forward(u, false, now_ms, named) : err;

    case REEL_UPLOAD_COMPLETING:
        return roll_forward(u, true, now_ms, named);

    case REEL_UPLOAD_COMPLETE:
        return reel_upload_named(u, named);

    default:
        return REEL_INVAL;
    }
}

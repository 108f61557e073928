/* uploads that were made to be joined */

#include "lib/upload/upload_impl.h"


static reel_err_t
append(reel_upload_impl_t *u, reel_upload_impl_t *from)
{
    uint64_t                    len = from->pub.state.length;
    reel_err_t                  err;
    const reel_upload_state_t  *st = &from->pub.state;

    if (!from->pub.facts.partial || st->phase != REEL_UPLOAD_OPEN
        || st->offset != len)
    {
        return REEL_INVAL;
    }

    if (len > u->pub.state.length - u->pos
        || (u->pub.facts.max_bytes != 0
            && len > u->pub.facts.max_bytes - u->pos))
    {
        return REEL_LIMIT;
    }

    err = reel_upload_stage(from, REEL_UPLOAD_DATA, false, &from->data);

    if (err == REEL_OK) {
        err = reel_upload_check(&u->pub);
    }

    if (err == REEL_OK) {
        err = reel_multipart_copy(u->data, u->pos, from->data, 0, len);
    }

    if (err == REEL_OK) {
        u->pos += len;
        atomic_store(&u->written, u->pos);
        u->pub.state.offset = u->pos;
    }

    return err;
}


reel_err_t
reel_upload_concat(reel_upload_t *pub, reel_upload_t *const *from, size_t n,
    int64_t now_ms)
{
    size_t               i;
    reel_err_t           err;
    reel_upload_impl_t  *u = reel_upload_impl(pub);

    err = reel_upload_may(u, REEL_UPLOAD_OPEN);

    if (err == REEL_OK && (pub->facts.door == REEL_UPLOAD_MULTIPART
                           || u->pos != pub->state.offset))
    {
        err = REEL_INVAL;
    }

    /* the bytes did not pass by */
    reel_sha256_free(u->sha);
    u->sha = NULL;

    for (i = 0; err == REEL_OK && i < n; i++) {
        err = append(u, reel_upload_impl(from[i]));
    }

    return err == REEL_OK ? reel_upload_settle(pub, now_ms) : err;
}

/* the two slots of `state`: which one counts, and which is written next */

#include <string.h>

#include "lib/upload/upload_impl.h"


#define TRIES 3                 /* a reader without a turn may meet a writer */


static reel_err_t
read_slot(reel_upload_impl_t *u, unsigned i, reel_upload_slot_t *s)
{
    size_t      n;
    uint8_t     raw[REEL_UPLOAD_SLOT_LEN];
    reel_err_t  err;

    err = reel_multipart_read(u->state_file,
                              (uint64_t) i * REEL_UPLOAD_SLOT_STEP, raw,
                              sizeof(raw), &n);

    if (err == REEL_OK && n != sizeof(raw)) {
        err = REEL_BADDATA;
    }

    return err == REEL_OK ? reel_upload_slot_parse(s, raw) : err;
}


reel_err_t
reel_upload_state_read(reel_upload_impl_t *u)
{
    unsigned            i, tries;
    reel_err_t          err[2];
    reel_upload_slot_t  s[2] = { { 0 }, { 0 } };

    for (tries = 0; tries < TRIES; tries++) {
        for (i = 0; i < 2; i++) {
            err[i] = read_slot(u, i, &s[i]);

            if (err[i] != REEL_OK && err[i] != REEL_BADDATA) {
                return err[i];
            }
        }

        if (err[0] == REEL_OK || err[1] == REEL_OK) {
            break;
        }
    }

    if (tries == TRIES) {
        return REEL_BADDATA;
    }

    /* seq is 0 where parsing failed */
    i = s[1].seq > s[0].seq;

    u->pub.state = s[i].state;
    u->seq = s[i].seq;
    u->slot = i;
    u->spare = !i;
    memcpy(u->boot, s[i].boot, sizeof(u->boot));

    /* one of the two was synced: who syncs now will know more */
    u->told = s[i].state.durable;
    u->pub.safe = u->told;

    if (s[!i].seq != 0 && s[!i].state.durable < u->pub.safe) {
        u->pub.safe = s[!i].state.durable;
    }

    return REEL_OK;
}


reel_err_t
reel_upload_state_write(reel_upload_impl_t *u)
{
    uint8_t             raw[REEL_UPLOAD_SLOT_LEN];
    reel_err_t          err;
    reel_upload_slot_t  s = { .seq = u->seq + 1, .state = u->pub.state };

    memcpy(s.boot, u->self.boot, sizeof(s.boot));
    reel_upload_slot_print(raw, &s);

    err = reel_multipart_write(u->state_file,
                               (uint64_t) u->spare * REEL_UPLOAD_SLOT_STEP,
                               raw, sizeof(raw));
    if (err != REEL_OK) {
        return err;
    }

    u->seq++;
    u->slot = u->spare;
    u->told = s.state.durable;
    memcpy(u->boot, s.boot, sizeof(u->boot));

    return REEL_OK;
}


reel_err_t
reel_upload_state_sync(reel_upload_impl_t *u)
{
    reel_err_t  err;

    err = reel_multipart_sync(u->state_file);

    if (err == REEL_OK) {
        u->spare = !u->slot;
        u->pub.safe = u->told;

    } else {
        atomic_store(&u->failed, true);
    }

    return err;
}


reel_err_t
reel_upload_state_settle(reel_upload_impl_t *u)
{
    reel_err_t  err;

    err = reel_upload_state_write(u);

    if (err == REEL_OK && u->unsynced != NULL) {
        err = reel_multipart_sync(u->unsynced);

        if (err == REEL_OK) {
            reel_multipart_close(u->unsynced);
            u->unsynced = NULL;
        }
    }

    return err == REEL_OK ? reel_upload_state_sync(u) : err;
}

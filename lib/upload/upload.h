/*
 * reel_upload_t: the resource that receives the bytes of one source, whatever
 * door they come through.  It lies in the store (docs/uploads.md), so any
 * process on any node may go on with it:
 *
 *   uploads/<id>/upload.json   what was fixed when it was created
 *               /data          the bytes, each at its final offset
 *               /state         offsets and phase in two slots; turns
 *               /parts         one record a finished part
 *
 * A handle is used by one thread at a time, but for reel_upload_flush, which
 * may run beside a write.  All calls may block: thread pool only.  A handle
 * in a forked child holds the turn too: let none be open across a fork.
 *
 * Turns.  Who writes holds a turn: turn 0 to append, complete or abort, turn
 * n to write part n; turn 0 excludes all others.  A newer request for the
 * same turn takes it over: it writes its ticket where the holder looks before
 * each write and each acknowledgement, and gets the lock (of the kernel,
 * released when a process dies) as soon as the holder lets go.
 *
 * Errors: those of the store, and REEL_AGAIN the turn is held, ask its owner
 * to leave (reel_upload_owner) and try again in a moment; REEL_DENIED
 * somebody newer has the turn: stop, acknowledge nothing; REEL_LIMIT over the
 * length or a limit; REEL_INVAL not in this phase or an offset that is not
 * the next; REEL_BADDATA the bytes are not what was signed; REEL_EXISTS the
 * asset exists already.
 */

#ifndef REEL_UPLOAD_UPLOAD_H
#define REEL_UPLOAD_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/job/record.h"
#include "lib/job/upload_record.h"
#include "lib/store/store.h"

#define REEL_UPLOAD_PARTS_MAX 10000
#define REEL_UPLOAD_OWNER_LEN 16            /* bytes, chosen by the owner */
#define REEL_UPLOAD_BOOT_LEN  16
#define REEL_UPLOAD_UNKNOWN   UINT64_MAX    /* a length not yet told */

typedef enum {
    REEL_UPLOAD_OPEN,
    REEL_UPLOAD_COMPLETING,                 /* all bytes are here; a crash
                                               in it is rolled forward */
    REEL_UPLOAD_COMPLETE,
    REEL_UPLOAD_ABORTED,
    REEL_UPLOAD_EXPIRED
} reel_upload_phase_t;

/* as the record and the API have it; static */
const char *reel_upload_phase_name(reel_upload_phase_t p);

/* what the slots hold, as of the last claim or read */
typedef struct {
    reel_upload_phase_t phase;
    uint64_t            length;             /* REEL_UPLOAD_UNKNOWN */
    uint64_t            offset;             /* bytes [0, offset) are here … */
    uint64_t            durable;            /* … and of these survive power
                                               loss, once this is synced */
    uint64_t            part_size;          /* 0: no part began */
    int64_t             touched_ms;         /* Unix time of the last change */
    uint32_t            nparts;             /* of the completed list */
    uint64_t            base;               /* where the result of a join
                                               begins in data … */
    bool                joined;             /* … or it lies in `joined` */
} reel_upload_state_t;

/* who takes a turn */
typedef struct {
    uint8_t owner[REEL_UPLOAD_OWNER_LEN];   /* by which it is told to leave,
                                               not all zero */
    uint8_t boot[REEL_UPLOAD_BOOT_LEN];     /* of the kernel's boot id: what
                                               was written and not synced is
                                               there for the same boot only */
} reel_upload_self_t;

typedef struct reel_upload_s {
    reel_store_t       *store;
    reel_upload_facts_t facts;
    reel_upload_state_t state;
    uint64_t            ticket;             /* ours, while we hold a turn */
    unsigned            turn;
    bool                held;
    uint64_t            safe;               /* what may be told: bytes that
                                               the slot synced last calls
                                               durable; without a turn maybe
                                               fewer, never more */
    bool                changed;            /* by us: it was made, or came to
                                               its end, and reel_upload_event
                                               did not tell yet */
    /* further fields: lib/upload/upload_impl.h */
} reel_upload_t;

/*
 * Makes uploads/<id>: facts are copied; length when it is known, so that a
 * full medium shows now.  *u holds turn 0.  The upload survives power loss
 * when this returns; but a PUT, whose URL nobody is told, only when it
 * completes.  now_ms is Unix time, here and everywhere.  REEL_EXISTS: the id
 * is in use.
 */
reel_err_t reel_upload_create(reel_store_t *s,
    const reel_upload_facts_t *facts, uint64_t length,
    const reel_upload_self_t *self, int64_t now_ms, reel_upload_t **u)
    REEL_WARN_UNUSED;

/*
 * Opens what stands, without a turn; state is what was last written, which
 * the holder of the turn may be ahead of, and of which only `durable`
 * outlives a power loss.  REEL_NOTFOUND; REEL_BADDATA it is broken.
 */
reel_err_t reel_upload_open(reel_store_t *s, reel_str_t id,
    reel_upload_t **u) REEL_WARN_UNUSED;

/* gives the turn back, keeps everything; NULL is fine */
void reel_upload_close(reel_upload_t *u);

/*
 * Takes a turn: 0, or the number of a part.  The first call announces us
 * (a newer one wins over an older); REEL_AGAIN: held, call again; in between
 * tell the owner.  On REEL_OK state was read anew, and turn 0 of an open
 * upload has synced what the one before had written: durable == offset.
 */
reel_err_t reel_upload_claim(reel_upload_t *u, unsigned turn,
    const reel_upload_self_t *self) REEL_WARN_UNUSED;

/* whom to tell: who holds the turn (0 also: any part).  REEL_NOTFOUND */
reel_err_t reel_upload_owner(reel_upload_t *u, unsigned turn,
    uint8_t owner[REEL_UPLOAD_OWNER_LEN]) REEL_WARN_UNUSED;

/* REEL_DENIED when somebody newer wants our turn */
reel_err_t reel_upload_check(reel_upload_t *u) REEL_WARN_UNUSED;

/* the length, told later (tus defer-length): once, ≥ offset, ≤ max_bytes */
reel_err_t reel_upload_set_length(reel_upload_t *u, uint64_t length,
    int64_t now_ms) REEL_WARN_UNUSED;

/* ---- turn 0: append ---- */

/*
 * Writes at offset and moves it; state.touched_ms, which the caller may set,
 * goes into the slot with it.  provisional: the bytes lie on disk but
 * offset stays where it is until reel_upload_confirm (a checksum is awaited);
 * reel_upload_discard forgets them.
 */
reel_err_t reel_upload_write(reel_upload_t *u, const void *data, size_t len,
    bool provisional) REEL_WARN_UNUSED;
reel_err_t reel_upload_confirm(reel_upload_t *u) REEL_WARN_UNUSED;
void reel_upload_discard(reel_upload_t *u);

/*
 * After REEL_DENIED: what was received before may still be written and
 * confirmed, as long as the lock is ours: nobody else writes until we close.
 * It is not to be acknowledged; settle still says REEL_DENIED.
 */
void reel_upload_leave(reel_upload_t *u);

/* starts or waits for the data's way to the disk; durable follows with the
   next write or settle.  May run beside reel_upload_write */
reel_err_t reel_upload_flush(reel_upload_t *u) REEL_WARN_UNUSED;

/* safe follows state.durable: may be told before the end */
reel_err_t reel_upload_checkpoint(reel_upload_t *u) REEL_WARN_UNUSED;

/* all that was written is durable, and state says so: may be acknowledged */
reel_err_t reel_upload_settle(reel_upload_t *u, int64_t now_ms)
    REEL_WARN_UNUSED;

/*
 * Publishes the asset in the order of docs/store.md and leaves the upload
 * COMPLETE; repeated, or begun by another process that died, it goes on where
 * that was: one asset, one job.  named: what to answer; when its asset is not
 * ours, another upload of the same origin was first, and that one's job runs.
 * A signed sha256 is checked: REEL_BADDATA, and REEL_EXISTS when the asset is
 * another's, leave the upload ABORTED.
 */
reel_err_t reel_upload_complete(reel_upload_t *u, int64_t now_ms,
    reel_named_t *named) REEL_WARN_UNUSED;

/*
 * What was answered to an upload of this origin (64 hex digits), and its job
 * is queued again if it was lost.  REEL_NOTFOUND: there was none.
 */
reel_err_t reel_upload_replay(reel_store_t *s, const char *origin,
    reel_named_t *named) REEL_WARN_UNUSED;

/* the names/ hash under which the newest asset of an S3 key is found */
reel_err_t reel_upload_key_hash(char hex[65], const char *project,
    const char *bucket, const char *key) REEL_WARN_UNUSED;

/* bytes go, the record stays for the sweep and says `phase` (ABORTED or
   EXPIRED); REEL_INVAL when it is complete already */
reel_err_t reel_upload_abort(reel_upload_t *u, reel_upload_phase_t phase,
    int64_t now_ms) REEL_WARN_UNUSED;

/* ---- parts (turn n) ---- */

#define REEL_UPLOAD_SUM_MAX 32

typedef struct {
    uint32_t number;                        /* 1 … REEL_UPLOAD_PARTS_MAX */
    uint64_t offset;                        /* where it lies in data */
    uint64_t size;
    uint64_t tag;                           /* random: its ETag */
    int64_t  finished_ms;
    uint8_t  sum_kind;                      /* reel_sum_kind_t, 0: none */
    uint8_t  sum[REEL_UPLOAD_SUM_MAX];
} reel_upload_part_t;

/*
 * Where part u->turn of `size` bytes goes: at (n - 1) x part size when that
 * place is free, else behind all others.  A finished part of this number
 * stays valid until this one is finished.
 */
reel_err_t reel_upload_part_begin(reel_upload_t *u, uint64_t size,
    int64_t now_ms, reel_upload_part_t *p) REEL_WARN_UNUSED;
/* at `at` bytes into the part, in order; REEL_LIMIT beyond its size */
reel_err_t reel_upload_part_write(reel_upload_t *u,
    const reel_upload_part_t *p, uint64_t at, const void *data, size_t len)
    REEL_WARN_UNUSED;
/* durable and on record, with the sum that the caller set; sets tag and
   finished_ms.  REEL_INVAL when some bytes did not come */
reel_err_t reel_upload_part_finish(reel_upload_t *u, reel_upload_part_t *p,
    int64_t now_ms) REEL_WARN_UNUSED;

/* the newest record of each number, ascending; free(*parts).  REEL_NOTFOUND
   when the upload came to an end */
reel_err_t reel_upload_parts(reel_upload_t *u, reel_upload_part_t **parts,
    size_t *n) REEL_WARN_UNUSED;

/*
 * Makes the listed parts, in their order, the bytes of the upload, with turn
 * 0 held; then reel_upload_complete.  Nothing is copied where they lie so
 * already, else as little as can be.  numbers ascend; tags[i] must be the
 * part's, else REEL_BADDATA and *bad = i; REEL_LIMIT: together too long.
 */
reel_err_t reel_upload_join(reel_upload_t *u, const uint32_t *numbers,
    const uint64_t *tags, size_t n, size_t *bad) REEL_WARN_UNUSED;

/*
 * tus concatenation: appends the complete bytes of others (partial, open,
 * offset == length; else REEL_INVAL) to u, with its turn 0 held, and settles;
 * shares blocks where the file system can.  The others stay.
 */
reel_err_t reel_upload_concat(reel_upload_t *u, reel_upload_t *const *from,
    size_t n, int64_t now_ms) REEL_WARN_UNUSED;

/* ---- for those who watch, once a change of ours ---- */

#define REEL_UPLOAD_EVENT_FIELDS 10
#define REEL_UPLOAD_EVENT_ASSET  3          /* the value, of them */

/*
 * Names and values in turn, borrowed from u; asset: that of the completion,
 * NULL: its own.  False when there is nothing to tell.
 */
bool reel_upload_event(reel_upload_t *u, const char *asset,
    const char *fields[REEL_UPLOAD_EVENT_FIELDS]) REEL_WARN_UNUSED;

/* ---- for the sweep, quotas and listings ---- */

typedef reel_err_t (*reel_upload_each_fn)(void *arg, const char *id,
    reel_upload_t *u);

/*
 * Every upload, opened without a turn and closed again; u is NULL when it
 * cannot be opened: being made or removed just now, or left so by a crash.
 */
reel_err_t reel_upload_each(reel_store_t *s, reel_upload_each_fn fn,
    void *arg) REEL_WARN_UNUSED;

/*
 * What was fixed of those that have parts: multipart ones before their end,
 * and one or the other that a crash has left so.  None is opened: that costs
 * thrice as much.
 */
typedef reel_err_t (*reel_upload_facts_fn)(void *arg,
    const reel_upload_facts_t *f);

reel_err_t reel_upload_each_multipart(reel_store_t *s,
    reel_upload_facts_fn fn, void *arg) REEL_WARN_UNUSED;

typedef struct {
    int64_t made_ns;                        /* Unix time of upload.json */
    char    id[REEL_UPLOAD_ID_LEN + 1];
} reel_upload_mark_t;

/*
 * The newest `max` of those behind that mark (NULL: of all), newest first, in
 * memory for twice as many, however many there are: fewer, when there are no
 * more.  None is opened.  free(*marks)
 */
reel_err_t reel_upload_newest(reel_store_t *s,
    const reel_upload_mark_t *behind, size_t max, reel_upload_mark_t **marks,
    size_t *n) REEL_WARN_UNUSED;

/*
 * Unix time in ms at which an open one expires when nothing more comes: each
 * change gives it as long again as it had when it was created.
 */
int64_t reel_upload_expires(const reel_upload_t *u);

/*
 * Turn 0 when nobody has a turn, and nobody is asked for it: who waits for
 * one stays the newest.  REEL_AGAIN: held; REEL_DENIED: somebody came just
 * now.  On REEL_OK state was read anew, as by reel_upload_claim.
 */
reel_err_t reel_upload_claim_idle(reel_upload_t *u,
    const reel_upload_self_t *self) REEL_WARN_UNUSED;

/*
 * All of it goes, without a sync: should a loss of power bring it back, it is
 * the sweep's.  REEL_INVAL when the phase is not a final one; but a PUT may
 * be open, whose turn 0 is held.
 */
reel_err_t reel_upload_remove(reel_upload_t *u) REEL_WARN_UNUSED;

/*
 * The folder of one that cannot be opened goes, unless something of it was
 * written after before_ms or somebody has a turn: REEL_AGAIN; REEL_EXISTS
 * when it can be opened.
 */
reel_err_t reel_upload_clear(reel_store_t *s, reel_str_t id,
    int64_t before_ms) REEL_WARN_UNUSED;

#endif

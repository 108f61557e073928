/*
 * publish: checks all parts, writes the index, then result.json.  All of it
 * in the child (unfiltered: no libav, our own records); the parent tells
 * Redis and takes pending/ away.  May run any number of times: what stands
 * of the same publication is kept or written again alike, of a newer one it
 * wins, and a tombstone wins over all.
 *
 * A try that lost its lease may go on at any time, even after the job's end
 * and the next one's.  So what stands is looked at again under the lock of
 * those who write it, and a growing publication is only put where no index
 * stands, which the store decides at once.  A failure that was told stays one:
 * docs/model/job.pml.
 */

#include <string.h>

#include "workerd/attempt.h"
#include "workerd/final.h"
#include "workerd/log.h"
#include "workerd/publish_index.h"

typedef struct {
    reel_child_t         *c;
    const reel_attempt_t *a;
    reel_store_t         *store;
    reel_publish_t        t;
    reel_publish_id_t     id;
} publish_t;


static reel_err_t
prepare(reel_attempt_t *a, reel_child_t *io)
{
    (void) a;
    (void) io;

    return REEL_OK;
}


static int
fail(publish_t *p, reel_err_t err, const reel_error_t *e)
{
    const char  *code = reel_outcome_code(err);

    if (err == REEL_BADDATA || err == REEL_INVAL || err == REEL_LIMIT) {
        code = "MISMATCH";
    }

    return reel_child_fail(p->c, true, code, "publish", "%s",
                           e->text[0] != '\0' ? e->text
                                              : reel_err_name(err));
}


/* REEL_EXISTS: nothing is left to do.  Sets the publication's identity */
static reel_err_t
look(publish_t *p, reel_error_t *e)
{
    bool              dead, stands;
    reel_err_t        err;
    reel_result_t     r;
    reel_standing_t   ix = { 0 };
    const char       *asset = p->a->asset;

    err = reel_final_tombstone(p->store, asset, &dead);
    if (err != REEL_OK || dead) {
        return dead ? REEL_EXISTS : reel_fail(e, err, "tombstone");
    }

    err = reel_final_index(p->store, asset, &ix);
    if (err != REEL_OK && err != REEL_NOTFOUND) {
        return reel_fail(e, err, "index");
    }
    stands = err == REEL_OK;

    if (stands && (p->t.growing || ix.publication > p->a->publication)) {
        return REEL_EXISTS;
    }

    /* one publication, one salt and one beginning in all its states: content
       keys follow from the first, DASH counts from the second */
    if (stands && ix.publication == p->a->publication) {
        memcpy(p->id.salt, ix.salt, sizeof(p->id.salt));
        p->id.created_ms = ix.created_ms;
    } else {
        reel_random(p->id.salt, sizeof(p->id.salt));
        stands = false;
    }

    err = reel_final_result(p->store, asset, &r);
    if (err == REEL_OK
        && (r.publication > p->a->publication
            || (r.publication == p->a->publication
                && (p->t.growing || !r.ready || (stands && !ix.growing)))))
    {
        err = REEL_EXISTS;
    }
    reel_result_release(&r);

    return err == REEL_NOTFOUND ? REEL_OK : err;
}


static reel_err_t
put(publish_t *p, const char *part, const reel_buf_t *b, reel_error_t *e)
{
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_asset_part(key, reel_str(p->a->asset), part);
    if (err == REEL_OK && p->t.growing) {
        err = reel_store_put_if_absent(p->store, key, b->data, b->len);
        if (err == REEL_EXISTS) {
            return err;
        }
    } else if (err == REEL_OK) {
        err = reel_store_replace(p->store, key, b->data, b->len);
    }

    return err == REEL_OK ? err : reel_fail(e, err, "%s cannot be written: "
                                            "%s", part, reel_err_name(err));
}


static reel_err_t
take_back(publish_t *p, const char *part)
{
    reel_key_t  key;
    reel_err_t  err;

    err = reel_key_asset_part(key, reel_str(p->a->asset), part);

    return err == REEL_OK ? reel_store_del(p->store, key) : err;
}


/* the asset was deleted while we wrote: what we wrote goes too */
static reel_err_t
undo_if_dead(publish_t *p, reel_error_t *e)
{
    bool        dead;
    reel_err_t  err;

    err = reel_final_tombstone(p->store, p->a->asset, &dead);

    if (err == REEL_OK && dead) {
        err = take_back(p, REEL_PART_INDEX);
        if (err == REEL_OK) {
            err = take_back(p, REEL_PART_RESULT);
        }
    }

    return err == REEL_OK ? err : reel_fail(e, err, "tombstone");
}


static reel_err_t
write_all(publish_t *p, const reel_parts_t *parts, reel_error_t *e)
{
    reel_buf_t  index = { 0 }, result = { 0 };
    reel_err_t  err;

    err = reel_publish_index(&index, parts, &p->t, &p->id, e);

    if (err == REEL_OK && !p->t.growing) {
        err = reel_publish_result(&result, parts, &p->t, &p->id, &index,
                                  e);
    }
    if (err == REEL_OK) {
        err = put(p, REEL_PART_INDEX, &index, e);
    }
    if (err == REEL_OK && !p->t.growing) {
        err = put(p, REEL_PART_RESULT, &result, e);
    }
    if (err == REEL_OK) {
        err = undo_if_dead(p, e);
    }

    reel_buf_release(&index);
    reel_buf_release(&result);

    return err;
}


/* REEL_EXISTS: what came to stand since the look shows no less than ours */
static reel_err_t
write_locked(publish_t *p, const reel_parts_t *parts, reel_error_t *e)
{
    reel_err_t         err;
    reel_multipart_t  *lock;

    err = reel_final_lock(p->store, p->a->asset, true, &lock);
    if (err != REEL_OK) {
        /* wholly gone */
        return err == REEL_NOTFOUND ? REEL_EXISTS : reel_fail(e, err, "lock");
    }

    err = look(p, e);
    if (err == REEL_OK) {
        err = write_all(p, parts, e);
    }

    reel_multipart_close(lock);

    return err;
}


static int
publish(publish_t *p)
{
    reel_err_t    err;
    reel_parts_t  parts;
    reel_error_t  e = { "" };

    err = look(p, &e);
    if (err != REEL_OK) {
        return err == REEL_EXISTS ? 0 : fail(p, err, &e);
    }

    err = reel_parts_read(&parts, p->store, p->a->asset, p->a->job, &p->t,
                          &e);
    if (err == REEL_NOTFOUND && p->t.growing) {
        return 0;
    }
    if (err != REEL_OK) {
        return fail(p, err, &e);
    }

    reel_child_progress(p->c, 500);

    err = write_locked(p, &parts, &e);
    reel_parts_release(&parts);

    if (err == REEL_EXISTS) {
        err = REEL_OK;
    }

    return err == REEL_OK ? 0 : fail(p, err, &e);
}


static int
run(reel_child_t *c, void *attempt)
{
    int                    rc;
    publish_t              p = { .c = c };
    reel_err_t             err;
    reel_error_t           e = { "" };
    const reel_attempt_t  *a = attempt;

    p.a = a;
    p.id.asset = a->asset;
    p.id.publication = a->publication;
    p.id.completed_ms = reel_unix_ms();
    p.id.created_ms = p.id.completed_ms;

    err = reel_publish_parse(&p.t, a->payload, a->payload_len, &e);
    if (err != REEL_OK) {
        return reel_child_fail(c, true, "INTERNAL", "publish",
                               "payload: %s", e.text);
    }

    /* the parent's handle lost its descriptors at the fork */
    err = reel_store_fs_open(a->w->conf.store, &p.store, &e);
    if (err != REEL_OK) {
        return fail(&p, err, &e);
    }

    rc = publish(&p);
    reel_store_close(p.store);

    return rc;
}


static reel_err_t
finish(reel_attempt_t *a)
{
    (void) a;

    return REEL_OK;
}


/* the job ended well: its entry leaves the outbox */
static void
done(reel_attempt_t *a)
{
    reel_err_t      err;
    reel_publish_t  t;

    err = reel_publish_parse(&t, a->payload, a->payload_len, NULL);

    if (err == REEL_OK && !t.growing) {
        err = reel_final_settle(a->w->store, a->job);
    }

    if (err != REEL_OK) {
        reel_log_task(REEL_LOG_WARN, a->job, a->task, "pending/ was left to "
                      "the outbox: %s", reel_err_name(err));
    }
}


const reel_task_ops_t reel_task_publish = {
    .type = REEL_TASK_PUBLISH,
    .prepare = prepare,
    .run = run,
    .finish = finish,
    .done = done
};

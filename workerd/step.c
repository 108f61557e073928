/*
 * The step of a shard: it tells that tasks are done, and claims others, in one
 * call.  One is under way at a time.  What ends meanwhile goes with the next,
 * all of it together: the more there is to tell, the less Redis has to do for
 * each, and who has one thing to tell does so at once.
 *
 * Those that are done claim as many as they were, and at most one idle slot
 * with them, so that no worker takes at once what others look for.
 */

#include "workerd/shards.h"
#include "workerd/slot.h"

static void on_step(void *arg, reel_err_t err, const reel_reply_t *reply);


/*
 * Those that wait to be told, beginning behind the last that was, so that
 * none waits for ever.  One that Redis refused goes alone, and claims nothing:
 * the others would not be told if it was the reason, nor itself if a claim was.
 */
static void
gather(reel_slots_t *s, reel_step_t *st)
{
    unsigned      first = st->next, at;
    reel_slot_t  *slot;

    st->done = 0;

    for (unsigned i = 0; i < s->n && st->done < REEL_STEP_MAX; i++) {
        at = (first + i) % s->n;
        slot = &s->slot[at];

        if (!slot->waits || slot->redis != st->redis) {
            continue;
        }
        if (slot->refused && st->done > 0) {
            break;
        }

        slot->waits = false;
        slot->sent = true;
        st->slot[st->done++] = slot;
        st->next = (at + 1) % s->n;

        if (slot->refused) {
            break;
        }
    }
}


/* those that are done leave, and others may take what they had; one that is
   idle looks with them */
static void
offer(reel_slots_t *s, reel_step_t *st)
{
    bool          alone = st->done > 0 && st->slot[0]->refused;
    reel_slot_t  *idle = s->claiming == NULL ? reel_slots_claimer(s) : NULL;

    for (unsigned i = 0; i < st->done; i++) {
        st->slot[i]->leaves = true;
    }

    st->offers = !alone && reel_slots_may_claim(s, st->redis, &st->offered);
    st->n = st->done;

    if (st->offers && idle != NULL && st->n < REEL_STEP_MAX) {
        reel_slot_claims(idle, st->redis);
        st->slot[st->n++] = idle;
    }

    for (unsigned i = 0; i < st->done; i++) {
        st->slot[i]->leaves = st->offers;
    }

    for (unsigned i = 0; st->offers && i < st->n; i++) {
        st->slot[i]->offered.lights = st->offered.lights > 0;
    }

    if (st->offers && st->n > 0) {
        st->slot[0]->offered.slots = st->offered.slots;
        st->slot[0]->offered.memory_mib = st->offered.memory_mib;
        s->shard[reel_redis_shard(st->redis)].heard = false;
    }
}


static reel_err_t
send_step(reel_slots_t *s, reel_step_t *st)
{
    reel_args_t            args;
    const reel_attempt_t  *a;

    reel_slots_claim_args(s, &args);

    if (st->offers) {
        reel_slots_room_args(s, &args, st->n, &st->offered);
    } else {
        reel_args_addz(&args, "");
        reel_args_addz(&args, "");
    }

    for (unsigned i = 0; i < st->done; i++) {
        a = st->slot[i]->attempt;
        reel_args_addz(&args, a->job);
        reel_args_addz(&args, a->task);
        reel_args_addz(&args, a->token);
    }

    return reel_redis_script(st->redis, REEL_LUA_STEP, "lease", "", &args,
                             on_step, st);
}


/* they go on as they were */
static void
fail(reel_slots_t *s, reel_step_t *st, reel_err_t err,
    const reel_reply_t *reply)
{
    for (unsigned i = 0; i < st->done; i++) {
        reel_slot_untold(st->slot[i], err, reply);
    }

    if (st->n > st->done) {
        reel_slot_claimed(st->slot[st->done]);

        if (err == REEL_IO) {
            reel_slots_refused(s, reel_redis_shard(st->redis), reply);
        }
    }

    if (st->offers) {
        reel_slots_pass_turn(s, st);
    }
    st->n = 0;
}


/* all have let their tasks go before the first takes another: then what is
   free is right */
static void
take(reel_slots_t *s, reel_step_t *st, const reel_reply_t *reply)
{
    size_t  tasks = reel_step_tasks(st, reply);

    for (unsigned i = 0; i < st->done; i++) {
        reel_slot_told(st->slot[i], reel_reply_str(reel_reply_at(reply, i)));
        reel_slot_idle(st->slot[i]);
    }

    if (st->n > st->done) {
        reel_slot_claimed(st->slot[st->done]);
    }
    if (st->offers) {
        reel_slots_answered(s, st, reply);
    }

    for (size_t i = 0; i < tasks && i < st->n; i++) {
        st->slot[i]->redis = st->redis;
        reel_slot_take(st->slot[i], reply,
                       st->done + i * REEL_CLAIM_FIELDS);
    }

    st->n = 0;
}


static void
on_step(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    reel_step_t   *st = arg;
    reel_slots_t  *s = st->slots;

    if (err == REEL_OK) {
        take(s, st, reply);
    } else {
        fail(s, st, err, reply);
    }

    reel_slots_step(s, st->redis);
    reel_slots_wake(s);
    reel_slots_straggle_on(s);
}


void
reel_slots_step(reel_slots_t *s, reel_redis_t *r)
{
    unsigned      shard = reel_redis_shard(r);
    reel_step_t  *st = &s->shard[shard].step;

    if (st->n > 0 || !reel_redis_up(r)) {
        return;
    }

    st->slots = s;
    st->redis = r;
    gather(s, st);

    /* what waited for those may be ready now */
    if (st->done > 0) {
        reel_slots_heard(s, shard);
    }

    offer(s, st);
    if (st->n == 0) {
        return;
    }

    if (send_step(s, st) != REEL_OK) {
        fail(s, st, REEL_AGAIN, NULL);
    }
}

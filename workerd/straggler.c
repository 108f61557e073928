/*
 * A worker that has nothing to do runs once more what takes another one much
 * longer than it should: a slow machine, a disk that hangs.  Redis knows
 * what is late and that nothing is ready (straggler.lua).  The first result
 * counts; the other run is let go like any whose lease was lost.
 *
 * One at a time, so that not much waits when there is work again.
 */

#include "workerd/room.h"
#include "workerd/shards.h"


static bool
has_one(const reel_slots_t *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (s->slot[i].second) {
            return true;
        }
    }

    return false;
}


static void
on_second(void *arg, reel_err_t err, const reel_reply_t *reply)
{
    reel_slot_t   *slot = arg;
    reel_slots_t  *s = slot->slots;
    unsigned       shard = reel_redis_shard(slot->redis);

    s->shard[shard].asked = false;
    reel_slot_claimed(slot);

    if (err == REEL_IO) {
        reel_slots_refused(s, shard, reply);
    }
    if (err == REEL_OK) {
        reel_slot_take(slot, reply, 1);
    }
    slot->second = slot->attempt != NULL;

    reel_slots_wake(s);
    reel_slots_straggle_on(s);
}


/* false: not to this shard */
static bool
ask(reel_slots_t *s, reel_slot_t *slot, unsigned shard)
{
    reel_args_t    a;
    reel_redis_t  *r = reel_shards_at(s->w->shards, shard);

    slot->offered = reel_slots_offer(s, shard, reel_room_free(s));
    slot->offered.lights = 0;

    if (slot->offered.slots == 0 || s->shard[shard].asked
        || !reel_redis_up(r))
    {
        slot->offered = (reel_room_t) { 0 };
        return false;
    }

    reel_slots_claim_args(s, &a);
    reel_args_uint(&a, (uint64_t) s->w->conf.straggler_s * 1000);
    reel_args_uint(&a, slot->offered.slots);
    reel_args_uint(&a, slot->offered.memory_mib);
    reel_args_addz(&a, s->w->labels);

    if (reel_redis_script(r, REEL_LUA_STRAGGLER, "lease", "", &a, on_second,
                          slot) != REEL_OK)
    {
        slot->offered = (reel_room_t) { 0 };
        return false;
    }

    reel_slot_claims(slot, r);
    s->shard[shard].asked = true;
    slot->second = true;

    return true;
}


void
reel_slots_straggle_on(reel_slots_t *s)
{
    reel_slot_t  *slot;

    if (s->claiming != NULL || has_one(s)) {
        return;
    }

    slot = reel_slots_claimer(s);

    while (slot != NULL && s->stragglers > 0) {
        if (ask(s, slot, --s->stragglers)) {
            return;
        }
    }
}


void
reel_slots_straggle(reel_slots_t *s)
{
    s->stragglers = s->w->conf.straggler_s != 0
                    ? reel_shards_count(s->w->shards) : 0;
    reel_slots_straggle_on(s);
}

/*
 * From which shard the next task is taken: from each in turn, so that none
 * starves, and from the others while it has nothing for the room there is.
 * One idle slot claims at a time: another would be offered what it may take.
 *
 * A large task for which a shard has room made (step.lua) has no use of it
 * while the others go on taking cores: until it is there they are asked for
 * light tasks alone.
 */

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/hex.h"
#include "workerd/log.h"
#include "workerd/room.h"
#include "workerd/shards.h"
#include "workerd/slot.h"

/* as long as Redis keeps a reservation that nobody renews */
#define RESERVED_MS 30000

/* a shard that is silent for so long does not keep us from the others */
#define SLOW_MS 1000


void
reel_slots_heard(reel_slots_t *s, unsigned shard)
{
    s->shard[shard].quiet = false;
    s->shard[shard].heard = true;
}


void
reel_slots_heard_all(reel_slots_t *s)
{
    for (unsigned k = 0; k < reel_shards_count(s->w->shards); k++) {
        reel_slots_heard(s, k);
    }
}


static bool
reserved(const reel_slots_t *s)
{
    return s->reserved_ms != 0
           && reel_loop_now() - s->reserved_ms < RESERVED_MS
           && reel_redis_up(reel_shards_at(s->w->shards, s->reserved));
}


reel_room_t
reel_slots_offer(const reel_slots_t *s, unsigned shard, reel_room_t room)
{
    if (reserved(s) && shard != s->reserved) {
        room.slots = 0;
    }

    return room;
}


/* it had nothing for as much when it was asked last */
static bool
quiet(const reel_slots_t *s, unsigned shard, const reel_room_t *room)
{
    const reel_room_t  *none = &s->shard[shard].none;

    return s->shard[shard].quiet && room->slots <= none->slots
           && room->memory_mib <= none->memory_mib
           && room->lights <= none->lights;
}


/* whose turn it is, or NULL; offered: of room, to it */
static reel_redis_t *
whose_turn(const reel_slots_t *s, reel_room_t room, reel_room_t *offered)
{
    unsigned       n = reel_shards_count(s->w->shards), k;
    unsigned       first = reserved(s) ? s->reserved
                           : s->turn[room.slots > 0];
    reel_redis_t  *r;

    for (unsigned i = 0; i < n; i++) {
        k = (first + i) % n;
        r = reel_shards_at(s->w->shards, k);
        *offered = reel_slots_offer(s, k, room);

        if (reel_redis_up(r) && !s->shard[k].asked && s->shard[k].step.n == 0
            && !quiet(s, k, offered))
        {
            return r;
        }
    }

    return NULL;
}


bool
reel_slots_may_claim(reel_slots_t *s, const reel_redis_t *r,
    reel_room_t *offered)
{
    return !s->w->draining && whose_turn(s, reel_room_free(s), offered) == r;
}


void
reel_slots_claim_args(const reel_slots_t *s, reel_args_t *a)
{
    char     hex[17];
    uint8_t  nonce[8];

    reel_random(nonce, sizeof(nonce));
    reel_hex(hex, nonce, sizeof(nonce));

    reel_args_init(a);
    reel_args_addz(a, s->w->conf.worker);
    reel_args_addz(a, hex);
    reel_args_uint(a, (uint64_t) s->w->conf.lease_s * 1000);
}


void
reel_slots_room_args(const reel_slots_t *s, reel_args_t *a, unsigned n,
    const reel_room_t *offered)
{
    char  room[96];

    (void) snprintf(room, sizeof(room), "%u %" PRIu32 " %" PRIu32 " %" PRIu32
                    " %" PRIu32 " %" PRIu32 " %" PRIu32, n, offered->slots,
                    offered->memory_mib, offered->lights, reel_room_cores(s),
                    s->w->room_mib, REEL_ROOM_LIGHTS(s->w->conf.slots));
    reel_args_addz(a, room);
    reel_args_addz(a, s->w->labels);
}


size_t
reel_step_tasks(const reel_step_t *st, const reel_reply_t *reply)
{
    size_t  n = reel_reply_len(reply);

    return n > st->done ? (n - st->done) / REEL_CLAIM_FIELDS : 0;
}


void
reel_slots_pass_turn(reel_slots_t *s, const reel_step_t *st)
{
    s->turn[st->offered.slots > 0] = (reel_redis_shard(st->redis) + 1)
                                     % reel_shards_count(s->w->shards);
}


void
reel_slots_answered(reel_slots_t *s, const reel_step_t *st,
    const reel_reply_t *reply)
{
    size_t               n = reel_step_tasks(st, reply), at = st->done;
    bool                 light = n > 0;
    reel_room_t          left = st->offered;
    reel_slots_shard_t  *shard = &s->shard[reel_redis_shard(st->redis)];

    for (size_t i = 0; i < n; i++, at += REEL_CLAIM_FIELDS) {
        light &= reel_room_shrink(&left, reel_reply_str(reel_reply_at(reply,
                                      at + REEL_CLAIM_QUEUE)));
    }

    /* a shard that gave light tasks has not had the cores yet */
    if (!light || st->offered.slots == 0) {
        reel_slots_pass_turn(s, st);
    }

    if (reel_reply_len(reply) > at) {
        s->reserved = reel_redis_shard(st->redis);
        s->reserved_ms = reel_loop_now();

    } else if (s->reserved == reel_redis_shard(st->redis)
               && (!light || n < st->n))
    {
        s->reserved_ms = 0;
    }

    if (n < st->n && !shard->heard) {
        shard->quiet = true;
        shard->none = left;
    }
}


/* it has no task for any room until the next poll, and the others may have */
void
reel_slots_refused(reel_slots_t *s, unsigned shard, const reel_reply_t *reply)
{
    reel_log(REEL_LOG_ERROR, "redis: a claim was refused: %.200s",
             reel_reply_str(reply).p);

    s->shard[shard].quiet = true;
    s->shard[shard].none = (reel_room_t) { UINT32_MAX, UINT32_MAX,
                                           UINT32_MAX };
}


/* what a shard was offered that does not answer, others may take (room.c) */
static bool
is_slow(reel_slots_t *s)
{
    if (reel_loop_now() - s->claim_ms < SLOW_MS
        || reel_shards_count(s->w->shards) == 1)
    {
        return false;
    }

    s->claiming->late = true;
    s->claiming = NULL;

    return true;
}


reel_slot_t *
reel_slots_claimer(const reel_slots_t *s)
{
    if (s->w->draining) {
        return NULL;
    }

    for (unsigned i = 0; i < s->n; i++) {
        if (s->slot[i].state == REEL_SLOT_IDLE) {
            return &s->slot[i];
        }
    }

    return NULL;
}


void
reel_slot_claims(reel_slot_t *slot, reel_redis_t *r)
{
    reel_slots_t  *s = slot->slots;

    slot->redis = r;
    slot->state = REEL_SLOT_CLAIMING;
    slot->late = false;
    s->claiming = slot;
    s->claims++;
    s->claim_ms = reel_loop_now();
}


void
reel_slot_claimed(reel_slot_t *slot)
{
    reel_slots_t  *s = slot->slots;

    s->claims--;
    if (s->claiming == slot) {
        s->claiming = NULL;
    }

    slot->offered = (reel_room_t) { 0 };
    slot->state = REEL_SLOT_IDLE;
}


void
reel_slots_wake(reel_slots_t *s)
{
    reel_room_t    offered;
    reel_redis_t  *r;

    if ((s->claiming != NULL && !is_slow(s)) || reel_slots_claimer(s) == NULL) {
        return;
    }

    r = whose_turn(s, reel_room_free(s), &offered);
    if (r != NULL) {
        reel_slots_step(s, r);
    }
}


bool
reel_slots_claiming(const reel_slots_t *s)
{
    return s->claims > 0;
}
